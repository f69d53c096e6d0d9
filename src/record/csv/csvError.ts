import * as Data from "effect/Data"

/**
 * CSV that cannot be read. `line` is where the record begins that is at fault,
 * counted from 1, where it is known; the message says it too.
 *
 * @category errors
 * @since 0.1.0
 */
export class CsvError extends Data.TaggedError("CsvError")<{
  readonly message: string
  readonly line?: number | undefined
}> {}
