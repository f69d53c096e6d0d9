import type * as Schema from "effect/Schema"
import type { Dialect } from "./dialect.ts"

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
 * Records as rows of text, without a header.
 *
 * @category models
 * @since 0.1.0
 */
export interface Encoded<A> {
  /** Whole rows, each with its line ending; empty if no record could be written. */
  readonly text: string
  /** How many rows there are. */
  readonly rows: number
  /** The records that were written, in order: the very array that was given, if none was rejected. */
  readonly written: ReadonlyArray<A>
  /** The records that cannot be written. */
  readonly rejected: ReadonlyArray<Rejected<A>>
  /** The key of each row, if a key was asked for. */
  readonly keys: ReadonlyArray<string>
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
