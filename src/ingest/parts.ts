import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import { type Block, clientFailure, type Inlet } from "./inlet.ts"
import type { PartJoin } from "./join.ts"
import type * as Outcome from "./Outcome.ts"
import { rowFilter, withoutRows } from "./rows.ts"
import type { Spooled } from "./Spool.ts"

/** What a part holds at most, and how long it takes up what comes. */
export interface Limits {
  readonly bytes: number
  readonly rows: number
  readonly within: Duration.Input
}

/** What the records of one part are kept in, and how its results find them. */
export interface PartStore<B> {
  readonly join: PartJoin<B>
  readonly keep: (block: Block<B>) => void
  readonly spooled: Spooled
  /** Where rows are kept from which records can be read back, if those that are sent do not do. */
  readonly readable: Spooled | undefined
  /** Called when the part is submitted: the CSV is not needed to upload it again. */
  readonly release: Effect.Effect<void>
}

/** What a part is made of. */
export interface Making<B, E> extends Omit<PartStore<B>, "release"> {
  readonly inlet: Inlet<B, E>
  readonly limits: Limits
  readonly emit: (outcomes: Arr.NonEmptyReadonlyArray<Outcome.Outcome<B>>) => Effect.Effect<void>
  /** Whether all of it is known before the first byte is sent. */
  readonly whole: boolean
  /** Told of rows that were added. */
  readonly onRows: (records: number, bytes: number) => Effect.Effect<void>
}

/** A part of a load: the CSV of one job. */
export interface Part<E> {
  /**
   * The CSV. What has been read once comes from the spool, the rest from the source,
   * which goes to the spool too: it can be run again after it was broken off.
   */
  readonly csv: Stream.Stream<Uint8Array, E | BulkError.BulkError>
  /** Why there is no more CSV, if it is not that the part is full or the source has ended. */
  readonly failure: () => Cause.Cause<E | BulkError.BulkError> | undefined
  readonly bytes: () => number
  readonly rows: () => number
}

/** Begins a part. */
export const make = Effect.fnUntraced(function* <B, E>(options: Making<B, E>) {
  const { emit, inlet, join, keep, limits, onRows, readable, spooled, whole } = options
  const { header, readableHeader } = inlet.layout()
  const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(Duration.fromInputUnsafe(limits.within))
  const lock = yield* Semaphore.make(1)
  let rows = 0
  let bytes = header.length
  /** What is kept to be read back is no more than what may be sent. */
  let readableBytes = readableHeader?.length ?? 0
  let isFull = false
  let failure: Cause.Cause<E | BulkError.BulkError> | undefined
  /** Which run of the CSV is the present one: an earlier one may still hold on. */
  let run = 0

  yield* spooled.write(header)
  if (readable !== undefined && readableHeader !== undefined) yield* readable.write(readableHeader)

  const hasRoomFor = (block: Block<B>): boolean =>
    rows + block.rows <= limits.rows &&
    bytes + block.bytes.length <= limits.bytes &&
    readableBytes + (block.readable?.length ?? 0) <= limits.bytes

  /** The block without the rows that are not to be sent; these are outcomes. */
  const admit = (block: Block<B>): Effect.Effect<Block<B>, BulkError.BulkError> => {
    const left = join.enter(block)
    if (left instanceof BulkError.BulkError) return Effect.fail(left)
    if (left.size === 0) return Effect.succeed(block)
    const isWanted = (row: number) => !left.has(row)
    const wanted = Array.from({ length: block.rows }, (_, row) => row).filter(isWanted)
    return Effect.succeed({
      bytes: withoutRows(block.bytes, isWanted),
      rows: block.rows - left.size,
      keys: block.keys.filter((_, row) => isWanted(row)),
      held: new Map(
        wanted.flatMap((from, to) => {
          const record = block.held.get(from)
          return record === undefined ? [] : [[to, record] as const]
        })
      ),
      recordAt: (row) => block.recordAt(wanted[row] ?? row),
      readable: block.readable && withoutRows(block.readable, isWanted),
      rejected: [...block.rejected, ...[...left].map((row) => duplicate(block.recordAt(row), "the first one was sent"))]
    })
  }

  /**
   * Takes the block into the part. One generator function for all blocks: V8 makes a
   * hidden class for each of them, which would hold the block until the next full collection.
   */
  const accept = Effect.fnUntraced(function* (block: Block<B>) {
    const admitted = yield* admit(block)
    inlet.take()
    if (admitted.rows > 0) {
      yield* spooled.write(admitted.bytes)
      if (readable !== undefined && admitted.readable !== undefined) yield* readable.write(admitted.readable)
      keep(admitted)
      rows += admitted.rows
      bytes += admitted.bytes.length
      readableBytes += admitted.readable?.length ?? 0
      // here, where no interrupt comes between: the next run of the CSV must know it
      if (rows >= limits.rows) isFull = true
    }
    rejected.push(...admitted.rejected)
    return admitted
  })
  const rejected: Array<Outcome.Failed<B>> = []
  const emitRejected = Effect.suspend(() => {
    const outcomes = rejected.slice()
    return Arr.isReadonlyArrayNonEmpty(outcomes)
      ? Effect.andThen(
          emit(outcomes),
          Effect.sync(() => {
            rejected.splice(0, outcomes.length)
          })
        )
      : Effect.void
  })

  const next = (mine: number): Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, E | BulkError.BulkError> =>
    Effect.gen(function* () {
      while (true) {
        yield* emitRejected
        if (mine !== run) return yield* Cause.done()
        if (isFull) {
          // not before it is all there to be sent again may a part be submitted
          yield* spooled.flush
          if (readable !== undefined) yield* readable.flush
          return yield* Cause.done()
        }
        const block = yield* inlet.peek({ rows: limits.rows - rows, until })
        if (mine !== run) return yield* Cause.done()
        if (block === undefined || !hasRoomFor(block) || (rows > 0 && (yield* Clock.currentTimeMillis) >= until)) {
          isFull = true
          continue
        }
        const taken = yield* lock.withPermits(1)(
          Effect.uninterruptible(
            Effect.suspend(
              (): Effect.Effect<Block<B>, BulkError.BulkError | Cause.Done> =>
                mine === run ? accept(block) : Cause.done()
            )
          )
        )
        if (taken.rows === 0) continue
        yield* onRows(taken.rows, taken.bytes.length)
        return [taken.bytes] as const
      }
    }).pipe(
      Effect.tapCause((cause) =>
        Effect.sync(() => {
          if (!Pull.isDoneCause(cause) && !Cause.hasInterruptsOnly(cause))
            failure ??= cause as Cause.Cause<E | BulkError.BulkError>
        })
      )
    )

  const live = (mine: number) => Stream.fromPull(Effect.succeed(next(mine)))
  const csv = Stream.unwrap(
    lock.withPermits(1)(
      Effect.sync(() => {
        const mine = ++run
        return Stream.concat(spooled.read, live(mine))
      })
    )
  )
  const part: Part<E> = { csv, failure: () => failure, bytes: () => bytes, rows: () => rows }
  if (!whole) return part

  yield* Stream.runDrain(live(run))
  yield* emitRejected
  const { superseded } = join
  if (superseded.size === 0) return part
  const records = yield* join.recordsOf([...superseded].map((index) => ({ index, row: {} })))
  rejected.push(...records.map((record) => duplicate(record, "the last one was sent")))
  yield* emitRejected
  const sent = Stream.suspend(() => {
    const filter = rowFilter((row) => !superseded.has(row), -1)
    return Stream.map(spooled.read, filter)
  })
  return { ...part, csv: sent }
})

const duplicate = <B>(record: B, what: string): Outcome.Failed<B> =>
  clientFailure(
    record,
    { column: undefined, message: `another record of the same job has its key; ${what}` },
    "DUPLICATE_KEY"
  )
