import { assert, describe, it } from "@effect/vitest"
import * as BulkError from "../src/BulkError.ts"
import * as ErrorCode from "../src/ErrorCode.ts"

const api = (code: string, detail = "x", more: { readonly status?: number; readonly request?: string } = {}) =>
  BulkError.make(
    new BulkError.ApiError({
      request: more.request ?? "GET /x",
      status: more.status ?? 400,
      code,
      detail,
      body: "",
      retryAfter: undefined
    })
  )
const failed = (detail: string | undefined) =>
  BulkError.make(new BulkError.JobFailed({ jobId: "750A", state: "Failed", detail }))

describe("ErrorCode", () => {
  it("knows a code however it is spelled, and no other", () => {
    for (const [text, code] of [
      ["INVALIDJOBSTATE", "INVALID_JOB_STATE"],
      ["InvalidJobState", "INVALID_JOB_STATE"],
      ["INVALID_JOB_STATE", "INVALID_JOB_STATE"],
      ["NotFound", "NOT_FOUND"],
      ["ClientInputError", "CLIENT_INPUT_ERROR"],
      ["TXN_SECURITY_METERING_ERROR", "TXN_SECURITY_METERING_ERROR"],
      ["UNABLE_TO_LOCK_ROW", "UNABLE_TO_LOCK_ROW"],
      ["", undefined],
      ["HTTP_503", undefined],
      ["NEW_IN_WINTER_31", undefined],
      ["toString", undefined]
    ] as const) {
      assert.strictEqual(ErrorCode.parse(text), code, text)
    }
  })

  it("tells every code from the others, and what each is about", () => {
    assert.isAbove(ErrorCode.all.length, 50)
    for (const code of ErrorCode.all) {
      assert.strictEqual(ErrorCode.parse(code.replaceAll("_", "").toLowerCase()), code)
      assert.isDefined(ErrorCode.categoryOf(code))
    }
  })
})

describe("BulkError", () => {
  it("has the request, the job and the org that it concerns, and says so", () => {
    const { reason } = api("NOT_FOUND", "gone", { status: 404, request: "GET /jobs/query/750B/results" })
    const error = BulkError.inOrg(BulkError.make(reason), "https://acme.my.salesforce.com")
    assert.deepStrictEqual(
      [error.request, error.jobId, error.org, error.code],
      ["GET /jobs/query/750B/results", "750B", "https://acme.my.salesforce.com", "NOT_FOUND"]
    )
    assert.match(error.message, /^https:\/\/acme\.my\.salesforce\.com: GET \/jobs\/query\/750B\/results: 404 NOT_FOUND/)
    // the org that was known first stays
    assert.strictEqual(BulkError.inOrg(error, "https://other").org, "https://acme.my.salesforce.com")
    const unknown = BulkError.make(new BulkError.CommitUnknown({ jobId: "750C", cause: error }))
    assert.deepStrictEqual([unknown.jobId, unknown.request], ["750C", error.request])
    assert.isUndefined(failed(undefined).request)
  })

  it("sorts failures into kinds, by the code however it is spelled", () => {
    const kinds = (error: BulkError.BulkError) =>
      (["isRetryable", "isAuth", "isLimit", "isPermission", "isNotFound"] as const).filter((kind) => error[kind])
    for (const [error, expected] of [
      [api("REQUEST_LIMIT_EXCEEDED", "x", { status: 403 }), ["isLimit"]],
      [api("ExceededQuota"), ["isLimit"]],
      [api("FEATURENOTENABLED"), ["isPermission"]],
      [api("INVALID_SESSION_ID", "x", { status: 401 }), ["isAuth"]],
      [api("HTTP_401", "x", { status: 401 }), ["isAuth"]],
      [api("NOT_FOUND", "x", { status: 404 }), ["isNotFound"]],
      [api("HTTP_404", "x", { status: 404 }), ["isNotFound"]],
      [api("HTTP_503", "x", { status: 503 }), ["isRetryable"]],
      [api("HTTP_420", "x", { status: 420 }), ["isRetryable"]],
      [api("INVALIDJOBSTATE"), []],
      [api("NEW_CODE"), []],
      [failed("ExceededQuota : x"), ["isLimit"]],
      [failed("no code at all"), []],
      [BulkError.make(new BulkError.Unreachable({ request: "x", url: "x", problem: "x", cause: "x" })), []],
      [BulkError.make(new BulkError.ConnectionLost({ request: "x", cause: "x" })), ["isRetryable"]]
    ] as const) {
      assert.deepStrictEqual(kinds(error), [...expected], error.message)
    }
  })

  it("says what to do, by what Salesforce says", () => {
    for (const [error, advice] of [
      [failed("InvalidBatch : Field name not found : Foo__c"), /misspelled.*namespace.*field-level security/],
      [failed("InvalidBatch : InvalidBatch : Field name not found : Name. Batch will not be retried"), /misspelled/],
      [failed("ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"), /lineEnding/],
      [failed("InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote"), /byte order mark/],
      [
        failed("InvalidBatch : type is not needed for non polymorphic foreign key references: Parent"),
        /Relationship\.Field/
      ],
      [failed("InvalidBatch : Unable to find relationship: Account"), /name of a relationship/],
      [failed("TooManyLockFailure : x"), /sort the records by parent/],
      [failed("InvalidBatch : Field name not found : \u001f\ufffd"), /leave gzip out/],
      [
        api("FEATURENOTENABLED", "hardDelete operation requires special user profile permission, please contact"),
        /"Bulk API Hard Delete"/
      ],
      [api("INVALIDENTITY", "Unable to find object: Foo"), /API name is misspelled/],
      [api("INVALIDENTITY", "Entity 'X' is not supported by the Bulk API."), /REST API only/],
      [api("INVALIDJOB", "Found multipe contents for job: <7500H00000H673g>, please 'Close'"), /one upload/],
      [api("INVALIDJOBSTATE", "Aborting already Completed Job not allowed"), /has ended/],
      [api("API_ERROR", "Error encountered when deleting the job because the job is not terminated"), /abort the job/],
      [api("API_ERROR", "Selecting compound data not supported in Bulk Query"), /parts of an address/],
      [
        api("API_ERROR", "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"),
        /no subqueries/
      ],
      [api("LIMIT_EXCEEDED", "Max bulk v2 query jobs (10000) per 24 hrs has been reached (10021)"), /24 hours/],
      [api("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), /poll less often/],
      [api("TXN_SECURITY_METERING_ERROR"), /Exempt from Transaction Security/],
      [api("API_DISABLED_FOR_ORG"), /API Enabled/],
      [api("INVALID_SESSION_ID"), /another org/],
      [api("INVALID_AUTH_HEADER"), /placeholder/],
      [api("NOT_FOUND"), /older than 7 days/],
      [api("HTTP_409"), /API version/],
      [api("HTTP_410"), /retired/],
      [api("HTTP_415"), /leave gzip out/],
      [api("NEW_CODE", "something new"), /^$/]
    ] as const) {
      assert.match(error.advice ?? "", advice, error.message)
      assert.include(error.message, error.advice ?? error.reason.message)
    }
  })

  it("says in one sentence what happened", () => {
    const lost = BulkError.make(new BulkError.ConnectionLost({ request: "PATCH /jobs/ingest/750A", cause: "reset" }))
    const finding = { severity: "fatal", code: "TOO_LONG", column: "Name", message: "too long", count: 1 }
    const invalid = { jobId: "750A", page: 2, locator: "x", row: 7, problem: "no number" }
    for (const [reason, message] of [
      [
        new BulkError.SignInFailed({ loginUrl: "https://x", status: 400, error: "invalid_client", description: "" }),
        "https://x refused to sign in: invalid_client (the consumer secret does not belong to this consumer key)"
      ],
      [
        new BulkError.WrongOrg({ what: "sandbox", expected: "true", actual: "false" }),
        "this is another org than expected: its sandbox is false, not true; nothing was written"
      ],
      [
        new BulkError.DailyLimitReached({ used: 90, max: 101, share: 0.9 }),
        "the org has made 90 of its 101 daily API calls, and this connection stops at 90"
      ],
      [
        new BulkError.JobFailed({ jobId: "750A", state: "Failed", detail: undefined }),
        "job 750A is Failed: Salesforce gives no reason"
      ],
      [
        new BulkError.CommitUnknown({ jobId: undefined, cause: lost }),
        /^a job may or may not have been submitted \(PATCH .*reset.*\): /
      ],
      [
        new BulkError.RecordsUnaccounted({ jobId: "750A", sent: 3, accounted: 2, strangers: [] }),
        "job 750A: 3 rows were sent, its results account for 2"
      ],
      [
        new BulkError.RecordsUnaccounted({ jobId: "750A", sent: 3, accounted: 2, strangers: [{ Key__c: "x" }] }),
        "job 750A: 3 rows were sent, its results account for 2, and rows with keys that were not sent"
      ],
      [
        new BulkError.IncompleteResults({ jobId: "750A", expected: 3, received: 2 }),
        "job 750A found 3 records, and its pages hold 2"
      ],
      [new BulkError.NotDrained(), "there is no new watermark: the changes were not read to their end"],
      [
        new BulkError.ResultsChanged({ jobId: "750A", request: "GET /x", length: 9 }),
        "GET /x: its first 9 bytes were others when they were asked for again"
      ],
      [
        new BulkError.RecordInvalid({ ...invalid, column: "Count__c", value: 'a"' }),
        'job 750A, page 2, record 7, column Count__c ("a\\""): no number'
      ],
      [
        new BulkError.RecordInvalid({ ...invalid, column: "Count__c", value: "" }),
        'job 750A, page 2, record 7, column Count__c (""): no number (the cell is empty, which Schema.NullOr reads as null)'
      ],
      [
        new BulkError.RecordInvalid({ ...invalid, column: undefined, value: undefined }),
        "job 750A, page 2, record 7: no number"
      ],
      [
        new BulkError.PlanNotClean({ object: "Account", operation: "insert", findings: [finding, finding] }),
        "the plan of the insert of Account is not clean: Name: too long, and 1 more finding; nothing was sent"
      ],
      [
        new BulkError.PlanNotClean({ object: "A", operation: "insert", findings: [{ ...finding, column: undefined }] }),
        "the plan of the insert of A is not clean: too long; nothing was sent"
      ],
      [new BulkError.LoadStopped({ guard: "canary", problem: "x" }), "the load was stopped by canary: x"],
      [new BulkError.RunRefused({ runId: "r", problem: "x" }), "the run r does not go on: x"],
      [new BulkError.RowFailed({ jobId: "750A", code: "C", detail: "d" }), "job 750A refused a record: C: d"],
      [new BulkError.RowFailed({ jobId: undefined, code: "C", detail: "d" }), "a record cannot be sent: C: d"],
      [new BulkError.InvalidCsv({ line: 3, problem: "x" }), "the CSV cannot be loaded: x"],
      [
        new BulkError.SpoolFailed({ cause: new Error("fetch", { cause: new Error("ENOSPC") }) }),
        "the spool failed: ENOSPC"
      ],
      [new BulkError.SpoolFailed({ cause: Object.assign(new Error(""), { code: "EIO" }) }), "the spool failed: EIO"],
      [new BulkError.SpoolFailed({ cause: new RangeError("") }), "the spool failed: RangeError"]
    ] as const) {
      const error = BulkError.make(reason)
      if (typeof message === "string") assert.strictEqual(error.message, message)
      else assert.match(error.message, message)
      assert.deepStrictEqual(
        [error.isRetryable, error.isPermission, error.isNotFound],
        [false, false, false],
        error.message
      )
    }
    assert.isTrue(BulkError.make(new BulkError.DailyLimitReached({ used: 1, max: 1, share: 1 })).isLimit)
    assert.isUndefined(BulkError.make(new BulkError.NotDrained()).jobId)
    assert.isUndefined(failed(undefined).advice)
  })

  it("keeps what is not in the vocabulary as it came", () => {
    const error = api("NEW_IN_WINTER_31", "something new")
    assert.isUndefined(error.code)
    assert.strictEqual(error.message, "GET /x: 400 NEW_IN_WINTER_31: something new")
  })
})
