import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type * as Outcome from "./Outcome.ts"
import type { Stop } from "./stop.ts"

/** Where the outcomes of a load come out. */
export interface Outlet<B, E> {
  /** Waits until they are taken, but for the last ones. */
  readonly emit: (outcomes: Arr.NonEmptyReadonlyArray<Outcome.Outcome<B>>) => Effect.Effect<void>
  readonly emitAll: (outcomes: ReadonlyArray<Outcome.Outcome<B>>) => Effect.Effect<void>
  /** No more come; what stopped the load comes last. */
  readonly end: Effect.Effect<void>
  readonly outcomes: Stream.Stream<Outcome.Outcome<B>, E>
}

export const make = Effect.fnUntraced(function* <B, E>(
  onRowError: "outcome" | "fail",
  stop: Stop<E | BulkError.BulkError>
) {
  const out = yield* Queue.bounded<Arr.NonEmptyReadonlyArray<Outcome.Outcome<B>>, E | BulkError.BulkError | Cause.Done>(
    1
  )
  const emitting = yield* Semaphore.make(1)

  const emit = (outcomes: Arr.NonEmptyReadonlyArray<Outcome.Outcome<B>>): Effect.Effect<void> => {
    // one at a time: the queue's set of those that wait would keep outcomes long after they are taken
    const offered = emitting.withPermits(1)(Queue.offer(out, outcomes))
    if (onRowError === "outcome" || stop.failure() !== undefined) return offered
    const failed = outcomes.find((outcome) => outcome._tag === "Failed")
    if (failed === undefined) return offered
    const { code, message: detail } = failed.error
    const reason = new BulkError.RowFailed({ jobId: failed.jobId, code, detail })
    return Effect.andThen(offered, stop.fail(Cause.fail(BulkError.make(reason))))
  }

  const outlet: Outlet<B, E | BulkError.BulkError> = {
    emit,
    emitAll: (outcomes) => (Arr.isReadonlyArrayNonEmpty(outcomes) ? emit(outcomes) : Effect.void),
    end: Effect.suspend(() => {
      const failure = stop.failure()
      return failure === undefined ? Queue.end(out) : Queue.failCause(out, failure)
    }),
    outcomes: Stream.fromPull(Effect.succeed(Queue.take(out)))
  }
  return outlet
})
