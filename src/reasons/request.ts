/** What comes of a request: no answer, none that can be used, or a refusal. */
import * as Data from "effect/Data"
import { askToWait } from "./askToWait.ts"
import { describeCause } from "./describeCause.ts"

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
    return `${this.request}: ${this.status} ${this.code}: ${this.detail}${askToWait(this.retryAfter)}`
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

export type Reason = ConnectionLost | Unreachable | ApiError | UnexpectedResponse
