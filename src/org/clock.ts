/** The clock of an org: that of its surroundings, moved as far as it is told to. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

// what ISO dates of four-digit years can say
const earliest = Date.parse("0001-01-01")
const latest = Date.parse("9999-12-31")

export class OrgClock implements Clock.Clock {
  /** How far it is moved, in milliseconds. */
  private moved: number
  private readonly surroundings: Clock.Clock
  private readonly sleepers = new Set<() => void>()

  constructor(surroundings: Clock.Clock, moved: number) {
    this.surroundings = surroundings
    this.moved = moved
  }

  currentTimeMillisUnsafe(): number {
    return this.trueTime + this.moved
  }

  currentTimeNanosUnsafe(): bigint {
    return this.surroundings.currentTimeNanosUnsafe() + BigInt(this.moved) * 1_000_000n
  }

  monotonicTimeNanosUnsafe(): bigint {
    return this.surroundings.monotonicTimeNanosUnsafe()
  }

  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  /** Sleeps until the clock says so, whether it gets there by itself or is moved. */
  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.suspend(() => {
      const end = this.currentTimeMillisUnsafe() + Duration.toMillis(duration)
      const rest = (left: Duration.Duration): Effect.Effect<void> =>
        Effect.raceFirst(this.surroundings.sleep(left), this.nextMove).pipe(
          Effect.andThen(
            Effect.suspend(() => {
              const millis = end - this.currentTimeMillisUnsafe()
              return millis > 0 ? rest(Duration.millis(millis)) : Effect.void
            })
          )
        )
      return rest(duration)
    })
  }

  /** Makes it tell this time, in epoch milliseconds, and wakes who has slept long enough by it. False when no date is that. */
  moveTo(time: number): boolean {
    if (!(time >= earliest && time <= latest)) return false
    this.moved = Math.round(time - this.trueTime)
    for (const wake of Array.from(this.sleepers)) wake()
    return true
  }

  /** The time of its surroundings. */
  get trueTime(): number {
    return this.surroundings.currentTimeMillisUnsafe()
  }

  get millisMoved(): number {
    return this.moved
  }

  private readonly nextMove = Effect.callback<void>((resume) => {
    const wake = () => {
      this.sleepers.delete(wake)
      resume(Effect.void)
    }
    this.sleepers.add(wake)
    return Effect.sync(() => this.sleepers.delete(wake))
  })
}
