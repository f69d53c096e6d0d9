/** The types of a plan; `Plan` exports them. */
import type { Allowance } from "../../connection/Limits.ts"

export type { Allowance } from "../../connection/Limits.ts"

/**
 * What may not be read, or cannot be known: never a failure of the plan.
 *
 * @category models
 * @since 0.1.0
 */
export type Unknown = "unknown"

/**
 * How bad a finding is.
 *
 * - `fatal`: the whole load would fail, or a whole job
 * - `error`: the records it counts would be refused
 * - `warning`: some records may be refused, or the load does more than one may want
 * - `note`: nothing is wrong, but good to know
 *
 * @category models
 * @since 0.1.0
 */
export type Severity = "fatal" | "error" | "warning" | "note"

/**
 * What was found. The names are stable, programs may rely on them.
 *
 * @category models
 * @since 0.1.0
 */
export type Code =
  // the object
  | "UNKNOWN_OBJECT"
  | "OBJECT_NOT_SUPPORTED"
  | "OPERATION_NOT_ALLOWED"
  | "PERMISSION_NEEDED"
  // the columns
  | "UNKNOWN_COLUMN"
  | "DUPLICATE_COLUMN"
  | "COLUMN_NOT_SUPPORTED"
  | "NOT_CREATEABLE"
  | "NOT_UPDATEABLE"
  | "AUDIT_FIELD"
  | "ID_NEEDED"
  | "ID_NOT_ALLOWED"
  | "ONLY_ID_ALLOWED"
  | "REQUIRED_MISSING"
  | "EXTERNAL_ID_MISSING"
  | "NOT_AN_EXTERNAL_ID"
  | "EXTERNAL_ID_NOT_UNIQUE"
  | "POLYMORPHIC_PREFIX_NEEDED"
  | "POLYMORPHIC_PREFIX_NOT_ALLOWED"
  // the values
  | "NOT_WRITABLE"
  | "INVALID_CSV"
  | "REQUIRED_BLANK"
  | "KEY_BLANK"
  | "DUPLICATE_KEY"
  | "TOO_LONG"
  | "NOT_IN_PICKLIST"
  | "NEW_PICKLIST_VALUE"
  | "NOT_A_NUMBER"
  | "OUT_OF_RANGE"
  | "NOT_A_BOOLEAN"
  | "NOT_A_DATE"
  | "NOT_A_TIME"
  | "NOT_AN_EMAIL"
  | "NOT_AN_ID"
  | "ID_OF_ANOTHER_OBJECT"
  | "CLEARS_FIELD"
  // the load
  | "MANY_CHILDREN"
  | "LOCK_RISK"
  | "TOO_MANY_BATCHES"
  | "TOO_MANY_API_CALLS"
  | "TOO_MUCH_STORAGE"

/**
 * A value that was found, in which record, counted from 1. Long values are cut.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sample {
  readonly record: number
  readonly value: string
}

/**
 * One thing that was found, however many records have it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Finding {
  readonly severity: Severity
  readonly code: Code
  readonly column: string | undefined
  /** What it is, and what to do about it. It holds no values of records. */
  readonly message: string
  /** How many of the records that were read it concerns; 0 where it is not about records. */
  readonly count: number
  /** The first of them. */
  readonly samples: ReadonlyArray<Sample>
}

/**
 * A column of the load: what field it writes, and how many records do what to it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ColumnPlan {
  readonly column: string
  readonly field: string | undefined
  readonly type: string | undefined
  /** Records that bring a value. */
  readonly filled: number
  /** Records that leave the field as it is, or to its default: the cell is empty. */
  readonly blank: number
  /** Records that clear the field: the cell is `#N/A`. */
  readonly cleared: number
}

/**
 * The least and the most.
 *
 * @category models
 * @since 0.1.0
 */
export interface Range {
  readonly from: number
  readonly to: number
}

/**
 * What the load will take.
 *
 * @category models
 * @since 0.1.0
 */
export interface Estimate {
  readonly records: number | Unknown
  /** Bytes of CSV. */
  readonly bytes: number | Unknown
  readonly jobs: number | Unknown
  /** Batches of 10,000 rows, which count against an allowance shared by all Bulk loads of the org. */
  readonly batches: number | Unknown
  readonly apiCalls: Range | Unknown
  /** MB of data storage: none where nothing is created, up to this where it is not known what is. */
  readonly storageMB: Range | Unknown
  /**
   * Seconds, if the org works off 100 to 3,000 rows in one and 0.5 to 10 MB are sent in
   * one: with many triggers and flows, and without any. The range is wide, and what waits
   * for other jobs of the org comes on top.
   */
  readonly seconds: Range | Unknown
  /** What the org has left of each, within 24 hours or of its storage. */
  readonly left: {
    readonly batches: Allowance | Unknown
    readonly apiCalls: Allowance | Unknown
    readonly storageMB: Allowance | Unknown
  }
}

/**
 * What a load does.
 *
 * @category models
 * @since 0.1.0
 */
export type Operation = "insert" | "update" | "upsert" | "delete" | "hardDelete"

/**
 * What would become of a load, as far as it can be known beforehand.
 *
 * @category models
 * @since 0.1.0
 */
export interface Plan {
  readonly object: string
  readonly operation: Operation
  readonly externalId: string | undefined
  /** How many records were read. */
  readonly read: number
  /** Whether those are all there are. */
  readonly complete: boolean
  /** The worst first. */
  readonly findings: ReadonlyArray<Finding>
  readonly columns: ReadonlyArray<ColumnPlan>
  readonly estimate: Estimate
  /** What may not be read, or was too much to keep, as texts. */
  readonly unknown: ReadonlyArray<string>
}
