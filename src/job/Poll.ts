/**
 * How often to look at a running job, and how long.
 *
 * A policy says when to look again and when to stop waiting. A passed deadline
 * never aborts or deletes a job.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as BulkError from "../BulkError.ts"
import * as Job from "./Job.ts"

/**
 * A polling policy. Delays grow from `first` by `factor` up to `cap`; each is
 * shortened by up to a fifth, so that many waiting clients do not ask in step. Every
 * look is an API call.
 *
 * @category models
 * @since 0.1.0
 */
export interface Poll {
  /** The delay before the second look, above nothing; the first look is immediate. Default 250 ms. */
  readonly first?: Duration.Input | undefined
  /** How much each delay exceeds the one before; 1 or more. Default 2. */
  readonly factor?: number | undefined
  /** The longest delay. Default 30 seconds. */
  readonly cap?: Duration.Input | undefined
  /** When to stop waiting; the job runs on. Default never. */
  readonly deadline?: Duration.Input | undefined
}

/**
 * Looks until the job is in a terminal state, and gives what was seen last.
 * `onLook` runs after every look.
 *
 * Fails with `DeadlinePassed` when the policy's deadline passes first, and with
 * `InvalidOptions` for a policy that would look without a pause.
 *
 * @category combinators
 * @since 0.1.0
 */
export const untilDone = <A extends Job.JobInfo, E, R, R2 = never>(
  look: Effect.Effect<A, E, R>,
  options: {
    readonly jobId: string
    readonly poll?: Poll | undefined
    readonly onLook?: ((job: A) => Effect.Effect<void, never, R2>) | undefined
  }
): Effect.Effect<A, E | BulkError.BulkError, R | R2> =>
  Effect.suspend(() => {
    const { jobId, onLook, poll = {} } = options
    const problem = problemOf(poll)
    if (problem !== undefined) return Effect.fail(BulkError.make(new BulkError.InvalidOptions({ problem })))
    let state: Job.State = "never seen"
    const looking = look.pipe(
      Effect.tap((job) => {
        state = job.state
        return onLook === undefined ? Effect.void : onLook(job)
      }),
      // with `until` the schedule never ends first, so the last look is what `repeat` gives
      Effect.repeat({ schedule: delays(poll), until: Job.isTerminal }),
      Effect.map((job) => job as A)
    )
    if (poll.deadline === undefined) return looking
    return Effect.timeoutOrElse(looking, {
      duration: poll.deadline,
      orElse: () => Effect.fail(BulkError.make(new BulkError.DeadlinePassed({ jobId, state })))
    })
  })

const problemOf = ({ cap = "30 seconds", factor = 2, first = "250 millis" }: Poll): string | undefined => {
  for (const [name, delay] of Object.entries({ first, cap })) {
    if (!(Duration.toMillis(delay) > 0))
      return `poll: ${name} must be above nothing, or the org is asked without a pause`
  }
  return factor >= 1 ? undefined : `poll: factor ${factor} would make delays ever shorter`
}

const delays = (poll: Poll): Schedule.Schedule<unknown> =>
  Schedule.min([
    Schedule.exponential(poll.first ?? "250 millis", poll.factor ?? 2),
    Schedule.spaced(poll.cap ?? "30 seconds")
  ]).pipe(
    Schedule.modifyDelay(({ duration }) =>
      Effect.map(Random.next, (chance) => Duration.times(duration, 1 - chance / 5))
    )
  )
