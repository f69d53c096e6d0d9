// Section 6 of the protocol: errors of requests, of jobs and of rows.
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Request from "effect/http/HttpClientRequest"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import * as Faults from "../../src/org/Faults.ts"
import { errors } from "../org/running.ts"
import { json, refusal, sortedRows } from "../org/support.ts"
import { api, contract, idsOf, prepared, unique } from "./target.ts"

const item = { object: "Contract_Item__c", operation: "insert" }

contract("6.1 errors: body shape", (it) => {
  it.effect("a JSON array of errorCode and message", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      const answer = yield* get("/jobs/ingest/750Qx0000000099AAA")
      assert.match(answer.headers["content-type"] ?? "", /^application\/json/)
      const body: unknown = JSON.parse(answer.text)
      assert(Array.isArray(body))
      assert.strictEqual(body.length, 1)
      assert.containsAllKeys(body[0], ["errorCode", "message"])
    })
  )

  it.effect("REST may add fields", () =>
    Effect.gen(function* () {
      const { post } = yield* api
      const answer = yield* post("/sobjects/Account", { Phone: "1" })
      assert.strictEqual(answer.status, 400)
      assert.deepStrictEqual(JSON.parse(answer.text), [
        { message: "Required fields are missing: [Name]", errorCode: "REQUIRED_FIELD_MISSING", fields: ["Name"] }
      ])
    })
  )

  it.effect("OAuth endpoints: error and error_description", () =>
    Effect.gen(function* () {
      const { sendTo } = yield* api
      const request = Request.post("/services/oauth2/token").pipe(Request.bodyUrlParams({ grant_type: "nonsense" }))
      const answer = yield* sendTo(request)
      assert.strictEqual(answer.status, 400)
      assert.hasAllKeys(json(answer), ["error", "error_description"])
    })
  )
})

contract("6.2 errors: HTTP statuses", (it) => {
  it.effect("300: an external id that matches several records (REST upsert)", () =>
    Effect.gen(function* () {
      const { patch, run } = yield* api
      const group = unique()
      yield* run({}, `Group__c\n${group}\n${group}\n`)
      const answer = yield* patch(`/sobjects/Contract_Item__c/Group__c/${group}`, { Name: "a" })
      assert.strictEqual(answer.status, 300)
      const urls: unknown = JSON.parse(answer.text)
      assert(Array.isArray(urls))
      assert.strictEqual(urls.length, 2)
    })
  )

  it.effect("304: a describe that has not changed", () =>
    Effect.gen(function* () {
      const { send } = yield* api
      const request = Request.get("/sobjects/Contract_Item__c/describe")
      const later = new Date(Date.now() + 60_000).toUTCString()
      const answer = yield* send(Request.setHeader(request, "if-modified-since", later))
      assert.deepStrictEqual([answer.status, answer.text], [304, ""])
      assert.strictEqual((yield* send(request)).status, 200)
    })
  )

  const bad: ReadonlyArray<readonly [row: string, text: string, refusal: RegExp]> = [
    ["400 JSON_PARSER_ERROR: no JSON", "{'object':'Account'}", /^400 JSON_PARSER_ERROR /],
    ["400 JSON_PARSER_ERROR: nothing", "", /^400 JSON_PARSER_ERROR /],
    ["400 JSON_PARSER_ERROR: an array", "[]", /^400 JSON_PARSER_ERROR /],
    ["400 INVALIDENTITY", '{"object":"Nope__c","operation":"insert"}', /^400 INVALIDENTITY /],
    ["400 INVALIDJOB", '{"object":"Account","operation":"insert","externalIdFieldName":"Id"}', /^400 INVALIDJOB /]
  ]
  for (const [row, text, pattern] of bad) {
    it.effect(row, () =>
      Effect.gen(function* () {
        const { send } = yield* api
        const request = Request.post("/jobs/ingest").pipe(Request.bodyText(text, "application/json"))
        assert.match(refusal(yield* send(request)), pattern)
      })
    )
  }

  const sessions: ReadonlyArray<readonly [row: string, authorization: string | undefined, refusal: string]> = [
    ["no header", undefined, "401 INVALID_SESSION_ID Session expired or invalid"],
    ["a token that is not valid", "Bearer 00D!wrong", "401 INVALID_SESSION_ID Session expired or invalid"],
    ["no token at all", "Basic eDp5", "401 INVALID_AUTH_HEADER INVALID_HEADER_TYPE"],
    ["junk", "Bearer [REDACTED] use another command", "401 INVALID_AUTH_HEADER INVALID_HEADER_TYPE"]
  ]
  for (const [row, authorization, expected] of sessions) {
    it.effect(`401: ${row}`, () =>
      Effect.gen(function* () {
        const { sendTo, version } = yield* api
        const request = Request.get(`/services/data/v${version}/jobs/ingest`)
        const answer = yield* sendTo(
          authorization === undefined ? request : Request.setHeader(request, "authorization", authorization)
        )
        assert.strictEqual(refusal(answer), expected)
      })
    )
  }

  it.effect("401 comes before anything else", () =>
    Effect.gen(function* () {
      const { sendTo, version } = yield* api
      for (const path of ["jobs/ingest/750x/batches", "jobs/query", "nowhere"]) {
        assert.match(refusal(yield* sendTo(Request.get(`/services/data/v${version}/${path}`))), /^401 /)
      }
    })
  )

  for (const path of ["/jobs/ingest/750Qx0000000099AAA", "/jobs/nothing", "/sobjects/Nope__c/describe", "/nowhere"]) {
    it.effect(`404 NOT_FOUND: ${path}`, () =>
      Effect.gen(function* () {
        const { get } = yield* api
        assert.strictEqual(refusal(yield* get(path)), "404 NOT_FOUND The requested resource does not exist")
      })
    )
  }

  it.effect("405 METHOD_NOT_ALLOWED: names the verb, and those that are allowed", () =>
    Effect.gen(function* () {
      const { create, post, send } = yield* api
      const id = yield* create({})
      const pattern = (verb: string) =>
        new RegExp(`^405 METHOD_NOT_ALLOWED HTTP Method '${verb}' not allowed\\. Allowed are [A-Z, ]+$`)
      assert.match(refusal(yield* post(`/jobs/ingest/${id}`, {})), pattern("POST"))
      assert.match(refusal(yield* post(`/jobs/ingest/${id}/batches`, {})), pattern("POST"))
      assert.match(refusal(yield* send(Request.put("/jobs/query"))), pattern("PUT"))
    })
  )

  it.effect("HEAD: as GET, without a body", () =>
    Effect.gen(function* () {
      const { send } = yield* api
      const { status, text } = yield* send(Request.head("/limits"))
      assert.deepStrictEqual([status, text], [200, ""])
    })
  )

  it.effect("409: another version than the job's", () =>
    Effect.gen(function* () {
      const { ask, sendIn } = yield* api
      const id = yield* ask("SELECT Id FROM Account LIMIT 1")
      assert.match(refusal(yield* sendIn("61.0", Request.get(`/jobs/query/${id}/results`))), /^409 \w+ /)
    })
  )

  it.effect("410: a retired version", () =>
    Effect.gen(function* () {
      const { sendIn } = yield* api
      for (const version of ["30.0", "21.0"]) {
        assert.strictEqual((yield* sendIn(version, Request.get("/jobs/ingest"))).status, 410, version)
      }
    })
  )

  it.effect("415: a media type, an encoding that is not supported", () =>
    Effect.gen(function* () {
      const { create, send } = yield* api
      const job = Request.post("/jobs/ingest").pipe(Request.bodyText(JSON.stringify(item), "text/plain"))
      assert.match(refusal(yield* send(job)), /^415 UNSUPPORTED_MEDIA_TYPE /)
      const put = Request.put(`/jobs/ingest/${yield* create({})}/batches`)
      assert.match(refusal(yield* send(Request.bodyText(put, "{}", "application/json"))), /^415 /)
      const encoded = Request.bodyText(put, "x", "text/csv").pipe(Request.setHeader("content-encoding", "br"))
      assert.match(refusal(yield* send(encoded)), /^415 /)
    })
  )

  it.effect("431: headers that are too long", () =>
    Effect.gen(function* () {
      const { send } = yield* api
      const request = Request.get("/jobs/ingest").pipe(Request.setHeader("x-long", "x".repeat(100_000)))
      assert.isTrue((yield* send(request)).status >= 400)
    })
  )
})

const requestLimit = `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`

/** What stands before an org answers, once. */
const edge = [
  [403, Faults.respond(403, { body: requestLimit }), /REQUEST_LIMIT_EXCEEDED/],
  [406, Faults.respond(406), /^$/],
  [420, Faults.respond(420), /^$/],
  [429, Faults.rateLimit("1 second"), /^$/],
  [500, Faults.respond(500), /UNKNOWN_EXCEPTION/],
  [502, Faults.respondHtml(502), /^<html/i],
  [503, Faults.respond(503), /SERVER_UNAVAILABLE/]
] as const
for (const [status, effect, text] of edge) {
  prepared({ faults: [Faults.onAny(effect, { nth: 1 })] }, `6.2 errors: ${status}, at the edge`, (it) => {
    it.effect("once, and not again", () =>
      Effect.gen(function* () {
        const { get } = yield* api
        const answer = yield* get("/jobs/ingest")
        assert.strictEqual(answer.status, status)
        assert.match(answer.text, text)
        if (status === 429) assert.strictEqual(answer.headers["retry-after"], "1")
        assert.strictEqual((yield* get("/jobs/ingest")).status, 200)
      })
    )
  })
}

contract("6.3 errors: codes", (it) => {
  it.effect("Bulk codes are upper-cased without separators, beside those of REST", () =>
    Effect.gen(function* () {
      const { create, get, patch, post, put, run } = yield* api
      const open = yield* create({})
      yield* put(open, "Name\na\n")
      yield* put(open, "Name\na\n")
      const { id } = yield* run({}, "Name\na\n")
      const close = { state: "UploadComplete" }
      const answers = [
        yield* patch(`/jobs/ingest/${open}`, close),
        yield* patch(`/jobs/ingest/${id}`, close),
        yield* post("/jobs/ingest", { ...item, object: "Nope__c" }),
        yield* post("/jobs/query", { operation: "query", query: "SELECT BillingAddress FROM Account" }),
        yield* get("/jobs/ingest/x")
      ]
      assert.deepStrictEqual(
        answers.map((answer) => refusal(answer).split(" ")[1]),
        ["INVALIDJOB", "INVALIDJOBSTATE", "INVALIDENTITY", "API_ERROR", "NOT_FOUND"]
      )
    })
  )
})

prepared({ dailyQueryJobs: 2 }, "6.3 errors: LIMIT_EXCEEDED", (it) => {
  it.effect("the query jobs of 24 hours", () =>
    Effect.gen(function* () {
      const { get, post, query } = yield* api
      const { clock } = yield* EmbeddedOrg.EmbeddedOrg
      const soql = "SELECT Id FROM Account"
      yield* query(soql)
      yield* query(soql)
      assert.strictEqual(
        refusal(yield* post("/jobs/query", { operation: "query", query: soql })),
        "400 LIMIT_EXCEEDED Max bulk v2 query jobs (2) per 24 hrs has been reached (2)"
      )
      assert.deepStrictEqual(json(yield* get("/limits")).DailyBulkV2QueryJobs, { Max: 2, Remaining: 0 })
      yield* clock.advance("25 hours")
      yield* query(soql)
    })
  )
})

contract("6.4 errors: errorMessage of a job", (it) => {
  const rows: ReadonlyArray<readonly [row: string, csv: string, message: string]> = [
    ["first bad column only", "Nope__c,Never__c\nx,y\n", "InvalidBatch : Field name not found : Nope__c"],
    [
      "line ending",
      "Name\r\nx\r\n",
      "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"
    ],
    ["relationship", "Nope__r.Key__c\nx\n", "InvalidBatch : Unable to find relationship: Nope__r"],
    [
      "CSV parser",
      'Name\nx"\n',
      "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote"
    ]
  ]
  for (const [row, csv, message] of rows) {
    it.effect(`${row}: ${message}`, () =>
      Effect.gen(function* () {
        const { run } = yield* api
        assert.strictEqual((yield* run({}, csv)).info.errorMessage, message)
      })
    )
  }
})

prepared(
  { faults: [Faults.onJob(Faults.fail({ message: "TooManyLockFailure : x" }))] },
  "6.4 errors: other families",
  (it) => {
    it.effect("TooManyLockFailure", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        assert.strictEqual((yield* run({}, "Name\nx\n")).info.errorMessage, "TooManyLockFailure : x")
      })
    )
  }
)

contract("6.5 errors: sf__Error of a row", (it) => {
  const rows: ReadonlyArray<readonly [object: string, header: string, cells: string, error: string]> = [
    ["Account", "Phone", "1", "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"],
    [
      "Lead",
      "FirstName",
      "x",
      "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName, Company]:LastName,Company --"
    ],
    [
      "Contract_Item__c",
      "Color__c",
      "Green",
      "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:bad value for restricted picklist field: Green:Color__c --"
    ],
    [
      "Contract_Item__c",
      "Name",
      "x".repeat(81),
      `STRING_TOO_LONG:Name: data value too large: ${"x".repeat(81)} (max length=80):Name --`
    ],
    ["Contract_Item__c", "Account__c", "00x", "MALFORMED_ID:Account: id value of incorrect type: 00x:Account__c --"],
    [
      "Contract_Item__c",
      "Email__c",
      "nobody",
      "INVALID_EMAIL_ADDRESS:Email: invalid email address: nobody:Email__c --"
    ],
    [
      "Contract_Item__c",
      "Count__c",
      "many",
      "INVALID_TYPE_ON_FIELD_IN_RECORD:Count: value not of required type: many:Count__c --"
    ],
    ["Contract_Item__c", "Account__c", "001Qx000000zzzz", "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"],
    [
      "Contract_Item__c",
      "Account__r.Id",
      "001Qx000000zzzz",
      "INVALID_FIELD:Foreign key external ID: 001Qx000000zzzz not found for field Id in entity Account:--"
    ]
  ]
  for (const [object, header, cells, error] of rows) {
    it.effect(`${error.slice(0, 60)} (${header})`, () =>
      Effect.gen(function* () {
        const { run } = yield* api
        assert.deepStrictEqual(errors((yield* run({ object }, `${header}\n${cells}\n`)).failed), [error])
      })
    )
  }

  it.effect("DUPLICATE_VALUE: names the field and the record that has it", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const key = unique()
      const [id] = idsOf((yield* run({}, `Key__c\n${key}\n`)).successful)
      assert.deepStrictEqual(errors((yield* run({}, `Key__c\n${key}\n`)).failed), [
        `DUPLICATE_VALUE:duplicate value found: Key__c duplicates value on record with id: ${id}:--`
      ])
    })
  )

  it.effect("ENTITY_IS_DELETED", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const [id] = idsOf((yield* run({}, "Name\na\n")).successful)
      yield* run({ operation: "delete" }, `Id\n${id}\n`)
      for (const [operation, csv] of [
        ["delete", `Id\n${id}\n`],
        ["update", `Id,Name\n${id},b\n`]
      ] as const) {
        assert.deepStrictEqual(errors((yield* run({ operation }, csv)).failed), [
          "ENTITY_IS_DELETED:entity is deleted:--"
        ])
      }
    })
  )

  it.effect("INVALID_CROSS_REFERENCE_KEY: an Id of no record", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const [id] = idsOf((yield* run({}, "Name\na\n")).successful)
      const other = `${id?.slice(0, 9)}zzzzzz`
      assert.deepStrictEqual(errors((yield* run({ operation: "delete" }, `Id\n${other}\n`)).failed), [
        "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"
      ])
    })
  )

  it.effect("MALFORMED_ID: an Id that is none", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const { failed } = yield* run({ operation: "update" }, "Id,Name\nx,a\n")
      assert.match(errors(failed)[0] ?? "", /^MALFORMED_ID:.*id value of incorrect type: x:Id --$/)
    })
  )

  it.effect("DUPLICATE_EXTERNAL_ID: names the field and the records", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const group = unique()
      const ids = idsOf((yield* run({}, `Group__c\n${group}\n${group}\n`)).successful)
      const job = { operation: "upsert", externalIdFieldName: "Group__c" }
      const [error] = errors((yield* run(job, `Group__c\n${group}\n`)).failed)
      assert.match(error ?? "", /^DUPLICATE_EXTERNAL_ID:Group__c: more than one record found for external id field: /)
      for (const id of ids) assert.include(error, id)
    })
  )

  const joined: ReadonlyArray<readonly [row: string, object: string, header: string, cells: string, codes: string]> = [
    [
      "two types",
      "Contract_Item__c",
      "Count__c,Day__c",
      "x,y",
      "INVALID_TYPE_ON_FIELD_IN_RECORD INVALID_TYPE_ON_FIELD_IN_RECORD"
    ],
    [
      "a type and a missing field",
      "Account",
      "NumberOfEmployees",
      "many",
      "INVALID_TYPE_ON_FIELD_IN_RECORD REQUIRED_FIELD_MISSING"
    ],
    [
      "an address, a picklist and an unknown parent",
      "Contract_Item__c",
      "Email__c,Color__c,Account__c",
      "nobody,Green,001Qx000000zzzz",
      "INVALID_EMAIL_ADDRESS INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST INVALID_CROSS_REFERENCE_KEY"
    ],
    [
      "a field that is not to be written, and a missing one",
      "Account",
      "CreatedDate",
      "2001-01-01",
      "INVALID_FIELD_FOR_INSERT_UPDATE REQUIRED_FIELD_MISSING"
    ]
  ]
  for (const [row, object, header, cells, codes] of joined) {
    it.effect(`several errors of a row are joined: ${row}`, () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const { failed } = yield* run({ object }, `${header}\n${cells}\n`)
        const [error = ""] = errors(failed)
        assert.strictEqual(
          error
            .split(/--(?=[A-Z]|$)/)
            .filter((each) => each !== "")
            .map((each) => each.split(":")[0])
            .join(" "),
          codes
        )
      })
    )
  }

  it.effect("a field that could not be read is not also missing", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const long = "x".repeat(256)
      assert.deepStrictEqual(errors((yield* run({ object: "Account" }, `Name\n${long}\n`)).failed), [
        `STRING_TOO_LONG:Account Name: data value too large: ${long} (max length=255):Name --`
      ])
    })
  )

  it.effect("an update joins what is wrong with the row and with its record", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const [id] = idsOf((yield* run({ object: "Account" }, `Name\n${unique()}\n`)).successful)
      const { failed } = yield* run(
        { object: "Account", operation: "update" },
        `Id,NumberOfEmployees,Name\n${id},x,#N/A\n`
      )
      assert.match(
        errors(failed)[0] ?? "",
        /^INVALID_TYPE_ON_FIELD_IN_RECORD:.*--REQUIRED_FIELD_MISSING:Required fields are missing: \[Name\]:Name --$/
      )
    })
  )
})

prepared({}, "6.5 errors: sf__Id of a failed row", (it) => {
  it.effect("since v53 the record that an update, a delete or an upsert would have changed", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const key = unique()
      const [id] = idsOf((yield* run({}, `Key__c\n${key}\n`)).successful)
      const job = { operation: "upsert", externalIdFieldName: "Key__c" }
      const failed = [
        yield* run({ operation: "update" }, `Id,Email__c\n${id?.slice(0, 15)},nobody\n`),
        yield* run(job, `Key__c,Email__c\n${key},nobody\n`),
        yield* run(job, `Key__c,Email__c\n${unique()},nobody\n`),
        yield* run({ operation: "update" }, `Id,Email__c\nx,nobody\n`)
      ].map((each) => idsOf(each.failed)[0])
      assert.deepStrictEqual(failed, [id, id, "", ""])
    })
  )

  it.effect("before v53 nothing", () =>
    Effect.gen(function* () {
      const { over, run, sendIn } = yield* api
      const [id] = idsOf((yield* run({}, "Name\na\n")).successful)
      const body = Request.bodyJsonUnsafe({ ...item, operation: "update" })
      const jobId = json(yield* sendIn("52.0", body(Request.post("/jobs/ingest")))).id
      const path = `/jobs/ingest/${jobId}`
      yield* sendIn("52.0", Request.put(`${path}/batches`).pipe(Request.bodyText(`Id,Email__c\n${id},x\n`, "text/csv")))
      yield* sendIn("52.0", Request.patch(path).pipe(Request.bodyJsonUnsafe({ state: "UploadComplete" })))
      yield* over(path)
      assert.deepStrictEqual(idsOf(yield* sendIn("52.0", Request.get(`${path}/failedResults`))), [""])
    })
  )
})

const codes = {
  DUPLICATES_DETECTED: "Use one of these records?",
  STORAGE_LIMIT_EXCEEDED: "storage limit exceeded",
  INSUFFICIENT_ACCESS_OR_READONLY: "insufficient access rights on object id",
  INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY: "insufficient access rights on cross-reference id",
  DELETE_FAILED: "Your attempt to delete x could not be completed"
}

prepared(
  {
    onRow: {
      Contract_Item__c: ({ values }) => {
        if (values.Name === "throws") throw new Error("Contract: execution of BeforeInsert")
        if (values.Name === "several") return [{ message: "one" }, { message: "two", fields: ["Name", "Key__c"] }]
        const code = String(values.Name)
        const message = new Map(Object.entries(codes)).get(code)
        return message === undefined ? undefined : { code, message }
      }
    }
  },
  "6.5 errors: what rules say about a row",
  (it) => {
    for (const [code, message] of Object.entries(codes)) {
      it.effect(`${code}:${message}:--`, () =>
        Effect.gen(function* () {
          const { run } = yield* api
          assert.deepStrictEqual(errors((yield* run({}, `Name\n${code}\n`)).failed), [`${code}:${message}:--`])
        })
      )
    }

    it.effect("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: a trigger that throws", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        assert.deepStrictEqual(errors((yield* run({}, "Name\nthrows\n")).failed), [
          "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:Contract: execution of BeforeInsert:--"
        ])
      })
    )

    it.effect("FIELD_CUSTOM_VALIDATION_EXCEPTION: with and without fields, joined", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        assert.deepStrictEqual(errors((yield* run({}, "Name\nseveral\n")).failed), [
          "FIELD_CUSTOM_VALIDATION_EXCEPTION:one:--FIELD_CUSTOM_VALIDATION_EXCEPTION:two:Name,Key__c --"
        ])
      })
    )
  }
)

prepared({ faults: [Faults.onJob(Faults.lockRows({ rows: 1 }))] }, "6.5 errors: locks", (it) => {
  it.effect("UNABLE_TO_LOCK_ROW: for the rows that met a lock, and no others", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const { failed, successful } = yield* run({}, "Name\na\nb\n")
      assert.match(errors(failed)[0] ?? "", /^UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record/)
      assert.deepStrictEqual([sortedRows(failed).length, sortedRows(successful).length], [1, 1])
    })
  )
})
