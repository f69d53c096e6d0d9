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

/** Sends a request to a path of any version. */
const sendTo = Effect.fnUntraced(function* (version: string, request: Request.HttpClientRequest) {
  const { accessToken, instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
  const client = yield* HttpClient.HttpClient
  const response = yield* client.execute(
    request.pipe(Request.prependUrl(`${instanceUrl}/services/data/v${version}`), Request.bearerToken(accessToken))
  )
  return { status: response.status, headers: response.headers, text: yield* response.text }
})

const listOf = (answer: Answer) => {
  assert.strictEqual(answer.status, 200, answer.text)
  const { done, nextRecordsUrl, records } = json(answer)
  assert(Array.isArray(records))
  return { done, nextRecordsUrl, records: records.map((each: Record<string, unknown>) => each) }
}

const idsOf = (answer: Answer) => listOf(answer).records.map((record) => String(record.id))

describe("lists of jobs", () => {
  it.effect("come page by page, and hold every job once", () =>
    Effect.gen(function* () {
      const { create, get } = yield* api
      const ids = yield* Effect.replicateEffect(create({}), 5)
      const seen: Array<string> = []
      let path: string | undefined = "/jobs/ingest"
      for (const size of [2, 2, 1]) {
        assert(path !== undefined)
        const { done, nextRecordsUrl, records } = listOf(yield* get(path))
        assert.strictEqual(records.length, size)
        assert.strictEqual(done, size === 1)
        seen.push(...records.map((record) => String(record.id)))
        if (done !== true) {
          assert.match(String(nextRecordsUrl), /^\/services\/data\/v68\.0\/jobs\/ingest\?queryLocator=01g\w{15}-\d+$/)
        }
        path = done === true ? undefined : String(nextRecordsUrl).replace("/services/data/v68.0", "")
        if (done === true) assert.isNull(nextRecordsUrl)
      }
      assert.deepStrictEqual(seen.sort(), Array.from(ids).sort())
    }).pipe(Effect.provide(org({ listSize: 2 })))
  )

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

  it.effect("are filtered, and keep the filter from page to page", () =>
    Effect.gen(function* () {
      const { create, get, query } = yield* api
      const ingest = [yield* create({}), yield* create({})]
      const queries = [yield* query("SELECT Id FROM Item__c"), yield* query("SELECT Id FROM Account")]
      const all = [...ingest, ...queries]
      const expected: ReadonlyArray<readonly [path: string, ids: ReadonlyArray<string>]> = [
        ["/jobs/ingest", all],
        ["/jobs/ingest?jobType=V2Ingest", ingest],
        ["/jobs/ingest?jobType=Classic", []],
        ["/jobs/ingest?jobType=BigObjectIngest", []],
        ["/jobs/ingest?isPkChunkingEnabled=true", []],
        ["/jobs/ingest?isPkChunkingEnabled=false", all],
        ["/jobs/query", queries],
        ["/jobs/query?jobType=V2Query", queries],
        ["/jobs/query?jobType=V2Ingest", ingest],
        ["/jobs/query?jobType=Classic", []],
        ["/jobs/query?concurrencyMode=serial", []],
        ["/jobs/query?concurrencyMode=PARALLEL", queries],
        ["/jobs/query?isPkChunkingEnabled=true", []]
      ]
      for (const [path, ids] of expected) {
        const seen: Array<string> = []
        for (let next: unknown = path; typeof next === "string"; ) {
          const answer = yield* get(next.replace("/services/data/v68.0", ""))
          seen.push(...idsOf(answer))
          next = listOf(answer).nextRecordsUrl
        }
        assert.deepStrictEqual(seen.sort(), Array.from(ids).sort(), path)
      }
      // the guide's own example takes the locator of one list to the other
      const { nextRecordsUrl } = listOf(yield* get("/jobs/query"))
      const locator = String(nextRecordsUrl).split("?")[1]
      assert.deepStrictEqual(idsOf(yield* get(`/jobs/ingest?${locator}`)), queries.slice(1))
    }).pipe(Effect.provide(org({ listSize: 1 })))
  )

  it.effect("refuse a filter and a locator they do not know", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      for (const parameter of ["jobType=V2Query", "jobType=x", "jobType=constructor", "isPkChunkingEnabled=1"]) {
        assert.match(refusal(yield* get(`/jobs/ingest?${parameter}`)), /^400 API_ERROR/, parameter)
      }
      assert.match(refusal(yield* get("/jobs/query?concurrencyMode=both")), /^400 API_ERROR/)
      for (const locator of ["", "x", "01gRM000000NS1vYAG-1000", "01gQx0000000000AAA", "01gQx0000000000AAA--1"]) {
        assert.strictEqual(
          refusal(yield* get(`/jobs/ingest?queryLocator=${locator}`)),
          "400 INVALID_QUERY_LOCATOR invalid query locator",
          locator
        )
      }
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

  it.effect("take 100,000 characters of CSV, whatever their bytes, and no more", () =>
    Effect.gen(function* () {
      const { info } = yield* api
      const csv = (length: number) => "Name\n".padEnd(length, `${"é".repeat(20)}\n`)
      const created = json(yield* send(form(insert, csv(100_000))))
      assert.strictEqual(created.state, "UploadComplete")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* info(String(created.id))).state, "JobComplete")
      assert.match(refusal(yield* send(form(insert, csv(100_001)))), /^400 CLIENTINPUTERROR .*100000 characters/)
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

describe("versions", () => {
  const createIn = Effect.fnUntraced(function* (version: string, soql: string) {
    const answer = yield* sendTo(
      version,
      Request.post("/jobs/query").pipe(Request.bodyJsonUnsafe({ operation: "query", query: soql }))
    )
    yield* TestClock.adjust("1 second")
    return String(json(answer).id)
  })

  it.effect("link to all pages of results since 58, five at a time", () =>
    Effect.gen(function* () {
      const { get, submit } = yield* api
      yield* submit({}, numbered(13))
      yield* TestClock.adjust("1 second")
      const id = yield* createIn("68.0", "SELECT Name FROM Item__c ORDER BY Id")
      const names: Array<string> = []
      const counts: Array<number> = []
      for (let next: unknown = `/jobs/query/${id}/resultPages`; typeof next === "string"; ) {
        const { done, nextRecordsUrl, resultPages } = json(
          yield* get(next.replace("/services/data/v68.0", "").replace("resultPages", "resultpages"))
        )
        assert(Array.isArray(resultPages))
        counts.push(resultPages.length)
        for (const page of resultPages) {
          assert.deepStrictEqual(Object.keys(page), ["resultUrl"])
          const answer = yield* get(String(page.resultUrl).replace("/services/data/v68.0", ""))
          assert.strictEqual(answer.headers["sforce-numberofrecords"], page === resultPages.at(-1) && done ? "1" : "2")
          names.push(...answer.text.trimEnd().split("\n").slice(1))
        }
        assert.strictEqual(done, nextRecordsUrl === undefined)
        next = nextRecordsUrl
      }
      assert.deepStrictEqual(counts, [5, 2])
      assert.deepStrictEqual(
        names,
        Array.from({ length: 13 }, (_, i) => `"n${i}"`)
      )

      const pages = (version: string, id: string) => sendTo(version, Request.get(`/jobs/query/${id}/resultPages`))
      assert.match(refusal(yield* pages("67.0", id)), /^409 API_ERROR .*68\.0$/)
      const older = yield* createIn("57.0", "SELECT Id FROM Item__c")
      assert.match(refusal(yield* pages("57.0", older)), /^404 NOT_FOUND/)
      const empty = yield* createIn("58.0", "SELECT Id FROM Account")
      const { done, resultPages } = json(yield* pages("58.0", empty))
      assert.isTrue(done)
      assert(Array.isArray(resultPages))
      assert.strictEqual(resultPages.length, 1)
      const { post } = yield* api
      const running = json(yield* post("/jobs/query", { operation: "query", query: "SELECT Id FROM Account" }))
      assert.match(refusal(yield* pages("68.0", String(running.id))), /^400 INVALIDJOBSTATE/)
    }).pipe(Effect.provide(org({ pageSize: 2 })))
  )

  it.effect("write columns by the alphabet before 50", () =>
    Effect.gen(function* () {
      const { submit } = yield* api
      yield* submit({}, "Name,Sku__c,Color__c\nn,s,Red\n")
      yield* TestClock.adjust("1 second")
      for (const [version, text] of [
        ["50.0", '"Sku__c","Name","Color__c"\n"s","n","Red"\n'],
        ["49.0", '"Color__c","Name","Sku__c"\n"Red","n","s"\n']
      ] as const) {
        const id = yield* createIn(version, "SELECT Sku__c, Name, Color__c FROM Item__c")
        assert.strictEqual((yield* sendTo(version, Request.get(`/jobs/query/${id}/results`))).text, text)
      }
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
