/**
 * The one error of this library: a `BulkError` with a tagged reason.
 *
 * Rows that the org refuses are not errors but outcomes; a `BulkError` says
 * that a request, a job or a whole load could not do what was asked.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as ErrorCode from "./ErrorCode.ts"
import { adviceFor } from "./symptoms.ts"

/**
 * No answer: the host was not reached, or the connection broke before the
 * answer was complete. `cause` is what the HTTP client reported.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ConnectionLost extends Data.TaggedError("ConnectionLost")<{
  readonly request: string
  readonly cause: unknown
}> {
  override get message(): string {
    return `${this.request}: no complete answer (${describeCause(this.cause)})`
  }
}

/**
 * There is no talking to this host: no such name is known, its certificate is not to
 * be trusted, or it does not speak https. Nothing was sent, and nothing changes by
 * asking again; `problem` says what it is.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unreachable extends Data.TaggedError("Unreachable")<{
  readonly request: string
  readonly url: string
  readonly problem: string
  readonly cause: unknown
}> {
  override get message(): string {
    return `${this.request}: ${this.url} ${this.problem} (${describeCause(this.cause)})`
  }
}

/**
 * Salesforce answered with an error status. `code` is its `errorCode` as sent
 * (`INVALIDJOBSTATE`, `NOT_FOUND`, ...), or `HTTP_503` and the like when the body
 * was not Salesforce's JSON; `body` keeps the answer as it came.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ApiError extends Data.TaggedError("ApiError")<{
  readonly request: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly body: string
  /** How long Salesforce asks to be left alone, in milliseconds, where it does. */
  readonly retryAfter: number | undefined
}> {
  override get message(): string {
    return `${this.request}: ${this.status} ${this.code}: ${this.detail}`
  }
}

/**
 * An answer with a success status that is not what the API documents: no
 * JSON, a missing header, CSV that cannot be read.
 *
 * @category reasons
 * @since 0.1.0
 */
export class UnexpectedResponse extends Data.TaggedError("UnexpectedResponse")<{
  readonly request: string
  readonly problem: string
}> {
  override get message(): string {
    return `${this.request}: ${this.problem}`
  }
}

/**
 * The access token was refused, and the session has no way to get another.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SessionExpired extends Data.TaggedError("SessionExpired")<{
  readonly instanceUrl: string
}> {
  override get message(): string {
    return `${this.instanceUrl} refused the access token: it has expired, was ended or belongs to another org; a fixed token cannot be renewed, sign in again`
  }
}

/**
 * The login host refused to sign in. `error` is OAuth's code (`invalid_grant`, ...)
 * and `description` what Salesforce says with it.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SignInFailed extends Data.TaggedError("SignInFailed")<{
  readonly loginUrl: string
  readonly status: number
  readonly error: string
  readonly description: string
}> {
  override get message(): string {
    const hint = signInHints.find(([words]) => `${this.error} ${this.description}`.includes(words))?.[1]
    const description = this.description === "" ? "" : `: ${this.description}`
    return `${this.loginUrl} refused to sign in: ${this.error}${description}${hint === undefined ? "" : ` (${hint})`}`
  }
}

/** What a refusal usually means, by words of its code or description. */
const signInHints: ReadonlyArray<readonly [words: string, hint: string]> = [
  ["request not supported on this domain", "client credentials go to the org's My Domain, not to a login host"],
  ["no client credentials user enabled", "set the user that the app runs as in its policies"],
  ["user hasn't approved this consumer", "the user or its profile must be pre-authorised for the app"],
  ["user is inactive", "an administrator must activate the user"],
  ["user is locked", "the user is locked out: wait, or have an administrator unlock it"],
  [
    "expired authorization code",
    "a code is good once and for some minutes; for an assertion: check this machine's clock"
  ],
  ["invalid code verifier", "the verifier is not the one that this authorization began with"],
  ["redirect_uri_mismatch", "the redirect URI must be one that is set in the app, letter by letter"],
  ["rate_limit_exceeded", "too many sign-ins: wait some minutes"],
  ["audience is invalid", "production takes https://login.salesforce.com, sandboxes https://test.salesforce.com"],
  ["invalid assertion", "check the certificate of the app, and this machine's clock"],
  ["expired access/refresh token", "the refresh token was revoked, rotated or has expired: sign in anew"],
  ["invalid_client_id", "the consumer key is unknown there: a new app takes some minutes to be known"],
  ["invalid_client", "the consumer secret does not belong to this consumer key"]
]

/**
 * The connection leads to another org than the one that was expected. Nothing was
 * written.
 *
 * @category reasons
 * @since 0.1.0
 */
export class WrongOrg extends Data.TaggedError("WrongOrg")<{
  readonly what: "orgId" | "sandbox" | "instance"
  readonly expected: string
  readonly actual: string
}> {
  override get message(): string {
    return `this is another org than expected: its ${this.what} is ${this.actual}, not ${this.expected}; nothing was written`
  }
}

/**
 * Records were to be deleted in an org that is, or may be, a production org, and the
 * load does not say that this is meant. No job was created. `orgId` is what to give as
 * `confirmProduction`; `confirmed` is what was given.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ProductionNotConfirmed extends Data.TaggedError("ProductionNotConfirmed")<{
  readonly object: string
  readonly operation: "delete" | "hardDelete"
  readonly orgId: string
  readonly confirmed: string | undefined
}> {
  override get message(): string {
    const { confirmed, object, operation, orgId } = this
    const instead = confirmed === undefined ? "" : `, and not ${JSON.stringify(confirmed)}`
    return `${operation} of ${object} in the production org ${orgId}: say that it is meant by confirmProduction: "${orgId}"${instead}; no job was created`
  }
}

/**
 * The org does not have this API version. `available` are those that it has.
 *
 * @category reasons
 * @since 0.1.0
 */
export class VersionUnavailable extends Data.TaggedError("VersionUnavailable")<{
  readonly apiVersion: string
  readonly available: ReadonlyArray<string>
}> {
  override get message(): string {
    const byNumber = this.available.toSorted((a, b) => Number(a) - Number(b))
    return `the org has no API version ${this.apiVersion}: it has ${byNumber[0]} to ${byNumber.at(-1)}`
  }
}

/**
 * The org has made so many of its daily API calls that the connection's `dailyLimit`
 * leaves the rest to others. No job was created. The calls of 24 hours count, so that
 * some are free again with every hour.
 *
 * @category reasons
 * @since 0.1.0
 */
export class DailyLimitReached extends Data.TaggedError("DailyLimitReached")<{
  readonly used: number
  readonly max: number
  readonly share: number
}> {
  override get message(): string {
    const limit = Math.floor(this.max * this.share)
    return `the org has made ${this.used} of its ${this.max} daily API calls, and this connection stops at ${limit}`
  }
}

/**
 * Something given to this library cannot work: an option, a schema, a URL.
 * Nothing was sent.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidOptions extends Data.TaggedError("InvalidOptions")<{
  readonly problem: string
}> {
  override get message(): string {
    return this.problem
  }
}

/**
 * A policy's deadline passed while the job was still running. The job was
 * left alone: `jobId` is what to wait for again, later or in another process.
 *
 * @category reasons
 * @since 0.1.0
 */
export class DeadlinePassed extends Data.TaggedError("DeadlinePassed")<{
  readonly jobId: string
  readonly state: string
}> {
  override get message(): string {
    return `job ${this.jobId} is still ${this.state} at the deadline; it was left alone and can be awaited again`
  }
}

/**
 * A job ended as `Failed`, or was aborted by somebody. For an ingest job the
 * outcomes of its rows were emitted before this.
 *
 * @category reasons
 * @since 0.1.0
 */
export class JobFailed extends Data.TaggedError("JobFailed")<{
  readonly jobId: string
  readonly state: "Failed" | "Aborted"
  readonly detail: string | undefined
}> {
  override get message(): string {
    return `job ${this.jobId} is ${this.state}: ${this.detail ?? "Salesforce gives no reason"}`
  }
}

/**
 * Whether a job was submitted could not be learned: its closing request got no
 * clear answer, and neither did the questions for its state. It may be running;
 * its records must not be sent again before `jobId` was looked at.
 *
 * @category reasons
 * @since 0.1.0
 */
export class CommitUnknown extends Data.TaggedError("CommitUnknown")<{
  /** Undefined where the lost answer was the one that names the job: it is among the latest of `IngestJob.list`. */
  readonly jobId: string | undefined
  readonly cause: BulkError
}> {
  override get message(): string {
    return (
      `${this.jobId === undefined ? "a job" : `job ${this.jobId}`} may or may not have been submitted (${this.cause.message}): ` +
      `look at its state before you send its records again`
    )
  }
}

/**
 * The records are more than one job may carry. The job was aborted, nothing
 * was submitted.
 *
 * @category reasons
 * @since 0.1.0
 */
export class UploadTooLarge extends Data.TaggedError("UploadTooLarge")<{
  readonly jobId: string
  readonly limit: number
}> {
  override get message(): string {
    return `the CSV for job ${this.jobId} exceeds the ${this.limit} bytes that one job may carry; nothing was submitted`
  }
}

/**
 * Two records of one job have the same key, so their outcomes could not be told
 * apart. The job was aborted, nothing was submitted.
 *
 * @category reasons
 * @since 0.1.0
 */
export class AmbiguousKey extends Data.TaggedError("AmbiguousKey")<{
  readonly column: string
  readonly key: string
}> {
  override get message(): string {
    return `two records have the same ${this.column} (${this.key}); nothing was submitted`
  }
}

/**
 * A settled job's result files do not account for every row that was sent, or
 * name rows that were not. `sent` and `accounted` are counts of rows; `strangers`
 * are the rows, as the org wrote them, whose key is none that was sent (the first
 * hundred of them). All outcomes that could be read were emitted before this.
 *
 * @category reasons
 * @since 0.1.0
 */
export class RecordsUnaccounted extends Data.TaggedError("RecordsUnaccounted")<{
  readonly jobId: string
  readonly sent: number
  readonly accounted: number
  readonly strangers: ReadonlyArray<Readonly<Record<string, string>>>
}> {
  override get message(): string {
    const strange = this.strangers.length === 0 ? "" : `, and rows with keys that were not sent`
    return `job ${this.jobId}: ${this.sent} rows were sent, its results account for ${this.accounted}${strange}`
  }
}

/**
 * A page of query results holds another number of rows than its
 * `Sforce-NumberOfRecords` header promises.
 *
 * @category reasons
 * @since 0.1.0
 */
export class IncompletePage extends Data.TaggedError("IncompletePage")<{
  readonly jobId: string
  readonly expected: number
  readonly received: number
}> {
  override get message(): string {
    return `job ${this.jobId}: a page promised ${this.expected} records and held ${this.received}`
  }
}

/**
 * All pages of a query job were read whole, and hold fewer records than the job says
 * it found. They were all given before this.
 *
 * @category reasons
 * @since 0.1.0
 */
export class IncompleteResults extends Data.TaggedError("IncompleteResults")<{
  readonly jobId: string
  readonly expected: number
  readonly received: number
}> {
  override get message(): string {
    return `job ${this.jobId} found ${this.expected} records, and its pages hold ${this.received}`
  }
}

/**
 * There is no new watermark: the changes were not read to their end.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotDrained extends Data.TaggedError("NotDrained") {
  override get message(): string {
    return "there is no new watermark: the changes were not read to their end"
  }
}

/**
 * Salesforce does not take a query for Bulk API 2.0: it is no SOQL, names what is not
 * there, or does what bulk queries cannot. `detail` is Salesforce's message, and
 * `position` where in the query it sees the problem, counted from 1, if it says so.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SoqlRefused extends Data.TaggedError("SoqlRefused")<{
  readonly request: string
  readonly code: string
  readonly detail: string
  readonly position: { readonly row: number; readonly column: number } | undefined
  readonly body: string
}> {
  override get message(): string {
    return `${this.request}: the query was refused: ${this.code}: ${this.detail}`
  }
}

/**
 * Results were asked for again after a break, and what was handed on before is not
 * the same any more, so that it cannot be continued. `length` is how many bytes that
 * was.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ResultsChanged extends Data.TaggedError("ResultsChanged")<{
  readonly jobId: string
  readonly request: string
  readonly length: number
}> {
  override get message(): string {
    return `${this.request}: its first ${this.length} bytes were others when they were asked for again`
  }
}

/**
 * A job has no results any more: Salesforce keeps them for seven days, and not at all
 * once the job is deleted. `cause` is what Salesforce answered.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ResultsExpired extends Data.TaggedError("ResultsExpired")<{
  readonly jobId: string
  readonly cause: BulkError
}> {
  override get message(): string {
    return `job ${this.jobId} has no results any more: they are kept for seven days, or until the job is deleted`
  }
}

/**
 * A record of a query does not fit its schema. `page` counts the pages that were read
 * from 1, and `locator` is where that page begins. `row` counts the records that were
 * read from 1, or those of the page where pages are read unordered. `column` and
 * `value` are absent where the record as a whole is wrong.
 *
 * @category reasons
 * @since 0.1.0
 */
export class RecordInvalid extends Data.TaggedError("RecordInvalid")<{
  readonly jobId: string
  readonly page: number
  readonly locator: string | undefined
  readonly row: number
  readonly column: string | undefined
  readonly value: string | undefined
  readonly problem: string
}> {
  override get message(): string {
    const where = this.column === undefined ? "" : `, column ${this.column} (${JSON.stringify(this.value)})`
    return `job ${this.jobId}, page ${this.page}, record ${this.row}${where}: ${this.problem}`
  }
}

/**
 * A plan found what it must not find. Nothing was sent. `findings` are those that
 * stand against the load.
 *
 * @category reasons
 * @since 0.1.0
 */
export class PlanNotClean extends Data.TaggedError("PlanNotClean")<{
  readonly object: string
  readonly operation: string
  readonly findings: ReadonlyArray<{
    readonly severity: string
    readonly code: string
    readonly column: string | undefined
    readonly message: string
    readonly count: number
  }>
}> {
  override get message(): string {
    const [first] = this.findings
    const where = first?.column === undefined ? "" : `${first.column}: `
    const more = this.findings.length > 1 ? `, and ${this.findings.length - 1} more findings` : ""
    return `the plan of the ${this.operation} of ${this.object} is not clean: ${where}${first?.message}${more}; nothing was sent`
  }
}

/**
 * A guard stopped the load. What was sent until then is settled; the outcomes of all
 * records were emitted before this.
 *
 * @category reasons
 * @since 0.1.0
 */
export class LoadStopped extends Data.TaggedError("LoadStopped")<{
  readonly guard: "canary" | "stopWhen" | "submitUntil"
  readonly problem: string
}> {
  override get message(): string {
    return `the load was stopped by ${this.guard}: ${this.problem}`
  }
}

/**
 * Objects refer to one another in a circle, so that none of them can be loaded first.
 * `cycle` names them, the first one again at its end, and `columns` by which columns
 * each refers to the next.
 *
 * @category reasons
 * @since 0.1.0
 */
export class LoadCycle extends Data.TaggedError("LoadCycle")<{
  readonly cycle: ReadonlyArray<string>
  readonly columns: ReadonlyArray<string>
}> {
  override get message(): string {
    const needs = this.columns.map((column, i) => `${this.cycle[i]} needs ${this.cycle[i + 1]} (${column})`)
    return `none of these can be loaded first: ${needs.join(", ")}; leave one of the columns out, and fill it by an update afterwards`
  }
}

/**
 * A run cannot be begun, or gone on with. What was sent before stays recorded, and
 * nothing was sent twice.
 *
 * @category reasons
 * @since 0.1.0
 */
export class RunRefused extends Data.TaggedError("RunRefused")<{
  readonly runId: string
  readonly problem: string
}> {
  override get message(): string {
    return `the run ${this.runId} does not go on: ${this.problem}`
  }
}

/**
 * Another process works on the run: `holder` is a name that it gave itself, and
 * `expiresAt` is until when it holds the run if it should not be seen again.
 *
 * @category reasons
 * @since 0.1.0
 */
export class RunHeld extends Data.TaggedError("RunHeld")<{
  readonly runId: string
  readonly holder: string
  readonly expiresAt: string
}> {
  override get message(): string {
    return `the run ${this.runId} does not go on here: another process (${this.holder}) works on it, at least until ${this.expiresAt}`
  }
}

/**
 * What was uploaded could not be kept, or be read again: the folder of the spool is
 * full or cannot be written to. The part it happened to was not submitted.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SpoolFailed extends Data.TaggedError("SpoolFailed")<{
  readonly cause: unknown
}> {
  override get message(): string {
    return `the spool failed: ${describeCause(this.cause)}`
  }
}

/**
 * A record was refused in a load that asked for none to be (`onRowError: "fail"`).
 * `jobId` is absent where the record was not sent. The outcomes of all records that
 * were submitted were emitted before this.
 *
 * @category reasons
 * @since 0.1.0
 */
export class RowFailed extends Data.TaggedError("RowFailed")<{
  readonly jobId: string | undefined
  readonly code: string
  readonly detail: string
}> {
  override get message(): string {
    return `${this.jobId === undefined ? "a record cannot be sent" : `job ${this.jobId} refused a record`}: ${this.code}: ${this.detail}`
  }
}

/**
 * What was given as CSV is none, or none that Salesforce takes. `line` counts from 1.
 * The part it is in was not submitted.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidCsv extends Data.TaggedError("InvalidCsv")<{
  readonly line: number | undefined
  readonly problem: string
}> {
  override get message(): string {
    return `the CSV cannot be loaded: ${this.problem}`
  }
}

/**
 * Why an operation failed.
 *
 * @category reasons
 * @since 0.1.0
 */
export type Reason =
  | ConnectionLost
  | Unreachable
  | ApiError
  | UnexpectedResponse
  | SessionExpired
  | SignInFailed
  | InvalidOptions
  | WrongOrg
  | ProductionNotConfirmed
  | VersionUnavailable
  | DailyLimitReached
  | DeadlinePassed
  | JobFailed
  | CommitUnknown
  | UploadTooLarge
  | AmbiguousKey
  | RecordsUnaccounted
  | IncompletePage
  | RecordInvalid
  | PlanNotClean
  | LoadStopped
  | LoadCycle
  | RunRefused
  | RunHeld
  | IncompleteResults
  | NotDrained
  | SoqlRefused
  | ResultsChanged
  | ResultsExpired
  | SpoolFailed
  | RowFailed
  | InvalidCsv

/**
 * The error of every operation in this library. `reason` is the tagged cause,
 * to be handled with `Effect.catchReason`; `org` is the URL of the org it concerns,
 * where that is known.
 *
 * The message says what happened, where, and what can be done about it.
 *
 * **Example** (Handling one reason)
 *
 * ```ts
 * program.pipe(
 *   Effect.catchReason("BulkError", "JobFailed", (reason) => Effect.logError(reason.message))
 * )
 * ```
 *
 * **Example** (Handling a kind of failure)
 *
 * ```ts
 * program.pipe(
 *   Effect.catchIf((error) => error.isLimit, (error) => Effect.logWarning("tomorrow again", error.message))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class BulkError extends Data.TaggedError("BulkError")<{
  readonly reason: Reason
  readonly org?: string | undefined
}> {
  override get message(): string {
    const { advice, org } = this
    const what = this.reason.message
    const where = org === undefined || what.includes(org) ? "" : `${org}: `
    return `${where}${what}${advice === undefined ? "" : ` (${advice})`}`
  }

  /** The request that failed, without host and version, like `GET /jobs/query/750...`. */
  get request(): string | undefined {
    const { reason } = this
    if ("request" in reason) return reason.request
    return reason._tag === "CommitUnknown" ? reason.cause.request : undefined
  }

  /** The job it concerns. */
  get jobId(): string | undefined {
    const { reason } = this
    return "jobId" in reason ? reason.jobId : /\/jobs\/(?:ingest|query)\/(\w+)/.exec(this.request ?? "")?.[1]
  }

  /** The code that Salesforce gave, in the spelling of `ErrorCode`; undefined when it gave none, or one that is not listed. */
  get code(): ErrorCode.ErrorCode | undefined {
    const { reason } = this
    switch (reason._tag) {
      case "ApiError":
      case "SoqlRefused":
        return ErrorCode.parse(reason.code)
      case "JobFailed":
        // "InvalidBatch : Field name not found : Foo__c"
        return ErrorCode.parse(/^\w+(?= ?:)/.exec(reason.detail ?? "")?.[0] ?? "")
      default:
        return undefined
    }
  }

  /** What to do about it, by what Salesforce says; undefined where there is nothing to add. */
  get advice(): string | undefined {
    const { reason } = this
    switch (reason._tag) {
      case "ApiError":
      case "SoqlRefused":
        return adviceFor(`${reason.code} ${reason.detail}`)
      case "JobFailed":
        return adviceFor(reason.detail ?? "")
      default:
        return undefined
    }
  }

  /** Whether the same request may succeed if it is sent again later. */
  get isRetryable(): boolean {
    const { reason } = this
    switch (reason._tag) {
      case "ConnectionLost":
        return true
      case "ApiError":
      case "SignInFailed":
        return reason.status >= 500 || transientStatuses.has(reason.status)
      default:
        return false
    }
  }

  /** Whether Salesforce refused the session, or to give one. */
  get isAuth(): boolean {
    const { reason } = this
    return (
      reason._tag === "SessionExpired" ||
      reason._tag === "SignInFailed" ||
      (reason._tag === "ApiError" && reason.status === 401) ||
      this.category === "auth"
    )
  }

  /** Whether an allowance of the org is used up, so that it will not help to ask again soon. */
  get isLimit(): boolean {
    return this.category === "limit" || this.reason._tag === "DailyLimitReached"
  }

  /** Whether the user, or the org, lacks a permission or a feature. */
  get isPermission(): boolean {
    return this.category === "permission"
  }

  /** Whether there is no such job, object or record, or none any more. */
  get isNotFound(): boolean {
    return this.category === "missing" || (this.reason._tag === "ApiError" && this.reason.status === 404)
  }

  private get category(): ErrorCode.Category | undefined {
    return this.code === undefined ? undefined : ErrorCode.categoryOf(this.code)
  }
}

// what the edge of Salesforce answers while it throttles or re-routes
const transientStatuses = new Set([406, 420, 429])

/**
 * A `BulkError` for a reason, in an org.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (reason: Reason, org?: string): BulkError => new BulkError({ reason, org })

/**
 * The same error, with the org it concerns if that was not known.
 *
 * @category combinators
 * @since 0.1.0
 */
export const inOrg = (error: BulkError, org: string | undefined): BulkError =>
  error.org === undefined && org !== undefined ? make(error.reason, org) : error

const describeCause = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  // what lies beneath says more, like ECONNREFUSED beneath "fetch failed"
  if (cause.cause instanceof Error) return describeCause(cause.cause)
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined
  return cause.message === "" ? (code ?? cause.name) : cause.message
}
