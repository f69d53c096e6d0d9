import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/**
 * Gives what another part has used and uses no more, or else a new one, for as long as
 * the scope lasts. What is large would otherwise be made anew for each part, and be
 * there until the next full collection. When no part is left, nothing is kept.
 */
export const reused = <A>(create: () => A): Effect.Effect<A, never, Scope.Scope> => {
  const free: Array<A> = []
  let users = 0
  return Effect.acquireRelease(
    Effect.sync(() => {
      users++
      return free.pop() ?? create()
    }),
    (value) =>
      Effect.sync(() => {
        users--
        if (users > 0) free.push(value)
        else free.length = 0
      })
  )
}
