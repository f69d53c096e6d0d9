import { hash } from "node:crypto"
import { type Context, Effect, Stream } from "effect"
import { type BulkError, type Connection, Query } from "../../src/index.ts"
import { AccountParent, Contact, ContactReportsTo } from "./schemas.ts"

export type Org = Context.Context<Connection.Connection>

/** Which records there are, and which refer to which, as numbers that two orgs can be compared by. */
export type Structure = Readonly<Record<string, number | bigint>>

/** A number for one reference, of 64 bits. */
const linkOf = (from: string, to: string): bigint => BigInt(`0x${hash("sha256", `${from}\n${to}`).slice(0, 16)}`)

/** Counts records and references. Sums of references do not depend on their order, nor does memory on their number. */
const tally = <A extends { readonly Number__c: string }, E, R>(
  records: Stream.Stream<A, E, R>,
  refersTo: (record: A) => { readonly Number__c: string } | null
) =>
  Effect.suspend(() => {
    const sum = { records: 0, references: 0, checksum: 0n }
    return Effect.as(
      Stream.runForEachArray(records, (some) =>
        Effect.sync(() => {
          sum.records += some.length
          for (const record of some) {
            const to = refersTo(record)
            if (to === null) continue
            sum.references++
            sum.checksum = BigInt.asUintN(64, sum.checksum + linkOf(record.Number__c, to.Number__c))
          }
        })
      ),
      sum
    )
  })

/** Reads the structure of an org. */
export const structureOf = (org: Org): Effect.Effect<Structure, BulkError.BulkError> =>
  Effect.gen(function* () {
    const accounts = yield* tally(Query.records({ schema: AccountParent, from: "Account" }), ({ Parent }) => Parent)
    const contacts = yield* tally(Query.records({ schema: Contact, from: "Contact" }), ({ Account }) => Account)
    const reports = yield* tally(
      Query.records({ schema: ContactReportsTo, from: "Contact" }),
      ({ ReportsTo }) => ReportsTo
    )
    return {
      accounts: accounts.records,
      "with a parent": accounts.references,
      contacts: contacts.records,
      "of an account": contacts.references,
      "who report to someone": reports.references,
      "checksum of parents": accounts.checksum,
      "checksum of accounts": contacts.checksum,
      "checksum of reports": reports.checksum
    }
  }).pipe(Effect.provideContext(org))

export const areEqual = (a: Structure, b: Structure): boolean => Object.keys(a).every((name) => a[name] === b[name])

/** Both, side by side. */
export const render = (source: Structure, target: Structure): string => {
  const cell = (value: number | bigint | undefined) =>
    (typeof value === "bigint" ? value.toString(16).padStart(16, "0") : `${value?.toLocaleString("en-US")}`).padStart(
      18
    )
  const line = (name: string) => `${name.padEnd(22)}${cell(source[name])}${cell(target[name])}`
  return [`${" ".repeat(22)}${"source".padStart(18)}${"target".padStart(18)}`, ...Object.keys(source).map(line)].join(
    "\n"
  )
}
