import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as Semaphore from "effect/Semaphore"
import type * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import type { Progress } from "../Progress.ts"
import type * as Csv from "../record/Csv.ts"
import type * as Inlet from "./inlet.ts"
import type { Jobs } from "./jobs.ts"
import type { PartJoin } from "./join.ts"
import type * as Outcome from "./Outcome.ts"
import type { Outlet } from "./outlet.ts"
import type { Part, PartStore } from "./parts.ts"
import type { Settled } from "./settle.ts"
import type { Stop } from "./stop.ts"

/** How many records a job has that is made of refused ones. */
const resentRows = 2000

/** Records that are sent again. */
export interface Again<B> {
  readonly layout: Inlet.Layout
  readonly blocks: ReadonlyArray<Inlet.Block<B>>
}

/** The load whose records are sent again. */
export interface Resending<B> {
  /** Makes blocks of refused records. */
  readonly again: (records: ReadonlyArray<B>, layout: Inlet.Layout) => Again<B>
  readonly schedule: Schedule.Schedule<unknown>
  /** One job at a time, whichever parts they come from. */
  readonly retrying: Semaphore.Semaphore
  readonly open: (layout: Inlet.Layout) => Effect.Effect<PartStore<B>, BulkError.BulkError, Scope.Scope>
  readonly upload: (
    part: Part<never>,
    dialect: Csv.Dialect
  ) => Effect.Effect<string | undefined, BulkError.BulkError, Connection>
  readonly settle: (
    jobId: string,
    join: PartJoin<B>,
    dialect: Csv.Dialect
  ) => Effect.Effect<Settled<B>, BulkError.BulkError, Connection>
  readonly jobs: Jobs
  readonly progress: (event: Progress) => Effect.Effect<void>
  readonly stop: Pick<Stop<BulkError.BulkError>, "fail" | "unlessStopped">
  readonly emitAll: Outlet<B, never>["emitAll"]
  /** What the span of a job is to say. */
  readonly attributes: Readonly<Record<string, string | undefined>>
}

/** Sends records again that were refused for what may pass, in small jobs. Those that still are come out at last. */
export const resend = Effect.fnUntraced(function* <B>(
  first: ReadonlyArray<Outcome.Failed<B>>,
  layout: Inlet.Layout,
  load: Resending<B>
) {
  if (first.length === 0) return
  const { emitAll, retrying, schedule, stop } = load
  const step = yield* Schedule.toStepWithSleep(schedule)
  let refused = first
  while (refused.length > 0) {
    const goesOn = yield* stop.unlessStopped(
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
          .withPermits(1)(resendSome(some[i] ?? [], layout, load))
          .pipe(Effect.tapError(() => emitAll([...left, ...some.slice(i + 1).flat()]))))
      )
    }
    refused = left
  }
  yield* emitAll(refused)
})

/** Sends some as one job; gives those that are refused again. */
const resendSome = <B>(refused: ReadonlyArray<Outcome.Failed<B>>, first: Inlet.Layout, load: Resending<B>) =>
  Effect.gen(function* () {
    const { again, emitAll, settle, stop } = load
    const { blocks, layout } = again(
      refused.map(({ record }) => record),
      first
    )
    const submitted = yield* submit(blocks, layout, load).pipe(
      // where nothing was submitted, what is known of them stands
      Effect.tapError(({ reason }) => (reason._tag === "CommitUnknown" ? Effect.void : emitAll(refused)))
    )
    if (submitted === undefined) return refused
    const settled = yield* settle(submitted.jobId, submitted.join, layout.dialect)
    if (Exit.isFailure(settled.exit)) yield* stop.fail(settled.exit.cause)
    return settled.again
  }).pipe(Effect.scoped, Effect.withSpan("Ingest.resend", { attributes: load.attributes }))

/** Undefined if the load has failed meanwhile. */
const submit = Effect.fnUntraced(function* <B>(
  blocks: ReadonlyArray<Inlet.Block<B>>,
  layout: Inlet.Layout,
  { jobs, open, progress, stop, upload }: Resending<B>
) {
  const { join, keep, spooled } = yield* open(layout)
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
  const jobId = yield* stop.unlessStopped(upload(part, layout.dialect))
  if (jobId === undefined) return undefined
  yield* jobs.close(jobId)
  yield* progress({ _tag: "Submitted", jobId, records: join.sent(), bytes })
  return { jobId, join }
})
