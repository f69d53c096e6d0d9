/** When what has failed is done again. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import type * as BulkError from "../BulkError.ts"
import * as Metrics from "../Metrics.ts"
import type { Known } from "./known.ts"

export const defaultRetry = Schedule.exponential("500 millis", 2).pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 5, duration: "2 minutes" })
)

/** Does again what fails in ways that may pass, as the schedule says. */
export const retrying = (schedule: Schedule.Schedule<unknown, BulkError.BulkError>, known: Known) => {
  const respectful = respectfully(schedule)
  return <A, R>(self: Effect.Effect<A, BulkError.BulkError, R>): Effect.Effect<A, BulkError.BulkError, R> =>
    Effect.suspend(() => {
      let last: BulkError.BulkError | undefined
      const attempt = Effect.suspend(() =>
        last === undefined ? self : Effect.andThen(countRetry(known, typeOf(last)), self)
      )
      const noted = Effect.tapError(attempt, (error) =>
        Effect.sync(() => {
          last = error
        })
      )
      return Effect.retry(noted, { schedule: respectful, while: (error) => error.isRetryable })
    })
}

/** A schedule that never repeats sooner than Salesforce asks. */
const respectfully = (
  schedule: Schedule.Schedule<unknown, BulkError.BulkError>
): Schedule.Schedule<unknown, BulkError.BulkError> =>
  Schedule.modifyDelay(schedule, ({ duration, input: { reason } }) =>
    Effect.succeed(
      reason._tag === "ApiError" && reason.retryAfter !== undefined
        ? Duration.max(duration, Duration.millis(reason.retryAfter))
        : duration
    )
  )

const typeOf = ({ reason }: BulkError.BulkError): string =>
  reason._tag === "ApiError" ? String(reason.status) : reason._tag

export const countRetry = ({ org }: Known, errorType: string): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(Metrics.retries, { ...Metrics.serverAddress(org), "error.type": errorType }), 1)
