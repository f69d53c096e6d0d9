/** The work on a job once it is handed over, in small steps between which others are served. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Batches, type Chunk } from "./batches.ts"
import { blockLength } from "./blocks.ts"
import { delimiters, escape, line, lineEndings, quote, type Row } from "./csv.ts"
import type { JobEffect } from "./Faults.ts"
import type { FaultState } from "./faultState.ts"
import { type ChunkResult, chunkSize, type ProcessChunk, prepare } from "./ingest.ts"
import { type IngestJob, isTerminal, type Job, type QueryJob } from "./job.ts"
import { contend, locksOf, unableToLock } from "./locks.ts"
import type { Pace } from "./polls.ts"
import * as Rules from "./Rules.ts"
import { queryPart } from "./results.ts"
import type { RowRules } from "./ruling.ts"
import * as Soql from "./Soql.ts"
import type { Block, Store } from "./Store.ts"
import * as Upload from "./upload.ts"
import { columnOrder } from "./versions.ts"

/** What processing changes of a job. */
type Progress = Partial<Pick<Job, "started" | "finished" | "processed" | "failed" | "errorMessage">> & {
  readonly retries?: number
  readonly state?: "InProgress" | "JobComplete" | "Failed"
}

const encoder = new TextEncoder()

/** The rows of a query in blocks, each with the number of its first row. */
const queryBlocks = function* (store: Store, job: QueryJob, query: Soql.Compiled): Generator<Block> {
  const order = columnOrder(
    job.apiVersion,
    query.fields.map((field) => field.name)
  )
  const writers = order.map((place) => Rules.writer(query.fields[place]!))
  const between = `"${delimiters[job.columnDelimiter]}"`
  const end = `"${lineEndings[job.lineEnding]}`
  const cells = new Array<string>(order.length)
  let lines: Array<string> = []
  let length = 0
  let first = 0
  const block = (): Block => ({ seq: first, rows: lines.length, bytes: encoder.encode(lines.join("")) })
  for (const values of store.select(query.sql, query.parameters)) {
    for (let i = 0; i < order.length; i++) cells[i] = escape(writers[i]!(values[order[i]!]!))
    const line = `"${cells.join(between)}${end}`
    lines.push(line)
    length += line.length
    if (length < blockLength) continue
    yield block()
    first += lines.length
    lines = []
    length = 0
  }
  if (lines.length > 0) yield block()
}

/** Whether an effect of these rows is for the row of this number. */
const isOfRows = (effects: ReadonlyArray<JobEffect>, tag: "LoseRows" | "LockRows", row: number): boolean =>
  effects.some((effect) => effect._tag === tag && row >= effect.after && row < effect.after + effect.rows)

const concat = (one: Uint8Array, other: Uint8Array): Uint8Array => {
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}

const none: ReadonlySet<number> = new Set()

/**
 * Makes the effect that takes a job from `UploadComplete` to its end. It waits
 * `delay` before it begins, unless the job follows polls.
 */
export const make = (options: {
  readonly store: Store
  readonly objects: Soql.Objects
  readonly rules: RowRules
  readonly delay: Duration.Input
  readonly pace: Pace
  readonly faults: FaultState
  /** Whether batches contend for the parents of their rows. */
  readonly contention: boolean
}): ((id: string) => Effect.Effect<void>) => {
  const { contention, delay, faults, objects, pace, store } = options

  /** Does a step of a job and notes it; false when the job was aborted or deleted meanwhile, and all work on it must stop. */
  const advance = (id: string, now: number, step: (job: Job) => Progress): boolean => {
    const job = store.job(id)
    if (job === undefined || isTerminal(job)) return false
    store.saveJob({ ...job, ...step(job), modified: now })
    return true
  }

  /** Begins a job, or goes on with one that the org was stopped in: an ingest job keeps what it has committed. */
  const begin = (id: string, now: number): boolean =>
    store.transaction(() => {
      store.dropBlocks(id, queryPart)
      return advance(id, now, (job) => ({
        state: "InProgress",
        started: job.started ?? now,
        ...(job.kind === "query" && { processed: 0 })
      }))
    })

  const finish = (id: string, errorMessage?: string) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const outcome: Progress =
        errorMessage === undefined ? { state: "JobComplete" } : { state: "Failed", errorMessage }
      advance(id, now, () => ({ ...outcome, finished: now }))
    })

  /** Whether a fault holds a job up once so many rows are taken. */
  const isHeld = (job: Job, rows: number): boolean =>
    faults.ofJob(job).some((effect) => (effect._tag === "Fail" || effect._tag === "Stall") && rows >= effect.after)

  /** Waits while a job is stalled, and ends one that is to fail; false when that was the end of it. */
  const goesOn = Effect.fnUntraced(function* (job: Job, rows: number) {
    for (;;) {
      const effects = faults.ofJob(job)
      const failure = effects.find((effect) => effect._tag === "Fail" && rows >= effect.after)
      if (failure?._tag === "Fail") {
        yield* finish(job.id, failure.message)
        return false
      }
      if (!effects.some((effect) => effect._tag === "Stall" && rows >= effect.after)) return true
      yield* pace.apart(
        job.id,
        Effect.callback<void>((resume) => {
          const forget = faults.onChange(() => resume(Effect.void))
          return Effect.sync(forget)
        })
      )
    }
  })

  /** Ends a job, once its polls let it end. */
  const end = (id: string, errorMessage?: string) => Effect.andThen(pace.goOn(id, 1), finish(id, errorMessage))

  /** Processes a chunk without the rows that are taken out of it: those that are lost, and those that are locked. */
  const withFaults = (job: IngestJob, locks: (row: Row) => ReadonlyArray<string>, process: ProcessChunk) => {
    return ({ number, rows }: Chunk, now: number, unlucky: ReadonlySet<number>): ChunkResult => {
      const effects = faults.ofJob(job)
      if (effects.length === 0 && unlucky.size === 0) return process(rows, now, number)
      const first = number * chunkSize
      const isLost = rows.map((_, i) => isOfRows(effects, "LoseRows", first + i))
      const isLocked = rows.map((_, i) => !isLost[i] && (unlucky.has(i) || isOfRows(effects, "LockRows", first + i)))
      const { failed, successful } = process(
        rows.filter((_, i) => !isLost[i] && !isLocked[i]),
        now,
        number
      )
      const locked = rows.filter((_, i) => isLocked[i])
      const lines = locked.map((row) =>
        line(['""', quote(Rules.render([unableToLock(locks(row))])), ...row.map(quote)], job)
      )
      return {
        successful,
        failed: { rows: failed.rows + locked.length, bytes: concat(failed.bytes, encoder.encode(lines.join(""))) }
      }
    }
  }

  const ingest = Effect.fnUntraced(function* (job: IngestJob) {
    if (job.fault !== undefined) return yield* end(job.id, job.fault)
    const header = Upload.header(store, job)
    if (header === undefined) return yield* end(job.id)
    const processChunk = prepare(options, job, header)
    if (typeof processChunk === "string") return yield* end(job.id, processChunk)
    const locks = locksOf(objects.get(job.object.toLowerCase()), header)
    const process = withFaults(job, locks, processChunk)
    const batches = new Batches(store, job)
    let taken = job.processed
    const share = () => taken / (job.rows || 1)

    /** A chunk of each batch that runs, or fewer where a fault comes between them. */
    const takeChunks = (): ReadonlyArray<Chunk> => {
      const chunks: Array<Chunk> = []
      for (const chunk of batches.round()) {
        chunks.push(chunk)
        taken += chunk.rows.length
        if (isHeld(job, taken) || pace.isHeld(job.id, share())) break
      }
      return chunks
    }

    for (;;) {
      yield* Effect.yieldNow
      yield* pace.goOn(job.id, share())
      const now = yield* Clock.currentTimeMillis
      if (!(yield* goesOn(job, taken))) return
      const chunks = takeChunks()
      if (chunks.length === 0) break
      const { locked, retries } = contention ? contend(chunks, locks) : { locked: [], retries: 0 }
      const isOn = store.transaction(() =>
        advance(job.id, now, (current) => {
          let { failed, processed } = current
          for (const [i, chunk] of chunks.entries()) {
            const result = process(chunk, now, locked[i] ?? none)
            store.addBlock(job.id, "successful", { seq: chunk.number, ...result.successful })
            if (result.failed.rows > 0) store.addBlock(job.id, "failed", { seq: chunk.number, ...result.failed })
            processed += result.successful.rows + result.failed.rows
            failed += result.failed.rows
          }
          return { processed, failed, ...(retries > 0 && { retries: (current.retries ?? 0) + retries }) }
        })
      )
      if (!isOn) return
    }
    yield* end(job.id)
  })

  const query = Effect.fnUntraced(function* (job: QueryJob) {
    const now = yield* Clock.currentTimeMillis
    const compiled = Soql.compile(job.query, objects, { deleted: job.operation === "queryAll", now })
    if (Result.isFailure(compiled)) return yield* end(job.id, `InvalidBatch : ${compiled.failure.message}`)
    for (const block of queryBlocks(store, job, compiled.success)) {
      if (!(yield* goesOn(job, block.seq))) return
      const isOn = store.transaction(() =>
        advance(job.id, now, (current) => {
          store.addBlock(job.id, queryPart, block)
          return { processed: current.processed + block.rows }
        })
      )
      if (!isOn) return
      yield* Effect.yieldNow
    }
    if (!(yield* goesOn(job, Number.MAX_SAFE_INTEGER))) return
    yield* end(job.id)
  })

  return (id) =>
    Effect.gen(function* () {
      yield* pace.isFollowed(id) ? pace.begin(id) : Effect.sleep(delay)
      const now = yield* Clock.currentTimeMillis
      if (!begin(id, now)) return
      const job = store.job(id)
      if (job?.kind === "ingest") yield* ingest(job)
      if (job?.kind === "query") yield* query(job)
    }).pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.failCause(cause)
          : Effect.andThen(
              Effect.logError(`job ${id} ended in a fault of the org`, cause),
              finish(id, `InternalServerError : ${Cause.pretty(cause).split("\n", 1)[0]}`)
            )
      ),
      Effect.ensuring(Effect.sync(() => pace.forget(id)))
    )
}
