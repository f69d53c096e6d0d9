import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Describe from "../../src/org/Describe.ts"
import * as Soql from "../../src/org/Soql.ts"

const objects = new Map(
  Describe.standardObjects.map((object) => [object.name.toLowerCase(), Describe.withSystemFields(object)])
)

const now = Date.parse("2026-11-23T20:41:12Z")
const compile = (text: string, rest = false) => Soql.compile(text, objects, { deleted: false, now, rest })

const refusal = (text: string, rest = false): string => {
  const result = compile(text, rest)
  return Result.isFailure(result) ? result.failure.message : assert.fail(`accepted: ${text}`)
}

const where = (condition: string) => {
  const result = compile(`SELECT Id FROM Account WHERE ${condition}`)
  if (Result.isFailure(result)) return assert.fail(result.failure.message)
  const [, sql] = / WHERE t0."IsDeleted" = 0 AND (.*) ORDER BY t0\.rowid$/s.exec(result.success.sql) ?? []
  return { sql, parameters: result.success.parameters }
}

describe("Soql", () => {
  it("selects fields under their own names, in the order asked for", () => {
    const result = Result.getOrThrow(compile("select NAME, id from ACCOUNT order by Name desc nulls last, Id limit 5"))
    assert.strictEqual(
      result.sql,
      `SELECT t0."Name", t0."Id" FROM "Account" AS t0 WHERE t0."IsDeleted" = 0 ORDER BY +t0."Name" DESC NULLS LAST, t0."Id" ASC NULLS FIRST LIMIT 5`
    )
    assert.strictEqual(result.object, "Account")
    assert.deepStrictEqual(
      result.fields.map((field) => field.name),
      ["Name", "Id"]
    )
  })

  it("sees deleted records only when told to", () => {
    const all = Result.getOrThrow(Soql.compile("SELECT Id FROM Account", objects, { deleted: true, now }))
    assert.strictEqual(all.sql, `SELECT t0."Id" FROM "Account" AS t0 ORDER BY t0.rowid`)
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

  it("orders by nulls as it is told, and finds them first if it is not", () => {
    const orderOf = (order: string) =>
      Result.getOrThrow(compile(`SELECT Id FROM Account ORDER BY ${order}`)).sql.split(" ORDER BY ")[1]
    assert.strictEqual(orderOf("Name ASC NULLS FIRST"), `+t0."Name" ASC NULLS FIRST`)
    assert.strictEqual(orderOf("Name ASC NULLS LAST"), `+t0."Name" ASC NULLS LAST`)
    assert.strictEqual(orderOf("Name DESC"), `+t0."Name" DESC NULLS FIRST`)
    assert.match(refusal("SELECT Id FROM Account ORDER BY Name NULLS"), /unexpected|expecting/)
  })

  it("takes no value that is none", () => {
    assert.deepStrictEqual(where("ParentId = ''").parameters, [null])
    assert.match(
      where("Id IN (SELECT AccountId FROM Contact WHERE Name = 'a')").sql ?? "",
      / AND t1\."AccountId" IS NOT NULL\)/
    )
    for (const [condition, message] of [
      ["LastActivityDate = 2026-02-30", /invalid date: 2026-02-30/],
      ["CreatedDate = 2026-02-30T00:00:00Z", /invalid dateTime: 2026-02-30T00:00:00Z/],
      ["CreatedDate LIKE TODAY", /LIKE|expecting|unexpected/],
      ["CreatedDate > 'x'", /must be of type dateTime and should not be enclosed in quotes/],
      ["ParentId = 5", /must be of type ID and should be enclosed in quotes/],
      ["Name ~ 'x'", /./]
    ] as const) {
      assert.match(refusal(`SELECT Id FROM Account WHERE ${condition}`), message, condition)
    }
  })

  it("refuses objects that cannot be queried", () => {
    const hidden = Describe.make({ name: "Hidden__c", queryable: false, fields: [{ name: "Name" }] })
    const result = Soql.compile("SELECT Name FROM Hidden__c", new Map([["hidden__c", hidden]]), { deleted: false, now })
    assert.include(
      Result.isFailure(result) ? result.failure.message : "",
      "entity type Hidden__c does not support query"
    )
  })

  it("groups as it was written", () => {
    const { sql } = where("(Name = 'a' OR NOT Name = 'b') AND Phone != null")
    assert.strictEqual(sql, `(((t0."Name" = ?) OR NOT (t0."Name" IS ?)) AND (t0."Phone" IS NOT ?))`)
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
      ["SELECT Id FROM Account WHERE Name 'x'", 35, "unexpected token: ''x''"],
      ["SELECT Id FROM Account WHERE Name = 'x'   #", 43, "unexpected token: '#'"],
      ["SELECT Id FROM Account ORDER BY COUNT(Id)", 33, "Aggregate functions are not supported in Bulk Query: COUNT()"],
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
      ["SELECT TYPEOF What WHEN Account THEN Id END FROM Event", 8, "TYPEOF is not supported in Bulk Query"],
      ["SELECT Name FROM Account GROUP BY Name", 26, "GROUP BY is not supported in Bulk Query"],
      ["SELECT Id FROM Account LIMIT 5 OFFSET 5", 32, "OFFSET is not supported in Bulk Query"],
      ["SELECT toLabel(Type) FROM Account", 8, "Functions are not supported in Bulk Query: toLabel()"],
      ["SELECT FORMAT(AnnualRevenue) FROM Account", 8, "Functions are not supported in Bulk Query: FORMAT()"],
      [
        "SELECT Id FROM Account WHERE convertCurrency(X) > 1",
        30,
        "Functions are not supported in Bulk Query: convertCurrency()"
      ],
      ["SELECT Id FROM Account USING SCOPE mine", 24, "USING is not supported in Bulk Query"],
      ["SELECT Id FROM Account WITH SECURITY_ENFORCED", 24, "WITH is not supported in Bulk Query"],
      ["SELECT Id FROM Account FOR VIEW", 24, "FOR is not supported in Bulk Query"],
      ["SELECT Id FROM Account ALL ROWS", 24, "ALL is not supported in Bulk Query"],
      ["SELECT Nope.Name FROM Account", 8, "Didn't understand relationship 'Nope' in field path."],
      ["SELECT Profile.Name FROM User", 8, "Didn't understand relationship 'Profile' in field path."],
      ["SELECT Owner.Nope FROM Account", 8, "No such column 'Nope' on entity 'User'."],
      ["SELECT Who.Nope FROM Task", 8, "No such column 'Nope' on entity 'Name'."],
      [
        "SELECT Parent.Parent.Parent.Parent.Parent.Parent.Name FROM Account",
        8,
        "Relationship paths have at most 5 levels"
      ],
      ["SELECT Owner.Name, owner.NAME FROM Account", 20, "duplicate field selected: Owner.Name"],
      ["SELECT Id FROM Account WHERE Type INCLUDES ('a')", 35, "invalid operator on picklist field 'Type': INCLUDES"],
      ["SELECT Id FROM Account WHERE Description = 'a'", 30, "field 'Description' can not be filtered in a query call"],
      ["SELECT Id FROM Account ORDER BY Description", 33, "field 'Description' can not be sorted in a query call"],
      ["SELECT Id FROM Account WHERE IsDeleted > false", 42, "invalid operator on boolean field 'IsDeleted': >"],
      ["SELECT Id FROM Account WHERE Name = TODAY", 37, "must be of type string and should be enclosed"],
      ["SELECT Id FROM Account WHERE CreatedDate = SOMEDAY", 44, "unexpected token: 'SOMEDAY'"],
      ["SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS", 55, "expecting ':'"],
      ["SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS:x", 56, "unexpected token: 'x'"],
      ["SELECT Id FROM Account WHERE HOUR_IN_DAY(Name) = 1", 42, "HOUR_IN_DAY() does not take string field 'Name'"],
      [
        "SELECT Id FROM Account WHERE Name IN (SELECT AccountId FROM Contact)",
        30,
        "should be an id field, cannot use: 'Name'"
      ],
      ["SELECT Id FROM Account WHERE Id IN (SELECT Name FROM Contact)", 44, "should point to the same object type"],
      [
        "SELECT Id FROM Account WHERE Id IN (SELECT ReportsToId FROM Contact)",
        44,
        "should point to the same object type"
      ],
      ["SELECT Id FROM Account WHERE Id IN (SELECT Id FROM Account)", 52, "should not be on the same object type"],
      [
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Id IN (SELECT ContactId FROM Case))",
        80,
        "Nesting of semi join sub-selects is not supported"
      ],
      [
        "SELECT Id FROM Account WHERE Name = 'a' OR Id IN (SELECT AccountId FROM Contact)",
        44,
        "Semi join sub-selects are not allowed with the 'OR' operator"
      ],
      ["SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact LIMIT 1)", 67, "expecting ')'"],
      ["SELECT Id FROM Account WHERE Name = :name", 37, "Bind variables are not supported"],
      ["SELECT Id FROM Account, Account.Contacts", 23, "Several objects in FROM are not supported"]
    ]
    for (const [text, column, message] of places) {
      assert.include(refusal(text), `ERROR at Row:1:Column:${column}\n`, text)
      assert.include(refusal(text), message, text)
    }
  })

  it("refuses compound fields and children in the very words of Bulk", () => {
    assert.strictEqual(
      refusal("SELECT BillingAddress FROM Account"),
      "Selecting compound data not supported in Bulk Query"
    )
    assert.strictEqual(
      refusal("SELECT Id, (SELECT Id FROM Contacts) FROM Account"),
      "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"
    )
  })

  it("takes more from REST", () => {
    const count = Result.getOrThrow(compile("SELECT count() FROM Account WHERE Name != null LIMIT 5", true))
    assert.isTrue(count.count)
    assert.deepStrictEqual(count.fields, [])
    assert.isFalse(Result.getOrThrow(compile("SELECT Id FROM Account", true)).count)
    assert.match(Result.getOrThrow(compile("SELECT Id FROM Account OFFSET 5", true)).sql, / LIMIT -1 OFFSET 5$/)
    assert.strictEqual(refusal("SELECT Id FROM Account OFFSET 2001", true), "Maximum SOQL offset allowed is 2000")
    assert.include(refusal("SELECT COUNT(Id) FROM Account", true), "not supported by the embedded org: COUNT()")
    assert.include(refusal("SELECT BillingAddress FROM Account", true), "Compound fields are not supported by the")
    assert.include(refusal("SELECT (SELECT Id FROM Contacts) FROM Account", true), "Subqueries in SELECT are not")
    assert.include(refusal("SELECT Id FROM Account GROUP BY Id", true), "GROUP BY is not supported by the embedded org")
  })

  it("gives the codes of REST", () => {
    const code = (text: string) => {
      const result = compile(text)
      return Result.isFailure(result) ? result.failure.code : undefined
    }
    assert.strictEqual(code("SELECT"), "MALFORMED_QUERY")
    assert.strictEqual(code("SELECT Nope FROM Account"), "INVALID_FIELD")
    assert.strictEqual(code("SELECT Nope.Id FROM Account"), "INVALID_FIELD")
    assert.strictEqual(code("SELECT Id FROM Nope"), "INVALID_TYPE")
    assert.strictEqual(code("SELECT Id FROM Account WHERE Id = 'x'"), "INVALID_QUERY_FILTER_OPERATOR")
  })

  it("survives what is deep or long", () => {
    assert.include(refusal(`SELECT Id FROM Account WHERE ${"(".repeat(5_000)}`), "nested more than")
    assert.include(refusal(`SELECT Id FROM Account WHERE ${"NOT ".repeat(5_000)} Id = null`), "nested more than")
    assert.include(refusal(`SELECT Id FROM Account WHERE Name LIKE '${"%a".repeat(20_000)}'`), "pattern is too long")
    assert.include(refusal(`SELECT ${"Id,".repeat(50_000)} Id FROM Account`), "cannot be longer")
    const fields = Array.from({ length: 700 }, (_, n) => ({ name: `F${n}__c` }))
    const parent = { name: "Parent__c", type: "reference", referenceTo: ["Wide__c"], relationshipName: "Parent__r" }
    const object = Describe.withSystemFields(Describe.make({ name: "Wide__c", fields: [...fields, parent] }))
    const wide = new Map([["wide__c", object]])
    const paths = ["", "Parent__r.", "Parent__r.Parent__r."].flatMap((path) => fields.map(({ name }) => path + name))
    for (const text of [
      `SELECT ${paths.join()} FROM Wide__c`,
      `SELECT Id FROM Wide__c ORDER BY ${paths.join()}`,
      `SELECT Id FROM Wide__c WHERE CreatedDate IN (${"TODAY,".repeat(16_400)}TODAY)`
    ]) {
      const result = Soql.compile(text, wide, { deleted: false, now })
      assert.isTrue(Result.isFailure(result) && result.failure.code === "QUERY_TOO_COMPLICATED", text.slice(0, 50))
    }
  })
})
