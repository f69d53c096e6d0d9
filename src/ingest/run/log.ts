/**
 * What is kept of a run. Every entry but the lease is written once and never changed: a
 * process that is killed while it writes leaves an entry that cannot be read, which
 * counts as none.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schema from "effect/Schema"
import * as BulkError from "../../BulkError.ts"

/** What the run is; a run that goes on must be the same, but for who began it, when, and with what. */
const Header = Schema.Struct({
  format: Schema.Literal(1),
  orgId: Schema.String,
  object: Schema.String,
  operation: Schema.String,
  source: Schema.Literals(["records", "csv"]),
  key: Schema.String,
  nulls: Schema.String,
  columns: Schema.Array(Schema.String),
  partRows: Schema.Number,
  startedAt: Schema.String,
  userId: Schema.String,
  version: Schema.String,
  apiVersion: Schema.String
})

export type Header = typeof Header.Type

/** Which records of the source a part has, counted from 0, and a hash of how they are written. */
const range = { from: Schema.Number, to: Schema.Number, hash: Schema.String }

/** A job that was created for a part, written before anything is uploaded to it. */
const PartJob = Schema.Struct({ ...range, jobId: Schema.String })

export type PartJob = typeof PartJob.Type

/** A part whose outcomes were all given, written after the last of them was taken. */
const PartDone = Schema.Struct({
  ...range,
  succeeded: Schema.Number,
  created: Schema.Number,
  failed: Schema.Number,
  unprocessed: Schema.Number
})

export type PartDone = typeof PartDone.Type

/** The run has come to the end of its source. */
const End = Schema.Struct({ records: Schema.Number, endedAt: Schema.String })

/** Who works on the run: written anew while it does. */
const Lease = Schema.Struct({
  holder: Schema.String,
  /** For how long it holds without being written anew, in milliseconds, and until when. */
  millis: Schema.Number,
  expiresAt: Schema.Number
})

export type Lease = typeof Lease.Type

/** What was written of one part, by the names of the entries. */
export interface Known {
  readonly isDone: boolean
  /** In the order in which they were created. */
  readonly jobs: ReadonlyArray<string>
}

export interface RunLog {
  readonly header: Entry<Header>
  readonly end: Entry<typeof End.Type>
  readonly lease: Entry<Lease>
  /** The parts of which anything is known, by number, in order. */
  readonly parts: Effect.Effect<ReadonlyMap<number, Known>, BulkError.BulkError>
  readonly done: (part: number) => Entry<PartDone>
  readonly jobs: (known: Known) => Effect.Effect<ReadonlyArray<PartJob>, BulkError.BulkError>
  /** The name of each job is its own: what two processes write at the same time is all kept. */
  readonly addJob: (part: number, index: number, job: PartJob) => Effect.Effect<void, BulkError.BulkError>
}

interface Entry<A> {
  readonly get: Effect.Effect<A | undefined, BulkError.BulkError>
  readonly set: (value: A) => Effect.Effect<void, BulkError.BulkError>
  readonly remove: Effect.Effect<void, BulkError.BulkError>
}

/** The log of a run in the store that is provided. */
export const open = (runId: string): Effect.Effect<RunLog, never, KeyValueStore.KeyValueStore> =>
  Effect.map(KeyValueStore.KeyValueStore, (store): RunLog => {
    const failed = (cause: KeyValueStore.KeyValueStoreError) =>
      BulkError.make(new BulkError.RunRefused({ runId, problem: `its record cannot be kept: ${cause.message}` }))
    const entry = <S extends Schema.ConstraintCodec<unknown, unknown>>(name: string, schema: S): Entry<S["Type"]> => {
      const json = Schema.fromJsonString(schema)
      const decode = Schema.decodeUnknownOption(json)
      const encode = Schema.encodeSync(json)
      const key = `${runId}/${name}`
      return {
        get: Effect.mapBoth(store.get(key), {
          onSuccess: (text) => Option.getOrUndefined(decode(text)),
          onFailure: failed
        }),
        set: (value) => Effect.mapError(store.set(key, encode(value)), failed),
        remove: Effect.mapError(store.remove(key), failed)
      }
    }
    return {
      header: entry("run", Header),
      end: entry("end", End),
      lease: entry("lease", Lease),
      parts: Effect.mapBoth(store.keys, { onSuccess: (keys) => knownOf(keys, `${runId}/`), onFailure: failed }),
      done: (part) => entry(`part ${part}/done`, PartDone),
      jobs: ({ jobs }) =>
        Effect.map(
          Effect.forEach(jobs, (name) => entry(name, PartJob).get),
          (found) => found.filter((job) => job !== undefined)
        ),
      addJob: (part, index, job) => entry(`part ${part}/job ${index} ${job.jobId}`, PartJob).set(job)
    }
  })

/** `part 3/done`, `part 3/job 0 750...`. */
const pattern = /^part (\d+)\/(?:(done)|job (\d+) \w+)$/

const knownOf = (keys: ReadonlyArray<string>, prefix: string): ReadonlyMap<number, Known> => {
  const parts = new Map<number, { isDone: boolean; readonly jobs: Array<readonly [index: number, name: string]> }>()
  for (const key of keys) {
    const name = key.startsWith(prefix) ? key.slice(prefix.length) : ""
    const [, number, done, index] = pattern.exec(name) ?? []
    if (number === undefined) continue
    const part = parts.get(Number(number)) ?? { isDone: false, jobs: [] }
    parts.set(Number(number), part)
    if (done === undefined) part.jobs.push([Number(index), name])
    else part.isDone = true
  }
  return new Map(
    [...parts]
      .sort(([a], [b]) => a - b)
      .map(([number, { isDone, jobs }]) => [
        number,
        { isDone, jobs: jobs.sort(([a], [b]) => a - b).map(([, name]) => name) }
      ])
  )
}
