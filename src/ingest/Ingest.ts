/**
 * Records in, what became of each of them out.
 *
 * Every verb turns a stream of records into a stream of outcomes. Nothing happens
 * until the outcomes are run; a stream that is only drained hides failed rows.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import type * as IngestJob from "../job/IngestJob.ts"
import type * as Poll from "../job/Poll.ts"
import type { Progress } from "../Progress.ts"
import * as RecordCodec from "../record/RecordCodec.ts"
import * as Join from "./join.ts"
import { load } from "./load.ts"
import type { CsvRow, Outcome } from "./Outcome.ts"
import type { Summary } from "./Summary.ts"
import { summarise } from "./summarise.ts"

/**
 * The columns of a schema that can tell its records apart: plain texts and
 * numbers.
 *
 * @category models
 * @since 0.1.0
 */
export type KeyColumn<S extends RecordCodec.RecordSchema> = {
  [K in keyof S["Encoded"] & string]: NonNullable<S["Encoded"][K]> extends string | number ? K : never
}[keyof S["Encoded"] & string]

/**
 * What every verb takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<S extends RecordCodec.RecordSchema> {
  /** The API name of the object, like `Account` or `Inventory__c`. */
  readonly object: string
  /** The records' schema: a struct or class, whose fields are the columns of the CSV. */
  readonly schema: S
  /** How often to look at the running job, and how long. Default: 250 ms growing to 30 s, no deadline. */
  readonly poll?: Poll.Poll | undefined
  /** Told what happens while the load runs. Default: nobody. */
  readonly progress?: ((event: Progress) => Effect.Effect<void>) | undefined
}

/**
 * What an insert takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface InsertOptions<S extends RecordCodec.RecordSchema> extends Options<S> {
  /**
   * A column whose values tell the records apart. With it, failed and unprocessed
   * outcomes hold the very record that was sent, and records are held in memory
   * until they are settled. Default: none, and outcomes hold the org's echo.
   */
  readonly key?: KeyColumn<S> | undefined
  /** What a null becomes. Default `ignore`: an empty cell, so that the field takes its default. */
  readonly nulls?: RecordCodec.Nulls | undefined
}

/**
 * What an upsert takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface UpsertOptions<S extends RecordCodec.RecordSchema> extends Options<S> {
  /** The external id field that tells records apart; a column of the schema. */
  readonly externalId: KeyColumn<S>
  /** What a null becomes: `clear` empties the field, `ignore` leaves what is stored. */
  readonly nulls: RecordCodec.Nulls
}

/**
 * A schema with the column `Id`, a text.
 *
 * @category models
 * @since 0.1.0
 */
export type IdentifiedSchema = RecordCodec.RecordSchema & { readonly Encoded: { readonly Id: string } }

/**
 * What an update takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface UpdateOptions<S extends IdentifiedSchema> extends Options<S> {
  /** What a null becomes: `clear` empties the field, `ignore` leaves what is stored. */
  readonly nulls: RecordCodec.Nulls
}

/**
 * What a delete takes.
 *
 * @category models
 * @since 0.1.0
 */
export type DeleteOptions<S extends IdentifiedSchema> = Options<S>

/**
 * From a stream of records to the stream of their outcomes.
 *
 * @category models
 * @since 0.1.0
 */
export type Verb<S extends RecordCodec.RecordSchema, B> = <E, R>(
  records: Stream.Stream<S["Type"], E, R>
) => Stream.Stream<Outcome<B>, E | BulkError.BulkError, R | Connection>

/**
 * Inserts records, as one job.
 *
 * The job is created when the first records arrive, takes them as fast as the
 * socket does, and is closed at their end. Failures come out first. With a `key`
 * failed and unprocessed outcomes hold the record that was sent, otherwise the row
 * as the org echoed it.
 *
 * Fails with the source's own error, or a `BulkError`: the job is aborted if it was
 * not submitted yet, and otherwise its outcomes come first (`JobFailed`,
 * `RecordsUnaccounted`). Interrupting it after that leaves the job running.
 *
 * **Example** (Inserting, and keeping the failures)
 *
 * ```ts
 * const failures = accounts.pipe(
 *   Ingest.insert({ object: "Account", schema: Account, key: "AccountNumber" }),
 *   Stream.filter((outcome) => outcome._tag === "Failed"),
 *   Stream.runCollect
 * )
 * ```
 *
 * @category verbs
 * @since 0.1.0
 */
export function insert<S extends RecordCodec.RecordSchema>(
  options: InsertOptions<S> & { readonly key: KeyColumn<S> }
): Verb<S, S["Type"]>
export function insert<S extends RecordCodec.RecordSchema>(
  options: InsertOptions<S> & { readonly key?: undefined }
): Verb<S, CsvRow>
export function insert<S extends RecordCodec.RecordSchema>(
  options: InsertOptions<S>
): Verb<S, S["Type"]> | Verb<S, CsvRow> {
  const { key, nulls = "ignore", object } = options
  const job = { object, operation: "insert" } as const
  return key === undefined
    ? verb<S, CsvRow>(options, {
        job,
        nulls,
        join: () => Result.succeed(Join.byEcho()),
        reject: (codec, record) => codec.show(record)
      })
    : verb<S, S["Type"]>(options, { job, nulls, join: joinByKey(key), reject: (_, record) => record })
}

/**
 * Inserts or updates records by an external id, as one job.
 *
 * Failed and unprocessed outcomes hold the very record that was sent, found by its
 * external id. Two records with the same one fail the load with `AmbiguousKey`
 * before anything is submitted; a record without one is a failed outcome and is not
 * sent. Otherwise as `insert`.
 *
 * **Example** (A nightly sync)
 *
 * ```ts
 * const outcomes = items.pipe(
 *   Ingest.upsert({ object: "Inventory__c", schema: Item, externalId: "Sku__c", nulls: "clear" })
 * )
 * ```
 *
 * @category verbs
 * @since 0.1.0
 */
export const upsert = <S extends RecordCodec.RecordSchema>(options: UpsertOptions<S>): Verb<S, S["Type"]> =>
  verb(options, {
    job: { object: options.object, operation: "upsert", externalIdFieldName: options.externalId },
    nulls: options.nulls,
    join: joinByKey(options.externalId),
    reject: (_, record) => record
  })

/**
 * Updates records by their `Id`, a column of the schema, as one job.
 *
 * Failed and unprocessed outcomes hold the very record that was sent, found by its
 * `Id`. Otherwise as `upsert`.
 *
 * **Example** (Closing cases)
 *
 * ```ts
 * const Case = Schema.Struct({ Id: Schema.String, Status: Schema.String })
 *
 * const outcomes = ids.pipe(
 *   Stream.map((Id) => ({ Id, Status: "Closed" })),
 *   Ingest.update({ object: "Case", schema: Case, nulls: "ignore" })
 * )
 * ```
 *
 * @category verbs
 * @since 0.1.0
 */
export const update = <S extends IdentifiedSchema>(options: UpdateOptions<S>): Verb<S, S["Type"]> =>
  verb(options, {
    job: { object: options.object, operation: "update" },
    nulls: options.nulls,
    join: joinByKey("Id"),
    reject: (_, record) => record
  })

/**
 * Deletes records by their `Id`, into the recycle bin, as one job.
 *
 * Only the `Id` is sent; failed and unprocessed outcomes hold the whole record that
 * was given. Otherwise as `upsert`.
 *
 * **Example** (Deleting what a query finds)
 *
 * ```ts
 * const outcomes = Query.records({ schema: Item, from: "Item__c", where: soql`Retired__c = true` }).pipe(
 *   Ingest.delete({ object: "Item__c", schema: Item })
 * )
 * ```
 *
 * @category verbs
 * @since 0.1.0
 */
const delete_ = <S extends IdentifiedSchema>(options: DeleteOptions<S>): Verb<S, S["Type"]> =>
  verb(options, deleting("delete", options.object))

export { delete_ as delete }

/**
 * Deletes records by their `Id`, past the recycle bin: they cannot be restored.
 *
 * The user needs the permission "Bulk API Hard Delete", which nobody has by default.
 * Otherwise as `delete`.
 *
 * **Example** (Forgetting people)
 *
 * ```ts
 * const outcomes = leads.pipe(Ingest.hardDelete({ object: "Lead", schema: Schema.Struct({ Id: Schema.String }) }))
 * ```
 *
 * @category verbs
 * @since 0.1.0
 */
export const hardDelete = <S extends IdentifiedSchema>(options: DeleteOptions<S>): Verb<S, S["Type"]> =>
  verb(options, deleting("hardDelete", options.object))

/**
 * From a stream of records to an Effect that loads them, and gives the load in
 * numbers.
 *
 * @category models
 * @since 0.1.0
 */
export type Run<S extends RecordCodec.RecordSchema> = <E, R>(
  records: Stream.Stream<S["Type"], E, R>
) => Effect.Effect<Summary, E | BulkError.BulkError, R | Connection>

/**
 * Loads records and counts what became of them: the verb named by `operation`, with
 * the options of that verb, folded to a `Summary`.
 *
 * The failed records themselves are gone then: take the verb's stream to keep them.
 *
 * **Example** (A nightly sync, in numbers)
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const summary = yield* items.pipe(
 *     Ingest.run({ operation: "upsert", object: "Inventory__c", schema: Item, externalId: "Sku__c", nulls: "clear" })
 *   )
 *   yield* Effect.log(`${summary.succeeded} loaded, ${summary.failed} refused`, summary.failures)
 * })
 * ```
 *
 * @category verbs
 * @since 0.1.0
 */
export function run<S extends RecordCodec.RecordSchema>(
  options: (InsertOptions<S> & { readonly operation: "insert" }) | (UpsertOptions<S> & { readonly operation: "upsert" })
): Run<S>
export function run<S extends IdentifiedSchema>(
  options:
    | (UpdateOptions<S> & { readonly operation: "update" })
    | (DeleteOptions<S> & { readonly operation: "delete" | "hardDelete" })
): Run<S>
export function run<S extends IdentifiedSchema>(
  options:
    | (InsertOptions<S> & { readonly operation: "insert" })
    | (UpsertOptions<S> & { readonly operation: "upsert" })
    | (UpdateOptions<S> & { readonly operation: "update" })
    | (DeleteOptions<S> & { readonly operation: "delete" | "hardDelete" })
): Run<S> {
  const outcomesOf = (progress: (event: Progress) => Effect.Effect<void>): Verb<S, S["Type"]> | Verb<S, CsvRow> => {
    const told = options.progress
    const both = told === undefined ? progress : (event: Progress) => Effect.andThen(progress(event), told(event))
    switch (options.operation) {
      case "insert":
        return options.key === undefined
          ? insert({ ...options, key: undefined, progress: both })
          : insert({ ...options, key: options.key, progress: both })
      case "upsert":
        return upsert({ ...options, progress: both })
      case "update":
        return update({ ...options, progress: both })
      case "delete":
        return delete_({ ...options, progress: both })
      case "hardDelete":
        return hardDelete({ ...options, progress: both })
    }
  }
  return <E, R>(records: Stream.Stream<S["Type"], E, R>) =>
    summarise<S["Type"] | CsvRow, E | BulkError.BulkError, R | Connection>((progress) => outcomesOf(progress)(records))
}

const deleting = <S extends RecordCodec.RecordSchema>(operation: "delete" | "hardDelete", object: string) =>
  ({
    job: { object, operation },
    nulls: "ignore",
    // any other column fails the whole job
    columns: ["Id"],
    join: joinByKey<S>("Id"),
    reject: (_: Codec<S>, record: S["Type"]): S["Type"] => record
  }) as const

type Codec<S extends RecordCodec.RecordSchema> = RecordCodec.RecordCodec<S["Type"]>

const verb =
  <S extends RecordCodec.RecordSchema, B>(
    options: Options<S>,
    how: {
      readonly job: IngestJob.CreateOptions
      readonly nulls: RecordCodec.Nulls
      /** Which columns are sent; all of them by default. */
      readonly columns?: ReadonlyArray<string>
      readonly join: (codec: Codec<S>) => Result.Result<Join.Join<S["Type"], B>, string>
      readonly reject: (codec: Codec<S>, record: S["Type"]) => B
    }
  ): Verb<S, B> =>
  (records) =>
    // suspended, so that each run has a join of its own
    Stream.suspend(() => {
      const prepared = Result.gen(function* () {
        const codec = yield* RecordCodec.make(options.schema)
        return { codec, join: yield* how.join(codec) }
      })
      if (Result.isFailure(prepared)) {
        const problem = `${how.job.operation} of ${how.job.object}: ${prepared.failure}`
        return Stream.fail(BulkError.make(new BulkError.InvalidOptions({ problem })))
      }
      const { codec, join } = prepared.success
      return load(records, {
        job: how.job,
        codec,
        nulls: how.nulls,
        columns: how.columns ?? codec.columns,
        join,
        reject: (record) => how.reject(codec, record),
        poll: options.poll,
        progress: options.progress
      })
    })

const joinByKey =
  <S extends RecordCodec.RecordSchema>(column: string) =>
  (codec: Codec<S>): Result.Result<Join.Join<S["Type"], S["Type"]>, string> => {
    const canonical = codec.canonical(column)
    return canonical === undefined
      ? Result.fail(`the key ${column} is no column of the schema (${codec.columns.join(", ")})`)
      : Result.succeed(Join.byKey({ column, position: codec.columns.indexOf(column), canonical }))
  }
