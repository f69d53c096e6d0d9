/** The records of one object, loaded in their turn. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as BulkError from "../../BulkError.ts"
import type { Connection } from "../../connection/Connection.ts"
import * as Describe from "../../job/Describe.ts"
import * as RecordCodec from "../../record/RecordCodec.ts"
import type * as Ingest from "../Ingest.ts"
import { clientFailure } from "../inlet.ts"
import { load } from "../load.ts"
import type { Failed, Loads, Outcome, Unprocessed } from "../Outcome.ts"
import { passing } from "../passing.ts"
import * as Prepare from "../prepare.ts"
import { problemsOf } from "../problems.ts"
import * as Spool from "../Spool.ts"
import { slices } from "../slices.ts"
import * as SpooledRecords from "../spooledRecords.ts"
import type { Lookup } from "./lookups.ts"
import type { NotLoaded } from "./notLoaded.ts"
import type { Step } from "./sort.ts"

/**
 * The records of one object, and how they are loaded: what `upsert` and `insert` make.
 *
 * @category models
 * @since 0.1.0
 */
export interface Source<out O extends string, out A, out E = never, out R = never> {
  readonly object: O
  /** Fails where the schema has no columns. */
  readonly columns: Result.Result<ReadonlyArray<string>, BulkError.BulkError>
  readonly load: (
    step: Step,
    describe: Describe.ObjectDescribe,
    notLoaded: NotLoaded
  ) => Stream.Stream<Loaded<O, A>, E | BulkError.BulkError, R | Connection>
}

/**
 * What became of a record of one of the objects. A record that refers to its own object
 * is loaded without that in the first pass, and is there again in the second one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Loaded<out O extends string, out A> {
  readonly object: O
  readonly pass: 1 | 2
  readonly outcome: Outcome<A>
}

/** How the records of a source are loaded. */
interface How<S extends RecordCodec.RecordSchema> {
  readonly operation: "insert" | "upsert"
  readonly key: Ingest.KeyColumn<S>
  readonly nulls: RecordCodec.Nulls
  readonly options: Ingest.Options<S>
}

export const source = <O extends string, S extends RecordCodec.RecordSchema, E, R>(
  how: How<S> & { readonly options: { readonly object: O } },
  records: Stream.Stream<S["Type"], E, R>
): Source<O, S["Type"], E, R> => {
  const { key, nulls, operation, options } = how
  const { object } = options
  const invalid = (problem: string) =>
    BulkError.make(new BulkError.InvalidOptions({ problem: `${operation} of ${object}: ${problem}` }))
  const codec = Result.mapError(RecordCodec.make(options.schema), invalid)
  const outcome =
    (pass: 1 | 2) =>
    (outcome: Outcome<S["Type"]>): Loaded<O, S["Type"]> => ({ object, pass, outcome })

  /** The verb, with some of the columns. */
  const loads =
    (operation: "insert" | "upsert", columns: ReadonlyArray<string>): Loads<S["Type"], S["Type"]> =>
    (records) =>
      Stream.unwrap(
        Effect.map(
          Prepare.prepare(operation, options, (codec) => Prepare.withKey(codec, { nulls, key, columns })),
          (prepared) => load(records, prepared)
        )
      )

  return {
    object,
    columns: Result.map(codec, ({ columns }) => columns),
    load: (step, describe, notLoaded) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const { columns, encoder, show } = yield* Effect.fromResult(codec)
          const { parents, selfLookups } = step
          const watched = <E, R>(outcomes: Stream.Stream<Outcome<S["Type"]>, E, R>) =>
            Stream.mapArray(outcomes, (outcomes) => {
              for (const outcome of outcomes) {
                if (outcome._tag === "Succeeded" || isDuplicate(outcome)) continue
                notLoaded.add(step.object, show(outcome.record))
              }
              return outcomes
            })

          if (selfLookups.length === 0) {
            const verb = loads(operation, columns)
            const outcomes = notLoaded.blocksAny(parents)
              ? passing(
                  Stream.map(records, (record) => admitted(record, show, parents, notLoaded)),
                  verb
                )
              : verb(records)
            return Stream.map(watched(outcomes), outcome(1))
          }

          const ofSelf = selfLookups.map(({ column }) => column)
          const keyField = Describe.fieldsByName(describe).get(key.toLowerCase())
          if (operation === "insert" || keyField === undefined) {
            const problem = `its records refer to one another (${ofSelf.join(", ")}): that takes an upsert by an external id`
            return yield* invalid(problem)
          }
          // by which the second pass knows what the first did not load
          notLoaded.watch(step.object, keyField)
          const write = encoder({ nulls })
          const later = yield* SpooledRecords.open(options.schema, options.spool ?? (yield* Spool.Spool))
          const first = Stream.mapArrayEffect(
            records,
            Effect.fnUntraced(function* (records) {
              const results = slices(records).flatMap((records) => {
                // what the second pass could not write is not for the first one
                const problems = problemsOf(records, write(records).rejected)
                return records.map((record, place) => {
                  const problem = problems.get(place)
                  return problem === undefined
                    ? admitted(record, show, parents, notLoaded)
                    : Result.fail(clientFailure(record, problem))
                })
              })
              const kept = results.flatMap((result) =>
                Result.isSuccess(result) && (nulls === "clear" || hasAny(show(result.success), ofSelf))
                  ? [result.success]
                  : []
              )
              if (kept.length > 0) yield* later.write(kept)
              return results as [(typeof results)[number], ...typeof results]
            })
          )
          const second = later.read.pipe(
            Stream.filter((record) => !notLoaded.has(step.object, keyField, show(record)[key])),
            Stream.map((record) => admitted(record, show, selfLookups, notLoaded))
          )
          const without = columns.filter((column) => !ofSelf.includes(column))
          return Stream.concat(
            Stream.map(watched(passing(first, loads(operation, without))), outcome(1)),
            Stream.map(passing(second, loads("upsert", [key, ...ofSelf])), outcome(2))
          )
        })
      )
  }
}

/** The record, unless its parent was not loaded. */
const admitted = <A>(
  record: A,
  show: (record: A) => Readonly<Record<string, string>>,
  lookups: ReadonlyArray<Lookup>,
  notLoaded: NotLoaded
): Result.Result<A, Failed<A> | Unprocessed<A>> => {
  const blockedBy = notLoaded.blocksAny(lookups) ? notLoaded.blocking(lookups, show(record)) : undefined
  return blockedBy === undefined
    ? Result.succeed(record)
    : Result.fail({ _tag: "Unprocessed", jobId: undefined, record, reason: "blocked", blockedBy })
}

const hasAny = (cells: Readonly<Record<string, string>>, columns: ReadonlyArray<string>): boolean =>
  columns.some((column) => cells[column] !== "")

/** Another record with its key was sent. */
const isDuplicate = (outcome: Failed<unknown> | Unprocessed<unknown>): boolean =>
  outcome._tag === "Failed" && outcome.origin === "client" && outcome.error.code === "DUPLICATE_KEY"
