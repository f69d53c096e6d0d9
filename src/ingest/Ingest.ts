/**
 * Records in, what became of each of them out.
 *
 * Every verb turns a stream of records into a stream of outcomes. Nothing happens
 * until the outcomes are run; a stream that is only drained hides failed rows.
 *
 * Records that outcomes hold are equal to those that were sent: they are read back from
 * the spool by their schema. What is sent as the same empty cell comes back as the same:
 * an empty text or a missing value as a missing one, where the field is optional, or a
 * null where nulls are ignored. Records with a carriage return in a text, and those that
 * their schema does not read as it wrote them (a field that it rounds, for one), are held
 * in memory until their part is settled.
 * `Spool.memory({ keepsRecords: true })` holds all of them, and gives back the same objects.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import type * as IngestJob from "../job/IngestJob.ts"
import type { Progress } from "../Progress.ts"
import type * as Csv from "../record/Csv.ts"
import type * as RecordCodec from "../record/RecordCodec.ts"
import { csvSource } from "./csvSource.ts"
import { follow } from "./follow.ts"
import { load } from "./load.ts"
import type { CsvRow, Outcome } from "./Outcome.ts"
import type { LoadOptions, Options } from "./options.ts"
import * as Prepare from "./prepare.ts"
import { type Confirmation, demandConfirmed } from "./production.ts"
import type { Summary } from "./Summary.ts"
import { summarise } from "./summarise.ts"

export { type GroupOptions, groupBy } from "./groupBy.ts"
export { type RemediateOptions, type Remedy, remediate } from "./remediate.ts"

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

export type { LoadOptions, Options } from "./options.ts"
export type { Confirmation } from "./production.ts"

/**
 * What an insert takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface InsertOptions<S extends RecordCodec.RecordSchema> extends Options<S> {
  /**
   * A column whose values tell the records apart. With it, failed and unprocessed
   * outcomes hold the record that was sent. Default: none, and outcomes hold the
   * org's echo.
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
export interface DeleteOptions<S extends IdentifiedSchema> extends Options<S>, Confirmation {}

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
 * Inserts records, as so many jobs as their size asks for.
 *
 * A job is created when its first records arrive, takes them as fast as the socket
 * does, and is closed when it is full, or at the end. One is uploaded at a time, while
 * earlier ones are processed. An upload that breaks is repeated with another job, and
 * the source is not asked again. Outcomes come as soon as a job is done, its failures
 * first. With a `key` failed and unprocessed outcomes hold the record that was sent,
 * otherwise the row as the org echoed it. A record whose only column is empty is a
 * failed outcome and is not sent: Salesforce takes its row for a blank line.
 *
 * Fails with the source's own error, or a `BulkError`. The job that is not submitted
 * yet is aborted; those that are, are settled, and their outcomes come first. Left or
 * interrupted, submitted jobs run on (`onInterrupt`).
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
  const { key, nulls = "ignore" } = options
  return key === undefined
    ? verb<S, CsvRow>("insert", options, (codec) => Prepare.withoutKey(codec, { nulls }))
    : verb<S, S["Type"]>("insert", options, (codec) => Prepare.withKey(codec, { nulls, key }))
}

/**
 * Inserts or updates records by an external id.
 *
 * Failed and unprocessed outcomes hold the record that was sent, found by its
 * external id. Two records of one job with the same one fail the load before that job
 * is submitted (`duplicates`); a record without one is a failed outcome and is not
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
  verb("upsert", options, (codec) => Prepare.withKey(codec, { nulls: options.nulls, key: options.externalId }))

/**
 * Updates records by their `Id`, a column of the schema.
 *
 * Failed and unprocessed outcomes hold the record that was sent, found by its
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
  verb("update", options, (codec) => Prepare.withKey(codec, { nulls: options.nulls, key: "Id" }))

/**
 * Deletes records by their `Id`, into the recycle bin.
 *
 * Only the `Id` is sent; failed and unprocessed outcomes hold the whole record that
 * was given. Otherwise as `upsert`.
 *
 * In a production org it takes a word of its own, the id of that org as
 * `confirmProduction`; without it the load fails with `ProductionNotConfirmed` before
 * a job is created. Which org it is costs one API call, once per connection.
 *
 * **Example** (Deleting what a query finds)
 *
 * ```ts
 * const outcomes = Query.records({ schema: Item, from: "Item__c", where: soql`Retired__c = true` }).pipe(
 *   Ingest.delete({ object: "Item__c", schema: Item })
 * )
 * ```
 *
 * **Example** (In production)
 *
 * ```ts
 * const outcomes = retired.pipe(
 *   Ingest.delete({ object: "Item__c", schema: Item, confirmProduction: "00D5g000004ToyxEAC" })
 * )
 * ```
 *
 * @category verbs
 * @since 0.1.0
 */
const delete_ = <S extends IdentifiedSchema>(options: DeleteOptions<S>): Verb<S, S["Type"]> =>
  deletion("delete", options)

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
  deletion("hardDelete", options)

/**
 * What a load of CSV takes: `externalId` for an upsert, and for an insert a `key`, if
 * there is a column that tells the rows apart. Updates and deletes go by their `Id`.
 *
 * @category models
 * @since 0.1.0
 */
export type CsvOptions = LoadOptions & {
  /** What is between cells. Default: what the file's first bytes tell. */
  readonly columnDelimiter?: Csv.ColumnDelimiter | undefined
  /** What ends lines, within cells too, whatever ends them in the file. Default: what the file's first bytes tell. */
  readonly lineEnding?: Csv.LineEnding | undefined
} & (
    | { readonly operation: "insert"; readonly key?: string | undefined }
    | { readonly operation: "upsert"; readonly externalId: string }
    | { readonly operation: "update" }
    | ({ readonly operation: "delete" | "hardDelete" } & Confirmation)
  )

/**
 * Loads CSV that is CSV already: its bytes as they are, the header repeated for each
 * part. The delimiter and the line ending are detected, a byte order mark and blank
 * lines are left out, and line breaks within cells are written as the job's. The
 * columns that a `RejectFile` adds are left out too. In a file of one column a row of
 * one empty cell (`""`) is a failed outcome: Salesforce takes it for a blank line too.
 *
 * With a key (the external id, the `Id`, a `key`) failed and unprocessed outcomes hold
 * the row that was sent, otherwise the row as the org echoed it. A file of records to
 * delete holds the column `Id` alone, and a production org needs the word that `delete`
 * needs. Otherwise as `insert`.
 *
 * Fails with `InvalidCsv`, which names the line, for what is no CSV or would make
 * Salesforce fail the whole job, before the part it is in is submitted.
 *
 * **Example** (A file)
 *
 * ```ts
 * const failed = fs.stream("accounts.csv").pipe(
 *   Ingest.csv({ object: "Account", operation: "upsert", externalId: "Number__c" }),
 *   Stream.filter((outcome) => outcome._tag === "Failed")
 * )
 * ```
 *
 * @category verbs
 * @since 0.1.0
 */
export const csv =
  (options: CsvOptions) =>
  <E, R>(
    bytes: Stream.Stream<Uint8Array, E, R>
  ): Stream.Stream<Outcome<CsvRow>, E | BulkError.BulkError, R | Connection> =>
    Stream.unwrap(
      Effect.map(preparedCsv(options), (prepared) => {
        const { columnDelimiter, lineEnding } = options
        const blocks = csvSource(bytes, { columnDelimiter, lineEnding, key: Prepare.keyOf(options) })
        return load(blocks, prepared)
      })
    )

/**
 * How a job that was submitted before is followed.
 *
 * @category models
 * @since 0.1.0
 */
export type ResumeOptions = Pick<LoadOptions, "outcomes" | "onJobFailed" | "poll" | "progress">

/**
 * The outcomes of a job that was submitted before, by another process or by hand: waits
 * for it, and reads its results. Records are as the org echoes them. A whole load is
 * resumed by `Run.load`, which knows what it has sent.
 *
 * Fails with `InvalidOptions` for a job that is Open, with `ResultsExpired` when its
 * results are gone, and with `JobFailed` as the verbs do.
 *
 * **Example** (After a crash)
 *
 * ```ts
 * const failures = Ingest.resume(jobId).pipe(Stream.filter((outcome) => outcome._tag === "Failed"))
 * ```
 *
 * @category verbs
 * @since 0.1.0
 */
export const resume = (
  jobId: string,
  options: ResumeOptions = {}
): Stream.Stream<Outcome<CsvRow>, BulkError.BulkError, Connection> => follow(jobId, options)

const preparedCsv = (options: CsvOptions) => {
  const prepared = Prepare.prepareCsv(options)
  return options.operation === "delete" || options.operation === "hardDelete"
    ? Effect.tap(prepared, () => demandConfirmed(options.operation, options))
    : prepared
}

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
  const outcomesOf = (tell: Tell): Verb<S, S["Type"]> | Verb<S, CsvRow> => {
    const both = tellBoth(tell, options.progress)
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

/**
 * Loads CSV, as `csv` does, and counts what became of its rows, as `run` does.
 *
 * **Example** (A file, in numbers)
 *
 * ```ts
 * const summary = fs.stream("accounts.csv").pipe(
 *   Ingest.runCsv({ object: "Account", operation: "upsert", externalId: "Number__c" })
 * )
 * ```
 *
 * @category verbs
 * @since 0.1.0
 */
export const runCsv =
  (options: CsvOptions) =>
  <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Effect.Effect<Summary, E | BulkError.BulkError, R | Connection> =>
    summarise((tell) => csv({ ...options, progress: tellBoth(tell, options.progress) })(bytes))

type Tell = (event: Progress) => Effect.Effect<void>

const tellBoth = (first: Tell, second: Tell | undefined): Tell =>
  second === undefined ? first : (event) => Effect.andThen(first(event), second(event))

const verb =
  <S extends RecordCodec.RecordSchema, B>(
    operation: IngestJob.CreateOptions["operation"],
    options: Options<S>,
    how: (codec: RecordCodec.RecordCodec<S["Type"]>) => Prepare.How<S["Type"], B>
  ): Verb<S, B> =>
  (records) =>
    // suspended, so that each run has a load of its own
    Stream.unwrap(Effect.map(Prepare.prepare(operation, options, how), (prepared) => load(records, prepared)))

const deletion =
  <S extends IdentifiedSchema>(operation: "delete" | "hardDelete", options: DeleteOptions<S>): Verb<S, S["Type"]> =>
  (records) =>
    Stream.unwrap(
      Effect.as(demandConfirmed(operation, options), verb<S, S["Type"]>(operation, options, Prepare.deletion)(records))
    )
