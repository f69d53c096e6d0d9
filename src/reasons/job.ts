/** Jobs that do not come to their end, and results that do not come whole. */
import * as Data from "effect/Data"
import { counted } from "../counted.ts"

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
    return `job ${this.jobId}: a page promised ${counted(this.expected, "record")} and held ${this.received}`
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

export type Reason = DeadlinePassed | JobFailed | UploadTooLarge | IncompletePage | ResultsChanged
