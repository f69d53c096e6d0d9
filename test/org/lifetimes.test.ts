import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Request from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import * as Faults from "../../src/org/Faults.ts"
import { blocksIn, folder } from "./command.ts"
import { run } from "./running.ts"
import { api, item, json, refusal } from "./support.ts"

const options = { objects: [item], queueDelay: "1 second" } as const
const org = EmbeddedOrg.layerHttpClient(options)

const hour = 3_600_000
const week = 168 * hour

/** Sets the org's clock, in milliseconds from when it began. */
const set = (time: number) => Effect.flatMap(EmbeddedOrg.EmbeddedOrg, ({ clock }) => clock.set(time))

const status = (path: string) => Effect.flatMap(api, ({ get }) => Effect.map(get(path), ({ status }) => status))

const listed = Effect.flatMap(api, ({ get }) =>
  Effect.map(get("/jobs/ingest"), (answer) => {
    const { records } = json(answer)
    assert(Array.isArray(records))
    return records.map(({ id }) => id)
  })
)

describe("the lifetime of a job", () => {
  it.effect("is seven days from its end, or from when it was created", () =>
    Effect.gen(function* () {
      const { abort, create, page, query } = yield* api
      const { info } = yield* run({}, "Name\na\n")
      const open = yield* create({})
      yield* set(hour)
      const aborted = yield* create({})
      yield* abort(aborted)
      const select = yield* query("SELECT Name FROM Item__c")
      yield* TestClock.adjust("1 second")
      const paths = ["", "/successfulResults", "/failedResults", "/unprocessedrecords"]
      const statuses = Effect.forEach(paths, (path) => status(`/jobs/ingest/${info.id}${path}`))
      // it ended after a second
      yield* set(1_000 + week - 1)
      assert.deepStrictEqual(yield* statuses, [200, 200, 200, 200])
      yield* set(1_000 + week)
      assert.deepStrictEqual(yield* statuses, [404, 404, 404, 404])
      assert.strictEqual(yield* status(`/jobs/ingest/${open}`), 404)
      assert.deepStrictEqual(yield* listed, [aborted, select])
      yield* set(hour + week)
      assert.deepStrictEqual(yield* listed, [select])
      assert.strictEqual((yield* page(select)).status, 200)
      yield* set(hour + 1_000 + week)
      assert.strictEqual((yield* page(select)).status, 404)
      assert.deepStrictEqual(yield* listed, [])
      // what it has made is there for ever
      const { records } = yield* EmbeddedOrg.EmbeddedOrg
      assert.strictEqual((yield* records("Item__c")).length, 1)
    }).pipe(Effect.provide(org))
  )

  it.effect("is over for one that is still processed: it commits nothing more", () =>
    Effect.gen(function* () {
      const { info, submit } = yield* api
      const { faults, records } = yield* EmbeddedOrg.EmbeddedOrg
      yield* faults.set([Faults.onJob(Faults.stall({ after: 200 }))])
      const id = yield* submit({}, `Name\n${"x\n".repeat(1_000)}`)
      yield* TestClock.adjust("1 second")
      yield* Effect.repeat(Effect.tap(info(id), Effect.yieldNow), {
        until: ({ numberRecordsProcessed }) => numberRecordsProcessed === 200
      })
      yield* set(week)
      assert.strictEqual(yield* status(`/jobs/ingest/${id}`), 404)
      yield* faults.clear
      yield* Effect.replicateEffect(Effect.yieldNow, 50)
      assert.strictEqual((yield* records("Item__c")).length, 200)
    }).pipe(Effect.provide(org))
  )

  it.effect("ends with its data, little by little", () =>
    Effect.gen(function* () {
      const data = yield* folder
      const inOrg = EmbeddedOrg.layerHttpClient({ ...options, data })
      yield* Effect.asVoid(run({}, `Name\n${"x\n".repeat(20_000)}`)).pipe(
        Effect.andThen(Effect.replicateEffect(Effect.yieldNow, 200)),
        Effect.provide(inOrg, { local: true })
      )
      assert.isAbove(blocksIn(data), 100)
      yield* set(week + 2_000).pipe(
        Effect.andThen(listed),
        Effect.andThen(Effect.replicateEffect(Effect.yieldNow, 20)),
        Effect.provide(inOrg, { local: true })
      )
      assert.strictEqual(blocksIn(data), 0)
    })
  )
})

describe("a download of a job that is deleted meanwhile", () => {
  it.effect("breaks off, and never looks complete", () =>
    Effect.gen(function* () {
      const { open, page, query, send } = yield* api
      const { info } = yield* run({}, `Name\n${"x\n".repeat(1_000)}`)
      const select = yield* query("SELECT Name FROM Item__c")
      yield* TestClock.adjust("1 second")
      yield* Effect.repeat(Effect.tap(page(select), Effect.yieldNow), { until: ({ status }) => status === 200 })
      for (const [job, files] of [
        [`/jobs/ingest/${info.id}`, ["successfulResults", "failedResults", "unprocessedrecords"]],
        [`/jobs/query/${select}`, ["results"]]
      ] as const) {
        const downloads = yield* Effect.forEach(files, (file) => open(Request.get(`${job}/${file}`)))
        assert.deepStrictEqual(new Set(downloads.map(({ status }) => status)), new Set([200]))
        assert.strictEqual((yield* send(Request.delete(job))).status, 204)
        for (const { text } of downloads) assert.strictEqual((yield* Effect.flip(text)).reason._tag, "DecodeError")
      }
    }).pipe(Effect.provide(org))
  )
})

describe("a job that is Open", () => {
  it.effect("takes data and is handed over for a day, and no longer", () =>
    Effect.gen(function* () {
      const { abort, close, create, info, put } = yield* api
      const jobs = yield* Effect.replicateEffect(create({}), 4)
      const [inTime = "", empty = "", full = "", other = ""] = jobs
      yield* put(full, "Name\na\n")
      yield* set(24 * hour)
      assert.strictEqual((yield* put(inTime, "Name\na\n")).status, 201)
      assert.strictEqual((yield* close(inTime)).status, 200)
      yield* set(24 * hour + 1)
      const refused = (id: string) =>
        `400 INVALIDJOBSTATE The job ${id} has been open for more than 24 hours and cannot go on: create another`
      assert.strictEqual(refusal(yield* put(empty, "Name\na\n")), refused(empty))
      assert.strictEqual(refusal(yield* close(full)), refused(full))
      assert.strictEqual((yield* info(full)).state, "Open")
      assert.strictEqual((yield* abort(full)).status, 200)
      assert.strictEqual((yield* abort(other)).status, 200)
    }).pipe(Effect.provide(org))
  )

  it.effect("drops an upload that takes longer than that", () =>
    Effect.gen(function* () {
      const { abort, create, send, unprocessed } = yield* api
      const { clock } = yield* EmbeddedOrg.EmbeddedOrg
      const id = yield* create({})
      const text = (rows: string) => new TextEncoder().encode(rows)
      const body = Stream.concat(
        Stream.succeed(text("Name\na\n")),
        Stream.fromEffect(Effect.as(clock.set(24 * hour + 1), text("b\n")))
      )
      const answer = yield* send(
        Request.put(`/jobs/ingest/${id}/batches`).pipe(Request.bodyStream(body, { contentType: "text/csv" }))
      )
      assert.match(refusal(answer), /^400 INVALIDJOBSTATE .* open for more than 24 hours/)
      yield* abort(id)
      assert.strictEqual((yield* unprocessed(id)).text, "")
    }).pipe(Effect.provide(org))
  )
})
