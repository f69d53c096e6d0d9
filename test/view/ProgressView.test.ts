// What a person sees of progress: on a terminal, in a log, and after Ctrl-C.
import { spawn } from "node:child_process"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Console, Effect, Exit, Layer, Logger, Scope, Sink, Stdio } from "effect"
import { TestClock } from "effect/testing"
import { JobInfo } from "../../src/job/Job.ts"
import type { Progress } from "../../src/Progress.ts"
import * as ProgressView from "../../src/view/ProgressView.ts"
import { cut, padded, printable, widthOf } from "../../src/view/width.ts"
import { screenOf } from "../support/screen.ts"

/** A view whose output is kept. */
const viewing = Effect.fnUntraced(function* (options: {
  readonly terminal: boolean
  readonly environment?: Record<string, string>
  readonly columns?: number
  readonly view?: ProgressView.Options
}) {
  const written: Array<string> = []
  const output = Stdio.layerTest({
    stderrIsTerminal: Effect.succeed(options.terminal),
    stderr: () => Sink.forEachArray((texts) => Effect.sync(() => void written.push(...texts.map(String))))
  })
  const environment = ConfigProvider.layer(ConfigProvider.fromEnv({ env: options.environment ?? {} }))
  const scope = yield* Scope.make()
  const size = Effect.succeed({ columns: options.columns ?? 100, rows: 24 })
  const view = yield* ProgressView.make({ label: "customers", size, ...options.view }).pipe(
    Scope.provide(scope),
    Effect.provide(Layer.merge(output, environment))
  )
  return {
    view,
    written,
    screen: () => screenOf(written.join("")),
    close: (exit: Exit.Exit<unknown>) => Scope.close(scope, exit)
  }
})

type Event<T> = Extract<Progress, { readonly _tag: T }>

const created = (jobId: string): Event<"JobCreated"> => ({
  _tag: "JobCreated",
  jobId,
  kind: "ingest",
  operation: "upsert",
  object: "Account",
  resends: false,
  attempt: 1
})
const submitted = (jobId: string, records: number): Progress => ({ _tag: "Submitted", jobId, records, bytes: records })
const processing = (jobId: string, processed: number, failed = 0): Event<"Processing"> => ({
  _tag: "Processing",
  jobId,
  state: "InProgress",
  processed,
  failed
})

const [first, second] = ["750Qx0000000001IAA", "750Qx0000000002IAA"] as const

describe("ProgressView on a terminal", () => {
  it.effect("shows a bar for each job that runs, and one for the whole", () =>
    Effect.gen(function* () {
      const { close, screen, view, written } = yield* viewing({ terminal: true, view: { total: 1000 } })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(written, [])
      for (const event of [created(first), submitted(first, 400), processing(first, 200, 10)]) yield* view.show(event)
      yield* view.show(created(second))
      yield* view.show({ _tag: "Uploading", jobId: second, records: 1234, bytes: 1_500_000 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(screen(), [
        "",
        "750Qx0000000001  ██████████░░░░░░░░░░  processing 200 of 400  10 failed",
        "750Qx0000000002  █░░░░░░░░░░░░░░░░░░░  uploading 1,234, 1.5 MB",
        "customers        ████░░░░░░░░░░░░░░░░  20 %  200 of 1,000  10 failed  0:08 left  100/s"
      ])
      yield* view.show({
        _tag: "JobDone",
        jobId: first,
        state: "JobComplete",
        succeeded: 390,
        created: 0,
        failed: 10,
        unprocessed: 0,
        failures: [],
        job: new JobInfo({ id: first, operation: "upsert", state: "JobComplete" })
      })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(screen().length, 3)
      yield* close(Exit.void)
      assert.deepStrictEqual(screen(), ["customers: 400 of 1,000 processed, 10 failed, in 0:03 (133/s)"])
    })
  )

  it.effect("paints ten times a second at most, and not at all what has not changed", () =>
    Effect.gen(function* () {
      const { view, written } = yield* viewing({ terminal: true })
      yield* view.show(created(first))
      for (let records = 0; records < 9_990; records++) {
        yield* view.show({ _tag: "Uploading", jobId: first, records, bytes: records })
        if (records % 10 === 0) yield* TestClock.adjust("1 millis")
      }
      assert.isAtLeast(written.length, 5)
      assert.isAtMost(written.length, 10)
      yield* view.show({ _tag: "JobLeft", jobId: first })
      yield* TestClock.adjust("1 second")
      const before = written.length
      yield* TestClock.adjust("900 millis")
      assert.isAtMost(written.length - before, 1)
    })
  )

  it.effect("lets others print above it, and comes back", () =>
    Effect.gen(function* () {
      const { close, screen, view, written } = yield* viewing({ terminal: true })
      const print = (text: string) => Effect.sync(() => written.push(text))
      yield* view.show(created(first))
      yield* view.show(submitted(first, 5))
      yield* TestClock.adjust("100 millis")
      // one line without a word to the view, many with one
      yield* print("a line of a logger\n")
      yield* view.show(processing(first, 1))
      yield* TestClock.adjust("100 millis")
      yield* view.above(print("one\ntwo\nthree\n"))
      const [a, b, c, d, blank, job, total, ...rest] = screen()
      assert.deepStrictEqual([a, b, c, d, blank], ["a line of a logger", "one", "two", "three", ""])
      assert.match(job ?? "", /^750Qx0000000001 .* processing 1 of 5$/)
      assert.match(total ?? "", /^customers .* 1 /)
      assert.deepStrictEqual(rest, [])
      yield* close(Exit.void)
      assert.deepStrictEqual(screen().slice(3, 4), ["three"])
      assert.strictEqual(screen().length, 5)
    })
  )

  it.effect("has a console whose lines are kept apart from the bars, however many", () =>
    Effect.gen(function* () {
      const printed: Array<string> = []
      // prints to the same terminal
      const terminal: Console.Console = Object.assign(Object.create(globalThis.console), {
        log: (...texts: ReadonlyArray<unknown>) => written.push(`${texts.join(" ")}\n`),
        error: (text: string) => printed.push(text)
      })
      const { close, screen, view, written } = yield* viewing({ terminal: true }).pipe(
        Effect.provideService(Console.Console, terminal)
      )
      const say = Effect.gen(function* () {
        yield* Console.log("one")
        yield* Effect.logWarning("two")
        yield* Console.log("three\nfour", 4)
        yield* Console.error("elsewhere")
      }).pipe(
        Effect.provide(Logger.layer([Logger.withConsoleLog(Logger.make(({ message }) => String(message)))])),
        Effect.provideService(Console.Console, view.console)
      )
      const said = ["one", "two", "three", "four 4"]
      // before anything is shown nothing is in the way
      yield* say
      assert.deepStrictEqual(written, ["one\n", "two\n", "three\nfour 4\n"])
      yield* view.show(created(first))
      yield* view.show(submitted(first, 5))
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(screen().length, 7)
      yield* say
      assert.deepStrictEqual(screen(), [...said, ...said])
      yield* TestClock.adjust("100 millis")
      const [job, total, ...rest] = screen().slice(9)
      assert.match(job ?? "", /^750Qx0000000001 /)
      assert.match(total ?? "", /^customers /)
      assert.deepStrictEqual([screen().slice(0, 9), rest], [[...said, ...said, ""], []])
      yield* close(Exit.void)
      const before = written.length
      yield* say
      assert.deepStrictEqual(written.slice(before), ["one\n", "two\n", "three\nfour 4\n"])
      assert.deepStrictEqual(printed, ["elsewhere", "elsewhere", "elsewhere"])
    })
  )

  it.effect("keeps to the width of the terminal, whatever is in names", () =>
    Effect.gen(function* () {
      for (const columns of [20, 40, 80, 200]) {
        const label = "顧客データ移行\u001b[31m\r\n 🇯🇵 é"
        const { screen, view, written } = yield* viewing({
          terminal: true,
          columns,
          view: { label, total: 10_000_000 }
        })
        for (const event of [created(first), submitted(first, 400_000), processing(first, 123_456, 1_000)])
          yield* view.show(event)
        yield* TestClock.adjust("1 second")
        assert.isFalse(written.join("").includes("31m\r"))
        assert.isTrue(
          screen().every((line) => widthOf(line) < columns),
          screen().join("\n")
        )
      }
    })
  )

  it.effect("has no colors with NO_COLOR, and no movement on a dumb terminal", () =>
    Effect.gen(function* () {
      for (const [environment, isColored, isMoving] of [
        [{}, true, true],
        [{ NO_COLOR: "1" }, false, true],
        [{ TERM: "dumb" }, false, false]
      ] as const) {
        const { view, written } = yield* viewing({ terminal: true, environment })
        yield* view.show(created(first))
        yield* TestClock.adjust("20 seconds")
        const text = written.join("")
        assert.strictEqual(/\[\d+m/.test(text), isColored)
        assert.strictEqual(/\[\d*[AJK]/.test(text), isMoving)
      }
    })
  )

  it.effect("shows what a job is at, and a query that knows how much there is", () =>
    Effect.gen(function* () {
      const { screen, view } = yield* viewing({ terminal: true })
      const query: Progress = { ...created(first), kind: "query", operation: "query" }
      const shown = (event: Progress) =>
        Effect.andThen(
          view.show(event),
          Effect.map(TestClock.adjust("1 second"), () => screen().map((line) => line.replaceAll(/[░█]+ +/g, "")))
        )
      assert.deepStrictEqual((yield* shown(query)).slice(1, 2), ["750Qx0000000001  queued"])
      assert.deepStrictEqual((yield* shown(processing(first, 0))).slice(1, 2), ["750Qx0000000001  processing 0"])
      yield* shown({ ...processing(first, 4_000_000), state: "JobComplete" })
      const [, job, total] = yield* shown({ _tag: "Reading", jobId: first, records: 1_000_000, bytes: 0 })
      assert.strictEqual(job, "750Qx0000000001  reading 1,000,000 of 4,000,000")
      assert.match(total ?? "", /25 % {2}1,000,000 of 4,000,000 {2}0:\d\d left/)
    })
  )

  it.effect("shows rows that are sent again, and what was not processed", () =>
    Effect.gen(function* () {
      const { screen, view } = yield* viewing({ terminal: true, columns: 140 })
      yield* view.show({ ...created(first), resends: true })
      yield* view.show(submitted(first, 5))
      yield* view.show({
        _tag: "JobDone",
        jobId: second,
        state: "Aborted",
        succeeded: 1,
        created: 0,
        failed: 6,
        unprocessed: 3,
        failures: [],
        job: new JobInfo({ id: second, operation: "upsert", state: "Aborted" })
      })
      yield* TestClock.adjust("2 seconds")
      assert.include(screen()[1], "again: queued 5")
      assert.match(screen()[2] ?? "", / {2}5 {2}1 failed {2}3 unprocessed {2}0:02 so far {2}3\/s$/)
    })
  )

  it.effect("takes the size of the process's stderr, if it is not told another", () =>
    Effect.gen(function* () {
      const { screen, view } = yield* viewing({ terminal: true, view: { size: undefined, label: undefined } })
      yield* view.show(created(first))
      yield* TestClock.adjust("1 second")
      assert.match(screen().at(-1) ?? "", /^total /)
    })
  )

  it.effect("shows eight jobs, and how many more there are", () =>
    Effect.gen(function* () {
      const { screen, view } = yield* viewing({ terminal: true })
      for (let n = 0; n < 11; n++) yield* view.show(created(`750Qx00000000${n}`))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(screen().length, 11)
      assert.strictEqual(screen()[9], "and 3 more")
    })
  )
})

describe("ProgressView without a terminal", () => {
  it.effect("writes a line now and then, if there are news, and one at the end", () =>
    Effect.gen(function* () {
      const { close, view, written } = yield* viewing({ terminal: false, view: { total: 1000 } })
      for (const event of [created(first), submitted(first, 400)]) yield* view.show(event)
      for (let processed = 0; processed <= 200; processed++) yield* view.show(processing(first, processed, 2))
      yield* TestClock.adjust("35 seconds")
      yield* view.show(processing(first, 400, 2))
      yield* TestClock.adjust("10 seconds")
      yield* close(Exit.interrupt())
      assert.deepStrictEqual(written, [
        "customers: 20 %, 200 of 1,000 processed, 2 failed, 0:40 left, 20/s, 400 uploaded\n",
        "customers: 40 %, 400 of 1,000 processed, 2 failed, 1:00 left, 10/s\n",
        "customers: 400 of 1,000 processed, 2 failed, stopped after 0:45 (9/s)\n"
      ])
    })
  )

  it.effect("says of a query how much was read, and in how many hours", () =>
    Effect.gen(function* () {
      const { close, view, written } = yield* viewing({ terminal: false, view: { every: "1 hour" } })
      yield* view.show({ ...created(first), kind: "query", operation: "query" })
      yield* TestClock.adjust("3 hours")
      assert.deepInclude(yield* view.state, { ended: 0 })
      const done = new JobInfo({ id: first, operation: "query", state: "JobComplete" })
      const read = { jobId: first, records: 1_000_000, bytes: 2_500_000_000 }
      yield* view.above(view.show({ _tag: "QueryDone", ...read, pages: 2, job: done }))
      yield* close(Exit.void)
      assert.deepStrictEqual(written, [
        "customers: 0 read, 0 kB, 1:00:00 so far\n",
        "customers: 1,000,000 of 1,000,000 read, 2.50 GB, in 3:00:00 (93/s)\n"
      ])
    })
  )

  it.effect("says nothing of a load that did nothing", () =>
    Effect.gen(function* () {
      const { close, written } = yield* viewing({ terminal: false })
      yield* TestClock.adjust("1 minute")
      yield* close(Exit.void)
      assert.deepStrictEqual(written, [])
    })
  )
})

describe("width", () => {
  it("counts columns as terminals do", () => {
    for (const [text, width] of [
      ["plain", 5],
      ["顧客", 4],
      ["한국", 4],
      ["ｶﾅ", 2],
      ["ＡＢ", 4],
      ["e\u0301", 1],
      ["👩‍👩‍👧", 2],
      ["🇯🇵", 2],
      ["▶\uFE0F", 2],
      ["a\u200Bb", 2]
    ] as const) {
      assert.strictEqual(widthOf(text), width, text)
    }
  })

  it("cuts between characters, never within one", () => {
    assert.strictEqual(cut("顧客データ", 10), "顧客データ")
    assert.strictEqual(cut("顧客データ", 9), "顧客デー…")
    assert.strictEqual(cut("顧客データ", 8), "顧客デ…")
    assert.strictEqual(cut("a👩‍👩‍👧b", 2), "a…")
    assert.strictEqual(cut("ab", 0), "")
    assert.strictEqual(padded("顧客データ", 8), "顧客デ… ")
    assert.strictEqual(printable("a\u001b[2Jb\u202Ec\n"), "a[2Jbc")
  })
})

describe("ProgressView on a pseudo-terminal", () => {
  it.live.runIf(process.platform === "linux")("leaves a clean terminal after Ctrl-C", () =>
    Effect.gen(function* () {
      const root = resolve(import.meta.dirname, "../..")
      const child = `${process.execPath} ${join(root, "test/support/viewChild.ts")}`
      const output = yield* Effect.callback<string>((resume) => {
        // `script` of util-linux gives the child a terminal of its own
        const running = spawn("script", ["-qec", child, "/dev/null"], { env: { ...process.env, TERM: "xterm" } })
        let text = ""
        running.stdout.setEncoding("utf8")
        running.stdout.on("data", (more: string) => {
          const isFirst = !text.includes("uploading")
          text += more
          // as a terminal sends it
          if (isFirst && text.includes("uploading")) running.stdin.write("\u0003")
        })
        running.on("close", (code) => resume(Effect.succeed(`${text}ended ${code}\n`)))
        return Effect.sync(() => running.kill())
      })
      const screen = screenOf(output.replaceAll("\r\n", "\n\r"))
      assert.deepStrictEqual(
        screen.filter((line) => line !== "").map((line) => line.replace(/\d:\d\d \([\d,]+\/s\)/, "TIME")),
        ["begins", "aborts", "numbers: 0 processed, stopped after TIME", "ended 130"]
      )
    })
  )
})
