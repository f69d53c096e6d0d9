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
import type * as Job from "./reasons/job.ts"
import type * as Load from "./reasons/load.ts"
import type * as Options from "./reasons/options.ts"
import type * as Org from "./reasons/org.ts"
import type * as Query from "./reasons/query.ts"
import type * as Records from "./reasons/records.ts"
import type * as Request from "./reasons/request.ts"
import type * as Session from "./reasons/session.ts"
import { adviceFor } from "./symptoms.ts"

export { DeadlinePassed, IncompletePage, JobFailed, ResultsChanged, UploadTooLarge } from "./reasons/job.ts"
export { LoadCycle, LoadStopped, PlanNotClean, RunHeld, RunRefused } from "./reasons/load.ts"
export { InvalidOptions } from "./reasons/options.ts"
export { DailyLimitReached, ProductionNotConfirmed, VersionUnavailable, WrongOrg } from "./reasons/org.ts"
export { IncompleteResults, NotDrained, RecordInvalid, SoqlRefused } from "./reasons/query.ts"
export { AmbiguousKey, InvalidCsv, RecordsUnaccounted, RowFailed, SpoolFailed } from "./reasons/records.ts"
export { ApiError, ConnectionLost, UnexpectedResponse, Unreachable } from "./reasons/request.ts"
export { SessionExpired, SignInFailed } from "./reasons/session.ts"

// these two hold a `BulkError` themselves, and so stand beside it

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
 * Why an operation failed.
 *
 * @category reasons
 * @since 0.1.0
 */
export type Reason =
  | Request.Reason
  | Session.Reason
  | Org.Reason
  | Options.Reason
  | Job.Reason
  | Query.Reason
  | Records.Reason
  | Load.Reason
  | CommitUnknown
  | ResultsExpired

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

// what was given was wrong, or this machine failed
const concernNoOrg: ReadonlySet<Reason["_tag"]> = new Set([
  "InvalidOptions",
  "InvalidCsv",
  "LoadCycle",
  "NotDrained",
  "SpoolFailed"
] as const)

/**
 * The same error, with the org it concerns if that was not known. What is wrong with
 * options or a file, or on this machine, concerns none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const inOrg = (error: BulkError, org: string | undefined): BulkError =>
  error.org !== undefined || org === undefined || concernNoOrg.has(error.reason._tag) ? error : make(error.reason, org)
