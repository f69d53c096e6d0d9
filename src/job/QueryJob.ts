/**
 * The query endpoints, one typed Effect each, for whoever drives a job by hand.
 * The streams of `Query` are built on them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import { Connection } from "../connection/Connection.ts"
import { type AwaitOptions, endpointAt } from "./endpoint.ts"
import type * as Job from "./Job.ts"

const endpoint = endpointAt("/jobs/query")

/**
 * One page of results.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page {
  /** The page as CSV, header first. */
  readonly bytes: Stream.Stream<Uint8Array, BulkError.BulkError>
  /** How many records the page holds, by its `Sforce-NumberOfRecords` header. */
  readonly numberOfRecords: number
  /** Where the next page begins; `undefined` on the last page. */
  readonly next: string | undefined
}

/**
 * Creates a query job; Salesforce runs it at once. SOQL that Bulk API 2.0
 * refuses fails here, as `ApiError` with Salesforce's words.
 *
 * @category operations
 * @since 0.1.0
 */
export const create = (soql: string): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
  endpoint.create({ operation: "query", query: soql })

/**
 * What Salesforce says of a job now.
 *
 * @category operations
 * @since 0.1.0
 */
export const get: (jobId: string) => Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> = endpoint.get

/**
 * Aborts a job that is not finished.
 *
 * @category operations
 * @since 0.1.0
 */
export const abort = (jobId: string): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
  endpoint.abort(jobId)

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
 * A page of a complete job's results: the first one, or the one at a locator.
 * `maxRecords` bounds its records; without it Salesforce chooses. The page's
 * bytes are to be read within the scope.
 *
 * Fails with `UnexpectedResponse` when a header is missing: a page without
 * `Sforce-Locator` cannot be told from the last one.
 *
 * @category operations
 * @since 0.1.0
 */
export const page = Effect.fnUntraced(function* (
  jobId: string,
  options: { readonly locator?: string | undefined; readonly maxRecords?: number | undefined }
): Effect.fn.Return<Page, BulkError.BulkError, Connection | Scope.Scope> {
  const connection = yield* Connection
  const resultsPath = `${endpoint.path(jobId)}/results`
  const { bytes, headers } = yield* connection.bytes({
    path: resultsPath,
    query: { locator: options.locator, maxRecords: options.maxRecords }
  })
  const unexpected = (problem: string) =>
    BulkError.make(new BulkError.UnexpectedResponse({ request: `GET ${resultsPath}`, problem }))
  const locator = headers["sforce-locator"]
  const numberOfRecords = Number(headers["sforce-numberofrecords"] ?? Number.NaN)
  if (locator === undefined || locator === "" || !Number.isSafeInteger(numberOfRecords)) {
    return yield* unexpected(
      "a page without Sforce-Locator or Sforce-NumberOfRecords cannot be told from a truncated one"
    )
  }
  if (locator === options.locator) return yield* unexpected(`the page at locator ${locator} leads to itself`)
  // the last page carries the word, not an absent header
  return { bytes, numberOfRecords, next: locator === "null" ? undefined : locator }
})
