import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import { acquireJob } from "../job/grace.ts"
import type * as Job from "../job/Job.ts"
import type * as Poll from "../job/Poll.ts"
import * as QueryJob from "../job/QueryJob.ts"
import type { PagesOptions } from "./options.ts"

/** How a job runs, and what becomes of it. */
export interface RunOptions extends QueryJob.CreateOptions {
  readonly poll?: Poll.Poll | undefined
  readonly afterwards?: "keep" | "remove" | undefined
  readonly progress?: PagesOptions["progress"]
}

/**
 * Creates a query job and waits until it is complete. When the scope ends, it is
 * aborted if it still runs, and deleted if that was asked for.
 */
export const run = Effect.fnUntraced(function* (
  soql: string,
  { afterwards, poll, progress, ...options }: RunOptions
): Effect.fn.Return<Job.JobInfo, BulkError.BulkError, Connection | Scope.Scope> {
  let isRunning = true
  let isLeftAlone = afterwards === "keep"
  const created = yield* acquireJob(QueryJob.create(soql, options), ({ id }) =>
    isLeftAlone ? Effect.void : QueryJob.leave(id, { abort: isRunning, remove: afterwards === "remove" })
  )
  return yield* complete(created, { poll, progress }).pipe(
    Effect.onExit((exit) =>
      Effect.sync(() => {
        isRunning = Exit.isFailure(exit) && !hasReason(exit.cause, "JobFailed")
        // a passed deadline leaves the job to whoever awaits it again
        isLeftAlone ||= Exit.isFailure(exit) && hasReason(exit.cause, "DeadlinePassed")
      })
    )
  )
})

/** Waits until a job is complete. */
export const complete = Effect.fnUntraced(function* (
  { id: jobId, object, operation }: Pick<Job.JobInfo, "id" | "object" | "operation">,
  { poll, progress = () => Effect.void }: Pick<PagesOptions, "poll" | "progress">
): Effect.fn.Return<Job.JobInfo, BulkError.BulkError, Connection> {
  yield* progress({ _tag: "JobCreated", jobId, kind: "query", operation, object, resends: false, attempt: 1 })
  const job = yield* QueryJob.awaitDone(jobId, {
    poll,
    onLook: ({ numberRecordsFailed: failed = 0, numberRecordsProcessed: processed = 0, state }) =>
      progress({ _tag: "Processing", jobId, state, processed, failed })
  }).pipe(Effect.onError(() => progress({ _tag: "JobLeft", jobId })))
  const { errorMessage: detail, state } = job
  if (state === "Failed" || state === "Aborted") {
    yield* progress({ _tag: "JobLeft", jobId })
    return yield* BulkError.make(new BulkError.JobFailed({ jobId, state, detail }))
  }
  return job
})

const hasReason = (cause: Cause.Cause<BulkError.BulkError>, tag: BulkError.Reason["_tag"]): boolean =>
  cause.reasons.some((reason) => Cause.isFailReason(reason) && reason.error.reason._tag === tag)
