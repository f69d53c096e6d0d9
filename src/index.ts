/**
 * Salesforce Bulk API 2.0 as streams: records in and outcomes out, SOQL in and
 * records out, over whatever `HttpClient` the application provides.
 *
 * @since 0.1.0
 */
export * as BulkError from "./BulkError.ts"
export * as Auth from "./connection/Auth.ts"
export * as Connection from "./connection/Connection.ts"
export * as Limits from "./connection/Limits.ts"
export * as WebLogin from "./connection/WebLogin.ts"
export * as ErrorCode from "./ErrorCode.ts"
export * as Checked from "./ingest/Checked.ts"
export * as Failures from "./ingest/Failures.ts"
export * as Guard from "./ingest/Guard.ts"
export * as Ingest from "./ingest/Ingest.ts"
export * as Outcome from "./ingest/Outcome.ts"
export * as Plan from "./ingest/Plan.ts"
export * as RejectFile from "./ingest/RejectFile.ts"
export * as Summary from "./ingest/Summary.ts"
export * as Describe from "./job/Describe.ts"
export * as IngestJob from "./job/IngestJob.ts"
export * as Job from "./job/Job.ts"
export * as Poll from "./job/Poll.ts"
export * as QueryJob from "./job/QueryJob.ts"
export * as Metrics from "./Metrics.ts"
export * as Progress from "./Progress.ts"
export * as Names from "./query/Names.ts"
export * as Query from "./query/Query.ts"
export * as Soql from "./query/Soql.ts"
export { soql } from "./query/Soql.ts"
export * as Csv from "./record/Csv.ts"
export * as Field from "./record/Field.ts"
export * as RecordCodec from "./record/RecordCodec.ts"
