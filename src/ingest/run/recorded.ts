/** A load whose steps are written down before they are taken. */
import type * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Stream from "effect/Stream"
import * as BulkError from "../../BulkError.ts"
import { Connection } from "../../connection/Connection.ts"
import { besideSource } from "../../connection/streamInOrg.ts"
import * as IngestJob from "../../job/IngestJob.ts"
import * as Job from "../../job/Job.ts"
import { version } from "../../version.ts"
import type * as Ingest from "../Ingest.ts"
import type { Outcome } from "../Outcome.ts"
import * as Lease from "./lease.ts"
import * as RunLog from "./log.ts"
import { outcomesOf, type Part, refused } from "./part.ts"

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
  /**
   * For how long a process holds the run without being seen: after a crash the next one
   * waits so long at most. Default 15 seconds.
   */
  readonly lease?: Duration.Input | undefined
}

export const invalid = (problem: string): BulkError.BulkError =>
  BulkError.make(new BulkError.InvalidOptions({ problem: `run: ${problem}` }))

/** What is sent by a run, whatever its source is. */
export const recorded = <T, A, E, R>(
  options: Settings & Pick<Ingest.LoadOptions, "object" | "outcomes" | "poll"> & { readonly operation: string },
  header: Pick<RunLog.Header, "source" | "key" | "nulls" | "columns">,
  source: Stream.Stream<T, E, R>,
  partOf: (some: Arr.NonEmptyReadonlyArray<T>, range: Pick<Part<A>, "number" | "from" | "to">) => Part<A>
): Stream.Stream<Outcome<A>, E | BulkError.BulkError, R | Connection | KeyValueStore.KeyValueStore> =>
  besideSource(source, (source) =>
    Stream.unwrap(
      Effect.gen(function* () {
        const { object, operation, outcomes, partRows = 10_000, parts = 2, poll, runId } = options
        if (!(partRows >= 1)) return yield* invalid(`partRows is ${partRows}`)
        if (!(parts >= 1)) return yield* invalid(`parts is ${parts}`)
        const log = yield* RunLog.open(runId)
        const { apiVersion, identity } = yield* Connection
        const { orgId, userId } = yield* identity
        if (options.after !== undefined) yield* demandFinished(runId, options.after)
        const held = yield* Lease.hold(runId, log, options.lease ?? "15 seconds")
        yield* begin(log, runId, {
          format: 1,
          orgId,
          object,
          operation,
          ...header,
          partRows,
          startedAt: yield* now,
          userId,
          version,
          apiVersion
        })
        const work = { runId, log, held, known: yield* log.parts, outcomes, poll }
        let read = 0
        return source.pipe(
          Stream.grouped(partRows),
          Stream.map((some) => {
            const from = read
            read += some.length
            return { some, range: { number: Math.floor(from / partRows), from, to: read } }
          }),
          Stream.flatMap(({ range, some }) => outcomesOf(work, partOf(some, range)), { concurrency: parts }),
          // one after the other: a part is done when somebody asks for what comes after its outcomes
          Stream.flatMap((some) =>
            some._tag === "Outcomes"
              ? Stream.fromArray(some.outcomes)
              : Stream.unwrap(Effect.as(some.write, Stream.empty))
          ),
          Stream.concat(
            Stream.unwrap(
              Effect.gen(function* () {
                yield* log.end.set({ records: read, endedAt: yield* now })
                return Stream.empty
              })
            )
          )
        )
      })
    )
  )

const now = Effect.map(Clock.currentTimeMillis, (millis) => new Date(millis).toISOString())

/** Writes down what the run is, or compares it to what it was begun as. */
const begin = Effect.fnUntraced(function* (log: RunLog.RunLog, runId: string, header: RunLog.Header) {
  const begun = yield* log.header.get
  if (begun === undefined) return yield* log.header.set(header)
  for (const name of ["orgId", "object", "operation", "source", "key", "nulls", "partRows", "columns"] as const) {
    const [was, is] = [String(begun[name]), String(header[name])]
    if (was !== is) return yield* refused(runId, `it was begun with ${name} ${was}, and not ${is}`)
  }
})

/** Fails while a job of another run is under way. */
const demandFinished = Effect.fnUntraced(function* (runId: string, after: string) {
  const log = yield* RunLog.open(after)
  if ((yield* log.end.get) !== undefined) return
  if ((yield* log.header.get) === undefined) return yield* refused(runId, `there is no run ${after} before it`)
  for (const known of (yield* log.parts).values()) {
    for (const { jobId } of yield* log.jobs(known)) {
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
