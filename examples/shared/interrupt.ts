import { Console, Effect } from "effect"

/**
 * Says so when the program is interrupted, once what it had begun is ended: for loads
 * with `onInterrupt: "abort"`.
 */
export const abortedOnInterrupt: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> = Effect.onInterrupt(
  () => Console.error("Interrupted: the jobs that were not done are aborted.")
)
