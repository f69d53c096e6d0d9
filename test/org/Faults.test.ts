import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Request from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import * as Faults from "../../src/org/Faults.ts"
import { api, item, json, refusal, sortedRows } from "./support.ts"

const org = (...faults: ReadonlyArray<Faults.Fault>) =>
  EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 second", faults })

/** What a request came to: its status, or `cut` when there was no answer, or not all of it. */
const outcome = <A, R>(request: Effect.Effect<{ readonly status: number }, A, R>) =>
  Effect.match(request, { onSuccess: ({ status }): number | "cut" => status, onFailure: () => "cut" as const })

const outcomes = <A, R>(count: number, request: Effect.Effect<{ readonly status: number }, A, R>) =>
  Effect.replicateEffect(outcome(request), count)

const numbered = (count: number) => `Name\n${Array.from({ length: count }, (_, i) => `n${i}\n`).join("")}`

describe("which requests a fault strikes", () => {
  const { cutBefore, on, onAny } = Faults

  it.effect("counts what it matches: the nth, every so many-th, so many times", () =>
    Effect.gen(function* () {
      const { create, get, info } = yield* api
      const { faults } = yield* EmbeddedOrg.EmbeddedOrg
      const id = yield* create({})
      const look = outcomes(6, get(`/jobs/ingest/${id}`))
      const c = "cut"
      const table: ReadonlyArray<readonly [Faults.When, ReadonlyArray<number | "cut">]> = [
        [{}, [c, c, c, c, c, c]],
        [{ nth: 2 }, [200, c, 200, 200, 200, 200]],
        [{ nth: [1, 4] }, [c, 200, 200, c, 200, 200]],
        [{ every: 3 }, [200, 200, c, 200, 200, c]],
        [{ times: 2 }, [c, c, 200, 200, 200, 200]],
        [{ every: 2, times: 1 }, [200, c, 200, 200, 200, 200]],
        [{ probability: 0 }, [200, 200, 200, 200, 200, 200]],
        [{ probability: 1 }, [c, c, c, c, c, c]]
      ]
      for (const [when, expected] of table) {
        yield* faults.set([on("ingestJob", cutBefore, when)])
        assert.deepStrictEqual(yield* look, expected, JSON.stringify(when))
        const struck = expected.filter((each) => each === "cut").length
        assert.deepStrictEqual(
          (yield* faults.tallies).map(({ matched, struck }) => [matched, struck]),
          [[6, struck]]
        )
      }
      yield* faults.clear
      assert.strictEqual((yield* info(id)).id, id)
    }).pipe(Effect.provide(org()))
  )

  it.effect("finds them by name, by method and by path, whatever the slashes and the case", () =>
    Effect.gen(function* () {
      const { create, get, patch, abort } = yield* api
      const { faults } = yield* EmbeddedOrg.EmbeddedOrg
      const id = yield* create({})
      const paths = [`/jobs/ingest/${id}`, `//JOBS/ingest/${id}/`, `/jobs/ingest/${id}/failedResults`, "/jobs/query"]
      const strikes = Effect.fnUntraced(function* (fault: Faults.Fault) {
        yield* faults.set([fault])
        return yield* Effect.forEach(paths, (path) => Effect.map(outcome(get(path)), (each) => each === "cut"))
      })
      assert.deepStrictEqual(yield* strikes(on("ingestJob", cutBefore)), [true, true, false, false])
      assert.deepStrictEqual(yield* strikes(on("changeIngestJob", cutBefore)), [false, false, false, false])
      assert.deepStrictEqual(yield* strikes(on(["failedResults", "listQueryJobs"], cutBefore)), [
        false,
        false,
        true,
        true
      ])
      assert.deepStrictEqual(yield* strikes(on(/\/failedresults$/, cutBefore)), [false, false, true, false])
      assert.deepStrictEqual(yield* strikes(onAny(cutBefore, { method: "PATCH" })), [false, false, false, false])
      assert.deepStrictEqual(yield* strikes(onAny(cutBefore)), [true, true, true, true])
      yield* faults.set([onAny(cutBefore, { method: "patch" })])
      assert.strictEqual(yield* outcome(patch(`/jobs/ingest/${id}`, { state: "Aborted" })), "cut")
      yield* faults.clear
      assert.strictEqual(yield* outcome(abort(id)), 200, "it was cut before it was carried out")
    }).pipe(Effect.provide(org()))
  )

  it.effect("draws from the seed: the same seed, the same run", () =>
    Effect.gen(function* () {
      const fault = on("listQueryJobs", cutBefore, { probability: 0.5 })
      const run = (seed: number) =>
        Effect.gen(function* () {
          const { get } = yield* api
          const { orgId } = yield* EmbeddedOrg.EmbeddedOrg
          return [orgId, ...(yield* outcomes(40, get("/jobs/query")))]
        }).pipe(Effect.provide(EmbeddedOrg.layerHttpClient({ seed, faults: [fault] })))
      const first = yield* run(1)
      assert.deepStrictEqual(yield* run(1), first)
      assert.notDeepEqual(yield* run(2), first)
      const cuts = first.filter((each) => each === "cut").length
      assert.isTrue(cuts > 8 && cuts < 32, `${cuts} of 40`)
    })
  )

  it.effect("applies all delays, and of the rest the first", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      const request = yield* Effect.forkChild(outcome(get("/limits")))
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(request.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(request), 503)
    }).pipe(
      Effect.provide(
        org(
          onAny(Faults.delay("1 second")),
          onAny(Faults.respond(503)),
          onAny(Faults.respond(500)),
          onAny(Faults.delay("2 seconds"))
        )
      )
    )
  )
})

describe("what becomes of a request", () => {
  it.effect("is answered as Salesforce words it, or as one likes", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      const { faults } = yield* EmbeddedOrg.EmbeddedOrg
      const answer = Effect.fnUntraced(function* (effect: Faults.RequestEffect) {
        yield* faults.set([Faults.onAny(effect)])
        return yield* get("/jobs/ingest")
      })
      assert.strictEqual(
        refusal(yield* answer(Faults.respond(503))),
        "503 SERVER_UNAVAILABLE The server is unavailable"
      )
      const limited = yield* answer(Faults.rateLimit("1500 millis"))
      assert.deepStrictEqual([limited.status, limited.headers["retry-after"], limited.text], [429, "2", ""])
      const html = yield* answer(Faults.respondHtml(502))
      assert.deepStrictEqual([html.status, html.headers["content-type"]], [502, "text/html; charset=UTF-8"])
      assert.match(html.text, /^<html>/)
      const own = yield* answer(Faults.respond(420, { body: "calm", headers: { "x-why": "load" } }))
      assert.deepStrictEqual([own.status, own.headers["x-why"], own.text], [420, "load", "calm"])
    }).pipe(Effect.provide(org()))
  )

  it.effect("loses its connection in the middle of its body, and the org keeps nothing of it", () =>
    Effect.gen(function* () {
      const { close, create, info, put, send } = yield* api
      const id = yield* create({})
      let sent = 0
      const body = Stream.fromIterable(["Name\n", "one\n", "two\n", "three\n"], { chunkSize: 1 }).pipe(
        Stream.tap((piece) => Effect.sync(() => (sent += piece.length))),
        Stream.encodeText
      )
      const upload = Request.put(`/jobs/ingest/${id}/batches`).pipe(
        Request.bodyStream(body, { contentType: "text/csv" })
      )
      const error = yield* Effect.flip(send(upload))
      assert.strictEqual(error.reason._tag, "TransportError")
      assert.strictEqual(sent, 9, "nothing is read past the byte at which it is cut")
      assert.strictEqual(yield* outcome(put(id, "Name\n")), "cut", "a body shorter than that is cut at its end")
      assert.strictEqual((yield* put(id, "Name\nwhole\n")).status, 201)
      assert.strictEqual((yield* close(id)).status, 200, "there is one upload only")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* info(id)).numberRecordsProcessed, 1)
    }).pipe(Effect.provide(org(Faults.on("upload", Faults.cutRequest(7), { nth: [1, 2] }))))
  )

  it.effect("breaks off at once where it has no body, and is not carried out", () =>
    Effect.gen(function* () {
      const { abort, close, create, info, send } = yield* api
      const { faults } = yield* EmbeddedOrg.EmbeddedOrg
      const [aborted, open] = [yield* create({}), yield* create({})]
      assert.strictEqual((yield* abort(aborted)).status, 200)
      yield* faults.set([Faults.on(["deleteIngestJob", "changeIngestJob"], Faults.cutRequest(5))])
      assert.strictEqual(yield* outcome(send(Request.delete(`/jobs/ingest/${aborted}`))), "cut")
      assert.strictEqual((yield* info(aborted)).state, "Aborted")
      // this one has a body, which is read so far
      assert.strictEqual(yield* outcome(close(open)), "cut")
      assert.strictEqual((yield* info(open)).state, "Open")
    }).pipe(Effect.provide(org()))
  )

  it.effect("is carried out, but the answer is lost", () =>
    Effect.gen(function* () {
      const { close, create, info, put } = yield* api
      const id = yield* create({})
      yield* put(id, "Name\nx\n")
      assert.strictEqual(yield* outcome(close(id)), "cut")
      assert.strictEqual((yield* info(id)).state, "UploadComplete")
    }).pipe(Effect.provide(org(Faults.on("changeIngestJob", Faults.cutAfter, { nth: 1 }))))
  )

  it.effect("is answered in part", () =>
    Effect.gen(function* () {
      const { open, submit, successful } = yield* api
      const { faults } = yield* EmbeddedOrg.EmbeddedOrg
      const id = yield* submit({}, numbered(500))
      yield* TestClock.adjust("1 second")
      const { text } = yield* successful(id)
      for (const at of [0, 1, 1_000, text.length, text.length + 1_000]) {
        yield* faults.set([Faults.on("successfulResults", Faults.cutResponse(at), { times: 1 })])
        let received = ""
        const response = yield* open(Request.get(`/jobs/ingest/${id}/successfulResults`))
        assert.strictEqual(response.status, 200)
        const error = yield* response.stream.pipe(
          Stream.decodeText,
          Stream.runForEach((part) => Effect.sync(() => (received += part))),
          Effect.flip
        )
        assert.strictEqual(error._tag, "HttpClientError")
        assert.strictEqual(received, text.slice(0, at))
        assert.strictEqual((yield* successful(id)).text, text)
      }
    }).pipe(Effect.provide(org()))
  )

  it.effect("ends a session: its token is dead, a new one is not", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      const { instanceUrl, newToken } = yield* EmbeddedOrg.EmbeddedOrg
      const list = get("/jobs/ingest/750Qx0000000099")
      assert.deepStrictEqual(yield* outcomes(5, list), [404, 404, 401, 401, 401])
      const token = yield* newToken
      const response = yield* HttpClient.execute(
        Request.get(`${instanceUrl}/services/data/v68.0/jobs/ingest/750Qx0000000099`).pipe(Request.bearerToken(token))
      )
      assert.strictEqual(response.status, 404)
      assert.strictEqual(yield* outcome(list), 401)
    }).pipe(Effect.provide(org(Faults.sessionExpiresAfter(2))))
  )
})

describe("what becomes of a job", () => {
  it.effect("stalls until the faults are others", () =>
    Effect.gen(function* () {
      const { abort, info, submit, unprocessed } = yield* api
      const { faults } = yield* EmbeddedOrg.EmbeddedOrg
      const ids = yield* Effect.replicateEffect(submit({}, numbered(1_000)), 3)
      yield* TestClock.adjust("1 hour")
      const [stalled = "", aborted = "", free = ""] = ids
      assert.deepInclude(yield* info(stalled), { state: "InProgress", numberRecordsProcessed: 400 })
      assert.strictEqual((yield* info(free)).state, "JobComplete")
      yield* abort(aborted)
      yield* faults.clear
      yield* Effect.repeat(Effect.tap(info(stalled), Effect.yieldNow), { until: ({ state }) => state !== "InProgress" })
      assert.deepInclude(yield* info(stalled), { state: "JobComplete", numberRecordsProcessed: 1_000 })
      assert.deepInclude(yield* info(aborted), { state: "Aborted", numberRecordsProcessed: 400 })
      assert.strictEqual(sortedRows(yield* unprocessed(aborted)).length, 600)
    }).pipe(Effect.provide(org(Faults.onJob(Faults.stall({ after: 400 }), { object: "item__c", nth: [1, 2] }))))
  )

  it.effect("fails in the middle, and what is left is unprocessed", () =>
    Effect.gen(function* () {
      const { info, query, get, submit, successful, unprocessed } = yield* api
      const id = yield* submit({}, numbered(1_000))
      const queryId = yield* query("SELECT Id FROM Item__c")
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* info(id), {
        state: "Failed",
        numberRecordsProcessed: 600,
        errorMessage: "TooManyLockFailure : Too many lock failure 250. Trying again later."
      })
      assert.strictEqual(sortedRows(yield* successful(id)).length, 600)
      assert.strictEqual(sortedRows(yield* unprocessed(id)).length, 400)
      assert.strictEqual(json(yield* get(`/jobs/query/${queryId}`)).state, "Failed")
    }).pipe(
      Effect.provide(
        org(
          Faults.onJob(
            Faults.fail({ after: 500, message: "TooManyLockFailure : Too many lock failure 250. Trying again later." }),
            { operation: "insert" }
          ),
          Faults.onJob(Faults.fail(), { operation: "query" })
        )
      )
    )
  )

  it.effect("loses rows, locks rows, and counts behind", () =>
    Effect.gen(function* () {
      const { failed, info, submit, successful, unprocessed } = yield* api
      const { records } = yield* EmbeddedOrg.EmbeddedOrg
      const id = yield* submit({}, numbered(1_000))
      yield* TestClock.adjust("1 second")
      const locked = sortedRows(yield* failed(id))
      assert.deepStrictEqual(
        locked,
        ["n299", "n300", "n301"].map(
          (name) => `"","UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--","${name}"`
        )
      )
      const written = sortedRows(yield* successful(id))
      assert.strictEqual(written.length, 987)
      for (const lost of ["n195", "n204"]) assert.isFalse(written.some((row) => row.endsWith(`"${lost}"`)))
      for (const kept of ["n194", "n205"]) assert.isTrue(written.some((row) => row.endsWith(`"${kept}"`)))
      assert.strictEqual(sortedRows(yield* unprocessed(id)).length, 0)
      assert.strictEqual((yield* records("Item__c")).length, 987)
      assert.deepInclude(yield* info(id), {
        state: "JobComplete",
        numberRecordsProcessed: 990 - 50,
        numberRecordsFailed: 3
      })
    }).pipe(
      Effect.provide(
        org(
          Faults.onJob(Faults.loseRows({ after: 195, rows: 10 })),
          Faults.onJob(Faults.lockRows({ after: 299, rows: 3 })),
          Faults.onJob(Faults.lagCounters({ rows: 50 }))
        )
      )
    )
  )

  it.effect("gives small pages, whatever a client asks for", () =>
    Effect.gen(function* () {
      const { page, query } = yield* api
      const { seed } = yield* EmbeddedOrg.EmbeddedOrg
      yield* seed({ Item__c: Array.from({ length: 10 }, (_, i) => ({ Name: `n${i}` })) })
      const id = yield* query("SELECT Name FROM Item__c")
      yield* TestClock.adjust("1 second")
      const sizes: Array<string | undefined> = []
      let locator: string | undefined = ""
      while (locator !== "null") {
        const answer: { readonly headers: Readonly<Record<string, string | undefined>> } = yield* page(
          id,
          `?maxRecords=100${locator === "" ? "" : `&locator=${locator}`}`
        )
        sizes.push(answer.headers["sforce-numberofrecords"])
        locator = answer.headers["sforce-locator"] ?? "null"
      }
      assert.deepStrictEqual(sizes, ["4", "4", "2"])
    }).pipe(Effect.provide(org(Faults.onJob(Faults.smallPages({ rows: 4 }), { operation: "query" }))))
  )
})

describe("a fault as data", () => {
  it.effect("survives JSON, and is refused where it says what is not there", () =>
    Effect.gen(function* () {
      const all = [
        Faults.on(["upload", "token"], Faults.cutRequest(5), { nth: [1, 2], probability: 0.5 }),
        Faults.on(/x+/, Faults.delay("1 second"), { every: 2, times: 3, method: "GET" }),
        Faults.sessionExpiresAfter(3),
        Faults.onJob(Faults.fail({ after: 3 }), { object: "Account", operation: "upsert" })
      ]
      const Json = Schema.fromJsonString(Schema.Array(Faults.Fault))
      const text = yield* Schema.encodeEffect(Json)(all)
      assert.deepStrictEqual(yield* Schema.decodeUnknownEffect(Json)(text), all)
      const is = Schema.is(Faults.Fault)
      assert.isFalse(is({ effect: { _tag: "Nothing" } }))
      assert.isFalse(is({ path: "(", effect: Faults.cutBefore }))
      assert.isFalse(is({ route: "nowhere", effect: Faults.cutBefore }))
      assert.isFalse(is({ nth: 0, effect: Faults.cutBefore }))
      assert.isFalse(is({ effect: { _tag: "Respond", status: 99 } }))
    })
  )
})
