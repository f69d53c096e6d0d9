import { assert, describe, it } from "@effect/vitest"
import * as Outcome from "../../src/ingest/Outcome.ts"

describe("parseError", () => {
  const cases: ReadonlyArray<readonly [raw: string, code: string, message: string, fields: ReadonlyArray<string>]> = [
    [
      "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
      "REQUIRED_FIELD_MISSING",
      "Required fields are missing: [Name]",
      ["Name"]
    ],
    ["API_ERROR:it could not be done", "API_ERROR", "it could not be done", []],
    ["ENTITY_IS_DELETED:entity is deleted:--", "ENTITY_IS_DELETED", "entity is deleted", []],
    [
      "DUPLICATE_VALUE:duplicate value found: Ext__c duplicates value on record with id: 006Ov000004iYzqIAE:--",
      "DUPLICATE_VALUE",
      "duplicate value found: Ext__c duplicates value on record with id: 006Ov000004iYzqIAE",
      []
    ],
    [
      "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 200 records: 001A,001B:--",
      "UNABLE_TO_LOCK_ROW",
      "unable to obtain exclusive access to this record or 200 records: 001A,001B",
      []
    ],
    [
      "FIELD_CUSTOM_VALIDATION_EXCEPTION:Close date: must be\nin the future:CloseDate,StageName --",
      "FIELD_CUSTOM_VALIDATION_EXCEPTION",
      "Close date: must be\nin the future",
      ["CloseDate", "StageName"]
    ],
    [
      "FIELD_CUSTOM_VALIDATION_EXCEPTION:No -- really:Name --",
      "FIELD_CUSTOM_VALIDATION_EXCEPTION",
      "No -- really",
      ["Name"]
    ],
    [
      "STRING_TOO_LONG:Name: data value too large: x (max length=80):Name --INVALID_EMAIL_ADDRESS:Email: invalid email address: y:Email --",
      "STRING_TOO_LONG",
      "Name: data value too large: x (max length=80)",
      ["Name"]
    ]
  ]

  for (const [raw, code, message, fields] of cases) {
    it(`reads ${raw.slice(0, 60)}`, () => {
      assert.deepStrictEqual(Outcome.parseError(raw), { code, message, fields, raw })
    })
  }

  it("keeps what is no error of the known form", () => {
    for (const raw of ["", "something went wrong", "Sorry: no"]) {
      assert.deepStrictEqual(Outcome.parseError(raw), { code: "UNKNOWN", message: raw, fields: [], raw })
    }
  })
})

describe("categoryOf", () => {
  it("says what an error is about, and nothing of one that could not be read", () => {
    const categories = ["UNABLE_TO_LOCK_ROW:x:--", "STRING_TOO_LONG:x:--", "NEW_IN_WINTER:x:--", "something went wrong"]
    assert.deepStrictEqual(
      categories.map((raw) => Outcome.categoryOf(Outcome.parseError(raw))),
      ["transient", "invalid", undefined, undefined]
    )
  })
})

describe("isTransient", () => {
  const cases: ReadonlyArray<readonly [raw: string, externalId: string | undefined, expected: boolean]> = [
    ["UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 200 records: 001,001:--", undefined, true],
    ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:T: caused by UNABLE_TO_LOCK_ROW, unable to obtain:--", undefined, true],
    ["SERVER_UNAVAILABLE:try later:--", undefined, true],
    ["REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --", undefined, false],
    ["something went wrong", undefined, false],
    ["", undefined, false],
    ["DUPLICATE_VALUE:duplicate value found: Key__c duplicates value on record with id: a00:--", "Key__c", true],
    ["DUPLICATE_VALUE:duplicate value found: Other__c duplicates value on record with id: a00:--", "Key__c", false],
    ["DUPLICATE_VALUE:duplicate value found: Key__c duplicates value on record with id: a00:--", undefined, false],
    ["DUPLICATE_VALUE:Duplicate external id specified: K-1:Key__c --", "Key__c", false]
  ]
  for (const [raw, externalId, expected] of cases) {
    it(`${expected ? "may" : "will not"} pass: ${raw}`, () => {
      assert.strictEqual(Outcome.isTransient(Outcome.parseError(raw), externalId), expected)
    })
  }
})

describe("match", () => {
  it("calls the function of its kind", () => {
    const kind = Outcome.match<string, string>({
      Succeeded: ({ id }) => `made ${id}`,
      Failed: ({ error, record }) => `${error.code} ${record}`,
      Unprocessed: ({ reason, record }) => `${reason} ${record}`
    })
    const jobId = "750"
    const error = { code: "X", message: "", fields: [], raw: "" }
    const outcomes: ReadonlyArray<Outcome.Outcome<string>> = [
      { _tag: "Succeeded", jobId, id: "001", created: true, row: {} },
      { _tag: "Failed", jobId, id: undefined, error, record: "a", origin: "org" },
      { _tag: "Unprocessed", jobId, record: "b", reason: "unaccounted" }
    ]
    assert.deepStrictEqual(outcomes.map(kind), ["made 001", "X a", "unaccounted b"])
  })
})
