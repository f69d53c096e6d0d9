import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Describe from "../../src/org/Describe.ts"
import * as Rules from "../../src/org/Rules.ts"

const field = (input: Partial<(typeof Describe.Field)["Encoded"]>): Describe.Field =>
  Describe.make({ name: "X", fields: [{ name: "F__c", label: "Eff", ...input }] }).fields[0]!

const convert = (input: Partial<(typeof Describe.Field)["Encoded"]>, text: string) => {
  const value = Rules.converter(field(input))(text)
  return Rules.isError(value) ? Rules.render([value]) : value
}

const notOfType = (text: string) => `INVALID_TYPE_ON_FIELD_IN_RECORD:Eff: value not of required type: ${text}:F__c --`

describe("Rules", () => {
  it("renders errors as sf__Error has them", () => {
    assert.strictEqual(
      Rules.render([Rules.requiredMissing(["LastName", "Email"])]),
      "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName, Email]:LastName,Email --"
    )
    assert.strictEqual(
      Rules.render([Rules.deletedRecord, Rules.noSuchRecord]),
      "ENTITY_IS_DELETED:entity is deleted:--INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"
    )
    assert.strictEqual(
      Rules.render([Rules.duplicateValue("Ext__c", "006Ov000004iYzqIAE")]),
      "DUPLICATE_VALUE:duplicate value found: Ext__c duplicates value on record with id: 006Ov000004iYzqIAE:--"
    )
  })

  it("reads booleans", () => {
    for (const text of ["true", "TRUE", "1"]) assert.strictEqual(convert({ type: "boolean" }, text), 1)
    for (const text of ["false", "False", "0"]) assert.strictEqual(convert({ type: "boolean" }, text), 0)
    for (const text of ["yes", "2", "constructor", "__proto__"]) {
      assert.strictEqual(convert({ type: "boolean" }, text), notOfType(text))
    }
  })

  it("reads numbers", () => {
    const double = { type: "double", precision: 5, scale: 2 }
    assert.strictEqual(convert(double, "1.5"), 1.5)
    assert.strictEqual(convert(double, "-2e2"), -200)
    assert.strictEqual(convert(double, ".5"), 0.5)
    for (const text of ["1,5", "abc", "0x10", "NaN", "1e", "--1"])
      assert.strictEqual(convert(double, text), notOfType(text))
    assert.strictEqual(
      convert(double, "1000"),
      "NUMBER_OUTSIDE_VALID_RANGE:Eff: value outside of valid range on numeric field: 1000:F__c --"
    )
    assert.strictEqual(convert({ type: "int" }, "42"), 42)
    for (const text of ["1.5", "2147483648", "x"]) assert.strictEqual(convert({ type: "int" }, text), notOfType(text))
  })

  it("is done soon with what is almost a number, however long", { timeout: 5_000 }, () => {
    const text = `${"1".repeat(131_000)}x`
    for (const type of ["double", "int"]) assert.strictEqual(convert({ type }, text), notOfType(text))
  })

  it("reads dates and times that exist", () => {
    assert.strictEqual(convert({ type: "date" }, "2024-02-29"), "2024-02-29")
    assert.strictEqual(convert({ type: "date" }, "2000-02-29"), "2000-02-29")
    for (const text of [
      "2023-02-29",
      "2100-02-29",
      "2024-04-31",
      "2024-01-32",
      "2024-13-01",
      "2024-00-10",
      "01/02/2024",
      "2024-1-1",
      "1940-06-07Z"
    ]) {
      assert.strictEqual(convert({ type: "date" }, text), notOfType(text))
    }
    const datetime = { type: "datetime" }
    assert.strictEqual(convert(datetime, "2026-11-23T20:41:12.000Z"), "2026-11-23T20:41:12.000Z")
    assert.strictEqual(convert(datetime, "2026-11-23T20:41:12+02:00"), "2026-11-23T18:41:12.000Z")
    assert.strictEqual(convert(datetime, "2026-11-23T20:41:12.5-0130"), "2026-11-23T22:11:12.500Z")
    assert.strictEqual(convert(datetime, "2026-11-23"), "2026-11-23T00:00:00.000Z")
    assert.strictEqual(convert(datetime, "2024-02-29T23:59:59.999Z"), "2024-02-29T23:59:59.999Z")
    for (const text of ["2023-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-11-00T00:00:00.000Z"]) {
      assert.strictEqual(convert(datetime, text), notOfType(text))
    }
    for (const text of ["2026-11-23 20:41:12", "2026-02-30T00:00:00Z", "2026-11-23T25:00:00Z"]) {
      assert.strictEqual(convert(datetime, text), notOfType(text))
    }
    for (const text of ["1700-01-01", "4000-12-31"]) {
      assert.strictEqual(convert({ type: "date" }, text), text)
      assert.strictEqual(convert(datetime, text), `${text}T00:00:00.000Z`)
    }
    const outOfRange = (text: string) => `FIELD_INTEGRITY_EXCEPTION:Eff: invalid date: ${text}:F__c --`
    for (const text of ["0000-01-01", "1699-12-31", "4001-01-01", "9999-12-31"]) {
      assert.strictEqual(convert({ type: "date" }, text), outOfRange(text))
      assert.strictEqual(convert(datetime, text), outOfRange(text))
    }
    for (const text of [
      "1700-01-01T00:00:00+01:00",
      "4000-12-31T00:00:00.001Z",
      "0000-01-01T00:00:00+01:00",
      "9999-12-31T23:59:59-01:00"
    ]) {
      assert.strictEqual(convert(datetime, text), outOfRange(text))
    }
    assert.strictEqual(convert({ type: "time" }, "20:41:12"), "20:41:12.000Z")
    assert.strictEqual(convert({ type: "time" }, "24:00:00"), notOfType("24:00:00"))
  })

  it("reads ids of 15 and 18 characters", () => {
    assert.strictEqual(convert({ type: "reference" }, "001A0000006Vm9r"), "001A0000006Vm9rIAC")
    assert.strictEqual(convert({ type: "id" }, "00x"), "MALFORMED_ID:Eff: id value of incorrect type: 00x:F__c --")
  })

  it("limits texts", () => {
    assert.strictEqual(convert({ length: 3 }, "abc"), "abc")
    assert.strictEqual(
      convert({ length: 3 }, "abcd"),
      "STRING_TOO_LONG:Eff: data value too large: abcd (max length=3):F__c --"
    )
    assert.strictEqual(convert({}, "abcd"), "abcd")
  })

  it("reads emails", () => {
    const email = { type: "email", length: 80 }
    for (const text of ["a@b.co", "jo.o'neil+x@sub.example.org"]) assert.strictEqual(convert(email, text), text)
    for (const text of ["a", "a@b", "a b@c.de", "@b.co", "a@b.co,c@d.co"]) {
      assert.strictEqual(convert(email, text), `INVALID_EMAIL_ADDRESS:Eff: invalid email address: ${text}:F__c --`)
    }
  })

  it("restricts restricted picklists only, to their active values", () => {
    const values = [{ value: "Hot" }, { value: "Cold" }, { value: "Old", active: false }]
    const restricted = { type: "picklist", restrictedPicklist: true, picklistValues: values }
    const refused = (text: string) =>
      `INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:bad value for restricted picklist field: ${text}:F__c --`
    assert.strictEqual(convert(restricted, "Hot"), "Hot")
    assert.strictEqual(convert(restricted, "Old"), refused("Old"))
    assert.strictEqual(convert({ ...restricted, restrictedPicklist: false }, "Any"), "Any")
    assert.strictEqual(convert({ ...restricted, type: "multipicklist" }, "Hot;Cold"), "Hot;Cold")
    assert.strictEqual(convert({ ...restricted, type: "multipicklist" }, "Hot;Warm"), refused("Warm"))
  })

  it("writes doubles as Java does", () => {
    const written: ReadonlyArray<readonly [number, string]> = [
      [0, "0.0"],
      [1.5, "1.5"],
      [912, "912.0"],
      [-0.001, "-0.001"],
      [0.0009, "9.0E-4"],
      [9_999_999, "9999999.0"],
      [1e7, "1.0E7"],
      [912_260_031, "9.12260031E8"],
      [-1.23e-7, "-1.23E-7"]
    ]
    for (const [value, text] of written) assert.strictEqual(Rules.javaDouble(value), text)
  })

  it.prop(
    "writes doubles as they are, whatever their decimals",
    {
      n: Schema.Int.check(Schema.isBetween({ minimum: -999_999_999, maximum: 999_999_999 })),
      scale: Schema.Literals([0, 1, 2, 3, 5])
    },
    ({ n, scale }) => {
      const value = n / 10 ** scale
      const text = Rules.javaDouble(value)
      assert.strictEqual(Number(text), value)
      if (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e7)) {
        assert.strictEqual(text, Number.isInteger(value) ? `${value}.0` : String(value))
      } else assert.match(text, /^-?\d\.\d+E-?\d+$/)
    },
    { arbitrary: { runs: 1_000 } }
  )

  it("knows what an inserted row must bring, and what it gets", () => {
    assert.isTrue(Rules.isRequired(field({ nillable: false })))
    assert.isFalse(Rules.isRequired(field({ nillable: false, defaultedOnCreate: true })))
    assert.isFalse(Rules.isRequired(field({ nillable: false, createable: false })))
    assert.isFalse(Rules.isRequired(field({ nillable: false, type: "boolean" })))
    assert.strictEqual(Rules.defaultValue(field({ type: "boolean" }), "005"), 0)
    assert.strictEqual(Rules.defaultValue(field({ name: "OwnerId", type: "reference" }), "005"), "005")
    assert.strictEqual(
      Rules.defaultValue(field({ picklistValues: [{ value: "a" }, { value: "b", defaultValue: true }] }), "005"),
      "b"
    )
    assert.strictEqual(Rules.defaultValue(field({ defaultValue: "new" }), "005"), "new")
    assert.strictEqual(Rules.defaultValue(field({ type: "double", defaultValue: 1.5 }), "005"), 1.5)
    assert.isNull(Rules.defaultValue(field({}), "005"))
  })
})
