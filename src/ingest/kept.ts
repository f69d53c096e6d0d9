import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import * as Csv from "../record/Csv.ts"
import type { Block } from "./inlet.ts"
import { withoutRows } from "./rows.ts"
import type { Spooled } from "./Spool.ts"

/** The records of a part, for as long as they may be asked for. */
export interface Kept<B> {
  /** Notes the rows that are spooled next. */
  readonly keep: (block: Block<B>) => void
  /** Finds records by the numbers of their rows. */
  readonly find: (indices: ReadonlyArray<number>) => Effect.Effect<ReadonlyMap<number, B>, BulkError.BulkError>
}

/** Where rows are kept, and how they are read. */
export interface SpooledRows<B> {
  readonly spooled: Spooled
  /** The header as it was spooled. */
  readonly header: Uint8Array
  /** The rows of a block as they were spooled. */
  readonly rowsOf: (block: Block<B>) => Uint8Array
  readonly dialect: Csv.Dialect
  readonly read: (header: Csv.Row) => (row: Csv.Row) => Result.Result<B, string>
}

/**
 * Keeps records as the rows that are spooled, but for those that must be held as they
 * are. Who asks for some has only the blocks read in which they are.
 */
export const kept = <B>({ dialect, header, read, rowsOf, spooled }: SpooledRows<B>): Kept<B> => {
  const held = new Map<number, B>()
  /** The first row of each block, and where it begins; at last what the next one will have. */
  const rows = [0]
  const begins = [header.length]
  const last = (numbers: ReadonlyArray<number>) => numbers.at(-1)!

  /** The block that a row is in. */
  const blockOf = (row: number): number => {
    let low = 0
    let high = rows.length - 2
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (rows[middle]! <= row) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The rows of one block that are wanted, in their order. */
  const rowsIn = (block: number, wanted: ReadonlySet<number>) =>
    Effect.map(spooled.slice(begins[block]!, begins[block + 1]!), (bytes) =>
      withoutRows(bytes, (row) => wanted.has(rows[block]! + row))
    )

  return {
    keep: (block) => {
      const first = last(rows)
      for (const [row, record] of block.held) held.set(first + row, record)
      rows.push(first + block.rows)
      begins.push(last(begins) + rowsOf(block).length)
    },
    find: (indices) =>
      Effect.suspend(() => {
        const found = new Map<number, B>()
        const spooledRows: Array<number> = []
        for (const index of indices) {
          const record = held.get(index)
          if (record !== undefined) found.set(index, record)
          else spooledRows.push(index)
        }
        if (spooledRows.length === 0) return Effect.succeed(found)
        spooledRows.sort((a, b) => a - b)
        const wanted = new Set(spooledRows)
        const blocks = new Set(spooledRows.map(blockOf))
        let next = 0
        return Stream.fromIterable(blocks).pipe(
          Stream.mapEffect((block) => rowsIn(block, wanted)),
          (bytes) => Stream.concat(Stream.succeed(header), bytes),
          Csv.decode((header) => {
            const decode = read(header)
            return Effect.succeed((rows) => {
              for (const row of rows) {
                const record = decode(row)
                if (Result.isFailure(record)) return failed(record.failure)
                found.set(spooledRows[next++]!, record.success)
              }
              return Effect.succeed([])
            })
          }, dialect),
          Stream.runDrain,
          Effect.catch((error) => (error._tag === "BulkError" ? Effect.fail(error) : failed(error))),
          Effect.as(found)
        )
      })
  }
}

const failed = (cause: unknown) => Effect.fail(BulkError.make(new BulkError.SpoolFailed({ cause })))
