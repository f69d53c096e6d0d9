/** Records that a row must hold exclusively, and what it is told when it cannot. */
import type { Row } from "./csv.ts"
import type { ObjectDescribe } from "./Describe.ts"
import * as ids from "./ids.ts"
import * as Rules from "./Rules.ts"

/** Finds the records that a row locks: the one it changes, and its parents, as far as it names them by id. */
export const locksOf = (object: ObjectDescribe | undefined, header: Row): ((row: Row) => ReadonlyArray<string>) => {
  const fields = object === undefined ? new Map<string, never>() : Rules.fieldsByName(object)
  const indexes = header.flatMap((name, index) => {
    const type = fields.get(name.toLowerCase())?.type
    return type === "id" || type === "reference" ? [index] : []
  })
  return (row) => indexes.flatMap((index) => ids.normalize(row[index]?.trim() ?? "") ?? [])
}

/** A row that did not get its locks. */
export const unableToLock = (records: ReadonlyArray<string>): Rules.RowError =>
  Rules.rowError(
    "UNABLE_TO_LOCK_ROW",
    records.length === 0
      ? "unable to obtain exclusive access to this record"
      : `unable to obtain exclusive access to this record or ${records.length} records: ${records.join(",")}`
  )
