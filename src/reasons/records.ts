/** Records of a load that cannot be sent, kept, told apart or accounted for. */
import * as Data from "effect/Data"
import { describeCause } from "./describeCause.ts"

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

export type Reason = InvalidCsv | AmbiguousKey | SpoolFailed | RowFailed | RecordsUnaccounted
