/**
 * Loads that stop before much harm is done: a first job that must come back good, an
 * end when too much fails, an end of the hours in which may be loaded.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import { besideSource } from "../connection/streamInOrg.ts"
import type { Loads, Outcome, Unprocessed } from "./Outcome.ts"
import { Successes } from "./successes.ts"

/**
 * A small first job, whose outcomes are awaited before more is sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Canary {
  /** How many records it has. */
  readonly rows: number
  /** How many of them may fail, or be left unprocessed by a job that fails. */
  readonly maxFailed: number
}

/**
 * When a load has failed too often. Without `failureRate` and `sameError` it never has.
 *
 * A rate is one of all records of which is known what became of them, also where those
 * that succeeded do not come out (`outcomes: "failures"`).
 *
 * @category models
 * @since 0.1.0
 */
export interface StopWhen {
  /** The part of the records that may be refused at most, from 0 to 1. */
  readonly failureRate?: number | undefined
  /** Of how many records the outcome must be known before the rate counts. Default 1,000. */
  readonly after?: number | undefined
  /** How many failures of one code are too many. */
  readonly sameError?: number | undefined
}

/**
 * What a load is guarded by. Without options by nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly canary?: Canary | undefined
  readonly stopWhen?: StopWhen | undefined
  /** When the hours end in which may be loaded. */
  readonly submitUntil?: DateTime.DateTime | undefined
  /** Whether a load that was stopped fails with `LoadStopped` at its end. Default `fail`. */
  readonly onStop?: "fail" | "continue" | undefined
}

/**
 * Guards a load, whichever it is.
 *
 * When a guard stops it, no record is read for it any more: what was handed to it is
 * still sent, in the part that is being uploaded, and settled. All other records come
 * out as `Unprocessed { reason: "not submitted" }`; then the stream fails with
 * `LoadStopped`. Outcomes come in when jobs are done, so smaller parts stop sooner.
 *
 * **Example** (Two hundred records first, and never very many failures)
 *
 * ```ts
 * const outcomes = items.pipe(
 *   Guard.load(
 *     { canary: { rows: 200, maxFailed: 0 }, stopWhen: { failureRate: 0.05, sameError: 500 } },
 *     Ingest.upsert({ object: "Inventory__c", schema: Item, externalId: "Sku__c", nulls: "clear" })
 *   )
 * )
 * ```
 *
 * @category loading
 * @since 0.1.0
 */
export const load =
  <A, B>(options: Options, load: Loads<A, B>): Loads<A, A | B> =>
  (records) => {
    const problem = problemOf(options)
    if (problem !== undefined) return Stream.fail(BulkError.make(new BulkError.InvalidOptions({ problem })))
    return besideSource(records, (records) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const outer = yield* Successes
          // what the source may load is not this load's
          const source = yield* open(Stream.provideService(records, Successes, outer))
          const watch = new Watch(options)
          const loaded = <E, R>(
            records: Stream.Stream<A, E, R>
          ): Stream.Stream<Outcome<A | B>, E | BulkError.BulkError, R | Connection> =>
            load(records).pipe(
              Stream.mapArray((outcomes) => {
                watch.see(outcomes)
                return outcomes
              }),
              Stream.provideService(Successes, (jobId, succeeded) => {
                watch.hear(jobId, succeeded)
                outer(jobId, succeeded)
              })
            )

          const { canary, submitUntil } = options
          const until = submitUntil === undefined ? Number.POSITIVE_INFINITY : DateTime.toEpochMillis(submitUntil)
          const isOver = Effect.map(Clock.currentTimeMillis, (now) => watch.isStopped(now >= until))
          const first =
            canary === undefined
              ? Stream.empty
              : Stream.concat(
                  loaded(source.take(canary.rows, isOver)),
                  Stream.suspend(() => {
                    watch.judgeCanary(canary)
                    return Stream.empty
                  })
                )
          const rest = source.take(Number.POSITIVE_INFINITY, isOver)
          const notSubmitted = source
            .take(Number.POSITIVE_INFINITY, Effect.succeed(false))
            .pipe(
              Stream.map(
                (record): Unprocessed<A> => ({ _tag: "Unprocessed", jobId: undefined, record, reason: "not submitted" })
              )
            )
          const verdict = Stream.suspend(() =>
            watch.stopped === undefined || options.onStop === "continue"
              ? Stream.empty
              : Stream.fail(BulkError.make(watch.stopped))
          )
          return first.pipe(
            Stream.concat(Stream.suspend(() => (watch.stopped === undefined ? loaded(rest) : Stream.empty))),
            Stream.concat(notSubmitted),
            Stream.concat(verdict)
          )
        })
      )
    )
  }

const problemOf = ({ canary, stopWhen }: Options): string | undefined => {
  if (canary !== undefined && !(canary.rows >= 1)) return `Guard: a canary of ${canary.rows} rows`
  const { failureRate } = stopWhen ?? {}
  return failureRate !== undefined && !(failureRate >= 0 && failureRate <= 1)
    ? `Guard: the failureRate is ${failureRate}, not from 0 to 1`
    : undefined
}

/** What is read of a source at a time: guards look in between. */
const atATime = 500

/** A source of which several streams take their parts, one after the other. */
const open = Effect.fnUntraced(function* <A, E, R>(records: Stream.Stream<A, E, R>) {
  const pull = yield* Stream.toPull(records)
  const context = yield* Effect.context<R>()
  let left: ReadonlyArray<A> = []
  let hasEnded = false

  const next: Pull.Pull<void, E> = pull.pipe(
    Effect.provideContext(context),
    Effect.flatMap((more) =>
      Effect.sync(() => {
        left = more
      })
    ),
    Pull.catchDone(() =>
      Effect.suspend(() => {
        hasEnded = true
        return Cause.done()
      })
    )
  )

  /** At most so many records, until `stop` says so. */
  const take = (most: number, stop: Effect.Effect<boolean>): Stream.Stream<A, E> =>
    Stream.suspend(() => {
      let taken = 0
      const some: Pull.Pull<Arr.NonEmptyReadonlyArray<A>, E> = Effect.gen(function* () {
        if (taken >= most || (yield* stop)) return yield* Cause.done()
        while (left.length === 0) {
          if (hasEnded) return yield* Cause.done()
          yield* next
        }
        // it may have taken its time
        if (yield* stop) return yield* Cause.done()
        const given = left.slice(0, Math.min(atATime, most - taken))
        left = left.slice(given.length)
        taken += given.length
        return Arr.isReadonlyArrayNonEmpty(given) ? given : yield* Cause.done()
      })
      return Stream.fromPull(Effect.succeed(some))
    })

  return { take }
})

/** Counts outcomes, and says when it is enough. */
class Watch {
  stopped: BulkError.LoadStopped | undefined
  private readonly stopWhen: StopWhen
  private failed = 0
  private unprocessed = 0
  /** How many records of each job succeeded, by what is told of it and by its outcomes. */
  private readonly succeeded = new Map<string, { told: number; seen: number }>()
  private readonly codes = new Map<string, number>()

  constructor({ stopWhen = {} }: Options) {
    this.stopWhen = stopWhen
  }

  see(outcomes: ReadonlyArray<Outcome<unknown>>): void {
    for (const outcome of outcomes) {
      if (outcome._tag === "Succeeded") this.job(outcome.jobId).seen++
      else if (outcome._tag === "Unprocessed") this.unprocessed++
      else {
        this.failed++
        const { code } = outcome.error
        this.codes.set(code, (this.codes.get(code) ?? 0) + 1)
      }
    }
  }

  /** How many records of a job succeeded: its failures come out first, and are not all of it. */
  hear(jobId: string, succeeded: number): void {
    this.job(jobId).told = succeeded
  }

  private job(jobId: string): { told: number; seen: number } {
    const known = this.succeeded.get(jobId) ?? { told: 0, seen: 0 }
    this.succeeded.set(jobId, known)
    return known
  }

  /** Of how many records it is known what became of them. */
  private known(): number {
    let sum = this.failed + this.unprocessed
    for (const { seen, told } of this.succeeded.values()) sum += Math.max(told, seen)
    return sum
  }

  judgeCanary({ maxFailed, rows }: Canary): void {
    const { failed, unprocessed } = this
    if (failed + unprocessed > maxFailed) {
      const left = unprocessed === 0 ? "" : `, ${unprocessed} were not processed`
      this.stop("canary", `${failed} of the first ${rows} records failed${left}, ${maxFailed} may${this.most()}`)
    }
  }

  isStopped(isLate: boolean): boolean {
    const { after = 1_000, failureRate, sameError } = this.stopWhen
    const known = this.known()
    if (failureRate !== undefined && known >= after && this.failed > failureRate * known) {
      this.stop("stopWhen", `${this.failed} of ${known} records failed${this.most()}`)
    }
    if (sameError !== undefined && Math.max(0, ...this.codes.values()) >= sameError) {
      this.stop("stopWhen", `the same error came again and again${this.most()}`)
    }
    if (isLate) this.stop("submitUntil", "the hours are over in which may be loaded")
    return this.stopped !== undefined
  }

  private stop(guard: BulkError.LoadStopped["guard"], problem: string): void {
    this.stopped ??= new BulkError.LoadStopped({ guard, problem })
  }

  /** The most frequent failure, in words. */
  private most(): string {
    const [most] = [...this.codes].sort(([, a], [, b]) => b - a)
    return most === undefined ? "" : `; most of all ${most[0]}, ${most[1]} times`
  }
}
