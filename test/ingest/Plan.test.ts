import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Schema, Stream } from "effect"
import * as Ingest from "../../src/ingest/Ingest.ts"
import * as Plan from "../../src/ingest/Plan.ts"
import { Parents } from "../../src/ingest/plan/parents.ts"
import { Seen } from "../../src/ingest/plan/seen.ts"
import { checkOf } from "../../src/ingest/plan/values.ts"
import type * as ClientDescribe from "../../src/job/Describe.ts"
import { object } from "../../src/job/Describe.ts"
import { Describe, EmbeddedOrg, Faults } from "../../src/org/index.ts"
import * as Rules from "../../src/org/Rules.ts"
import { inProcess, Requests, virtually } from "../support/orgs.ts"
import { Widget, widget, widgetDescribe, widgets } from "../support/widgets.ts"

const upsert = {
  operation: "upsert",
  object: "Widget__c",
  schema: Widget,
  externalId: "Key__c",
  nulls: "clear"
} as const

const csv = (text: string) => Stream.make(new TextEncoder().encode(text))

const planOf = (options: Plan.CsvOptions, text: string) => csv(text).pipe(Plan.csv(options))

/** What was found, as `severity CODE column count`, without notes of cleared fields. */
const found = (plan: Plan.Plan): ReadonlyArray<string> =>
  plan.findings
    .filter(({ code }) => code !== "CLEARS_FIELD")
    .map(({ code, column, count, severity }) => `${severity} ${code} ${column ?? "-"} ${count}`)

const messageOf = (plan: Plan.Plan, code: Plan.Code): string =>
  plan.findings.find((finding) => finding.code === code)?.message ?? ""

const gadgetDescribe = Describe.make({
  name: "Gadget__c",
  fields: [
    { name: "Name", length: 20, nillable: false },
    { name: "Serial__c", length: 20, externalId: true },
    { name: "Widget__c", type: "reference", referenceTo: ["Widget__c"], relationshipName: "Widget__r" },
    { name: "Formula__c", type: "double", createable: false, updateable: false },
    { name: "Once__c", updateable: false },
    { name: "Photo__c", type: "base64" },
    { name: "Where__c", type: "location", createable: false, updateable: false }
  ]
})

/** An object that users may write more of than usual, and less. */
const partDescribe = Describe.make({
  name: "Part__c",
  fields: [
    { name: "Name", length: 20 },
    { name: "CreatedDate", type: "datetime", createable: true, updateable: false },
    { name: "Serial__c", length: 20, externalId: true, unique: true },
    { name: "Once__c", updateable: false },
    { name: "Changed__c", createable: false },
    { name: "Formula__c", type: "double", createable: false, updateable: false },
    { name: "First__c", type: "reference", referenceTo: ["Widget__c"], relationshipName: "First__r" },
    { name: "Second__c", type: "reference", referenceTo: ["Widget__c"], relationshipName: "Second__r" },
    { name: "Other__c", type: "reference", referenceTo: ["Elsewhere__c"], relationshipName: "Other__r" }
  ]
})

const org = inProcess({ objects: [widgetDescribe, gadgetDescribe, partDescribe] })

describe("Plan.make", () => {
  it.effect("expects no more API calls at the least than a load takes that goes well", () =>
    Effect.gen(function* () {
      const { estimate } = yield* Stream.fromIterable(widgets(450)).pipe(Plan.make(upsert))
      const { apiCalls } = yield* Stream.fromIterable(widgets(450)).pipe(Ingest.run(upsert))
      assert.deepInclude(estimate.apiCalls, { from: apiCalls })
      // the polls find it done at once
    }).pipe(virtually, Effect.provide(inProcess({ objects: [widgetDescribe, gadgetDescribe], polls: {} })))
  )

  it.effect("finds nothing in a load that goes through, and creates nothing", () =>
    Effect.gen(function* () {
      const plan = yield* Stream.fromIterable(widgets(450)).pipe(Plan.make(upsert))
      assert.deepStrictEqual(found(plan), [])
      assert.deepStrictEqual([plan.read, plan.complete, plan.unknown], [450, true, []])
      const count = plan.columns.find(({ column }) => column === "Count__c")
      assert.deepStrictEqual(count, {
        column: "Count__c",
        field: "Count__c",
        type: "double",
        filled: 360,
        blank: 0,
        cleared: 90
      })
      assert.deepStrictEqual(plan.estimate.left.batches, { max: 15_000, remaining: 15_000 })
      assert.deepStrictEqual([plan.estimate.jobs, plan.estimate.batches], [1, 1])
      assert.deepStrictEqual(plan.estimate.storageMB, { from: 0, to: 0.9 })
      assert.deepStrictEqual([...(yield* Requests)].sort(), ["GET /limits", "GET /sobjects/Widget__c/describe"])
      // and it does go through
      const summary = yield* Stream.fromIterable(widgets(450)).pipe(Ingest.run(upsert))
      assert.strictEqual(summary.failed, 0)
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("counts records that do not fit the schema, and a source's own failure comes out untouched", () =>
    Effect.gen(function* () {
      const bad = [widget(1), widget(2, { Name: "#N/A" }), widget(3, { Note__c: "\ud800" })]
      const plan = yield* Stream.fromIterable(bad).pipe(Plan.make(upsert))
      assert.deepStrictEqual(found(plan), ["error NOT_WRITABLE Name 1", "error NOT_WRITABLE Note__c 1"])
      assert.strictEqual(plan.read, 3)

      class Broken extends Data.TaggedError("Broken") {}
      const error = yield* Stream.fail(new Broken()).pipe(Plan.make(upsert), Effect.flip)
      assert.deepStrictEqual(error, new Broken())
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("reads a sample, and estimates from how many there are", () =>
    Effect.gen(function* () {
      const ones = Stream.fromIterable(widgets(1_000))
      const plan = yield* ones.pipe(Plan.make({ ...upsert, sample: 100, total: 100_000, partBytes: 1_000_000 }))
      assert.deepStrictEqual([plan.read, plan.complete, plan.estimate.records], [100, false, 100_000])
      const { batches, bytes, jobs } = plan.estimate
      assert.isTrue(bytes !== "unknown" && bytes > 5_000_000 && bytes < 12_000_000, String(bytes))
      assert.strictEqual(jobs, Math.ceil(Number(bytes) / 1_000_000))
      assert.strictEqual(batches, 10 + Number(jobs) - 1)
      const { estimate } = yield* ones.pipe(Plan.make({ ...upsert, sample: 100 }))
      assert.deepStrictEqual([estimate.records, estimate.batches, estimate.seconds], ["unknown", "unknown", "unknown"])
      // a sample that takes all of it is no sample
      const whole = yield* ones.pipe(Plan.make({ ...upsert, sample: 1_000 }))
      assert.deepStrictEqual([whole.read, whole.complete], [1_000, true])
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("looks at the ids alone of records that are deleted", () =>
    Effect.gen(function* () {
      const Identified = Schema.Struct({ Name: Schema.String, Id: Schema.String })
      const records = Stream.make({ Id: "a02000000000001AAA", Name: "x".repeat(100) }, { Id: "none", Name: "" })
      const plan = yield* records.pipe(Plan.make({ operation: "delete", object: "Part__c", schema: Identified }))
      assert.deepStrictEqual(
        plan.columns.map(({ column, filled }) => [column, filled]),
        [["Id", 2]]
      )
      assert.deepStrictEqual(found(plan), ["error NOT_AN_ID Id 1"])
      assert.deepStrictEqual(plan.estimate.storageMB, { from: 0, to: 0 })
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("finds keys that occur twice, as the org compares them", () =>
    Effect.gen(function* () {
      const twice = [widget(1), widget(2), widget(3, { Key__c: "k-1" })]
      const plan = yield* Stream.fromIterable(twice).pipe(Plan.make(upsert))
      assert.deepStrictEqual(found(plan), ["fatal DUPLICATE_KEY Key__c 1"])
      assert.deepStrictEqual(plan.findings[0]?.samples, [{ record: 3, value: "k-1" }])
      // not where the load is told which one to send
      const last = yield* Stream.fromIterable(twice).pipe(Plan.make({ ...upsert, duplicates: "last" }))
      assert.deepStrictEqual(found(last), ["warning DUPLICATE_KEY Key__c 1"])
      assert.include(messageOf(last, "DUPLICATE_KEY"), "the last one is sent")
      yield* Plan.demandClean(last)
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("tells what may not be read apart from what is wrong", () =>
    Effect.gen(function* () {
      const plan = yield* Stream.fromIterable(widgets(3)).pipe(Plan.make(upsert))
      assert.deepStrictEqual(found(plan), [])
      assert.deepStrictEqual(plan.unknown, [
        "the describe of Widget__c (403 INSUFFICIENT_ACCESS)",
        "the list of objects (403 INSUFFICIENT_ACCESS)",
        "the org's limits"
      ])
      assert.deepStrictEqual(plan.estimate.left, { batches: "unknown", apiCalls: "unknown", storageMB: "unknown" })
      assert.strictEqual(plan.estimate.batches, 1)
      assert.include(Plan.render(plan), "unknown the describe of Widget__c")
    }).pipe(
      virtually,
      Effect.provide(
        inProcess({
          faults: (["describe", "describeGlobal", "limits"] as const).map((route) =>
            Faults.on(route, Faults.respond(403, { body: '[{"errorCode":"INSUFFICIENT_ACCESS","message":"no"}]' }))
          )
        })
      )
    )
  )

  it.effect("fails when the org cannot be asked", () =>
    Effect.gen(function* () {
      const error = yield* Stream.fromIterable(widgets(3)).pipe(Plan.make(upsert), Effect.flip)
      assert.strictEqual(error.reason._tag, "ApiError")
    }).pipe(virtually, Effect.provide(inProcess({ faults: [Faults.on("describe", Faults.respond(503))] })))
  )
})

describe("Plan.csv", () => {
  it.effect("names what is wrong with columns, and what may be meant", () =>
    Effect.gen(function* () {
      const text = "Nmae,Serial__c,Formula__c,Once__c,Photo__c,Where__c,CreatedDate,Id\na,1,2,b,c,d,2020-01-01,\n"
      const insert = yield* planOf({ operation: "insert", object: "Gadget__c" }, text)
      assert.deepStrictEqual([...found(insert)].sort(), [
        "error AUDIT_FIELD CreatedDate 1",
        "error NOT_CREATEABLE Formula__c 1",
        "error REQUIRED_MISSING Name 0",
        "fatal COLUMN_NOT_SUPPORTED Photo__c 0",
        "fatal COLUMN_NOT_SUPPORTED Where__c 0",
        "fatal UNKNOWN_COLUMN Nmae 0"
      ])
      assert.match(messageOf(insert, "UNKNOWN_COLUMN"), /Name may be meant$/)
      assert.match(messageOf(insert, "AUDIT_FIELD"), /Set Audit Fields upon Record Creation/)

      const options = { operation: "upsert", object: "Gadget__c", externalId: "Serial__c" } as const
      const upserted = yield* planOf(options, "serial__c,Formula__c,Once__c,Id\n1,2,b,a\n2,,,\n")
      assert.deepStrictEqual([...found(upserted)].sort(), [
        "error ID_NOT_ALLOWED Id 1",
        "error NOT_AN_ID Id 1",
        "error NOT_CREATEABLE Formula__c 1",
        "warning EXTERNAL_ID_NOT_UNIQUE Serial__c 0",
        "warning NOT_UPDATEABLE Once__c 1",
        "warning REQUIRED_MISSING Name 0"
      ])
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("knows what the user may write where records are made, changed, or either", () =>
    Effect.gen(function* () {
      const object = "Part__c"
      const row = (id: string) => `Id,Once__c,Changed__c,Formula__c,CreatedDate\n${id},a,b,1,2020-01-01\n`
      const update = yield* planOf({ operation: "update", object }, row("a02000000000001AAA"))
      assert.deepStrictEqual(found(update), [
        "error NOT_UPDATEABLE Once__c 1",
        "error NOT_UPDATEABLE Formula__c 1",
        "error AUDIT_FIELD CreatedDate 1"
      ])
      assert.match(messageOf(update, "NOT_UPDATEABLE"), /^read-only for this user/)
      const insert = yield* planOf({ operation: "insert", object }, row(""))
      assert.deepStrictEqual(found(insert), [
        "error NOT_CREATEABLE Changed__c 1",
        "error NOT_CREATEABLE Formula__c 1",
        "note AUDIT_FIELD CreatedDate 1"
      ])
      // without an external id an upsert finds records by their ids
      const upsert = yield* planOf({ operation: "upsert", object }, row("a02000000000001AAA"))
      assert.deepStrictEqual(found(upsert), [
        "error NOT_CREATEABLE Formula__c 1",
        "warning NOT_UPDATEABLE Once__c 1",
        "warning NOT_CREATEABLE Changed__c 1",
        "warning AUDIT_FIELD CreatedDate 1"
      ])
      assert.deepStrictEqual(
        upsert.findings.filter(({ severity }) => severity === "warning").map(({ message }) => message.slice(0, 36)),
        [
          "refused where the record is there already",
          "refused where the record is new",
          "an audit field: records take it when they are made"
        ].map((message) => message.slice(0, 36))
      )
      const whole = yield* planOf({ operation: "insert", object: "Contact" }, "Name,LastName\na,b\n")
      assert.deepStrictEqual(found(whole), ["error NOT_CREATEABLE Name 1"])
      assert.match(messageOf(whole, "NOT_CREATEABLE"), /^made of its parts: .*FirstName/)
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("asks for each object once, and lets pass what leads to one that it cannot see", () =>
    Effect.gen(function* () {
      const options = { operation: "insert", object: "Part__c" } as const
      const asked = Effect.map(Requests, (requests) => requests.filter((each) => each.includes("/sobjects")))
      const twice = yield* planOf(options, "First__r.Key__c,Second__r.Key__c\nK-1,K-2\n")
      assert.deepStrictEqual(found(twice), [])
      assert.deepStrictEqual(yield* asked, ["GET /sobjects/Part__c/describe", "GET /sobjects/Widget__c/describe"])
      const ids = yield* planOf(options, "First__c,Second__c,Other__c\n003000000000001AAA,1,a0X000000000001AAA\n")
      assert.deepStrictEqual(found(ids), ["error ID_OF_ANOTHER_OBJECT First__c 1", "error NOT_AN_ID Second__c 1"])
      assert.deepStrictEqual((yield* asked).slice(2), ["GET /sobjects/Part__c/describe", "GET /sobjects"])
      const hidden = yield* planOf(options, `Other__r.Key__c,First__r.Id\n${"x".repeat(300)},K-1\n`)
      assert.deepStrictEqual(found(hidden), ["error NOT_AN_ID First__r.Id 1"])
      assert.deepStrictEqual(hidden.unknown, ["the describe of Elsewhere__c (404 NOT_FOUND)"])
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("names what is wrong with the object, the operation and its keys", () =>
    Effect.gen(function* () {
      const unknown = yield* planOf({ operation: "insert", object: "Wigdet__c" }, "Name\na\n")
      assert.deepStrictEqual(found(unknown), ["fatal UNKNOWN_OBJECT - 0"])
      assert.match(messageOf(unknown, "UNKNOWN_OBJECT"), /Widget__c may be meant$/)
      const external = yield* planOf({ operation: "insert", object: "Order__x" }, "Name\na\n")
      assert.include(found(external), "fatal OBJECT_NOT_SUPPORTED - 0")

      const update = yield* planOf({ operation: "update", object: "Widget__c" }, "Name\na\n")
      assert.deepStrictEqual(found(update), ["fatal ID_NEEDED - 0"])
      const hardDelete = yield* planOf({ operation: "hardDelete", object: "Widget__c" }, "Id,Name\n,a\n")
      assert.deepStrictEqual(found(hardDelete), [
        "fatal ONLY_ID_ALLOWED - 0",
        "error KEY_BLANK Id 1",
        "note PERMISSION_NEEDED - 0"
      ])
      const key = (externalId: string, text: string) =>
        planOf({ operation: "upsert", object: "Widget__c", externalId }, text)
      assert.deepStrictEqual(found(yield* key("Kex__c", "Key__c,Name\n1,a\n")), ["fatal NOT_AN_EXTERNAL_ID Kex__c 0"])
      assert.deepStrictEqual(found(yield* key("Note__c", "Note__c,Name\n1,a\n")), [
        "fatal NOT_AN_EXTERNAL_ID Note__c 0"
      ])
      assert.deepStrictEqual(found(yield* key("Key__c", "Name\na\n")), ["fatal EXTERNAL_ID_MISSING Key__c 0"])
      assert.deepStrictEqual(found(yield* key("Key__c", "Key__c,Name\n,a\n")), ["error KEY_BLANK Key__c 1"])
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("knows when a relationship needs a type before it", () =>
    Effect.gen(function* () {
      const task = (header: string) => planOf({ operation: "insert", object: "Task" }, `${header}\nx@example.com\n`)
      assert.deepStrictEqual(found(yield* task("Contact:Who.Email")), [])
      assert.deepStrictEqual(found(yield* task("Who.Email")), ["fatal POLYMORPHIC_PREFIX_NEEDED Who.Email 0"])
      assert.deepStrictEqual(found(yield* task("Account:Who.Email")), ["fatal UNKNOWN_COLUMN Account:Who.Email 0"])
      assert.deepStrictEqual(found(yield* task("Contact:Who.Titel")), ["fatal NOT_AN_EXTERNAL_ID Contact:Who.Titel 0"])

      const gadget = (header: string) => planOf({ operation: "insert", object: "Gadget__c" }, `Name,${header}\na,b\n`)
      assert.deepStrictEqual(found(yield* gadget("Widget__r.Key__c")), [])
      assert.deepStrictEqual(found(yield* gadget("Widget__c:Widget__r.Key__c")), [
        "fatal POLYMORPHIC_PREFIX_NOT_ALLOWED Widget__c:Widget__r.Key__c 0"
      ])
      assert.deepStrictEqual(found(yield* gadget("Widget__r.Parent__r.Key__c")), [
        "fatal UNKNOWN_COLUMN Widget__r.Parent__r.Key__c 0"
      ])
      const wrong = yield* gadget("Wigdet__r.Key__c")
      assert.match(messageOf(wrong, "UNKNOWN_COLUMN"), /Widget__r may be meant$/)
      const both = yield* planOf(
        { operation: "insert", object: "Gadget__c" },
        "Name,Widget__c,Widget__r.Key__c\na,,b\n"
      )
      assert.deepStrictEqual(found(both), ["fatal DUPLICATE_COLUMN Widget__r.Key__c 0"])
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("finds the rows that the org refuses, and no others", () =>
    Effect.gen(function* () {
      // each row has one thing wrong with it, or nothing
      const rows = [
        "1,ok,1.5,true,A,2024-02-29T10:00:00Z,",
        `2,${"x".repeat(81)},,,,,`,
        "3,ok,1.234.5,,,,",
        "4,ok,1e20,,,,",
        "5,ok,,yes,,,",
        "6,ok,,,C,,",
        "7,ok,,,,2024-02-30,",
        "8,,,,,,",
        "9,#N/A,,,,,",
        "10,ok,#N/A,0,B,2024-02-28,#N/A",
        "12,ok,,,a,,",
        `${"11".padEnd(41, "x")},ok,,,,,`
      ]
      const text = `Key__c,Name,Count__c,Active__c,Grade__c,Seen__c,Note__c\n${rows.join("\n")}\n`
      const plan = yield* planOf({ operation: "insert", object: "Widget__c" }, text)
      assert.deepStrictEqual([...found(plan)].sort(), [
        "error NOT_A_BOOLEAN Active__c 1",
        "error NOT_A_DATE Seen__c 1",
        "error NOT_A_NUMBER Count__c 1",
        "error NOT_IN_PICKLIST Grade__c 1",
        "error OUT_OF_RANGE Count__c 1",
        "error REQUIRED_BLANK Name 2",
        "error TOO_LONG Key__c 1",
        "error TOO_LONG Name 1",
        "warning NOT_IN_PICKLIST Grade__c 1"
      ])
      const blank = plan.findings.filter(({ code }) => code === "REQUIRED_BLANK")
      assert.deepStrictEqual(
        blank.flatMap(({ samples }) => samples.map(({ record }) => record)),
        [8, 9]
      )
      assert.deepStrictEqual(
        plan.findings.filter(({ code }) => code === "CLEARS_FIELD").map(({ column, count }) => [column, count]),
        [
          ["Count__c", 1],
          ["Note__c", 1]
        ]
      )

      class Row extends Schema.Class<Row>("Row")({
        Key__c: Schema.String,
        Name: Schema.String,
        Count__c: Schema.String,
        Active__c: Schema.String,
        Grade__c: Schema.String,
        Seen__c: Schema.String
      }) {}
      const records = rows.map((row) => {
        const [Key__c = "", Name = "", Count__c = "", Active__c = "", Grade__c = "", Seen__c = ""] = row.split(",")
        return new Row({
          Key__c,
          Name: Name === "#N/A" ? "" : Name,
          Count__c: Count__c === "#N/A" ? "" : Count__c,
          Active__c,
          Grade__c,
          Seen__c
        })
      })
      const summary = yield* Stream.fromIterable(records).pipe(
        Ingest.run({ operation: "insert", object: "Widget__c", schema: Row })
      )
      assert.deepStrictEqual([summary.succeeded, summary.failed], [2, 10])
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("reads files in any dialect, and tells what is no CSV", () =>
    Effect.gen(function* () {
      const options = { operation: "upsert", object: "Widget__c", externalId: "Key__c" } as const
      const text = '\ufeffKey__c;Name;Count__c\r\n1;a;1.5\r\n2;"b;\r\nc";1,5\r\n'
      const plan = yield* planOf(options, text)
      assert.deepStrictEqual(found(plan), ["error NOT_A_NUMBER Count__c 1"])
      assert.deepStrictEqual(plan.findings[0]?.samples, [{ record: 2, value: "1,5" }])
      const broken = yield* planOf(options, 'Key__c,Name\n1,a\n2,"b" c\n')
      assert.deepStrictEqual(found(broken), ["fatal INVALID_CSV - 0"])
      assert.isFalse(broken.complete)
      assert.match(messageOf(broken, "INVALID_CSV"), /line 3/)
      const sampled = yield* planOf({ ...options, sample: 1 }, text)
      assert.deepStrictEqual([sampled.read, sampled.complete], [1, false])
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("knows ids of other objects by their first characters", () =>
    Effect.gen(function* () {
      const rows = ["001000000000001AAA", "001000000000001", "003000000000001AAA", "001"].map((id) => `a,${id}`)
      const plan = yield* planOf({ operation: "insert", object: "Contact" }, `LastName,AccountId\n${rows.join("\n")}\n`)
      assert.deepStrictEqual(found(plan), ["error ID_OF_ANOTHER_OBJECT AccountId 1", "error NOT_AN_ID AccountId 1"])
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("warns of parents with very many children, and of locks", () =>
    Effect.gen(function* () {
      const account = (n: number) => `001${String(n).padStart(12, "0")}`
      const load = (parentOf: (n: number) => number) => {
        const rows = Array.from({ length: 21_000 }, (_, n) => `a,${account(parentOf(n))}\n`)
        return planOf({ operation: "insert", object: "Contact" }, `LastName,AccountId\n${rows.join("")}`)
      }
      const sorted = yield* load((n) => Math.floor(n / 10))
      assert.deepStrictEqual(found(sorted), [])
      const scattered = yield* load((n) => n % 2_100)
      assert.deepStrictEqual(found(scattered), ["warning LOCK_RISK AccountId 3100"])
      const one = yield* load((n) => (n < 11_000 ? 0 : n))
      assert.deepStrictEqual(found(one), ["warning MANY_CHILDREN AccountId 11000"])
      // users are not locked by what they own
      const owned = Array.from({ length: 21_000 }, (_, n) => `a,005${String(n % 2_100).padStart(12, "0")}\n`)
      const owners = yield* planOf({ operation: "insert", object: "Contact" }, `LastName,OwnerId\n${owned.join("")}`)
      assert.deepStrictEqual(found(owners), [])
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("counts the children that parents have in the org already, if asked to", () =>
    Effect.gen(function* () {
      const { seed } = yield* EmbeddedOrg.EmbeddedOrg
      const { Account: [large = "", small = ""] = [] } = yield* seed({
        Account: [{ Name: "large" }, { Name: "small" }]
      })
      const accountOf = (n: number) => (n < 10_000 ? large : small)
      yield* seed({
        Contact: Array.from({ length: 10_001 }, (_, n) => ({ LastName: `c${n}`, AccountId: accountOf(n) }))
      })
      const options = { operation: "insert", object: "Contact" } as const
      const text = `LastName,AccountId\na,${large}\nb,${small}\nc,${small}\n`
      const requests = yield* Requests
      assert.deepStrictEqual(found(yield* planOf(options, text)), [])
      assert.notInclude(requests, "GET /query")
      const counted = yield* planOf({ ...options, childrenInOrg: true }, text)
      assert.deepStrictEqual(found(counted), ["warning MANY_CHILDREN AccountId 1"])
      assert.match(messageOf(counted, "MANY_CHILDREN"), /^a parent has 10,000 records in the org, and gets 1 more/)
      assert.strictEqual(requests.filter((each) => each === "GET /query").length, 2)
      // a name with a quote ends no query, and one of several objects cannot be compared to
      const named = yield* planOf(
        { operation: "insert", object: "Gadget__c", childrenInOrg: true },
        "Name,Widget__r.Key__c\na,x' OR Name != '\n"
      )
      assert.deepStrictEqual([found(named), named.unknown], [[], []])
      const polymorphic = yield* planOf(
        { operation: "insert", object: "Task", childrenInOrg: true },
        `Contact:Who.Email,Status,Priority\na@b.cd,Open,High\n`
      )
      assert.include(polymorphic.unknown, "how many records parents by Contact:Who.Email have already")
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("asks for no parent that is too large by itself, and tells once what is so of several", () =>
    Effect.gen(function* () {
      const account = (n: number) => `001${String(n).padStart(12, "0")}`
      const rows = Array.from({ length: 10_003 }, (_, n) => `a,${account(n < 10_001 ? 0 : n)}\n`)
      const plan = yield* planOf(
        { operation: "insert", object: "Contact", childrenInOrg: true },
        `LastName,AccountId\n${rows.join("")}`
      )
      assert.deepStrictEqual(found(plan), [
        "warning MANY_CHILDREN AccountId 10001",
        "warning MANY_CHILDREN AccountId 1"
      ])
      assert.strictEqual((yield* Requests).filter((each) => each === "GET /query").length, 2)
    }).pipe(
      virtually,
      Effect.provide(
        inProcess({
          faults: [Faults.on("query", Faults.respond(200, { body: '{"totalSize":10000,"done":true,"records":[]}' }))]
        })
      )
    )
  )

  it.effect("does not know what cannot be counted", () =>
    Effect.gen(function* () {
      const plan = yield* planOf(
        { operation: "insert", object: "Contact", childrenInOrg: true },
        "LastName,AccountId\na,001Qx0000000001IAA\n"
      )
      assert.deepStrictEqual(plan.unknown, ["how many records parents by AccountId have already (400 QUERY_TIMEOUT)"])
    }).pipe(
      virtually,
      Effect.provide(
        inProcess({
          faults: [
            Faults.on("query", Faults.respond(400, { body: '[{"errorCode":"QUERY_TIMEOUT","message":"too long"}]' }))
          ]
        })
      )
    )
  )

  it.effect("compares what is needed to what is left", () =>
    Effect.gen(function* () {
      const options = { operation: "insert", object: "Widget__c", sample: 1 } as const
      const text = "Name\na\nb\n"
      assert.deepStrictEqual(found(yield* planOf({ ...options, total: 1_000_000 }, text)), [])
      const plan = yield* planOf({ ...options, total: 200_000_000, partBytes: 100_000_000 }, text)
      assert.deepStrictEqual(found(plan), ["fatal TOO_MANY_BATCHES - 0", "fatal TOO_MUCH_STORAGE - 0"].sort())
      assert.match(messageOf(plan, "TOO_MANY_BATCHES"), /^20,003 batches are needed, 15,000 of 15,000 are left$/)
      // an upsert may make no record at all
      const upserts = yield* planOf(
        { ...options, operation: "upsert", externalId: "Key__c", total: 100_000_000, partBytes: 100_000_000 },
        "Key__c,Name\na,a\nb,b\n"
      )
      assert.deepStrictEqual(found(upserts), ["warning TOO_MUCH_STORAGE - 0"])
      assert.match(messageOf(upserts, "TOO_MUCH_STORAGE"), /^up to 200,000 MB of data storage are needed/)
    }).pipe(virtually, Effect.provide(org))
  )
})

describe("what a load takes", () => {
  const estimateOf = (object: string, text: string) =>
    Effect.map(planOf({ operation: "insert", object }, text), ({ estimate }) => estimate)

  it.effect("is nothing where there are no records", () =>
    Effect.gen(function* () {
      for (const text of ["", "Name\n"]) {
        const { left, ...taken } = yield* estimateOf("Account", text)
        assert.deepStrictEqual(taken, {
          records: 0,
          bytes: 0,
          jobs: 0,
          batches: 0,
          apiCalls: { from: 0, to: 0 },
          storageMB: { from: 0, to: 0 },
          seconds: { from: 0, to: 0 }
        })
      }
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("depends on the object, for some of which other storage counts", () =>
    Effect.gen(function* () {
      const kilobytes = (object: string, header = "Name") =>
        Effect.map(
          estimateOf(object, `${header}\n${"a,".repeat(header.split(",").length).slice(0, -1)}\n`),
          (estimate) => (estimate.storageMB === "unknown" ? -1 : estimate.storageMB.from * 1_000)
        )
      assert.strictEqual(yield* kilobytes("Widget__c"), 2)
      assert.strictEqual(yield* kilobytes("Campaign"), 8)
      assert.strictEqual(yield* kilobytes("Account"), 2)
      // accounts that are persons take a contact each
      assert.strictEqual(yield* kilobytes("Account", "FirstName,LastName"), 4)
      assert.strictEqual(yield* kilobytes("Account", "Name,Hobby__pc"), 4)
      assert.strictEqual(yield* kilobytes("Contact", "LastName"), 2)
      assert.strictEqual(yield* kilobytes("Faq__kav"), 4)
      assert.strictEqual(yield* kilobytes("Reading__b"), 0)
    }).pipe(virtually, Effect.provide(org))
  )
})

describe("Plan", () => {
  it.effect("stops a load that is not clean", () =>
    Effect.gen(function* () {
      const dirty = Stream.make(widget(1), widget(2, { Grade__c: "Z" }))
      const plan = yield* dirty.pipe(Plan.make(upsert))
      const error = yield* Effect.flip(Plan.demandClean(plan))
      assert.strictEqual(error.reason._tag, "PlanNotClean")
      assert.strictEqual(
        error.message,
        "the plan of the upsert of Widget__c is not clean: Grade__c: not among the values of the restricted picklist; " +
          "nothing was sent"
      )
      assert.strictEqual(yield* Plan.demandClean(plan, { worst: "fatal" }), plan)
      assert.strictEqual(yield* Plan.demandClean(plan, { except: ["NOT_IN_PICKLIST"] }), plan)
      const cleared = yield* Stream.make(widget(7)).pipe(Plan.make(upsert), Effect.flatMap(Plan.demandClean))
      const strict = yield* Effect.flip(Plan.demandClean(cleared, { worst: "note" }))
      assert.strictEqual(strict.reason._tag, "PlanNotClean")
    }).pipe(virtually, Effect.provide(org))
  )

  it.effect("is a text of one screen", () =>
    Effect.gen(function* () {
      const header = Array.from({ length: 40 }, (_, n) => `Missing${n}__c`).join(",")
      const plan = yield* planOf({ operation: "insert", object: "Widget__c" }, `${header}\n${"a,".repeat(39)}b\n`)
      const lines = Plan.render(plan).split("\n")
      assert.isAtMost(lines.length, 24)
      assert.isTrue(lines.every((line) => line.length <= 130))
      assert.strictEqual(lines[0], "insert of 1 record (Widget__c)")
      assert.match(lines[1] ?? "", /^takes {3}1 KB of CSV in 1 job, 1 batch \(15,000 left\), 5 to \d+ API calls/)
      assert.strictEqual(lines[2], "lasts   1 s to 1 s, at 3,000 to 100 rows a second")
      assert.strictEqual(lines[3], "finds   40 would fail the load, 1 would have records refused")
      assert.match(lines.at(-1) ?? "", /and 27 more/)
    }).pipe(virtually, Effect.provide(org))
  )
})

describe("the checks of values", () => {
  const types: ReadonlyArray<Parameters<typeof Describe.make>[0]["fields"][number]> = [
    { name: "string", length: 5 },
    { name: "boolean", type: "boolean" },
    { name: "int", type: "int" },
    { name: "long", type: "long" },
    { name: "double", type: "double", precision: 5, scale: 2 },
    { name: "percent", type: "percent" },
    { name: "date", type: "date" },
    { name: "datetime", type: "datetime" },
    { name: "time", type: "time" },
    { name: "email", type: "email", length: 20 },
    {
      name: "picklist",
      type: "picklist",
      restrictedPicklist: true,
      picklistValues: [{ value: "A" }, { value: "b c" }]
    },
    { name: "open", type: "picklist", picklistValues: [{ value: "A" }] },
    {
      name: "multipicklist",
      type: "multipicklist",
      restrictedPicklist: true,
      picklistValues: [{ value: "A" }, { value: "B" }, { value: "Old", active: false }]
    }
  ]
  const texts = [
    ..."0|1|-1|+1|1.|.5|1.5|1e3|1e9|2147483647|2147483648|9007199254740992|1,5|1.2.3|abc|abcde|abcdef|true|TRUE|false|yes".split(
      "|"
    ),
    ..."2024-02-29|2023-02-29|2024-13-01|2024-1-1|29.02.2024|2024-02-29T10:00:00Z|2024-02-29T10:00:00.123+0100".split(
      "|"
    ),
    ..."1700-01-01|1699-12-31|4000-12-31|4001-01-01|0000-01-01T00:00:00+01:00|9999-12-31T23:59:59-01:00".split("|"),
    ..."2024-02-29T10:00:00-05:00|2024-02-30T10:00:00Z|2024-02-29T25:00:00Z|10:00:00|10:00:00.5Z|24:00:00|1000".split(
      "|"
    ),
    ..."a@b.co|a@b|@b.co|a b@c.de|averyveryvery@long.email|A|b c|A;B|A;Old|Old|A;C|999.99|1000|999.999".split("|")
  ]

  it.effect("agree with the org", () =>
    Effect.gen(function* () {
      const typed = Describe.make({
        name: "Typed__c",
        fields: types.map((type) => ({ ...type, name: `${type.name}__c` }))
      })
      const described = yield* object("Typed__c").pipe(Effect.provide(inProcess({ objects: [typed] })))
      let refused = 0
      for (const field of typed.fields) {
        const client = described.fields.find(({ name }) => name === field.name) as ClientDescribe.Field
        for (const text of texts) {
          const check = checkOf(client)(text)
          const isRefused = Rules.isError(Rules.converter(field)(text))
          if (isRefused) refused++
          // a date with a time is only warned of: opinions differ
          const isFound = check?.severity === "error" || check?.severity === "warning"
          assert.strictEqual(isFound, isRefused, `${field.name}: ${text}: ${check?.code}`)
        }
      }
      assert.isAbove(refused, 200)
    }).pipe(virtually)
  )

  it("are done soon, however long a value is", { timeout: 5_000 }, () => {
    const fields = ["double", "int", "email"].map((type) => ({ name: type, type, precision: 0, scale: 0, length: 0 }))
    for (const field of fields) {
      for (const text of [`${"1".repeat(131_000)}x`, `a@${"a.".repeat(65_000)} b`]) {
        assert.isDefined(checkOf(field as ClientDescribe.Field)(text), field.type)
      }
    }
  })
})

describe("what a plan keeps", () => {
  it("tells keys apart, however many there are", () => {
    const seen = new Seen()
    for (let n = 0; n < 200_000; n++) assert.isFalse(seen.has(`K-${n}`), `K-${n}`)
    for (let n = 0; n < 200_000; n += 7) assert.isTrue(seen.has(`K-${n}`), `K-${n}`)
    assert.isFalse(seen.isFull)
    const small = new Seen(1_000)
    for (let n = 0; n < 2_000; n++) small.has(`K-${n}`)
    assert.isTrue(small.isFull)
    assert.isTrue(small.has("K-999"))
    assert.isFalse(small.has("K-1999"))
  })

  it("finds large parents among very many small ones", () => {
    const parents = new Parents(100)
    for (let n = 0; n < 100_000; n++) {
      parents.child(`small ${n}`, 0)
      if (n % 4 === 0) parents.child("large", 0)
    }
    const [largest, ...others] = parents.largerThan(20_000)
    assert.strictEqual(largest?.parent, "large")
    assert.isAtLeast(largest?.children ?? 0, 25_000 - 125_000 / 100)
    assert.isAtMost(largest?.children ?? 0, 25_000)
    assert.deepStrictEqual(others, [])
  })
})
