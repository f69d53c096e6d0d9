import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

/** Jobs that are done, and whose results are not read yet. */
export interface Backlog {
  /** What reads the results of a job. */
  readonly reading: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Waits until there are few. */
  readonly isShort: Effect.Effect<void>
}

/**
 * A backlog that is short below so many jobs: to begin others meanwhile would only fill
 * the memory, as each keeps its part until it is read.
 */
export const make = (most: number): Effect.Effect<Backlog> =>
  Effect.map(Latch.make(true), (latch) => {
    let unread = 0
    const add = (jobs: number) =>
      Effect.suspend(() => {
        unread += jobs
        return unread < most ? latch.open : latch.close
      })
    return {
      reading: (self) =>
        Effect.acquireUseRelease(
          add(1),
          () => self,
          () => add(-1)
        ),
      isShort: latch.await
    }
  })
