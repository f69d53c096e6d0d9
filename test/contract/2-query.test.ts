// Section 2 of the protocol: query jobs.
import { gunzipSync } from "node:zlib"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Request from "effect/http/HttpClientRequest"
import { json, refusal } from "../org/support.ts"
import { api, contract, headerOf, prepared, unique } from "./target.ts"

const notFound = "404 NOT_FOUND The requested resource does not exist"
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/

const soql = "SELECT Id, Name FROM Contract_Item__c"

/** Makes that many records of a new group. */
const group = Effect.fnUntraced(function* (count: number) {
  const { run } = yield* api
  const name = unique()
  const rows = Array.from({ length: count }, (_, i) => `n${String(i).padStart(3, "0")},${name}\n`)
  yield* run({}, `Name,Group__c\n${rows.join("")}`)
  return { name, soql: `SELECT Name FROM Contract_Item__c WHERE Group__c = '${name}' ORDER BY Name` }
})

const names = (count: number) => Array.from({ length: count }, (_, i) => `"n${String(i).padStart(3, "0")}"`)

const rowsOf = ({ text }: { readonly text: string }) => text.trimEnd().split("\n").slice(1)

contract("2.1 query: endpoint map", (it) => {
  it.effect("POST /jobs/query: 200, UploadComplete", () =>
    Effect.gen(function* () {
      const { post } = yield* api
      const answer = yield* post("/jobs/query", { operation: "query", query: soql })
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(json(answer).state, "UploadComplete")
    })
  )

  it.effect("GET /jobs/query/{id}: 200", () =>
    Effect.gen(function* () {
      const { get, query } = yield* api
      const id = yield* query(soql)
      const answer = yield* get(`/jobs/query/${id}`)
      assert.deepStrictEqual([answer.status, json(answer).id], [200, id])
    })
  )

  it.effect("GET /jobs/query/{id}/results: 200, text/csv", () =>
    Effect.gen(function* () {
      const { ask, page } = yield* api
      const answer = yield* page(yield* ask(soql), "?locator=&maxRecords=")
      assert.strictEqual(answer.status, 200)
      assert.match(answer.headers["content-type"] ?? "", /^text\/csv/)
    })
  )

  it.effect("GET /jobs/query/{id}/resultPages: 200, JSON", () =>
    Effect.gen(function* () {
      const { ask, get } = yield* api
      const answer = yield* get(`/jobs/query/${yield* ask(soql)}/resultPages`)
      assert.strictEqual(answer.status, 200)
      assert.property(json(answer), "resultPages")
    })
  )

  it.effect("DELETE /jobs/query/{id}: 204", () =>
    Effect.gen(function* () {
      const { ask, remove } = yield* api
      const { status, text } = yield* remove(`/jobs/query/${yield* ask(soql)}`)
      assert.deepStrictEqual([status, text], [204, ""])
    })
  )

  it.effect("GET /jobs/query: 200 and a list", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      const answer = yield* get("/jobs/query?isPkChunkingEnabled=&jobType=&concurrencyMode=&queryLocator=")
      assert.strictEqual(answer.status, 200)
      assert.hasAllKeys(json(answer), ["done", "records", "nextRecordsUrl"])
    })
  )
})

prepared({ queueDelay: "1 hour" }, "2.1 query: endpoint map, held", (it) => {
  it.effect("PATCH /jobs/query/{id}: 200", () =>
    Effect.gen(function* () {
      const { patch, query } = yield* api
      assert.strictEqual((yield* patch(`/jobs/query/${yield* query(soql)}`, { state: "Aborted" })).status, 200)
    })
  )
})

contract("2.2 query: POST create", (it) => {
  it.effect("the answer has these fields and no others", () =>
    Effect.gen(function* () {
      const { post, version } = yield* api
      const { createdById, createdDate, id, systemModstamp, ...rest } = json(
        yield* post("/jobs/query", { operation: "query", query: "SELECT Id, Owner.Name FROM account" })
      )
      assert.match(String(id), /^750\w{15}$/)
      assert.match(String(createdById), /^005\w{15}$/)
      assert.match(String(createdDate), timePattern)
      assert.match(String(systemModstamp), timePattern)
      assert.deepStrictEqual(rest, {
        operation: "query",
        object: "Account",
        state: "UploadComplete",
        concurrencyMode: "Parallel",
        contentType: "CSV",
        apiVersion: Number(version),
        lineEnding: "LF",
        columnDelimiter: "COMMA"
      })
    })
  )

  for (const [row, body] of [
    ["operation: queryAll", { operation: "queryAll" }],
    ["contentType: CSV", { contentType: "CSV" }],
    ...["BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB"].map(
      (columnDelimiter) => [`columnDelimiter: ${columnDelimiter}`, { columnDelimiter }] as const
    ),
    ["lineEnding: LF", { lineEnding: "LF" }],
    ["lineEnding: CRLF", { lineEnding: "CRLF" }]
  ] as const) {
    it.effect(row, () =>
      Effect.gen(function* () {
        const { post } = yield* api
        const created = json(yield* post("/jobs/query", { operation: "query", query: soql, ...body }))
        assert.deepInclude(created, body)
      })
    )
  }

  for (const [row, body] of [
    ["operation: required", { query: soql }],
    ["operation: none of ingest", { operation: "insert", query: soql }],
    ["query: required", { operation: "query" }],
    ["contentType: nothing but CSV", { operation: "query", query: soql, contentType: "JSON" }],
    ["object: no such field", { operation: "query", query: soql, object: "Account" }]
  ] as const) {
    it.effect(`${row}: 400`, () =>
      Effect.gen(function* () {
        const { post } = yield* api
        assert.match(refusal(yield* post("/jobs/query", body)), /^400 \w+ /)
      })
    )
  }

  it.effect("queryAll adds the recycle bin", () =>
    Effect.gen(function* () {
      const { run, select } = yield* api
      const { name } = yield* group(2)
      const ids = `SELECT Id FROM Contract_Item__c WHERE Group__c = '${name}'`
      const [first, second] = yield* select(ids)
      yield* run({ operation: "delete" }, `Id\n${first}\n`)
      assert.deepStrictEqual(yield* select(ids), [second ?? ""])
      assert.deepStrictEqual((yield* select(ids, "queryAll")).length, 2)
    })
  )
})

contract("2.3 query: GET info", (it) => {
  const added: ReadonlyArray<readonly [field: string, value: (value: unknown) => void]> = [
    ["jobType", (value) => assert.strictEqual(value, "V2Query")],
    ["numberRecordsProcessed", (value) => assert.strictEqual(value, 3)],
    ["retries", (value) => assert.strictEqual(value, 0)],
    ["totalProcessingTime", (value) => assert.isNumber(value)],
    ["isPkChunkingSupported", (value) => assert.isBoolean(value)]
  ]
  const info = Effect.gen(function* () {
    const { ask, get } = yield* api
    return json(yield* get(`/jobs/query/${yield* ask((yield* group(3)).soql)}`))
  })
  for (const [field, value] of added) {
    it.effect(`${field}: there`, () => Effect.map(info, (job) => value(job[field])))
  }
  for (const field of ["numberRecordsFailed", "apexProcessingTime", "contentUrl", "errorMessage"]) {
    it.effect(`${field}: not there`, () => Effect.map(info, (job) => assert.notProperty(job, field)))
  }
})

contract("2.4 query: GET results", (it) => {
  it.effect("locator: opaque, repeatable; the last page says null", () =>
    Effect.gen(function* () {
      const { ask, page } = yield* api
      const id = yield* ask((yield* group(5)).soql)
      const seen: Array<string> = []
      let at = ""
      for (const count of [2, 2, 1]) {
        const answer = yield* page(id, `?maxRecords=2${at}`)
        assert.strictEqual(answer.headers["sforce-numberofrecords"], String(count))
        assert.strictEqual(headerOf(answer), '"Name"')
        assert.strictEqual((yield* page(id, `?maxRecords=2${at}`)).text, answer.text)
        seen.push(...rowsOf(answer))
        const locator = answer.headers["sforce-locator"]
        assert.strictEqual(locator === "null", count === 1)
        at = `&locator=${locator}`
      }
      assert.deepStrictEqual(seen, names(5))
    })
  )

  it.effect("maxRecords: may change from request to request", () =>
    Effect.gen(function* () {
      const { ask, page } = yield* api
      const id = yield* ask((yield* group(6)).soql)
      const first = yield* page(id, "?maxRecords=1")
      const rest = yield* page(id, `?maxRecords=1000&locator=${first.headers["sforce-locator"]}`)
      assert.deepStrictEqual([...rowsOf(first), ...rowsOf(rest)], names(6))
      assert.strictEqual(rest.headers["sforce-locator"], "null")
    })
  )

  it.effect("maxRecords and locator that are none: 400", () =>
    Effect.gen(function* () {
      const { ask, page } = yield* api
      const id = yield* ask(soql)
      for (const parameter of ["maxRecords=0", "maxRecords=-1", "maxRecords=x", "locator=nonsense", "locator=null"]) {
        assert.match(refusal(yield* page(id, `?${parameter}`)), /^400 /, parameter)
      }
    })
  )

  it.effect("the header is on every page, and all is in quotes", () =>
    Effect.gen(function* () {
      const { ask, page, run } = yield* api
      const name = unique()
      yield* run({}, `Name,Group__c\n"Jo ""JJ"" Ray, Inc.",${name}\n,${name}\n`)
      const id = yield* ask(
        `SELECT Name, Group__c FROM Contract_Item__c WHERE Group__c = '${name}' ORDER BY Name DESC NULLS LAST`
      )
      const first = yield* page(id, "?maxRecords=1")
      assert.strictEqual(first.text, `"Name","Group__c"\n"Jo ""JJ"" Ray, Inc.","${name}"\n`)
      const second = yield* page(id, `?locator=${first.headers["sforce-locator"]}`)
      assert.strictEqual(headerOf(second), '"Name","Group__c"')
    })
  )

  it.effect("column order: as in SELECT since v50, by the alphabet before", () =>
    Effect.gen(function* () {
      const { over, run, sendIn } = yield* api
      const key = unique()
      yield* run({}, `Key__c,Name,Color__c\n${key},n,Red\n`)
      for (const [version, text] of [
        ["50.0", `"Name","Key__c","Color__c"\n"n","${key}","Red"\n`],
        ["49.0", `"Color__c","Key__c","Name"\n"Red","${key}","n"\n`]
      ] as const) {
        const query = `SELECT Name, Key__c, Color__c FROM Contract_Item__c WHERE Key__c = '${key}'`
        const body = { operation: "query", query }
        const id = json(yield* sendIn(version, Request.post("/jobs/query").pipe(Request.bodyJsonUnsafe(body)))).id
        yield* over(`/jobs/query/${id}`)
        assert.strictEqual((yield* sendIn(version, Request.get(`/jobs/query/${id}/results`))).text, text)
      }
    })
  )

  it.effect("another version than the job's: 409", () =>
    Effect.gen(function* () {
      const { ask, sendIn } = yield* api
      const id = yield* ask(soql)
      for (const path of ["results", "resultPages"]) {
        const answer = yield* sendIn("60.0", Request.get(`/jobs/query/${id}/${path}`))
        assert.strictEqual(answer.status, 409, path)
        assert.match(refusal(answer), /^409 \w+ /)
      }
    })
  )

  it.effect("gzip if it is asked for", () =>
    Effect.gen(function* () {
      const { ask, open, page } = yield* api
      const id = yield* ask((yield* group(300)).soql)
      const request = Request.get(`/jobs/query/${id}/results`)
      const response = yield* open(Request.setHeader(request, "accept-encoding", "gzip"))
      assert.strictEqual(response.headers["content-encoding"], "gzip")
      assert.strictEqual(response.headers["sforce-numberofrecords"], "300")
      assert.strictEqual(gunzipSync(Buffer.from(yield* response.arrayBuffer)).toString(), (yield* page(id)).text)
    })
  )

  it.effect("no rows: the header, 0 and null", () =>
    Effect.gen(function* () {
      const { ask, page } = yield* api
      const answer = yield* page(yield* ask("SELECT Id, Name FROM Contract_Item__c WHERE Name = 'no such name'"))
      assert.strictEqual(answer.text.trimEnd(), '"Id","Name"')
      assert.strictEqual(answer.headers["sforce-numberofrecords"], "0")
      assert.strictEqual(answer.headers["sforce-locator"], "null")
    })
  )

  it.effect("the job's delimiter and line ending", () =>
    Effect.gen(function* () {
      const { ask, page } = yield* api
      const { name } = yield* group(1)
      const id = yield* ask(`SELECT Name, Group__c FROM Contract_Item__c WHERE Group__c = '${name}'`, {
        columnDelimiter: "PIPE",
        lineEnding: "CRLF"
      })
      assert.strictEqual((yield* page(id)).text, `"Name"|"Group__c"\r\n"n000"|"${name}"\r\n`)
    })
  )
})

prepared({ queueDelay: "1 hour" }, "2.4 query: GET results, held", (it) => {
  it.effect("results and resultPages of a job that is not complete: 400 INVALIDJOBSTATE", () =>
    Effect.gen(function* () {
      const { get, page, query } = yield* api
      const id = yield* query(soql)
      assert.match(refusal(yield* page(id)), /^400 INVALIDJOBSTATE /)
      assert.match(refusal(yield* get(`/jobs/query/${id}/resultPages`)), /^400 INVALIDJOBSTATE /)
    })
  )
})

prepared({ pageSize: 2 }, "2.5 query: GET resultPages", (it) => {
  it.effect("five links at most, each a page; nextRecordsUrl until done", () =>
    Effect.gen(function* () {
      const { ask, get } = yield* api
      const id = yield* ask((yield* group(13)).soql)
      const counts: Array<number> = []
      const rows: Array<string> = []
      for (let next: unknown = `/jobs/query/${id}/resultPages`; typeof next === "string"; ) {
        const answer = json(yield* get(next.replace("/services/data/v68.0", "")))
        const { done, nextRecordsUrl, resultPages } = answer
        assert(Array.isArray(resultPages))
        counts.push(resultPages.length)
        for (const page of resultPages) {
          assert.deepStrictEqual(Object.keys(page), ["resultUrl"])
          const url = String(page.resultUrl)
          assert.match(url, new RegExp(`^/services/data/v68\\.0/jobs/query/${id}/results\\?locator=\\w+$`))
          const csv = yield* get(url.replace("/services/data/v68.0", ""))
          assert.strictEqual(headerOf(csv), '"Name"')
          assert.property(csv.headers, "sforce-numberofrecords")
          assert.property(csv.headers, "sforce-locator")
          rows.push(...rowsOf(csv))
        }
        assert.strictEqual(done, typeof nextRecordsUrl !== "string")
        next = nextRecordsUrl
      }
      assert.deepStrictEqual(counts, [5, 2])
      assert.deepStrictEqual(rows, names(13))
    })
  )

  it.effect("the path in lower case, as the guide's own link has it", () =>
    Effect.gen(function* () {
      const { ask, get } = yield* api
      assert.strictEqual((yield* get(`/jobs/query/${yield* ask(soql)}/resultpages`)).status, 200)
    })
  )

  it.effect("since v58", () =>
    Effect.gen(function* () {
      const { over, sendIn } = yield* api
      for (const [version, status] of [
        ["58.0", 200],
        ["57.0", 404]
      ] as const) {
        const body = Request.bodyJsonUnsafe({ operation: "query", query: soql })
        const id = json(yield* sendIn(version, body(Request.post("/jobs/query")))).id
        yield* over(`/jobs/query/${id}`)
        assert.strictEqual((yield* sendIn(version, Request.get(`/jobs/query/${id}/resultPages`))).status, status)
      }
    })
  )

  it.effect("a query without rows: one link, done", () =>
    Effect.gen(function* () {
      const { ask, get } = yield* api
      const id = yield* ask("SELECT Id FROM Contract_Item__c WHERE Name = 'no such name'")
      const { done, resultPages } = json(yield* get(`/jobs/query/${id}/resultPages`))
      assert(Array.isArray(resultPages))
      assert.deepStrictEqual([done, resultPages.length], [true, 1])
    })
  )
})

prepared({ queueDelay: "1 hour" }, "2.6 query: PATCH abort", (it) => {
  it.effect("the short job, Aborted", () =>
    Effect.gen(function* () {
      const { patch, query } = yield* api
      const answer = json(yield* patch(`/jobs/query/${yield* query(soql)}`, { state: "Aborted" }))
      assert.strictEqual(answer.state, "Aborted")
      assert.hasAllKeys(answer, [
        "id",
        "operation",
        "object",
        "createdById",
        "createdDate",
        "systemModstamp",
        "state",
        "concurrencyMode",
        "contentType",
        "apiVersion"
      ])
    })
  )
})

contract("2.6 query: PATCH abort, too late or of something else", (it) => {
  it.effect("a job that is complete: 400 INVALIDJOBSTATE", () =>
    Effect.gen(function* () {
      const { ask, patch } = yield* api
      assert.strictEqual(
        refusal(yield* patch(`/jobs/query/${yield* ask(soql)}`, { state: "Aborted" })),
        "400 INVALIDJOBSTATE Aborting already Completed Job not allowed"
      )
    })
  )

  it.effect("nothing but Aborted", () =>
    Effect.gen(function* () {
      const { patch, query } = yield* api
      const path = `/jobs/query/${yield* query(soql)}`
      for (const body of [{ state: "UploadComplete" }, { state: "JobComplete" }, {}]) {
        assert.match(refusal(yield* patch(path, body)), /^400 INVALIDJOBSTATE /)
      }
    })
  )
})

contract("2.7 query: DELETE", (it) => {
  it.effect("a job that is complete: 204, then 404 for every call", () =>
    Effect.gen(function* () {
      const { ask, get, page, patch, remove } = yield* api
      const id = yield* ask(soql)
      const path = `/jobs/query/${id}`
      assert.strictEqual((yield* remove(path)).status, 204)
      const answers = [
        yield* get(path),
        yield* remove(path),
        yield* patch(path, { state: "Aborted" }),
        yield* page(id),
        yield* get(`${path}/resultPages`)
      ]
      for (const answer of answers) assert.strictEqual(refusal(answer), notFound)
    })
  )
})

prepared({ queueDelay: "1 hour" }, "2.7 query: DELETE, held", (it) => {
  it.effect("a job that is not: 400 API_ERROR", () =>
    Effect.gen(function* () {
      const { query, remove } = yield* api
      assert.strictEqual(
        refusal(yield* remove(`/jobs/query/${yield* query(soql)}`)),
        "400 API_ERROR Error encountered when deleting the job because the job is not terminated"
      )
    })
  )
})

prepared({ listSize: 1 }, "2.8 query: list", (it) => {
  const found = Effect.fnUntraced(function* (path: string) {
    const { get } = yield* api
    const ids: Array<unknown> = []
    for (let next: unknown = path; typeof next === "string"; ) {
      const { done, nextRecordsUrl, records } = json(yield* get(next.replace("/services/data/v68.0", "")))
      assert(Array.isArray(records))
      assert.isAtMost(records.length, 1)
      assert.strictEqual(done, nextRecordsUrl === null)
      ids.push(...records.map((each: Record<string, unknown>) => each.id))
      next = nextRecordsUrl
    }
    return ids
  })
  const filters: ReadonlyArray<readonly [filter: string, queries: boolean, ingests: boolean]> = [
    ["", true, false],
    ["jobType=V2Query", true, false],
    ["jobType=V2Ingest", false, true],
    ["jobType=Classic", false, false],
    ["concurrencyMode=serial", false, false],
    ["concurrencyMode=parallel", true, false],
    ["concurrencyMode=PARALLEL", true, false],
    ["isPkChunkingEnabled=true", false, false],
    ["isPkChunkingEnabled=false", true, false]
  ]
  for (const [filter, queries, ingests] of filters) {
    it.effect(`?${filter}: ${queries ? "query jobs" : ingests ? "ingest jobs" : "nothing"}`, () =>
      Effect.gen(function* () {
        const { create, query } = yield* api
        const [queryId, ingestId] = [yield* query(soql), yield* create({})]
        const ids = yield* found(`/jobs/query?${filter}`)
        assert.deepStrictEqual([ids.includes(queryId), ids.includes(ingestId)], [queries, ingests])
      })
    )
  }

  it.effect("a locator of this list serves at the path of the other, as in the guide", () =>
    Effect.gen(function* () {
      const { get, query } = yield* api
      yield* query(soql)
      yield* query(soql)
      const { nextRecordsUrl } = json(yield* get("/jobs/query"))
      const locator = String(nextRecordsUrl).split("?")[1]
      const [here, there] = [yield* get(`/jobs/query?${locator}`), yield* get(`/jobs/ingest?${locator}`)]
      assert.deepStrictEqual(json(there).records, json(here).records)
    })
  )

  it.effect("unknown filters: 400", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      for (const filter of ["jobType=BigObjectIngest", "jobType=x", "concurrencyMode=both"]) {
        assert.match(refusal(yield* get(`/jobs/query?${filter}`)), /^400 API_ERROR /, filter)
      }
    })
  )
})

contract("2.9 query: SOQL restrictions", (it) => {
  const compound = "Selecting compound data not supported in Bulk Query"
  const refused: ReadonlyArray<readonly [row: string, query: string, text: string | RegExp]> = [
    ["GROUP BY", "SELECT Name FROM Account GROUP BY Name", /GROUP BY/i],
    ["OFFSET", "SELECT Id FROM Account OFFSET 5", /OFFSET/i],
    ["TYPEOF", "SELECT TYPEOF Who WHEN Contact THEN LastName END FROM Task", /TYPEOF/i],
    ["aggregates: COUNT()", "SELECT COUNT() FROM Account", /COUNT|aggregate/i],
    ["aggregates: COUNT(Id)", "SELECT COUNT(Id) FROM Account", /COUNT|aggregate/i],
    ["aggregates: SUM", "SELECT SUM(AnnualRevenue) FROM Account", /SUM|aggregate/i],
    [
      "date functions in GROUP BY",
      "SELECT CALENDAR_YEAR(CreatedDate) FROM Account GROUP BY CALENDAR_YEAR(CreatedDate)",
      /./
    ],
    ["compound addresses", "SELECT BillingAddress FROM Account", compound],
    ["compound addresses of parents", "SELECT Account.BillingAddress FROM Contact", compound],
    ["FIELDS()", "SELECT FIELDS(STANDARD) FROM Account", /./],
    [
      "subqueries in SELECT",
      "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
      "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"
    ],
    ["malformed SOQL", "SELECT Id FROM", /ERROR at Row:1:Column:\d+/],
    [
      "unknown field",
      "SELECT Nope__c FROM Account",
      /ERROR at Row:1:Column:8\nNo such column 'Nope__c' on entity 'Account'/
    ],
    [
      "unknown field in WHERE",
      "SELECT Id FROM Account WHERE Nope__c = 1",
      /ERROR at Row:1:Column:\d+\nNo such column 'Nope__c'/
    ]
  ]
  for (const [row, query, text] of refused) {
    it.effect(`${row}: 400 API_ERROR at POST, and no job`, () =>
      Effect.gen(function* () {
        const { post } = yield* api
        const answer = yield* post("/jobs/query", { operation: "query", query })
        assert.match(refusal(answer), /^400 API_ERROR /)
        const message = refusal(answer).replace("400 API_ERROR ", "")
        if (typeof text === "string") assert.strictEqual(message, text)
        else assert.match(message, text)
      })
    )
  }

  it.effect("unsupported object: 400 INVALIDENTITY", () =>
    Effect.gen(function* () {
      const { post } = yield* api
      assert.strictEqual(
        refusal(yield* post("/jobs/query", { operation: "query", query: "SELECT Id FROM CaseStatus" })),
        "400 INVALIDENTITY Entity 'CaseStatus' is not supported by the Bulk API."
      )
      assert.strictEqual(
        refusal(yield* post("/jobs/ingest", { object: "CaseStatus", operation: "insert" })),
        "400 INVALIDENTITY Entity 'CaseStatus' is not supported by the Bulk API."
      )
    })
  )

  it.effect("unknown object: 400 API_ERROR", () =>
    Effect.gen(function* () {
      const { post } = yield* api
      assert.match(
        refusal(yield* post("/jobs/query", { operation: "query", query: "SELECT Id FROM Nope__c" })),
        /^400 API_ERROR .*sObject type 'Nope__c' is not supported/s
      )
    })
  )

  const allowed = [
    ["paths to parents", "SELECT Id, Owner.Name, Parent.Owner.Email FROM Account LIMIT 1"],
    ["semi-joins", "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact) LIMIT 1"],
    ["anti-joins", "SELECT Id FROM Account WHERE Id NOT IN (SELECT AccountId FROM Contact) LIMIT 1"],
    ["date functions in WHERE", "SELECT Id FROM Account WHERE CALENDAR_YEAR(CreatedDate) = 2001"],
    ["the parts of an address", "SELECT BillingCity, BillingCountry FROM Account LIMIT 1"],
    ["ORDER BY and LIMIT", "SELECT Id FROM Account ORDER BY Name DESC NULLS LAST LIMIT 1"]
  ] as const
  for (const [row, query] of allowed) {
    it.effect(`${row}: allowed`, () =>
      Effect.gen(function* () {
        const { ask, get } = yield* api
        assert.strictEqual(json(yield* get(`/jobs/query/${yield* ask(query)}`)).state, "JobComplete")
      })
    )
  }

  const cells: ReadonlyArray<readonly [row: string, field: string, sent: string, got: string]> = [
    ["null", "Count__c", "", ""],
    ["an empty text", "Text__c", "", ""],
    ["true", "Active__c", "TRUE", "true"],
    ["false", "Active__c", "0", "false"],
    ["dateTime", "At__c", "2026-11-23T21:41:12+01:00", "2026-11-23T20:41:12.000Z"],
    ["date", "Day__c", "2026-11-23", "2026-11-23"],
    ["time", "Hour__c", "20:41:12.000Z", "20:41:12.000Z"],
    ["multi-picklist", "Tags__c", "a;b", "a;b"],
    ["double", "Count__c", "1.50", "1.5"],
    ["large double", "Count__c", "912260031", "9.12260031E8"]
  ]
  for (const [row, field, sent, got] of cells) {
    it.effect(`values: ${row}`, () =>
      Effect.gen(function* () {
        const { run, select } = yield* api
        const key = unique()
        yield* run({}, `Key__c,${field}\n${key},${sent}\n`)
        assert.deepStrictEqual(yield* select(`SELECT ${field} FROM Contract_Item__c WHERE Key__c = '${key}'`), [
          `"${got}"`
        ])
      })
    )
  }

  it.effect("headers: the path of a parent, with the case of the fields' names", () =>
    Effect.gen(function* () {
      const { ask, page } = yield* api
      const id = yield* ask("SELECT id, owner.name FROM Account LIMIT 1")
      assert.strictEqual(headerOf(yield* page(id)), '"Id","Owner.Name"')
    })
  )
})
