import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Request from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { OrgClock } from "../../src/org/clock.ts"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import { folder } from "./command.ts"
import { ended } from "./running.ts"
import { api, item, json, refusal } from "./support.ts"

const org = EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 hour" })

const clock = Effect.map(EmbeddedOrg.EmbeddedOrg, (org) => org.clock)
const timeOfOrg = Effect.map(
  Effect.flatMap(clock, ({ now }) => now),
  DateTime.formatIso
)

const admin = Effect.fnUntraced(function* (method: "GET" | "POST" | "PUT" | "DELETE", body?: unknown) {
  const { accessToken, instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
  const request = Request.make(method)(`${instanceUrl}/__org/clock`).pipe(Request.bearerToken(accessToken))
  const response = yield* HttpClient.execute(body === undefined ? request : Request.bodyJsonUnsafe(request, body))
  return { status: response.status, headers: response.headers, text: yield* response.text }
})

describe("the clock of an org", () => {
  it.effect("tells nanoseconds as it tells milliseconds, and moves no stopwatch", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 second")
      const moved = new OrgClock(yield* Clock.Clock, 5_000)
      assert.strictEqual(yield* moved.currentTimeMillis, 6_000)
      assert.strictEqual(yield* moved.currentTimeNanos, 6_000_000_000n)
      assert.strictEqual(yield* moved.monotonicTimeNanos, (yield* Clock.Clock).monotonicTimeNanosUnsafe())
    })
  )

  it.effect("goes with that of its surroundings, as far ahead as it was moved", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* timeOfOrg, "1970-01-01T00:00:00.000Z")
      yield* (yield* clock).set("2026-12-31T23:59:00Z")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* timeOfOrg, "2026-12-31T23:59:30.000Z")
      yield* (yield* clock).advance("1 minute")
      assert.strictEqual(yield* timeOfOrg, "2027-01-01T00:00:30.000Z")
      yield* (yield* clock).set(0)
      assert.strictEqual(yield* timeOfOrg, "1970-01-01T00:00:00.000Z")
      yield* (yield* clock).restore
      assert.strictEqual(yield* timeOfOrg, "1970-01-01T00:00:30.000Z")
      yield* (yield* clock).advance("1 hour")
      yield* (yield* EmbeddedOrg.EmbeddedOrg).reset
      assert.strictEqual(yield* timeOfOrg, "1970-01-01T00:00:30.000Z")
    }).pipe(Effect.provide(org))
  )

  it.effect("dates jobs and records, begins jobs that wait, and leaves that of clients alone", () =>
    Effect.gen(function* () {
      const { info, submit } = yield* api
      yield* (yield* clock).set("2026-12-31T23:59:59Z")
      const id = yield* submit({}, "Name\na\n")
      assert.strictEqual((yield* info(id)).createdDate, "2026-12-31T23:59:59.000+0000")
      yield* TestClock.adjust("59 minutes")
      yield* (yield* clock).advance("59 seconds")
      yield* Effect.replicateEffect(Effect.yieldNow, 20)
      assert.strictEqual((yield* info(id)).state, "UploadComplete")
      yield* (yield* clock).advance("1 second")
      assert.strictEqual((yield* ended(id)).state, "JobComplete")
      const { records } = yield* EmbeddedOrg.EmbeddedOrg
      assert.strictEqual((yield* records("Item__c"))[0]?.CreatedDate, "2027-01-01T00:59:59.000Z")
      assert.strictEqual(yield* Clock.currentTimeMillis, 59 * 60_000)
      const { get } = yield* api
      const today = json(yield* get("/query?q=SELECT+Name+FROM+Item__c+WHERE+CreatedDate+%3D+TODAY"))
      assert.strictEqual(today.totalSize, 1)
    }).pipe(Effect.provide(org))
  )

  it.effect("goes on when a job waits while it is moved back", () =>
    Effect.gen(function* () {
      const { info, submit } = yield* api
      yield* TestClock.adjust("1 hour")
      const id = yield* submit({}, "Name\na\n")
      yield* (yield* clock).set(0)
      yield* TestClock.adjust("119 minutes")
      yield* Effect.replicateEffect(Effect.yieldNow, 20)
      assert.strictEqual((yield* info(id)).state, "UploadComplete")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* ended(id)).state, "JobComplete")
    }).pipe(Effect.provide(org))
  )

  it.effect("is not that of an upload, whose client has its own", () =>
    Effect.gen(function* () {
      const { create, send } = yield* api
      const id = yield* create({})
      yield* (yield* clock).advance("1 day")
      const seen: Array<number> = []
      const body = Stream.fromEffect(
        Effect.map(Clock.currentTimeMillis, (now) => {
          seen.push(now)
          return new TextEncoder().encode("Name\na\n")
        })
      )
      const { status } = yield* send(
        Request.put(`/jobs/ingest/${id}/batches`).pipe(Request.bodyStream(body, { contentType: "text/csv" }))
      )
      assert.deepStrictEqual([status, seen], [201, [0]])
    }).pipe(Effect.provide(org))
  )

  it.effect("is read and moved over HTTP too", () =>
    Effect.gen(function* () {
      const now = (answer: { readonly status: number; readonly text: string }) => {
        assert.strictEqual(answer.status, 200, answer.text)
        return JSON.parse(answer.text).now
      }
      assert.strictEqual(now(yield* admin("GET")), "1970-01-01T00:00:00.000Z")
      assert.strictEqual(now(yield* admin("PUT", { now: "2026-03-01T00:00:00+01:00" })), "2026-02-28T23:00:00.000Z")
      assert.strictEqual(now(yield* admin("POST", { advance: "7 days" })), "2026-03-07T23:00:00.000Z")
      assert.strictEqual(now(yield* admin("POST", { advance: 1 })), "2026-03-07T23:00:00.001Z")
      assert.strictEqual(yield* timeOfOrg, "2026-03-07T23:00:00.001Z")
      for (const [method, body, message] of [
        ["POST", { advance: "a while" }, /^400 JSON_PARSER_ERROR /],
        ["POST", {}, /^400 JSON_PARSER_ERROR /],
        ["PUT", { now: "soon" }, /^400 JSON_PARSER_ERROR /],
        ["POST", { advance: "4000000 days" }, /^400 API_ERROR the clock of an org tells years from 1 to 9999/],
        ["POST", { advance: "Infinity" }, /^400 API_ERROR the clock of an org tells years from 1 to 9999/]
      ] as const) {
        assert.match(refusal(yield* admin(method, body)), message)
      }
      assert.strictEqual(now(yield* admin("DELETE")), "1970-01-01T00:00:00.000Z")
    }).pipe(Effect.provide(org))
  )

  it.effect("is where it was when an org is started again in its folder", () =>
    Effect.gen(function* () {
      const data = yield* folder
      const again = Layer.fresh(EmbeddedOrg.layerHttpClient({ data }))
      yield* Effect.flatMap(clock, ({ advance }) => advance("1 day")).pipe(Effect.provide(again))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Effect.provide(timeOfOrg, again), "1970-01-02T00:00:01.000Z")
    })
  )

  it.effect("ends tokens that are good for a while", () =>
    Effect.gen(function* () {
      const { instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
      const form = { grant_type: "client_credentials", client_id: "app", client_secret: "secret" }
      const answer = yield* HttpClient.execute(
        Request.post(`${instanceUrl}/services/oauth2/token`).pipe(Request.bodyUrlParams(form))
      )
      const { access_token } = JSON.parse(yield* answer.text)
      const list = Request.get(`${instanceUrl}/services/data/v68.0/jobs/ingest`).pipe(Request.bearerToken(access_token))
      const status = Effect.map(HttpClient.execute(list), (response) => response.status)
      yield* (yield* clock).advance("119 minutes")
      assert.strictEqual(yield* status, 200)
      yield* (yield* clock).advance("1 minute")
      assert.strictEqual(yield* status, 401)
    }).pipe(
      Effect.provide(
        EmbeddedOrg.layerHttpClient({
          oauth: { clients: [{ clientId: "app", clientSecret: "secret" }], accessTokenLifetime: "2 hours" }
        })
      )
    )
  )
})
