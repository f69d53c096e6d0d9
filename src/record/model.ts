import * as Data from "effect/Data"
import type * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { Dialect } from "./csv/dialect.ts"

/**
 * A schema that a record codec can be made of: it needs no services.
 *
 * @category models
 * @since 0.1.0
 */
export type RecordSchema = Schema.ConstraintCodec<unknown, unknown>

/**
 * What is wrong with one record. `column` is absent where it is the record as a
 * whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface Problem {
  readonly column: string | undefined
  readonly value: string | undefined
  readonly message: string
}

/**
 * What a null becomes: `clear` empties the field (`#N/A`), `ignore` leaves it as
 * it is (an empty cell).
 *
 * @category models
 * @since 0.1.0
 */
export type Nulls = "clear" | "ignore"

/**
 * How `encoder` writes records.
 *
 * @category models
 * @since 0.1.0
 */
export interface EncoderOptions {
  readonly nulls: Nulls
  /** Default: commas and line feeds. */
  readonly dialect?: Dialect | undefined
  /** The columns to write, in the order they are to have. Default: all. */
  readonly columns?: ReadonlyArray<string> | undefined
  /**
   * A column of plain fields whose cells are wanted, in their canonical form. A
   * record without a value there is rejected.
   */
  readonly key?: string | undefined
}

/**
 * Records as rows in UTF-8, without a header.
 *
 * @category models
 * @since 0.1.0
 */
export interface Encoded<A> {
  /** Whole rows, each with its line ending; empty if no record could be written. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** How many rows there are. */
  readonly rows: number
  /** The records that were written, in order: the very array that was given, if none was rejected. */
  readonly written: ReadonlyArray<A>
  /** The records that cannot be written. */
  readonly rejected: ReadonlyArray<Rejected<A>>
  /** The key of each row, if a key was asked for. */
  readonly keys: ReadonlyArray<string>
  /** Whether a carriage return may be among the texts: line breaks within cells are written as the dialect's. */
  readonly hasReturns: boolean
}

/**
 * A record that cannot be written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rejected<A> {
  readonly record: A
  readonly problem: Problem
}
/**
 * A row that is no record of the schema. `row` counts from 1, the header left out.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidRecord extends Data.TaggedError("InvalidRecord")<{
  readonly row: number
  readonly column: string | undefined
  readonly value: string | undefined
  readonly message: string
}> {}

/**
 * A header without a column that the schema has.
 *
 * @category errors
 * @since 0.1.0
 */
export class MissingColumn extends Data.TaggedError("MissingColumn")<{
  readonly column: string
  readonly header: ReadonlyArray<string>
  readonly message: string
}> {}

/**
 * The codec of one schema.
 *
 * - `encoder` gives what writes arrays of records as rows of CSV. Throws if
 *   `columns` or `key` name what is no column of the schema.
 * - `encode` gives the cells of a record, in the order of `columns`.
 * - `decoder` takes the header of what is read, whose columns may come in any
 *   order and case, and gives the decoder of its rows, or says which column is
 *   missing. `nullCell` is what a null is written as, by default an empty cell, as in
 *   results; with `#N/A`, as in uploads, an empty cell is an empty text where there can
 *   be one.
 * - `show` gives the cells of a record by column, as far as they can be written:
 *   for people, and for records that `encode` refuses.
 * - `canonical` gives, for a column of plain fields, the one form of all cells that
 *   mean the same: an echoed `9.12260031E8` and the `912260031` that was sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface RecordCodec<A> {
  readonly columns: ReadonlyArray<string>
  readonly encoder: (options: EncoderOptions) => (records: ReadonlyArray<A>) => Encoded<A>
  readonly encode: (record: A, nulls: Nulls) => Result.Result<ReadonlyArray<string>, Problem>
  readonly decoder: (
    header: ReadonlyArray<string>,
    nullCell?: string
  ) => Result.Result<(row: ReadonlyArray<string>) => Result.Result<A, Problem>, Problem>
  readonly show: (record: A) => Readonly<Record<string, string>>
  readonly canonical: (column: string) => ((cell: string) => string) | undefined
}
