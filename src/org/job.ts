/** A job as it is kept: what was asked for, and how far it is. */
import * as Schema from "effect/Schema"
import type { delimiters, lineEndings } from "./csv.ts"

export const Operation = Schema.Literals(["insert", "update", "upsert", "delete", "hardDelete"])
export const QueryOperation = Schema.Literals(["query", "queryAll"])
export const ColumnDelimiter = Schema.Literals(["BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB"])
export const LineEnding = Schema.Literals(["LF", "CRLF"])

ColumnDelimiter.literals satisfies ReadonlyArray<keyof typeof delimiters>
LineEnding.literals satisfies ReadonlyArray<keyof typeof lineEndings>

const common = {
  id: Schema.String,
  object: Schema.String,
  /** `68.0`, as in the path the job was created with. */
  apiVersion: Schema.String,
  columnDelimiter: ColumnDelimiter,
  lineEnding: LineEnding,
  createdById: Schema.String,
  /** Epoch milliseconds, as all times here. */
  created: Schema.Finite,
  modified: Schema.Finite,
  started: Schema.optionalKey(Schema.Finite),
  finished: Schema.optionalKey(Schema.Finite),
  processed: Schema.Int,
  failed: Schema.Int,
  /** How often a chunk was tried again for want of a lock. */
  retries: Schema.optionalKey(Schema.Int),
  errorMessage: Schema.optionalKey(Schema.String)
}

export const IngestJob = Schema.Struct({
  kind: Schema.Literal("ingest"),
  ...common,
  operation: Operation,
  state: Schema.Literals(["Open", "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]),
  externalIdFieldName: Schema.optionalKey(Schema.String),
  assignmentRuleId: Schema.optionalKey(Schema.String),
  /** The part of the store that holds the upload, once there is one. */
  upload: Schema.optionalKey(Schema.String),
  /** How many uploads arrived in full; a second one spoils the job. */
  uploads: Schema.Int,
  /** The rows of the upload, its header not counted. */
  rows: Schema.optionalKey(Schema.Int),
  /** What is wrong with the CSV of the upload. */
  fault: Schema.optionalKey(Schema.String)
})
export type IngestJob = typeof IngestJob.Type

export const QueryJob = Schema.Struct({
  kind: Schema.Literal("query"),
  ...common,
  operation: QueryOperation,
  state: Schema.Literals(["UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]),
  query: Schema.String
})
export type QueryJob = typeof QueryJob.Type

export const Job = Schema.Union([IngestJob, QueryJob])
export type Job = typeof Job.Type

/** Whether nothing more will happen to a job. */
export const isTerminal = (job: Job): boolean =>
  job.state === "JobComplete" || job.state === "Failed" || job.state === "Aborted"
