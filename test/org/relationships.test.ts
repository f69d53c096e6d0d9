import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as TestClock from "effect/testing/TestClock"
import * as Describe from "../../src/org/Describe.ts"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import { ended, errors, run, select } from "./running.ts"
import { api, apiOf, sortedRows } from "./support.ts"

const category = Describe.make({
  name: "Category__c",
  fields: [
    { name: "Name", length: 80 },
    { name: "Code__c", length: 10, externalId: true },
    { name: "Exact__c", length: 10, externalId: true, caseSensitive: true },
    { name: "Number__c", type: "double", precision: 18, externalId: true },
    { name: "Parent__c", type: "reference", referenceTo: ["Category__c"], relationshipName: "Parent__r" }
  ]
})

const part = Describe.make({
  name: "Part__c",
  fields: [
    { name: "Name", length: 80, nillable: false },
    {
      name: "Category__c",
      type: "reference",
      nillable: false,
      referenceTo: ["Category__c"],
      relationshipName: "Category__r"
    },
    {
      name: "Maker__c",
      type: "reference",
      referenceTo: ["Account", "Contact", "ns__Shop__c"],
      relationshipName: "Maker__r"
    }
  ]
})

const shop = Describe.make({ name: "ns__Shop__c", fields: [{ name: "Key__c", length: 10, externalId: true }] })

const org = EmbeddedOrg.layerHttpClient({ objects: [category, part, shop], queueDelay: "1 second" })

const categories = run(
  { object: "Category__c" },
  "Name,Code__c,Exact__c,Number__c\nBolts,B,x,1\nNuts,N,X,2\nTwin,T,y,3\nTwin,t,z,3\n"
)

describe("relationship columns", () => {
  it.effect("find a record by its external id", () =>
    Effect.gen(function* () {
      yield* categories
      const { failed, successful } = yield* run(
        { object: "Part__c" },
        "Name,Category__r.Code__c\nM8,b\nM9,N\nM10,nope\nM11,t\n,B\nM12,\nM13,#N/A\n"
      )
      assert.deepStrictEqual(sortedRows(successful), [
        '"a01Qx0000000001IAA","true","M8","b"',
        '"a01Qx0000000002IAA","true","M9","N"'
      ])
      assert.deepStrictEqual(errors(failed), [
        "INVALID_FIELD:Foreign key external ID: nope not found for field Code__c in entity Category__c:--",
        "DUPLICATE_EXTERNAL_ID:Code__c: more than one record found for external id field: [a00Qx0000000003IAA, a00Qx0000000004IAA]:Code__c --",
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Category__c]:Category__c --",
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Category__c]:Category__c --"
      ])
      assert.deepStrictEqual(yield* select("SELECT Name, Category__c FROM Part__c ORDER BY Name"), [
        '"M8","a00Qx0000000001IAA"',
        '"M9","a00Qx0000000002IAA"'
      ])
    }).pipe(Effect.provide(org))
  )

  it.effect("compare keys as their fields do", () =>
    Effect.gen(function* () {
      yield* categories
      const exact = yield* run({ object: "Part__c" }, "Name,category__R.exact__C\na,x\nb,X\nc,Y\n")
      assert.deepStrictEqual(errors(exact.failed), [
        "INVALID_FIELD:Foreign key external ID: Y not found for field Exact__c in entity Category__c:--"
      ])
      const number = yield* run({ object: "Part__c" }, "Name,Category__r.Number__c\nd,1.0\ne,one\n")
      assert.deepStrictEqual(errors(number.failed), [
        "INVALID_FIELD:Foreign key external ID: one not found for field Number__c in entity Category__c:--"
      ])
      const id = yield* run({ object: "Part__c" }, "Name,Category__r.Id\nf,a00Qx0000000002\ng,a00Qx0000000009\n")
      assert.deepStrictEqual(errors(id.failed), [
        "INVALID_FIELD:Foreign key external ID: a00Qx0000000009 not found for field Id in entity Category__c:--"
      ])
      assert.deepStrictEqual(yield* select("SELECT Name, Category__c FROM Part__c ORDER BY Name"), [
        '"a","a00Qx0000000001IAA"',
        '"b","a00Qx0000000002IAA"',
        '"d","a00Qx0000000001IAA"',
        '"f","a00Qx0000000002IAA"'
      ])
    }).pipe(Effect.provide(org))
  )

  it.effect("are cleared by #N/A and left alone by nothing, on update", () =>
    Effect.gen(function* () {
      yield* run({ object: "Account" }, "Name\nAcme\nBrix\n")
      yield* run({ object: "Contact" }, "LastName,Email\nRao,rao@example.org\nLi,li@example.org\n")
      const { failed, successful } = yield* run(
        { object: "Contact", operation: "update" },
        "Id,ReportsTo.Email\n003Qx0000000001,LI@example.org\n003Qx0000000002,rao@example.org\n"
      )
      assert.deepStrictEqual(errors(failed), [])
      assert.strictEqual(sortedRows(successful)[0], '"003Qx0000000001IAA","false","003Qx0000000001","LI@example.org"')
      const soql = "SELECT LastName, ReportsToId FROM Contact ORDER BY LastName"
      assert.deepStrictEqual(yield* select(soql), ['"Li","003Qx0000000001IAA"', '"Rao","003Qx0000000002IAA"'])
      const cleared = yield* run(
        { object: "Contact", operation: "update" },
        "Id,ReportsTo.Email\n003Qx0000000001,#N/A\n003Qx0000000002,\n"
      )
      assert.deepStrictEqual(sortedRows(cleared.successful), [
        '"003Qx0000000001IAA","false","003Qx0000000001",""',
        '"003Qx0000000002IAA","false","003Qx0000000002",""'
      ])
      assert.deepStrictEqual(yield* select(soql), ['"Li","003Qx0000000001IAA"', '"Rao",""'])
      const parents = "SELECT LastName, ReportsTo.DoNotCall FROM Contact ORDER BY LastName"
      assert.deepStrictEqual(yield* select(parents), ['"Li","false"', '"Rao",""'])
    }).pipe(Effect.provide(org))
  )

  it.effect("name the type of polymorphic relationships, and of no others", () =>
    Effect.gen(function* () {
      yield* categories
      yield* run({ object: "Contact" }, "LastName,Email\nRao,rao@example.org\n")
      yield* run({ object: "ns__Shop__c" }, "Key__c\nK1\n")
      const made = yield* run(
        { object: "Part__c" },
        "Name,Category__r.Code__c,Contact:Maker__r.Email\na,B,rao@example.org\nb,B,li@example.org\n"
      )
      assert.deepStrictEqual(errors(made.failed), [
        "INVALID_FIELD:Foreign key external ID: li@example.org not found for field Email in entity Contact:--"
      ])
      yield* run({ object: "Part__c" }, "Name,Category__r.Code__c,NS__shop__c:Maker__r.Key__c\nc,B,k1\n")
      assert.deepStrictEqual(yield* select("SELECT Name, Maker__c FROM Part__c ORDER BY Name"), [
        '"a","003Qx0000000001IAA"',
        '"c","a02Qx0000000001IAA"'
      ])
      const faults: ReadonlyArray<readonly [header: string, message: string]> = [
        ["Maker__r.Email", "type is needed for polymorphic foreign key references: Maker__r"],
        [
          "Category__c:category__r.Code__c",
          "type is not needed for non polymorphic foreign key references: Category__r"
        ],
        ["Category__r:Category__c.Code__c", "Unable to find relationship: Category__c"],
        ["Category__r:Category__c:Code__c", "Field name not found : Category__r:Category__c:Code__c"],
        ["a:b:Category__r.Code__c", "Field name not found : a:b:Category__r.Code__c"],
        ["Category__r.Parent__r.Code__c", "Field name not found : Category__r.Parent__r.Code__c"],
        ["Category__r.Name", "Field name not found : Category__r.Name"],
        ["Category__r.", "Field name not found : Category__r."],
        ["Lead:Maker__r.Email", "Field name not found : Lead:Maker__r.Email"],
        ["Shop:Maker__r.Key__c", "Field name not found : Shop:Maker__r.Key__c"],
        ["Category__c,Category__r.Code__c", "Field name is duplicated : Category__r.Code__c"]
      ]
      for (const [header, message] of faults) {
        const { info } = yield* run({ object: "Part__c" }, `${header}\nx${header.includes(",") ? ",y" : ""}\n`)
        assert.strictEqual(info.state, "Failed", header)
        assert.strictEqual(info.errorMessage, `InvalidBatch : ${message}`)
      }
    }).pipe(Effect.provide(org))
  )

  it.effect("name a type without its namespace and its ending, as it was before version 57", () =>
    Effect.gen(function* () {
      yield* categories
      yield* run({ object: "ns__Shop__c" }, "Key__c\nK1\n")
      const embedded = yield* EmbeddedOrg.EmbeddedOrg
      const of = (version: string, header: string) =>
        Effect.gen(function* () {
          const { submit } = apiOf(yield* HttpClient.HttpClient, embedded, { object: "Part__c", version })
          const id = yield* submit({}, `Name,Category__r.Code__c,${header}\na,B,K1\n`)
          yield* TestClock.adjust("1 second")
          const { errorMessage, numberRecordsFailed, state } = yield* ended(id)
          return errorMessage ?? `${state} ${numberRecordsFailed}`
        })
      for (const type of ["ns__Shop__c", "ns__shop", "Shop"]) {
        assert.strictEqual(yield* of("56.0", `${type}:Maker__r.Key__c`), "JobComplete 0", type)
      }
      for (const [version, type] of [
        ["56.0", "Shop__c"],
        ["56.0", "op"],
        ["57.0", "ns__shop"],
        ["57.0", "Shop"]
      ] as const) {
        const name = `${type}:Maker__r.Key__c`
        assert.strictEqual(yield* of(version, name), `InvalidBatch : Field name not found : ${name}`)
      }
    }).pipe(Effect.provide(org))
  )

  it.effect("see records of batches before, not of their own", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 9_999 }, (_, i) => `F${i},\n`).join("")
      const { failed, info } = yield* run(
        { object: "Category__c" },
        `Code__c,Parent__r.Code__c\nfirst,\n${rows}later,first\n`
      )
      assert.deepStrictEqual(errors(failed), [])
      assert.strictEqual(info.numberRecordsProcessed, 10_001)
      const own = yield* run(
        { object: "Category__c" },
        `Code__c,Parent__r.Code__c\nsecond,later\n${rows.slice(0, 2_000)}third,second\n`
      )
      assert.deepStrictEqual(errors(own.failed), [
        "INVALID_FIELD:Foreign key external ID: second not found for field Code__c in entity Category__c:--"
      ])
    }).pipe(Effect.provide(org))
  )

  it.effect("do not see the recycle bin", () =>
    Effect.gen(function* () {
      yield* categories
      yield* run({ object: "Category__c", operation: "delete" }, "Id\na00Qx0000000001\n")
      const { failed } = yield* run({ object: "Part__c" }, "Name,Category__r.Code__c\na,B\n")
      assert.match(errors(failed)[0] ?? "", /^INVALID_FIELD:Foreign key external ID: B not found/)
    }).pipe(Effect.provide(org))
  )
})

describe("hard delete", () => {
  const mayHardDelete = EmbeddedOrg.layerHttpClient({ hardDelete: true, queueDelay: "1 second" })

  it.effect("leaves nothing behind", () =>
    Effect.gen(function* () {
      yield* run({ object: "Account" }, "Name\na\nb\nc\n")
      yield* run({ object: "Account", operation: "delete" }, "Id\n001Qx0000000001\n")
      const { failed, successful } = yield* run(
        { object: "Account", operation: "hardDelete" },
        "Id\n001Qx0000000001\n001Qx0000000002\n001Qx0000000002\n"
      )
      assert.deepStrictEqual(sortedRows(successful), ['"001Qx0000000002IAA","false","001Qx0000000002"'])
      assert.deepStrictEqual(errors(failed), [
        "ENTITY_IS_DELETED:entity is deleted:--",
        "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"
      ])
      assert.deepStrictEqual(yield* select("SELECT Name FROM Account ORDER BY Name", "queryAll"), ['"a"', '"c"'])
    }).pipe(Effect.provide(mayHardDelete))
  )

  it.effect("needs a permission", () =>
    Effect.gen(function* () {
      const { post } = yield* api
      const answer = yield* post("/jobs/ingest", { object: "Account", operation: "hardDelete" })
      assert.strictEqual(answer.status, 400)
      assert.include(answer.text, '"errorCode":"FEATURENOTENABLED"')
    }).pipe(Effect.provide(org))
  )
})

describe("upsert by Id", () => {
  it.effect("updates what the Id names, whatever its case, and inserts without one", () =>
    Effect.gen(function* () {
      yield* categories
      for (const externalIdFieldName of ["Id", "id"]) {
        const { failed, successful } = yield* run(
          { object: "Category__c", operation: "upsert", externalIdFieldName },
          `iD,Name\na00Qx0000000001,${externalIdFieldName}\n,new\na00Qx0000000099,x\na00Qx0000000001,again\n`
        )
        assert.strictEqual(
          sortedRows(successful)[0],
          `"a00Qx0000000001IAA","false","a00Qx0000000001","${externalIdFieldName}"`
        )
        assert.deepStrictEqual(errors(failed), [
          "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--",
          "DUPLICATE_VALUE:Duplicate id specified: a00Qx0000000001IAA:--"
        ])
      }
    }).pipe(Effect.provide(org))
  )

  it.effect("tells keys apart by case where their field does", () =>
    Effect.gen(function* () {
      const job = { object: "Category__c", operation: "upsert", externalIdFieldName: "Exact__c" }
      const { failed, successful } = yield* run(job, "Exact__c,Name\nk,one\nK,two\nk,three\n")
      assert.strictEqual(sortedRows(successful).length, 2)
      assert.deepStrictEqual(errors(failed), ["DUPLICATE_VALUE:Duplicate external id specified: k:--"])
    }).pipe(Effect.provide(org))
  )
})
