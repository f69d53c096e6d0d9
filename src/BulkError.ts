/**
 * The one error of this library: a `BulkError` with a tagged reason.
 *
 * Rows that the org refuses are not errors but outcomes; a `BulkError` says
 * that a request, a job or a whole load could not do what was asked.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

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
    return `${this.instanceUrl} refused the access token, and a fixed token cannot be renewed: sign in again`
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
    return `${this.loginUrl} refused to sign in: ${this.error}: ${this.description}${hint === undefined ? "" : ` (${hint})`}`
  }
}

/** What a refusal usually means, by words of its code or description. */
const signInHints: ReadonlyArray<readonly [words: string, hint: string]> = [
  ["request not supported on this domain", "client credentials go to the org's My Domain, not to a login host"],
  ["no client credentials user enabled", "set the user that the app runs as in its policies"],
  ["user hasn't approved this consumer", "the user or its profile must be pre-authorised for the app"],
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
  readonly jobId: string
  readonly cause: BulkError
}> {
  override get message(): string {
    return (
      `job ${this.jobId} may or may not have been submitted (${this.cause.message}): ` +
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
 * A record of a query does not fit its schema. `row` counts the job's records
 * from 1; `column` and `value` are absent where the record as a whole is wrong.
 *
 * @category reasons
 * @since 0.1.0
 */
export class RecordInvalid extends Data.TaggedError("RecordInvalid")<{
  readonly jobId: string
  readonly row: number
  readonly column: string | undefined
  readonly value: string | undefined
  readonly problem: string
}> {
  override get message(): string {
    const where = this.column === undefined ? "" : `, column ${this.column} (${JSON.stringify(this.value)})`
    return `job ${this.jobId}, record ${this.row}${where}: ${this.problem}`
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
  | ApiError
  | UnexpectedResponse
  | SessionExpired
  | SignInFailed
  | InvalidOptions
  | WrongOrg
  | DeadlinePassed
  | JobFailed
  | CommitUnknown
  | UploadTooLarge
  | AmbiguousKey
  | RecordsUnaccounted
  | IncompletePage
  | RecordInvalid

/**
 * The error of every operation in this library. `reason` is the tagged cause,
 * to be handled with `Effect.catchReason`.
 *
 * **Example** (Handling one reason)
 *
 * ```ts
 * program.pipe(
 *   Effect.catchReason("BulkError", "JobFailed", (reason) => Effect.logError(reason.message))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class BulkError extends Data.TaggedError("BulkError")<{
  readonly reason: Reason
}> {
  override get message(): string {
    return this.reason.message
  }

  /** Whether the same request may succeed if it is sent again later. */
  get isRetryable(): boolean {
    switch (this.reason._tag) {
      case "ConnectionLost":
        return true
      case "ApiError":
        return this.reason.status >= 500 || transientStatuses.has(this.reason.status)
      default:
        return false
    }
  }

  /** Whether Salesforce refused the session. */
  get isAuth(): boolean {
    const { reason } = this
    return (
      reason._tag === "SessionExpired" ||
      reason._tag === "SignInFailed" ||
      (reason._tag === "ApiError" && reason.status === 401)
    )
  }
}

// what the edge of Salesforce answers while it throttles or re-routes
const transientStatuses = new Set([406, 420, 429])

/**
 * A `BulkError` for a reason.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (reason: Reason): BulkError => new BulkError({ reason })

const describeCause = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined
  return cause.message === "" ? (code ?? cause.name) : cause.message
}
