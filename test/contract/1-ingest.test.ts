// Section 1 of the protocol: ingest jobs.
import { gunzipSync, gzipSync } from "node:zlib"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Request from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"
import { type Answer, json, refusal, sortedRows } from "../org/support.ts"
import { api, contract, headerOf, idsOf, isLive, prepared, unique } from "./target.ts"

const notFound = "404 NOT_FOUND The requested resource does not exist"
const notTerminated = "400 API_ERROR Error encountered when deleting the job because the job is not terminated"
const idPattern = /^750[0-9A-Za-z]{15}$/
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/

const item = { object: "Contract_Item__c", operation: "insert" }

const csv = (name = unique()) => `Name,Key__c\n${name},${name}\n`

/** A multipart request as the guide writes it. */
const form = (job: unknown, content: string, contentType = `multipart/form-data; boundary="xyz"`) =>
  Request.post("/jobs/ingest").pipe(
    Request.bodyText(
      [
        "--xyz",
        "Content-Type: application/json",
        'Content-Disposition: form-data; name="job"',
        "",
        JSON.stringify(job),
        "--xyz",
        "Content-Type: text/csv",
        'Content-Disposition: form-data; name="content"; filename="content"',
        "",
        content,
        "--xyz--",
        ""
      ].join("\r\n"),
      contentType
    )
  )

/** An upload whose pieces come in chunks, so that it has no length. */
const chunked = (id: string, pieces: ReadonlyArray<Uint8Array>) =>
  Request.put(`/jobs/ingest/${id}/batches`).pipe(
    Request.bodyStream(Stream.fromIterable(pieces, { chunkSize: 1 }), { contentType: "text/csv" })
  )

contract("1.1 ingest: endpoint map", (it) => {
  it.effect("POST /jobs/ingest (JSON): 200 and a job that is Open", () =>
    Effect.gen(function* () {
      const { post } = yield* api
      const answer = yield* post("/jobs/ingest", item)
      assert.strictEqual(answer.status, 200)
      assert.match(answer.headers["content-type"] ?? "", /^application\/json;\s*charset=utf-8$/i)
      assert.strictEqual(json(answer).state, "Open")
    })
  )

  it.effect("POST /jobs/ingest (multipart): 200 and a job that is UploadComplete", () =>
    Effect.gen(function* () {
      const { send } = yield* api
      const answer = yield* send(form(item, csv()))
      assert.strictEqual(answer.status, 200, answer.text)
      assert.strictEqual(json(answer).state, "UploadComplete")
    })
  )

  it.effect("PUT /jobs/ingest/{id}/batches: 201 and no body", () =>
    Effect.gen(function* () {
      const { create, put } = yield* api
      const { status, text } = yield* put(yield* create({}), csv())
      assert.deepStrictEqual([status, text], [201, ""])
    })
  )

  it.effect("PATCH /jobs/ingest/{id}: 200 and the job", () =>
    Effect.gen(function* () {
      const { close, create, put } = yield* api
      const id = yield* create({})
      yield* put(id, csv())
      const answer = yield* close(id)
      assert.strictEqual(answer.status, 200)
      assert.deepInclude(json(answer), { id, state: "UploadComplete" })
    })
  )

  it.effect("GET /jobs/ingest/{id}: 200 and the job", () =>
    Effect.gen(function* () {
      const { create, get } = yield* api
      const id = yield* create({})
      const answer = yield* get(`/jobs/ingest/${id}`)
      assert.deepStrictEqual([answer.status, json(answer).id], [200, id])
    })
  )

  it.effect("GET /jobs/ingest: 200 and a list", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      const answer = yield* get("/jobs/ingest")
      assert.strictEqual(answer.status, 200)
      assert.hasAllKeys(json(answer), ["done", "records", "nextRecordsUrl"])
    })
  )

  it.effect("DELETE /jobs/ingest/{id}: 204 and no body", () =>
    Effect.gen(function* () {
      const { abort, create, remove } = yield* api
      const id = yield* create({})
      yield* abort(id)
      const { status, text } = yield* remove(`/jobs/ingest/${id}`)
      assert.deepStrictEqual([status, text], [204, ""])
    })
  )

  for (const file of ["successfulResults", "failedResults", "unprocessedrecords"]) {
    it.effect(`GET /jobs/ingest/{id}/${file}: 200 and CSV, with or without a slash, in any case`, () =>
      Effect.gen(function* () {
        const { get, run } = yield* api
        const { id } = yield* run({}, csv())
        for (const path of [file, `${file}/`, file.toLowerCase(), file.toUpperCase()]) {
          const answer = yield* get(`/jobs/ingest/${id}/${path}`)
          assert.strictEqual(answer.status, 200, path)
          assert.match(answer.headers["content-type"] ?? "", /^text\/csv/, path)
        }
      })
    )
  }

  it.effect("all paths: with or without a trailing slash", () =>
    Effect.gen(function* () {
      const { get, patch, post, remove, send } = yield* api
      const created = yield* post("/jobs/ingest/", item)
      const path = `/jobs/ingest/${json(created).id}/`
      const upload = yield* send(Request.put(`${path}batches/`).pipe(Request.bodyText(csv(), "text/csv")))
      const answers = [
        created,
        upload,
        yield* get(path),
        yield* get("/jobs/ingest/"),
        yield* patch(path, { state: "Aborted" }),
        yield* remove(path)
      ]
      assert.deepStrictEqual(
        answers.map(({ status }) => status),
        [200, 201, 200, 200, 200, 204]
      )
    })
  )

  it.effect("all paths: a doubled slash, and an id of 15 characters", () =>
    Effect.gen(function* () {
      const { accessToken, create, get, sendTo, version } = yield* api
      const id = yield* create({})
      const doubled = Request.get(`//services/data/v${version}/jobs/ingest/${id}`).pipe(
        Request.bearerToken(accessToken)
      )
      assert.strictEqual(json(yield* sendTo(doubled)).id, id)
      assert.strictEqual(json(yield* get(`/jobs/ingest/${id.slice(0, 15)}`)).id, id)
    })
  )

  for (const version of ["41.0", "47.0", "53.0", "60.0"]) {
    it.effect(`available since v41: v${version}`, () =>
      Effect.gen(function* () {
        const { sendIn } = yield* api
        const answer = yield* sendIn(version, Request.post("/jobs/ingest").pipe(Request.bodyJsonUnsafe(item)))
        assert.strictEqual(answer.status, 200)
        assert.deepInclude(json(answer), { apiVersion: Number(version) })
        assert.match(String(json(answer).contentUrl), new RegExp(`^services/data/v?${version}/`))
      })
    )
  }
})

contract("1.2 ingest: POST create", (it) => {
  const upsert = { ...item, operation: "upsert", externalIdFieldName: "Key__c" }
  const taken: ReadonlyArray<readonly [row: string, body: Record<string, unknown>, answer?: Record<string, unknown>]> =
    [
      ["object: in any case", { ...item, object: "contract_item__C" }, { object: "Contract_Item__c" }],
      ["operation: insert", item, { operation: "insert" }],
      ["operation: update", { ...item, operation: "update" }, { operation: "update" }],
      ["operation: upsert", upsert, { operation: "upsert", externalIdFieldName: "Key__c" }],
      ["operation: delete", { ...item, operation: "delete" }, { operation: "delete" }],
      ["externalIdFieldName: Id", { ...upsert, externalIdFieldName: "Id" }, { externalIdFieldName: "Id" }],
      ["assignmentRuleId", { object: "Case", operation: "insert", assignmentRuleId: "01QQx0000000001AAA" }],
      ...["BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB"].map(
        (columnDelimiter) =>
          [`columnDelimiter: ${columnDelimiter}`, { ...item, columnDelimiter }, { columnDelimiter }] as const
      ),
      ["columnDelimiter: COMMA by default", item, { columnDelimiter: "COMMA" }],
      ["lineEnding: LF", { ...item, lineEnding: "LF" }, { lineEnding: "LF" }],
      ["lineEnding: CRLF", { ...item, lineEnding: "CRLF" }, { lineEnding: "CRLF" }],
      ["lineEnding: LF by default", item, { lineEnding: "LF" }],
      ["contentType: CSV", { ...item, contentType: "CSV" }, { contentType: "CSV" }],
      ["contentType: CSV by default", item, { contentType: "CSV" }]
    ]
  for (const [row, body, answer] of taken) {
    it.effect(row, () =>
      Effect.gen(function* () {
        const { post } = yield* api
        const created = yield* post("/jobs/ingest", body)
        assert.strictEqual(created.status, 200, created.text)
        assert.deepInclude(json(created), answer ?? body)
      })
    )
  }

  const refused: ReadonlyArray<readonly [row: string, body: Record<string, unknown>, code: RegExp]> = [
    ["object: required", { operation: "insert" }, /^400 (?:JSON_PARSER_ERROR|INVALIDJOB) /],
    ["object: unknown", { ...item, object: "Nope__c" }, /^400 INVALIDENTITY /],
    ["operation: required", { object: "Account" }, /^400 (?:JSON_PARSER_ERROR|INVALIDJOB) /],
    ["operation: case-sensitive", { ...item, operation: "INSERT" }, /^400 (?:JSON_PARSER_ERROR|INVALIDJOB) /],
    ["externalIdFieldName: required for upsert", { ...item, operation: "upsert" }, /^400 \w+ /],
    ["externalIdFieldName: only for upsert", { ...item, externalIdFieldName: "Key__c" }, /^400 \w+ /],
    ["externalIdFieldName: an external id", { ...upsert, externalIdFieldName: "Count__c" }, /^400 \w+ /],
    ["externalIdFieldName: a field", { ...upsert, externalIdFieldName: "Nope__c" }, /^400 \w+ /],
    ["columnDelimiter: one of six", { ...item, columnDelimiter: "," }, /^400 (?:JSON_PARSER_ERROR|INVALIDJOB) /],
    ["lineEnding: one of two", { ...item, lineEnding: "CR" }, /^400 (?:JSON_PARSER_ERROR|INVALIDJOB) /],
    ["contentType: nothing but CSV", { ...item, contentType: "XML" }, /^400 (?:JSON_PARSER_ERROR|INVALIDJOB) /]
  ]
  for (const [row, body, code] of refused) {
    it.effect(row, () =>
      Effect.gen(function* () {
        const { post } = yield* api
        assert.match(refusal(yield* post("/jobs/ingest", body)), code)
      })
    )
  }

  it.effect("Sforce-Call-Options: taken", () =>
    Effect.gen(function* () {
      const { send } = yield* api
      const request = Request.post("/jobs/ingest").pipe(
        Request.bodyJsonUnsafe(item),
        Request.setHeader("sforce-call-options", "client=contract, defaultNamespace=ns")
      )
      assert.strictEqual((yield* send(request)).status, 200)
    })
  )
})

prepared({}, "1.2 ingest: POST create, prepared", (it) => {
  it.effect("operation: hardDelete without its permission", () =>
    Effect.gen(function* () {
      const { post } = yield* api
      assert.strictEqual(
        refusal(yield* post("/jobs/ingest", { ...item, operation: "hardDelete" })),
        "400 FEATURENOTENABLED hardDelete operation requires special user profile permission, please contact your system administrator"
      )
    })
  )
})

prepared({ hardDelete: true }, "1.2 ingest: POST create with a permission", (it) => {
  it.effect("operation: hardDelete, which skips the recycle bin", () =>
    Effect.gen(function* () {
      const { run, select } = yield* api
      const group = unique()
      const { successful } = yield* run({}, `Group__c\n${group}\n${group}\n`)
      const [first, second] = idsOf(successful)
      yield* run({ operation: "hardDelete" }, `Id\n${first}\n`)
      yield* run({ operation: "delete" }, `Id\n${second}\n`)
      const left = yield* select(`SELECT Id FROM Contract_Item__c WHERE Group__c = '${group}'`, "queryAll")
      assert.deepStrictEqual(left, [`"${second}"`])
    })
  )
})

/** The calls whose answers hold a job, in the order of the table. */
const calls = ["create", "PATCH", "GET one", "list"] as const
type Call = (typeof calls)[number]

/** The jobs that the fields of 1.3 are looked up in, each by all calls. */
const jobs = Effect.gen(function* () {
  const { close, create, get, over, post, put } = yield* api
  const listed = Effect.fnUntraced(function* (id: string) {
    let path: string | undefined = "/jobs/ingest"
    while (path !== undefined) {
      const { nextRecordsUrl, records } = json(yield* get(path))
      assert(Array.isArray(records))
      const found: Record<string, unknown> | undefined = records.find((each) => each.id === id)
      if (found !== undefined) return found
      path = typeof nextRecordsUrl === "string" ? nextRecordsUrl.replace(/^.*?(?=\/jobs)/, "") : undefined
    }
    return assert.fail("the job is in no list")
  })
  const seen = Effect.fnUntraced(function* (job: Record<string, unknown>, text: string) {
    const created = json(yield* post("/jobs/ingest", { ...item, ...job }))
    const id = String(created.id)
    const path = `/jobs/ingest/${id}`
    const open = { "GET one": json(yield* get(path)), list: yield* listed(id) }
    yield* put(id, text)
    const closed = json(yield* close(id))
    const done = yield* over(path)
    return {
      open: { create: created, PATCH: closed, ...open },
      done: { create: created, PATCH: closed, "GET one": done, list: yield* listed(id) }
    }
  })
  const id = yield* create({})
  return {
    id,
    upsert: yield* seen({ operation: "upsert", externalIdFieldName: "Key__c" }, csv()),
    case: yield* seen(
      { object: "Case", ...(isLive ? {} : { assignmentRuleId: "01QQx0000000001AAA" }) },
      "Subject\nx\n"
    ),
    failed: yield* seen({}, "Nope__c\nx\n")
  }
})

contract("1.3 ingest: job JSON", (it) => {
  const text = (pattern: RegExp) => (value: unknown) => assert.match(String(value), pattern)
  const is = (expected: unknown) => (value: unknown) => assert.strictEqual(value, expected)
  const count = (value: unknown) => assert.isTrue(Number.isInteger(value) && Number(value) >= 0, String(value))

  type Which = "upsert" | "case" | "failed"
  /** Whether each call has the field (x) or not (-); where the table says nothing, nothing is asked. */
  const rows: ReadonlyArray<
    readonly [field: string, marks: string, job: Which, when: "open" | "done", value: (value: unknown) => void]
  > = [
    ["id", "xxxx", "upsert", "done", text(idPattern)],
    ["operation", "xxxx", "upsert", "done", is("upsert")],
    ["object", "xxxx", "upsert", "done", is("Contract_Item__c")],
    ["createdById", "xxxx", "upsert", "done", text(/^005\w{15}$/)],
    ["createdDate", "xxxx", "upsert", "done", text(timePattern)],
    ["systemModstamp", "xxxx", "upsert", "done", text(timePattern)],
    ["state", "xxxx", "upsert", "done", text(/^(?:Open|UploadComplete|JobComplete)$/)],
    ["externalIdFieldName", "xxx?", "upsert", "done", is("Key__c")],
    ["externalIdFieldName (not an upsert)", "---?", "failed", "done", () => {}],
    ["assignmentRuleId", "xxx?", "case", "done", is("01QQx0000000001AAA")],
    ["assignmentRuleId (not set)", "---?", "upsert", "done", () => {}],
    ["concurrencyMode", "xxxx", "upsert", "done", is("Parallel")],
    ["contentType", "xxxx", "upsert", "done", is("CSV")],
    ["apiVersion", "xxxx", "upsert", "done", (value) => assert.isNumber(value)],
    ["contentUrl", "x-xx", "upsert", "open", text(/^services\/data\/v?\d+\.0\/jobs\/ingest\/750\w{15}\/batches$/)],
    ["contentUrl (once it is not Open)", "?---", "upsert", "done", () => {}],
    ["jobType", "--xx", "upsert", "done", is("V2Ingest")],
    ["lineEnding", "x-xx", "upsert", "done", is("LF")],
    ["columnDelimiter", "x-xx", "upsert", "done", is("COMMA")],
    ["numberRecordsProcessed", "--x-", "upsert", "done", is(1)],
    ["numberRecordsProcessed (Open)", "----", "upsert", "open", () => {}],
    ["numberRecordsFailed", "--x-", "upsert", "done", is(0)],
    ["numberRecordsFailed (Open)", "----", "upsert", "open", () => {}],
    ["retries", "--x-", "upsert", "done", is(0)],
    ["retries (Open)", "--x-", "upsert", "open", is(0)],
    ["totalProcessingTime", "--x-", "upsert", "done", count],
    ["totalProcessingTime (Open)", "--x-", "upsert", "open", is(0)],
    ["apiActiveProcessingTime", "--x-", "upsert", "done", count],
    ["apiActiveProcessingTime (Open)", "--x-", "upsert", "open", is(0)],
    ["apexProcessingTime", "--x-", "upsert", "done", count],
    ["apexProcessingTime (Open)", "--x-", "upsert", "open", is(0)],
    ["errorMessage", "--x-", "failed", "done", is("InvalidBatch : Field name not found : Nope__c")],
    ["errorMessage (no error)", "----", "upsert", "done", () => {}],
    ["isPkChunkingSupported (query jobs only)", "----", "upsert", "done", () => {}]
  ]

  let cached: Effect.Effect<Effect.Success<typeof jobs>, unknown, Effect.Services<typeof jobs>> | undefined
  const shared = Effect.suspend(() => (cached ??= Effect.runSync(Effect.cached(jobs))))

  for (const [row, marks, job, when, value] of rows) {
    if (isLive && row === "assignmentRuleId") continue
    const field = row.replace(/ .*/, "")
    it.effect(`${row}: ${calls.map((call, i) => `${call} ${marks[i]}`).join(", ")}`, () =>
      Effect.gen(function* () {
        const answers: Readonly<Record<Call, Record<string, unknown>>> = (yield* shared)[job][when]
        for (const [i, call] of calls.entries()) {
          const answer = answers[call]
          if (marks[i] === "x") {
            assert.property(answer, field, call)
            value(answer[field])
          }
          if (marks[i] === "-") assert.notProperty(answer, field, call)
        }
      })
    )
  }

  it.effect("apiVersion: a number with its point, 68.0", () =>
    Effect.gen(function* () {
      const { get, version } = yield* api
      const { id } = yield* shared
      assert.include((yield* get(`/jobs/ingest/${id}`)).text, `"apiVersion":${version}`)
    })
  )
})

contract("1.4 ingest: PUT batches", (it) => {
  it.effect("Content-Type: text/csv, with a charset or in any case", () =>
    Effect.gen(function* () {
      const { create, send } = yield* api
      for (const contentType of ["text/csv", "text/csv; charset=UTF-8", "TEXT/CSV;charset=utf-8"]) {
        const request = Request.put(`/jobs/ingest/${yield* create({})}/batches`)
        const answer = yield* send(Request.bodyText(request, csv(), contentType))
        assert.strictEqual(answer.status, 201, contentType)
      }
    })
  )

  it.effect("one PUT per job: a second is taken, and closing then refused", () =>
    Effect.gen(function* () {
      const { abort, close, create, info, put } = yield* api
      const id = yield* create({})
      assert.strictEqual((yield* put(id, csv())).status, 201)
      assert.strictEqual((yield* put(id, csv())).status, 201)
      const message = refusal(yield* close(id))
      assert.isTrue(
        message.startsWith(
          `400 INVALIDJOB Found multipe contents for job: <${id.slice(0, 15)}>, please 'Close' / 'Abort' / 'Delete' the current Job`
        ),
        message
      )
      assert.strictEqual((yield* info(id)).state, "Open")
      assert.strictEqual((yield* abort(id)).status, 200)
    })
  )

  it.effect("201 proves nothing about the CSV", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      for (const bad of ["Nope__c\nx\n", "Name\r\nx\r\n", 'Name\nx"y\n', "\uFEFFName\nx\n"]) {
        assert.strictEqual((yield* run({}, bad)).info.state, "Failed", bad)
      }
    })
  )

  it.effect("Content-Encoding: gzip", () =>
    Effect.gen(function* () {
      const { close, create, over, send } = yield* api
      const id = yield* create({})
      const bytes = gzipSync(`Name\n${"x\n".repeat(500)}`)
      const pieces = [bytes.subarray(0, 20), bytes.subarray(20)]
      const answer = yield* send(Request.setHeader(chunked(id, pieces), "content-encoding", "gzip"))
      assert.strictEqual(answer.status, 201)
      yield* close(id)
      assert.strictEqual((yield* over(`/jobs/ingest/${id}`)).numberRecordsProcessed, 500)
    })
  )

  it.effect("Transfer-Encoding: chunked", () =>
    Effect.gen(function* () {
      const { close, create, over, send } = yield* api
      const id = yield* create({})
      const pieces = ["Na", "me\n", "a\nb", "\n"].map((text) => new TextEncoder().encode(text))
      assert.strictEqual((yield* send(chunked(id, pieces))).status, 201)
      yield* close(id)
      assert.strictEqual((yield* over(`/jobs/ingest/${id}`)).numberRecordsProcessed, 2)
    })
  )

  it.effect("size: more than 150 MB once it is base64 is refused, and leaves the job Open", () =>
    Effect.gen(function* () {
      const { create, info, put, send } = yield* api
      const id = yield* create({})
      // what a few kilobytes grow to counts, too
      const bytes = gzipSync(Buffer.alloc(112_500_001, "Name\n"))
      const answer = yield* send(Request.setHeader(chunked(id, [bytes]), "content-encoding", "gzip"))
      assert.match(refusal(answer), /^4(?:00|13) /)
      assert.strictEqual((yield* info(id)).state, "Open")
      assert.strictEqual((yield* put(id, csv())).status, 201)
    })
  )
})

contract("1.5 ingest: multipart create", (it) => {
  it.effect("the job and its CSV at once: UploadComplete, no contentUrl, processed without a PATCH", () =>
    Effect.gen(function* () {
      const { over, send, successful } = yield* api
      const name = unique()
      const created = json(yield* send(form({ ...item, lineEnding: "LF" }, `Name,Key__c\n--xyz,${name}\n`)))
      assert.deepInclude(created, { state: "UploadComplete", lineEnding: "LF", columnDelimiter: "COMMA" })
      assert.notProperty(created, "contentUrl")
      const id = String(created.id)
      assert.deepInclude(yield* over(`/jobs/ingest/${id}`), { state: "JobComplete", numberRecordsProcessed: 1 })
      assert.match(sortedRows(yield* successful(id))[0] ?? "", new RegExp(`,"true","--xyz","${name}"$`))
    })
  )

  it.effect("the boundary with or without quotes", () =>
    Effect.gen(function* () {
      const { send } = yield* api
      for (const contentType of ["multipart/form-data; boundary=xyz", 'multipart/form-data; boundary="xyz"']) {
        assert.strictEqual((yield* send(form(item, csv(), contentType))).status, 200, contentType)
      }
    })
  )

  it.effect("100,000 characters of CSV at most, whatever their bytes", () =>
    Effect.gen(function* () {
      const { send } = yield* api
      const long = (length: number) => "Name\n".padEnd(length, `${"é".repeat(20)}\n`)
      assert.strictEqual((yield* send(form(item, long(100_000)))).status, 200)
      assert.match(refusal(yield* send(form(item, long(100_001)))), /^400 /)
    })
  )

  it.effect("the job first, then the content, and no more than these", () =>
    Effect.gen(function* () {
      const { send } = yield* api
      const text = (request: Request.HttpClientRequest) =>
        request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
      const whole = text(form(item, csv()))
      const parts = whole
        .split("--xyz\r\n")
        .slice(1)
        .map((part) => part.replace("--xyz--\r\n", ""))
      const of = (some: ReadonlyArray<string | undefined>) =>
        Request.post("/jobs/ingest").pipe(
          Request.bodyText(
            `${some.map((part) => `--xyz\r\n${part}`).join("")}--xyz--\r\n`,
            "multipart/form-data; boundary=xyz"
          )
        )
      assert.strictEqual((yield* send(of(parts))).status, 200)
      const [job, content] = parts
      for (const some of [[content, job], [job], [job, content, content], []]) {
        assert.match(refusal(yield* send(of(some))), /^400 /)
      }
      assert.match(refusal(yield* send(form({ ...item, object: "Nope__c" }, csv()))), /^400 INVALIDENTITY /)
    })
  )
})

contract("1.6 ingest: PATCH state", (it) => {
  const values: ReadonlyArray<readonly [row: string, body: unknown, status: number]> = [
    ["UploadComplete", { state: "UploadComplete" }, 200],
    ["Aborted", { state: "Aborted" }, 200],
    ["Open", { state: "Open" }, 400],
    ["InProgress", { state: "InProgress" }, 400],
    ["JobComplete", { state: "JobComplete" }, 400],
    ["Failed", { state: "Failed" }, 400],
    ["no state", {}, 400],
    ["another field", { state: "UploadComplete", object: "Account" }, 400]
  ]
  for (const [row, body, status] of values) {
    it.effect(`${row}: ${status}`, () =>
      Effect.gen(function* () {
        const { create, patch, put } = yield* api
        const id = yield* create({})
        yield* put(id, csv())
        const answer = yield* patch(`/jobs/ingest/${id}`, body)
        assert.strictEqual(answer.status, status, answer.text)
        if (status === 400) assert.match(refusal(answer), /^400 INVALIDJOBSTATE /)
      })
    )
  }

  it.effect("without UploadComplete nothing is processed", () =>
    Effect.gen(function* () {
      const { create, put, run, select } = yield* api
      const group = unique()
      yield* put(yield* create({}), `Group__c\n${group}\n`)
      // a job that is handed over later is done
      yield* run({}, csv())
      assert.deepStrictEqual(yield* select(`SELECT Id FROM Contract_Item__c WHERE Group__c = '${group}'`), [])
    })
  )
})

const listOf = (answer: Answer) => {
  assert.strictEqual(answer.status, 200, answer.text)
  const { done, nextRecordsUrl, records } = json(answer)
  assert(Array.isArray(records))
  return { done, nextRecordsUrl, ids: records.map((each: Record<string, unknown>) => String(each.id)) }
}

prepared({ listSize: 2 }, "1.7 ingest: list", (it) => {
  const pages = Effect.fnUntraced(function* (path: string) {
    const { get } = yield* api
    const all: Array<ReturnType<typeof listOf>> = []
    for (let next: unknown = path; typeof next === "string"; ) {
      const page = listOf(yield* get(next.replace("/services/data/v68.0", "")))
      all.push(page)
      next = page.nextRecordsUrl
    }
    return all
  })
  const ids = (all: ReadonlyArray<ReturnType<typeof listOf>>) => all.flatMap((page) => page.ids).sort()

  it.effect("page by page: done, nextRecordsUrl, a locator with the id of the list and an offset", () =>
    Effect.gen(function* () {
      const { create } = yield* api
      const created = yield* Effect.replicateEffect(create({}), 3)
      const all = yield* pages("/jobs/ingest")
      assert.includeMembers(ids(all), created)
      assert.strictEqual(new Set(ids(all)).size, ids(all).length)
      for (const [i, page] of all.entries()) {
        const isLast = i === all.length - 1
        assert.isAtMost(page.ids.length, 2)
        assert.strictEqual(page.done, isLast)
        if (isLast) assert.isNull(page.nextRecordsUrl)
        else {
          assert.match(
            String(page.nextRecordsUrl),
            /^\/services\/data\/v68\.0\/jobs\/ingest\?queryLocator=01g\w{15}-\d+$/
          )
        }
      }
    })
  )

  const filters: ReadonlyArray<readonly [filter: string, holds: boolean]> = [
    ["jobType=V2Ingest", true],
    ["jobType=Classic", false],
    ["jobType=BigObjectIngest", false],
    ["isPkChunkingEnabled=true", false],
    ["isPkChunkingEnabled=false", true],
    ["isPkChunkingEnabled=&jobType=&queryLocator=", true]
  ]
  for (const [filter, holds] of filters) {
    it.effect(`?${filter}: ${holds ? "keeps" : "leaves out"} ingest jobs, and no query jobs get in`, () =>
      Effect.gen(function* () {
        const { create, query } = yield* api
        const id = yield* create({})
        const queryId = yield* query("SELECT Id FROM Account")
        const found = ids(yield* pages(`/jobs/ingest?${filter}`))
        assert.strictEqual(found.includes(id), holds)
        if (filter.includes("V2Ingest")) assert.notInclude(found, queryId)
      })
    )
  }

  it.effect("unknown filters and fabricated locators are refused", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      for (const parameter of ["jobType=V2Query", "jobType=x", "jobType=constructor", "isPkChunkingEnabled=1"]) {
        assert.match(refusal(yield* get(`/jobs/ingest?${parameter}`)), /^400 API_ERROR/, parameter)
      }
      for (const locator of ["x", "01gRM000000NS1vYAG-1000", "01gQx0000000000AAA", "01gQx0000000000AAA--1"]) {
        assert.strictEqual(
          refusal(yield* get(`/jobs/ingest?queryLocator=${locator}`)),
          "400 INVALID_QUERY_LOCATOR invalid query locator",
          locator
        )
      }
    })
  )
})

contract("1.8 ingest: DELETE", (it) => {
  it.effect("metadata and data are gone: every call is then 404", () =>
    Effect.gen(function* () {
      const { close, failed, get, put, remove, run, successful, unprocessed } = yield* api
      const { id } = yield* run({}, csv())
      const path = `/jobs/ingest/${id}`
      assert.strictEqual((yield* remove(path)).status, 204)
      const answers = [
        yield* get(path),
        yield* remove(path),
        yield* close(id),
        yield* put(id, csv()),
        yield* successful(id),
        yield* failed(id),
        yield* unprocessed(id)
      ]
      for (const answer of answers) assert.strictEqual(refusal(answer), notFound)
    })
  )

  it.effect("not while it is Open", () =>
    Effect.gen(function* () {
      const { create, remove } = yield* api
      assert.strictEqual(refusal(yield* remove(`/jobs/ingest/${yield* create({})}`)), notTerminated)
    })
  )
})

describe("1.9 ingest: result files", () => {
  contract((it) => {
    it.effect("successfulResults: sf__Id, sf__Created, then the columns as they were uploaded", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const key = unique()
        const { info, successful } = yield* run({}, `name,KEY__c\na,${key}\n`)
        assert.strictEqual(info.state, "JobComplete")
        assert.strictEqual(headerOf(successful), '"sf__Id","sf__Created",name,KEY__c')
        assert.match(successful.text, new RegExp(`\n"\\w{18}","true","a","${key}"\n$`))
      })
    )

    it.effect("failedResults: sf__Id, sf__Error, then the columns as they were uploaded", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const { failed } = yield* run({ object: "Account" }, "website,Name\nx,\n")
        assert.strictEqual(
          failed.text,
          '"sf__Id","sf__Error",website,Name\n"","REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --","x",""\n'
        )
      })
    )

    it.effect("unprocessedrecords: the columns alone, empty on success", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const { unprocessed } = yield* run({}, csv())
        assert.strictEqual(headerOf(unprocessed), "Name,Key__c")
        assert.deepStrictEqual(sortedRows(unprocessed), [])
      })
    )

    it.effect("unprocessedrecords of a job that failed for its header: every row, with counters of 0", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const { failed, info, successful, unprocessed } = yield* run({}, 'Name,Nope__c\na,"b ""c"""\nd,e\n')
        assert.deepInclude(info, { state: "Failed", numberRecordsProcessed: 0, numberRecordsFailed: 0 })
        assert.deepStrictEqual([sortedRows(successful), sortedRows(failed)], [[], []])
        assert.deepStrictEqual(sortedRows(unprocessed), ['"a","b ""c"""', '"d","e"'])
      })
    )

    it.effect("values are written anew: a currency as a double, an integer as it was", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const { successful } = yield* run(
          { object: "Account" },
          `Name,AnnualRevenue,NumberOfEmployees\n${unique()},912260031,40\n`
        )
        assert.match(successful.text, /,"9\.12260031E8","40"\n$/)
      })
    )

    it.effect("sf__Created: true for what was made, false for update, delete and an upsert that updated", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const [one, two] = [unique(), unique()]
        const created = ({ text }: Answer) =>
          text
            .trimEnd()
            .split("\n")
            .slice(1)
            .map((row) => row.split('"')[3])
        const inserted = yield* run({}, `Key__c\n${one}\n`)
        const [id] = idsOf(inserted.successful)
        const upsert = { operation: "upsert", externalIdFieldName: "Key__c" }
        const upserted = yield* run(upsert, `Key__c,Name\n${one},a\n${two},b\n`)
        const updated = yield* run({ operation: "update" }, `Id,Name\n${id},c\n`)
        const deleted = yield* run({ operation: "delete" }, `Id\n${id}\n`)
        assert.deepStrictEqual(
          [inserted, upserted, updated, deleted].map(({ successful }) => created(successful).sort()),
          [["true"], ["false", "true"], ["false"], ["false"]]
        )
      })
    )

    it.effect("sf__Id in failedResults: empty for inserts, the id or nothing for updates and deletes", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const [id] = idsOf((yield* run({}, csv())).successful)
        assert.deepStrictEqual(idsOf((yield* run({}, "Email__c\nnobody\n")).failed), [""])
        const updated = yield* run({ operation: "update" }, `Id,Email__c\n${id},nobody\n`)
        assert.include(["", id], idsOf(updated.failed)[0])
      })
    )

    it.effect("every row is in one file, in whatever order", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const rows = Array.from({ length: 450 }, (_, i) => `n${i},${i % 9 === 0 ? "nobody" : ""}`)
        const { failed, info, successful } = yield* run({}, `Name,Email__c\n${rows.join("\n")}\n`)
        assert.deepInclude(info, { numberRecordsProcessed: 450, numberRecordsFailed: 50 })
        const names = (answer: Answer) => sortedRows(answer).map((row) => row.split('"').at(-4))
        assert.deepStrictEqual(
          [...names(successful), ...names(failed)].sort(),
          Array.from({ length: 450 }, (_, i) => `n${i}`).sort()
        )
      })
    )

    it.effect("an empty set: the header line alone, and 200", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const { failed, successful } = yield* run({}, csv())
        assert.deepStrictEqual([failed.status, failed.text], [200, '"sf__Id","sf__Error",Name,Key__c\n'])
        assert.strictEqual(successful.status, 200)
      })
    )

    it.effect("Content-Type: text/csv; charset=UTF-8, compressed if asked for", () =>
      Effect.gen(function* () {
        const { open, run } = yield* api
        const { id, successful } = yield* run({}, `Name\n${"some name\n".repeat(500)}`)
        assert.match(successful.headers["content-type"] ?? "", /^text\/csv;\s*charset=UTF-8$/i)
        const request = Request.get(`/jobs/ingest/${id}/successfulResults`)
        const response = yield* open(Request.setHeader(request, "accept-encoding", "gzip"))
        assert.strictEqual(response.headers["content-encoding"], "gzip")
        assert.strictEqual(gunzipSync(Buffer.from(yield* response.arrayBuffer)).toString(), successful.text)
      })
    )

    for (const [columnDelimiter, delimiter] of Object.entries({ PIPE: "|", TAB: "\t", CARET: "^" })) {
      it.effect(`they have the job's delimiter and line ending: ${columnDelimiter}, CRLF`, () =>
        Effect.gen(function* () {
          const { run } = yield* api
          const { successful } = yield* run(
            { columnDelimiter, lineEnding: "CRLF" },
            `Name${delimiter}Text__c\r\n"a${delimiter}b"${delimiter}c\r\n`
          )
          const [header, row] = successful.text.split("\r\n")
          assert.strictEqual(header, ['"sf__Id"', '"sf__Created"', "Name", "Text__c"].join(delimiter))
          assert.isTrue(row?.endsWith([`"a${delimiter}b"`, '"c"'].join(delimiter)), row)
        })
      )
    }
  })
})
