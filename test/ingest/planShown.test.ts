// What a plan tells people, and what it says when the user may not do what is planned.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import * as Plan from "../../src/ingest/Plan.ts"
import { Faults } from "../../src/org/index.ts"
import { inProcess, virtually } from "../support/orgs.ts"
import { widgetDescribe } from "../support/widgets.ts"

const finding = (more: Partial<Plan.Finding>): Plan.Finding => ({
  severity: "error",
  code: "TOO_LONG",
  column: "Name",
  message: "longer than 80 characters",
  count: 1,
  samples: [],
  ...more
})

const allowance = (remaining: number) => ({ max: 15_000, remaining })

const plan = (more: Partial<Plan.Plan>, estimate: Partial<Plan.Estimate> = {}): Plan.Plan => ({
  object: "Widget__c",
  operation: "upsert",
  externalId: "Key__c",
  read: 1,
  complete: true,
  findings: [],
  columns: [],
  unknown: [],
  estimate: {
    records: 1,
    bytes: 2_500,
    jobs: 1,
    batches: 1,
    apiCalls: { from: 7, to: 7 },
    storageMB: { from: 0, to: 0 },
    seconds: { from: 1, to: 2 },
    left: { batches: "unknown", apiCalls: "unknown", storageMB: "unknown" },
    ...estimate
  },
  ...more
})

const linesOf = (plan: Plan.Plan): ReadonlyArray<string> => Plan.render(plan).split("\n")

describe("Plan.render", () => {
  it("counts what there is one of as one, and says nothing of what is not known", () => {
    assert.deepStrictEqual(linesOf(plan({})).slice(0, 4), [
      "upsert of 1 record (Widget__c by Key__c)",
      "takes   3 KB of CSV in 1 job, 1 batch, 7 API calls",
      "lasts   1 s to 2 s, at 3,000 to 100 rows a second",
      "finds   nothing against it"
    ])
  })

  it("tells large loads in minutes, hours and megabytes, and what is left", () => {
    const large = plan(
      { operation: "insert", externalId: undefined, read: 10_000, complete: false },
      {
        records: 4_200_000,
        bytes: 1_234_567_890,
        jobs: 74,
        batches: 493,
        apiCalls: { from: 518, to: 2_444 },
        storageMB: { from: 8_400, to: 8_400 },
        seconds: { from: 1_524, to: 44_470 },
        left: { batches: allowance(14_000), apiCalls: allowance(9_000), storageMB: allowance(9_999) }
      }
    )
    assert.deepStrictEqual(linesOf(large).slice(0, 3), [
      "insert of 4,200,000 records (Widget__c), of which 10,000 were read",
      "takes   1,234.6 MB of CSV in 74 jobs, 493 batches (14,000 left), 518 to 2,444 API calls (9,000 left), 8,400 MB of storage (9,999 MB left)",
      "lasts   25.4 min to 12.4 h, at 3,000 to 100 rows a second"
    ])
  })

  it("asks how many records there are where it cannot know", () => {
    const none = {
      records: "unknown",
      bytes: "unknown",
      jobs: "unknown",
      batches: "unknown",
      seconds: "unknown"
    } as const
    assert.deepStrictEqual(linesOf(plan({ complete: false, read: 200 }, none)), [
      "upsert of an unknown number of records (Widget__c by Key__c), of which 200 were read",
      "takes   unknown: say how many records there are",
      "finds   nothing against it"
    ])
    const some = plan({}, { apiCalls: "unknown", storageMB: "unknown" })
    assert.strictEqual(linesOf(some)[1], "takes   3 KB of CSV in 1 job, 1 batch")
  })

  it("shows findings with samples, cut to a screen, and counts the rest", () => {
    const samples = [
      { record: 1_200, value: 'a"' },
      { record: 7, value: "" },
      { record: 8, value: "#N/A" }
    ]
    const findings = [
      finding({ severity: "fatal", code: "UNKNOWN_OBJECT", column: undefined, message: "no such object", count: 0 }),
      finding({ samples }),
      finding({ message: "x".repeat(200) }),
      ...Array.from({ length: 13 }, () => finding({ severity: "note" }))
    ]
    const lines = linesOf(plan({ findings, unknown: ["the limits (403)"] })).slice(3)
    assert.deepStrictEqual(lines.slice(0, 3), [
      "finds   1 would fail the load, 2 would have records refused, 13 to know",
      "fatal   no such object [UNKNOWN_OBJECT]",
      'error   Name: longer than 80 characters [TOO_LONG, 1 record] "a\\"" (record 1,200)'
    ])
    assert.strictEqual(lines[3]?.length, 120)
    assert.match(lines[3] ?? "", /x…$/)
    assert.deepStrictEqual(lines.slice(-2), ["        and 2 more", "unknown the limits (403)"])
  })
})

describe("a plan", () => {
  const field = {
    name: "Id",
    label: "Id",
    type: "id",
    length: 18,
    precision: 0,
    scale: 0,
    nillable: false,
    defaultedOnCreate: true,
    createable: false,
    updateable: false,
    unique: false,
    externalId: false,
    idLookup: true,
    caseSensitive: false,
    restrictedPicklist: false,
    picklistValues: [],
    referenceTo: [],
    relationshipName: null,
    compoundFieldName: null
  }
  const name = { ...field, name: "Name", type: "string", createable: true, updateable: true, idLookup: false }

  /** An org that says that its user may do these things alone. */
  const allowing = (may: { readonly createable?: true; readonly updateable?: true; readonly deletable?: true }) => {
    const rights = { createable: false, updateable: false, deletable: false, queryable: true, ...may }
    const described = { name: "Widget__c", label: "Widget", keyPrefix: "a00", ...rights }
    const body = JSON.stringify({ ...described, fields: [field, name], recordTypeInfos: [] })
    const answer = Faults.respond(200, { headers: { "content-type": "application/json" }, body })
    return inProcess({ objects: [widgetDescribe], faults: [Faults.on("describe", answer)] })
  }

  const refusals = (options: Plan.CsvOptions, csv: string) =>
    Effect.map(Plan.csv(options)(Stream.make(new TextEncoder().encode(csv))), ({ findings }) =>
      findings
        .filter(({ code }) => code === "OPERATION_NOT_ALLOWED")
        .map(({ message, severity }) => `${severity}: ${message}`)
    )

  it.effect("says what the user may not do", () =>
    Effect.gen(function* () {
      const object = "Widget__c"
      const upsert = { object, operation: "upsert", externalId: "Id" } as const
      for (const [options, csv, may, expected] of [
        [{ object, operation: "insert" }, "Name\na\n", {}, ["fatal: this user may not create records of Widget__c"]],
        [
          { object, operation: "update" },
          "Id,Name\n,a\n",
          {},
          ["fatal: this user may not change records of Widget__c"]
        ],
        [{ object, operation: "delete" }, "Id\na\n", {}, ["fatal: this user may not delete records of Widget__c"]],
        [{ object, operation: "insert" }, "Name\na\n", { createable: true }, []],
        [upsert, "Id,Name\n,a\n", { createable: true }, ["warning: this user may not change records of Widget__c"]],
        [upsert, "Id,Name\n,a\n", { updateable: true }, ["warning: this user may not create records of Widget__c"]],
        [
          upsert,
          "Id,Name\n,a\n",
          {},
          [
            "fatal: this user may not create records of Widget__c",
            "fatal: this user may not change records of Widget__c"
          ]
        ]
      ] as const) {
        const found = yield* refusals(options, csv).pipe(virtually, Effect.provide(allowing(may)))
        assert.sameMembers(found, [...expected])
      }
    })
  )

  it.effect("of records of a schema that is none of records is refused", () =>
    Effect.gen(function* () {
      const schema = Schema.Struct({ Tags__c: Schema.Array(Schema.Unknown) })
      const error = yield* Stream.empty.pipe(
        Plan.make({ operation: "insert", object: "Widget__c", schema }),
        Effect.flip
      )
      assert.strictEqual(error.reason._tag, "InvalidOptions")
      assert.match(error.message, /^plan of Widget__c: column Tags__c/)
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})
