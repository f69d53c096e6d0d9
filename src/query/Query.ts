/**
 * SOQL in, a stream of typed records out.
 *
 * A query is a job: it is created and awaited, and its pages are read as fast as the
 * stream is consumed, a little ahead of it. A page that breaks off is asked for again
 * and goes on where it was; records that were given are never given twice. A job that
 * still runs when its stream ends is aborted.
 *
 * A bulk query is no snapshot: records that change while it runs may come as they were
 * or as they are.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import { streamInOrg } from "../connection/streamInOrg.ts"
import type * as Job from "../job/Job.ts"
import * as QueryJob from "../job/QueryJob.ts"
import type * as RecordCodec from "../record/RecordCodec.ts"
import * as decode from "./decode.ts"
import { oneHeader } from "./oneHeader.ts"
import type { CsvOptions, Options, PagesOptions, RunOptions, What } from "./options.ts"
import { checkPages, codecOf, prepare } from "./prepare.ts"
import * as Resolve from "./resolve.ts"
import { queried, results } from "./results.ts"
import { complete, run } from "./run.ts"
import type * as Soql from "./Soql.ts"
import { textOf } from "./select.ts"
import { type Change, changesSince, recordsSince, type Since, type SinceOptions } from "./since.ts"
import { type Watched, watched } from "./watching.ts"

export type { CsvOptions, Options, PagesOptions, RunOptions, What } from "./options.ts"
export type { Resolved, ResolveOptions, Unresolved } from "./resolve.ts"
export { type Change, type Since, type SinceOptions, Watermark } from "./since.ts"

/**
 * Runs a bulk query and gives its records, decoded as the bytes arrive.
 *
 * Empty cells are `null` in a nullable field, absent in an optional one, and otherwise
 * `""`, which only texts accept.
 *
 * Fails with a `BulkError`: `SoqlRefused`, `JobFailed`, `RecordInvalid` for a record
 * that does not fit the schema, `IncompletePage` and `IncompleteResults` when records
 * are missing, `ResultsExpired` and `ResultsChanged` when pages cannot be read on.
 *
 * **Example** (Records from a schema)
 *
 * ```ts
 * const low = Query.records({ schema: Item, from: "Inventory__c", where: soql`Count__c < ${limit}` })
 * ```
 *
 * @category queries
 * @since 0.1.0
 */
export const records = <S extends RecordCodec.RecordSchema>(
  options: Options<S>
): Stream.Stream<S["Type"], BulkError.BulkError, Connection> =>
  Stream.unwrap(
    Effect.map(prepare(options), ({ codec, soql }) => queried(soql, options, decode.records<S["Type"]>(codec)))
  )

/**
 * Runs a bulk query as `records` does, and gives a `Result` for each record: one that
 * does not fit the schema is a failed one, and the stream goes on.
 *
 * **Example** (Records that fit, and how many do not)
 *
 * ```ts
 * const [broken, items] = yield* Query.recordsResult({ schema: Item, from: "Inventory__c" }).pipe(
 *   Stream.runCollect,
 *   Effect.map(Array.separate)
 * )
 * ```
 *
 * @category queries
 * @since 0.1.0
 */
export const recordsResult = <S extends RecordCodec.RecordSchema>(
  options: Options<S>
): Stream.Stream<Result.Result<S["Type"], BulkError.RecordInvalid>, BulkError.BulkError, Connection> =>
  Stream.unwrap(
    Effect.map(prepare(options), ({ codec, soql }) => queried(soql, options, decode.results<S["Type"]>(codec)))
  )

/**
 * Runs a bulk query and gives the cells of each record, by the names that the results
 * give them. Cells are text as Salesforce writes it, empty ones `""`.
 *
 * **Example** (Whatever a query gives)
 *
 * ```ts
 * const names = Query.rows(soql`SELECT Id, Owner.Name FROM Account`).pipe(Stream.map((row) => row["Owner.Name"]))
 * ```
 *
 * @category queries
 * @since 0.1.0
 */
export const rows = (
  soql: Soql.Soql | string,
  options: RunOptions = {}
): Stream.Stream<Readonly<Record<string, string>>, BulkError.BulkError, Connection> =>
  queried(textOf(soql), options, decode.rows)

/**
 * Runs a bulk query and gives its results as one CSV: the header once, then the rows of
 * all pages in their order, as Salesforce writes them.
 *
 * **Example** (Into a file)
 *
 * ```ts
 * const saved = Query.csv(soql`SELECT Id, Name FROM Account`).pipe(Stream.run(fs.sink("accounts.csv")))
 * ```
 *
 * @category queries
 * @since 0.1.0
 */
export const csv = (
  soql: Soql.Soql | string,
  options: CsvOptions = {}
): Stream.Stream<Uint8Array, BulkError.BulkError, Connection> =>
  Stream.suspend(() => queried(textOf(soql), options, oneHeader(options.lineEnding === "CRLF" ? "\r\n" : "\n")))

/**
 * One page of a query: where it begins, and its records.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page<A> {
  readonly jobId: string
  /** Where the page begins; `undefined` for the first one. */
  readonly locator: string | undefined
  /** Where the next page begins, for `resume`; `undefined` on the last page. */
  readonly next: string | undefined
  readonly numberOfRecords: number
  /** Its records, to be read once, before the next page. */
  readonly records: Stream.Stream<A, BulkError.BulkError>
}

/**
 * Runs a bulk query and gives its pages one after the other, each with its locator, so
 * that what was done with a page can be noted, and `resume` goes on there if the process
 * ends. `afterwards: "remove"` deletes the job only once all pages were read.
 *
 * **Example** (Noting what is done)
 *
 * ```ts
 * const copied = Query.pages({ schema: Item, from: "Inventory__c", maxRecords: 50_000 }).pipe(
 *   Stream.mapEffect(({ jobId, next, records }) => Effect.andThen(save(records), note(jobId, next))),
 *   Stream.runDrain
 * )
 * ```
 *
 * @category pages
 * @since 0.1.0
 */
export const pages = <S extends RecordCodec.RecordSchema>(
  given: { readonly schema: S; readonly all?: boolean | undefined } & PagesOptions & What
): Stream.Stream<Page<S["Type"]>, BulkError.BulkError, Connection> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { codec, soql } = yield* prepare(given)
      const options = yield* watched(given)
      // the job is needed as long as there are pages to go on with
      const afterwards = options.afterwards === "keep" ? "keep" : undefined
      const { all, poll, progress } = options
      const job = yield* run(soql, { all, poll, progress, afterwards })
      return pagesOf(job, options, codec)
    })
  ).pipe(streamInOrg, Stream.withSpan("Query.pages"))

/**
 * Goes on with the pages of a query that another process began: from a locator, or from
 * the first page without one. A job that still runs is awaited, and never aborted. Its
 * pages are read with the delimiter that it was created with, whoever created it.
 *
 * Fails with `ResultsExpired` when the job is gone.
 *
 * **Example** (Going on)
 *
 * ```ts
 * const rest = Query.resume(noted.jobId, noted.next, { schema: Item })
 * ```
 *
 * @category pages
 * @since 0.1.0
 */
export const resume = <S extends RecordCodec.RecordSchema>(
  jobId: string,
  locator: string | undefined,
  given: { readonly schema: S } & PagesOptions
): Stream.Stream<Page<S["Type"]>, BulkError.BulkError, Connection> =>
  Stream.unwrap(
    Effect.gen(function* () {
      yield* checkPages(given)
      const codec = yield* codecOf(given.schema)
      const options = yield* watched(given)
      const job = yield* Effect.mapError(complete({ id: jobId, operation: "query" }, options), (cause) =>
        cause.isNotFound ? BulkError.make(new BulkError.ResultsExpired({ jobId, cause }), cause.org) : cause
      )
      return pagesOf(job, options, codec, locator)
    })
  ).pipe(streamInOrg, Stream.withSpan("Query.resume", { attributes: { "salesforce.job.id": jobId } }))

const pagesOf = <A>(
  job: Job.JobInfo,
  options: PagesOptions & Watched,
  codec: RecordCodec.RecordCodec<A>,
  locator?: string
): Stream.Stream<Page<A>, BulkError.BulkError, Connection> => {
  const toRecords = decode.records(codec)
  const pages = Effect.map(Effect.context<Connection>(), (context) =>
    results(job, { ...options, isChained: true, locator }, (page, before) =>
      Stream.succeed({
        jobId: page.jobId,
        locator: page.locator,
        next: page.next,
        numberOfRecords: page.size(),
        records: toRecords(page, before).pipe(streamInOrg, Stream.provideContext(context))
      })
    )
  )
  return Stream.unwrap(pages).pipe(
    Stream.onEnd(options.afterwards === "remove" ? QueryJob.leave(job.id, { abort: false, remove: true }) : Effect.void)
  )
}

/**
 * Finds what changed in an object since the last run, by `SystemModstamp`: the records
 * as they are now, or with `deletions` also the ids of those that were deleted.
 *
 * A run ends at the time, by the org's clock, at which its job was created, and begins
 * `overlap` before the end of the last run, since what a transaction changed is seen
 * only when it is committed. What was given before is not given again: the watermark
 * holds the ids that changed within the overlap. Keep it once the changes are safe
 * where they go.
 *
 * It cannot see hard deletes and emptied recycle bins, nor what changes without a
 * `SystemModstamp`: formulas, roll-ups of some kinds, fields of parents. A record that
 * changes twice between two runs is given once. From time to time compare it all.
 *
 * `watermark` fails with `NotDrained` until the changes were read to their end.
 *
 * **Example** (Into a warehouse, every hour)
 *
 * ```ts
 * const hourly = Effect.gen(function* () {
 *   const last = yield* load
 *   const { changes, watermark } = yield* Query.since({ schema: Item, from: "Inventory__c", watermark: last })
 *   yield* Stream.run(changes, warehouse)
 *   yield* save(yield* watermark)
 * })
 * ```
 *
 * @category queries
 * @since 0.1.0
 */
export function since<S extends RecordCodec.RecordSchema>(
  options: SinceOptions<S> & { readonly deletions: true }
): Effect.Effect<Since<Change<S["Type"]>>>
export function since<S extends RecordCodec.RecordSchema>(
  options: SinceOptions<S> & { readonly deletions?: false | undefined }
): Effect.Effect<Since<S["Type"]>>
export function since<S extends RecordCodec.RecordSchema>(
  options: SinceOptions<S> & { readonly deletions?: boolean | undefined }
): Effect.Effect<Since<Change<S["Type"]>>> | Effect.Effect<Since<S["Type"]>> {
  return options.deletions === true ? changesSince(options, true) : recordsSince(options)
}

/**
 * Finds the ids of records by their business keys, by bulk query, for loads that know
 * only ids: updates and deletes.
 *
 * Each record comes out with the id of the one in the org that has its key, in order;
 * or as a failed `Result`, when it has no key, or none or several records of the org
 * have it. Keys are compared as the org does, mostly without case. About 2,000 keys go
 * into one query, so memory is bounded; `Checked.load` feeds a load and makes failed
 * outcomes of those that were not found.
 *
 * Fails with `InvalidOptions` when the object has no such field, and as `records`.
 *
 * **Example** (Prices by product code)
 *
 * ```ts
 * const outcomes = prices.pipe(
 *   Query.resolveIds({ object: "Product2", key: "ProductCode", keyOf: (price) => price.code }),
 *   Stream.map(Result.map(({ id, record }) => new Product({ Id: id, Price__c: record.amount }))),
 *   Checked.load(Ingest.update({ object: "Product2", schema: Product, nulls: "ignore" }))
 * )
 * ```
 *
 * @category queries
 * @since 0.1.0
 */
export const resolveIds: <A>(
  options: Resolve.ResolveOptions<A>
) => <E, R>(
  records: Stream.Stream<A, E, R>
) => Stream.Stream<Result.Result<Resolve.Resolved<A>, Resolve.Unresolved<A>>, E | BulkError.BulkError, R | Connection> =
  Resolve.resolveWith((options) => records(options))
