/**
 * What ingest and query jobs have in common on the wire.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The state of a job. Salesforce may add states, so any text is accepted.
 *
 * @see PROTOCOL "State machines" of the Bulk API 2.0 guide
 * @category models
 * @since 0.1.0
 */
export type State = "Open" | "UploadComplete" | "InProgress" | "JobComplete" | "Failed" | "Aborted" | (string & {})

const terminal: ReadonlySet<State> = new Set<State>(["JobComplete", "Failed", "Aborted"])

/**
 * Whether a job in this state will not change any more.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTerminal = (job: { readonly state: State }): boolean => terminal.has(job.state)

/**
 * What Salesforce says of a job. `numberRecordsProcessed` counts failed rows
 * too; both counters move while the job runs, and are known to lag.
 *
 * @category schemas
 * @since 0.1.0
 */
export class JobInfo extends Schema.Class<JobInfo>("JobInfo")({
  id: Schema.String,
  operation: Schema.String,
  state: Schema.String,
  object: Schema.optionalKey(Schema.String),
  /** When it was created, by the org's clock. */
  createdDate: Schema.optionalKey(Schema.String),
  numberRecordsProcessed: Schema.optionalKey(Schema.Number),
  numberRecordsFailed: Schema.optionalKey(Schema.Number),
  errorMessage: Schema.optionalKey(Schema.String)
}) {}
