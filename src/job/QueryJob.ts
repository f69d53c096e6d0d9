/**
 * The query endpoints, one typed Effect each, for whoever drives a job by hand.
 * The streams of `Query` are built on them.
 *
 * Salesforce runs a job as soon as it is created, and keeps its results for seven
 * days.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import { Connection } from "../connection/Connection.ts"
import { streamInOrg } from "../connection/streamInOrg.ts"
import * as Continuation from "./continuation.ts"
import { download } from "./download.ts"
import { type AwaitOptions, endpointAt, hasEnded } from "./endpoint.ts"
import { acquireJob } from "./grace.ts"
import type * as Job from "./Job.ts"

const endpoint = endpointAt("/jobs/query")

/**
 * How a query job reads and writes.
 *
 * @category models
 * @since 0.1.0
 */
export interface CreateOptions {
  /** Whether deleted and archived records are found too (`queryAll`). Default false. */
  readonly all?: boolean | undefined
  /** What is between the cells of its results. Default `COMMA`. */
  readonly columnDelimiter?: Job.ColumnDelimiter | undefined
  /** What ends their rows. Default `LF`. */
  readonly lineEnding?: Job.LineEnding | undefined
}

/**
 * What a scoped job takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScopedOptions extends CreateOptions {
  /** Whether the job is deleted with its results when the scope ends. Default false. */
  readonly remove?: boolean | undefined
}

/**
 * What becomes of a job that is left.
 *
 * @category models
 * @since 0.1.0
 */
export interface LeaveOptions {
  /** Whether it is aborted if it still runs. Default true. */
  readonly abort?: boolean | undefined
  /** Whether it is deleted with its results. Default false. */
  readonly remove?: boolean | undefined
}

/**
 * Which page, and how large.
 *
 * @category models
 * @since 0.1.0
 */
export interface PageOptions {
  /** Where the page begins. Default: the first one. */
  readonly locator?: string | undefined
  /** The most records it may hold. Default: Salesforce chooses. */
  readonly maxRecords?: number | undefined
  /** Whether the locator is one of `resultPages`, which say where pages begin; then it does not matter whether the page itself says so. Default false. */
  readonly isLinked?: boolean | undefined
  /** How many bytes of it are read before they are asked for, at most. Default 256 KiB. */
  readonly readAhead?: number | undefined
}

/**
 * One page of results.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page {
  /** The page as CSV, header first. */
  readonly bytes: Stream.Stream<Uint8Array, BulkError.BulkError>
  /** How many records the page holds, by its `Sforce-NumberOfRecords` header; once it is read, that is what it held. */
  readonly numberOfRecords: number
  /** How many of them have arrived. */
  readonly arrived: number
  /** Where the page begins; `undefined` for the first one. */
  readonly locator: string | undefined
  /** Where the next page begins; `undefined` on the last page. */
  readonly next: string | undefined
}

/**
 * Creates a query job; Salesforce runs it at once.
 *
 * Fails with `SoqlRefused` for SOQL that Bulk API 2.0 does not take, with Salesforce's
 * words and the position they name.
 *
 * @category operations
 * @since 0.1.0
 */
export const create = (
  soql: string,
  { all = false, ...format }: CreateOptions = {}
): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
  Effect.mapError(endpoint.create({ operation: all ? "queryAll" : "query", query: soql, ...format }), soqlRefused)

/** Refusals of a new job that have nothing to do with its SOQL. */
const otherRefusals = /LIMIT|NOT_?ENABLED|JSON_PARSER|TXN_SECURITY|SESSION|VERSION/

const soqlRefused = (error: BulkError.BulkError): BulkError.BulkError => {
  const { reason } = error
  if (reason._tag !== "ApiError" || reason.status !== 400 || otherRefusals.test(reason.code)) return error
  const { body, code, detail, request } = reason
  const [, row, column] = /Row\s*:\s*(\d+)\s*:\s*Column\s*:\s*(\d+)/i.exec(detail) ?? []
  const position = row === undefined ? undefined : { row: Number(row), column: Number(column) }
  return BulkError.make(new BulkError.SoqlRefused({ request, code, detail, position, body }), error.org)
}

/**
 * A query job for as long as the scope lasts: when it ends, a job that still runs is
 * aborted, and with `remove` it is deleted too.
 *
 * **Example** (A job by hand)
 *
 * ```ts
 * const first = Effect.gen(function* () {
 *   const { id } = yield* QueryJob.scoped("SELECT Id FROM Account", { remove: true })
 *   yield* QueryJob.awaitDone(id)
 *   const page = yield* QueryJob.page(id, { maxRecords: 1000 })
 *   return yield* Stream.mkUint8Array(page.bytes)
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const scoped = (
  soql: string,
  { remove: isRemoved = false, ...options }: ScopedOptions = {}
): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection | Scope.Scope> =>
  acquireJob(create(soql, options), ({ id }) => leave(id, { remove: isRemoved }))

/**
 * Leaves a job that nobody waits for any more: aborts it if it still runs, and deletes
 * it if that is asked for. What does not succeed within ten seconds is logged as a
 * warning.
 *
 * @category operations
 * @since 0.1.0
 */
export const leave = (
  jobId: string,
  { abort: isAborted = true, remove: isRemoved = false }: LeaveOptions = {}
): Effect.Effect<void, never, Connection> =>
  Effect.gen(function* () {
    // a job that is done needs no abort, and cannot be aborted
    if (isAborted) yield* Effect.catchIf(abort(jobId), hasEnded, () => Effect.void)
    if (isRemoved) yield* remove(jobId)
  }).pipe(
    Effect.timeout("10 seconds"),
    Effect.catchCause((cause) =>
      Effect.logWarning(`query job ${jobId} is left behind: it could not be aborted or deleted`, cause)
    )
  )

/**
 * What Salesforce says of a job now.
 *
 * @category operations
 * @since 0.1.0
 */
export const get: (jobId: string) => Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> = endpoint.get

/**
 * The query jobs of the org, whoever made them. Salesforce gives 1,000 at once; the
 * next ones are asked for when these are consumed.
 *
 * @category operations
 * @since 0.1.0
 */
export const list: Stream.Stream<Job.JobInfo, BulkError.BulkError, Connection> = endpoint.list

/**
 * Aborts a job that is not finished.
 *
 * @category operations
 * @since 0.1.0
 */
export const abort = (jobId: string): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
  endpoint.abort(jobId)

/**
 * Deletes a finished job with its results. One that is not there any more counts as
 * deleted.
 *
 * @category operations
 * @since 0.1.0
 */
export const remove: (jobId: string) => Effect.Effect<void, BulkError.BulkError, Connection> = endpoint.remove

/**
 * Waits until a job is `JobComplete`, `Failed` or `Aborted`, and gives what was
 * seen last; which of them it is, is for the caller to judge.
 *
 * @category operations
 * @since 0.1.0
 */
export const awaitDone: <R = never>(
  jobId: string,
  options?: AwaitOptions<R>
) => Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection | R> = endpoint.awaitDone

/**
 * A page of a complete job's results: the first one, or the one at a locator. It comes
 * once its headers are there; its bytes are to be read once, within the scope.
 *
 * A page that breaks off, or does not hold as many records as it promised, is asked
 * for again, and goes on where it was. Fails with the last break when the connection's
 * retry policy ends: `ConnectionLost`, `IncompletePage`, or `UnexpectedResponse` when a
 * header is missing, since a page without `Sforce-Locator` cannot be told from the last
 * one. Fails with `ResultsExpired` when the results are gone, and with `ResultsChanged` when
 * they are not the same any more.
 *
 * @category operations
 * @since 0.1.0
 */
export const page = (
  jobId: string,
  { isLinked = false, locator, maxRecords, readAhead }: PageOptions = {}
): Effect.Effect<Page, BulkError.BulkError, Connection | Scope.Scope> => {
  const path = `${endpoint.path(jobId)}/results`
  const unexpected = (problem: string) =>
    Result.fail(BulkError.make(new BulkError.UnexpectedResponse({ request: `GET ${path}`, problem })))
  const opened = download<Head>({
    jobId,
    path,
    query: { locator, maxRecords },
    readAhead,
    look: get(jobId),
    rows: ({ numberOfRecords }) => numberOfRecords,
    fixed: ({ next }) => next,
    head: (headers) => {
      const next = headers["sforce-locator"]
      const numberOfRecords = Number(headers["sforce-numberofrecords"] || Number.NaN)
      if ((!next && !isLinked) || !Number.isSafeInteger(numberOfRecords) || numberOfRecords < 0) {
        return unexpected("a page without Sforce-Locator or Sforce-NumberOfRecords cannot be told from a truncated one")
      }
      if (next !== undefined && next === locator) return unexpected(`the page at locator ${locator} leads to itself`)
      // the last page carries the word, not an absent header
      return Result.succeed({ numberOfRecords, next: next === "null" ? undefined : next })
    }
  }).pipe(
    Effect.map(({ bytes, head, rows }) => ({
      bytes,
      locator,
      next: head().next,
      get numberOfRecords() {
        return head().numberOfRecords
      },
      get arrived() {
        return rows()
      }
    }))
  )
  // a page lasts until it is read
  return Effect.flatMap(
    Effect.makeSpanScoped("QueryJob.page", { attributes: { "salesforce.job.id": jobId } }),
    (span) =>
      Effect.withParentSpan(
        Effect.tap(opened, ({ numberOfRecords }) =>
          Effect.sync(() => span.attribute("salesforce.page.records", numberOfRecords))
        ),
        span
      )
  )
}

/**
 * Where the pages of a complete job begin, as Salesforce cuts them, so that they can be
 * read beside each other (API version 58.0 and later). `undefined` is the first one.
 *
 * @category operations
 * @since 0.1.0
 */
export const resultPages = (jobId: string): Stream.Stream<string | undefined, BulkError.BulkError, Connection> => {
  const path = `${endpoint.path(jobId)}/resultPages`
  return Stream.paginate(undefined as string | undefined, (locator) =>
    Connection.use((connection) => connection.json({ method: "GET", path, query: { locator } }, ResultPages)).pipe(
      Effect.flatMap((list) =>
        Effect.map(
          Continuation.locatorOf(list, `GET ${path}`, locator),
          (next) => [list.resultPages.map(({ resultUrl }) => Continuation.locatorIn(resultUrl)), next] as const
        )
      )
    )
  ).pipe(streamInOrg, Stream.withSpan("QueryJob.resultPages", { attributes: { "salesforce.job.id": jobId } }))
}

type Head = Pick<Page, "numberOfRecords" | "next">

const ResultPages = Schema.Struct({
  resultPages: Schema.Array(Schema.Struct({ resultUrl: Schema.String })),
  ...Continuation.fields
})
