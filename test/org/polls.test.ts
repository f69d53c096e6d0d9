import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Request from "effect/http/HttpClientRequest"
import * as TestClock from "effect/testing/TestClock"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import * as Faults from "../../src/org/Faults.ts"
import { folder } from "./command.ts"
import { api, item, json, refusal, sortedRows } from "./support.ts"

const options = { objects: [item], queueDelay: "1 second", polls: { uploadComplete: 2, inProgress: 3 } } as const
const org = EmbeddedOrg.layerHttpClient(options)

const csv = (rows: number) => `Name\n${Array.from({ length: rows }, (_, i) => `n${i}\n`).join("")}`

/** What so many polls of a job find: its state, and how many rows are processed. */
const polls = (path: string, count: number) =>
  Effect.flatMap(api, ({ get }) =>
    Effect.replicateEffect(
      Effect.map(get(path), (answer) => {
        const { numberRecordsProcessed = 0, state } = json(answer)
        return `${state} ${numberRecordsProcessed}`
      }),
      count
    )
  )

const admin = Effect.fnUntraced(function* (method: "PUT" | "DELETE", body?: unknown) {
  const { accessToken, instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
  const request = Request.make(method)(`${instanceUrl}/__org/polls`).pipe(Request.bearerToken(accessToken))
  const response = yield* HttpClient.execute(body === undefined ? request : Request.bodyJsonUnsafe(request, body))
  return { status: response.status, headers: response.headers, text: yield* response.text }
})

describe("states that follow polls", () => {
  it.effect("take an ingest job on, a step with each, whatever the time", () =>
    Effect.gen(function* () {
      const { failed, submit, successful } = yield* api
      const id = yield* submit({}, csv(20_000))
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* polls(`/jobs/ingest/${id}`, 7), [
        "UploadComplete 0",
        "UploadComplete 0",
        "InProgress 5000",
        "InProgress 10000",
        "InProgress 15000",
        "JobComplete 20000",
        "JobComplete 20000"
      ])
      assert.strictEqual(new Set(sortedRows(yield* successful(id))).size, 20_000)
      assert.deepStrictEqual(sortedRows(yield* failed(id)), [])
    }).pipe(Effect.provide(org))
  )

  it.effect("take query jobs on, and those that fail", () =>
    Effect.gen(function* () {
      const { page, query, submit } = yield* api
      const { seed } = yield* EmbeddedOrg.EmbeddedOrg
      yield* seed({ Item__c: [{ Name: "a" }, { Name: "b" }] })
      const id = yield* query("SELECT Name FROM Item__c")
      assert.deepStrictEqual(yield* polls(`/jobs/query/${id}`, 6), [
        "UploadComplete 0",
        "UploadComplete 0",
        "InProgress 2",
        "InProgress 2",
        "InProgress 2",
        "JobComplete 2"
      ])
      assert.strictEqual(sortedRows(yield* page(id)).length, 2)
      for (const text of ["Nam\na\n", "Name\r\na\r\n", ""]) {
        const id = yield* submit({}, text)
        const found = yield* polls(`/jobs/ingest/${id}`, 6)
        assert.deepStrictEqual(found.slice(0, 5), [
          "UploadComplete 0",
          "UploadComplete 0",
          "InProgress 0",
          "InProgress 0",
          "InProgress 0"
        ])
        assert.strictEqual(found[5], text === "" ? "JobComplete 0" : "Failed 0")
      }
    }).pipe(Effect.provide(org))
  )

  it.effect("are those of each job, and of no other request", () =>
    Effect.gen(function* () {
      const { abort, get, patch, put, submit, successful } = yield* api
      const [one, other] = [yield* submit({}, csv(10)), yield* submit({}, csv(10))]
      for (const request of [
        get("/jobs/ingest"),
        successful(one),
        put(one, "Name\na\n"),
        patch(`/jobs/ingest/${one}`, {})
      ]) {
        yield* request
      }
      assert.deepStrictEqual(yield* polls(`/jobs/ingest/${one}`, 3), [
        "UploadComplete 0",
        "UploadComplete 0",
        "InProgress 10"
      ])
      assert.deepStrictEqual(yield* polls(`/jobs/ingest/${other}`, 1), ["UploadComplete 0"])
      yield* abort(one)
      assert.deepStrictEqual(
        yield* polls(`/jobs/ingest/${one}`, 5),
        Array.from({ length: 5 }, () => "Aborted 10")
      )
      assert.deepStrictEqual(yield* polls(`/jobs/ingest/${other}`, 1), ["UploadComplete 0"])
    }).pipe(Effect.provide(org))
  )

  it.effect("do not wait for a job that is stalled, nor for one that is forgotten", () =>
    Effect.gen(function* () {
      const { submit } = yield* api
      const { faults, reset } = yield* EmbeddedOrg.EmbeddedOrg
      yield* faults.set([Faults.onJob(Faults.stall({ after: 1_000 }))])
      const id = yield* submit({}, csv(2_000))
      assert.deepStrictEqual((yield* polls(`/jobs/ingest/${id}`, 8)).slice(2), [
        "InProgress 600",
        ...Array.from({ length: 5 }, () => "InProgress 1000")
      ])
      const polled = yield* Effect.forkChild(Effect.flatMap(api, ({ get }) => get(`/jobs/ingest/${id}`)))
      yield* reset
      assert.include([200, 404], (yield* Fiber.join(polled)).status)
    }).pipe(Effect.provide(org))
  )

  it.effect("are set and cleared in code and over HTTP, for jobs from then on", () =>
    Effect.gen(function* () {
      const { info, submit } = yield* api
      const { polls: set, reset } = yield* EmbeddedOrg.EmbeddedOrg
      yield* set.set({ inProgress: 1 })
      const one = yield* submit({}, csv(10))
      assert.strictEqual((yield* admin("PUT", { uploadComplete: 1 })).status, 204)
      const other = yield* submit({}, csv(10))
      assert.strictEqual((yield* admin("DELETE")).status, 204)
      const last = yield* submit({}, csv(10))
      assert.deepStrictEqual(yield* polls(`/jobs/ingest/${one}`, 2), ["InProgress 10", "JobComplete 10"])
      assert.deepStrictEqual(yield* polls(`/jobs/ingest/${other}`, 2), ["UploadComplete 0", "JobComplete 10"])
      assert.deepStrictEqual(
        yield* polls(`/jobs/ingest/${last}`, 3),
        Array.from({ length: 3 }, () => "UploadComplete 0")
      )
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* info(last)).state, "JobComplete")
      for (const bad of [{ uploadComplete: -1 }, { inProgress: 0.5 }, { InProgress: 1 }]) {
        assert.match(refusal(yield* admin("PUT", bad)), /^400 JSON_PARSER_ERROR /)
      }
      yield* reset
      assert.deepStrictEqual(yield* polls(`/jobs/ingest/${yield* submit({}, csv(1))}`, 3), [
        "UploadComplete 0",
        "UploadComplete 0",
        "InProgress 1"
      ])
    }).pipe(Effect.provide(org))
  )

  it.effect("begin anew with an org that is started again", () =>
    Effect.gen(function* () {
      const inOrg = EmbeddedOrg.layerHttpClient({ ...options, data: yield* folder })
      const id = yield* Effect.flatMap(api, ({ submit }) => submit({}, csv(2_000))).pipe(
        Effect.tap((id) => polls(`/jobs/ingest/${id}`, 4)),
        Effect.provide(inOrg, { local: true })
      )
      const found = yield* polls(`/jobs/ingest/${id}`, 6).pipe(Effect.provide(inOrg, { local: true }))
      assert.deepStrictEqual(found, [
        "InProgress 1000",
        "InProgress 1000",
        "InProgress 1000",
        "InProgress 1000",
        "InProgress 1600",
        "JobComplete 2000"
      ])
    })
  )
})
