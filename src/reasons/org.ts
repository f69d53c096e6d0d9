/** Which org it is, and what it has and allows. */
import * as Data from "effect/Data"

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

export type Reason = WrongOrg | ProductionNotConfirmed | VersionUnavailable | DailyLimitReached
