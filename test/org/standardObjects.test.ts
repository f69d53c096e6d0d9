import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Describe from "../../src/org/Describe.ts"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import * as Rules from "../../src/org/Rules.ts"
import { errors, run, select } from "./running.ts"
import { sortedRows } from "./support.ts"

const org = EmbeddedOrg.layerHttpClient({ queueDelay: "1 second" })

const required: ReadonlyArray<readonly [object: string, prefix: string, fields: Array<string>]> = [
  ["Account", "001", ["Name"]],
  ["Contact", "003", ["LastName"]],
  ["Lead", "00Q", ["LastName", "Company"]],
  ["Opportunity", "006", ["Name", "StageName", "CloseDate"]],
  ["Case", "500", []],
  ["Task", "00T", []],
  ["Product2", "01t", ["Name"]],
  [
    "User",
    "005",
    [
      "Username",
      "LastName",
      "Email",
      "Alias",
      "CommunityNickname",
      "TimeZoneSidKey",
      "LocaleSidKey",
      "EmailEncodingKey",
      "ProfileId",
      "LanguageLocaleKey"
    ]
  ],
  ["Organization", "00D", []],
  ["Campaign", "701", ["Name"]],
  ["CampaignMember", "00v", ["CampaignId"]]
]

describe("standard objects", () => {
  it("have their key prefixes and required fields", () => {
    assert.deepStrictEqual(
      Describe.standardObjects.map((object) => [
        object.name,
        object.keyPrefix,
        object.fields.filter(Rules.isRequired).map((field) => field.name)
      ]),
      required.map((each) => [...each])
    )
  })

  it("name their relationships, and what these refer to is there", () => {
    const names = new Set(Describe.standardObjects.map((object) => object.name))
    const missing = new Set<string>()
    for (const object of Describe.standardObjects) {
      const seen = new Set<string>()
      for (const field of object.fields.filter((each) => each.type === "reference")) {
        assert.strictEqual(field.relationshipName, field.name.slice(0, -2))
        assert.isFalse(seen.has(field.name))
        seen.add(field.name)
        for (const name of field.referenceTo) if (!names.has(name)) missing.add(name)
      }
    }
    assert.deepStrictEqual([...missing].sort(), ["Group", "Profile", "UserRole"])
  })

  it.effect("take rows with what they require, and refuse others", () =>
    Effect.gen(function* () {
      const rows: ReadonlyArray<readonly [object: string, csv: string]> = [
        ["Account", "Name,Industry\nAcme,Energy\n"],
        ["Contact", "LastName,Salutation,AccountId\nRao,Dr.,001Qx0000000001\n"],
        ["Lead", "LastName,Company,FirstName\nLi,Brix,Wei\n"],
        ["Opportunity", "Name,StageName,CloseDate,Amount,Probability\nDeal,Closed Won,2026-12-31,1250.5,40\n"],
        ["Case", "Subject\nBroken\n"],
        ["Product2", "Name,IsActive\nBolt,true\n"],
        ["Campaign", "Name\nSpring\n"],
        ["CampaignMember", "CampaignId,ContactId\n701Qx0000000001,003Qx0000000001\n"],
        ["Task", "Subject,WhoId,WhatId\nCall,003Qx0000000001,006Qx0000000001\n"]
      ]
      for (const [object, csv] of rows) {
        const { failed, info } = yield* run({ object }, csv)
        assert.deepStrictEqual(errors(failed), [], object)
        assert.strictEqual(info.numberRecordsProcessed, 1, object)
      }
      const { failed } = yield* run({ object: "Opportunity" }, "Amount\n1\n")
      assert.deepStrictEqual(errors(failed), [
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Name, StageName, CloseDate]:Name,StageName,CloseDate --"
      ])
      const cleared = yield* run({ object: "Lead", operation: "update" }, "Id,Status\n00QQx0000000001,#N/A\n")
      assert.deepStrictEqual(errors(cleared.failed), [
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Status]:Status --"
      ])
      // with their defaults, and with what follows from other fields
      const stored: ReadonlyArray<readonly [soql: string, row: string]> = [
        ["SELECT Name, Status, IsConverted FROM Lead", '"Wei Li","Open - Not Contacted","false"'],
        ["SELECT IsClosed, IsWon, ExpectedRevenue FROM Opportunity", '"true","true","500.2"'],
        ["SELECT CaseNumber, Status, Priority, IsClosed FROM Case", '"00000001","New","Medium","false"'],
        ["SELECT Status, Priority, IsClosed, TaskSubtype FROM Task", '"Not Started","Normal","false","Task"'],
        ["SELECT Status, HasResponded FROM CampaignMember", '"Sent","false"']
      ]
      for (const [soql, row] of stored) assert.deepStrictEqual(yield* select(soql), [row])
    }).pipe(Effect.provide(org))
  )

  it.effect("begin with the API's user and the org itself", () =>
    Effect.gen(function* () {
      const { orgId } = yield* EmbeddedOrg.EmbeddedOrg
      assert.deepStrictEqual(
        yield* select(
          "SELECT Id, Name, InstanceName, IsSandbox, OrganizationType, TrialExpirationDate, NamespacePrefix FROM Organization"
        ),
        [`"${orgId}","Embedded Org","EMB1","true","Enterprise Edition","",""`]
      )
      assert.deepStrictEqual(yield* select("SELECT Id, Name, Username, IsActive FROM User"), [
        '"005Qx0000000001IAA","Embedded User","api@embedded-org.example","true"'
      ])
      const header =
        "Username,LastName,Email,Alias,CommunityNickname,TimeZoneSidKey,LocaleSidKey,EmailEncodingKey,ProfileId,LanguageLocaleKey"
      const { failed, successful } = yield* run(
        { object: "User" },
        `${header}\nb@c.de,B,b@c.de,b,b,GMT,en_US,UTF-8,00eQx0000000001,en_US\n`
      )
      assert.deepStrictEqual(errors(failed), [])
      assert.match(sortedRows(successful)[0] ?? "", /^"005Qx0000000002IAA"/)
      const owned = yield* run({ object: "Account" }, "Name,Owner.Username\nAcme,B@c.de\nBrix,x@c.de\n")
      assert.deepStrictEqual(errors(owned.failed), [
        "INVALID_FIELD:Foreign key external ID: x@c.de not found for field Username in entity User:--"
      ])
    }).pipe(Effect.provide(org))
  )

  it.effect("give way to a describe of the same name", () =>
    Effect.gen(function* () {
      yield* run({ object: "User" }, "Name\nonly\n")
      assert.deepStrictEqual(yield* select("SELECT Id, Name FROM User ORDER BY Id"), [
        '"005Qx0000000001IAA",""',
        '"005Qx0000000002IAA","only"'
      ])
    }).pipe(
      Effect.provide(
        EmbeddedOrg.layerHttpClient({
          objects: [Describe.make({ name: "User", keyPrefix: "005", fields: [{ name: "Name" }] })],
          queueDelay: "1 second"
        })
      )
    )
  )
})
