import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import type * as Poll from "../job/Poll.ts"
import type { Backlog } from "./backlog.ts"
import { type Collect, collect } from "./collect.ts"
import * as Jobs from "./jobs.ts"
import type { Join } from "./join.ts"
import type * as Outcome from "./Outcome.ts"
import type { Outlet } from "./outlet.ts"

/** How jobs are followed to their end, and what of their results is read. */
export interface Settling<B> extends Pick<Collect<B>, "successes" | "keepSuccesses" | "onJobFailed"> {
  readonly poll: Poll.Poll | undefined
}

/** What became of a job: the records to be sent again, and how its outcomes ended. */
export interface Settled<B> {
  readonly again: ReadonlyArray<Outcome.Failed<B>>
  readonly exit: Exit.Exit<void, BulkError.BulkError>
}

/** Awaits a job that was submitted, and emits what became of its records, but for those that are to be sent again. */
export const settle = Effect.fnUntraced(function* <B>(
  jobId: string,
  join: Join<B>,
  options: Settling<B> &
    Pick<Collect<B>, "dialect" | "reading" | "progress"> & {
      readonly isTransient: (error: Outcome.RowError) => boolean
      readonly jobs: Jobs.Jobs
      readonly backlog: Backlog
      readonly emit: Outlet<B, never>["emit"]
    }
): Effect.fn.Return<Settled<B>, BulkError.BulkError, Connection> {
  const { backlog, emit, isTransient, jobs, poll, progress } = options
  const { dialect, keepSuccesses, onJobFailed, reading, successes } = options
  const again: Array<Outcome.Failed<B>> = []
  const job = yield* Jobs.awaited(jobId, poll, progress).pipe(
    Effect.tapError(() =>
      Effect.suspend(() => {
        jobs.letGo(jobId)
        return Effect.andThen(
          progress({ _tag: "JobLeft", jobId }),
          Effect.logWarning(`job ${jobId} is submitted, and is not waited for any more`)
        )
      })
    )
  )
  jobs.letGo(jobId)
  const exit = yield* collect(job, join, {
    dialect,
    successes,
    keepSuccesses,
    onJobFailed,
    reading,
    progress,
    again: (failed) => {
      if (!isTransient(failed.error)) return false
      again.push(failed)
      return true
    }
  }).pipe(Stream.runForEachArray(emit), backlog.reading, Effect.exit)
  return { again, exit }
})
