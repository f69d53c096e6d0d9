import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/** Why a load begins nothing any more. */
export interface Stop<E> {
  /** The first failure is the load's; from now on nothing is begun. */
  readonly fail: (cause: Cause.Cause<E>) => Effect.Effect<void>
  readonly failure: () => Cause.Cause<E> | undefined
  /** Gives an effect up when the load fails: then it is undefined. */
  readonly unlessStopped: <A, E2, R>(self: Effect.Effect<A, E2, R>) => Effect.Effect<A | undefined, E2, R>
}

export const make = <E>(): Effect.Effect<Stop<E>> =>
  Effect.map(Deferred.make<void>(), (stopped) => {
    let failure: Cause.Cause<E> | undefined
    return {
      fail: (cause) =>
        Effect.suspend(() => {
          if (failure !== undefined) return Effect.logWarning("the load failed before, and then also", cause)
          failure = cause
          return Deferred.succeed(stopped, undefined)
        }),
      failure: () => failure,
      unlessStopped: (self) => Effect.raceFirst(self, Effect.as(Deferred.await(stopped), undefined))
    }
  })
