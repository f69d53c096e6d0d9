// What queries answer over a few records that are known.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Describe from "../../src/org/Describe.ts"
import * as ids from "../../src/org/ids.ts"
import * as Soql from "../../src/org/Soql.ts"
import * as Store from "../../src/org/Store.ts"
import { daysOf } from "../../src/org/soqlDates.ts"

const tag = Describe.make({
  name: "Tag__c",
  keyPrefix: "a00",
  fields: [
    { name: "Name", length: 80 },
    { name: "Colors__c", type: "multipicklist", length: 200 },
    { name: "Exact__c", length: 20, caseSensitive: true },
    { name: "At__c", type: "time" },
    { name: "Key__c", length: 20, externalId: true },
    { name: "Parent__c", type: "reference", referenceTo: ["Tag__c"], relationshipName: "Parent__r" }
  ]
})

const all = [...Describe.standardObjects, tag].map(Describe.withSystemFields)
const objects = new Map(all.map((object) => [object.name.toLowerCase(), object]))

const id = (prefix: string, n: number) => ids.make(prefix, n)
const user = (n: number) => id("005", n)

const records: Readonly<Record<string, ReadonlyArray<Readonly<Record<string, Store.Value>>>>> = {
  User: [
    { Id: user(1), FirstName: "Asha", LastName: "Rao", Email: "rao@example.org", ManagerId: user(2) },
    { Id: user(2), LastName: "Li", Email: "li@example.org" }
  ],
  Account: [
    {
      Id: id("001", 1),
      Name: "Acme",
      Type: "Prospect",
      NumberOfEmployees: 10,
      AnnualRevenue: 1.5,
      OwnerId: user(1),
      CreatedDate: "2026-11-23T00:00:00.000Z"
    },
    {
      Id: id("001", 2),
      Name: "acme & Sons",
      NumberOfEmployees: 200,
      ParentId: id("001", 1),
      OwnerId: user(2),
      CreatedDate: "2026-11-22T23:59:59.999Z"
    },
    {
      Id: id("001", 3),
      Name: "100%_real\\",
      Type: "Other",
      ParentId: id("001", 2),
      OwnerId: user(1),
      CreatedDate: "2026-10-31T12:00:00.000Z"
    },
    { Id: id("001", 4), Name: "O'Neil\nCo", OwnerId: user(2), CreatedDate: "2025-12-31T23:00:00.000Z" },
    { Id: id("001", 5), Name: "Gone", IsDeleted: 1, OwnerId: user(1), CreatedDate: "2026-11-23T00:00:00.000Z" }
  ],
  Contact: [
    {
      Id: id("003", 1),
      LastName: "Ito",
      AccountId: id("001", 1),
      Birthdate: "2000-02-29",
      DoNotCall: 1,
      OwnerId: user(2)
    },
    { Id: id("003", 2), LastName: "Kim", AccountId: id("001", 2), Birthdate: "1999-12-31", DoNotCall: 0 },
    { Id: id("003", 3), LastName: "Lee", DoNotCall: 0 },
    { Id: id("003", 4), LastName: "Bin", AccountId: id("001", 3), DoNotCall: 0, IsDeleted: 1 }
  ],
  Lead: [{ Id: id("00Q", 1), LastName: "Abe", FirstName: "Jo", Company: "Brix", OwnerId: user(1) }],
  Task: [
    { Id: id("00T", 1), Subject: "a", WhoId: id("003", 1), WhatId: id("001", 1), OwnerId: user(1) },
    { Id: id("00T", 2), Subject: "b", WhoId: id("00Q", 1), OwnerId: user(2) },
    { Id: id("00T", 3), Subject: "c", OwnerId: user(2) }
  ],
  Tag__c: [
    { Id: id("a00", 1), Name: "one", Colors__c: "Red;Green", Exact__c: "x", At__c: "08:00:00.000Z" },
    {
      Id: id("a00", 2),
      Name: "two",
      Colors__c: "Green",
      Exact__c: "X",
      At__c: "20:30:00.000Z",
      Parent__c: id("a00", 1)
    },
    { Id: id("a00", 3), Name: "three", Colors__c: "Dark Green;100%", Parent__c: id("a00", 2) },
    { Id: id("a00", 4), Name: "four" }
  ]
}

const filled = Effect.gen(function* () {
  const store = yield* Store.make(all)
  for (const [object, rows] of Object.entries(records)) {
    for (const { Id, IsDeleted, ...values } of rows) {
      store.inserter(object, Object.keys(values))(String(Id), Object.values(values))
      if (IsDeleted === 1) store.updater(object, ["IsDeleted"])(String(Id), [1])
    }
  }
  return store
})

// a Monday
const now = Date.parse("2026-11-23T20:41:12Z")

const answer = (store: Store.Store, soql: string, options: Partial<Soql.Options> = {}) => {
  const query = Result.getOrThrow(Soql.compile(soql, objects, { deleted: false, now, ...options }))
  return {
    header: query.fields.map((field) => field.name).join(),
    rows: Array.from(store.select(query.sql, query.parameters), (row) => row.join()).join(" ")
  }
}

/** Conditions on Account, and the numbers of the records that satisfy them. */
const accounts: ReadonlyArray<readonly [condition: string, numbers: string]> = [
  ["Name = 'ACME'", "1"],
  ["Name != 'acme'", "2 3 4"],
  ["Name <> 'acme'", "2 3 4"],
  ["Type = null", "2 4"],
  ["Type = ''", "2 4"],
  ["Type != null", "1 3"],
  ["Type != 'Other'", "1 2 4"],
  ["NOT Type = 'Other'", "1 2 4"],
  ["NumberOfEmployees > 10", "2"],
  ["NumberOfEmployees >= 10", "1 2"],
  ["NumberOfEmployees < 200", "1"],
  ["NumberOfEmployees <= 200.0", "1 2"],
  ["NOT NumberOfEmployees > 10", "1 3 4"],
  ["NOT (NumberOfEmployees > 10 OR Type = 'Other')", "1 4"],
  ["NOT (NumberOfEmployees > 10 AND Type = 'Other')", "1 2 3 4"],
  ["AnnualRevenue = 1.5", "1"],
  ["AnnualRevenue = +1.50", "1"],
  ["Name > 'b'", "4"],
  // lists
  ["Name IN ('acme', 'gone', 'x')", "1"],
  ["name in ('acme', 'O\\'Neil\\nCo')", "1 4"],
  ["Type IN ('Prospect', null)", "1 2 4"],
  ["Type NOT IN ('Prospect')", "2 3 4"],
  ["Type NOT IN ('Prospect', null)", "3"],
  ["NOT Type IN ('Prospect')", "2 3 4"],
  [`Id IN ('${id("001", 1).slice(0, 15)}', '${id("001", 2)}')`, "1 2"],
  ["NumberOfEmployees IN (10, 20)", "1"],
  ["CreatedDate IN (TODAY, 2025-12-31T23:00:00Z)", "1 4"],
  [`CreatedDate IN (${"YESTERDAY, ".repeat(2_000)}TODAY)`, "1 2"],
  // patterns
  ["Name LIKE 'ACME%'", "1 2"],
  ["Name LIKE '_cme'", "1"],
  ["Name LIKE '%\\%\\_%'", "3"],
  ["Name LIKE '%\\\\'", "3"],
  ["Name LIKE '%\\'%\\n%'", "4"],
  ["NOT Name LIKE 'acme%'", "3 4"],
  ["NOT Type LIKE 'Pro%'", "2 3 4"],
  ["Name LIKE 'acme'", "1"],
  // AND and OR
  ["Type = 'Other' OR (Name LIKE 'acme%' AND NumberOfEmployees = 200)", "2 3"],
  ["(Type = 'Other' OR Name LIKE 'acme%') AND NumberOfEmployees = 200", "2"],
  ["Type = 'Other' OR Name = 'acme' OR Name = 'x'", "1 3"],
  ["NOT Type = 'Other' AND NumberOfEmployees = 200", "2"],
  // parents
  ["Parent.Name = 'acme'", "2"],
  ["Parent.Parent.Name = 'acme'", "3"],
  ["Account.Name = 'acme'", "1"],
  ["Parent.Name = null", "1 4"],
  ["Parent.Name != 'acme'", "1 3 4"],
  ["NOT Parent.Name LIKE 'a%'", "1 4"],
  ["Owner.Name = 'asha rao'", "1 3"],
  ["Owner.Manager.Email = 'li@example.org'", "1 3"],
  ["Parent.Parent.Owner.Manager.LastName = 'Li'", "3"],
  // semi-joins
  ["Id IN (SELECT AccountId FROM Contact)", "1 2"],
  ["Id NOT IN (SELECT AccountId FROM Contact)", "3 4"],
  ["Id IN (SELECT AccountId FROM Contact WHERE LastName = 'Ito') AND Name = 'acme'", "1"],
  ["Name LIKE '%c%' AND Id NOT IN (SELECT AccountId FROM Contact c WHERE c.LastName LIKE 'I%')", "2 4"],
  ["ParentId IN (SELECT AccountId FROM Contact WHERE Account.Name = 'acme')", "2"],
  ["OwnerId IN (SELECT Id FROM User WHERE Manager.LastName = 'Li')", "1 3"],
  // days, in UTC
  ["CreatedDate = TODAY", "1"],
  ["CreatedDate != today", "2 3 4"],
  ["CreatedDate = YESTERDAY", "2"],
  ["CreatedDate > YESTERDAY", "1"],
  ["CreatedDate >= YESTERDAY", "1 2"],
  ["CreatedDate < YESTERDAY", "3 4"],
  ["CreatedDate <= YESTERDAY", "2 3 4"],
  ["CreatedDate = TOMORROW", ""],
  ["CreatedDate = THIS_WEEK", "1 2"],
  ["CreatedDate = LAST_WEEK", ""],
  ["CreatedDate = THIS_MONTH", "1 2"],
  ["CreatedDate = LAST_MONTH", "3"],
  ["CreatedDate < THIS_QUARTER", "4"],
  ["CreatedDate = THIS_FISCAL_QUARTER", "1 2 3"],
  ["CreatedDate = LAST_YEAR", "4"],
  ["CreatedDate = THIS_FISCAL_YEAR", "1 2 3"],
  ["CreatedDate = LAST_N_DAYS:1", "1 2"],
  ["CreatedDate = LAST_N_DAYS : 23", "1 2 3"],
  ["CreatedDate = LAST_90_DAYS", "1 2 3"],
  ["CreatedDate = N_DAYS_AGO:1", "2"],
  ["CreatedDate = LAST_N_WEEKS:4", "3"],
  ["CreatedDate = LAST_N_MONTHS:1", "3"],
  ["CreatedDate = N_MONTHS_AGO:11", "4"],
  ["CreatedDate = LAST_N_YEARS:1", "4"],
  ["CreatedDate = N_YEARS_AGO:1", "4"],
  ["CreatedDate = LAST_N_QUARTERS:3", ""],
  ["CreatedDate = LAST_N_QUARTERS:4", "4"],
  ["CreatedDate = NEXT_N_DAYS:3", ""],
  ["CreatedDate < NEXT_YEAR", "1 2 3 4"],
  ["CreatedDate > LAST_N_YEARS:99999", "1 2 3"],
  ["CreatedDate >= LAST_N_YEARS:99999", "1 2 3 4"],
  ["CreatedDate < NEXT_N_YEARS:99999", "1 2 3 4"],
  ["NOT CreatedDate = TODAY", "2 3 4"],
  ["CreatedDate > 2026-11-23T01:00:00+02:00", "1 2"],
  ["CALENDAR_YEAR(CreatedDate) = 2025", "4"],
  ["CALENDAR_MONTH(CreatedDate) IN (10, 12)", "3 4"],
  ["CALENDAR_QUARTER(CreatedDate) = 4 AND DAY_IN_MONTH(CreatedDate) > 30", "3 4"],
  ["DAY_IN_WEEK(CreatedDate) = 2", "1"],
  ["DAY_IN_YEAR(CreatedDate) = 365", "4"],
  ["WEEK_IN_MONTH(CreatedDate) = 5", "3 4"],
  ["WEEK_IN_YEAR(CreatedDate) = 53", "4"],
  ["HOUR_IN_DAY(CreatedDate) = 23", "2 4"],
  ["DAY_ONLY(CreatedDate) = 2026-11-22", "2"],
  ["IsDeleted = false", "1 2 3 4"],
  ["IsDeleted = TRUE", ""]
]

/** Whole queries, their headers and rows. */
const queries: ReadonlyArray<readonly [soql: string, header: string, rows: string]> = [
  [
    "SELECT name, owner.NAME, Parent.owner.manager.email FROM account a WHERE a.Name LIKE 'acme%' ORDER BY A.Name",
    "Name,Owner.Name,Parent.Owner.Manager.Email",
    "Acme,Asha Rao, acme & Sons,Li,li@example.org"
  ],
  ["SELECT a.Id FROM Account AS a WHERE a.Name = 'acme'", "Id", id("001", 1)],
  [
    "SELECT Contact.LastName, Account.Name FROM Contact WHERE Account.Name != null",
    "LastName,Account.Name",
    "Ito,Acme Kim,acme & Sons"
  ],
  ["SELECT LastName FROM Contact WHERE Birthdate = 2000-02-29", "LastName", "Ito"],
  ["SELECT LastName FROM Contact WHERE Birthdate < LAST_N_YEARS:26", "LastName", "Kim"],
  ["SELECT LastName FROM Contact WHERE DoNotCall = true", "LastName", "Ito"],
  ["SELECT LastName FROM Contact ORDER BY Account.Name NULLS LAST", "LastName", "Ito Kim Lee"],
  ["SELECT Id FROM Account ORDER BY Name DESC", "Id", [4, 2, 1, 3].map((n) => id("001", n)).join(" ")],
  ["SELECT LastName FROM Contact ORDER BY Account.Name DESC", "LastName", "Lee Kim Ito"],
  ["SELECT LastName FROM Contact ORDER BY DoNotCall DESC, LastName DESC LIMIT 2", "LastName", "Ito Lee"],
  ["SELECT LastName FROM Contact LIMIT 0", "LastName", ""],
  [
    "SELECT LastName, ReportsTo.DoNotCall FROM Contact ORDER BY LastName",
    "LastName,ReportsTo.DoNotCall",
    "Ito, Kim, Lee,"
  ],
  [
    "SELECT Subject, Who.DoNotCall, Who.Owner.Name FROM Task ORDER BY Subject",
    "Subject,Who.DoNotCall,Who.Owner.Name",
    "a,1,Li b,,Asha Rao c,,"
  ],
  // polymorphic
  [
    "SELECT Subject, Who.Name, Who.Type, What.Name, What.Type, Owner.Name FROM Task ORDER BY Subject",
    "Subject,Who.Name,Who.Type,What.Name,What.Type,Owner.Name",
    "a,Ito,Contact,Acme,Account,Asha Rao b,Jo Abe,Lead,,,Li c,,,,,Li"
  ],
  ["SELECT Subject FROM Task WHERE Who.Name = 'JO ABE'", "Subject", "b"],
  ["SELECT Subject FROM Task WHERE Who.Type = 'contact' AND What.Type IN ('Account')", "Subject", "a"],
  ["SELECT Subject FROM Task WHERE WhoId IN (SELECT Id FROM Lead)", "Subject", "b"],
  ["SELECT Subject FROM Task WHERE Who.Name = null", "Subject", "c"],
  // multipicklists
  ["SELECT Name FROM Tag__c WHERE Colors__c INCLUDES ('Green') ORDER BY Name", "Name", "one two"],
  ["SELECT Name FROM Tag__c WHERE Colors__c includes ('green;red')", "Name", "one"],
  ["SELECT Name FROM Tag__c WHERE Colors__c INCLUDES ('Green;Red', '100%') ORDER BY Name", "Name", "one three"],
  ["SELECT Name FROM Tag__c WHERE Colors__c EXCLUDES ('Green') ORDER BY Name", "Name", "four three"],
  ["SELECT Name FROM Tag__c WHERE Colors__c = 'Green'", "Name", "two"],
  ["SELECT Name FROM Tag__c WHERE NOT Colors__c INCLUDES ('Dark Green') ORDER BY Name", "Name", "four one two"],
  // texts that mind their case, times, custom relationships
  ["SELECT Name FROM Tag__c WHERE Exact__c = 'x'", "Name", "one"],
  ["SELECT Name FROM Tag__c WHERE At__c > 12:00:00Z", "Name", "two"],
  ["SELECT Name FROM Tag__c WHERE At__c = 08:00:00.000Z", "Name", "one"],
  [
    "SELECT Name, Parent__r.Parent__r.Name FROM Tag__c WHERE Parent__r.Parent__c != null",
    "Name,Parent__r.Parent__r.Name",
    "three,one"
  ],
  ["SELECT Name FROM Tag__c WHERE Name = '\\u006fne'", "Name", "one"]
]

describe("answers of SOQL", () => {
  it("know the first century from the twentieth", () => {
    const days = daysOf("N_YEARS_AGO", 1950, Date.parse("2026-11-23"))
    assert.deepStrictEqual(days, { from: "0076-01-01", to: "0077-01-01" })
  })

  it.effect("are those of each condition", () =>
    Effect.gen(function* () {
      const store = yield* filled
      for (const [condition, numbers] of accounts) {
        const { rows } = answer(store, `SELECT Id FROM Account WHERE ${condition} ORDER BY Id`)
        const found = rows === "" ? "" : rows.split(" ").map(ids.serial).join(" ")
        assert.strictEqual(found, numbers, condition)
      }
    })
  )

  it.effect("have headers and rows in the order asked for", () =>
    Effect.gen(function* () {
      const store = yield* filled
      for (const [soql, header, rows] of queries) {
        assert.deepStrictEqual(answer(store, soql), { header, rows }, soql)
      }
    })
  )

  it.effect("have each record once, in its place, whatever changes meanwhile", () =>
    Effect.gen(function* () {
      const store = yield* Store.make(all)
      const insert = store.inserter("Tag__c", ["Name", "Key__c"])
      const setKey = store.updater("Tag__c", ["Key__c"])
      for (let n = 1; n <= 9; n++) insert(id("a00", n), [`n${n}`, null])
      for (const rest of ["", " WHERE Key__c > 'a'", " WHERE Key__c != null", " ORDER BY Key__c"]) {
        for (let n = 1; n <= 9; n++) setKey(id("a00", n), [`k${n}`])
        const query = Result.getOrThrow(
          Soql.compile(`SELECT Id, Name FROM Tag__c${rest}`, objects, { deleted: false, now })
        )
        const names: Array<unknown> = []
        for (const [found, name] of store.select(query.sql, query.parameters)) {
          names.push(name)
          // to where an index has it behind, or before, all others
          setKey(String(found), [names.length % 2 === 0 ? "b" : `z${names.length}`])
        }
        assert.deepStrictEqual(names, ["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"], rest)
      }
    })
  )

  it.effect("include the recycle bin when told to", () =>
    Effect.gen(function* () {
      const store = yield* filled
      const soql = "SELECT Name FROM Account WHERE OwnerId != null AND CreatedDate = TODAY ORDER BY Name"
      assert.strictEqual(answer(store, soql).rows, "Acme")
      assert.strictEqual(answer(store, soql, { deleted: true }).rows, "Acme Gone")
      const joined = "SELECT Name FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE LastName = 'Bin')"
      assert.strictEqual(answer(store, joined).rows, "")
      assert.strictEqual(answer(store, joined, { deleted: true }).rows, "100%_real\\")
    })
  )

  it.effect("count for REST, within a limit, and skip", () =>
    Effect.gen(function* () {
      const store = yield* filled
      const rest = { rest: true }
      assert.strictEqual(answer(store, "SELECT COUNT() FROM Account", rest).rows, "4")
      assert.strictEqual(answer(store, "SELECT COUNT() FROM Account WHERE Owner.LastName = 'Rao'", rest).rows, "2")
      assert.strictEqual(answer(store, "SELECT COUNT() FROM Account LIMIT 3", rest).rows, "3")
      assert.strictEqual(answer(store, "SELECT LastName FROM Contact ORDER BY LastName OFFSET 2", rest).rows, "Lee")
    })
  )

  it.effect("use indexes for keys, lookups and parents", () =>
    Effect.gen(function* () {
      const store = yield* filled
      const plan = (soql: string) => {
        const query = Result.getOrThrow(Soql.compile(soql, objects, { deleted: false, now }))
        return Array.from(store.select(`EXPLAIN QUERY PLAN ${query.sql}`, query.parameters), (row) => row[3]).join("; ")
      }
      for (const soql of [
        `SELECT Name FROM Account WHERE Id = '${id("001", 1)}'`,
        "SELECT Id FROM Contact WHERE Email = 'x@y.z'",
        `SELECT Id FROM Contact WHERE AccountId = '${id("001", 1)}' AND LastName != 'x'`,
        `SELECT Id FROM Contact WHERE AccountId IN ('${id("001", 1)}', '${id("001", 2)}')`,
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Email = 'x@y.z')"
      ]) {
        assert.notInclude(plan(soql).replaceAll("SCAN json_each", ""), "SCAN", soql)
      }
      assert.include(plan("SELECT Owner.Name FROM Account"), "SEARCH t1")
    })
  )
})
