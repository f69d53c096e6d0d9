import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Describe from "../../src/org/Describe.ts"
import * as Soql from "../../src/org/Soql.ts"

const objects = new Map(
  [Describe.account, Describe.contact].map((object) => [object.name.toLowerCase(), Describe.withSystemFields(object)])
)

const compile = (text: string) => Soql.compile(text, objects, { deleted: false })

const refusal = (text: string): string => {
  const result = compile(text)
  return Result.isFailure(result) ? result.failure.message : assert.fail(`accepted: ${text}`)
}

const where = (condition: string) => {
  const result = compile(`SELECT Id FROM Account WHERE ${condition}`)
  if (Result.isFailure(result)) return assert.fail(result.failure.message)
  return { sql: result.success.sql.split(` WHERE "IsDeleted" = 0 AND `)[1], parameters: result.success.parameters }
}

describe("Soql", () => {
  it("selects fields under their own names, in the order asked for", () => {
    const result = Result.getOrThrow(compile("select NAME, id from ACCOUNT order by Name desc nulls last, Id limit 5"))
    assert.strictEqual(
      result.sql,
      `SELECT "Name", "Id" FROM "Account" WHERE "IsDeleted" = 0 ORDER BY "Name" DESC NULLS LAST, "Id" ASC NULLS FIRST LIMIT 5`
    )
    assert.strictEqual(result.object, "Account")
    assert.deepStrictEqual(
      result.fields.map((field) => field.name),
      ["Name", "Id"]
    )
  })

  it("sees deleted records only when told to", () => {
    const all = Result.getOrThrow(Soql.compile("SELECT Id FROM Account", objects, { deleted: true }))
    assert.strictEqual(all.sql, `SELECT "Id" FROM "Account"`)
  })

  it("binds every value, converted for its field", () => {
    assert.deepStrictEqual(where("Name = 'O\\'Neil'").parameters, ["O'Neil"])
    assert.deepStrictEqual(where("Name = ''").parameters, [null])
    assert.deepStrictEqual(where("NumberOfEmployees >= -12").parameters, [-12])
    assert.deepStrictEqual(where("IsDeleted = TRUE").parameters, [1])
    assert.deepStrictEqual(where("Id = '001A0000006Vm9r'").parameters, ["001A0000006Vm9rIAC"])
    assert.deepStrictEqual(where("CreatedDate > 2026-11-23T22:00:00+02:00").parameters, ["2026-11-23T20:00:00.000Z"])
    assert.deepStrictEqual(where("Name LIKE 'a\\_b%'").parameters, ["a\\_b%"])
    assert.deepStrictEqual(where("Name IN ('a', 'b', null)").parameters, ['["a","b"]'])
  })

  it("groups as it was written", () => {
    const { sql } = where("(Name = 'a' OR NOT Name = 'b') AND Phone != null")
    assert.strictEqual(sql, `((("Name" IS ?) OR NOT ("Name" IS ?)) AND NOT ("Phone" IS ?))`)
  })

  it("says where a query is wrong", () => {
    assert.strictEqual(
      refusal("SELECT Id,\n Foo__c FROM Account"),
      "\n Foo__c FROM Account\n ^\nERROR at Row:2:Column:2\nNo such column 'Foo__c' on entity 'Account'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
    )
    const places: ReadonlyArray<readonly [text: string, column: number, message: string]> = [
      ["SELECT Id FROM Acount", 16, "sObject type 'Acount' is not supported"],
      ["SELECT Id FRM Account", 11, "unexpected token: 'FRM', expecting FROM"],
      ["SELEC Id FROM Account", 1, "unexpected token: 'SELEC', expecting SELECT"],
      ["SELECT Id, FROM Account", 12, "unexpected token: 'FROM'"],
      ["SELECT Id FROM Account WHERE", 29, "unexpected token: '<EOF>'"],
      ["SELECT Id FROM Account WHERE Name ~ 'x'", 35, "unexpected token: '~'"],
      ["SELECT Id FROM Account WHERE Name = 'x", 37, "unclosed string literal"],
      ["SELECT Id FROM Account WHERE Name = 5", 37, "must be of type string and should be enclosed in quotes"],
      ["SELECT Id FROM Account WHERE AnnualRevenue = '5'", 46, "must be of type currency and should not be enclosed"],
      ["SELECT Id FROM Account WHERE CreatedDate > 'x'", 44, "must be of type dateTime and should not be enclosed"],
      ["SELECT Id FROM Account WHERE CreatedDate > 2026-02-30", 44, "invalid dateTime: 2026-02-30"],
      ["SELECT Id FROM Account WHERE Id = 'x'", 35, "invalid ID field: x"],
      ["SELECT Id FROM Account WHERE Id LIKE '001%'", 38, "invalid operator on id field 'Id'"],
      ["SELECT Id FROM Account WHERE Name='a' AND Name='b' OR Name='c'", 52, "unexpected token: 'OR'"],
      ["SELECT Id FROM Account WHERE (Name='a'", 39, "expecting ')'"],
      ["SELECT Id FROM Account LIMIT x", 30, "unexpected token: 'x'"],
      ["SELECT Id, Name, ID FROM Account", 18, "duplicate field selected: Id"]
    ]
    for (const [text, column, message] of places) {
      assert.include(refusal(text), `ERROR at Row:1:Column:${column}\n`, text)
      assert.include(refusal(text), message, text)
    }
  })

  it("names what Bulk, or this org, does not do", () => {
    const places: ReadonlyArray<readonly [text: string, column: number, message: string]> = [
      ["SELECT COUNT() FROM Account", 8, "Aggregate functions are not supported in Bulk Query: COUNT()"],
      ["SELECT MAX(Name) FROM Account", 8, "Aggregate functions are not supported in Bulk Query: MAX()"],
      ["SELECT FIELDS(ALL) FROM Account", 8, "Functions are not supported in Bulk Query: FIELDS()"],
      ["SELECT (SELECT Id FROM Contacts) FROM Account", 8, "Aggregate Relationships not supported in Bulk V2 Query"],
      ["SELECT TYPEOF What WHEN Account THEN Id END FROM Event", 8, "TYPEOF is not supported in Bulk Query"],
      ["SELECT Name FROM Account GROUP BY Name", 26, "GROUP BY is not supported in Bulk Query"],
      ["SELECT Id FROM Account LIMIT 5 OFFSET 5", 32, "OFFSET is not supported in Bulk Query"],
      ["SELECT BillingAddress FROM Account", 8, "Selecting compound data not supported in Bulk Query"],
      ["SELECT Owner.Name FROM Account", 8, "Relationship paths are not supported by the embedded org: 'Owner.Name'"],
      [
        "SELECT Id FROM Account WHERE CreatedDate = TODAY",
        44,
        "Date literals and names are not supported as values: 'TODAY'"
      ],
      ["SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)", 37, "Semi-joins are not supported"],
      ["SELECT Id FROM Account WHERE Type INCLUDES ('a')", 35, "INCLUDES is not supported"],
      ["SELECT Id FROM Account WHERE Name = :name", 37, "Bind variables are not supported"],
      ["SELECT Id FROM Account, Account.Contacts", 23, "Several objects in FROM are not supported"]
    ]
    for (const [text, column, message] of places) {
      assert.include(refusal(text), `ERROR at Row:1:Column:${column}\n`, text)
      assert.include(refusal(text), message, text)
    }
  })

  it("survives what is deep or long", () => {
    assert.include(refusal(`SELECT Id FROM Account WHERE ${"(".repeat(5_000)}`), "nested more than")
    assert.include(refusal(`SELECT Id FROM Account WHERE ${"NOT ".repeat(5_000)} Id = null`), "nested more than")
    assert.include(refusal(`SELECT ${"Id,".repeat(50_000)} Id FROM Account`), "cannot be longer")
  })
})
