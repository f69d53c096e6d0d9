import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import { Connection } from "../connection/Connection.ts"
import { besideSource } from "../connection/streamInOrg.ts"
import * as IngestJob from "../job/IngestJob.ts"
import type * as Poll from "../job/Poll.ts"
import { measured } from "../measured.ts"
import type { Progress } from "../Progress.ts"
import type * as Csv from "../record/Csv.ts"
import * as Backlog from "./backlog.ts"
import { type Collect, collect } from "./collect.ts"
import { countedOnce } from "./corrections.ts"
import * as Inlet from "./inlet.ts"
import * as Jobs from "./jobs.ts"
import type { PartJoin } from "./join.ts"
import type * as Outcome from "./Outcome.ts"
import * as Parts from "./parts.ts"
import type * as Spool from "./Spool.ts"

/** What the records of one part are kept in, and how its results find them. */
export interface Keeping<B> {
  readonly join: PartJoin<B>
  readonly keep: (block: Inlet.Block<B>) => void
  readonly spooled: Spool.Spooled
  readonly readable: Spool.Spooled | undefined
  /** Called when the part is submitted: the CSV is not needed to upload it again. */
  readonly release: Effect.Effect<void>
}

/** What one load is to do. */
export interface Load<T, B> {
  readonly job: IngestJob.CreateOptions
  readonly blocks: () => Inlet.Blocks<T, B>
  /** Makes room for a part. */
  readonly open: (layout: Inlet.Layout, bytes: number) => Effect.Effect<Keeping<B>, BulkError.BulkError, Scope.Scope>
  /** The same for records that are sent again; undefined without a key. */
  readonly again: ((records: ReadonlyArray<B>, layout: Inlet.Layout) => Again<B>) | undefined
  readonly limits: Parts.Limits
  readonly whole: boolean
  readonly concurrency: number
  readonly successes: boolean
  readonly keepSuccesses: Collect<B>["keepSuccesses"]
  readonly gzip: boolean | undefined
  readonly poll: Poll.Poll | undefined
  readonly onInterrupt: Jobs.OnInterrupt
  readonly onJobFailed: "fail" | "continue"
  readonly onRowError: "outcome" | "fail"
  /** Which row errors pass, and when their records are sent again. */
  readonly rowRetry: {
    readonly isTransient: (error: Outcome.RowError) => boolean
    readonly schedule: Schedule.Schedule<unknown>
  }
  readonly progress: ((event: Progress) => Effect.Effect<void>) | undefined
}

/** Records that are sent again. */
export interface Again<B> {
  readonly layout: Inlet.Layout
  readonly blocks: ReadonlyArray<Inlet.Block<B>>
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
      const out = yield* Queue.bounded<
        Arr.NonEmptyReadonlyArray<Outcome.Outcome<B>>,
        E | BulkError.BulkError | Cause.Done
      >(1)
      const slots = yield* Semaphore.make(concurrency)
      const backlog = yield* Backlog.make(unreadJobs)
      const emitting = yield* Semaphore.make(1)
      const reading = yield* Semaphore.make(1)
      const retrying = yield* Semaphore.make(1)
      const stopped = yield* Deferred.make<void>()
      const settling = new Set<Fiber.Fiber<unknown, unknown>>()
      let failure: Cause.Cause<E | BulkError.BulkError> | undefined

      /** The first failure is the load's; from now on nothing is begun. */
      const fail = (cause: Cause.Cause<E | BulkError.BulkError>) =>
        Effect.suspend(() => {
          if (failure !== undefined) return Effect.logWarning("the load failed before, and then also", cause)
          failure = cause
          return Deferred.succeed(stopped, undefined)
        })
      // an interrupt of the fiber itself comes to no handler: what does is the source's own
      const failing = <A, R2>(self: Effect.Effect<A, E | BulkError.BulkError, R2>) => Effect.catchCause(self, fail)
      const unlessStopped = <A, E2, R2>(self: Effect.Effect<A, E2, R2>): Effect.Effect<A | undefined, E2, R2> =>
        Effect.raceFirst(self, Effect.as(Deferred.await(stopped), undefined))

      const emit = (outcomes: Arr.NonEmptyReadonlyArray<Outcome.Outcome<B>>): Effect.Effect<void> => {
        // one at a time: the queue's set of those that wait would keep outcomes long after they are taken
        const offered = emitting.withPermits(1)(Queue.offer(out, outcomes))
        if (options.onRowError === "outcome" || failure !== undefined) return offered
        const failed = outcomes.find((outcome) => outcome._tag === "Failed")
        if (failed === undefined) return offered
        const { code, message: detail } = failed.error
        const reason = new BulkError.RowFailed({ jobId: failed.jobId, code, detail })
        return Effect.andThen(offered, fail(Cause.fail(BulkError.make(reason))))
      }
      const emitAll = (outcomes: ReadonlyArray<Outcome.Outcome<B>>): Effect.Effect<void> =>
        Arr.isReadonlyArrayNonEmpty(outcomes) ? emit(outcomes) : Effect.void

      /** Emits records that are not sent. */
      const reject = (outcomes: Arr.NonEmptyReadonlyArray<Outcome.Outcome<B>>): Effect.Effect<void> =>
        Effect.andThen(progress({ _tag: "Rejected", operation, object, records: outcomes.length }), emit(outcomes))

      /** Uploads a part: to one job, or another if the upload breaks. Undefined if the part has failed. */
      const upload = <E2>(part: Parts.Part<E2>, dialect: Csv.Dialect, resends = false) => {
        let attempt = 0
        const once = Effect.gen(function* () {
          const { id } = yield* jobs.create({ ...options.job, ...dialect })
          attempt++
          yield* progress({ _tag: "JobCreated", jobId: id, kind: "ingest", operation, object, resends, attempt })
          return yield* IngestJob.upload(id, told(id, part), { gzip: options.gzip }).pipe(
            Effect.as(id),
            Effect.onInterrupt(() => jobs.abandon(id)),
            Effect.catchCause((cause): Effect.Effect<string | undefined, BulkError.BulkError> => {
              if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
              // the job may hold data: never to be used again
              return Effect.andThen(
                Effect.asVoid(Effect.forkIn(Effect.provideService(jobs.abandon(id), Connection, connection), scope)),
                part.failure() === undefined
                  ? Effect.failCause(cause as Cause.Cause<BulkError.BulkError>)
                  : Effect.succeed(undefined)
              )
            })
          )
        })
        // the next job is created with a session that is renewed
        return connection.retry(Effect.retry(once, { times: 2, while: isRefusedSession }))
      }
      /** The CSV of a part, with word of each block that goes to the socket. */
      const told = <E2>(jobId: string, part: Parts.Part<E2>) =>
        Stream.suspend(() => {
          let sent = 0
          return Stream.mapArrayEffect(part.csv, (blocks) => {
            for (const block of blocks) sent += block.length
            // a block that the spool gives again may hold any number of rows
            const records = Math.floor((part.rows() * sent) / part.bytes())
            return Effect.as(progress({ _tag: "Uploading", jobId, records, bytes: sent }), blocks)
          })
        })

      /** Awaits a job and emits what became of its records; gives those to be sent again. */
      const settle = Effect.fnUntraced(function* (jobId: string, join: PartJoin<B>, dialect: Csv.Dialect) {
        const again: Array<Outcome.Failed<B>> = []
        const job = yield* Jobs.awaited(jobId, options.poll, progress).pipe(
          Effect.tapError(() =>
            Effect.suspend(() => {
              jobs.letGo(jobId)
              return Effect.andThen(
                progress({ _tag: "JobLeft", jobId }),
                Effect.logWarning(`job ${jobId} is submitted, and is not waited for any more`)
              )
            })
          )
        )
        jobs.letGo(jobId)
        const exit = yield* collect(job, join, {
          dialect,
          successes: options.successes,
          keepSuccesses: options.keepSuccesses,
          onJobFailed: options.onJobFailed,
          reading,
          progress,
          again: (failed) => {
            if (options.again === undefined || !options.rowRetry.isTransient(failed.error)) return false
            again.push(failed)
            return true
          }
        }).pipe(Stream.runForEachArray(emit), backlog.reading, Effect.exit)
        return { again, exit }
      })

      /** Sends records again that were refused for what may pass, in small jobs, one at a time. */
      const resend = Effect.fnUntraced(function* (first: ReadonlyArray<Outcome.Failed<B>>, layout: Inlet.Layout) {
        if (options.again === undefined || first.length === 0) return
        const step = yield* Schedule.toStepWithSleep(options.rowRetry.schedule)
        let refused = first
        while (refused.length > 0) {
          const goesOn = yield* unlessStopped(
            step(undefined).pipe(
              Effect.as(true),
              Pull.catchDone(() => Effect.succeed(false))
            )
          )
          if (goesOn !== true) break
          const left: Array<Outcome.Failed<B>> = []
          const some = Arr.chunksOf(refused, resentRows)
          for (let i = 0; i < some.length; i++) {
            left.push(
              ...(yield* retrying
                .withPermits(1)(resendSome(options.again, layout, some[i] ?? []))
                .pipe(Effect.tapError(() => emitAll([...left, ...some.slice(i + 1).flat()]))))
            )
          }
          refused = left
        }
        yield* emitAll(refused)
      })

      const resendSome = Effect.fnUntraced(
        function* (
          again: NonNullable<Load<T, B>["again"]>,
          first: Inlet.Layout,
          refused: ReadonlyArray<Outcome.Failed<B>>
        ): Effect.fn.Return<ReadonlyArray<Outcome.Failed<B>>, E | BulkError.BulkError, Connection | Scope.Scope> {
          const { blocks, layout } = again(
            refused.map(({ record }) => record),
            first
          )
          const submitted = yield* Effect.gen(function* () {
            const { join, keep, spooled } = yield* options.open(layout, limits.bytes)
            yield* spooled.write(layout.header)
            let bytes = layout.header.length
            let rows = 0
            for (const block of blocks) {
              join.enter(block)
              keep(block)
              yield* spooled.write(block.bytes)
              bytes += block.bytes.length
              rows += block.rows
            }
            const part = { csv: spooled.read, failure: () => undefined, bytes: () => bytes, rows: () => rows }
            const jobId = yield* unlessStopped(upload(part, layout.dialect, true))
            if (jobId === undefined) return undefined
            yield* jobs.close(jobId)
            yield* progress({ _tag: "Submitted", jobId, records: join.sent(), bytes })
            return { jobId, join }
          }).pipe(
            // where nothing was submitted, what is known of them stands
            Effect.tapError(({ reason }) => (reason._tag === "CommitUnknown" ? Effect.void : emitAll(refused)))
          )
          if (submitted === undefined) return refused
          const settled = yield* settle(submitted.jobId, submitted.join, layout.dialect)
          if (Exit.isFailure(settled.exit)) yield* fail(settled.exit.cause)
          return settled.again
        },
        Effect.scoped,
        Effect.withSpan("Ingest.resend", { attributes: about })
      )

      /** Uploads and submits one part, and leaves it to be settled. */
      const submit = Effect.fnUntraced(function* (inlet: Inlet.Inlet<B, E>) {
        const layout = inlet.layout()
        const partScope = yield* Scope.fork(scope)
        const leave = Effect.andThen(Scope.close(partScope, Exit.void), slots.release(1))
        const partSpan = yield* Effect.makeSpanScoped("Ingest.part", {
          attributes: about
        }).pipe(Scope.provide(partScope))
        const submitted = yield* Effect.gen(function* () {
          const keeping = yield* Scope.provide(options.open(layout, limits.bytes), partScope)
          const part = yield* unlessStopped(
            Parts.make({
              ...keeping,
              inlet,
              limits,
              emit: reject,
              whole: options.whole,
              onRows: (records, bytes) => progress({ _tag: "Encoded", records, bytes })
            })
          )
          if (part === undefined) return undefined
          const jobId = yield* unlessStopped(upload(part, layout.dialect))
          const cause = part.failure()
          if (cause !== undefined) yield* fail(cause)
          if (jobId === undefined) return undefined
          const { join } = keeping
          // every row may have turned out to be one that is not sent
          if (join.sent() === 0) return yield* Effect.as(jobs.abandon(jobId), undefined)
          yield* jobs.close(jobId)
          yield* keeping.release
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
        const fiber = yield* settle(submitted.jobId, submitted.join, layout.dialect).pipe(
          Effect.flatMap(({ again, exit }) =>
            Effect.andThen(Exit.isFailure(exit) ? fail(exit.cause) : Effect.void, resend(again, layout))
          ),
          failing,
          Effect.withParentSpan(partSpan),
          Effect.ensuring(leave),
          Effect.forkIn(scope)
        )
        settling.add(fiber)
        fiber.addObserver(() => settling.delete(fiber))
      })

      const produce = Effect.gen(function* () {
        const inlet = yield* Inlet.open(source, options.blocks())
        while (failure === undefined) {
          const block = yield* unlessStopped(inlet.peek({ rows: limits.rows, until: Number.POSITIVE_INFINITY }))
          if (block === undefined) return
          if (block.rows === 0) {
            if (Arr.isReadonlyArrayNonEmpty(block.rejected)) yield* reject(block.rejected)
            inlet.take()
            continue
          }
          yield* unlessStopped(backlog.isShort)
          if ((yield* unlessStopped(slots.take(1))) === undefined) return
          yield* submit(inlet)
        }
      })

      yield* produce.pipe(
        failing,
        Effect.andThen(Effect.suspend(() => Fiber.awaitAll([...settling]))),
        Effect.andThen(Effect.suspend(() => (failure === undefined ? Queue.end(out) : Queue.failCause(out, failure)))),
        Effect.withParentSpan(span),
        Effect.forkIn(scope)
      )
      return Stream.fromPull(Effect.succeed(Queue.take(out)))
    })
  )

/** From how many jobs on that wait to be read no other is begun. */
const unreadJobs = 2

/** How many records a job has that is made of refused ones. */
const resentRows = 2000

const isRefusedSession = ({ reason }: BulkError.BulkError): boolean =>
  reason._tag === "ApiError" && reason.status === 401
