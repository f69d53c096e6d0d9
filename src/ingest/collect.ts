import * as Effect from "effect/Effect"
import type * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import * as IngestJob from "../job/IngestJob.ts"
import type * as Job from "../job/Job.ts"
import type { Progress } from "../Progress.ts"
import type * as Csv from "../record/Csv.ts"
import { plain } from "../record/plain.ts"
import type { Join, Settled } from "./join.ts"
import * as Outcome from "./Outcome.ts"
import type { LoadOptions } from "./options.ts"
import { type ResultRow, resultRows } from "./resultRows.ts"
import { tellSuccesses } from "./successes.ts"

const Succeeded = plain<Outcome.Succeeded, [jobId: string, id: string, created: boolean, row: Outcome.CsvRow]>(
  function (jobId, id, created, row) {
    this._tag = "Succeeded"
    this.jobId = jobId
    this.id = id
    this.created = created
    this.row = row
  }
)

/** How many rows with keys that were not sent are kept, for the error that tells of them. */
const strangersKept = 100

/** How the results of a job are read. */
export interface Collect<B> {
  readonly dialect: Csv.Dialect
  /** Whether outcomes of records that succeeded are wanted, or only their number. */
  readonly successes: boolean
  /** Takes the file of those that succeeded, where they are not wanted as outcomes. */
  readonly keepSuccesses: LoadOptions["keepSuccesses"]
  /** Takes failures that are not final; the others are outcomes. */
  readonly again: (failed: Outcome.Failed<B>) => boolean
  readonly onJobFailed: "fail" | "continue"
  /** The files of those that succeeded are large: one is read at a time. */
  readonly reading: Semaphore.Semaphore
  readonly progress: (event: Progress) => Effect.Effect<void>
}

/**
 * The outcomes of a settled job, its failures first; then what no result file
 * names. Ends in an error if the job failed, or if the rows do not add up.
 */
export const collect = <B>(
  job: Job.JobInfo,
  join: Join<B>,
  options: Collect<B>
): Stream.Stream<Outcome.Outcome<B>, BulkError.BulkError, Connection> =>
  Stream.suspend(() => {
    const { again, dialect, keepSuccesses, onJobFailed, progress, successes } = options
    const jobId = job.id
    const strangers: Array<Outcome.CsvRow> = []
    const counts = { succeeded: 0, created: 0, failed: 0, unprocessed: 0 }
    const codes = new Map<string, number>()
    const read = { records: 0, bytes: 0 }
    let hasSkipped = false

    const rowsOf = (file: IngestJob.ResultFile) =>
      resultRows(jobId, file, dialect, (bytes) => {
        read.bytes += bytes
      }).pipe(
        Stream.mapArrayEffect((rows) => {
          read.records += rows.length
          return Effect.as(progress({ _tag: "Reading", jobId, ...read }), rows)
        })
      )

    /** Which row that was sent a result is about; one that is about none is noted. */
    const indexOf = (result: ResultRow): number | undefined => {
      const index = join.settle(result.row)
      if (index === undefined && strangers.length < strangersKept) {
        strangers.push({ sf__Id: result.id, sf__Error: result.error, ...result.row })
      }
      return index
    }

    const outcomesOf = (
      file: IngestJob.ResultFile,
      outcome: (result: ResultRow, record: B) => Outcome.Outcome<B> | undefined
    ): Stream.Stream<Outcome.Outcome<B>, BulkError.BulkError, Connection> =>
      rowsOf(file).pipe(
        inBatches(join.batch),
        mapArrays((results) => {
          const known: Array<ResultRow> = []
          const settled: Array<Settled> = []
          for (const result of results) {
            const index = indexOf(result)
            if (index === undefined) continue
            known.push(result)
            settled.push({ index, row: result.row })
          }
          return Effect.map(join.recordsOf(settled), (records) => {
            const outcomes: Array<Outcome.Outcome<B>> = []
            records.forEach((record, i) => {
              const made = outcome(known[i] as ResultRow, record)
              if (made !== undefined) outcomes.push(made)
            })
            return outcomes
          })
        })
      )

    const failed = outcomesOf("failedResults", ({ error: raw, id }, record) => {
      counts.failed++
      const error = Outcome.parseError(raw)
      codes.set(error.code, (codes.get(error.code) ?? 0) + 1)
      const outcome: Outcome.Failed<B> = {
        _tag: "Failed",
        jobId,
        id: id === "" ? undefined : id,
        error,
        record,
        origin: "org"
      }
      return again(outcome) ? undefined : outcome
    })
    const unprocessed = outcomesOf("unprocessedrecords", (_, record) => {
      counts.unprocessed++
      return { _tag: "Unprocessed", jobId, record, reason: "unprocessed" }
    })
    const readSuccesses = rowsOf("successfulResults").pipe(
      mapArrays((results) =>
        Effect.sync(() => {
          const outcomes: Array<Outcome.Outcome<B>> = []
          for (const result of results) {
            if (indexOf(result) === undefined) continue
            const { created, id, row } = result
            counts.succeeded++
            if (created) counts.created++
            if (successes) outcomes.push(new Succeeded(jobId, id, created, row))
          }
          return outcomes
        })
      )
    )
    const kept = Stream.fromEffectDrain(
      keepSuccesses === undefined || successes
        ? Effect.void
        : Effect.flatMap(Effect.context<Connection>(), (context) =>
            keepSuccesses(Stream.provideContext(IngestJob.results(jobId, "successfulResults"), context), jobId)
          )
    )
    /** The job's own count, where successes are not read. */
    const counted = (job.numberRecordsProcessed ?? 0) - (job.numberRecordsFailed ?? 0)
    /** Whether all rows that were sent are known of, those that succeeded being so many. Undefined if nobody knows how many were sent. */
    const addsUp = (succeeded: number): boolean | undefined => {
      const sent = join.sent()
      return sent === undefined ? undefined : succeeded + counts.failed + counts.unprocessed === sent
    }
    const isMissing = () => addsUp(successes ? counts.succeeded : counted) !== true
    /** The counters are known to lag: a job that counts no failures is not believed if rows are missing. */
    const countsFailures = !successes || job.state !== "JobComplete" || job.numberRecordsFailed !== 0
    const countedSuccesses = Stream.suspend(() => {
      if (addsUp(counted) === false) return readSuccesses
      hasSkipped = true
      counts.succeeded = counted
      if (job.operation === "insert") counts.created = counted
      return Stream.empty
    })
    const unaccounted = Stream.suspend(() => {
      const indices = hasSkipped ? [] : join.unsettled()
      if (indices.length === 0) return Stream.empty
      counts.unprocessed += indices.length
      return Stream.fromIterable(indices).pipe(
        inBatches(join.batch),
        mapArrays((indices) => join.recordsOf(indices.map((index) => ({ index, row: {} })))),
        Stream.map((record): Outcome.Outcome<B> => ({ _tag: "Unprocessed", jobId, record, reason: "unaccounted" }))
      )
    })
    const verdict = Effect.suspend(() => {
      const accounted = counts.succeeded + counts.failed + counts.unprocessed
      const sent = join.sent() ?? accounted
      if (accounted !== sent || strangers.length > 0) {
        return Effect.fail(BulkError.make(new BulkError.RecordsUnaccounted({ jobId, sent, accounted, strangers })))
      }
      const { errorMessage: detail, state } = job
      return (state === "Failed" || state === "Aborted") && onJobFailed === "fail"
        ? Effect.fail(BulkError.make(new BulkError.JobFailed({ jobId, state, detail })))
        : Effect.void
    })
    const done = Effect.suspend(() => {
      const failures = Array.from(codes, ([code, count]) => ({ code, count }))
      return Effect.andThen(
        tellSuccesses(jobId, counts.succeeded),
        progress({ _tag: "JobDone", jobId, state: job.state, ...counts, failures, job })
      )
    })

    return Stream.fromEffectDrain(tellSuccesses(jobId, counted)).pipe(
      Stream.concat(when(() => countsFailures, failed)),
      Stream.concat(kept),
      Stream.concat(when(() => successes, inTurn(options.reading, readSuccesses))),
      // each file is a call: what cannot name a row any more is not asked for
      Stream.concat(when(() => !countsFailures && isMissing(), failed)),
      Stream.concat(when(isMissing, unprocessed)),
      Stream.concat(when(() => !successes, countedSuccesses)),
      Stream.concat(unaccounted),
      Stream.concat(Stream.fromEffectDrain(Effect.andThen(done, verdict)))
    )
  })

/** The stream, if it is wanted once its turn has come. */
const when = <A, E, R>(isWanted: () => boolean, stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.suspend(() => (isWanted() ? stream : Stream.empty))

/** One of these streams at a time. Who waits for the turn can be interrupted. */
const inTurn = <A, E, R>(turn: Semaphore.Semaphore, stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.unwrap(Effect.as(turn.takeScoped(1), stream))

/** Array by array, each of which may become none at all. */
const mapArrays =
  <A, B, E2>(f: (values: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, E2>) =>
  <E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<B, E | E2, R> =>
    Stream.mapAccumArrayEffect(
      self,
      () => undefined,
      (state, values) => Effect.map(f(values), (mapped) => [state, mapped] as const)
    )

const inBatches =
  (size: number) =>
  <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
    size > 1 ? Stream.rechunk(self, size) : self
