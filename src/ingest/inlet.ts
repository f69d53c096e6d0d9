import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Csv from "../record/Csv.ts"
import type * as Outcome from "./Outcome.ts"

/** Whole rows that are ready to be sent: 32 to 64 KiB of them, or what has arrived. */
export interface Block<B> {
  readonly bytes: Uint8Array
  readonly rows: number
  /** The key of each row in its canonical form; none without a key. */
  readonly keys: ReadonlyArray<string>
  /** The records that are to be held in memory, by their rows: those that could not be read back as they are. */
  readonly held: ReadonlyMap<number, B>
  /** The record of one row. */
  readonly recordAt: (row: number) => B
  /** The rows to read the records back from, where those in `bytes` do not hold all their columns. */
  readonly readable: Uint8Array | undefined
  /** Records that cannot be sent, and came before these. */
  readonly rejected: ReadonlyArray<Outcome.Failed<B>>
}

/** How a part's rows are written. */
export interface Layout {
  /** The header as it is written, with its line ending. */
  readonly header: Uint8Array
  /** The header of `readable` rows. */
  readonly readableHeader: Uint8Array | undefined
  readonly dialect: Csv.Dialect
  /** The key as the header has it, where its case may be another one. */
  readonly keyColumn: string | undefined
}

/** What makes blocks of what the source gives. Holds what is not asked for yet. */
export interface Blocks<T, B> {
  /** Known once something was added. */
  readonly layout: () => Layout
  readonly add: (values: ReadonlyArray<T>) => void
  /** Whether there is enough for a block, of no more than so many rows. */
  readonly isFull: (rows: number) => boolean
  /** The next block, of no more than so many rows; undefined if there is nothing more. */
  readonly next: (rows: number) => Block<B> | undefined
}

/** Where the blocks of a load come from, one at a time. */
export interface Inlet<B, E> {
  readonly layout: () => Layout
  /**
   * The next block, of no more than so many rows. It stays the next one until it is
   * taken, and so does what the source was asked for: waiting for it can be given up.
   * Undefined if the source has ended, or has given nothing until that time.
   */
  readonly peek: (room: { readonly rows: number; readonly until: number }) => Effect.Effect<Block<B> | undefined, E>
  readonly take: () => void
}

/** Pulls a source, block by block. Its fibers end with the scope. */
export const open = Effect.fnUntraced(function* <T, B, E, R>(source: Stream.Stream<T, E, R>, blocks: Blocks<T, B>) {
  const scope = yield* Effect.scope
  const context = yield* Effect.context<R>()
  const own = yield* Scope.fork(scope)
  const pull = (yield* Scope.provide(Stream.toPull(source), own)).pipe(
    // a cursor, or a file, is not held while jobs are processed
    Pull.catchDone(() => Effect.as(Scope.close(own, Exit.void), undefined)),
    // whoever asks may run elsewhere: within the HTTP client, say. To merge the two for each pull would show
    Effect.updateContext((_: Context.Context<never>) => context)
  )
  let pending: Fiber.Fiber<ReadonlyArray<T> | undefined, E> | undefined
  let ahead: Block<B> | undefined
  let hasEnded = false

  const ask = Effect.suspend(() =>
    pending === undefined
      ? Effect.tap(Effect.forkIn(pull, scope, { startImmediately: true }), (fiber) =>
          Effect.sync(() => {
            pending = fiber
          })
        )
      : Effect.succeed(pending)
  )

  /** Takes what the fiber brought; of several that wait for it the first one does. */
  const receive = (fiber: Fiber.Fiber<ReadonlyArray<T> | undefined, E>): Effect.Effect<void, E> => {
    const exit = fiber.pollUnsafe()
    if (exit === undefined || fiber !== pending) return Effect.void
    if (exit._tag === "Failure") return Effect.asVoid(exit)
    pending = undefined
    if (exit.value === undefined) hasEnded = true
    else blocks.add(exit.value)
    return Effect.void
  }

  const wait = (fiber: Fiber.Fiber<unknown, unknown>, until: number): Effect.Effect<boolean> =>
    until === Number.POSITIVE_INFINITY
      ? Effect.as(Fiber.await(fiber), true)
      : Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.map(Effect.timeoutOption(Fiber.await(fiber), Math.max(0, until - now)), (exit) => exit._tag === "Some")
        )

  /** What arrives without waiting, for as long as the block is not full. */
  const gather = Effect.fnUntraced(function* (rows: number) {
    while (!blocks.isFull(rows) && !hasEnded) {
      const fiber = yield* ask
      if (fiber.pollUnsafe() === undefined) yield* Effect.yieldNow
      if (fiber.pollUnsafe()?._tag !== "Success") return
      yield* receive(fiber)
    }
  })

  const peek = Effect.fnUntraced(function* (room: { readonly rows: number; readonly until: number }) {
    while (ahead === undefined) {
      if (!blocks.isFull(room.rows)) yield* gather(room.rows)
      ahead ??= blocks.next(room.rows)
      if (ahead !== undefined || hasEnded) break
      const fiber = yield* ask
      if (fiber.pollUnsafe() === undefined && !(yield* wait(fiber, room.until))) return undefined
      yield* receive(fiber)
    }
    return ahead
  })

  const inlet: Inlet<B, E> = {
    layout: blocks.layout,
    peek,
    take: () => {
      ahead = undefined
    }
  }
  return inlet
})

/** Why a record was not sent. */
export const clientFailure = <B>(
  record: B,
  problem: { readonly column: string | undefined; readonly message: string },
  code = "INVALID_RECORD"
): Outcome.Failed<B> => ({
  _tag: "Failed",
  jobId: undefined,
  id: undefined,
  error: {
    code,
    message: problem.message,
    fields: problem.column === undefined ? [] : [problem.column],
    raw: problem.message
  },
  record,
  origin: "client"
})

/** A block without rows. */
export const rejectedOnly = <B>(rejected: ReadonlyArray<Outcome.Failed<B>>): Block<B> => ({
  bytes: new Uint8Array(0),
  rows: 0,
  keys: [],
  held: new Map(),
  recordAt: () => {
    throw new RangeError("a block without rows has no records")
  },
  readable: undefined,
  rejected
})
