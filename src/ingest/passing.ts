import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { BulkError } from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import type { Failed, Loads, Outcome, Unprocessed } from "./Outcome.ts"

/** How many outcomes may wait to be taken. */
const queued = 1_024

/** What a record is that is not loaded. */
type Kept<A> = Failed<A> | Unprocessed<A>

/**
 * Loads what is a success. What is a failure goes by, and comes out as it comes; all of
 * it before the load's own failure.
 */
export const passing = <A, B, C, E, R>(
  results: Stream.Stream<Result.Result<B, Kept<A>>, E, R>,
  load: Loads<B, C>
): Stream.Stream<Outcome<A | C>, E | BulkError, R | Connection> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const failed = yield* Queue.bounded<Kept<A>, Cause.Done>(queued)
      const passed = Stream.mapAccumArrayEffect(
        results,
        () => undefined,
        Effect.fnUntraced(function* (state, results) {
          const records: Array<B> = []
          const failures: Array<Kept<A>> = []
          for (const result of results) {
            if (Result.isSuccess(result)) records.push(result.success)
            else failures.push(result.failure)
          }
          if (failures.length > 0) yield* Queue.offerAll(failed, failures)
          return [state, records] as const
        })
      )
      let cause: Cause.Cause<E | BulkError> | undefined
      const outcomes: Stream.Stream<Outcome<A | C>, never, R | Connection> = load(passed).pipe(
        Stream.catchCause((failure) => {
          cause = failure
          return Stream.empty
        }),
        Stream.ensuring(Queue.end(failed))
      )
      const end = Stream.suspend(() => (cause === undefined ? Stream.empty : Stream.failCause(cause)))
      return Stream.merge(outcomes, Stream.fromQueue(failed)).pipe(Stream.concat(end))
    })
  )
