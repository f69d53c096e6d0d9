/** Queries that are refused, and records that are not what was asked for. */
import * as Data from "effect/Data"
import { counted } from "../counted.ts"

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
    const hint = this.value === "" ? " (the cell is empty, which Schema.NullOr reads as null)" : ""
    return `job ${this.jobId}, page ${this.page}, record ${this.row}${where}: ${this.problem}${hint}`
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
    return `job ${this.jobId} found ${counted(this.expected, "record")}, and its pages hold ${this.received}`
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

export type Reason = SoqlRefused | RecordInvalid | IncompleteResults | NotDrained
