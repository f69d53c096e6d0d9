import * as Effect from "effect/Effect"
import type * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import { hasEnded } from "../job/endpoint.ts"
import { withGrace } from "../job/grace.ts"
import * as IngestJob from "../job/IngestJob.ts"
import type * as Job from "../job/Job.ts"
import type * as Poll from "../job/Poll.ts"
import type { Progress } from "../Progress.ts"

/** What is done with submitted jobs when nobody waits for them any more. */
export type OnInterrupt = "leave" | "abort"

/** The jobs of one load, in the states in which something is to be done about them. */
export interface Jobs {
  readonly create: (options: IngestJob.CreateOptions) => Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection>
  /** Aborts a job that was never closed. */
  readonly abandon: (jobId: string) => Effect.Effect<void, never, Connection>
  /** The commit point: from the first attempt on, the job is never uploaded anew. */
  readonly close: (jobId: string) => Effect.Effect<void, BulkError.BulkError, Connection>
  /** The job has been seen in its last state, or is not waited for any more: it is let alone. */
  readonly letGo: (jobId: string) => void
}

/**
 * Watches over the jobs of a load. When the scope ends, the Open one is aborted, and
 * submitted ones are left alone or aborted, as was asked.
 */
export const open = Effect.fnUntraced(function* (
  onInterrupt: OnInterrupt,
  progress: (event: Progress) => Effect.Effect<void>
) {
  const uncommitted = new Set<string>()
  const submitted = new Set<string>()
  const context = yield* Effect.context<Connection>()

  const abandon = (jobId: string) =>
    Effect.suspend(() => {
      uncommitted.delete(jobId)
      return Effect.andThen(progress({ _tag: "JobLeft", jobId }), abort(jobId, "stays open"))
    })

  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      yield* Effect.forEach([...uncommitted], abandon, { concurrency: "unbounded", discard: true })
      if (submitted.size === 0) return
      yield* Effect.forEach(submitted, (jobId) => progress({ _tag: "JobLeft", jobId }), { discard: true })
      if (onInterrupt === "abort") {
        yield* Effect.forEach([...submitted], (jobId) => abort(jobId, "runs on"), {
          concurrency: "unbounded",
          discard: true
        })
      } else {
        yield* Effect.logWarning(`submitted, and nobody waits for it any more: job ${[...submitted].join(", job ")}`)
      }
    }).pipe(Effect.provideContext(context))
  )

  const jobs: Jobs = {
    create: (options) =>
      IngestJob.create(options).pipe(
        Effect.tap(({ id }) => Effect.sync(() => uncommitted.add(id))),
        withGrace
      ),
    abandon,
    close: (jobId) =>
      Effect.suspend(() => {
        uncommitted.delete(jobId)
        submitted.add(jobId)
        return IngestJob.close(jobId)
      }).pipe(
        Effect.tapError(({ reason }) =>
          Effect.suspend(() => {
            submitted.delete(jobId)
            // what was refused was not submitted
            return reason._tag === "CommitUnknown" ? Effect.void : abandon(jobId)
          })
        ),
        Effect.asVoid,
        withGrace
      ),
    letGo: (jobId) => {
      submitted.delete(jobId)
    }
  }
  return jobs
})

/** Waits for a job that was submitted, and tells how it fares. */
export const awaited = (
  jobId: string,
  poll: Poll.Poll | undefined,
  progress: (event: Progress) => Effect.Effect<void>
) =>
  IngestJob.awaitDone(jobId, {
    poll,
    onLook: ({ numberRecordsFailed: failed = 0, numberRecordsProcessed: processed = 0, state }) =>
      progress({ _tag: "Processing", jobId, state, processed, failed })
  })

/** A job that is not closed holds no data: a failure to abort it harms nothing. */
const abort = (jobId: string, otherwise: string): Effect.Effect<void, never, Connection> =>
  IngestJob.abort(jobId).pipe(
    Effect.asVoid,
    Effect.catchIf(hasEnded, () => Effect.logInfo(`job ${jobId} had ended already when it was to be aborted`)),
    Effect.timeout("10 seconds"),
    Effect.catchCause((cause) => Effect.logWarning(`job ${jobId} ${otherwise}: it could not be aborted`, cause))
  )
