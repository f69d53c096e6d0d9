import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import * as IngestJob from "../job/IngestJob.ts"
import type * as Job from "../job/Job.ts"
import type { Progress } from "../Progress.ts"
import * as Csv from "../record/Csv.ts"
import type { Join } from "./join.ts"
import * as Outcome from "./Outcome.ts"

/** How many rows with keys that were not sent are kept, for the error that tells of them. */
const strangersKept = 100

/**
 * The outcomes of a settled job, its failures first; then what no result file
 * names. Ends in an error if the job failed, or if the rows do not add up.
 */
export const collect = <A, B>(
  job: Job.JobInfo,
  join: Join<A, B>,
  progress: ((event: Progress) => Effect.Effect<void>) | undefined
): Stream.Stream<Outcome.Outcome<B>, BulkError.BulkError, Connection> =>
  Stream.suspend(() => {
    const jobId = job.id
    const strangers: Array<Outcome.CsvRow> = []
    const counts = { succeeded: 0, created: 0, failed: 0, unprocessed: 0 }
    const accounted = () => counts.succeeded + counts.failed + counts.unprocessed

    const outcomesOf = (
      file: IngestJob.ResultFile,
      outcome: (result: ResultRow, record: B) => Outcome.Outcome<B>
    ): Stream.Stream<Outcome.Outcome<B>, BulkError.BulkError, Connection> =>
      Stream.mapAccumArray(
        resultRows(jobId, file),
        () => strangers,
        (strangers, results) => {
          const outcomes: Array<Outcome.Outcome<B>> = []
          for (const result of results) {
            const record = join.settle(result.row)
            if (record !== undefined) {
              outcomes.push(outcome(result, record))
            } else if (strangers.length < strangersKept) {
              strangers.push({ sf__Id: result.id, sf__Error: result.error, ...result.row })
            }
          }
          return [strangers, outcomes] as const
        }
      )

    const failed = outcomesOf("failedResults", ({ error, id }, record) => {
      counts.failed++
      return {
        _tag: "Failed",
        jobId,
        id: id === "" ? undefined : id,
        error: Outcome.parseError(error),
        record,
        origin: "org"
      }
    })
    const unprocessed = outcomesOf("unprocessedrecords", (_, record) => {
      counts.unprocessed++
      return { _tag: "Unprocessed", jobId, record, reason: "unprocessed" }
    })
    const succeeded = outcomesOf("successfulResults", ({ created, id, row }) => {
      counts.succeeded++
      if (created) counts.created++
      return { _tag: "Succeeded", jobId, id, created, row }
    })
    const unaccounted = Stream.suspend(() =>
      Stream.fromIterable(join.unsettled()).pipe(
        Stream.map((record): Outcome.Outcome<B> => ({ _tag: "Unprocessed", jobId, record, reason: "unaccounted" }))
      )
    )
    const done = Stream.suspend(() =>
      progress === undefined
        ? Stream.empty
        : Stream.fromEffectDrain(
            progress({
              _tag: "JobDone",
              jobId,
              state: job.state,
              ...counts,
              unprocessed: counts.unprocessed + join.unsettled().length
            })
          )
    )
    const verdict = Stream.suspend(() => {
      const sent = join.sent()
      const missing = accounted() + join.unsettled().length !== sent
      if (missing || strangers.length > 0) {
        return Stream.fail(
          BulkError.make(new BulkError.RecordsUnaccounted({ jobId, sent, accounted: accounted(), strangers }))
        )
      }
      const { errorMessage: detail, state } = job
      return state === "Failed" || state === "Aborted"
        ? Stream.fail(BulkError.make(new BulkError.JobFailed({ jobId, state, detail })))
        : Stream.empty
    })

    return failed.pipe(
      Stream.concat(unprocessed),
      Stream.concat(succeeded),
      Stream.concat(unaccounted),
      Stream.concat(done),
      Stream.concat(verdict)
    )
  })

/** A row of a result file: what Salesforce adds, and the row it is about. */
interface ResultRow {
  readonly id: string
  readonly created: boolean
  readonly error: string
  readonly row: Outcome.CsvRow
}

const resultRows = (
  jobId: string,
  file: IngestJob.ResultFile
): Stream.Stream<ResultRow, BulkError.BulkError, Connection> =>
  IngestJob.results(jobId, file).pipe(
    Csv.decode((header) => Effect.succeed((rows) => Effect.succeed(rows.map(resultRow(header))))),
    Stream.mapError((error) =>
      error._tag === "BulkError"
        ? error
        : BulkError.make(
            new BulkError.UnexpectedResponse({ request: `${file} of job ${jobId}`, problem: error.message })
          )
    )
  )

const resultRow =
  (header: Csv.Row) =>
  (cells: Csv.Row): ResultRow => {
    const result: Record<string, string> = {}
    const row: Record<string, string> = {}
    header.forEach((column, position) => {
      const target = column.startsWith("sf__") ? result : row
      target[column] = cells[position] ?? ""
    })
    return {
      id: result.sf__Id ?? "",
      created: result.sf__Created === "true",
      error: result.sf__Error ?? "",
      row
    }
  }
