import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Effect, Exit, Fiber, Layer, Redacted, Schema, Stream } from "effect"
import { KeyValueStore } from "effect/persistence"
import { TestClock } from "effect/testing"
import type * as BulkError from "../../src/BulkError.ts"
import * as Failures from "../../src/ingest/Failures.ts"
import type { Outcome } from "../../src/ingest/Outcome.ts"
import * as Run from "../../src/ingest/Run.ts"
import * as Spool from "../../src/ingest/Spool.ts"
import * as IngestJob from "../../src/job/IngestJob.ts"
import { Describe, EmbeddedOrg, Faults } from "../../src/org/index.ts"
import type { Progress } from "../../src/Progress.ts"
import * as Query from "../../src/query/Query.ts"
import { version } from "../../src/version.ts"
import { inProcess, overSocket, Requests, replacing, type Tamper, virtually } from "../support/orgs.ts"
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
      // those that succeeded are counted, where they do not come out too
      const failures = Run.load({ ...settings, runId: "failures", outcomes: "failures", partRows: 40 })
      const changed = widgets(35).map(
        (w, i) => new Widget({ ...w, Key__c: `new-${i}`, Grade__c: i === 12 ? "Z" : "B" })
      )
      assert.strictEqual((yield* Stream.fromIterable(changed).pipe(failures, Stream.runCollect)).length, 1)
      const [only] = (yield* Run.report("failures"))?.parts ?? []
      assert.deepStrictEqual(only?.outcomes, { succeeded: 34, created: 34, failed: 1, unprocessed: 0 })
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

  it.effect("makes one job of a part, however much its records hold that is not sent", () =>
    Effect.gen(function* () {
      let kept = 0
      const memory = Spool.memory()
      const spool: Spool.Kind = {
        ...memory,
        open: (options) =>
          Effect.map(memory.open(options), (spooled) => ({
            ...spooled,
            write: (bytes) => {
              kept += bytes.length
              return spooled.write(bytes)
            }
          }))
      }
      const Named = Schema.Struct({ Id: Schema.String, Name: Schema.String })
      const records = Array.from({ length: 10 }, (_, n) => ({ Id: `a0000000000000${n}AAA`, Name: "x".repeat(10_000) }))
      const outcomes = yield* Stream.fromIterable(records).pipe(
        Run.load({ runId: "purge", operation: "delete", object: "Widget__c", schema: Named, spool }),
        Stream.runCollect
      )
      assert.isTrue(outcomes.every((outcome) => outcome._tag === "Failed" && records.includes(outcome.record)))
      assert.deepStrictEqual([outcomes.length, yield* jobs], [10, 1])
      // as much as was sent, and no more
      assert.isBelow(kept, 1_000)
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

  it.effect("does not go on where a job is done and its results are lost", () => {
    let areLost = false
    const tamper: Tamper = (request, response) =>
      areLost
        ? replacing(/(Results|records)$/, (csv) => new Response(csv.split("\n", 1)[0]))(request, response)
        : Effect.succeed(response)
    return Effect.gen(function* () {
      const one = Stream.fromIterable(widgets(10)).pipe(load)
      yield* Stream.runDrain(Stream.take(one, 1))
      areLost = true
      const error = yield* Effect.flip(Stream.runDrain(one))
      assert.match(problemOf(error), /is gone, or its results are/)
      assert.strictEqual(yield* jobs, 1)
    }).pipe(virtually, Effect.provide(Layer.merge(inProcess({ tamper }), KeyValueStore.layerMemory)))
  })

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

  it.effect("refuses parts without records, and a key that the records do not have", () =>
    Effect.gen(function* () {
      const refusal = (run: Run.Run<Widget>) => Effect.map(Effect.flip(Stream.runDrain(run(Stream.empty))), problemOf)
      assert.strictEqual(yield* refusal(Run.load({ ...settings, partRows: 0 })), "run: partRows is 0")
      assert.strictEqual(
        yield* refusal(Run.load({ ...settings, key: "None__c" as "Key__c" })),
        "run: the key None__c is no column"
      )
      const odd = Schema.Struct({ Key__c: Schema.String, List: Schema.Array(Schema.String) })
      assert.match(
        yield* Effect.map(
          Effect.flip(Stream.runDrain(Run.load({ ...settings, schema: odd })(Stream.empty))),
          problemOf
        ),
        /^run: column List/
      )
      assert.deepStrictEqual(yield* Requests, [])
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
      // once they are done it need not have been followed to its end
      const { faults } = yield* EmbeddedOrg.EmbeddedOrg
      yield* faults.set([])
      yield* TestClock.adjust("1 minute")
      const started = yield* Stream.make(widget(6)).pipe(next, Failures.group())
      assert.strictEqual(started.succeeded, 1)
      // nor are they waited for once they are gone
      yield* TestClock.adjust("8 days")
      const later = Run.load({ ...settings, runId: "later", after: "nightly" })
      assert.strictEqual((yield* Stream.make(widget(7)).pipe(later, Failures.group())).succeeded, 1)
      // and of a run that came to its end nothing is asked
      const last = Run.load({ ...settings, runId: "last", after: "later" })
      const before = (yield* Requests).length
      yield* Stream.runDrain(last(Stream.empty))
      assert.deepStrictEqual((yield* Requests).slice(before), [])
    }).pipe(virtually, Effect.provide(org({ faults: [Faults.onJob(Faults.stall())] })))
  )

  it.effect("reports what can be read of its record", () =>
    Effect.gen(function* () {
      yield* Stream.fromIterable(widgets(12)).pipe(load, Stream.runDrain)
      const store = yield* KeyValueStore.KeyValueStore
      // its process was killed while it wrote this
      yield* store.set("nightly/part 2/job 0 750000000000009AAA", '{"from":20,"to"')
      const report = yield* Run.report("nightly")
      assert.deepStrictEqual(
        report?.parts.map(({ from, to }) => [from, to]),
        [
          [1, 10],
          [11, 12]
        ]
      )
    }).pipe(virtually, Effect.provide(org()))
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
      assert.match(
        error.message,
        /the run nightly does not go on here: another process \([\w-]+\) works on it, at least/
      )
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

  it.effect("goes on when its lease cannot be renewed for a while, or be given back", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* run).succeeded, 25)
      const store = yield* KeyValueStore.KeyValueStore
      // the last renewal stays, and holds the run until it expires
      const left = JSON.parse((yield* store.get("nightly/lease")) ?? "")
      const now = yield* Clock.currentTimeMillis
      assert.isTrue(left.expiresAt > now && left.expiresAt <= now + 15_000, String(left.expiresAt - now))
    }).pipe(
      virtually,
      Effect.provide(
        Layer.merge(
          inProcess({ queueDelay: "1 minute" }),
          Layer.effect(
            KeyValueStore.KeyValueStore,
            Effect.map(KeyValueStore.KeyValueStore, (store) => {
              let leases = 0
              const fails = (method: string, key: string) =>
                Effect.fail(new KeyValueStore.KeyValueStoreError({ method, key, message: "the disk is gone" }))
              return {
                ...store,
                set: (key: string, value: string | Uint8Array) =>
                  key.endsWith("/lease") && ++leases === 2 ? fails("set", key) : store.set(key, value),
                remove: (key: string) => (key.endsWith("/lease") ? fails("remove", key) : store.remove(key))
              }
            })
          ).pipe(Layer.provide(KeyValueStore.layerMemory))
        )
      )
    )
  )

  it.effect("does not renew a lease that another process has", () =>
    Effect.gen(function* () {
      const store = yield* KeyValueStore.KeyValueStore
      let submitted = 0
      const progress = (event: Progress) =>
        Effect.sync(() => {
          if (event._tag === "Submitted") submitted++
        })
      const atOnce = Run.load({ ...settings, parts: 3, progress })
      const first = yield* Stream.fromIterable(widgets(25)).pipe(atOnce, Failures.group(), Effect.forkChild)
      while (submitted < 3) yield* Effect.sleep("1 second")
      const other = leaseOf("other", 9e12)
      yield* store.set("nightly/lease", other)
      assert.strictEqual((yield* Fiber.join(first)).succeeded, 25)
      assert.strictEqual(yield* store.get("nightly/lease"), other)
    }).pipe(virtually, Effect.provide(org({ queueDelay: "2 minutes" })))
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

/** Leaves a run after its first outcome: its other outcomes were not taken. */
const begun = <A, R>(self: Stream.Stream<Outcome<A>, BulkError.BulkError, R>) => Stream.runDrain(Stream.take(self, 1))

describe("the job of a part that an earlier process left", () => {
  const source = Stream.fromIterable(widgets(10))

  /** Says that the part went into another job than it did, as a process does that is killed after it created one. */
  const rename = (jobId: string) =>
    Effect.gen(function* () {
      const store = yield* KeyValueStore.KeyValueStore
      const name = (yield* store.keys).find((key) => key.startsWith("nightly/part 0/job")) ?? ""
      const entry = JSON.parse((yield* store.get(name)) ?? "")
      yield* store.remove(name)
      yield* store.set(`nightly/part 0/job 0 ${jobId}`, JSON.stringify({ ...entry, jobId }))
    })

  /** A run whose part was not sent, and is said to be in a job that is Open. */
  const leftOpen = Effect.gen(function* () {
    yield* Effect.flip(Stream.runDrain(load(source)))
    const { id } = yield* IngestJob.create({ object: "Widget__c", operation: "insert" })
    yield* rename(id)
    return id
  })
  const unsent = Faults.on("upload", Faults.respond(400), { nth: 1 })

  it.effect("is aborted if it is still open, and its records are sent", () =>
    Effect.gen(function* () {
      const jobId = yield* leftOpen
      assert.strictEqual((yield* source.pipe(load, Failures.group())).succeeded, 10)
      assert.strictEqual((yield* IngestJob.get(jobId)).state, "Aborted")
      assert.deepStrictEqual(yield* stored, keys(widgets(10)))
    }).pipe(virtually, Effect.provide(org({ faults: [unsent] })))
  )

  it.effect("is not sent again when the open job cannot be aborted", () =>
    Effect.gen(function* () {
      const jobId = yield* leftOpen
      const before = yield* jobs
      const { faults } = yield* EmbeddedOrg.EmbeddedOrg
      yield* faults.set([Faults.on("changeIngestJob", Faults.respond(403))])
      const error = yield* Effect.flip(Stream.runDrain(load(source)))
      assert.strictEqual(error.reason._tag, "ApiError")
      assert.deepStrictEqual([(yield* IngestJob.get(jobId)).state, yield* jobs], ["Open", before])
    }).pipe(virtually, Effect.provide(org({ faults: [unsent] })))
  )

  it.effect("is awaited if it was submitted at the very moment it is to be aborted", () => {
    const late = { isLate: false }
    return Effect.gen(function* () {
      yield* begun(load(source))
      yield* TestClock.adjust("1 minute")
      late.isLate = true
      assert.strictEqual((yield* source.pipe(load, Failures.group())).succeeded, 10)
      assert.isFalse(late.isLate)
      assert.strictEqual(yield* jobs, 1)
    }).pipe(
      virtually,
      Effect.provide(
        Layer.merge(
          inProcess({
            tamper: (request, response) => {
              if (!late.isLate || request.method !== "GET" || !/ingest\/750\w+$/.test(request.url)) {
                return Effect.succeed(response)
              }
              late.isLate = false
              return replacing(/^GET \/jobs\/ingest\/ID$/, (text) =>
                Response.json({ ...JSON.parse(text), state: "Open" })
              )(request, response)
            }
          }),
          KeyValueStore.layerMemory
        )
      )
    )
  })

  it.effect("is not sent again when the org has lost the results of the job", () =>
    Effect.gen(function* () {
      yield* begun(load(source))
      yield* TestClock.adjust("1 minute")
      const error = yield* Effect.flip(Stream.runDrain(load(source)))
      assert.match(problemOf(error), /^job 750\w+ is gone, or its results are/)
      assert.strictEqual(yield* jobs, 1)
    }).pipe(
      virtually,
      Effect.provide(
        Layer.merge(
          inProcess({
            tamper: (() => {
              let files = 0
              return (request, response) =>
                /successfulResults/i.test(request.url) && files++ > 0
                  ? replacing(/successfulResults/i, (text) => new Response(text.slice(0, text.indexOf("\n") + 1)))(
                      request,
                      response
                    )
                  : Effect.succeed(response)
            })()
          }),
          KeyValueStore.layerMemory
        )
      )
    )
  )

  it.effect("gives its outcomes once more, those that were never sent among them, or failures alone", () =>
    Effect.gen(function* () {
      const unreadable = widget(11, { Name: "\ud800" })
      const source = Stream.make(...widgets(5), widget(6, { Grade__c: "Z" }), unreadable)
      yield* begun(load(source))
      yield* TestClock.adjust("1 minute")
      const report = yield* Run.report("nightly")
      const text = report === undefined ? "" : Run.render(report)
      assert.include(text, ", not finished.")
      assert.include(text, "0 succeeded (0 created), 0 failed, 0 unprocessed; 1 parts are not settled.")
      assert.match(text, /^\| 1 to 7 \| 750\w{15} \| \| \| \|$/m)

      const failures = Run.load({ ...settings, outcomes: "failures" })
      const [first, second, ...others] = yield* source.pipe(failures, Stream.runCollect)
      assert.deepInclude(first, { _tag: "Failed", origin: "client", record: unreadable })
      assert.deepInclude(second, { _tag: "Failed", origin: "org", id: undefined })
      assert.deepStrictEqual(others, [])
      assert.strictEqual(yield* jobs, 1)
      const [part] = (yield* Run.report("nightly"))?.parts ?? []
      assert.deepInclude(part?.outcomes, { succeeded: 5, failed: 2 })
    }).pipe(virtually, Effect.provide(org()))
  )
})

describe("a run that", () => {
  it.effect("reads a part once more tells which records the org lost", () =>
    Effect.gen(function* () {
      const source = Stream.fromIterable(widgets(10))
      yield* begun(load(source))
      yield* TestClock.adjust("1 minute")
      const again = yield* source.pipe(load, Stream.runCollect)
      const lost = again.filter(({ _tag }) => _tag === "Unprocessed")
      assert.deepStrictEqual([again.length, lost.length], [10, 2])
      for (const outcome of lost) assert.deepInclude(outcome, { reason: "unaccounted" })
      assert.strictEqual(yield* jobs, 1)
    }).pipe(virtually, Effect.provide(org({ faults: [Faults.onJob(Faults.loseRows({ rows: 2 }))] })))
  )

  it.effect("is told of its progress passes on the defects of whoever takes it", () =>
    Effect.gen(function* () {
      const bug = new Error("a bug")
      const told = Run.load({
        ...settings,
        progress: ({ _tag }) => (_tag === "JobDone" ? Effect.die(bug) : Effect.void)
      })
      const exit = yield* Effect.exit(Stream.runDrain(told(Stream.make(widget(1)))))
      assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) === bug)
    }).pipe(virtually, Effect.provide(org()))
  )
})

describe("a run of changes and deletions", () => {
  const Changed = Schema.Struct({ Id: Schema.String, Grade__c: Schema.String })
  const Only = Schema.Struct({ Id: Schema.String })

  it.effect("goes on where it was", () =>
    Effect.gen(function* () {
      yield* Stream.fromIterable(widgets(4)).pipe(load, Stream.runDrain)
      const stored = yield* Query.records({ schema: Only, from: "Widget__c" }).pipe(Stream.runCollect)
      const [first] = stored
      const update = Run.load({
        runId: "update",
        operation: "update",
        object: "Widget__c",
        schema: Changed,
        nulls: "ignore"
      })
      const changes = Stream.fromIterable(stored.map(({ Id }) => ({ Id, Grade__c: Id === first?.Id ? "Z" : "B" })))
      yield* begun(update(changes))
      yield* TestClock.adjust("1 minute")
      const again = yield* changes.pipe(update, Stream.runCollect)
      assert.deepStrictEqual(
        again.map((outcome) => [outcome._tag, "id" in outcome ? outcome.id : undefined]),
        stored.map(({ Id }) => [Id === first?.Id ? "Failed" : "Succeeded", Id])
      )
      assert.strictEqual(yield* jobs, 2)

      const remove = Run.load({ runId: "remove", operation: "delete", object: "Widget__c", schema: Only })
      const purge = Run.load({ runId: "purge", operation: "hardDelete", object: "Widget__c", schema: Only })
      const [one, ...others] = stored
      yield* Stream.fromIterable(one === undefined ? [] : [one]).pipe(remove, Stream.runDrain)
      yield* begun(purge(Stream.fromIterable(others)))
      yield* TestClock.adjust("1 minute")
      const gone = yield* Stream.fromIterable(others).pipe(purge, Failures.group())
      assert.strictEqual(gone.succeeded, 3)
      // what was deleted can still be seen, what was purged cannot
      const left = yield* Query.records({ schema: Only, from: "Widget__c", all: true }).pipe(Stream.runCollect)
      assert.deepStrictEqual(left, [one])
    }).pipe(virtually, Effect.provide(org({ hardDelete: true })))
  )

  it.effect("may be of CSV, whose rows are told apart by their ids", () =>
    Effect.gen(function* () {
      const file = (lines: ReadonlyArray<string>) => Stream.make(new TextEncoder().encode(`${lines.join("\n")}\n`))
      const options = { object: "Widget__c", partRows: 1 } as const
      const insert = Run.csv({ ...options, runId: "insert", operation: "insert", key: "Key__c" })
      const source = file(["Key__c,Name", "K-1,one", "K-2,two"])
      yield* begun(insert(source))
      yield* TestClock.adjust("1 minute")
      const inserted = yield* source.pipe(insert, Stream.runCollect)
      assert.deepStrictEqual(
        inserted.map(({ _tag }) => _tag),
        ["Succeeded", "Succeeded"]
      )
      assert.deepStrictEqual(yield* stored, ["K-1", "K-2"])
      const [id = ""] = inserted.map((outcome) => (outcome._tag === "Succeeded" ? outcome.id : ""))
      const update = Run.csv({ ...options, runId: "update", operation: "update" })
      const updated = yield* file(["id,Name", `${id},new`, "001000000000000AAA,none"]).pipe(update, Failures.group())
      assert.deepStrictEqual([updated.succeeded, updated.failed], [1, 1])
    }).pipe(virtually, Effect.provide(org()))
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
