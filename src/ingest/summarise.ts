import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Connection from "../connection/Connection.ts"
import type { Progress } from "../Progress.ts"
import type { Outcome } from "./Outcome.ts"
import type { JobSummary, Summary } from "./Summary.ts"

/** What is known of a job before it is done. */
interface Running {
  readonly created: number
  submitted: number
  done: number
  records: number
  bytes: number
}

/** Runs a load that tells its progress, and folds it to its summary. */
export const summarise = <A, E, R>(
  outcomes: (progress: (event: Progress) => Effect.Effect<void>) => Stream.Stream<Outcome<A>, E, R>
): Effect.Effect<Summary, E, R> =>
  Effect.suspend(() => {
    const calls = { count: 0 }
    const codes = new Map<string, number>()
    const running = new Map<string, Running>()
    const jobs: Array<JobSummary> = []
    const total = { succeeded: 0, created: 0, failed: 0, unprocessed: 0, bytes: 0 }

    const note = (event: Progress, now: number): void => {
      if (event._tag === "Encoded" || event._tag === "Rejected") return
      const job = running.get(event.jobId)
      if (event._tag === "JobCreated") {
        running.set(event.jobId, { created: now, submitted: now, done: now, records: 0, bytes: 0 })
      } else if (job === undefined) {
        return
      } else if (event._tag === "Submitted") {
        const { bytes, records } = event
        Object.assign(job, { submitted: now, done: now, records, bytes })
        total.bytes += bytes
      } else if (event._tag === "Processing") {
        job.done = now
      } else if (event._tag === "JobDone") {
        const { failed, jobId: id, state, succeeded, unprocessed } = event
        const { bytes, created, done, records, submitted } = job
        const millis = { upload: submitted - created, processing: done - submitted, reading: now - done }
        jobs.push({ id, state, records, bytes, succeeded, failed, unprocessed, millis })
        total.succeeded += succeeded
        total.created += event.created
        total.unprocessed += unprocessed
      }
    }

    return outcomes((event) => Effect.map(Clock.currentTimeMillis, (now) => note(event, now))).pipe(
      Stream.provideService(Connection.Calls, calls),
      Stream.runForEachArray((outcomes) =>
        Effect.sync(() => {
          for (const outcome of outcomes) {
            if (outcome._tag !== "Failed") continue
            total.failed++
            codes.set(outcome.error.code, (codes.get(outcome.error.code) ?? 0) + 1)
          }
        })
      ),
      Effect.map(() => ({
        ...total,
        failures: [...codes].map(([code, count]) => ({ code, count })).toSorted((a, b) => b.count - a.count),
        apiCalls: calls.count,
        jobs
      }))
    )
  })
