/** How many children the largest parents of a load have in the org already. */
import * as Effect from "effect/Effect"
import type * as BulkError from "../../BulkError.ts"
import type { Connection } from "../../connection/Connection.ts"
import { quote } from "../../job/soqlText.ts"
import type { Column } from "./columns.ts"
import type { Findings } from "./findings.ts"
import type { Org } from "./org.ts"
import { type Children, manyChildren } from "./parents.ts"

/** For how many parents of each column the org is asked. */
export const parentsAsked = 3

/** Asks for each of the parents, a query each. */
export const countStored = Effect.fnUntraced(function* (
  org: Org,
  object: string,
  largest: ReadonlyArray<{ readonly column: Column; readonly parents: ReadonlyArray<Children> }>,
  findings: Findings
): Effect.fn.Return<void, BulkError.BulkError, Connection> {
  for (const { column, parents } of largest) {
    // a field of one object among several cannot be compared to
    const path = column.name.includes(":") ? undefined : column.name.includes(".") ? column.name : column.field?.name
    const what = `how many records parents by ${column.name} have already`
    if (path === undefined) {
      org.unknown.push(what)
      continue
    }
    for (const { children, parent } of parents) {
      // by itself it is a finding already
      if (children > manyChildren) continue
      const stored = yield* org.count(what, `SELECT COUNT() FROM ${object} WHERE ${path} = ${quote(parent)}`)
      if (stored === undefined) break
      if (stored + children <= manyChildren) continue
      const words = `a parent has ${count(stored)} records in the org, and gets ${count(children)} more`
      const message = `${words}: the org gets slow, and its lock is fought for`
      findings.add({ severity: "warning", code: "MANY_CHILDREN", message }, column.name, children)
    }
  }
})

const count = (n: number): string => n.toLocaleString("en-US")
