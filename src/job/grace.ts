import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type * as Job from "./Job.ts"

/** How long an interrupt waits for an answer that tells what became of a job. */
const grace = "5 seconds"

/** A request that is not broken off by an interrupt, but for one that takes too long. */
export const withGrace = <A, E, R>(request: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(request, { startImmediately: true })
      return yield* restore(Fiber.join(fiber)).pipe(
        Effect.onInterrupt(() =>
          Effect.andThen(Effect.timeoutOption(Fiber.await(fiber), grace), Fiber.interrupt(fiber))
        )
      )
    })
  )

/**
 * A job for as long as the scope lasts. Its creation, with all repeats, can be
 * interrupted; a job that was created meanwhile is released.
 */
export const acquireJob = <E, R, R2>(
  create: Effect.Effect<Job.JobInfo, E, R>,
  release: (job: Job.JobInfo) => Effect.Effect<void, never, R2>
): Effect.Effect<Job.JobInfo, E, R | R2 | Scope.Scope> =>
  withGrace(Effect.acquireRelease(create, release, { interruptible: true }))
