import * as Arr from "effect/Array"
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { lengthOf } from "./io.ts"

/** How the bytes of an answer are received. */
export interface Receiving<E> {
  /** How many bytes are read before they are asked for. */
  readonly readAhead: number
  /** How long may be waited for bytes, and what it is if none come. */
  readonly idleTimeout: Duration.Duration
  readonly stalled: () => E
  /** What it is to ask for bytes when the scope has ended. */
  readonly left: () => E
  /** Told of what has arrived. */
  readonly onArrival: (pieces: ReadonlyArray<Uint8Array>) => Effect.Effect<void>
}

/**
 * Reads bytes ahead of whoever consumes them, beginning at once, up to a limit: then
 * they are not asked for until some are consumed. When the scope ends, what was not
 * consumed is gone.
 *
 * It fails when nothing arrives any more; a consumer may take its time. One timer watches
 * all of it: one for each piece would show.
 */
export const receive = Effect.fnUntraced(function* <E>(
  bytes: Stream.Stream<Uint8Array, E>,
  { idleTimeout, left, onArrival, readAhead, stalled }: Receiving<E>
): Effect.fn.Return<Stream.Stream<Uint8Array, E>, never, Scope.Scope> {
  const clock = yield* Effect.clockWith(Effect.succeed)
  const patience = Duration.toMillis(idleTimeout)
  const queue = yield* Queue.unbounded<Arr.NonEmptyReadonlyArray<Uint8Array>, E | Cause.Done>()
  const room = yield* Semaphore.make(readAhead)
  // some pieces may be more than all the room there is
  const sizeOf = (pieces: ReadonlyArray<Uint8Array>) => Math.min(readAhead, lengthOf(pieces))
  /** Until when bytes must arrive. */
  let until = Number.POSITIVE_INFINITY

  const arrived = (pieces: Arr.NonEmptyReadonlyArray<Uint8Array>) => {
    until = Number.POSITIVE_INFINITY
    return onArrival(pieces).pipe(
      Effect.andThen(Semaphore.take(room, sizeOf(pieces))),
      Effect.andThen(Queue.offer(queue, pieces))
    )
  }
  const timed = Stream.transformPull(bytes, (pull) =>
    Effect.succeed(
      Effect.suspend(() => {
        until = clock.currentTimeMillisUnsafe() + patience
        return pull
      })
    )
  )
  const pump = yield* Stream.runForEachArray(timed, arrived).pipe(Queue.into(queue), Effect.forkScoped)
  const watch = Effect.suspend(() => {
    const wait = until === Number.POSITIVE_INFINITY ? patience : until - clock.currentTimeMillisUnsafe()
    return wait > 0
      ? Effect.as(Effect.sleep(wait), true)
      : Effect.as(Effect.andThen(Queue.fail(queue, stalled()), Fiber.interrupt(pump)), false)
  })
  yield* Effect.forkScoped(Effect.repeat(watch, { while: (goesOn) => goesOn }))
  yield* Effect.addFinalizer(() => Effect.andThen(Effect.exit(Queue.clear(queue)), Queue.fail(queue, left())))

  // what arrives in one turn of the event loop is consumed at once: each array has its price
  return Stream.fromPull(
    Effect.succeed(
      Effect.andThen(Effect.yieldNow, Queue.takeAll(queue)).pipe(
        Effect.tap((arrays) =>
          Semaphore.release(
            room,
            arrays.reduce((sum, pieces) => sum + sizeOf(pieces), 0)
          )
        ),
        Effect.map(Arr.flatten)
      )
    )
  )
})
