/**
 * What happens while a load or a query runs, as events; and a fold of them to what
 * a program shows: per job and in total.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { JobInfo } from "./job/Job.ts"

/**
 * An event of a running load or query. There are a few for each block of CSV and each
 * look at a job, never one for a record. Counts are of the job so far; those of `Encoded`
 * and `Rejected`, which belong to no job, are of what was added.
 *
 * Of loads and queries:
 *
 * - `JobCreated`: a job was opened, or one that another process opened is followed.
 *   `resends` says that its records failed before in this load, and are sent again, as
 *   they were or as `remediate` corrected them; an `attempt` above 1, that an upload of
 *   the same records broke.
 * - `Processing`: Salesforce was asked how the job fares. `processed` counts failed
 *   rows too.
 * - `Reading`: more of its results was read, in so many records and bytes of CSV.
 * - `JobLeft`: nobody waits for the job any more. One that was not submitted was aborted
 *   and holds nothing: its records go to another job, or are not sent.
 *
 * Of loads:
 *
 * - `Encoded`: records of the source became another block of CSV. Not of corrections.
 * - `Rejected`: records cannot be written, or have the key of another one, and are not
 *   sent. Not of corrections, which have failed before.
 * - `Uploading`: another block went to the socket. What is uploaded anew comes from the
 *   spool, and its records are reckoned from the bytes.
 * - `Submitted`: the job was closed, with all its records: Salesforce has them.
 * - `JobDone`: the job is in its last state, and the outcomes of its records were
 *   read. Of those that were updated or deleted `created` does not count. `failures` are
 *   the failed ones by code, `job` is what Salesforce says of it, its times for one.
 *
 * Of queries:
 *
 * - `QueryDone`: all pages were read.
 *
 * @category models
 * @since 0.1.0
 */
export type Progress =
  | { readonly _tag: "Encoded"; readonly records: number; readonly bytes: number }
  | {
      readonly _tag: "Rejected"
      readonly operation: string
      readonly object: string | undefined
      readonly records: number
    }
  | {
      readonly _tag: "JobCreated"
      readonly jobId: string
      readonly kind: "ingest" | "query"
      readonly operation: string
      readonly object: string | undefined
      readonly resends: boolean
      readonly attempt: number
    }
  | { readonly _tag: "Uploading"; readonly jobId: string; readonly records: number; readonly bytes: number }
  | { readonly _tag: "Submitted"; readonly jobId: string; readonly records: number; readonly bytes: number }
  | {
      readonly _tag: "Processing"
      readonly jobId: string
      readonly state: string
      readonly processed: number
      readonly failed: number
    }
  | { readonly _tag: "Reading"; readonly jobId: string; readonly records: number; readonly bytes: number }
  | { readonly _tag: "JobLeft"; readonly jobId: string }
  | {
      readonly _tag: "JobDone"
      readonly jobId: string
      readonly state: string
      readonly succeeded: number
      readonly created: number
      readonly failed: number
      readonly unprocessed: number
      readonly failures: ReadonlyArray<{ readonly code: string; readonly count: number }>
      readonly job: JobInfo
    }
  | {
      readonly _tag: "QueryDone"
      readonly jobId: string
      readonly records: number
      readonly bytes: number
      readonly pages: number
      readonly job: JobInfo
    }

/**
 * What is known of one job. `succeeded` and `failed` are what Salesforce counts while
 * it runs, and what its outcomes say once they are read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Job {
  readonly id: string
  readonly kind: "ingest" | "query"
  readonly operation: string | undefined
  readonly object: string | undefined
  readonly resends: boolean
  readonly phase: "uploading" | "processing" | "reading" | "done" | "left"
  /** What Salesforce last said of it. */
  readonly state: string
  /** How many records it is about: of a load those that were uploaded, of a query undefined until it is complete. */
  readonly records: number | undefined
  readonly processed: number
  readonly succeeded: number
  readonly failed: number
  readonly unprocessed: number
  /** How many records of its results were read. */
  readonly read: number
  readonly bytesUp: number
  readonly bytesDown: number
}

/**
 * The sums of a load or a query. Records that are sent again count once: while that
 * goes on they are neither succeeded nor failed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  readonly encoded: number
  readonly uploaded: number
  readonly processed: number
  readonly succeeded: number
  /** Those that were not sent too. */
  readonly failed: number
  readonly unprocessed: number
  /** How many records of results were read. */
  readonly read: number
  /** Bytes of CSV. */
  readonly bytesUp: number
  readonly bytesDown: number
}

/**
 * What a program shows of a load, or a query. `jobs` are those that run, and the
 * hundred that ended last; all of them are in `counts`.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  /** How many records there are, if that was said. */
  readonly total: number | undefined
  /** Milliseconds. */
  readonly startedAt: number
  readonly jobs: ReadonlyArray<Job>
  /** How many jobs have ended. */
  readonly ended: number
  readonly counts: Counts
  /** What rates are reckoned from: the counts of the last minute, a second apart. */
  readonly samples: ReadonlyArray<{ readonly at: number; readonly counts: Counts }>
}

const nothing: Counts = {
  encoded: 0,
  uploaded: 0,
  processed: 0,
  succeeded: 0,
  failed: 0,
  unprocessed: 0,
  read: 0,
  bytesUp: 0,
  bytesDown: 0
}

const jobsKept = 100
const window = 60_000
const sampleEvery = 1_000

/**
 * The state before anything has happened. `at` is the time in milliseconds; `total` how
 * many records there are, if that is known.
 *
 * **Example** (A state that follows a load)
 *
 * ```ts
 * const followed = Effect.gen(function* () {
 *   const state = yield* Ref.make(Progress.start({ at: yield* Clock.currentTimeMillis, total: 4_200_000 }))
 *   const progress = (event: Progress.Progress) =>
 *     Effect.flatMap(Clock.currentTimeMillis, (now) => Ref.update(state, (before) => Progress.add(before, event, now)))
 *   return yield* Effect.all([items.pipe(Ingest.run({ ...load, progress })), Ref.get(state)])
 * })
 * ```
 *
 * @category folding
 * @since 0.1.0
 */
export const start = (options: { readonly at: number; readonly total?: number | undefined }): State => ({
  total: options.total,
  startedAt: options.at,
  jobs: [],
  ended: 0,
  counts: nothing,
  samples: [{ at: options.at, counts: nothing }]
})

/**
 * The state after an event, which happened at that time, in milliseconds.
 *
 * @category folding
 * @since 0.1.0
 */
export const add = (state: State, event: Progress, at: number): State => {
  const last = state.samples.at(-1)
  const samples =
    last === undefined || at - last.at >= sampleEvery
      ? [...state.samples.filter((sample) => sample.at >= at - window), { at, counts: state.counts }]
      : state.samples
  const { counts } = state
  if (event._tag === "Encoded") {
    return { ...state, samples, counts: { ...counts, encoded: counts.encoded + event.records } }
  }
  if (event._tag === "Rejected") {
    return { ...state, samples, counts: { ...counts, failed: counts.failed + event.records } }
  }
  const before = state.jobs.find(({ id }) => id === event.jobId)
  const after = next(before ?? unknownJob(event.jobId), event)
  const jobs =
    after === undefined
      ? state.jobs.filter((job) => job !== before)
      : before === undefined
        ? [...state.jobs, after]
        : state.jobs.map((job) => (job === before ? after : job))
  const ended = state.ended + (after !== undefined && hasEnded(after) && !(before && hasEnded(before)) ? 1 : 0)
  return { ...state, samples, ended, jobs: withoutOldest(jobs), counts: replaced(counts, before, after) }
}

/** A job that was created elsewhere, and is first heard of. */
const unknownJob = (id: string): Job => ({
  id,
  kind: "ingest",
  operation: undefined,
  object: undefined,
  resends: false,
  phase: "uploading",
  state: "Open",
  records: undefined,
  processed: 0,
  succeeded: 0,
  failed: 0,
  unprocessed: 0,
  read: 0,
  bytesUp: 0,
  bytesDown: 0
})

/** The job after an event; undefined if it holds nothing and is gone. */
const next = (job: Job, event: Exclude<Progress, { readonly _tag: "Encoded" | "Rejected" }>): Job | undefined => {
  switch (event._tag) {
    case "JobCreated": {
      const { kind, object, operation, resends } = event
      return { ...job, kind, object, operation, resends, phase: kind === "query" ? "processing" : "uploading" }
    }
    case "Uploading":
      return { ...job, records: event.records, bytesUp: event.bytes }
    case "Submitted":
      return {
        ...job,
        phase: "processing",
        state: "UploadComplete",
        records: event.records,
        bytesUp: event.bytes
      }
    case "Processing": {
      const { failed, processed, state } = event
      const isCounted = job.kind === "query" && state === "JobComplete"
      return {
        ...job,
        phase: "processing",
        state,
        processed,
        failed,
        succeeded: job.kind === "query" ? 0 : processed - failed,
        records: isCounted ? processed : job.records
      }
    }
    case "Reading":
      return { ...job, phase: "reading", read: event.records, bytesDown: event.bytes }
    case "JobLeft":
      return job.phase === "uploading" ? undefined : { ...job, phase: "left" }
    case "JobDone": {
      const { failed, state, succeeded, unprocessed } = event
      return { ...job, phase: "done", state, processed: succeeded + failed, succeeded, failed, unprocessed }
    }
    case "QueryDone":
      return { ...job, phase: "done", records: event.records, read: event.records, bytesDown: event.bytes }
  }
}

const hasEnded = ({ phase }: Job): boolean => phase === "done" || phase === "left"

const withoutOldest = (jobs: ReadonlyArray<Job>): ReadonlyArray<Job> => {
  if (jobs.length <= jobsKept) return jobs
  const ended = jobs.filter(hasEnded)
  return ended.length <= jobsKept ? jobs : jobs.filter((job) => job !== ended[0])
}

/** What a job adds to the sums. */
const shareOf = (job: Job | undefined): Counts => {
  if (job === undefined) return nothing
  const { bytesDown, bytesUp, failed, kind, phase, processed, read, records = 0, resends, succeeded, unprocessed } = job
  const isSubmitted = phase !== "uploading"
  return {
    encoded: 0,
    uploaded: resends || kind === "query" ? 0 : records,
    processed: resends ? 0 : processed,
    succeeded,
    // an earlier job counts them as failed
    failed: resends && isSubmitted ? failed - records : failed,
    unprocessed,
    read,
    bytesUp,
    bytesDown
  }
}

const replaced = (counts: Counts, before: Job | undefined, after: Job | undefined): Counts => {
  const less = shareOf(before)
  const more = shareOf(after)
  return {
    encoded: counts.encoded,
    uploaded: counts.uploaded - less.uploaded + more.uploaded,
    processed: counts.processed - less.processed + more.processed,
    succeeded: counts.succeeded - less.succeeded + more.succeeded,
    failed: counts.failed - less.failed + more.failed,
    unprocessed: counts.unprocessed - less.unprocessed + more.unprocessed,
    read: counts.read - less.read + more.read,
    bytesUp: counts.bytesUp - less.bytesUp + more.bytesUp,
    bytesDown: counts.bytesDown - less.bytesDown + more.bytesDown
  }
}

const isQuery = ({ jobs }: State): boolean => jobs.length > 0 && jobs.every(({ kind }) => kind === "query")

/**
 * How many records are through: of a load those with an outcome, as far as Salesforce
 * tells; of a query those that were read.
 *
 * @category getters
 * @since 0.1.0
 */
export const settled = (state: State): number => settledIn(state, state.counts)

const settledIn = (state: State, { failed, read, succeeded, unprocessed }: Counts): number =>
  isQuery(state) ? read : succeeded + failed + unprocessed

/**
 * How many records there are: as was said, or as the jobs of a query say once they
 * are complete.
 *
 * @category getters
 * @since 0.1.0
 */
export const expected = (state: State): number | undefined => {
  if (state.total !== undefined || !isQuery(state)) return state.total
  let sum = 0
  for (const { records } of state.jobs) {
    if (records === undefined) return undefined
    sum += records
  }
  return sum
}

/**
 * What happened in a second, on the average of the last minute.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rates {
  readonly encoded: number
  readonly uploaded: number
  readonly settled: number
  readonly bytesUp: number
  readonly bytesDown: number
}

/**
 * The rates at a time, in milliseconds.
 *
 * @category getters
 * @since 0.1.0
 */
export const rates = (state: State, at: number): Rates => {
  const { counts, samples } = state
  const first = samples.find((sample) => sample.at >= at - window)
  const seconds = first === undefined ? 0 : (at - first.at) / 1000
  const rate = (count: (counts: Counts) => number) =>
    first === undefined || seconds <= 0 ? 0 : (count(counts) - count(first.counts)) / seconds
  return {
    encoded: rate(({ encoded }) => encoded),
    uploaded: rate(({ uploaded }) => uploaded),
    settled: rate((counts) => settledIn(state, counts)),
    bytesUp: rate(({ bytesUp }) => bytesUp),
    bytesDown: rate(({ bytesDown }) => bytesDown)
  }
}

/**
 * How long it takes until all records are through, if it goes on as in the last minute.
 * Undefined where nobody knows how many there are, or nothing moves.
 *
 * @category getters
 * @since 0.1.0
 */
export const timeLeft = (state: State, at: number): Duration.Duration | undefined => {
  const total = expected(state)
  const rate = rates(state, at).settled
  if (total === undefined || rate <= 0) return undefined
  return Duration.millis((Math.max(0, total - settled(state)) / rate) * 1000)
}
