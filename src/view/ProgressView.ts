/**
 * Shows progress on a terminal: a bar for each job that runs, and one for the whole.
 * Where the output is no terminal, a line now and then.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Progress from "../Progress.ts"
import { bars, lastSentence, sentence } from "./lines.ts"

/**
 * What a view can be told.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What the whole is called. Default `total`. */
  readonly label?: string | undefined
  /** How many records there are, for a share and the time that is left. Default: unknown; a query says it itself. */
  readonly total?: number | undefined
  /** How often a line is written where the output is no terminal, if there are news. Default 10 seconds. */
  readonly every?: Duration.Input | undefined
  /** How large the terminal is. Default: as the process's stderr says, or else 80 by 24. */
  readonly size?: Effect.Effect<{ readonly columns: number; readonly rows: number }> | undefined
}

/**
 * A view of what happens.
 *
 * @category models
 * @since 0.1.0
 */
export interface ProgressView {
  /** Takes an event: the `progress` of loads and queries. */
  readonly show: (event: Progress.Progress) => Effect.Effect<void>
  /** Runs what prints by itself, with the bars out of its way; they come back below. */
  readonly above: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /**
   * The console with the bars out of its way, each time that it prints. Provided to a
   * program (`Effect.provideService(Console.Console, view.console)`), what that prints
   * and logs stands above the bars, however many lines it has.
   */
  readonly console: Console.Console
  /** What is shown. */
  readonly state: Effect.Effect<Progress.State>
}

const repaintEvery = "100 millis"

/**
 * A view on stderr for as long as the scope lasts. Then, also after an interrupt, a line
 * that says how it went takes its place.
 *
 * It paints ten times a second at most, whatever happens, and nothing before the first
 * event. `NO_COLOR`, `FORCE_COLOR` and `TERM=dumb` are honoured. Lines are as wide as
 * the terminal at most. A line that something else prints in between comes to stand
 * above the bars; more than one at once belong in `above`, or go through `console`. One
 * view can show several loads, one after the other or at a time; one terminal has room
 * for one view.
 *
 * **Example** (Watching a load)
 *
 * ```ts
 * const watched = Effect.gen(function* () {
 *   const view = yield* ProgressView.make({ total: 4_200_000, label: "customers" })
 *   return yield* customers.pipe(Ingest.run({ ...load, progress: view.show }))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options = {}
): Effect.fn.Return<ProgressView, never, Scope.Scope | Stdio.Stdio> {
  const { every = "10 seconds", label = "total", size = sizeOfStderr } = options
  const stdio = yield* Stdio.Stdio
  const { canAnimate, canColor } = yield* capabilities(stdio)
  const clock = yield* Clock.Clock
  const terminal = yield* Console.Console
  const lock = yield* Semaphore.make(1)
  const now = () => clock.currentTimeMillisUnsafe()
  let state = Progress.start({ at: now(), total: options.total })
  let hasNews = false
  let painted = ""

  // what shows progress must not be what breaks it
  const write = (text: string) => Effect.ignore(Stream.run(Stream.succeed(text), stdio.stderr({ endOnDone: false })))

  const paint = Effect.gen(function* () {
    if (!hasNews) return
    const { columns, rows } = yield* size
    // the last column is left alone: some terminals go to the next line there
    const lines = bars(state, { label, at: now(), columns: columns - 1, rows, color: canColor })
    const text = lines.join(`${eraseRest}\n`)
    if (text === painted) return
    painted = text
    yield* write(`\r${eraseRest}\n${text}${eraseBelow}${up(lines.length)}\r`)
  })
  const erase = Effect.suspend(() => {
    if (painted === "") return Effect.void
    painted = ""
    return write(`\r${eraseBelow}`)
  })
  const print = Effect.suspend(() => {
    if (!hasNews) return Effect.void
    hasNews = false
    return write(`${sentence(state, { label, at: now() })}\n`)
  })

  let isOver = false
  yield* Effect.addFinalizer((exit) =>
    Effect.suspend(() => {
      isOver = true
      if (state.jobs.length === 0 && state.counts.failed === 0) return Effect.void
      const last = lastSentence(state, { label, at: now(), isDone: Exit.isSuccess(exit) })
      return Effect.andThen(erase, write(`${last}\n`))
    })
  )
  yield* lock
    .withPermits(1)(Effect.uninterruptible(canAnimate ? paint : print))
    .pipe(Effect.schedule(Schedule.spaced(canAnimate ? repaintEvery : every)), Effect.forkScoped)

  return {
    show: (event) =>
      Effect.sync(() => {
        if (isOver) return
        state = Progress.add(state, event, now())
        hasNews = true
      }),
    above: (effect) =>
      canAnimate ? lock.withPermits(1)(Effect.ensuring(Effect.andThen(erase, effect), paint)) : effect,
    // it prints at once, and so the bars are erased at once
    console: calling(terminal, () => Effect.runFork(erase)),
    state: Effect.sync(() => state)
  }
})

/** A console that calls something before it prints. */
const calling = (console: Console.Console, before: () => void): Console.Console =>
  new Proxy(console, {
    get: (console, name) => {
      const method = Reflect.get(console, name)
      return typeof method !== "function"
        ? method
        : (...args: ReadonlyArray<unknown>) => {
            before()
            return Reflect.apply(method, console, args)
          }
    }
  })

const escape = "\u001b["
const eraseRest = `${escape}K`
const eraseBelow = `${escape}J`
const up = (lines: number): string => `${escape}${lines}A`

/** What the terminal can do that stderr is; Effect looks at stdout. */
const capabilities = (stdio: Stdio.Stdio) =>
  TerminalCapabilities.TerminalCapabilities.pipe(
    Effect.provide(TerminalCapabilities.layer, { local: true }),
    Effect.provideService(Stdio.Stdio, Stdio.make({ ...stdio, stdoutIsTerminal: stdio.stderrIsTerminal }))
  )

interface Process {
  readonly stderr?: { readonly columns?: number; readonly rows?: number } | undefined
}

const sizeOfStderr = Effect.sync(() => {
  const { stderr } = (globalThis as { readonly process?: Process }).process ?? {}
  return { columns: stderr?.columns || 80, rows: stderr?.rows || 24 }
})
