import * as Data from "effect/Data"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import * as Csv from "../record/Csv.ts"
import { withoutRejectColumns } from "./rejectColumns.ts"

/** The source's own error, on its way past the errors of CSV. */
class SourceFailed<E> extends Data.TaggedError("SourceFailed")<{ readonly error: E }> {}

/** The bytes of a file as blocks to be loaded. They may fail as they like, also as CSV does. */
export const csvSource = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  options: Csv.BlocksOptions
): Stream.Stream<Csv.Block, E | BulkError.BulkError, R> =>
  bytes.pipe(
    Stream.mapError((error) => new SourceFailed({ error })),
    Csv.blocks(options),
    Stream.mapEffect(withoutRejectColumns),
    Stream.mapError((error) => (error instanceof SourceFailed ? error.error : invalidCsv(error)))
  )

/** What makes no CSV fails the load. */
export const invalidCsv = ({ line, message: problem }: Csv.CsvError): BulkError.BulkError =>
  BulkError.make(new BulkError.InvalidCsv({ line, problem }))
