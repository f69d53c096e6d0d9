import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Console, Effect, Logger, Runtime } from "effect"

/**
 * Runs an example as its process. What it fails with is said on stderr, where its log
 * goes too, and its code is 1 then: on stdout is only what the example has to show.
 */
export const runMain = <A, E>(program: Effect.Effect<A, E>): void =>
  program.pipe(
    Effect.tapCause((cause) => {
      const error = Cause.squash(cause)
      // a command line that cannot be read was told already how it is to be
      if (Cause.hasInterruptsOnly(cause) || !Runtime.getErrorReported(error)) return Effect.void
      return Console.error(Cause.hasDies(cause) ? Cause.pretty(cause) : String(error))
    }),
    Effect.provideService(Logger.LogToStderr, true),
    NodeRuntime.runMain({ disableErrorReporting: true })
  )
