import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as BulkError from "../../BulkError.ts"
import type { Lease, RunLog } from "./log.ts"

/** That a run is worked on by this process. */
export interface Held {
  /** Fails with `RunHeld` if another process has taken the run over. */
  readonly demand: Effect.Effect<void, BulkError.BulkError>
}

/**
 * Takes a run for as long as the scope lasts. A lease that another process left behind is
 * waited for, and taken over when it expires; if it is written anew meanwhile, that
 * process lives, and this one fails with `RunHeld`.
 *
 * A store has no locks. What is sure: of two processes that write the lease, then a job,
 * and then find the lease still theirs, the later one has seen the job of the earlier one.
 */
export const hold = Effect.fnUntraced(function* (
  runId: string,
  { lease: entry }: RunLog,
  duration: Duration.Input
): Effect.fn.Return<Held, BulkError.BulkError, Scope.Scope> {
  const millis = Duration.toMillis(Duration.fromInputUnsafe(duration))
  if (!(millis >= 1 && Number.isFinite(millis))) {
    return yield* BulkError.make(new BulkError.InvalidOptions({ problem: `run: a lease of ${millis} ms` }))
  }
  const holder = crypto.randomUUID()
  // of this process one at a time reads or writes it
  const one = (yield* Semaphore.make(1)).withPermits(1)
  const held = (by: Lease) =>
    BulkError.make(new BulkError.RunHeld({ runId, holder: by.holder, expiresAt: new Date(by.expiresAt).toISOString() }))
  const write = Effect.flatMap(Clock.currentTimeMillis, (now) => entry.set({ holder, millis, expiresAt: now + millis }))

  const before = yield* entry.get
  const left = before === undefined ? 0 : before.expiresAt - (yield* Clock.currentTimeMillis)
  if (before !== undefined && left > 0) {
    // the clock of another machine may be ahead
    const wait = Math.min(left, before.millis)
    yield* Effect.logInfo(
      `the run ${runId} was held by another process: it is taken over in ${wait} ms, if that one is gone`
    )
    yield* Effect.sleep(wait)
    const now = yield* entry.get
    if (now !== undefined && (now.holder !== before.holder || now.expiresAt !== before.expiresAt)) {
      return yield* held(now)
    }
  }
  yield* Effect.acquireRelease(write, () =>
    entry.get.pipe(
      Effect.flatMap((last) => (last?.holder === holder ? entry.remove : Effect.void)),
      one,
      Effect.catch((error) => Effect.logWarning(`the run ${runId} stays held until its lease expires`, error))
    )
  )
  const demand = one(
    Effect.flatMap(entry.get, (now) =>
      now !== undefined && now.holder !== holder ? Effect.fail(held(now)) : Effect.void
    )
  )
  yield* demand
  yield* Effect.sleep(millis / 3).pipe(
    Effect.andThen(one(Effect.flatMap(entry.get, (now) => (now?.holder === holder ? write : Effect.void)))),
    Effect.catch((error) => Effect.logWarning(`the lease of the run ${runId} could not be renewed`, error)),
    Effect.forever,
    Effect.forkScoped
  )
  return { demand }
})
