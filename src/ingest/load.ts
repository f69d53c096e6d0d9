import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type * as BulkError from "../BulkError.ts"
import { Connection } from "../connection/Connection.ts"
import { besideSource } from "../connection/streamInOrg.ts"
import { measured } from "../measured.ts"
import type { Progress } from "../Progress.ts"
import type * as Csv from "../record/Csv.ts"
import * as Backlog from "./backlog.ts"
import { countedOnce } from "./corrections.ts"
import * as Inlet from "./inlet.ts"
import * as Jobs from "./jobs.ts"
import type { PartJoin } from "./join.ts"
import type * as Outcome from "./Outcome.ts"
import * as Outlet from "./outlet.ts"
import * as Parts from "./parts.ts"
import { type Resending, resend } from "./resend.ts"
import { type Settling, settle } from "./settle.ts"
import * as Stop from "./stop.ts"
import { type Uploading, upload } from "./upload.ts"

/** What one load is to do. */
export interface Load<T, B> extends Uploading, Settling<B> {
  readonly blocks: () => Inlet.Blocks<T, B>
  /** Makes room for a part. */
  readonly open: (
    layout: Inlet.Layout,
    bytes: number
  ) => Effect.Effect<Parts.PartStore<B>, BulkError.BulkError, Scope.Scope>
  /** Makes blocks of records that are sent again; undefined without a key. */
  readonly again: Resending<B>["again"] | undefined
  readonly limits: Parts.Limits
  readonly whole: boolean
  readonly concurrency: number
  readonly onInterrupt: Jobs.OnInterrupt
  readonly onRowError: "outcome" | "fail"
  /** Which row errors pass, and when their records are sent again. */
  readonly rowRetry: {
    readonly isTransient: (error: Outcome.RowError) => boolean
    readonly schedule: Schedule.Schedule<unknown>
  }
  readonly progress: ((event: Progress) => Effect.Effect<void>) | undefined
}

/**
 * Sends a stream of records as so many jobs as it takes, and gives what became of
 * each of them.
 *
 * A job is created on the first block of its part. Until it is closed it touches no
 * data: whatever goes wrong before, it is aborted, and its part uploaded to another
 * one. Afterwards it is only read. One part is uploaded at a time, while earlier
 * ones are processed and their outcomes read.
 *
 * After a failure no part is begun; what was submitted is settled first, and its
 * outcomes come out.
 */
export const load = <T, B, E, R>(
  source: Stream.Stream<T, E, R>,
  options: Load<T, B>
): Stream.Stream<Outcome.Outcome<B>, E | BulkError.BulkError, R | Connection> =>
  besideSource(source, (source) => loading(source, options))

const loading = <T, B, E, R>(
  source: Stream.Stream<T, E, R>,
  options: Load<T, B>
): Stream.Stream<Outcome.Outcome<B>, E | BulkError.BulkError, R | Connection> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { concurrency, limits } = options
      const { object, operation } = options.job
      const scope = yield* Effect.scope
      const connection = yield* Connection
      const progress = measured(connection.org, yield* countedOnce(options.progress))
      const jobs = yield* Jobs.open(options.onInterrupt, progress)
      const about = { "salesforce.operation": operation, "salesforce.object": object }
      const span = yield* Effect.makeSpanScoped("Ingest.load", { attributes: about })
      const stop = yield* Stop.make<E | BulkError.BulkError>()
      const outlet = yield* Outlet.make<B, E>(options.onRowError, stop)
      const slots = yield* Semaphore.make(concurrency)
      const backlog = yield* Backlog.make(unreadJobs)
      const reading = yield* Semaphore.make(1)
      const retrying = yield* Semaphore.make(1)
      const settling = new Set<Fiber.Fiber<unknown, unknown>>()

      /** Emits records that are not sent. */
      const reject = (outcomes: Arr.NonEmptyReadonlyArray<Outcome.Outcome<B>>): Effect.Effect<void> =>
        Effect.andThen(
          progress({ _tag: "Rejected", operation, object, records: outcomes.length }),
          outlet.emit(outcomes)
        )

      const uploadPart = <E2>(part: Parts.Part<E2>, dialect: Csv.Dialect, resends: boolean) =>
        upload(part, dialect, { job: options.job, gzip: options.gzip, resends, jobs, progress, scope })

      const settleJob = (jobId: string, join: PartJoin<B>, dialect: Csv.Dialect) =>
        settle(jobId, join, {
          dialect,
          poll: options.poll,
          successes: options.successes,
          keepSuccesses: options.keepSuccesses,
          onJobFailed: options.onJobFailed,
          // without a key nobody knows what to send again
          isTransient: (error) => options.again !== undefined && options.rowRetry.isTransient(error),
          jobs,
          backlog,
          reading,
          progress,
          emit: outlet.emit
        })

      const sendAgain = (refused: ReadonlyArray<Outcome.Failed<B>>, layout: Inlet.Layout) =>
        options.again === undefined
          ? Effect.void
          : resend(refused, layout, {
              again: options.again,
              schedule: options.rowRetry.schedule,
              retrying,
              open: (layout) => options.open(layout, limits.bytes),
              upload: (part, dialect) => uploadPart(part, dialect, true),
              settle: settleJob,
              jobs,
              progress,
              stop,
              emitAll: outlet.emitAll,
              attributes: about
            })

      /** Uploads and submits one part, and leaves it to be settled. */
      const submit = Effect.fnUntraced(function* (inlet: Inlet.Inlet<B, E>) {
        const layout = inlet.layout()
        const partScope = yield* Scope.fork(scope)
        const leave = Effect.andThen(Scope.close(partScope, Exit.void), slots.release(1))
        const partSpan = yield* Effect.makeSpanScoped("Ingest.part", {
          attributes: about
        }).pipe(Scope.provide(partScope))
        const submitted = yield* Effect.gen(function* () {
          const store = yield* Scope.provide(options.open(layout, limits.bytes), partScope)
          const part = yield* stop.unlessStopped(
            Parts.make({
              ...store,
              inlet,
              limits,
              emit: reject,
              whole: options.whole,
              onRows: (records, bytes) => progress({ _tag: "Encoded", records, bytes })
            })
          )
          if (part === undefined) return undefined
          const jobId = yield* stop.unlessStopped(uploadPart(part, layout.dialect, false))
          const cause = part.failure()
          if (cause !== undefined) yield* stop.fail(cause)
          if (jobId === undefined) return undefined
          const { join } = store
          // every row may have turned out to be one that is not sent
          if (join.sent() === 0) return yield* Effect.as(jobs.abandon(jobId), undefined)
          yield* jobs.close(jobId)
          yield* store.release
          yield* progress({ _tag: "Submitted", jobId, records: join.sent(), bytes: part.bytes() })
          return { jobId, join }
        }).pipe(
          Effect.withParentSpan(partSpan),
          Effect.onError(() => leave)
        )
        if (submitted === undefined) {
          yield* leave
          return
        }
        const fiber = yield* settleJob(submitted.jobId, submitted.join, layout.dialect).pipe(
          Effect.flatMap(({ again, exit }) =>
            Effect.andThen(Exit.isFailure(exit) ? stop.fail(exit.cause) : Effect.void, sendAgain(again, layout))
          ),
          Effect.catchCause(stop.fail),
          Effect.withParentSpan(partSpan),
          Effect.ensuring(leave),
          Effect.forkIn(scope)
        )
        settling.add(fiber)
        fiber.addObserver(() => settling.delete(fiber))
      })

      const produce = Effect.gen(function* () {
        const inlet = yield* Inlet.open(source, options.blocks())
        while (stop.failure() === undefined) {
          const block = yield* stop.unlessStopped(inlet.peek({ rows: limits.rows, until: Number.POSITIVE_INFINITY }))
          if (block === undefined) return
          if (block.rows === 0) {
            if (Arr.isReadonlyArrayNonEmpty(block.rejected)) yield* reject(block.rejected)
            inlet.take()
            continue
          }
          yield* stop.unlessStopped(backlog.isShort)
          if ((yield* stop.unlessStopped(slots.take(1))) === undefined) return
          yield* submit(inlet)
        }
      })

      yield* produce.pipe(
        // an interrupt of the fiber itself comes to no handler: what does is the source's own
        Effect.catchCause(stop.fail),
        Effect.andThen(Effect.suspend(() => Fiber.awaitAll([...settling]))),
        Effect.andThen(outlet.end),
        Effect.withParentSpan(span),
        Effect.forkIn(scope)
      )
      return outlet.outcomes
    })
  )

/** From how many jobs on that wait to be read no other is begun. */
const unreadJobs = 2
