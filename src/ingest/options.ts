import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import type * as Stream from "effect/Stream"
import type { BulkError } from "../BulkError.ts"
import type * as Poll from "../job/Poll.ts"
import type { Progress } from "../Progress.ts"
import type * as Csv from "../record/Csv.ts"
import type * as RecordCodec from "../record/RecordCodec.ts"
import type { RowError } from "./Outcome.ts"
import type * as Spool from "./Spool.ts"

/**
 * What every load takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface LoadOptions {
  /** The API name of the object, like `Account` or `Inventory__c`. */
  readonly object: string
  /** The assignment rule for cases or leads. Default: none. */
  readonly assignmentRuleId?: string | undefined
  /** How many bytes of CSV one job may carry, at most 100 MB. Default: as the spool says, 16 MiB in memory. */
  readonly partBytes?: number | undefined
  /** How many records one job may carry. Default: as many as its bytes allow. */
  readonly partRows?: number | undefined
  /** A job that is not full is closed when it has been open for so long. Default 5 minutes. */
  readonly partWithin?: Duration.Input | undefined
  /**
   * How many jobs may be unread, the one being uploaded included; while two that are
   * done wait to be read no other is begun. Default 4.
   */
  readonly concurrency?: number | undefined
  /** Where a part is kept until it is settled. Default: what `Spool.Spool` is, in memory. */
  readonly spool?: Spool.Kind | undefined
  /**
   * What becomes of a record whose key another one in the same job has: it fails the
   * load with `AmbiguousKey` before the job is submitted, or the first or the last one is
   * sent and the others are failed outcomes, code `DUPLICATE_KEY`. Default `fail`.
   */
  readonly duplicates?: "fail" | "first" | "last" | undefined
  /**
   * Which outcomes come out. Without successes they are counted, and not downloaded:
   * of an upsert it is not known then how many were created. Default `all`.
   */
  readonly outcomes?: "all" | "failures" | undefined
  /**
   * Takes the records that succeeded as the org writes them, CSV of each job with their
   * ids: for a file, say, that the next load needs. Only with `outcomes: "failures"`.
   * Default: they are not downloaded.
   */
  readonly keepSuccesses?:
    | ((csv: Stream.Stream<Uint8Array, BulkError>, jobId: string) => Effect.Effect<void, BulkError>)
    | undefined
  /** Whether a failed row is an outcome, or fails the load with `RowFailed`. Default `outcome`. */
  readonly onRowError?: "outcome" | "fail" | undefined
  /** Whether a job that failed, or was aborted by somebody, fails the load. Its outcomes come first. Default `fail`. */
  readonly onJobFailed?: "fail" | "continue" | undefined
  /**
   * What becomes of submitted jobs when the stream is interrupted or left early: they
   * run on, or are aborted, which undoes nothing that is committed. Default `leave`.
   */
  readonly onInterrupt?: "leave" | "abort" | undefined
  /**
   * When records are sent again that were refused for what may pass, in jobs of their
   * own; only with a key. Default: three times, after about 10, 20 and 40 seconds.
   */
  readonly retryRows?: Schedule.Schedule<unknown> | "never" | undefined
  /** Which errors of rows may pass. Default: `Outcome.isTransient`. */
  readonly isTransient?: ((error: RowError) => boolean) | undefined
  /** Whether uploads are compressed on the way. Default: what the connection's `gzipUploads` says. */
  readonly gzip?: boolean | undefined
  /** How often to look at a running job, and how long. Default: 250 ms growing to 30 s, no deadline. */
  readonly poll?: Poll.Poll | undefined
  /** Told what happens while the load runs. Default: nobody. */
  readonly progress?: ((event: Progress) => Effect.Effect<void>) | undefined
}

/**
 * What every verb for records takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<S extends RecordCodec.RecordSchema> extends LoadOptions {
  /** The records' schema: a struct or class, whose fields are the columns of the CSV. */
  readonly schema: S
  /** What is between cells. Default `COMMA`. */
  readonly columnDelimiter?: Csv.ColumnDelimiter | undefined
  /** What ends lines. Default `LF`. */
  readonly lineEnding?: Csv.LineEnding | undefined
}
