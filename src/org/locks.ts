/** Records that a row must hold exclusively, and what it is told when it cannot. */
import type { Chunk } from "./batches.ts"
import type { Row } from "./csv.ts"
import type { ObjectDescribe } from "./Describe.ts"
import * as ids from "./ids.ts"
import * as Rules from "./Rules.ts"

/** Finds the records that a row locks: the one it changes and its parents, by their ids or as `column:key`. */
export const locksOf = (object: ObjectDescribe | undefined, header: Row): ((row: Row) => ReadonlyArray<string>) => {
  const fields = object === undefined ? new Map<string, never>() : Rules.fieldsByName(object)
  const byId: Array<number> = []
  const byKey: Array<number> = []
  for (const [index, name] of header.entries()) {
    const type = fields.get(name.toLowerCase())?.type
    if (type === "id" || type === "reference") byId.push(index)
    else if (name.includes(".")) byKey.push(index)
  }
  return (row) => [
    ...byId.flatMap((index) => ids.normalize(row[index]!.trim()) ?? []),
    ...byKey.flatMap((index) => (row[index] ? `${header[index]}:${row[index]}` : []))
  ]
}

/** A row that did not get its locks. */
export const unableToLock = (locks: ReadonlyArray<string>): Rules.RowError => {
  const records = locks.filter((lock) => !lock.includes(":"))
  return Rules.rowError(
    "UNABLE_TO_LOCK_ROW",
    records.length === 0
      ? "unable to obtain exclusive access to this record"
      : `unable to obtain exclusive access to this record or ${records.length} records: ${records.join(",")}`
  )
}

// of the rows that meet a locked parent, one in four never gets it
const isUnlucky = (lock: string, row: number): boolean => {
  let hash = row
  for (let i = 0; i < lock.length; i++) hash = (Math.imul(hash, 31) + lock.charCodeAt(i)) | 0
  return ((hash ^ (hash >>> 15)) & 3) === 0
}

/** What chunks of several batches, which run at the same time, do to each other's locks. */
export interface Contention {
  /** How many of the chunks had to be tried again. */
  readonly retries: number
  /** For each chunk, which of its rows did not get their locks even so. */
  readonly locked: ReadonlyArray<ReadonlySet<number>>
}

/** Lets chunks contend: a parent is locked by the first of them that has it. */
export const contend = (chunks: ReadonlyArray<Chunk>, locks: (row: Row) => ReadonlyArray<string>): Contention => {
  const holders = new Map<string, number>()
  let retries = 0
  const locked = chunks.map(({ rows }, chunk) => {
    const unlucky = new Set<number>()
    let hasMet = false
    for (const [index, row] of rows.entries()) {
      for (const lock of locks(row)) {
        const holder = holders.get(lock)
        if (holder === undefined) holders.set(lock, chunk)
        else if (holder !== chunk) {
          hasMet = true
          if (isUnlucky(lock, index)) unlucky.add(index)
        }
      }
    }
    if (hasMet) retries++
    return unlucky
  })
  return { retries, locked }
}
