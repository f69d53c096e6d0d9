/** What became of the records of jobs that another process submitted, or may have. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as BulkError from "../../BulkError.ts"
import type { Connection } from "../../connection/Connection.ts"
import { dialectOf } from "../../job/dialectOf.ts"
import * as IngestJob from "../../job/IngestJob.ts"
import * as Job from "../../job/Job.ts"
import type * as Poll from "../../job/Poll.ts"
import * as Outcome from "../Outcome.ts"
import { type ResultRow, resultRows } from "../resultRows.ts"
import { tellSuccesses } from "../successes.ts"

/** The outcomes of a job by the keys of its records. */
export interface Settled<A> {
  /** Whether the job may have changed anything. If it has not, its records can be sent again. */
  readonly isTouched: boolean
  readonly outcomes: ReadonlyMap<string, Outcome.Outcome<A>>
}

/**
 * Brings a job to its end and reads it: one that is still Open is aborted, one that was
 * submitted is awaited. Undefined if there is no such job any more.
 */
export const settle = Effect.fnUntraced(function* <A>(
  jobId: string,
  options: {
    readonly key: string
    readonly canonical: (cell: string) => string
    readonly records: ReadonlyMap<string, A>
    readonly poll: Poll.Poll | undefined
  }
): Effect.fn.Return<Settled<A> | undefined, BulkError.BulkError, Connection> {
  const { canonical, key, records } = options
  const job = yield* conclude(jobId, options.poll).pipe(
    Effect.catchIf(
      (error) => error.isNotFound,
      () => Effect.undefined
    )
  )
  if (job === undefined) return undefined
  const outcomes = new Map<string, Outcome.Outcome<A>>()
  const read = (
    file: IngestJob.ResultFile,
    outcome: (record: A, result: ResultRow) => Outcome.Outcome<A>
  ): Effect.Effect<number, BulkError.BulkError, Connection> =>
    resultRows(jobId, file, dialectOf(job)).pipe(
      Stream.runFold(
        () => 0,
        (count, result) => {
          const own = canonical(result.row[key] ?? "")
          const record = records.get(own)
          if (record !== undefined) outcomes.set(own, outcome(record, result))
          return count + 1
        }
      )
    )
  const unprocessed = yield* read("unprocessedrecords", (record) => ({
    _tag: "Unprocessed",
    jobId,
    record,
    reason: "unprocessed"
  }))
  const failed = yield* read("failedResults", (record, { error, id }) => ({
    _tag: "Failed",
    jobId,
    id: id === "" ? undefined : id,
    error: Outcome.parseError(error),
    record,
    origin: "org"
  }))
  const succeeded = yield* read("successfulResults", (_, { created, id, row }) => ({
    _tag: "Succeeded",
    jobId,
    id,
    created,
    row
  }))
  yield* tellSuccesses(jobId, succeeded)
  const isTouched = job.state === "JobComplete" || failed + succeeded > 0
  // an org that says it is done and knows of no row may have lost its results
  if (job.state === "JobComplete" && failed + succeeded + unprocessed === 0) return undefined
  return { isTouched, outcomes }
})

const conclude = Effect.fnUntraced(function* (jobId: string, poll: Poll.Poll | undefined) {
  const job = yield* IngestJob.get(jobId)
  if (Job.isTerminal(job)) return job
  if (job.state === "Open") {
    // whoever created it may have closed it this very moment: then it is awaited
    const aborted = yield* Effect.exit(IngestJob.abort(jobId))
    if (aborted._tag === "Failure" && (yield* IngestJob.get(jobId)).state === "Open") return yield* aborted
  }
  return yield* IngestJob.awaitDone(jobId, { poll })
})
