// Our parser of SOQL against another one: what both know, both accept or refuse.
import { assert, describe, it } from "@effect/vitest"
import { isQueryValid } from "@jetstreamapp/soql-parser-js"
import * as Result from "effect/Result"
import * as Describe from "../../src/org/Describe.ts"
import * as Soql from "../../src/org/Soql.ts"

const objects = new Map(
  Describe.standardObjects.map((object) => [object.name.toLowerCase(), Describe.withSystemFields(object)])
)

const accepts = (soql: string) => Result.isSuccess(Soql.compile(soql, objects, { deleted: false, now: 0, rest: true }))

describe("two parsers of SOQL", () => {
  for (const soql of [
    "SELECT Id FROM Account",
    "select id, Name from account where name = 'O\\'Hare' limit 5",
    "SELECT Id FROM Account WHERE AnnualRevenue > 1.5 AND (Name LIKE 'A%' OR NOT Name = null)",
    "SELECT Id FROM Contact WHERE Account.Name IN ('a', 'b') ORDER BY LastName DESC NULLS LAST, Id",
    "SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS:30 AND LastModifiedDate < 2026-01-01T00:00:00Z",
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Email != '')",
    "SELECT Id FROM Account WHERE Id NOT IN (SELECT AccountId FROM Contact)",
    "SELECT COUNT() FROM Account"
  ]) {
    it(`accept ${soql}`, () => assert.deepStrictEqual([accepts(soql), isQueryValid(soql)], [true, true]))
  }

  for (const soql of [
    "",
    "SELECT FROM Account",
    "SELECT Id Account",
    "SELECT Id, FROM Account",
    "SELECT Id FROM Account WHERE",
    "SELECT Id FROM Account WHERE Name = 'open",
    "SELECT Id FROM Account WHERE Name IN ()",
    "SELECT Id FROM Account WHERE (Name = 'a'",
    "SELECT Id FROM Account ORDER Name",
    "SELECT Id FROM Account LIMIT x"
  ]) {
    it(`refuse ${soql}`, () => assert.deepStrictEqual([accepts(soql), isQueryValid(soql)], [false, false]))
  }
})
