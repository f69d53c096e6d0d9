/**
 * What is kept of a run. Every entry is written once and never changed: a process that
 * is killed while it writes leaves an entry that cannot be read, which counts as none.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schema from "effect/Schema"
import * as BulkError from "../BulkError.ts"

/** What the run is; a run that goes on must be the same. */
export const Header = Schema.Struct({
  format: Schema.Literal(1),
  orgId: Schema.String,
  object: Schema.String,
  operation: Schema.String,
  key: Schema.String,
  nulls: Schema.String,
  columns: Schema.Array(Schema.String),
  partRows: Schema.Number,
  startedAt: Schema.String
})

export type Header = typeof Header.Type

/** Which records of the source a part has, counted from 0, and a hash of how they are written. */
const range = { from: Schema.Number, to: Schema.Number, hash: Schema.String }

/** A job that was created for a part, written before anything is uploaded to it. */
export const PartJob = Schema.Struct({ ...range, jobId: Schema.String })

export type PartJob = typeof PartJob.Type

/** A part whose outcomes were all given, written after the last of them was taken. */
const PartDone = Schema.Struct({
  ...range,
  succeeded: Schema.Number,
  created: Schema.Number,
  failed: Schema.Number,
  unprocessed: Schema.Number
})

type PartDone = typeof PartDone.Type

/** The run has come to the end of its source. */
const End = Schema.Struct({ records: Schema.Number, endedAt: Schema.String })

type End = typeof End.Type

export interface RunLog {
  readonly header: Entry<Header>
  readonly end: Entry<End>
  /** The parts of which anything is known, in order. */
  readonly parts: Effect.Effect<ReadonlyArray<number>, BulkError.BulkError>
  readonly done: (part: number) => Entry<PartDone>
  readonly jobs: (part: number) => Effect.Effect<ReadonlyArray<PartJob>, BulkError.BulkError>
  readonly addJob: (part: number, job: PartJob) => Effect.Effect<void, BulkError.BulkError>
}

interface Entry<A> {
  readonly get: Effect.Effect<A | undefined, BulkError.BulkError>
  readonly set: (value: A) => Effect.Effect<void, BulkError.BulkError>
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
        set: (value) => Effect.mapError(store.set(key, encode(value)), failed)
      }
    }
    const parts = Effect.mapBoth(store.keys, {
      onSuccess: (keys) => {
        const prefix = `${runId}/part `
        const numbers = keys
          .filter((key) => key.startsWith(prefix))
          .map((key) => Number.parseInt(key.slice(prefix.length), 10))
        return [...new Set(numbers)].sort((a, b) => a - b)
      },
      onFailure: failed
    })
    const job = (part: number, index: number) => entry(`part ${part}/job ${index}`, PartJob)
    const jobs = Effect.fnUntraced(function* (part: number) {
      const found: Array<PartJob> = []
      for (;;) {
        const next = yield* job(part, found.length).get
        if (next === undefined) return found
        found.push(next)
      }
    })
    return {
      header: entry("run", Header),
      end: entry("end", End),
      parts,
      done: (part) => entry(`part ${part}/done`, PartDone),
      jobs,
      addJob: (part, added) => Effect.flatMap(jobs(part), (before) => job(part, before.length).set(added))
    }
  })
