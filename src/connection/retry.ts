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

/** How long Salesforce may ask to be left alone, where nothing else is said. */
export const defaultMaxRetryAfter = Duration.minutes(2)

/** Does again what fails in ways that may pass, as the schedule says, unless Salesforce asks for a longer wait. */
export const retrying = (
  schedule: Schedule.Schedule<unknown, BulkError.BulkError>,
  maxRetryAfter: Duration.Duration,
  known: Known
) => {
  const respectful = respectfully(schedule)
  const longest = Duration.toMillis(maxRetryAfter)
  const mayPass = (error: BulkError.BulkError) => error.isRetryable && (retryAfterOf(error) ?? 0) <= longest
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
      return Effect.retry(noted, { schedule: respectful, while: mayPass })
    })
}

/** A schedule that never repeats sooner than Salesforce asks. */
const respectfully = (
  schedule: Schedule.Schedule<unknown, BulkError.BulkError>
): Schedule.Schedule<unknown, BulkError.BulkError> =>
  Schedule.modifyDelay(schedule, ({ duration, input }) =>
    Effect.succeed(Duration.max(duration, Duration.millis(retryAfterOf(input) ?? 0)))
  )

const retryAfterOf = ({ reason }: BulkError.BulkError): number | undefined =>
  "retryAfter" in reason ? reason.retryAfter : undefined

const typeOf = ({ reason }: BulkError.BulkError): string =>
  reason._tag === "ApiError" ? String(reason.status) : reason._tag

export const countRetry = ({ org }: Known, errorType: string): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(Metrics.retries, { ...Metrics.serverAddress(org), "error.type": errorType }), 1)
