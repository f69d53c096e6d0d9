import * as Arr from "effect/Array"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"

/**
 * Reads bytes ahead of whoever consumes them, beginning at once, up to a limit: then
 * they are not asked for until some are consumed. When the scope ends, what was not
 * consumed is gone, and asking for it fails with `onLeft`.
 */
export const readAhead = Effect.fnUntraced(function* <E>(
  bytes: Stream.Stream<Uint8Array, E>,
  limit: number,
  onLeft: E
): Effect.fn.Return<Stream.Stream<Uint8Array, E>, never, Scope.Scope> {
  const queue = yield* Queue.unbounded<Uint8Array, E | Cause.Done>()
  const room = yield* Semaphore.make(limit)
  // one piece may be larger than all the room there is
  const sizeOf = (piece: Uint8Array) => Math.min(piece.length, limit)
  yield* Stream.runForEachArray(bytes, (pieces) =>
    Effect.forEach(pieces, (piece) => Effect.andThen(Semaphore.take(room, sizeOf(piece)), Queue.offer(queue, piece)), {
      discard: true
    })
  ).pipe(Queue.into(queue), Effect.forkScoped)
  yield* Effect.addFinalizer(() => Queue.fail(queue, onLeft))
  return Stream.fromPull(
    Effect.succeed(
      Effect.tap(Queue.takeBetween(queue, 1, most), (pieces) =>
        Semaphore.release(
          room,
          Arr.reduce(pieces, 0, (sum, piece) => sum + sizeOf(piece))
        )
      ) as Effect.Effect<Arr.NonEmptyArray<Uint8Array>, E | Cause.Done>
    )
  )
})

/** How many pieces are handed on together, if so many are there: some 512 KiB of what a socket gives. */
const most = 8
