import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { objectOfCsv } from "../../src/org/objectOfCsv.ts"

const made = (path: string, text: string, isWhole = true) =>
  Result.map(objectOfCsv(path, text, isWhole), ({ fields, name }) => [name, ...fields.map((field) => field.name)])

describe("objectOfCsv", () => {
  it("names the object like the file, and its fields like the columns", () => {
    const expected: ReadonlyArray<readonly [path: string, text: string, names: Array<string>]> = [
      ["data/customers.csv", "Name,City__c\n1,2\n", ["Customers__c", "Name", "City__c"]],
      ["Inventory__c.csv", "Sku__c", ["Inventory__c", "Sku__c"]],
      ["2026 leads (new).csv", "\uFEFFA;B\r\n", ["X2026_leads_new__c", "A", "B"]],
      ["_.csv", '"A"\t"B"\tC\n', ["X__c", "A", "B", "C"]],
      ["t.csv", "name|b\n", ["T__c", "Name", "b"]]
    ]
    for (const [path, text, names] of expected) assert.deepStrictEqual(made(path, text), Result.succeed(names))
  })

  it("gives fields the lengths that custom fields have, and wants a name", () => {
    const { fields } = Result.getOrThrow(objectOfCsv("a.csv", "Name,B\n", true))
    assert.deepStrictEqual(
      fields.map(({ length, nillable }) => [length, nillable]),
      [
        [80, false],
        [255, true]
      ]
    )
  })

  it("says which columns cannot be fields, and what to call them", () => {
    assert.deepStrictEqual(
      made("a.csv", "First Name,ok,id,2nd\n"),
      Result.fail(
        "no field can have the name of the column 'First Name' (as First_Name__c), 'id' (as id__c), '2nd' (as X2nd__c): rename it in the file"
      )
    )
    assert.deepStrictEqual(made("a.csv", "A,a\n"), Result.fail("two columns have the name 'a'"))
  })

  it("knows a header only when it has all of it", () => {
    for (const [text, isWhole] of [
      ["", true],
      ["A,B", false],
      ['"A', true]
    ] as const) {
      assert.deepStrictEqual(made("a.csv", text, isWhole), Result.fail("there is no header"))
    }
  })
})
