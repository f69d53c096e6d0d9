import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import * as IngestJob from "../job/IngestJob.ts"
import * as Csv from "../record/Csv.ts"
import { plain } from "../record/plain.ts"
import type { CsvRow } from "./Outcome.ts"

/** A row of a result file: what Salesforce adds, and the row it is about. */
export interface ResultRow {
  readonly id: string
  readonly created: boolean
  readonly error: string
  readonly row: CsvRow
}

const Row = plain<ResultRow, [row: CsvRow, id: string, created: string, error: string]>(
  function (row, id, created, error) {
    this.id = id
    this.created = created === "true"
    this.error = error
    this.row = row
  }
)

/** The rows of a job's result file, an array for each piece of it that arrives. */
export const resultRows = (
  jobId: string,
  file: IngestJob.ResultFile,
  dialect: Csv.Dialect,
  onBytes: (bytes: number) => void = () => undefined
): Stream.Stream<ResultRow, BulkError.BulkError, Connection> =>
  IngestJob.results(jobId, file).pipe(
    Stream.mapArray((blocks) => {
      for (const { length } of blocks) onBytes(length)
      return blocks
    }),
    Csv.decodeNamed(
      {
        apart: ["sf__Id", "sf__Created", "sf__Error"],
        isWanted: (column) => !column.startsWith("sf__"),
        make: (row, [id, created, error]): ResultRow => new Row(row, id, created, error)
      },
      dialect
    ),
    Stream.mapError((error) =>
      error._tag === "BulkError"
        ? error
        : BulkError.make(
            new BulkError.UnexpectedResponse({ request: `${file} of job ${jobId}`, problem: error.message })
          )
    )
  )
