import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import { Connection, inOrg } from "../connection/Connection.ts"
import { streamInOrg } from "../connection/streamInOrg.ts"
import * as Continuation from "./continuation.ts"
import * as Job from "./Job.ts"
import * as Poll from "./Poll.ts"

/** What `awaitDone` of either kind of job takes. */
export interface AwaitOptions<R> {
  readonly poll?: Poll.Poll | undefined
  readonly onLook?: ((job: Job.JobInfo) => Effect.Effect<void, never, R>) | undefined
}

const JobList = Schema.Struct({ records: Schema.Array(Job.JobInfo), ...Continuation.fields })

/** How CSV is written, where nothing else is asked for. */
const format = { contentType: "CSV", columnDelimiter: "COMMA", lineEnding: "LF" }

/** The job and its CSV as the two parts of one body. The framing has CRLF, whatever the CSV has. */
const multipart = (job: object, csv: string) => {
  // a line of the CSV that is the boundary would end it
  let boundary = "effect-salesforce-bulk"
  while (csv.includes(`--${boundary}`)) boundary += "-"
  const lines = [
    `--${boundary}`,
    "Content-Type: application/json",
    'Content-Disposition: form-data; name="job"',
    "",
    JSON.stringify(job),
    `--${boundary}`,
    "Content-Type: text/csv",
    'Content-Disposition: form-data; name="content"; filename="content"',
    "",
    csv,
    `--${boundary}--`,
    ""
  ]
  return { content: lines.join("\r\n"), contentType: `multipart/form-data; boundary=${boundary}` }
}

/** Notes a job's id, what it is to do, and how it fares, on the span of a step. */
const note = (job: Job.JobInfo): Effect.Effect<void> => {
  const attributes = {
    "salesforce.job.id": job.id,
    "salesforce.job.state": job.state,
    "salesforce.operation": job.operation,
    "salesforce.object": job.object,
    "salesforce.records.processed": job.numberRecordsProcessed,
    "salesforce.records.failed": job.numberRecordsFailed
  }
  return Effect.annotateCurrentSpan(
    Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))
  )
}

/** Spans of a job's steps, named after the functions that take them. */
const stepOf =
  (module: "IngestJob" | "QueryJob") =>
  (step: string, jobId?: string): (<A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) =>
    Effect.withSpan(`${module}.${step}`, {
      attributes: jobId === undefined ? {} : { "salesforce.job.id": jobId }
    }) as never

/** The operations that ingest and query jobs share, each at its own path. */
export const endpointAt = (base: "/jobs/ingest" | "/jobs/query") => {
  const jobType = base === "/jobs/ingest" ? "V2Ingest" : "V2Query"
  const path = (jobId: string): string => `${base}/${encodeURIComponent(jobId)}`
  const span = stepOf(base === "/jobs/ingest" ? "IngestJob" : "QueryJob")

  const create = (body: object): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
    Connection.use((connection) =>
      connection.json(
        {
          method: "POST",
          path: base,
          // at worst a spare job is left, which nobody closes
          repeatable: true,
          body: { ...format, ...body }
        },
        Job.JobInfo
      )
    ).pipe(Effect.tap(note), span("create"))

  /** Creates and submits a job by one request, which is never repeated: records could be submitted twice. */
  const submit = (body: object, csv: string): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
    Connection.use((connection) =>
      connection.json(
        { method: "POST", path: base, repeatable: false, text: multipart({ ...format, ...body }, csv) },
        Job.JobInfo
      )
    ).pipe(Effect.tap(note), span("submitSmall"))

  const get = (jobId: string): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
    Connection.use((connection) => connection.json({ method: "GET", path: path(jobId) }, Job.JobInfo))

  const patchState = (jobId: string, state: "UploadComplete" | "Aborted", repeatable: boolean) =>
    Connection.use((connection) =>
      connection.json({ method: "PATCH", path: path(jobId), body: { state }, repeatable }, Job.JobInfo)
    )

  /** A repeated request whose first answer was lost is told that the job is aborted already. */
  const abort = (jobId: string): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
    Effect.catch(patchState(jobId, "Aborted", true), (error) =>
      isRefusedState(error)
        ? Effect.flatMap(get(jobId), (job) => (job.state === "Aborted" ? Effect.succeed(job) : Effect.fail(error)))
        : Effect.fail(error)
    ).pipe(span("abort", jobId))

  /** Deletes a job with its data; one that is not there any more counts as deleted. */
  const remove = (jobId: string): Effect.Effect<void, BulkError.BulkError, Connection> =>
    Connection.use((connection) =>
      connection.json({ method: "DELETE", path: path(jobId), repeatable: true }, Schema.Null)
    ).pipe(
      Effect.catch((error) => (error.isNotFound ? Effect.void : Effect.fail(error))),
      Effect.asVoid,
      span("remove", jobId)
    )

  /** The jobs of the org, page after page as they are consumed. */
  const list: Stream.Stream<Job.JobInfo, BulkError.BulkError, Connection> = Stream.paginate(
    undefined as string | undefined,
    (queryLocator) =>
      Connection.use((connection) =>
        connection.json(
          // a locator knows what the list is of
          { method: "GET", path: base, query: queryLocator === undefined ? { jobType } : { queryLocator } },
          JobList
        )
      ).pipe(
        Effect.flatMap((page) =>
          Effect.map(Continuation.locatorOf(page, `GET ${base}`, queryLocator), (next) => [page.records, next] as const)
        )
      )
  ).pipe(streamInOrg)

  /**
   * Closes a job. What it was answered matters less than what became of it: without a
   * clear answer the job's state is read, and only one that is still Open is closed
   * again.
   */
  const close = (jobId: string): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
    Effect.suspend(() => {
      let sent = false
      const unknown = (cause: BulkError.BulkError) =>
        BulkError.make(new BulkError.CommitUnknown({ jobId, cause }), cause.org)
      const once = Effect.catch(patchState(jobId, "UploadComplete", false), (error) => {
        // an answer of success that cannot be read is no clear one
        const isUnclear = error.isRetryable || error.reason._tag === "UnexpectedResponse"
        if (!isUnclear && !(sent && isRefusedState(error))) return Effect.fail(error)
        sent = true
        return get(jobId).pipe(
          Effect.mapError(unknown),
          Effect.flatMap((job) => (job.state === "Open" ? Effect.fail(error) : Effect.succeed(job)))
        )
      })
      return Connection.use((connection) => connection.retry(once)).pipe(
        Effect.mapError((error) => (error.isRetryable ? unknown(error) : error))
      )
    }).pipe(span("close", jobId))

  const awaitDone = <R = never>(
    jobId: string,
    options?: AwaitOptions<R>
  ): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection | R> =>
    inOrg(Poll.untilDone(get(jobId), { ...options, jobId })).pipe(Effect.tap(note), span("awaitDone", jobId))

  return { path, span, create, submit, get, list, abort, remove, close, awaitDone }
}

/** Why a job was not aborted: there is nothing to abort any more. */
export const hasEnded = (error: BulkError.BulkError): boolean => error.isNotFound || isRefusedState(error)

const isRefusedState = ({ code }: BulkError.BulkError): boolean => code === "INVALID_JOB_STATE"
