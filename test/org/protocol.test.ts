import { gunzipSync, gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Request from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import { type Answer, api, item, json, refusal, sortedRows } from "./support.ts"

const org = (options: EmbeddedOrg.Options = {}) =>
  EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 second", ...options })

const numbered = (count: number) => `Name\n${Array.from({ length: count }, (_, i) => `n${i}\n`).join("")}`

const listOf = (answer: Answer) => {
  assert.strictEqual(answer.status, 200, answer.text)
  const { done, nextRecordsUrl, records } = json(answer)
  assert(Array.isArray(records))
  return { done, nextRecordsUrl, records: records.map((each: Record<string, unknown>) => each) }
}

describe("lists of jobs", () => {
  it.effect("say of each job what a list says", () =>
    Effect.gen(function* () {
      const { create, get } = yield* api
      yield* TestClock.setTime(Date.parse("2026-11-23T20:41:12Z"))
      const id = yield* create({ operation: "upsert", externalIdFieldName: "Sku__c" })
      assert.deepStrictEqual(listOf(yield* get("/jobs/ingest")).records, [
        {
          id,
          operation: "upsert",
          object: "Item__c",
          createdById: "005Qx0000000001IAA",
          createdDate: "2026-11-23T20:41:12.000+0000",
          systemModstamp: "2026-11-23T20:41:12.000+0000",
          state: "Open",
          externalIdFieldName: "Sku__c",
          concurrencyMode: "Parallel",
          contentType: "CSV",
          apiVersion: 68,
          contentUrl: `services/data/v68.0/jobs/ingest/${id}/batches`,
          jobType: "V2Ingest",
          lineEnding: "LF",
          columnDelimiter: "COMMA"
        }
      ])
    }).pipe(Effect.provide(org()))
  )
})

describe("multipart requests", () => {
  const send = Effect.fnUntraced(function* (body: string, contentType = "multipart/form-data; boundary=xyz") {
    const { send } = yield* api
    return yield* send(Request.post("/jobs/ingest").pipe(Request.bodyText(body, contentType)))
  })

  const job = `Content-Type: application/json\r\nContent-Disposition: form-data; name="job"\r\n\r\n`
  const content = `Content-Type: text/csv\r\nContent-Disposition: form-data; name="content"; filename="content"\r\n\r\n`
  const form = (json: string, csv: string) => `--xyz\r\n${job}${json}\r\n--xyz\r\n${content}${csv}\r\n--xyz--\r\n`
  const insert = `{"object":"Item__c","operation":"insert"}`

  it.effect("create a job, fill it and hand it over", () =>
    Effect.gen(function* () {
      const { info, successful } = yield* api
      const bodies = [
        form(insert, "Name,Code__c\n--xyz,1\nb,2\n"),
        form(insert, "Name,Code__c\n--xyz,1\nb,2"),
        form(insert, "Name,Code__c\n--xyz,1\nb,2\n").replace(/\r\n/g, "\n"),
        form(insert, "Name,Code__c\n--xyz,1\nb,2\n").replace(/"(job|content)"/g, "$1"),
        `a preamble\r\n${form(insert, "Name,Code__c\n--xyz,1\nb,2\n")}an epilogue`
      ]
      for (const body of bodies) {
        const answer = yield* send(body, `multipart/form-data; charset=UTF-8; boundary="xyz"`)
        const created = json(answer)
        assert.strictEqual(answer.status, 200, answer.text)
        assert.deepInclude(created, { state: "UploadComplete", lineEnding: "LF", columnDelimiter: "COMMA" })
        assert.notProperty(created, "contentUrl")
        yield* TestClock.adjust("1 second")
        const id = String(created.id)
        assert.deepInclude(yield* info(id), { state: "JobComplete", numberRecordsProcessed: 2 })
        if (body === bodies[0]) {
          const rows = sortedRows(yield* successful(id)).map((row) => row.slice(row.indexOf(",")))
          assert.deepStrictEqual(rows, [',"true","--xyz","1"', ',"true","b","2"'])
        }
      }
    }).pipe(Effect.provide(org()))
  )

  it.effect("create nothing when something is wrong with them", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      const whole = form(insert, "Name\na\n")
      const swapped = `--xyz\r\n${content}Name\na\n\r\n--xyz\r\n${job}${insert}\r\n--xyz--`
      const three = whole.replace("--xyz--", `--xyz\r\n${content}Name\n\r\n--xyz--`)
      const broken: ReadonlyArray<readonly [body: string, pattern: RegExp]> = [
        ["", /^400 CLIENTINPUTERROR/],
        [insert, /^400 CLIENTINPUTERROR/],
        [whole.slice(0, -8), /^400 CLIENTINPUTERROR .*last boundary/],
        [swapped, /^400 CLIENTINPUTERROR .*two parts/],
        [three, /^400 CLIENTINPUTERROR .*two parts/],
        [whole.replaceAll("Content-Disposition", "X-Disposition"), /^400 CLIENTINPUTERROR .*two parts/],
        [whole.replaceAll("\r\n\r\n", "\r\n"), /^400 CLIENTINPUTERROR .*two parts/],
        [form("{", "Name\n"), /^400 JSON_PARSER_ERROR/],
        [form(`{"object":"Nope__c","operation":"insert"}`, "Name\n"), /^400 INVALIDENTITY/]
      ]
      for (const [body, pattern] of broken) assert.match(refusal(yield* send(body)), pattern)
      assert.match(refusal(yield* send(whole, "multipart/form-data")), /^400 CLIENTINPUTERROR .*boundary/)
      assert.match(refusal(yield* send(whole, "multipart/form-data; boundary=abc")), /^400 CLIENTINPUTERROR/)
      assert.strictEqual(refusal(yield* send(whole, "text/plain")).slice(0, 26), "415 UNSUPPORTED_MEDIA_TYPE")
      assert.deepStrictEqual(listOf(yield* get("/jobs/ingest")).records, [])
    }).pipe(Effect.provide(org()))
  )
})

describe("gzip", () => {
  const upload = Effect.fnUntraced(function* (id: string, body: Stream.Stream<Uint8Array>) {
    const { send } = yield* api
    return yield* send(
      Request.put(`/jobs/ingest/${id}/batches`).pipe(
        Request.bodyStream(body, { contentType: "text/csv" }),
        Request.setHeader("content-encoding", "gzip")
      )
    )
  })

  it.effect("is read from an upload", () =>
    Effect.gen(function* () {
      const { close, create, info } = yield* api
      const id = yield* create({})
      const bytes = gzipSync(numbered(5_000))
      const pieces = Array.from({ length: Math.ceil(bytes.length / 1_000) }, (_, i) =>
        bytes.subarray(i * 1_000, i * 1_000 + 1_000)
      )
      assert.strictEqual((yield* upload(id, Stream.fromIterable(pieces, { chunkSize: 1 }))).status, 201)
      assert.strictEqual((yield* close(id)).status, 200)
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* info(id), { numberRecordsProcessed: 5_000, numberRecordsFailed: 0 })
    }).pipe(Effect.provide(org()))
  )

  it.effect("that is damaged, or breaks off, leaves the job as it was", () =>
    Effect.gen(function* () {
      const { close, create, info, put } = yield* api
      const id = yield* create({})
      const bytes = gzipSync(numbered(5_000))
      const damaged = Uint8Array.from(bytes, (byte, i) => (i === bytes.length >> 1 ? byte ^ 255 : byte))
      for (const body of [bytes.subarray(0, -20), damaged, Buffer.from("Name\nplain\n"), new Uint8Array(0)]) {
        assert.match(refusal(yield* upload(id, Stream.succeed(body))), /^400 CLIENTINPUTERROR/)
        assert.strictEqual((yield* info(id)).state, "Open")
      }
      assert.strictEqual((yield* put(id, "Name\nwhole\n")).status, 201)
      assert.strictEqual((yield* close(id)).status, 200)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* info(id)).numberRecordsProcessed, 1)
    }).pipe(Effect.provide(org()))
  )

  it.effect("is written to whom asks for it", () =>
    Effect.gen(function* () {
      const { open, page, query, submit } = yield* api
      const ingestId = yield* submit({}, numbered(2_000))
      yield* TestClock.adjust("1 second")
      const queryId = yield* query("SELECT Name FROM Item__c ORDER BY Id")
      yield* TestClock.adjust("1 second")
      const plain = yield* page(queryId)
      const download = Effect.fnUntraced(function* (path: string, accepted: string) {
        const response = yield* open(Request.get(path).pipe(Request.setHeader("accept-encoding", accepted)))
        return { headers: response.headers, bytes: Buffer.from(yield* response.arrayBuffer) }
      })
      for (const accepted of ["gzip", "gzip, deflate", "br;q=1.0, GZIP;q=0.5"]) {
        const { bytes, headers } = yield* download(`/jobs/query/${queryId}/results`, accepted)
        assert.strictEqual(headers["content-encoding"], "gzip", accepted)
        assert.strictEqual(headers["content-type"], "text/csv; charset=UTF-8")
        assert.strictEqual(headers["sforce-numberofrecords"], "2000")
        assert.strictEqual(headers["sforce-locator"], "null")
        assert.isBelow(bytes.length, plain.text.length / 2)
        assert.strictEqual(gunzipSync(bytes).toString(), plain.text)
      }
      for (const accepted of ["", "identity", "deflate, br", "gzip;q=0", "x-gzip"]) {
        const { bytes, headers } = yield* download(`/jobs/query/${queryId}/results`, accepted)
        assert.isUndefined(headers["content-encoding"], accepted)
        assert.strictEqual(bytes.toString(), plain.text)
      }
      const { bytes } = yield* download(`/jobs/ingest/${ingestId}/successfulResults`, "gzip")
      assert.strictEqual(gunzipSync(bytes).toString().split("\n").length, 2_002)
      // a short answer is not worth it
      assert.isUndefined((yield* download(`/jobs/query/${queryId}`, "gzip")).headers["content-encoding"])
    }).pipe(Effect.provide(org()))
  )
})

describe("requests", () => {
  it.effect("are counted, and the count is told", () =>
    Effect.gen(function* () {
      const { create, get } = yield* api
      yield* create({})
      const usage = (answer: Answer) => answer.headers["sforce-limit-info"]
      assert.strictEqual(usage(yield* get("/jobs/ingest")), "api-usage=2/700")
      assert.strictEqual(usage(yield* get("/jobs/ingest/750Qx0000000099")), "api-usage=3/700")
      assert.strictEqual(usage(yield* get("/nowhere")), "api-usage=4/700")
      const { instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
      const stranger = yield* HttpClient.get(`${instanceUrl}/services/data/v68.0/jobs/ingest`)
      assert.isUndefined(stranger.headers["sforce-limit-info"])
      yield* TestClock.adjust("23 hours")
      assert.strictEqual(usage(yield* get("/jobs/ingest")), "api-usage=5/700")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(usage(yield* get("/jobs/ingest")), "api-usage=2/700")
    }).pipe(Effect.provide(org({ dailyRequests: 700 })))
  )
})
