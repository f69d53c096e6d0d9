/** Sessions that end, and sign-ins that are refused. */
import * as Data from "effect/Data"
import { signInAdviceFor } from "../symptoms.ts"
import { askToWait } from "./askToWait.ts"

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
  /** How long the login host asks to be left alone, in milliseconds, where it does. */
  readonly retryAfter?: number | undefined
}> {
  override get message(): string {
    const hint = signInAdviceFor(`${this.error} ${this.description}`)
    const description = this.description === "" ? "" : `: ${this.description}`
    const asks = askToWait(this.retryAfter)
    return `${this.loginUrl} refused to sign in: ${this.error}${description}${asks}${hint === undefined ? "" : ` (${hint})`}`
  }
}

export type Reason = SessionExpired | SignInFailed
