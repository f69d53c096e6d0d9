/**
 * What ingest and query jobs have in common on the wire.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/**
 * The state of a job. Salesforce may add states, so any text is accepted.
 *
 * @see PROTOCOL "State machines" of the Bulk API 2.0 guide
 * @category models
 * @since 0.1.0
 */
export type State = "Open" | "UploadComplete" | "InProgress" | "JobComplete" | "Failed" | "Aborted" | (string & {})

/**
 * What is between the cells of a job's CSV.
 *
 * @category models
 * @since 0.1.0
 */
export type ColumnDelimiter = "BACKQUOTE" | "CARET" | "COMMA" | "PIPE" | "SEMICOLON" | "TAB"

/**
 * What ends the lines of a job's CSV.
 *
 * @category models
 * @since 0.1.0
 */
export type LineEnding = "LF" | "CRLF"

const terminal: ReadonlySet<State> = new Set<State>(["JobComplete", "Failed", "Aborted"])

/**
 * Whether a job in this state will not change any more.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTerminal = (job: { readonly state: State }): boolean => terminal.has(job.state)

/**
 * A date as jobs have it, `2026-11-23T20:41:12.000+0000`: with an offset that is no
 * ISO 8601, for want of a colon. Such a one with a colon, or `Z`, is read too.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Timestamp = Schema.String.pipe(
  Schema.decodeTo(
    Schema.DateTimeUtcFromString,
    SchemaTransformation.transform({
      decode: (text) => text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2"),
      encode: (text) => text.replace(/Z$/, "+0000")
    })
  )
)

/**
 * What Salesforce says of a job. Which of it is there depends on the kind of job, its
 * state and the request. `numberRecordsProcessed` counts failed rows too; both
 * counters move while the job runs, and are known to lag. Times are in milliseconds.
 *
 * Listings hold jobs of the older Bulk API too, whose states and content types are
 * others.
 *
 * @category schemas
 * @since 0.1.0
 */
export class JobInfo extends Schema.Class<JobInfo>("JobInfo")({
  id: Schema.String,
  operation: Schema.String,
  state: Schema.String,
  object: Schema.optionalKey(Schema.String),
  createdById: Schema.optionalKey(Schema.String),
  /** When it was created, by the org's clock. */
  createdDate: Schema.optionalKey(Timestamp),
  systemModstamp: Schema.optionalKey(Timestamp),
  externalIdFieldName: Schema.optionalKey(Schema.NullOr(Schema.String)),
  assignmentRuleId: Schema.optionalKey(Schema.NullOr(Schema.String)),
  concurrencyMode: Schema.optionalKey(Schema.String),
  contentType: Schema.optionalKey(Schema.String),
  apiVersion: Schema.optionalKey(Schema.Union([Schema.Number, Schema.String])),
  /** `V2Ingest`, `V2Query`, `BigObjectIngest` or `Classic`. */
  jobType: Schema.optionalKey(Schema.String),
  lineEnding: Schema.optionalKey(Schema.String),
  columnDelimiter: Schema.optionalKey(Schema.String),
  numberRecordsProcessed: Schema.optionalKey(Schema.Number),
  numberRecordsFailed: Schema.optionalKey(Schema.Number),
  retries: Schema.optionalKey(Schema.Number),
  totalProcessingTime: Schema.optionalKey(Schema.Number),
  apiActiveProcessingTime: Schema.optionalKey(Schema.Number),
  apexProcessingTime: Schema.optionalKey(Schema.Number),
  isPkChunkingSupported: Schema.optionalKey(Schema.Boolean),
  errorMessage: Schema.optionalKey(Schema.String)
}) {}
