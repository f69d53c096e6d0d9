/**
 * What goes wrong in an org, as data: which requests or jobs, how often, and
 * what becomes of them. Faults are given in the options of an org, set while
 * it runs with its `faults`, or sent to `PUT /__org/faults` as JSON.
 *
 * Each fault counts what it matches by itself. Of the faults that strike one
 * request all delays apply, and of the others the first of the list.
 *
 * **Example** (An upload that breaks off, and an answer that is lost)
 *
 * ```ts
 * const org = EmbeddedOrg.layerHttpClient({
 *   faults: [
 *     Faults.on("upload", Faults.cutRequest(10_000), { nth: 1 }),
 *     Faults.on("changeIngestJob", Faults.cutAfter, { times: 1 }),
 *     Faults.on(/\/results$/, Faults.respond(503), { probability: 0.1 }),
 *     Faults.onJob(Faults.lockRows({ rows: 3 }), { object: "Contact" })
 *   ]
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { Operation, QueryOperation } from "./job.ts"
import { routeNames } from "./routeNames.ts"

/**
 * The name of a request: what it is for, whatever its version and ids.
 *
 * @category models
 * @since 0.1.0
 */
export const Route = Schema.Literals(routeNames)

/**
 * @category models
 * @since 0.1.0
 */
export type Route = typeof Route.Type

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
const Offset = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Pattern = Schema.String.check(
  Schema.makeFilter((source) => {
    try {
      new RegExp(source)
      return true
    } catch (error) {
      return String(error)
    }
  })
)

/**
 * What becomes of a request. Bytes are those of the body on the wire, as they
 * are compressed.
 *
 * - `Respond`: it is answered with this, and not carried out
 * - `Delay`: it waits before it is carried out
 * - `CutBefore`: the connection ends before anything is done
 * - `CutRequest`: the connection ends once `at` bytes of its body are read, or
 *   all of a shorter one; it is not carried out
 * - `CutAfter`: it is carried out, and the connection ends without an answer
 * - `CutResponse`: the answer breaks off after `at` bytes of its body, or at
 *   the end of a shorter one, which is never marked as complete
 * - `ExpireSession`: its token is no longer valid, nor will it ever be again
 *
 * @category models
 * @since 0.1.0
 */
export const RequestEffect = Schema.Union([
  Schema.Struct({
    _tag: Schema.Literal("Respond"),
    status: Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 599 })),
    headers: Schema.optional(Schema.Record(Schema.String, Schema.String)),
    body: Schema.optional(Schema.String)
  }),
  Schema.Struct({ _tag: Schema.Literal("Delay"), millis: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)) }),
  Schema.Struct({ _tag: Schema.Literal("CutBefore") }),
  Schema.Struct({ _tag: Schema.Literal("CutRequest"), at: Offset }),
  Schema.Struct({ _tag: Schema.Literal("CutAfter") }),
  Schema.Struct({ _tag: Schema.Literal("CutResponse"), at: Offset }),
  Schema.Struct({ _tag: Schema.Literal("ExpireSession") })
])

/**
 * @category models
 * @since 0.1.0
 */
export type RequestEffect = typeof RequestEffect.Type

/**
 * What becomes of a job. `after` counts rows of the upload, or of the query,
 * and takes effect between two chunks.
 *
 * - `Stall`: it stays InProgress until the faults are changed
 * - `Fail`: it ends in Failed with this `errorMessage`; the rest is unprocessed
 * - `LoseRows`: that many rows are skipped: they are in no record, in no result
 *   file, and not counted
 * - `LockRows`: that many rows are refused with `UNABLE_TO_LOCK_ROW`
 * - `LagCounters`: its counters are that many rows behind, at its end too
 * - `SmallPages`: its result pages have that many rows at most
 *
 * @category models
 * @since 0.1.0
 */
export const JobEffect = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Stall"), after: Offset }),
  Schema.Struct({ _tag: Schema.Literal("Fail"), after: Offset, message: Schema.String }),
  Schema.Struct({ _tag: Schema.Literal("LoseRows"), after: Offset, rows: Count }),
  Schema.Struct({ _tag: Schema.Literal("LockRows"), after: Offset, rows: Count }),
  Schema.Struct({ _tag: Schema.Literal("LagCounters"), rows: Count }),
  Schema.Struct({ _tag: Schema.Literal("SmallPages"), rows: Count })
])

/**
 * @category models
 * @since 0.1.0
 */
export type JobEffect = typeof JobEffect.Type

const when = {
  /** Only this one, or these, of what matches, counted from 1. */
  nth: Schema.optional(Schema.Union([Count, Schema.Array(Count)])),
  /** Only each so many-th of what matches. */
  every: Schema.optional(Count),
  /** Only with this probability, drawn from the org's seed. */
  probability: Schema.optional(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  /** So many times at most. */
  times: Schema.optional(Count)
}

/**
 * A fault of requests: of those that match all it names.
 *
 * @category models
 * @since 0.1.0
 */
export const RequestFault = Schema.Struct({
  route: Schema.optional(Schema.Union([Route, Schema.Array(Route)])),
  method: Schema.optional(Schema.String),
  /** A regular expression for the path, with its query string; case does not count. */
  path: Schema.optional(Pattern),
  ...when,
  effect: RequestEffect
})

/**
 * @category models
 * @since 0.1.0
 */
export type RequestFault = typeof RequestFault.Type

/**
 * A fault of jobs: of those that match all it names, each asked once, when it
 * is first looked at or begins.
 *
 * @category models
 * @since 0.1.0
 */
export const JobFault = Schema.Struct({
  object: Schema.optional(Schema.String),
  operation: Schema.optional(Schema.Union([Operation, QueryOperation])),
  ...when,
  effect: JobEffect
})

/**
 * @category models
 * @since 0.1.0
 */
export type JobFault = typeof JobFault.Type

/**
 * @category models
 * @since 0.1.0
 */
export const Fault = Schema.Union([RequestFault, JobFault])

/**
 * @category models
 * @since 0.1.0
 */
export type Fault = typeof Fault.Type

/**
 * Which of the requests that match, and how often.
 *
 * @category models
 * @since 0.1.0
 */
export type When = Pick<RequestFault, "nth" | "every" | "probability" | "times">

// --- faults -----------------------------------------------------------------

/**
 * A fault of requests by their name, their names, or their path.
 *
 * @category constructors
 * @since 0.1.0
 */
export const on = (
  requests: Route | ReadonlyArray<Route> | RegExp,
  effect: RequestEffect,
  options: When & Pick<RequestFault, "method"> = {}
): RequestFault =>
  requests instanceof RegExp ? { path: requests.source, ...options, effect } : { route: requests, ...options, effect }

/**
 * A fault of all requests, those for tokens included.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onAny = (effect: RequestEffect, options: When & Pick<RequestFault, "method"> = {}): RequestFault => ({
  ...options,
  effect
})

/**
 * A fault of jobs.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onJob = (effect: JobEffect, options: When & Pick<JobFault, "object" | "operation"> = {}): JobFault => ({
  ...options,
  effect
})

// --- what becomes of requests -----------------------------------------------

/**
 * Answers with a status. The body is the one that Salesforce sends with it
 * when none is given, and empty where it sends none.
 *
 * @category requests
 * @since 0.1.0
 */
export const respond = (
  status: number,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {}
): RequestEffect => ({ _tag: "Respond", status, ...options })

/**
 * Answers with a page of HTML, as proxies at the edge do.
 *
 * @category requests
 * @since 0.1.0
 */
export const respondHtml = (status: number): RequestEffect =>
  respond(status, {
    headers: { "content-type": "text/html; charset=UTF-8" },
    body: `<html><head><title>${status}</title></head><body><h1>${status}</h1></body></html>\n`
  })

/**
 * Answers 429, with a `Retry-After` in whole seconds when it is given.
 *
 * @category requests
 * @since 0.1.0
 */
export const rateLimit = (retryAfter?: Duration.Input): RequestEffect =>
  respond(
    429,
    retryAfter === undefined ? {} : { headers: { "retry-after": String(Math.ceil(Duration.toSeconds(retryAfter))) } }
  )

/**
 * Waits before the request is carried out.
 *
 * @category requests
 * @since 0.1.0
 */
export const delay = (duration: Duration.Input): RequestEffect => ({
  _tag: "Delay",
  millis: Duration.toMillis(duration)
})

/**
 * Ends the connection before anything is done.
 *
 * @category requests
 * @since 0.1.0
 */
export const cutBefore: RequestEffect = { _tag: "CutBefore" }

/**
 * Ends the connection once `at` bytes of the body of the request are read.
 *
 * @category requests
 * @since 0.1.0
 */
export const cutRequest = (at: number): RequestEffect => ({ _tag: "CutRequest", at })

/**
 * Carries the request out, and ends the connection without an answer.
 *
 * @category requests
 * @since 0.1.0
 */
export const cutAfter: RequestEffect = { _tag: "CutAfter" }

/**
 * Ends the connection after `at` bytes of the body of the answer.
 *
 * @category requests
 * @since 0.1.0
 */
export const cutResponse = (at: number): RequestEffect => ({ _tag: "CutResponse", at })

/**
 * Ends the session of the request: it, and all with the same token, are
 * answered 401.
 *
 * @category requests
 * @since 0.1.0
 */
export const expireSession: RequestEffect = { _tag: "ExpireSession" }

/**
 * A session that is good for `count` requests.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sessionExpiresAfter = (count: number): RequestFault => onAny(expireSession, { nth: count + 1 })

// --- what becomes of jobs ---------------------------------------------------

/**
 * Lets the job stay InProgress, once `after` rows are taken, until the faults are
 * changed. Default: from its beginning.
 *
 * @category jobs
 * @since 0.1.0
 */
export const stall = (options: { readonly after?: number } = {}): JobEffect => ({
  _tag: "Stall",
  after: options.after ?? 0
})

/**
 * Ends the job as Failed, once `after` rows are taken; the others are unprocessed.
 * Default: at its beginning, with the message of an internal error.
 *
 * @category jobs
 * @since 0.1.0
 */
export const fail = (options: { readonly after?: number; readonly message?: string } = {}): JobEffect => ({
  _tag: "Fail",
  after: options.after ?? 0,
  message: options.message ?? "InternalServerError : Unable to process the job"
})

/**
 * Skips `rows` rows behind the first `after`: nothing is written, and no result file
 * names them. Default: the first ones.
 *
 * @category jobs
 * @since 0.1.0
 */
export const loseRows = (options: { readonly rows: number; readonly after?: number }): JobEffect => ({
  _tag: "LoseRows",
  after: options.after ?? 0,
  rows: options.rows
})

/**
 * Refuses `rows` rows behind the first `after` with `UNABLE_TO_LOCK_ROW`. Default: the
 * first ones.
 *
 * @category jobs
 * @since 0.1.0
 */
export const lockRows = (options: { readonly rows: number; readonly after?: number }): JobEffect => ({
  _tag: "LockRows",
  after: options.after ?? 0,
  rows: options.rows
})

/**
 * Lets the job's counters stay `rows` rows behind, at its end too.
 *
 * @category jobs
 * @since 0.1.0
 */
export const lagCounters = (options: { readonly rows: number }): JobEffect => ({
  _tag: "LagCounters",
  rows: options.rows
})

/**
 * Gives a query result pages of `rows` rows at most.
 *
 * @category jobs
 * @since 0.1.0
 */
export const smallPages = (options: { readonly rows: number }): JobEffect => ({
  _tag: "SmallPages",
  rows: options.rows
})
