/** The state machines of jobs: what may be done with a job in which state. */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Blocks from "./blocks.ts"
import type { JobEffect } from "./Faults.ts"
import type { FaultState } from "./faultState.ts"
import * as ids from "./ids.ts"
import { type IngestJob, isTerminal, type Job, type QueryJob } from "./job.ts"
import { isStale, lifetime } from "./lifetimes.ts"
import type { Pace } from "./polls.ts"
import * as Processing from "./processing.ts"
import * as Rules from "./Rules.ts"
import * as Results from "./results.ts"
import type { RowRules } from "./ruling.ts"
import * as Soql from "./Soql.ts"
import type { Store } from "./Store.ts"
import { unsupported } from "./unsupported.ts"
import { Receiver } from "./upload.ts"
import { type ApiError, badRequest, notFound, tooLate } from "./Wire.ts"

/** What a client asks of a new ingest job. */
export type NewIngestJob = Pick<
  IngestJob,
  "object" | "operation" | "externalIdFieldName" | "assignmentRuleId" | "columnDelimiter" | "lineEnding" | "apiVersion"
>

/** What a client asks of a new query job. */
export type NewQueryJob = Pick<QueryJob, "operation" | "query" | "columnDelimiter" | "lineEnding" | "apiVersion">

/** A page of query results. */
export interface Page {
  readonly rows: number
  /** The first row of the next page; undefined on the last. */
  readonly next: number | undefined
  readonly body: Stream.Stream<Uint8Array, ApiError>
}

/** The jobs of one org. */
export interface JobEngine {
  readonly createIngest: (job: NewIngestJob) => Effect.Effect<IngestJob, ApiError>
  readonly createQuery: (job: NewQueryJob) => Effect.Effect<QueryJob, ApiError>
  /** The job of an id, which has 15 or 18 characters. */
  readonly ingestJob: (id: string) => Effect.Effect<IngestJob, ApiError>
  readonly queryJob: (id: string) => Effect.Effect<QueryJob, ApiError>
  /** The job of an id for who polls it, which may be what lets it go on. */
  readonly poll: (kind: Job["kind"], id: string) => Effect.Effect<Job, ApiError>
  /** `count` jobs, of one kind or of both, without the `from` oldest. */
  readonly list: (kind: Job["kind"] | undefined, from: number, count: number) => Effect.Effect<ReadonlyArray<Job>>
  /** Keeps the CSV of an Open job; of a body that breaks off it keeps nothing. */
  readonly upload: <E>(id: string, body: Stream.Stream<Uint8Array, E>) => Effect.Effect<void, ApiError | E>
  /** Hands an Open job over to be processed. */
  readonly close: (id: string) => Effect.Effect<IngestJob, ApiError>
  /** Stops a job that is not done; what it has committed stays. */
  readonly abort: (kind: Job["kind"], id: string) => Effect.Effect<Job, ApiError>
  /** Forgets a job and all its data. */
  readonly remove: (kind: Job["kind"], id: string) => Effect.Effect<void, ApiError>
  readonly resultFile: (
    job: IngestJob,
    file: Results.ResultFile
  ) => Effect.Effect<Stream.Stream<Uint8Array, ApiError>, ApiError>
  /** The page that begins with row `from` and has `size` rows at most. */
  readonly page: (job: QueryJob, from: number, size: number) => Effect.Effect<Page, ApiError>
}

const keyPrefix = "750"

const severalUploads = (job: IngestJob): ApiError =>
  badRequest(
    "INVALIDJOB",
    // the typo is Salesforce's
    `Found multipe contents for job: <${ids.short(job.id)}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only do 'PUT' once on a given Job.`
  )

const notTerminated = badRequest(
  "API_ERROR",
  "Error encountered when deleting the job because the job is not terminated"
)

const isIngest = (job: Job): job is IngestJob => job.kind === "ingest"
const isQuery = (job: Job): job is QueryJob => job.kind === "query"
const kinds = { ingest: isIngest, query: isQuery }

/** Refuses what asks too much of an Open job. */
const stale = (job: IngestJob): ApiError =>
  badRequest(
    "INVALIDJOBSTATE",
    `The job ${job.id} has been open for more than 24 hours and cannot go on: create another`
  )

const takesData = (job: IngestJob, now: number): Result.Result<void, ApiError> => {
  if (isStale(job, now)) return Result.fail(stale(job))
  return job.state === "Open"
    ? Result.void
    : Result.fail(badRequest("INVALIDJOBSTATE", `The job takes no data: its state is ${job.state}`))
}

const notDone = badRequest("INVALIDJOBSTATE", "The job is not complete yet: results are there once it is")

/** A job as it is shown while its counters lag. */
const lagging = (job: IngestJob, effects: ReadonlyArray<JobEffect>): IngestJob => {
  const lag = effects.find((effect) => effect._tag === "LagCounters")?.rows ?? 0
  const processed = Math.max(0, job.processed - lag)
  return { ...job, processed, failed: Math.min(job.failed, processed) }
}

/**
 * Makes the engine of an org. Its jobs are processed by fibers of the scope,
 * and wait `delay` before they begin. Those that have expired are forgotten
 * when somebody asks for a job.
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly store: Store
  readonly objects: Soql.Objects
  readonly rules: RowRules
  readonly userId: string
  readonly delay: Duration.Input
  readonly pace: Pace
  readonly hardDelete: boolean
  readonly faults: FaultState
  readonly contention: boolean
  /** How many query jobs may be created within 24 hours. */
  readonly dailyQueryJobs: number
}): Effect.fn.Return<JobEngine, never, Scope.Scope> {
  const { dailyQueryJobs, faults, objects, pace, store, userId } = options
  const fork = yield* FiberSet.makeRuntime()
  const process = Processing.make(options)

  const handOver = (id: string): void => {
    pace.follow(id)
    fork(process(id))
  }

  // those that an earlier run was not through with
  for (const job of store.unfinishedJobs()) handOver(job.id)

  /** No job expires before. */
  let nextExpiry = (store.firstEnd() ?? Number.POSITIVE_INFINITY) + lifetime

  const save = <J extends Job>(job: J): J => {
    store.saveJob(job)
    nextExpiry = Math.min(nextExpiry, job.created + lifetime)
    return job
  }

  const dropBlocks = Effect.fnUntraced(function* (id: string) {
    while (store.dropSomeBlocks(id)) yield* Effect.yieldNow
  })

  /** Forgets jobs at once, and their data little by little: there may be much of it. */
  const forget = (ids: ReadonlyArray<string>): void => {
    store.transaction(() => {
      for (const id of ids) store.deleteJob(id)
    })
    for (const id of ids) {
      pace.forget(id)
      fork(dropBlocks(id))
    }
  }

  /** Forgets the jobs that have expired. */
  const sweep = (now: number): void => {
    if (now < nextExpiry) return
    forget(store.jobsEndedBy(now - lifetime))
    nextExpiry = (store.firstEnd() ?? Number.POSITIVE_INFINITY) + lifetime
  }

  const look = <J extends Job>(id: string, is: (job: Job) => job is J): Result.Result<J, ApiError> => {
    const job = store.job(ids.normalize(id) ?? "")
    return job !== undefined && is(job) ? Result.succeed(job) : Result.fail(notFound)
  }

  /** Looks and decides in one step, in which no other fiber can change the job. */
  const decide = <J extends Job, A>(
    id: string,
    is: (job: Job) => job is J,
    decision: (job: J, now: number) => Result.Result<A, ApiError>
  ): Effect.Effect<A, ApiError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.suspend(() => {
        sweep(now)
        return Effect.fromResult(Result.flatMap(look(id, is), (job) => decision(job, now)))
      })
    )

  const ingestJob = (id: string) => decide(id, isIngest, (job) => Result.succeed(lagging(job, faults.ofJob(job))))
  const queryJob = (id: string) => decide(id, isQuery, Result.succeed)

  /** What is kept of a job, to be sent. It breaks off when the job is deleted meanwhile: what is left would look complete. */
  const download = (job: Job, pieces: () => Iterable<Uint8Array>): Stream.Stream<Uint8Array, ApiError> =>
    Stream.concat(
      Blocks.stream(pieces),
      Stream.suspend(() => (store.job(job.id) === undefined ? Stream.fail(notFound) : Stream.empty))
    )

  const compile = (job: Pick<QueryJob, "query" | "operation">): Effect.Effect<Soql.Compiled, ApiError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.mapError(
        Effect.fromResult(Soql.compile(job.query, objects, { deleted: job.operation === "queryAll", now })),
        (error) => {
          const [, missing = ""] = /sObject type '(\w+)' is not supported/.exec(error.message) ?? []
          return unsupported(missing) ?? badRequest("API_ERROR", error.message)
        }
      )
    )

  const begin = Effect.map(Clock.currentTimeMillis, (now) => ({
    id: store.nextId(keyPrefix),
    createdById: userId,
    created: now,
    modified: now,
    processed: 0,
    failed: 0
  }))

  return {
    ingestJob,
    queryJob,
    poll: (kind, id) => {
      const look: Effect.Effect<Job, ApiError> = kind === "ingest" ? ingestJob(id) : queryJob(id)
      return Effect.flatMap(look, (job) => Effect.andThen(pace.polled(job.id), look))
    },

    list: (kind, from, count) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        sweep(now)
        return store.jobs(kind, from, count)
      }),

    createIngest: Effect.fnUntraced(function* (job) {
      const object = objects.get(job.object.toLowerCase())
      if (object === undefined) {
        return yield* unsupported(job.object) ?? badRequest("INVALIDENTITY", `Unable to find object: ${job.object}`)
      }
      if (job.operation === "hardDelete" && !options.hardDelete) {
        return yield* badRequest(
          "FEATURENOTENABLED",
          "hardDelete operation requires special user profile permission, please contact your system administrator"
        )
      }
      const key = job.externalIdFieldName
      if ((job.operation === "upsert") !== (key !== undefined)) {
        return yield* badRequest(
          "INVALIDJOB",
          key === undefined
            ? "The operation upsert needs an externalIdFieldName"
            : `The operation ${job.operation} takes no externalIdFieldName`
        )
      }
      if (key !== undefined) {
        const field = Rules.fieldsByName(object).get(key.toLowerCase())
        if (field === undefined || !(field.externalId || field.idLookup)) {
          return yield* badRequest(
            "INVALIDJOB",
            `Field name provided, ${key} does not match an External ID, Salesforce Id, or indexed field for ${object.name}`
          )
        }
      }
      const common = yield* begin
      return save({ kind: "ingest", ...common, ...job, object: object.name, state: "Open", uploads: 0 })
    }),

    createQuery: Effect.fnUntraced(function* (job) {
      const { object } = yield* compile(job)
      const common = yield* begin
      const used = store.queryJobsSince(common.created - 86_400_000)
      if (used >= dailyQueryJobs) {
        return yield* badRequest(
          "LIMIT_EXCEEDED",
          `Max bulk v2 query jobs (${dailyQueryJobs}) per 24 hrs has been reached (${used})`
        )
      }
      const created = save<QueryJob>({ kind: "query", ...common, ...job, object, state: "UploadComplete" })
      handOver(created.id)
      return created
    }),

    upload: Effect.fnUntraced(function* (id, body) {
      const job = yield* decide(id, isIngest, (job, now) => Result.map(takesData(job, now), () => job))
      // two uploads of one job may be under way at once
      const part = `upload-${store.nextNumber("upload")}`
      const receiver = new Receiver(job, (block) => store.addBlock(job.id, part, block))
      const receive = Stream.runForEachArray(body, (pieces) =>
        Effect.sync(() => {
          for (const piece of pieces) receiver.add(piece)
        })
      )
      const settle = decide(job.id, isIngest, (job, now) =>
        Result.map(takesData(job, now), () => {
          receiver.end()
          const { fault, rows } = receiver
          save({ ...job, upload: part, uploads: job.uploads + 1, rows, ...(fault !== undefined && { fault }) })
        })
      )
      // once it is settled, no interruption may drop it
      yield* Effect.uninterruptibleMask((restore) =>
        restore(receive).pipe(
          Effect.andThen(settle),
          Effect.onError(() => Effect.sync(() => store.dropBlocks(job.id, part)))
        )
      )
    }),

    close: (id) =>
      decide(id, isIngest, (job, now) => {
        if (job.state !== "Open") return Result.fail(tooLate("Closing", job))
        if (isStale(job, now)) return Result.fail(stale(job))
        if (job.uploads > 1) return Result.fail(severalUploads(job))
        const closed = save<IngestJob>({ ...job, state: "UploadComplete", modified: now })
        handOver(closed.id)
        return Result.succeed(closed)
      }),

    abort: (kind, id) =>
      decide<Job, Job>(id, kinds[kind], (job, now) => {
        if (isTerminal(job)) return Result.fail(tooLate("Aborting", job))
        pace.forget(job.id)
        return Result.succeed(save({ ...job, state: "Aborted", modified: now, finished: now }))
      }),

    remove: (kind, id) =>
      decide<Job, void>(id, kinds[kind], (job) => {
        const mayGo = isTerminal(job) || (job.kind === "ingest" && job.state === "UploadComplete")
        if (!mayGo) return Result.fail(notTerminated)
        return Result.succeed(forget([job.id]))
      }),

    resultFile: (job, file) =>
      isTerminal(job)
        ? Effect.succeed(download(job, () => Results.ingestFile(store, job, file)))
        : Effect.fail(notDone),

    page: Effect.fnUntraced(function* (job, from, size) {
      if (job.state !== "JobComplete") return yield* notDone
      if (from > job.processed || (from === job.processed && from > 0)) {
        return yield* badRequest("INVALID_QUERY_LOCATOR", "invalid query locator")
      }
      const query = yield* compile(job)
      const small = faults.ofJob(job).find((effect) => effect._tag === "SmallPages")?.rows ?? size
      const to = Math.min(job.processed, from + Math.min(size, small))
      return {
        rows: to - from,
        next: to < job.processed ? to : undefined,
        body: download(job, () => Results.queryPage(store, job, query, from, to))
      }
    })
  }
})
