/** Uploads that stand still. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/**
 * Watches whether an upload moves: `body` notes what the socket takes, and `stalled`
 * ends when it has taken nothing for the idle timeout, or given no answer for as long
 * as an answer may take. A source that takes its time is no stall.
 */
export const watchUpload = (idleTimeout: Duration.Duration, patience: Duration.Input) =>
  Effect.map(Effect.clockWith(Effect.succeed), (clock) => {
    /** Since when the socket is at work, and until when it may be. */
    let busyUntil = Number.POSITIVE_INFINITY
    const isBusyFor = (limit: Duration.Input) => {
      const millis = Duration.toMillis(limit)
      return Effect.sync(() => {
        busyUntil = clock.currentTimeMillisUnsafe() + millis
      })
    }
    const isBusy = isBusyFor(idleTimeout)
    const body = <E, R>(self: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E, R> =>
      Stream.transformPull(self, (pull) => {
        const taken = Effect.tap(pull, () => isBusy)
        const yielding = Effect.andThen(Effect.yieldNow, taken)
        let pulls = 0
        return Effect.succeed(
          Effect.suspend(() => {
            busyUntil = Number.POSITIVE_INFINITY
            // where neither source nor socket ever waits, timers, signals and other jobs would
            return pulls++ % pullsInTurn === 0 ? yielding : taken
          })
        )
      }).pipe(Stream.onEnd(isBusyFor(patience)))
    const stalled = Effect.repeat(Effect.sleep(idleTimeout), {
      until: () => clock.currentTimeMillisUnsafe() >= busyUntil
    })
    return { body, stalled }
  })

/** What errors say of it, as of downloads that stand still. */
export const nothingMoves = "nothing moved any more"

/** How many pieces are taken before others have their turn: some 256 KiB, which take about a millisecond. */
const pullsInTurn = 4
