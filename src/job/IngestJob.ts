/**
 * The ingest endpoints, one typed Effect each, for whoever drives a job by
 * hand. The streams of `Ingest` are built on them.
 *
 * A job is created `Open`, takes one upload of CSV, and is processed once it is
 * closed; until then it touches no data.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import { Connection, inOrg, type UploadOptions } from "../connection/Connection.ts"
import * as Limits from "../connection/Limits.ts"
import { download } from "./download.ts"
import { type AwaitOptions, endpointAt } from "./endpoint.ts"
import { acquireJob } from "./grace.ts"
import type * as Job from "./Job.ts"

const endpoint = endpointAt("/jobs/ingest")

/**
 * What a job is to do, and how its CSV is written.
 *
 * @category models
 * @since 0.1.0
 */
export interface CreateOptions {
  /** The API name of the object, like `Account` or `Inventory__c`. */
  readonly object: string
  readonly operation: "insert" | "update" | "upsert" | "delete" | "hardDelete"
  /** The external id field of an upsert; a column of its CSV. */
  readonly externalIdFieldName?: string | undefined
  /** The assignment rule for cases or leads. Default: none. */
  readonly assignmentRuleId?: string | undefined
  /** What is between cells. Default `COMMA`. */
  readonly columnDelimiter?: Job.ColumnDelimiter | undefined
  /** What ends lines. Default `LF`. */
  readonly lineEnding?: Job.LineEnding | undefined
}

/**
 * The three result files of a settled job.
 *
 * @category models
 * @since 0.1.0
 */
export type ResultFile = "successfulResults" | "failedResults" | "unprocessedrecords"

/**
 * Creates a job, in state `Open`.
 *
 * @category operations
 * @since 0.1.0
 */
export const create = (options: CreateOptions): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
  endpoint.create(options)

/**
 * Uploads the job's CSV, once: header first, UTF-8 without a BOM, at most 100 MB.
 * A failure of `csv` itself comes out untouched; after any failure the job
 * cannot be used again and should be aborted. More bytes fail with `UploadTooLarge`.
 * `gzip` compresses it on the way; by default the connection says whether.
 *
 * @category operations
 * @since 0.1.0
 */
export const upload = <E, R>(
  jobId: string,
  csv: Stream.Stream<Uint8Array, E, R>,
  options?: UploadOptions
): Effect.Effect<void, E | BulkError.BulkError, R | Connection> =>
  Effect.suspend(() => {
    const sent = { bytes: 0 }
    return Connection.use((connection) =>
      connection.upload(`${endpoint.path(jobId)}/batches`, withinLimit(jobId, csv, sent), options)
    ).pipe(
      Effect.ensuring(Effect.suspend(() => Effect.annotateCurrentSpan("salesforce.csv.size", sent.bytes))),
      endpoint.span("upload", jobId)
    )
  })

/** Counts what is sent. */
const withinLimit = <E, R>(
  jobId: string,
  csv: Stream.Stream<Uint8Array, E, R>,
  sent: { bytes: number }
): Stream.Stream<Uint8Array, E | BulkError.BulkError, R | Connection> =>
  Stream.suspend(() => {
    sent.bytes = 0
    return Stream.mapArrayEffect(csv, (blocks) => {
      for (const block of blocks) sent.bytes += block.length
      return sent.bytes > Limits.uploadBytes
        ? inOrg(Effect.fail(BulkError.make(new BulkError.UploadTooLarge({ jobId, limit: Limits.uploadBytes }))))
        : Effect.succeed(blocks)
    })
  })

/**
 * A job for as long as the scope lasts: one that is still Open when it ends is aborted.
 *
 * **Example** (A job by hand)
 *
 * ```ts
 * const done = Effect.gen(function* () {
 *   const { id } = yield* IngestJob.scoped({ object: "Account", operation: "insert" })
 *   yield* IngestJob.upload(id, fs.stream("accounts.csv"))
 *   yield* IngestJob.close(id)
 *   return yield* IngestJob.awaitDone(id)
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const scoped = (
  options: CreateOptions
): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection | Scope.Scope> =>
  acquireJob(create(options), ({ id }) =>
    get(id).pipe(
      Effect.flatMap((job) => (job.state === "Open" ? Effect.asVoid(abort(id)) : Effect.void)),
      Effect.timeout("10 seconds"),
      Effect.catchCause((cause) => Effect.logWarning(`job ${id} may stay open: it could not be aborted`, cause))
    )
  )

/**
 * Creates a job with its CSV and submits it, by one request: for up to 100,000
 * characters. Sent at most once: records are never submitted twice.
 *
 * Fails with `CommitUnknown` when the answer is lost; the job has no known id then.
 *
 * **Example** (A few records)
 *
 * ```ts
 * const job = yield* IngestJob.submitSmall({ object: "Account", operation: "insert", csv: "Name\nAcme\n" })
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const submitSmall = ({
  csv,
  ...options
}: CreateOptions & { readonly csv: string }): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
  csv.length > Limits.multipartCharacters
    ? Effect.fail(
        BulkError.make(
          new BulkError.InvalidOptions({
            problem: `the CSV has ${csv.length} characters, and ${Limits.multipartCharacters} are the most that go with one request: upload it`
          })
        )
      )
    : Effect.catch(endpoint.submit(options, csv), (error) => {
        const { _tag } = error.reason
        const isUnclear =
          _tag === "ConnectionLost" ||
          _tag === "UnexpectedResponse" ||
          (error.reason._tag === "ApiError" && error.reason.status >= 500)
        return Effect.fail(
          isUnclear ? BulkError.make(new BulkError.CommitUnknown({ jobId: undefined, cause: error }), error.org) : error
        )
      })

/**
 * Closes a job: Salesforce processes it from here on. This is the only commit
 * point of a load, so an unclear answer is settled by reading the job's state.
 *
 * Fails with `CommitUnknown` when that cannot be read either.
 *
 * @category operations
 * @since 0.1.0
 */
export const close = (jobId: string): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
  endpoint.close(jobId)

/**
 * Aborts a job. Rows that are committed stay committed.
 *
 * @category operations
 * @since 0.1.0
 */
export const abort = (jobId: string): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
  endpoint.abort(jobId)

/**
 * What Salesforce says of a job now.
 *
 * @category operations
 * @since 0.1.0
 */
export const get: (jobId: string) => Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> = endpoint.get

/**
 * The ingest jobs of the org, of all its users, in no order; page by page as they are
 * taken.
 *
 * **Example** (Jobs that were left open)
 *
 * ```ts
 * const open = IngestJob.list.pipe(Stream.filter(({ state }) => state === "Open"))
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const list: Stream.Stream<Job.JobInfo, BulkError.BulkError, Connection> = endpoint.list

/**
 * Deletes a job that is in its last state, or waits to be processed, with its
 * results. One that is gone already is no error.
 *
 * @category operations
 * @since 0.1.0
 */
export const remove = (jobId: string): Effect.Effect<void, BulkError.BulkError, Connection> => endpoint.remove(jobId)

/**
 * Waits until a closed job is `JobComplete`, `Failed` or `Aborted`, and gives
 * what was seen last; which of them it is, is for the caller to judge.
 *
 * @category operations
 * @since 0.1.0
 */
export const awaitDone: <R = never>(
  jobId: string,
  options?: AwaitOptions<R>
) => Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection | R> = endpoint.awaitDone

/**
 * One of a settled job's result files, as CSV bytes. A download that breaks goes on
 * where it was.
 *
 * Fails with the last break when the connection's retry policy ends, and with
 * `ResultsExpired` when the results are gone.
 *
 * @category operations
 * @since 0.1.0
 */
export const results = (jobId: string, file: ResultFile): Stream.Stream<Uint8Array, BulkError.BulkError, Connection> =>
  Stream.unwrap(
    Effect.map(
      download({
        jobId,
        path: `${endpoint.path(jobId)}/${file}`,
        look: endpoint.get(jobId),
        rows: () => undefined,
        head: () => Result.succeed(undefined)
      }),
      ({ bytes }) => bytes
    )
  ).pipe(
    Stream.withSpan("IngestJob.results", {
      attributes: { "salesforce.job.id": jobId, "salesforce.result.file": file }
    })
  )
