import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Redacted, Stream } from "effect"
import { KeyValueStore } from "effect/persistence"
import { TestClock } from "effect/testing"
import type * as BulkError from "../../src/BulkError.ts"
import * as Failures from "../../src/ingest/Failures.ts"
import type { Outcome } from "../../src/ingest/Outcome.ts"
import * as Run from "../../src/ingest/Run.ts"
import * as IngestJob from "../../src/job/IngestJob.ts"
import { Describe, EmbeddedOrg, Faults } from "../../src/org/index.ts"
import type { Progress } from "../../src/Progress.ts"
import * as Query from "../../src/query/Query.ts"
import { version } from "../../src/version.ts"
import { inProcess, overSocket, Requests, virtually } from "../support/orgs.ts"
import { Widget, widget, widgetDescribe, widgets } from "../support/widgets.ts"

const settings = {
  runId: "nightly",
  operation: "insert",
  object: "Widget__c",
  schema: Widget,
  key: "Key__c",
  partRows: 10
} as const

const load = Run.load(settings)

const stored = Query.records({ schema: Widget, from: "Widget__c" }).pipe(
  Stream.runCollect,
  Effect.map((found) => found.map(({ Key__c }) => Key__c).toSorted())
)

const keys = (records: ReadonlyArray<Widget>) => records.map(({ Key__c }) => Key__c).toSorted()

const jobs = Effect.map(Requests, (requests) => requests.filter((each) => each === "POST /jobs/ingest").length)

const org = (options: EmbeddedOrg.Options = {}) => Layer.merge(inProcess(options), KeyValueStore.layerMemory)

const problemOf = ({ reason }: { readonly reason: { readonly _tag: string } }): string =>
  "problem" in reason ? String(reason.problem) : reason._tag

describe("Run.load", () => {
  it.effect("records what it does, and has nothing left to do the second time", () =>
    Effect.gen(function* () {
      const records = widgets(35).map((w, i) => (i === 12 ? widget(13, { Grade__c: "Z" }) : w))
      const first = yield* Stream.fromIterable(records).pipe(load, Failures.group())
      assert.deepStrictEqual([first.succeeded, first.failed], [34, 1])
      const again = yield* Stream.fromIterable(records).pipe(load, Stream.runCollect)
      assert.deepStrictEqual(again, [])
      assert.strictEqual(yield* jobs, 4)

      const report = yield* Run.report("nightly")
      assert.deepStrictEqual(
        report?.parts.map(({ from, jobs, outcomes, to }) => [
          from,
          to,
          jobs.length,
          outcomes?.succeeded,
          outcomes?.failed
        ]),
        [
          [1, 10, 1, 10, 0],
          [11, 20, 1, 9, 1],
          [21, 30, 1, 10, 0],
          [31, 35, 1, 5, 0]
        ]
      )
      assert.isDefined(report?.endedAt)
      const text = report === undefined ? "" : Run.render(report)
      assert.include(text, "34 succeeded (34 created), 1 failed, 0 unprocessed.")
      assert.deepInclude(report, { version, apiVersion: "62.0", userId: "005Qx0000000001IAA" })
      const { version: packaged } = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8"))
      assert.strictEqual(version, packaged)
      assert.include(text, `User 005Qx0000000001IAA, effect-salesforce-bulk ${version}, API 62.0.`)
      assert.match(text, /^\| 11 to 20 \| 750\w{15} \| 9 \| 1 \| 0 \|$/m)
      assert.isUndefined(yield* Run.report("none"))
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("makes one job of a part, however long its upload takes", () =>
    Effect.gen(function* () {
      const progress = (event: Progress) => (event._tag === "Uploading" ? Effect.sleep("4 minutes") : Effect.void)
      yield* Stream.fromIterable(widgets(5_000)).pipe(
        Run.load({ ...settings, partRows: 5_000, partWithin: "5 minutes", progress }),
        Stream.runDrain
      )
      assert.strictEqual(yield* jobs, 1)
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("reads what was submitted and sends what was not", () =>
    Effect.gen(function* () {
      const records = widgets(40)
      // left after the first outcomes: of some parts nobody took the outcomes
      const seen: Array<Outcome<Widget>> = []
      yield* Stream.fromIterable(records).pipe(
        load,
        Stream.take(1),
        Stream.runForEach((outcome) => Effect.sync(() => seen.push(outcome)))
      )
      const rest = yield* Stream.fromIterable(records).pipe(load, Stream.runCollect)
      assert.deepStrictEqual(yield* stored, keys(records))
      const outcomes = rest.map((outcome) => (outcome._tag === "Succeeded" ? outcome.row.Key__c : outcome._tag))
      assert.deepStrictEqual(outcomes.toSorted(), keys(records))
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("goes on after a job that failed half-way with what it did", () =>
    Effect.gen(function* () {
      const records = widgets(600)
      const whole = Run.load({ ...settings, partRows: 600 })
      const error = yield* Stream.fromIterable(records).pipe(whole, Stream.runDrain, Effect.flip)
      assert.strictEqual(error.reason._tag, "JobFailed")
      const before = yield* stored
      assert.isTrue(before.length > 0 && before.length < 600, String(before.length))
      const again = yield* Stream.fromIterable(records).pipe(whole, Failures.group())
      assert.deepStrictEqual([again.succeeded, again.unprocessed], [before.length, 600 - before.length])
      assert.deepStrictEqual(yield* stored, before)
    }).pipe(virtually, Effect.provide(org({ faults: [Faults.onJob(Faults.fail({ after: 200 }), { nth: 1 })] })))
  )

  it.effect("reads what was submitted in the dialect of its job", () =>
    Effect.gen(function* () {
      const records = widgets(10)
      const dialect = Run.load({ ...settings, columnDelimiter: "SEMICOLON", lineEnding: "CRLF" })
      const later = Run.load({ ...settings, columnDelimiter: "TAB" })
      yield* Stream.fromIterable(records).pipe(dialect, Stream.take(1), Stream.runDrain)
      // whatever the next process would write
      const read = yield* Stream.fromIterable(records).pipe(later, Failures.group())
      assert.deepStrictEqual([read.succeeded, read.unprocessed, yield* jobs], [10, 0, 1])
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("sends again what a job of an earlier process never committed", () =>
    Effect.gen(function* () {
      const error = yield* Stream.fromIterable(widgets(10)).pipe(load, Stream.runDrain, Effect.flip)
      assert.isDefined(error)
      assert.deepStrictEqual(yield* stored, [])
      const again = yield* Stream.fromIterable(widgets(10)).pipe(load, Failures.group())
      assert.strictEqual(again.succeeded, 10)
      assert.deepStrictEqual(yield* stored, keys(widgets(10)))
    }).pipe(virtually, Effect.provide(org({ faults: [Faults.on("upload", Faults.respond(400), { nth: 1 })] })))
  )

  it.effect("refuses another source, other options, and a job that is gone", () =>
    Effect.gen(function* () {
      const fails = <A, R>(self: Effect.Effect<A, BulkError.BulkError, R>) => Effect.map(Effect.flip(self), problemOf)
      yield* Stream.fromIterable(widgets(20)).pipe(load, Stream.runDrain)
      const changed = widgets(20).map((w, i) => (i === 14 ? widget(15, { Name: "other" }) : w))
      assert.strictEqual(
        yield* fails(Stream.fromIterable(changed).pipe(load, Stream.runDrain)),
        "records 11 to 20 of the source are not those that were sent before"
      )
      const other = Run.load({ ...settings, partRows: 5 })
      assert.strictEqual(
        yield* fails(Stream.fromIterable(widgets(20)).pipe(other, Stream.runDrain)),
        "it was begun with partRows 10, and not 5"
      )

      const deleted = Run.load({ ...settings, runId: "deleted" })
      yield* Stream.fromIterable(widgets(30).slice(20)).pipe(deleted, Stream.take(1), Stream.runDrain)
      const [part] = (yield* Run.report("deleted"))?.parts ?? []
      assert.isUndefined(part?.outcomes)
      const [jobId = ""] = part?.jobs ?? []
      yield* IngestJob.awaitDone(jobId)
      // a job is kept for a week
      yield* TestClock.adjust("8 days")
      assert.match(
        yield* fails(Stream.fromIterable(widgets(30).slice(20)).pipe(deleted, Stream.runDrain)),
        /^job 750\w+ is gone/
      )
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("waits for the jobs of the run before it, if asked to", () =>
    Effect.gen(function* () {
      const next = Run.load({ ...settings, runId: "next", after: "nightly" })
      const early = yield* Stream.fromIterable(widgets(3)).pipe(next, Stream.runDrain, Effect.flip)
      assert.strictEqual(problemOf(early), "there is no run nightly before it")
      // its deadline passes while the job stands still
      const stalled = Run.load({ ...settings, poll: { deadline: "5 seconds" } })
      yield* Stream.fromIterable(widgets(5)).pipe(stalled, Stream.runDrain, Effect.flip)
      const refused = yield* Stream.fromIterable(widgets(3)).pipe(next, Stream.runDrain, Effect.flip)
      assert.match(problemOf(refused), /^job 750\w+ of the run nightly is still (InProgress|UploadComplete)$/)
    }).pipe(virtually, Effect.provide(org({ faults: [Faults.onJob(Faults.stall())] })))
  )

  it.effect("submits nothing that cannot be recorded", () =>
    Effect.gen(function* () {
      const error = yield* Stream.fromIterable(widgets(5)).pipe(load, Stream.runDrain, Effect.flip)
      assert.match(problemOf(error), /^its record cannot be kept: the disk is full/)
      assert.deepStrictEqual(yield* stored, [])
      assert.notInclude(yield* Requests, "PUT /jobs/ingest/ID/batches")
    }).pipe(
      virtually,
      Effect.provide(
        Layer.merge(
          inProcess(),
          Layer.effect(
            KeyValueStore.KeyValueStore,
            Effect.map(KeyValueStore.KeyValueStore, (store) => ({
              ...store,
              set: (key: string, value: string | Uint8Array) =>
                key.includes("/job ")
                  ? Effect.fail(
                      new KeyValueStore.KeyValueStoreError({ method: "set", key, message: "the disk is full" })
                    )
                  : store.set(key, value)
            }))
          ).pipe(Layer.provide(KeyValueStore.layerMemory))
        )
      )
    )
  )
})

/** A store that does something after each entry that it writes. */
const afterSet = (then: (store: KeyValueStore.KeyValueStore, key: string) => Effect.Effect<void>) =>
  Layer.effect(
    KeyValueStore.KeyValueStore,
    Effect.map(KeyValueStore.KeyValueStore, (store) => ({
      ...store,
      set: (key: string, value: string | Uint8Array) => Effect.tap(store.set(key, value), () => then(store, key))
    }))
  ).pipe(Layer.provide(KeyValueStore.layerMemory))

const leaseOf = (holder: string, expiresAt: number, millis = 15_000) => JSON.stringify({ holder, millis, expiresAt })

describe("a run", () => {
  const run = Stream.fromIterable(widgets(25)).pipe(load, Failures.group())

  it.effect("is refused to a second process while the first one works on it", () =>
    Effect.gen(function* () {
      const first = yield* Effect.forkChild(run)
      yield* Effect.sleep("5 seconds")
      const began = yield* Clock.currentTimeMillis
      const error = yield* Effect.flip(run)
      assert.deepInclude(error.reason, { _tag: "RunHeld", runId: "nightly" })
      assert.isAtMost((yield* Clock.currentTimeMillis) - began, 16_000)
      // the first one is not disturbed, however long it takes
      assert.strictEqual((yield* Fiber.join(first)).succeeded, 25)
      assert.strictEqual(yield* jobs, 3)
      const store = yield* KeyValueStore.KeyValueStore
      assert.deepStrictEqual(
        (yield* store.keys).filter((key) => key.includes("lease")),
        []
      )
      assert.strictEqual((yield* run).succeeded, 0)
    }).pipe(virtually, Effect.provide(org({ queueDelay: "2 minutes" })))
  )

  it.effect("is taken over from a process that is gone, when its lease has expired", () =>
    Effect.gen(function* () {
      const store = yield* KeyValueStore.KeyValueStore
      /** After how many seconds a run begins that finds this lease. */
      const begins = (runId: string, lease: string) =>
        Effect.gen(function* () {
          const asked = yield* Clock.currentTimeMillis
          yield* store.set(`${runId}/lease`, lease)
          const begun = yield* Stream.fromIterable(widgets(3)).pipe(
            Run.load({ ...settings, runId, operation: "upsert", externalId: "Key__c", nulls: "clear" }),
            Failures.group()
          )
          assert.strictEqual(begun.succeeded, 3)
          const report = yield* Run.report(runId)
          return (Date.parse(report?.startedAt ?? "") - asked) / 1000
        })
      const waits = (expiresIn: number, runId: string) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => begins(runId, leaseOf("gone", now + expiresIn)))
      assert.closeTo(yield* waits(10_000, "a"), 10, 1)
      assert.closeTo(yield* waits(-1, "b"), 0, 1)
      // of a machine whose clock is ahead
      assert.closeTo(yield* waits(7_200_000, "c"), 15, 1)
      // half a lease, since its process was killed while it wrote
      assert.closeTo(yield* begins("d", leaseOf("gone", 9e12).slice(0, 20)), 0, 1)
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("takes no lease that never expires, or has already, nor parts that are none", () =>
    Effect.gen(function* () {
      for (const more of [
        { lease: "0 millis" },
        { lease: Infinity },
        { parts: 0 },
        { parts: Number.NaN },
        { partRows: 0 }
      ] as const) {
        const error = yield* Stream.make(widget(1)).pipe(
          Run.load({ ...settings, ...more }),
          Stream.runDrain,
          Effect.flip
        )
        assert.strictEqual(error.reason._tag, "InvalidOptions")
      }
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("submits nothing more once another process has taken it over", () =>
    Effect.gen(function* () {
      // one part after the other
      const one = Stream.fromIterable(widgets(25)).pipe(Run.load({ ...settings, parts: 1 }), Stream.runDrain)
      const error = yield* Effect.flip(one)
      assert.deepInclude(error.reason, { _tag: "RunHeld", holder: "other" })
      assert.deepStrictEqual(yield* stored, keys(widgets(10)))
      // it leaves what is not its own
      const store = yield* KeyValueStore.KeyValueStore
      assert.include(yield* store.get("nightly/lease"), "other")
    }).pipe(
      virtually,
      Effect.provide(
        Layer.merge(
          inProcess(),
          afterSet((store, key) =>
            key.startsWith("nightly/part 1/job")
              ? Effect.orDie(store.set("nightly/lease", leaseOf("other", 9e12)))
              : Effect.void
          )
        )
      )
    )
  )
})

describe("Run.csv", () => {
  const csv = { runId: "file", operation: "upsert", object: "Widget__c", externalId: "Key__c", partRows: 10 } as const
  const lines = (count: number, from = 1) =>
    Array.from({ length: count }, (_, i) => `K-${from + i};"name, of ${from + i}";${i === 3 ? "Z" : "#N/A"};`)
  const file = (rows: ReadonlyArray<string>, header = "key__c;Name;Grade__c;_error_code") =>
    Stream.make(new TextEncoder().encode(`\ufeff${[header, ...rows].join("\r\n")}\r\n`))
  const outcomesOf = (rows: ReadonlyArray<string>) => file(rows).pipe(Run.csv(csv), Stream.runCollect)

  it.effect("loads a file in any dialect, and has nothing left to do the second time", () =>
    Effect.gen(function* () {
      const outcomes = yield* outcomesOf(lines(25))
      const failed = outcomes.filter((outcome) => outcome._tag === "Failed")
      assert.deepStrictEqual(
        [outcomes.length, failed.map(({ record }) => record)],
        [25, [{ key__c: "K-4", Name: "name, of 4", Grade__c: "Z" }]]
      )
      assert.strictEqual((yield* stored).length, 24)
      assert.deepStrictEqual(yield* outcomesOf(lines(25)), [])
      assert.strictEqual(yield* jobs, 3)
      assert.strictEqual((yield* Run.report("file"))?.parts.length, 3)
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("goes on where it was, and sends nothing twice", () =>
    Effect.gen(function* () {
      yield* file(lines(40)).pipe(Run.csv(csv), Stream.take(1), Stream.runDrain)
      const rest = yield* outcomesOf(lines(40))
      assert.strictEqual((yield* stored).length, 39)
      const names = rest.map((outcome) => (outcome._tag === "Succeeded" ? outcome.row.key__c : outcome.record.key__c))
      assert.strictEqual(new Set(names).size, 40)
      assert.isTrue(rest.every((outcome) => outcome._tag !== "Succeeded" || outcome.created))
      const failed = rest.filter((outcome) => outcome._tag === "Failed")
      assert.deepStrictEqual(
        failed.map(({ record }) => record),
        [{ key__c: "K-4", Name: "name, of 4", Grade__c: "Z" }]
      )
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("refuses another file, records in its place, and what is no CSV", () =>
    Effect.gen(function* () {
      yield* outcomesOf(lines(15))
      const changed = yield* Effect.flip(outcomesOf(lines(15, 2)))
      assert.strictEqual(problemOf(changed), "records 1 to 10 of the source are not those that were sent before")
      const renamed = yield* file(lines(15), "Key__c;Name;Grade__c;_error_code").pipe(
        Run.csv(csv),
        Stream.runDrain,
        Effect.flip
      )
      assert.match(problemOf(renamed), /not those that were sent before$/)
      const records = yield* Stream.fromIterable(widgets(3)).pipe(
        Run.load({ ...csv, schema: Widget, nulls: "clear" }),
        Stream.runDrain,
        Effect.flip
      )
      assert.strictEqual(problemOf(records), "it was begun with source csv, and not records")
      const broken = yield* file(['K-1;"a;A;']).pipe(Run.csv({ ...csv, runId: "broken" }), Stream.runDrain, Effect.flip)
      assert.strictEqual(broken.reason._tag, "InvalidCsv")
      const keyless = yield* file(["a;"], "Name;_error_code").pipe(
        Run.csv({ ...csv, runId: "keyless" }),
        Stream.runDrain,
        Effect.flip
      )
      assert.strictEqual(keyless.reason._tag, "InvalidCsv")
    }).pipe(virtually, Effect.provide(org()))
  )
})

/** How often the process is killed; a hundred times is for whoever has the time. */
const kills = Number(process.env.RUN_KILLS ?? 3)

/** When the loading process is killed: so long after it has told of so many events. */
interface Moment {
  readonly events: number
  readonly millis: number
}

/** Runs the loading process, and kills it; gives what it printed last. */
const child = (args: ReadonlyArray<string>, moment: Moment | undefined) =>
  Effect.callback<{ readonly last: string; readonly stderr: string }>((resume) => {
    const process_ = spawn(process.execPath, [resolve(import.meta.dirname, "../support/runChild.ts"), ...args])
    let [stdout, stderr] = ["", ""]
    let isDying = false
    process_.stdout.on("data", (data) => {
      stdout += data
      if (moment === undefined || isDying || stdout.split("\n").length <= moment.events) return
      isDying = true
      setTimeout(() => process_.kill("SIGKILL"), moment.millis)
    })
    process_.stderr.on("data", (data) => {
      stderr += data
    })
    process_.on("close", () => resume(Effect.succeed({ last: stdout.trim().split("\n").at(-1) ?? "", stderr })))
    return Effect.sync(() => process_.kill("SIGKILL"))
  })

describe("a loading process", () => {
  it.live(
    "killed with -9 at any moment goes on, and every record is in the org once",
    () =>
      Effect.gen(function* () {
        const { accessToken, instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
        const directory = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "runs-"))),
          (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
        )
        const records = 60 * kills
        const args = [instanceUrl, Redacted.value(accessToken), directory, String(records)]
        for (let kill = 0; kill < kills; kill++) {
          // between any two events of several parts, some milliseconds apart
          const { last } = yield* child(args, { events: 1 + ((kill * 7) % 29), millis: (kill * 3) % 11 })
          assert.notMatch(last, /^ends/, `it was done before kill ${kill}`)
        }
        const { last, stderr } = yield* child(args, undefined)
        assert.match(last, /^ends \d+ 0$/, stderr)
        const report = yield* Run.report("killed").pipe(
          Effect.provide(KeyValueStore.layerFileSystem(directory).pipe(Layer.provide(NodeServices.layer)))
        )
        assert.strictEqual(report?.parts.length, records / 20)
        assert.isTrue(report?.parts.every(({ outcomes }) => outcomes?.succeeded === 20))
        const found = yield* stored
        assert.deepStrictEqual(found, keys(widgets(records)))
      }).pipe(Effect.provide(overSocket({ objects: [Describe.make(withoutUniqueKeys)] }))),
    // a process takes its time to begin where many others run
    { timeout: 60_000 + kills * 20_000 }
  )
})

/** An org that would take a record twice. */
const withoutUniqueKeys = {
  ...widgetDescribe,
  fields: widgetDescribe.fields.map((field) => ({ ...field, unique: false }))
}
