/**
 * Loads that can be started again: what was sent is known, and is never sent twice.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import { Connection } from "../connection/Connection.ts"
import * as Limits from "../connection/Limits.ts"
import * as IngestJob from "../job/IngestJob.ts"
import * as Job from "../job/Job.ts"
import type { Progress } from "../Progress.ts"
import * as RecordCodec from "../record/RecordCodec.ts"
import * as Ingest from "./Ingest.ts"
import type { Loads, Outcome } from "./Outcome.ts"
import * as RunLog from "./runLog.ts"
import { settle } from "./settled.ts"

/**
 * What makes a load a run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  /** What the run is called: the same name goes on with it. */
  readonly runId: string
  /**
   * How many records a part has; each part is a job, and must fit in one. Default
   * 10,000, a batch of Salesforce.
   */
  readonly partRows?: number | undefined
  /** How many parts are under way at a time, held in memory. Default 2. */
  readonly parts?: number | undefined
  /** A run whose jobs must be finished before this one starts. Default: none. */
  readonly after?: string | undefined
}

/**
 * From a stream of records to the outcomes of those that were not settled before.
 *
 * @category models
 * @since 0.1.0
 */
export type Run<A> = <E, R>(
  records: Stream.Stream<A, E, R>
) => Stream.Stream<Outcome<A>, E | BulkError.BulkError, R | Connection | KeyValueStore.KeyValueStore>

/**
 * Loads records as a run, or goes on with it: after a crash, or a failure, the same
 * program is simply started again.
 *
 * It takes the options of the verb that `operation` names; an insert needs a `key`. What
 * happens is recorded in the `KeyValueStore`, before it happens: each part's range of
 * the source, a hash of its records, its jobs. When it goes on, parts whose outcomes
 * were all taken are skipped; a part whose job was, or may have been submitted is read
 * and not sent again; a job that is still open is aborted and its part sent. The
 * outcomes of a part that was read only in part come out once more.
 *
 * The source must give the same records in the same order each time. One process at a
 * time may work on a run.
 *
 * Fails with `RunRefused` when the source, the org or the options are not those the run
 * was begun with, when a job is gone whose records may have been loaded, when the
 * record cannot be kept, or when the run that must be finished first is not; and as
 * the verb does.
 *
 * **Example** (A migration that may be killed)
 *
 * ```ts
 * const outcomes = accounts.pipe(
 *   Run.load({
 *     runId: "accounts 2026-11",
 *     operation: "insert",
 *     object: "Account",
 *     schema: Account,
 *     key: "AccountNumber"
 *   })
 * )
 *
 * const RunsLive = KeyValueStore.layerFileSystem("runs").pipe(Layer.provide(NodeServices.layer))
 * ```
 *
 * @category loading
 * @since 0.1.0
 */
export function load<S extends RecordCodec.RecordSchema>(
  options: Settings &
    (
      | (Ingest.InsertOptions<S> & { readonly operation: "insert"; readonly key: Ingest.KeyColumn<S> })
      | (Ingest.UpsertOptions<S> & { readonly operation: "upsert" })
    )
): Run<S["Type"]>
export function load<S extends Ingest.IdentifiedSchema>(
  options: Settings &
    (
      | (Ingest.UpdateOptions<S> & { readonly operation: "update" })
      | (Ingest.DeleteOptions<S> & { readonly operation: "delete" | "hardDelete" })
    )
): Run<S["Type"]>
export function load<S extends Ingest.IdentifiedSchema>(options: Settings & Keyed<S>): Run<S["Type"]> {
  return (records) =>
    Stream.unwrap(
      Effect.gen(function* () {
        const { parts = 2, partRows = 10_000, runId } = options
        const codec = yield* Effect.fromResult(RecordCodec.make(options.schema)).pipe(
          Effect.mapError((problem) => BulkError.make(new BulkError.InvalidOptions({ problem: `run: ${problem}` })))
        )
        const key = keyOf(options)
        const canonical = codec.canonical(key)
        if (canonical === undefined || !(partRows >= 1)) {
          const problem = canonical === undefined ? `the key ${key} is no column` : `partRows is ${partRows}`
          return yield* BulkError.make(new BulkError.InvalidOptions({ problem: `run: ${problem}` }))
        }
        const isDeletion = options.operation === "delete" || options.operation === "hardDelete"
        const columns = isDeletion ? ["Id"] : codec.columns
        const nulls = "nulls" in options ? (options.nulls ?? "ignore") : "ignore"
        const log = yield* RunLog.open(runId)
        if (options.after !== undefined) yield* demandFinished(runId, options.after)
        yield* begin(log, runId, {
          format: 1,
          orgId: (yield* Connection.use(({ identity }) => identity)).orgId,
          object: options.object,
          operation: options.operation,
          key,
          nulls,
          columns,
          partRows,
          startedAt: yield* now
        })

        const encode = codec.encoder({ nulls, columns, key })
        let sourceRecords = 0
        return records.pipe(
          Stream.grouped(partRows),
          Stream.map((records) => {
            const from = sourceRecords
            sourceRecords += records.length
            return { records, from, to: sourceRecords, encoded: encode(records) }
          }),
          Stream.flatMap(
            (part) =>
              partOf(log, options, {
                ...part,
                number: Math.floor(part.from / partRows),
                key,
                canonical
              }),
            { concurrency: parts }
          ),
          // one after the other: a part is done when somebody asks for what comes after its outcomes
          Stream.flatMap((some) =>
            some._tag === "Outcomes"
              ? Stream.fromArray(some.outcomes)
              : Stream.unwrap(Effect.as(some.write, Stream.empty))
          ),
          Stream.concat(
            Stream.unwrap(
              Effect.gen(function* () {
                yield* log.end.set({ records: sourceRecords, endedAt: yield* now })
                return Stream.empty
              })
            )
          )
        )
      })
    )
}

/** The loads that can be runs: those whose records are told apart. */
type Keyed<S extends Ingest.IdentifiedSchema> =
  | (Ingest.InsertOptions<S> & { readonly operation: "insert"; readonly key: Ingest.KeyColumn<S> })
  | (Ingest.UpsertOptions<S> & { readonly operation: "upsert" })
  | (Ingest.UpdateOptions<S> & { readonly operation: "update" })
  | (Ingest.DeleteOptions<S> & { readonly operation: "delete" | "hardDelete" })

const keyOf = <S extends Ingest.IdentifiedSchema>(options: Keyed<S>): string =>
  options.operation === "insert" ? options.key : options.operation === "upsert" ? options.externalId : "Id"

const verbOf = <S extends Ingest.IdentifiedSchema>(
  options: Keyed<S>,
  onJob: (jobId: string) => Effect.Effect<void>
): Loads<S["Type"], S["Type"]> => {
  const told = options.progress ?? (() => Effect.void)
  const progress = (event: Progress) =>
    event._tag === "JobCreated" ? Effect.andThen(onJob(event.jobId), told(event)) : told(event)
  // a part of the run is one of the load: what is not in its job was not sent
  const whole = { partBytes: Limits.uploadBytes, partRows: undefined, progress }
  switch (options.operation) {
    case "insert":
      return Ingest.insert({ ...options, ...whole })
    case "upsert":
      return Ingest.upsert({ ...options, ...whole })
    case "update":
      return Ingest.update({ ...options, ...whole })
    case "delete":
      return Ingest.delete({ ...options, ...whole })
    case "hardDelete":
      return Ingest.hardDelete({ ...options, ...whole })
  }
}

const now = Effect.map(Clock.currentTimeMillis, (millis) => new Date(millis).toISOString())

const refused = (runId: string, problem: string): BulkError.BulkError =>
  BulkError.make(new BulkError.RunRefused({ runId, problem }))

/** Writes down what the run is, or compares it to what it was begun as. */
const begin = Effect.fnUntraced(function* (log: RunLog.RunLog, runId: string, header: RunLog.Header) {
  const begun = yield* log.header.get
  if (begun === undefined) return yield* log.header.set(header)
  for (const name of ["orgId", "object", "operation", "key", "nulls", "partRows", "columns"] as const) {
    const [was, is] = [String(begun[name]), String(header[name])]
    if (was !== is) return yield* refused(runId, `it was begun with ${name} ${was}, and not ${is}`)
  }
})

/** Fails while a job of another run is under way. */
const demandFinished = Effect.fnUntraced(function* (runId: string, after: string) {
  const log = yield* RunLog.open(after)
  if ((yield* log.end.get) !== undefined) return
  if ((yield* log.header.get) === undefined) return yield* refused(runId, `there is no run ${after} before it`)
  for (const part of yield* log.parts) {
    for (const { jobId } of yield* log.jobs(part)) {
      const job = yield* Effect.catchIf(
        IngestJob.get(jobId),
        (error) => error.isNotFound,
        () => Effect.undefined
      )
      if (job !== undefined && job.state !== "Open" && !Job.isTerminal(job)) {
        return yield* refused(runId, `job ${jobId} of the run ${after} is still ${job.state}`)
      }
    }
  }
})

interface Part<A> {
  readonly number: number
  readonly from: number
  readonly to: number
  readonly records: ReadonlyArray<A>
  readonly encoded: RecordCodec.Encoded<A>
  readonly key: string
  readonly canonical: (cell: string) => string
}

/** Some outcomes of a part; or, after the last of them, what writes down that it is done. */
type Some<A> =
  | { readonly _tag: "Outcomes"; readonly outcomes: ReadonlyArray<Outcome<A>> }
  | { readonly _tag: "Done"; readonly write: Effect.Effect<void, BulkError.BulkError> }

/** The outcomes of a part: none if they were given before, read if it was sent, and else by sending it. */
const partOf = <S extends Ingest.IdentifiedSchema>(
  log: RunLog.RunLog,
  options: Settings & Keyed<S>,
  part: Part<S["Type"]>
): Stream.Stream<Some<S["Type"]>, BulkError.BulkError, Connection> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { encoded, from, number, records, to } = part
      const { runId } = options
      const { bytes } = encoded
      if (bytes.length > mostBytes) {
        const problem = `run: records ${from + 1} to ${to} have ${bytes.length} bytes, more than one job may carry: give fewer partRows`
        return yield* BulkError.make(new BulkError.InvalidOptions({ problem }))
      }
      const hash = yield* hashOf(bytes)
      const before = [yield* log.done(number).get, ...(yield* log.jobs(number))].filter((each) => each !== undefined)
      if (before.some((each) => each.hash !== hash || each.from !== from || each.to !== to)) {
        const which = `records ${from + 1} to ${to} of the source are not those that were sent before`
        return yield* refused(runId, which)
      }
      const done = yield* log.done(number).get
      if (done !== undefined) return Stream.empty

      const read = yield* readBefore(yield* log.jobs(number), options, part)
      const outcomes =
        read === undefined
          ? verbOf(options, (jobId) =>
              // without its record the job must not be submitted
              Effect.orDie(log.addJob(number, { from, to, hash, jobId }))
            )(Stream.fromArray(records)).pipe(Stream.catchDefect((defect) => Stream.fail(asError(runId, defect))))
          : Stream.fromArray(
              options.outcomes === "failures" ? read.filter((outcome) => outcome._tag !== "Succeeded") : read
            )
      const counts = { succeeded: 0, created: 0, failed: 0, unprocessed: 0 }
      return outcomes.pipe(
        Stream.chunks,
        Stream.map((outcomes): Some<S["Type"]> => {
          for (const outcome of outcomes) {
            if (outcome._tag === "Succeeded") {
              counts.succeeded++
              if (outcome.created) counts.created++
            } else counts[outcome._tag === "Failed" ? "failed" : "unprocessed"]++
          }
          return { _tag: "Outcomes", outcomes }
        }),
        Stream.concat(
          Stream.sync(
            (): Some<S["Type"]> => ({ _tag: "Done", write: log.done(number).set({ from, to, hash, ...counts }) })
          )
        )
      )
    })
  )

const asError = (runId: string, defect: unknown): BulkError.BulkError =>
  defect instanceof BulkError.BulkError ? defect : refused(runId, String(defect))

/** What became of a part that an earlier process may have sent; undefined if it is to be sent. */
const readBefore = Effect.fnUntraced(function* <S extends Ingest.IdentifiedSchema>(
  jobs: ReadonlyArray<RunLog.PartJob>,
  options: Settings & Keyed<S>,
  { canonical, encoded, key }: Part<S["Type"]>
): Effect.fn.Return<ReadonlyArray<Outcome<S["Type"]>> | undefined, BulkError.BulkError, Connection> {
  const sent = new Map(encoded.keys.map((own, i) => [own, encoded.written[i] as S["Type"]]))
  const outcomes = new Map<string, Outcome<S["Type"]>>()
  let last: string | undefined
  for (const { jobId } of jobs) {
    const settled = yield* settle(jobId, { key, canonical, records: sent, poll: options.poll })
    if (settled === undefined) {
      const problem = `job ${jobId} is gone, or its results are: whether its records were loaded cannot be known`
      return yield* refused(options.runId, problem)
    }
    if (!settled.isTouched) continue
    last = jobId
    // records that were sent again have their outcome from the later job
    for (const [own, outcome] of settled.outcomes) outcomes.set(own, outcome)
  }
  if (last === undefined) return undefined
  const all: Array<Outcome<S["Type"]>> = encoded.rejected.map(({ problem: { column, message }, record }) => ({
    _tag: "Failed",
    jobId: undefined,
    id: undefined,
    error: { code: "INVALID_RECORD", message, fields: column === undefined ? [] : [column], raw: message },
    record,
    origin: "client"
  }))
  for (const [own, record] of sent) {
    all.push(outcomes.get(own) ?? { _tag: "Unprocessed", jobId: last, record, reason: "unaccounted" })
  }
  return all
})

/** A job's bytes, less some for the header. */
const mostBytes = Limits.uploadBytes - 1_000_000

const hashOf = (bytes: Uint8Array<ArrayBuffer>): Effect.Effect<string> =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", bytes)),
    (digest) => Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
  )

/**
 * A part of a run, as a report has it.
 *
 * @category models
 * @since 0.1.0
 */
export interface PartReport {
  /** Its records in the source, counted from 1. */
  readonly from: number
  readonly to: number
  readonly hash: string
  readonly jobs: ReadonlyArray<string>
  /** Undefined until all its outcomes were taken. */
  readonly outcomes:
    | {
        readonly succeeded: number
        readonly created: number
        readonly failed: number
        readonly unprocessed: number
      }
    | undefined
}

/**
 * What is known of a run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly runId: string
  readonly orgId: string
  readonly object: string
  readonly operation: string
  readonly startedAt: string
  /** When it came to the end of its source; undefined if it has not. */
  readonly endedAt: string | undefined
  readonly parts: ReadonlyArray<PartReport>
}

/**
 * Reads what was recorded of a run; undefined if there is none of that name.
 *
 * @category reporting
 * @since 0.1.0
 */
export const report = Effect.fnUntraced(function* (
  runId: string
): Effect.fn.Return<Report | undefined, BulkError.BulkError, KeyValueStore.KeyValueStore> {
  const log = yield* RunLog.open(runId)
  const header = yield* log.header.get
  if (header === undefined) return undefined
  const parts: Array<PartReport> = []
  for (const number of yield* log.parts) {
    const done = yield* log.done(number).get
    const jobs = yield* log.jobs(number)
    const range = done ?? jobs[0]
    if (range === undefined) continue
    const { from, hash, to } = range
    const outcomes = done && {
      succeeded: done.succeeded,
      created: done.created,
      failed: done.failed,
      unprocessed: done.unprocessed
    }
    parts.push({ from: from + 1, to, hash, jobs: jobs.map(({ jobId }) => jobId), outcomes })
  }
  const { object, operation, orgId, startedAt } = header
  return { runId, orgId, object, operation, startedAt, endedAt: (yield* log.end.get)?.endedAt, parts }
})

/**
 * A report as Markdown.
 *
 * @category reporting
 * @since 0.1.0
 */
export const render = ({ endedAt, object, operation, orgId, parts, runId, startedAt }: Report): string => {
  const total = (of: "succeeded" | "created" | "failed" | "unprocessed") =>
    parts.reduce((sum, { outcomes }) => sum + (outcomes?.[of] ?? 0), 0)
  const open = parts.filter(({ outcomes }) => outcomes === undefined).length
  return [
    `# Run ${runId}`,
    "",
    `${operation} of ${object} in the org ${orgId}, begun ${startedAt}, ${endedAt === undefined ? "not finished" : `finished ${endedAt}`}.`,
    "",
    `${total("succeeded")} succeeded (${total("created")} created), ${total("failed")} failed, ` +
      `${total("unprocessed")} unprocessed${open === 0 ? "" : `; ${open} parts are not settled`}.`,
    "",
    "| records | jobs | succeeded | failed | unprocessed |",
    "| --- | --- | --- | --- | --- |",
    ...parts.map(({ from, jobs, outcomes, to }) =>
      outcomes === undefined
        ? `| ${from} to ${to} | ${jobs.join(", ")} | | | |`
        : `| ${from} to ${to} | ${jobs.join(", ")} | ${outcomes.succeeded} | ${outcomes.failed} | ${outcomes.unprocessed} |`
    ),
    ""
  ].join("\n")
}
