import * as Result from "effect/Result"
import * as BulkError from "../BulkError.ts"
import type * as Csv from "../record/Csv.ts"
import type * as RecordCodec from "../record/RecordCodec.ts"
import type { CsvRow } from "./Outcome.ts"

/**
 * How the result rows of one job find the records they are about, and how it is
 * known that none is missing.
 */
export interface Join<A, B> {
  /** The cells of a record, if it may be sent. */
  readonly admit: (cells: Csv.Row) => Result.Result<Csv.Row, RecordCodec.Problem>
  /** Enters a record that is about to be sent; fails the load if it could not be told from another. */
  readonly enter: (record: A, cells: Csv.Row) => BulkError.BulkError | undefined
  /** What a result row is about; `undefined` for a row that was not sent, or not any more. */
  readonly settle: (row: CsvRow) => B | undefined
  /** The records that no result row was about. */
  readonly unsettled: () => ReadonlyArray<B>
  readonly sent: () => number
}

/**
 * The join by a key: a result row is about the very record that was sent with
 * that key. Holds each record until it is settled.
 */
export const byKey = <A>(options: {
  readonly column: string
  readonly position: number
  readonly canonical: (cell: string) => string
}): Join<A, A> => {
  const { canonical, column, position } = options
  const records = new Map<string, A>()
  let sent = 0
  return {
    admit: (cells) =>
      canonical(cells[position] ?? "") === ""
        ? Result.fail({ column, value: "", message: "the key is empty: its outcome could not be told from others" })
        : Result.succeed(cells),
    enter: (record, cells) => {
      const key = canonical(cells[position] ?? "")
      if (records.has(key)) return BulkError.make(new BulkError.AmbiguousKey({ column, key }))
      records.set(key, record)
      sent++
      return undefined
    },
    settle: (row) => {
      const key = canonical(row[column] ?? "")
      const record = records.get(key)
      records.delete(key)
      return record
    },
    unsettled: () => [...records.values()],
    sent: () => sent
  }
}

/** Without a key a result row is about itself, and only counts can be compared. */
export const byEcho = <A>(): Join<A, CsvRow> => {
  let sent = 0
  return {
    admit: Result.succeed,
    enter: () => {
      sent++
      return undefined
    },
    settle: (row) => row,
    unsettled: () => [],
    sent: () => sent
  }
}
