import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Stream } from "effect"
import { KeyValueStore } from "effect/persistence"
import { TestClock } from "effect/testing"
import type * as BulkError from "../../src/BulkError.ts"
import * as Failures from "../../src/ingest/Failures.ts"
import type { Outcome } from "../../src/ingest/Outcome.ts"
import * as Run from "../../src/ingest/Run.ts"
import * as IngestJob from "../../src/job/IngestJob.ts"
import { Describe, EmbeddedOrg, Faults } from "../../src/org/index.ts"
import * as Query from "../../src/query/Query.ts"
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
      assert.match(text, /^\| 11 to 20 \| 750\w{15} \| 9 \| 1 \| 0 \|$/m)
      assert.isUndefined(yield* Run.report("none"))
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
