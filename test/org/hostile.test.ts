import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Request from "effect/http/HttpClientRequest"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import { api, item } from "./support.ts"

const org = EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 second" })

const bytes = (length: number) =>
  Effect.map(Effect.replicateEffect(Random.nextIntBetween(0, 255), length), (all) => Uint8Array.from(all))

const pick = <A>(all: ReadonlyArray<A>) => Effect.map(Random.nextIntBetween(0, all.length - 1), (i) => all[i]!)

/** The org still does what it is for. */
const isWell = Effect.gen(function* () {
  const { info, submit } = yield* api
  const id = yield* submit({}, "Name\nwell\n")
  yield* TestClock.adjust("1 second")
  const { numberRecordsFailed, numberRecordsProcessed, state } = yield* info(id)
  assert.deepStrictEqual([state, numberRecordsProcessed, numberRecordsFailed], ["JobComplete", 1, 0])
})

const jsons = [
  "",
  "null",
  "[]",
  "{}",
  "0",
  '"x"',
  "{",
  '{"__proto__":{}}',
  '{"object":{}}',
  '{"object":"Item__c\\u0000","operation":"insert"}',
  '{"object":"Item__c","operation":"upsert","externalIdFieldName":"constructor"}',
  '{"object":"__proto__","operation":"insert"}',
  '{"object":"sqlite_master","operation":"insert"}',
  '{"object":"_job","operation":"insert"}',
  '{"state":"UploadComplete"}',
  '{"state":["Aborted"]}',
  '{"operation":"query","query":"SELECT Id FROM Account; DROP TABLE Account"}',
  '{"operation":"query","query":"SELECT Id FROM _job"}',
  `{"operation":"query","query":"SELECT Id FROM Account WHERE Name = 'x\\\\' OR 1=1"}`,
  '{"operation":"query","query":"SELECT content FROM sqlite_master"}',
  `{"operation":"query","query":"${"(".repeat(5_000)}"}`,
  `{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
  `{"operation":"query","query":"SELECT Id FROM Account WHERE ${Array.from({ length: 4_000 }, () => "Name='a'").join(" OR ")}"}`,
  `{"operation":"query","query":"SELECT Id FROM Account WHERE NumberOfEmployees IN (${"1,".repeat(40_000)}1)"}`
]

describe("bad input", () => {
  it.effect("is refused, whatever is sent to whatever path", () =>
    Effect.gen(function* () {
      const { create, query, send } = yield* api
      const ids = [
        yield* create({}),
        yield* query("SELECT Id FROM Account"),
        "750Qx0000000099AAA",
        "x",
        "..",
        "%2e%2e",
        "'"
      ]
      const tails = [
        "",
        "/",
        "/batches",
        "/results",
        "/results?locator=%F0%28",
        "/results?maxRecords=1e3",
        "/successfulResults",
        "/nothing"
      ]
      const verbs = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const
      for (let i = 0; i < 1_000; i++) {
        const path = `/jobs/${yield* pick(["ingest", "query"])}${yield* pick(["", `/${yield* pick(ids)}${yield* pick(tails)}`])}`
        const request = Request.make(yield* pick(verbs))(path)
        const answer = yield* send(
          (yield* Random.nextBoolean)
            ? Request.bodyText(request, yield* pick(jsons), "application/json")
            : Request.bodyUint8Array(request, yield* bytes(50))
        )
        assert.isTrue(
          answer.status >= 200 && answer.status < 500,
          `${request.method} ${path}: ${answer.status} ${answer.text}`
        )
      }
      yield* TestClock.adjust("1 minute")
      yield* isWell
    }).pipe(Random.withSeed("hostile"), Effect.provide(org))
  )

  it.effect("fails the job it was uploaded to, and nothing else", () =>
    Effect.gen(function* () {
      const { close, create, info, send, successful, unprocessed } = yield* api
      for (let i = 0; i < 100; i++) {
        const id = yield* create({
          columnDelimiter: yield* pick(["COMMA", "TAB", "PIPE"]),
          lineEnding: yield* pick(["LF", "CRLF"])
        })
        const body = yield* bytes(yield* pick([1, 10, 1_000, 3_000]))
        yield* send(Request.put(`/jobs/ingest/${id}/batches`).pipe(Request.bodyUint8Array(body, "text/csv")))
        yield* close(id)
        yield* TestClock.adjust("1 second")
        const job = yield* info(id)
        assert.strictEqual(job.state, "Failed", JSON.stringify(job))
        assert.match(String(job.errorMessage), /^(?:InvalidBatch|ClientInputError) : /)
        assert.strictEqual((yield* successful(id)).status, 200)
        assert.strictEqual((yield* unprocessed(id)).status, 200)
      }
      yield* isWell
    }).pipe(Random.withSeed("hostile"), Effect.provide(org))
  )

  it.effect("may race: abort, close, upload and delete at once", () =>
    Effect.gen(function* () {
      const { abort, close, create, put, send } = yield* api
      for (let i = 0; i < 50; i++) {
        const id = yield* create({})
        const answers = yield* Effect.all(
          [
            put(id, "Name\nx\n"),
            put(id, "Name\ny\n"),
            close(id),
            abort(id),
            send(Request.delete(`/jobs/ingest/${id}`))
          ],
          { concurrency: "unbounded" }
        )
        for (const { status, text } of answers) assert.isTrue(status < 500, text)
      }
      yield* TestClock.adjust("1 minute")
      yield* isWell
    }).pipe(Effect.provide(org))
  )
})
