/** What an org lets be done with it beside its API: in code, and below `/__org/`. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { OrgClock } from "./clock.ts"
import type { ObjectDescribe } from "./Describe.ts"
import type { Fault } from "./Faults.ts"
import type { FaultState, Tally } from "./faultState.ts"
import * as Ingest from "./ingest.ts"
import type { Pace, Polls } from "./polls.ts"
import type { RecordedRequest, Recorder } from "./recorder.ts"
import type { RowRules } from "./ruling.ts"
import type { Objects } from "./Soql.ts"
import { isStored, type Store, type Value } from "./Store.ts"
import * as Seed from "./seed.ts"

/** A record with all the fields of its object. */
export type StoredRecord = Readonly<Record<string, Value | boolean>>

/** Records by the name of their object. */
export type SeedRecords = Readonly<Record<string, ReadonlyArray<Seed.SeedRecord>>>

/** The controls of an org that runs. */
export interface Control {
  readonly faults: {
    /** Takes these faults in place of those before, and counts anew. */
    readonly set: (faults: ReadonlyArray<Fault>) => Effect.Effect<void>
    /** Lets nothing go wrong any more. */
    readonly clear: Effect.Effect<void>
    /** How often each fault found what it is for, and struck it. */
    readonly tallies: Effect.Effect<ReadonlyArray<Tally>>
  }
  /**
   * What the org takes for the time: dates of records and jobs, how old a job or
   * a token is, and when a job that waits is begun. It goes with the clock the
   * org was made under, be it a `TestClock`, as far ahead or behind as it is
   * moved here. The clock of its clients is another.
   */
  readonly clock: {
    readonly now: Effect.Effect<DateTime.Utc>
    /** Moves it on by a duration; a number is milliseconds. */
    readonly advance: (by: Duration.Input) => Effect.Effect<void>
    /** Sets it to a time, such as `2026-12-31T23:59:59Z`, from which it goes on. */
    readonly set: (to: DateTime.DateTime.Input) => Effect.Effect<void>
    /** Lets it tell the time of its surroundings again. */
    readonly restore: Effect.Effect<void>
  }
  /** How many polls find a job in each state, for those that are handed over from then on: see the option `polls`. */
  readonly polls: {
    readonly set: (polls: Polls) => Effect.Effect<void>
    /** Lets jobs follow time. */
    readonly clear: Effect.Effect<void>
  }
  /** The last 10,000 requests, but for those below `/__org/`: never bodies, tokens or SOQL. */
  readonly requests: Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** A token of another session, beside those that are valid. */
  readonly newToken: Effect.Effect<Redacted.Redacted>
  /** Inserts records, all or none, and gives their ids by object. */
  readonly seed: (
    records: SeedRecords
  ) => Effect.Effect<Readonly<Record<string, ReadonlyArray<string>>>, Seed.SeedError>
  /** All records of an object, in the recycle bin too, ordered by their ids; none of an object it does not have. */
  readonly records: (object: string) => Effect.Effect<ReadonlyArray<StoredRecord>>
  /** Forgets all records, jobs, faults and requests, restores the clock, and lets polls count as at first: the org is as new. */
  readonly reset: Effect.Effect<void>
}

/** Reads the records of an object one by one. */
export const readRecords = function* (store: Store, object: ObjectDescribe): Generator<StoredRecord> {
  const fields = object.fields.filter(isStored)
  const columns = fields.map(({ name }) => `"${name}"`).join(", ")
  for (const values of store.select(`SELECT ${columns} FROM "${object.name}" ORDER BY "Id"`, [])) {
    yield Object.fromEntries(
      fields.map(({ name, type }, i) => {
        const value = values[i] ?? null
        return [name, type === "boolean" && value !== null ? value === 1 : value]
      })
    )
  }
}

export const make = (options: {
  readonly store: Store
  readonly objects: Objects
  readonly rules: RowRules
  readonly userId: string
  readonly faults: FaultState
  readonly recorder: Recorder
  readonly clock: OrgClock
  readonly pace: Pace
  readonly newToken: Effect.Effect<Redacted.Redacted>
  /** Writes what a new org holds. */
  readonly populate: (now: number) => void
}): Control => {
  const { clock, faults, newToken, objects, pace, populate, recorder, store, userId } = options
  const polls = pace.polls

  const setPolls = (polls: Polls | undefined) =>
    Effect.sync(() => {
      pace.polls = polls
    })

  const moveTo = (time: number) =>
    clock.moveTo(time)
      ? Effect.sync(() => store.setFact("clockMoved", String(clock.millisMoved)))
      : Effect.die(new RangeError(`the clock of an org tells years from 1 to 9999, not ${time} ms from 1970`))

  return {
    faults: {
      set: (all) => Effect.sync(() => faults.set(all)),
      clear: Effect.sync(() => faults.set([])),
      tallies: Effect.sync(() => faults.tallies)
    },
    clock: {
      now: Effect.map(clock.currentTimeMillis, (now) => DateTime.makeUnsafe(now)),
      advance: (by) =>
        Effect.suspend(() => moveTo(clock.currentTimeMillisUnsafe() + Duration.toMillis(Duration.fromInputUnsafe(by)))),
      set: (to) => Effect.suspend(() => moveTo(DateTime.toEpochMillis(DateTime.makeUnsafe(to)))),
      restore: Effect.suspend(() => moveTo(clock.trueTime))
    },
    polls: { set: setPolls, clear: setPolls(undefined) },
    requests: Effect.sync(() => recorder.requests),
    newToken,
    seed: (records) =>
      Effect.flatMap(clock.currentTimeMillis, (now) =>
        Effect.try({
          try: () =>
            store.transaction(() =>
              Object.fromEntries(
                Object.entries(records).map(([object, all]) => [
                  object,
                  Seed.insert((job, header) => Ingest.prepare(options, job, header), object, all, {
                    now,
                    userId
                  })
                ])
              )
            ),
          catch: (error) => {
            if (error instanceof Seed.SeedError) return error
            throw error
          }
        })
      ),
    records: (name) =>
      Effect.sync(() => {
        const object = objects.get(name.toLowerCase())
        return object === undefined ? [] : [...readRecords(store, object)]
      }),
    reset: Effect.map(
      Effect.suspend(() => moveTo(clock.trueTime)),
      () => {
        store.clear()
        populate(clock.currentTimeMillisUnsafe())
        recorder.clear()
        faults.set([])
        pace.clear()
        pace.polls = polls
      }
    )
  }
}
