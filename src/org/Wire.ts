/** JSON bodies and errors as Salesforce writes them. */
import * as Data from "effect/Data"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { type IngestJob, isTerminal, type Job, type QueryJob } from "./job.ts"

/** A request that is refused: its status and the one element of its body. */
export class ApiError extends Data.TaggedError("ApiError")<{
  readonly status: number
  readonly errorCode: string
  readonly message: string
}> {}

export const notFound = new ApiError({
  status: 404,
  errorCode: "NOT_FOUND",
  message: "The requested resource does not exist"
})

export const invalidSession = new ApiError({
  status: 401,
  errorCode: "INVALID_SESSION_ID",
  message: "Session expired or invalid"
})

/** Of an `Authorization` that holds no token at all. */
export const invalidAuthHeader = new ApiError({
  status: 401,
  errorCode: "INVALID_AUTH_HEADER",
  message: "INVALID_HEADER_TYPE"
})

/** Of a version that Salesforce serves no more. */
export const retired = (version: string): ApiError =>
  new ApiError({ status: 410, errorCode: "GONE", message: `API version ${version} is retired` })

export const badRequest = (errorCode: string, message: string): ApiError =>
  new ApiError({ status: 400, errorCode, message })

export const unsupportedMedia = (message: string): ApiError =>
  new ApiError({ status: 415, errorCode: "UNSUPPORTED_MEDIA_TYPE", message })

/** The response of a refused request. */
export const errorResponse = (error: ApiError): HttpServerResponse.HttpServerResponse =>
  jsonResponse([{ errorCode: error.errorCode, message: error.message }], error.status)

/** A JSON response, with the content type as Salesforce writes it. */
export const jsonResponse = (body: unknown, status = 200): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(toJson(body), { status, contentType: "application/json;charset=UTF-8" })

// `68.0` is a number on the wire, and JSON.stringify would drop its `.0`
const toJson = (body: unknown): string => JSON.stringify(body).replace(/"apiVersion":"(\d+\.\d)"/g, '"apiVersion":$1')

const dateTime = (millis: number): string => new Date(millis).toISOString().replace("Z", "+0000")

const identity = (job: Job) => ({
  id: job.id,
  operation: job.operation,
  object: job.object,
  createdById: job.createdById,
  createdDate: dateTime(job.created),
  systemModstamp: dateTime(job.modified),
  state: job.state,
  ...(job.kind === "ingest" && {
    externalIdFieldName: job.externalIdFieldName,
    assignmentRuleId: job.assignmentRuleId
  }),
  concurrencyMode: "Parallel",
  contentType: "CSV",
  apiVersion: job.apiVersion
})

const format = (job: Job) => ({ lineEnding: job.lineEnding, columnDelimiter: job.columnDelimiter })

const contentUrl = (job: IngestJob) =>
  job.state === "Open" ? `services/data/v${job.apiVersion}/jobs/ingest/${job.id}/batches` : undefined

/** What a new job is answered with. */
export const createdJob = (job: Job) =>
  job.kind === "ingest"
    ? { ...identity(job), contentUrl: contentUrl(job), ...format(job) }
    : { ...identity(job), ...format(job) }

/** What a changed state is answered with. */
export const changedJob = (job: Job) => identity(job)

const jobTypes = { ingest: "V2Ingest", query: "V2Query" } as const

const processingTime = (job: Job): number =>
  job.started === undefined ? 0 : (job.finished ?? job.modified) - job.started

const ingestInfo = (job: IngestJob) => ({
  ...identity(job),
  contentUrl: contentUrl(job),
  jobType: jobTypes.ingest,
  ...format(job),
  ...(job.started !== undefined && {
    numberRecordsProcessed: job.processed,
    numberRecordsFailed: job.failed
  }),
  retries: job.retries ?? 0,
  totalProcessingTime: processingTime(job),
  apiActiveProcessingTime: processingTime(job),
  apexProcessingTime: 0,
  errorMessage: job.errorMessage
})

const queryInfo = (job: QueryJob) => ({
  ...identity(job),
  jobType: jobTypes.query,
  ...format(job),
  numberRecordsProcessed: job.processed,
  retries: 0,
  totalProcessingTime: processingTime(job),
  isPkChunkingSupported: true,
  errorMessage: job.errorMessage
})

/** What a list says about a job. */
export const listedJob = (job: Job) => ({
  ...identity(job),
  ...(job.kind === "ingest" && { contentUrl: contentUrl(job) }),
  jobType: jobTypes[job.kind],
  ...format(job)
})

/** All there is to know about a job. */
export const jobInfo = (job: Job) => (job.kind === "ingest" ? ingestInfo(job) : queryInfo(job))

/** A change of state that comes too late, as Salesforce words it. */
export const tooLate = (action: "Aborting" | "Closing", job: Job): ApiError => {
  const state = job.state === "JobComplete" ? "Completed" : job.state
  const already = isTerminal(job) || job.state === "UploadComplete" ? `already ${state}` : state
  return badRequest("INVALIDJOBSTATE", `${action} ${already} Job not allowed`)
}
