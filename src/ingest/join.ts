import * as Effect from "effect/Effect"
import * as BulkError from "../BulkError.ts"
import type { Block } from "./inlet.ts"
import type { Kept } from "./kept.ts"
import type { Keys } from "./keys.ts"
import type { CsvRow } from "./Outcome.ts"

/** The key by which rows are told apart. */
export interface Key {
  readonly column: string
  /** The one form of all cells that mean the same. */
  readonly canonical: (cell: string) => string
}

/** What becomes of a record whose key another one of its part has. */
export type Duplicates = "fail" | "first" | "last"

/** A row of a result file that is about a row that was sent. */
export interface Settled {
  /** The number of the row that was sent; meaningless without a key. */
  readonly index: number
  readonly row: CsvRow
}

/** How the result rows of one job find the records they are about, and how it is known that none is missing. */
export interface Join<B> {
  /** How many rows were sent; undefined if only the results tell. */
  readonly sent: () => number | undefined
  /** What a result row is about: the number of a row; undefined for one that was not sent, or not any more. */
  readonly settle: (row: CsvRow) => number | undefined
  /** The numbers of the rows that no result row was about. */
  readonly unsettled: () => ReadonlyArray<number>
  /** For how many settled rows records are looked up at once. */
  readonly batch: number
  /** The records of settled rows, in their order. */
  readonly recordsOf: (settled: ReadonlyArray<Settled>) => Effect.Effect<ReadonlyArray<B>, BulkError.BulkError>
}

/** The join of a part, which is told of the rows that are sent. */
export interface PartJoin<B> extends Join<B> {
  /** Enters rows that are about to be sent; gives the numbers of those that are not to be. */
  readonly enter: (block: Block<B>) => ReadonlySet<number> | BulkError.BulkError
  readonly sent: () => number
  /** The rows that a later one took the place of, by their numbers: they are not sent. */
  readonly superseded: ReadonlySet<number>
}

/** Rows are looked up by the blocks they are in: not too few at once, should they come in another order. */
const foundAtOnce = 5_000

/** The join by a key: a result row is about the record that was sent with that key. */
export const byKey = <B>(options: {
  readonly key: Key
  /** Where the keys are kept; there are none yet. */
  readonly keys: Keys
  readonly duplicates: Duplicates
  readonly find: Kept<B>["find"]
}): PartJoin<B> => {
  const { duplicates, find, key, keys } = options
  const superseded = new Set<number>()
  let settled = new Uint8Array(0)
  let unsettled = 0
  const begin = () => {
    if (settled.length === keys.size) return
    settled = new Uint8Array(keys.size)
    for (const index of superseded) settled[index] = 1
    unsettled = keys.size - superseded.size
  }
  return {
    enter: (block) => {
      const left = new Set<number>()
      for (let row = 0; row < block.keys.length; row++) {
        row += keys.addNew(block.keys, row)
        const text = block.keys[row]
        if (text === undefined) break
        const earlier = keys.add(text, duplicates === "last")
        if (earlier < 0) continue
        if (duplicates === "fail") {
          return BulkError.make(new BulkError.AmbiguousKey({ column: key.column, key: text }))
        }
        if (duplicates === "first") left.add(row)
        else superseded.add(earlier)
      }
      return left
    },
    sent: () => keys.size - superseded.size,
    superseded,
    settle: (row) => {
      begin()
      const index = keys.indexOf(key.canonical(row[key.column] ?? ""))
      if (index < 0 || settled[index] === 1) return undefined
      settled[index] = 1
      unsettled--
      return index
    },
    unsettled: () => {
      begin()
      const indices: Array<number> = []
      if (unsettled > 0) for (let i = 0; i < settled.length; i++) if (settled[i] === 0) indices.push(i)
      return indices
    },
    batch: foundAtOnce,
    recordsOf: (settled) =>
      Effect.flatMap(find(settled.map(({ index }) => index)), (found) => {
        const records: Array<B> = []
        for (const { index } of settled) {
          const record = found.get(index)
          if (record === undefined) {
            return Effect.fail(BulkError.make(new BulkError.SpoolFailed({ cause: `row ${index} is not in it` })))
          }
          records.push(record)
        }
        return Effect.succeed(records)
      })
  }
}

/** Without a key a result row is about itself, and only counts can be compared. */
export const byEcho = <B>(echo: (row: CsvRow) => B): PartJoin<B> => {
  const none = new Set<number>()
  let sent = 0
  return {
    enter: ({ rows }) => {
      sent += rows
      return none
    },
    sent: () => sent,
    superseded: none,
    settle: () => 0,
    unsettled: () => [],
    batch: 1,
    recordsOf: (settled) => Effect.succeed(settled.map(({ row }) => echo(row)))
  }
}
