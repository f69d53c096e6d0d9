import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Request from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import { api, item, json, refusal } from "./support.ts"

const org = EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 second", pageSize: 300 })

const notFound = "404 NOT_FOUND The requested resource does not exist"
const expired = "401 INVALID_SESSION_ID Session expired or invalid"

const numbered = (count: number) => `Name\n${Array.from({ length: count }, (_, i) => `n${i}\n`).join("")}`

describe("sessions, versions and paths", () => {
  it.effect("answers nobody without the token, and says so before anything else", () =>
    Effect.gen(function* () {
      const { instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
      const client = yield* HttpClient.HttpClient
      const paths = ["v68.0/jobs/ingest", "v68.0/jobs/ingest/750x/batches", "v68.0/nowhere", "v99.0/jobs/query"]
      for (const path of paths) {
        for (const authorization of [undefined, "", "Bearer", "Bearer x", "Basic x"]) {
          const request = Request.get(`${instanceUrl}/services/data/${path}`)
          const response = yield* client.execute(
            authorization === undefined ? request : Request.setHeader(request, "authorization", authorization)
          )
          const text = yield* response.text
          const isToken = !authorization || authorization === "Bearer x"
          assert.strictEqual(
            refusal({ status: response.status, headers: {}, text }),
            isToken ? expired : "401 INVALID_AUTH_HEADER INVALID_HEADER_TYPE",
            `${path} ${authorization}`
          )
        }
      }
    }).pipe(Effect.provide(org))
  )

  it.effect("lists its versions to anybody, and has nothing beside its API", () =>
    Effect.gen(function* () {
      const { instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
      for (const path of ["/", "/lightning", "/services/apexrest/x"]) {
        const { headers, status, text } = yield* HttpClient.get(`${instanceUrl}${path}`)
        assert.strictEqual(refusal({ status, headers, text: yield* text }), notFound, path)
      }
      const response = yield* HttpClient.get(`${instanceUrl}/services/data/`)
      const versions: unknown = yield* response.json
      assert(Array.isArray(versions))
      assert.strictEqual(versions.length, 28)
      assert.deepStrictEqual(versions[0], { label: "Winter '18", url: "/services/data/v41.0", version: "41.0" })
      assert.deepStrictEqual(versions.at(-1), { label: "Winter '27", url: "/services/data/v68.0", version: "68.0" })
      assert.deepInclude(versions, { label: "Spring '26", url: "/services/data/v66.0", version: "66.0" })
    }).pipe(Effect.provide(org))
  )

  it.effect("takes paths in any case, with slashes too many", () =>
    Effect.gen(function* () {
      const { create, get } = yield* api
      const id = yield* create({})
      for (const path of [
        `/jobs/ingest/${id}/`,
        `//jobs//ingest/${id}`,
        `/JOBS/Ingest/${id}`,
        `/jobs/ingest/${id.slice(0, 15)}`
      ]) {
        assert.strictEqual(json(yield* get(path)).id, id, path)
      }
    }).pipe(Effect.provide(org))
  )

  it.effect("serves the versions from 41 to 68, and writes them as numbers", () =>
    Effect.gen(function* () {
      const { accessToken, instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
      const client = yield* HttpClient.HttpClient
      const create = (version: string) =>
        client.execute(
          Request.post(`${instanceUrl}/services/data/${version}/jobs/ingest`).pipe(
            Request.bearerToken(accessToken),
            Request.bodyJsonUnsafe({ object: "Account", operation: "insert" })
          )
        )
      for (const version of ["v41.0", "v68.0", "V60.0"]) {
        const text = yield* Effect.flatMap(create(version), (response) => response.text)
        assert.include(text, `"apiVersion":${version.slice(1)},`)
        assert.include(text, `"contentUrl":"services/data/v${version.slice(1)}/jobs/ingest/`)
      }
      for (const version of ["v40.0", "v69.0", "v68", "68.0", "v68.1", "vx"]) {
        assert.strictEqual((yield* create(version)).status, 404, version)
      }
    }).pipe(Effect.provide(org))
  )

  it.effect("knows no other paths and verbs", () =>
    Effect.gen(function* () {
      const { create, get, post, send } = yield* api
      const id = yield* create({})
      for (const path of ["/jobs", "/jobs/ingest/x/y", `/jobs/ingest/${id}/nothing`, "/analytics"]) {
        assert.strictEqual(refusal(yield* get(path)), notFound, path)
      }
      for (const missing of ["750Qx0000000099", "nonsense", "001Qx0000000001IAA", "%00", "x".repeat(500)]) {
        assert.strictEqual(refusal(yield* get(`/jobs/ingest/${missing}`)), notFound, missing)
        assert.strictEqual(refusal(yield* get(`/jobs/query/${missing}`)), notFound, missing)
      }
      assert.strictEqual(refusal(yield* get(`/jobs/query/${id}`)), notFound, "an ingest job is no query job")
      assert.strictEqual(
        refusal(yield* post(`/jobs/ingest/${id}`, {})),
        "405 METHOD_NOT_ALLOWED HTTP Method 'POST' not allowed. Allowed are GET,PATCH,DELETE"
      )
      assert.strictEqual((yield* send(Request.put("/jobs/query"))).status, 405)
    }).pipe(Effect.provide(org))
  )

  it.effect("keeps orgs apart, however they are nested", () =>
    Effect.gen(function* () {
      const inner = Effect.gen(function* () {
        const { query } = yield* api
        yield* query("SELECT Id FROM Account")
        return yield* EmbeddedOrg.EmbeddedOrg
      })
      const layer = () => EmbeddedOrg.layerHttpClient()
      const outer = yield* EmbeddedOrg.EmbeddedOrg
      const first = yield* Effect.provide(inner, layer())
      const second = yield* Effect.provide(inner, layer())
      const tokens = [outer, first, second].map((each) => Redacted.value(each.accessToken))
      assert.strictEqual(new Set(tokens).size, 3)
      assert.strictEqual(new Set([outer, first, second].map((each) => each.orgId)).size, 3)
      assert.match(outer.orgId, /^00D[0-9A-Za-z]{15}$/)
      assert.isTrue(tokens[0]?.startsWith(`${outer.orgId}!`))
    }).pipe(Effect.provide(org))
  )
})

describe("ingest jobs", () => {
  it.effect("are created, filled, closed and processed, and say so at each step", () =>
    Effect.gen(function* () {
      const { close, info, post, put } = yield* api
      yield* TestClock.setTime(Date.parse("2026-11-23T20:41:12Z"))
      const created = yield* post("/jobs/ingest", {
        object: "item__c",
        operation: "upsert",
        externalIdFieldName: "Sku__c",
        contentType: "CSV",
        assignmentRuleId: null
      })
      const id = String(json(created).id)
      assert.match(id, /^750[0-9A-Za-z]{15}$/)
      const identity = {
        id,
        operation: "upsert",
        object: "Item__c",
        createdById: "005Qx0000000001IAA",
        createdDate: "2026-11-23T20:41:12.000+0000",
        systemModstamp: "2026-11-23T20:41:12.000+0000",
        externalIdFieldName: "Sku__c",
        concurrencyMode: "Parallel",
        contentType: "CSV",
        apiVersion: 68
      }
      const format = { lineEnding: "LF", columnDelimiter: "COMMA" }
      const contentUrl = `services/data/v68.0/jobs/ingest/${id}/batches`
      assert.deepStrictEqual(json(created), { ...identity, state: "Open", contentUrl, ...format })
      const times = { retries: 0, totalProcessingTime: 0, apiActiveProcessingTime: 0, apexProcessingTime: 0 }
      assert.deepStrictEqual(yield* info(id), {
        ...identity,
        state: "Open",
        contentUrl,
        jobType: "V2Ingest",
        ...format,
        ...times
      })

      const uploaded = yield* put(id, "Name,Sku__c\na,1\nb,2\n")
      assert.deepStrictEqual([uploaded.status, uploaded.text], [201, ""])
      yield* TestClock.adjust("10 seconds")
      const closed = yield* close(id)
      const modified = { systemModstamp: "2026-11-23T20:41:22.000+0000" }
      assert.deepStrictEqual(json(closed), { ...identity, ...modified, state: "UploadComplete" })
      assert.strictEqual((yield* info(id)).state, "UploadComplete")

      yield* TestClock.adjust("999 millis")
      assert.strictEqual((yield* info(id)).state, "UploadComplete")
      yield* TestClock.adjust("1 milli")
      assert.deepStrictEqual(yield* info(id), {
        ...identity,
        systemModstamp: "2026-11-23T20:41:23.000+0000",
        state: "JobComplete",
        jobType: "V2Ingest",
        ...format,
        numberRecordsProcessed: 2,
        numberRecordsFailed: 0,
        ...times
      })
    }).pipe(Effect.provide(org))
  )

  it.effect("are refused when they make no sense", () =>
    Effect.gen(function* () {
      const { post, send } = yield* api
      const insert = { object: "Item__c", operation: "insert" }
      const upsert = { ...insert, operation: "upsert" }
      const expected: ReadonlyArray<readonly [body: unknown, refusal: RegExp]> = [
        [{ ...insert, object: "Nope__c" }, /^400 INVALIDENTITY Unable to find object: Nope__c$/],
        [{ ...insert, operation: "hardDelete" }, /^400 FEATURENOTENABLED hardDelete operation requires special user/],
        [{ ...insert, operation: "INSERT" }, /^400 JSON_PARSER_ERROR .*"operation"/],
        [{ operation: "insert" }, /^400 JSON_PARSER_ERROR .*"object"/],
        [{ ...insert, object: 5 }, /^400 JSON_PARSER_ERROR .*"object"/],
        [{ ...insert, contentType: "XML" }, /^400 JSON_PARSER_ERROR .*"contentType"/],
        [{ ...insert, columnDelimiter: "," }, /^400 JSON_PARSER_ERROR .*"columnDelimiter"/],
        [{ ...insert, lineEnding: "CR" }, /^400 JSON_PARSER_ERROR .*"lineEnding"/],
        [{ ...insert, columnDelimeter: "TAB" }, /^400 JSON_PARSER_ERROR .*"columnDelimeter"/],
        [[insert], /^400 JSON_PARSER_ERROR/],
        ["insert", /^400 JSON_PARSER_ERROR/],
        [null, /^400 JSON_PARSER_ERROR/],
        [upsert, /^400 INVALIDJOB The operation upsert needs an externalIdFieldName/],
        [
          { ...insert, externalIdFieldName: "Sku__c" },
          /^400 INVALIDJOB The operation insert takes no externalIdFieldName/
        ],
        [{ ...upsert, externalIdFieldName: "Name" }, /^400 INVALIDJOB Field name provided, Name does not match/],
        [{ ...upsert, externalIdFieldName: "Nope__c" }, /^400 INVALIDJOB Field name provided, Nope__c does not match/]
      ]
      for (const [body, pattern] of expected) assert.match(refusal(yield* post("/jobs/ingest", body)), pattern)
      const malformed = ["", "{", "{'object':'Account'}", "\uFFFF", "[".repeat(100_000), "x".repeat(2 ** 20 + 1)]
      for (const text of malformed) {
        const answer = yield* send(Request.post("/jobs/ingest").pipe(Request.bodyText(text, "application/json")))
        assert.match(refusal(answer), /^400 JSON_PARSER_ERROR /, text.slice(0, 20))
      }
    }).pipe(Effect.provide(org))
  )

  it.effect("are never processed once they are deleted", () =>
    Effect.gen(function* () {
      const { send, submit } = yield* api
      const id = yield* submit({}, "Name\na\n")
      assert.strictEqual((yield* send(Request.delete(`/jobs/ingest/${id}`))).status, 204)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* rowsOf("SELECT Name FROM Item__c"), [])
    }).pipe(Effect.provide(org))
  )

  it.effect("keep nothing of an upload that breaks off", () =>
    Effect.gen(function* () {
      const { close, create, info, put, send } = yield* api
      const id = yield* create({})
      const body = Stream.fromArray(["Name\n", "x\n".repeat(100_000)]).pipe(
        Stream.encodeText,
        Stream.concat(Stream.fail("the wire broke"))
      )
      const broken = yield* send(
        Request.put(`/jobs/ingest/${id}/batches`).pipe(Request.bodyStream(body, { contentType: "text/csv" }))
      )
      assert.strictEqual(broken.status, 400)
      assert.strictEqual((yield* info(id)).state, "Open")
      // it does not count as an upload either
      assert.strictEqual((yield* put(id, "Name\nwhole\n")).status, 201)
      assert.strictEqual((yield* close(id)).status, 200)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* info(id)).numberRecordsProcessed, 1)
    }).pipe(Effect.provide(org))
  )

  it.effect("refuse an upload during which they were aborted", () =>
    Effect.gen(function* () {
      const { abort, create, info, send } = yield* api
      const id = yield* create({})
      const body = Stream.fromEffect(Effect.as(Effect.orDie(abort(id)), "Name\na\n")).pipe(Stream.encodeText)
      const answer = yield* send(
        Request.put(`/jobs/ingest/${id}/batches`).pipe(Request.bodyStream(body, { contentType: "text/csv" }))
      )
      assert.match(refusal(answer), /^400 INVALIDJOBSTATE/)
      assert.strictEqual((yield* info(id)).state, "Aborted")
    }).pipe(Effect.provide(org))
  )

  it.effect("refuse an encoding they cannot read, rather than keep it", () =>
    Effect.gen(function* () {
      const { create, send } = yield* api
      const id = yield* create({})
      const answer = yield* send(
        Request.put(`/jobs/ingest/${id}/batches`).pipe(
          Request.bodyText("x", "text/csv"),
          Request.setHeader("content-encoding", "br")
        )
      )
      assert.match(refusal(answer), /^415 UNSUPPORTED_MEDIA_TYPE/)
    }).pipe(Effect.provide(org))
  )
})

/** The rows of a query, once it has run. */
const rowsOf = Effect.fnUntraced(function* (soql: string) {
  const { page, query } = yield* api
  const id = yield* query(soql)
  yield* TestClock.adjust("1 second")
  return (yield* page(id)).text.trimEnd().split("\n").slice(1)
})

describe("query jobs", () => {
  it.effect("run, and give their rows page by page", () =>
    Effect.gen(function* () {
      const { get, page, query, submit } = yield* api
      yield* submit({}, numbered(1000))
      yield* TestClock.adjust("1 second")
      const id = yield* query("SELECT name, Id FROM Item__c ORDER BY Id")
      assert.match(refusal(yield* page(id)), /^400 INVALIDJOBSTATE/)
      yield* TestClock.adjust("1 second")
      const info = json(yield* get(`/jobs/query/${id}`))
      assert.deepInclude(info, {
        operation: "query",
        object: "Item__c",
        state: "JobComplete",
        jobType: "V2Query",
        apiVersion: 68,
        numberRecordsProcessed: 1000,
        isPkChunkingSupported: true
      })
      for (const [parameters, sizes] of [
        ["", [300, 300, 300, 100]],
        ["maxRecords=400", [400, 400, 200]],
        ["maxRecords=1000", [1000]],
        ["maxRecords=999999", [1000]]
      ] as const) {
        const names: Array<string> = []
        let locator: string | undefined
        for (const size of sizes) {
          const at = locator === undefined ? "" : `&locator=${locator}`
          const answer = yield* page(id, `?${parameters}${at}`)
          assert.strictEqual(answer.status, 200)
          assert.strictEqual(answer.headers["content-type"], "text/csv; charset=UTF-8")
          assert.strictEqual(answer.headers["sforce-numberofrecords"], String(size))
          const [header, ...rows] = answer.text.trimEnd().split("\n")
          assert.strictEqual(header, '"Name","Id"')
          assert.strictEqual(rows.length, size)
          names.push(...rows.map((row) => row.split('"')[1] ?? ""))
          locator = answer.headers["sforce-locator"]
        }
        assert.strictEqual(locator, "null")
        assert.deepStrictEqual(
          names,
          Array.from({ length: 1000 }, (_, i) => `n${i}`)
        )
      }
    }).pipe(Effect.provide(org))
  )

  it.effect("keep their rows while the records change", () =>
    Effect.gen(function* () {
      const { page, query, submit } = yield* api
      yield* submit({}, "Name\nbefore\n")
      yield* TestClock.adjust("1 second")
      const id = yield* query("SELECT Name FROM Item__c")
      yield* TestClock.adjust("1 second")
      yield* submit({ operation: "update" }, "Id,Name\na00Qx0000000001,after\n")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* page(id)).text, '"Name"\n"before"\n')
      assert.deepStrictEqual(yield* rowsOf("SELECT Name FROM Item__c"), ['"after"'])
    }).pipe(Effect.provide(org))
  )

  it.effect("find what their conditions say", () =>
    Effect.gen(function* () {
      const { submit } = yield* api
      yield* submit(
        {},
        "Name,Count__c,Active__c,Day__c,At__c\na,1,true,2024-01-01,2024-01-01T00:00:00Z\nB,2,false,2024-06-01,\nc,,true,,2025-01-01T00:00:00Z\n50%,-1.5,,,\n"
      )
      yield* TestClock.adjust("1 second")
      const expected: ReadonlyArray<readonly [where: string, names: string]> = [
        ["Name = 'b'", "B"],
        ["Name != 'B'", "50%,a,c"],
        ["Count__c > 1", "B"],
        ["Count__c <= 1", "50%,a"],
        ["NOT Count__c <= 1", "B,c"],
        ["Count__c = null", "c"],
        ["Count__c <> NULL AND Active__c = true", "a"],
        ["Count__c = -1.5", "50%"],
        ["Active__c = false", "50%,B"],
        ["Day__c >= 2024-01-01", "a,B"],
        ["At__c < 2025-01-01T01:00:00+01:00", "a"],
        ["At__c <= 2025-01-01T01:00:00+01:00", "a,c"],
        ["Name IN ('A', 'c', 'x')", "a,c"],
        ["Name NOT IN ('A', 'c')", "50%,B"],
        ["Count__c IN (1, null)", "a,c"],
        ["Name LIKE '_'", "a,B,c"],
        ["Name LIKE '%\\%'", "50%"],
        ["(Name = 'a' OR Name = 'b') AND Active__c = true", "a"],
        ["Name = 'a' OR (Name = 'b' AND Active__c = true)", "a"],
        ["Id = 'a00Qx0000000001'", "a"],
        ["CreatedDate > 2020-01-01T00:00:00Z", ""]
      ]
      for (const [where, names] of expected) {
        const rows = yield* rowsOf(`SELECT Name FROM Item__c WHERE ${where} ORDER BY Name`)
        assert.strictEqual(rows.map((row) => row.replaceAll('"', "")).join(), names, where)
      }
      const ordered = yield* rowsOf("SELECT Name FROM Item__c ORDER BY Active__c DESC, Count__c ASC NULLS LAST LIMIT 3")
      assert.deepStrictEqual(ordered, ['"a"', '"c"', '"50%"'])
    }).pipe(Effect.provide(org))
  )

  it.effect("give the header alone when nothing is found", () =>
    Effect.gen(function* () {
      const { page, query } = yield* api
      const id = yield* query("SELECT Id FROM Account", { lineEnding: "CRLF" })
      yield* TestClock.adjust("1 second")
      const answer = yield* page(id)
      assert.strictEqual(answer.text, '"Id"\r\n')
      assert.strictEqual(answer.headers["sforce-numberofrecords"], "0")
      assert.strictEqual(answer.headers["sforce-locator"], "null")
    }).pipe(Effect.provide(org))
  )

  it.effect("write the delimiter and the line ending they were asked for", () =>
    Effect.gen(function* () {
      const { page, query, submit } = yield* api
      yield* submit({}, "Name,Sku__c\na,1\nb,2\n")
      yield* TestClock.adjust("1 second")
      const id = yield* query("SELECT Name, Sku__c FROM Item__c ORDER BY Name", {
        columnDelimiter: "PIPE",
        lineEnding: "CRLF"
      })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* page(id, "?maxRecords=1")).text, '"Name"|"Sku__c"\r\n"a"|"1"\r\n')
      assert.strictEqual((yield* page(id, "?maxRecords=1&locator=MQ")).text, '"Name"|"Sku__c"\r\n"b"|"2"\r\n')
    }).pipe(Effect.provide(org))
  )

  it.effect("refuse what they cannot do, at once", () =>
    Effect.gen(function* () {
      const { abort, get, page, patch, post, query, send } = yield* api
      assert.match(
        refusal(yield* post("/jobs/query", { operation: "query", query: "SELECT Nope FROM Account" })),
        /^400 API_ERROR .*ERROR at Row:1:Column:8\nNo such column 'Nope' on entity 'Account'/s
      )
      assert.match(refusal(yield* post("/jobs/query", { operation: "query" })), /^400 JSON_PARSER_ERROR .*"query"/)
      assert.match(
        refusal(yield* post("/jobs/query", { operation: "delete", query: "SELECT Id FROM Account" })),
        /^400 JSON_PARSER_ERROR .*"operation"/
      )
      const id = yield* query("SELECT Id FROM Account")
      assert.match(refusal(yield* patch(`/jobs/query/${id}`, { state: "UploadComplete" })), /^400 INVALIDJOBSTATE/)
      assert.match(refusal(yield* send(Request.delete(`/jobs/query/${id}`))), /^400 API_ERROR .*not terminated$/)
      assert.strictEqual(refusal(yield* abort(id)), notFound, "a query job is no ingest job")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(
        refusal(yield* patch(`/jobs/query/${id}`, { state: "Aborted" })),
        "400 INVALIDJOBSTATE Aborting already Completed Job not allowed"
      )
      for (const maxRecords of ["0", "-1", "x", "1.5", "9".repeat(30)]) {
        assert.match(refusal(yield* page(id, `?maxRecords=${maxRecords}`)), /^400 API_ERROR maxRecords/)
      }
      for (const locator of ["x", "MQ", "null", "%00", "LTE"]) {
        assert.strictEqual(
          refusal(yield* page(id, `?locator=${locator}`)),
          "400 INVALID_QUERY_LOCATOR invalid query locator"
        )
      }
      assert.strictEqual((yield* send(Request.delete(`/jobs/query/${id}`))).status, 204)
      assert.strictEqual(refusal(yield* get(`/jobs/query/${id}`)), notFound)
    }).pipe(Effect.provide(org))
  )
})
