import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import * as Limits from "../connection/Limits.ts"
import * as IngestJob from "../job/IngestJob.ts"
import type * as Poll from "../job/Poll.ts"
import type { Progress } from "../Progress.ts"
import * as Csv from "../record/Csv.ts"
import type * as RecordCodec from "../record/RecordCodec.ts"
import { collect } from "./collect.ts"
import type { Join } from "./join.ts"
import type * as Outcome from "./Outcome.ts"

/** What one load is to do. `join` is of this load alone. */
export interface Load<A, B> {
  readonly job: IngestJob.CreateOptions
  readonly codec: RecordCodec.RecordCodec<A>
  readonly nulls: RecordCodec.Nulls
  /** Which of the codec's columns are sent. */
  readonly columns: ReadonlyArray<string>
  readonly join: Join<A, B>
  /** The outcome's record for one that could not be sent. */
  readonly reject: (record: A) => B
  readonly poll: Poll.Poll | undefined
  readonly progress: ((event: Progress) => Effect.Effect<void>) | undefined
}

/** Records per block: a block of some 64 KiB is what one pull of the socket asks for. */
const recordsPerBlock = 500

/**
 * Sends a stream of records as one job and gives what became of each of them.
 *
 * The job is created on the first block, so an empty source makes none. Until it
 * is closed it touches no data: whatever goes wrong before, it is aborted.
 * Afterwards it is only read.
 */
export const load = <A, B, E, R>(
  source: Stream.Stream<A, E, R>,
  options: Load<A, B>
): Stream.Stream<Outcome.Outcome<B>, E | BulkError.BulkError, R | Connection> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const rejected: Array<Outcome.Failed<B>> = []
      const pull = yield* Stream.toPull(Csv.encode(rowsOf(source, options, rejected)))
      const first = yield* Effect.asSome(pull).pipe(Pull.catchDone(() => Effect.succeedNone))
      if (Option.isNone(first)) return Stream.fromArray(rejected)

      const blocks = Stream.concat(Stream.fromArray(first.value), Stream.fromPull(Effect.succeed(pull)))
      const jobId = yield* submit(blocks, options)
      const job = yield* awaitDone(jobId, options)
      return Stream.concat(Stream.fromArray(rejected), collect(job, options.join, options.progress))
    })
  )

/** The rows of the records that can be sent, the header before them; the others go to `rejected`. */
const rowsOf = <A, B, E, R>(
  source: Stream.Stream<A, E, R>,
  { codec, columns, join, nulls, reject }: Load<A, B>,
  rejected: Array<Outcome.Failed<B>>
): Stream.Stream<Csv.Row, E | BulkError.BulkError, R> => {
  const positions = columns.map((column) => codec.columns.indexOf(column))
  const sent = (cells: Csv.Row): Csv.Row =>
    columns === codec.columns ? cells : positions.map((position) => cells[position] ?? "")
  return source.pipe(
    Stream.rechunk(recordsPerBlock),
    Stream.mapAccumArrayEffect(
      () => true,
      (isFirst, records) => {
        const rows: Array<Csv.Row> = []
        for (const record of records) {
          const cells = Result.flatMap(codec.encode(record, nulls), join.admit)
          if (Result.isFailure(cells)) {
            rejected.push(clientFailure(cells.failure, reject(record)))
            continue
          }
          const clash = join.enter(record, cells.success)
          if (clash !== undefined) return Effect.fail(clash)
          rows.push(sent(cells.success))
        }
        if (rows.length === 0) return Effect.succeed([isFirst, rows] as const)
        return Effect.succeed([false, isFirst ? [columns, ...rows] : rows] as const)
      }
    )
  )
}

const clientFailure = <B>(problem: RecordCodec.Problem, record: B): Outcome.Failed<B> => ({
  _tag: "Failed",
  jobId: undefined,
  id: undefined,
  error: {
    code: "INVALID_RECORD",
    message: problem.message,
    fields: problem.column === undefined ? [] : [problem.column],
    raw: problem.message
  },
  record,
  origin: "client"
})

/** Creates the job, uploads and closes it. A job that is not closed is aborted when the scope ends. */
const submit = Effect.fnUntraced(function* <A, B, E, R>(
  blocks: Stream.Stream<Uint8Array, E, R>,
  { job, join, progress }: Load<A, B>
) {
  let closing = false
  const { id: jobId } = yield* Effect.acquireRelease(IngestJob.create(job), ({ id }) =>
    closing ? Effect.void : abandon(id)
  )
  if (progress !== undefined) yield* progress({ _tag: "JobCreated", jobId })

  let bytes = 0
  yield* IngestJob.upload(
    jobId,
    Stream.mapArrayEffect(blocks, (blocks) => {
      for (const block of blocks) bytes += block.length
      if (bytes > Limits.uploadBytes) {
        return Effect.fail(BulkError.make(new BulkError.UploadTooLarge({ jobId, limit: Limits.uploadBytes })))
      }
      return progress === undefined
        ? Effect.succeed(blocks)
        : Effect.as(progress({ _tag: "Uploading", jobId, records: join.sent(), bytes }), blocks)
    })
  )
  // once the closing PATCH may have been sent, the job may be running: it is left alone
  closing = true
  yield* IngestJob.close(jobId)
  if (progress !== undefined) yield* progress({ _tag: "Submitted", jobId, records: join.sent(), bytes })
  return jobId
})

/** Aborts a job that was never closed: it holds no data, so a failure to do so harms nothing. */
const abandon = (jobId: string): Effect.Effect<void, never, Connection> =>
  IngestJob.abort(jobId).pipe(
    Effect.timeout("10 seconds"),
    Effect.catchCause((cause) => Effect.logWarning(`job ${jobId} stays open: it could not be aborted`, cause)),
    Effect.asVoid
  )

const awaitDone = <A, B>(jobId: string, { poll, progress }: Load<A, B>) =>
  IngestJob.awaitDone(jobId, {
    poll,
    onLook: (job) =>
      progress === undefined
        ? Effect.void
        : progress({
            _tag: "Processing",
            jobId,
            state: job.state,
            processed: job.numberRecordsProcessed ?? 0,
            failed: job.numberRecordsFailed ?? 0
          })
  }).pipe(
    Effect.onInterrupt(() => Effect.logWarning(`job ${jobId} is submitted and runs on; nobody waits for it any more`))
  )
