import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Request from "effect/http/HttpClientRequest"
import * as TestClock from "effect/testing/TestClock"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import { api, item, json, refusal } from "./support.ts"

const org = EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 second" })

/** A request below `/__org/`, with the org's token. */
const admin = Effect.fnUntraced(function* (method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown) {
  const { accessToken, instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
  const request = Request.make(method)(`${instanceUrl}/__org/${path}`).pipe(Request.bearerToken(accessToken))
  const response = yield* HttpClient.execute(body === undefined ? request : Request.bodyJsonUnsafe(request, body))
  return { status: response.status, headers: response.headers, text: yield* response.text }
})

describe("the paths below /__org/", () => {
  it.effect("seed, dump and reset what is in the org", () =>
    Effect.gen(function* () {
      const { create, get, info } = yield* api
      const { records, seed } = yield* EmbeddedOrg.EmbeddedOrg
      // a new org holds its user and itself
      assert.deepStrictEqual(Object.keys(json(yield* admin("GET", "dump"))).sort(), ["Organization", "User"])
      const seeded = yield* admin("POST", "seed", {
        Item__c: Array.from({ length: 300 }, (_, i) => ({
          Name: `n${i}`,
          Active__c: i === 0,
          Count__c: i,
          Day__c: null
        })),
        Account: [{ Name: 'Acme, "Inc"\nand more' }]
      })
      assert.strictEqual(seeded.status, 200, seeded.text)
      const ids = json(seeded).Item__c
      assert(Array.isArray(ids) && ids.length === 300)
      const dumped = json(yield* admin("GET", "dump"))
      assert.deepStrictEqual(Object.keys(dumped).sort(), ["Account", "Item__c", "Organization", "User"])
      assert(Array.isArray(dumped.Item__c) && Array.isArray(dumped.Account))
      assert.strictEqual(dumped.Item__c.length, 300)
      assert.deepInclude(dumped.Item__c[0], { Id: ids[0], Name: "n0", Active__c: true, Count__c: 0, Day__c: null })
      assert.strictEqual(dumped.Account[0].Name, 'Acme, "Inc"\nand more')
      assert.deepStrictEqual(yield* records("item__C"), dumped.Item__c)
      assert.deepStrictEqual(yield* records("Nothing__c"), [])

      const refused = yield* admin("POST", "seed", { Item__c: [{ Name: "fine" }, { Name: null, Count__c: 1 }] })
      assert.strictEqual(
        refusal(refused),
        "400 API_ERROR Item__c: REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
      )
      assert.strictEqual((yield* records("Item__c")).length, 300, "all or none")
      assert.strictEqual((yield* Effect.flip(seed({ Nothing__c: [{ Name: "x" }] })))._tag, "SeedError")
      // a record without fields is one, and is refused like another
      assert.deepStrictEqual(yield* seed({ Task: [] }), { Task: [] })
      const { Task: tasks = [] } = yield* seed({ Task: [{}, {}] })
      assert.strictEqual(new Set(tasks).size, 2)
      assert.match((yield* Effect.flip(seed({ Item__c: [{}] }))).message, /^Item__c: REQUIRED_FIELD_MISSING/)
      // whatever line breaks there are, and however long it is
      const { Task: long = [] } = yield* seed({ Task: [{ Subject: "a\rb" }, { Description: "x\r\n".repeat(10_000) }] })
      assert.strictEqual(long.length, 2)
      const tooLong = { Name: "\r\n".repeat(200_000) + "x".repeat(21), Code__c: "1\r2345" }
      assert.match((yield* Effect.flip(seed({ Item__c: [tooLong] }))).message, /^Item__c: STRING_TOO_LONG/)

      const id = yield* create({})
      assert.strictEqual((yield* info(id)).state, "Open")
      assert.strictEqual((yield* admin("POST", "reset")).status, 204)
      assert.deepStrictEqual(Object.keys(json(yield* admin("GET", "dump"))).sort(), ["Organization", "User"])
      assert.strictEqual((yield* get(`/jobs/ingest/${id}`)).status, 404)
    }).pipe(Effect.provide(org))
  )

  it.effect("forget jobs that are under way", () =>
    Effect.gen(function* () {
      const { info, submit } = yield* api
      const { records, reset } = yield* EmbeddedOrg.EmbeddedOrg
      yield* submit({}, "Name\nx\n")
      yield* reset
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* records("Item__c"), [])
      const id = yield* submit({}, "Name\ny\n")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* info(id)).state, "JobComplete")
    }).pipe(Effect.provide(org))
  )

  it.effect("set and clear faults, and say what they did", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      const fault = { route: "listQueryJobs", nth: 2, effect: { _tag: "Respond", status: 503 } }
      assert.strictEqual((yield* admin("PUT", "faults", [fault])).status, 204)
      const statuses = Effect.map(Effect.replicateEffect(get("/jobs/query"), 3), (all) =>
        all.map(({ status }) => status)
      )
      const [before, struck, after] = yield* statuses
      assert.deepStrictEqual([struck, after === before], [503, true])
      assert.deepStrictEqual(json(yield* admin("GET", "faults")), { faults: [{ fault, matched: 3, struck: 1 }] })
      assert.strictEqual((yield* admin("DELETE", "faults")).status, 204)
      assert.deepStrictEqual(json(yield* admin("GET", "faults")), { faults: [] })
      for (const bad of [
        {},
        [{}],
        [{ effect: { _tag: "CutBefore" }, tiems: 1 }],
        [{ nth: 0, effect: { _tag: "CutBefore" } }]
      ]) {
        assert.match(refusal(yield* admin("PUT", "faults", bad)), /^400 JSON_PARSER_ERROR /, JSON.stringify(bad))
      }
    }).pipe(Effect.provide(org))
  )

  it.effect("remember requests, but nothing that is secret", () =>
    Effect.gen(function* () {
      const { get, page, put, create } = yield* api
      const id = yield* create({})
      yield* put(id, "Name\nsecret row\n")
      yield* get("/query?q=SELECT+Name+FROM+Secret&access_token=hidden")
      yield* page("750Qx0000000099", "?locator=abc&maxRecords=2")
      const answer = yield* admin("GET", "requests")
      const { requests } = json(answer)
      assert.deepStrictEqual(requests, [
        { method: "POST", path: "/services/data/v68.0/jobs/ingest", route: "createIngestJob", status: 200, faults: [] },
        {
          method: "PUT",
          path: `/services/data/v68.0/jobs/ingest/${id}/batches`,
          route: "upload",
          status: 201,
          faults: []
        },
        { method: "GET", path: "/services/data/v68.0/query", route: "query", status: 400, faults: [] },
        {
          method: "GET",
          path: "/services/data/v68.0/jobs/query/750Qx0000000099/results?locator=abc&maxRecords=2",
          route: "queryResults",
          status: 404,
          faults: []
        }
      ])
    }).pipe(Effect.provide(org))
  )

  it.effect("answer the org's token only, and know no other paths", () =>
    Effect.gen(function* () {
      const { accessToken, instanceUrl, newToken } = yield* EmbeddedOrg.EmbeddedOrg
      const statuses = Effect.fnUntraced(function* (request: Request.HttpClientRequest) {
        return (yield* HttpClient.execute(request)).status
      })
      const reset = Request.post(`${instanceUrl}/__org/reset`)
      assert.strictEqual(yield* statuses(reset), 401)
      assert.strictEqual(yield* statuses(Request.bearerToken(reset, "x")), 401)
      assert.strictEqual(yield* statuses(Request.bearerToken(reset, yield* newToken)), 401)
      assert.strictEqual(yield* statuses(Request.bearerToken(reset, accessToken)), 204)
      for (const path of ["", "nothing", "reset/x", "toString"])
        assert.strictEqual((yield* admin("POST", path)).status, 404)
      assert.strictEqual((yield* admin("GET", "reset")).status, 404)
      const { accessToken: token } = json(yield* admin("POST", "session"))
      const list = Request.get(`${instanceUrl}/services/data/v68.0/jobs/ingest/750Qx0000000099`)
      assert.strictEqual(yield* statuses(Request.bearerToken(list, String(token))), 404)
    }).pipe(Effect.provide(org))
  )
})
