import { assert, describe, it } from "@effect/vitest"
import { parseQuery } from "@jetstreamapp/soql-parser-js"
import { DateTime, Effect, Result, Schema } from "effect"
import { Describe } from "../../src/org/index.ts"
import * as OrgSoql from "../../src/org/Soql.ts"
import * as Soql from "../../src/query/Soql.ts"
import { isSoql, raw, soql } from "../../src/query/Soql.ts"

const objects = new Map(
  Describe.standardObjects.map((object) => [object.name.toLowerCase(), Describe.withSystemFields(object)])
)

/** The literals of a parsed query, as they stand in JSON. */
const literals = /"'(?:[^"\\]|\\.)*'"/g

/** Reads a quoted SOQL literal as Salesforce does; anything but one literal is undefined. */
const unquote = (text: string): string | undefined => {
  const match = /^'((?:[^'\\\n\r]|\\.)*)'$/s.exec(text)
  const plain: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" }
  return match?.[1]?.replace(/\\(.)/gs, (_, char: string) => plain[char] ?? char)
}

describe("soql", () => {
  it("binds each kind of value as its literal", () => {
    const day = new Date("2026-11-23T20:41:12.000Z")
    const query = soql`A = ${"x"} AND B > ${1.5} AND C = ${true} AND D = ${null} AND E < ${day} AND F IN ${["a", "b"]}`
    assert.strictEqual(
      query.text,
      "A = 'x' AND B > 1.5 AND C = true AND D = null AND E < 2026-11-23T20:41:12.000Z AND F IN ('a', 'b')"
    )
    const paris = DateTime.makeZonedUnsafe(day, { timeZone: "Europe/Paris" })
    assert.strictEqual(soql`${paris}`.text, "2026-11-23T20:41:12.000Z")
  })

  it("takes other pieces of SOQL as they are", () => {
    const state = soql`State__c = ${"WA"}`
    assert.isTrue(isSoql(state))
    assert.strictEqual(
      soql`SELECT Id FROM ${raw("Airport__c")} WHERE ${state}`.text,
      "SELECT Id FROM Airport__c WHERE State__c = 'WA'"
    )
  })

  it("writes numbers without exponents", () => {
    assert.strictEqual(soql`${1e21} ${1e-7} ${-0.25}`.text, "1000000000000000000000 0.0000001 -0.25")
  })

  it.effect.prop("writes numbers so that they are read as the same", { value: Schema.Finite }, ({ value }) =>
    Effect.sync(() => {
      for (const number of [value, value * 1e300, value / 1e300]) {
        if (!Number.isFinite(number)) continue
        const { text } = soql`${number}`
        assert.match(text, /^-?\d+(?:\.\d+)?$/)
        assert.isTrue(Number(text) === number)
      }
    })
  )

  it("writes days for date fields", () => {
    const night = new Date("2026-11-23T23:30:00.000Z")
    const berlin = DateTime.makeZonedUnsafe(night, { timeZone: "Europe/Berlin" })
    assert.strictEqual(Soql.date(night).text, "2026-11-23")
    assert.strictEqual(Soql.date(DateTime.makeUnsafe(night)).text, "2026-11-23")
    assert.strictEqual(Soql.date(berlin).text, "2026-11-24")
    assert.strictEqual(soql`CloseDate = ${Soql.date({ year: 900, month: 2, day: 28 })}`.text, "CloseDate = 0900-02-28")
    for (const day of [
      { year: 2026, month: 2, day: 30 },
      { year: 2026, month: 13, day: 1 },
      { year: 12_026, month: 1, day: 1 }
    ]) {
      assert.throws(() => Soql.date(day), RangeError)
    }
    assert.throws(() => Soql.date({ year: 2026, month: 1, day: 1.5 }), RangeError)
  })

  it.effect.prop("lets no text out of its quotes", { text: Schema.String }, ({ text }) =>
    Effect.sync(() => {
      for (const hostile of [text, `${text}' OR Name != '`, `${text}\\`, `\\'${text}`]) {
        assert.strictEqual(unquote(soql`${hostile}`.text), hostile)
      }
    })
  )

  it.effect.prop("keeps the structure of a query, whatever its texts are", { text: Schema.String }, ({ text }) =>
    Effect.sync(() => {
      const query = (text: string) =>
        soql`SELECT Id FROM Account WHERE Name = ${text} AND (Site IN ${[text, "b"]} OR Type LIKE ${text}) LIMIT 3`.text
      const shapeOf = (query: string) => JSON.stringify(parseQuery(query)).replaceAll(literals, '"?"')
      const expected = shapeOf(query("x"))
      for (const hostile of [
        text,
        `${text}' OR Name != '`,
        `${text}\\`,
        `\\'${text}`,
        `${text}\n) --`,
        `x' LIMIT 1 //${text}`
      ]) {
        assert.strictEqual(shapeOf(query(hostile)), expected)
        assert.isTrue(
          Result.isSuccess(OrgSoql.compile(query(hostile), objects, { deleted: false, now: 0, rest: false }))
        )
      }
    })
  )

  it("refuses what SOQL has no literal for", () => {
    assert.throws(() => soql`${Number.NaN}`, /NaN is no number/)
    assert.throws(() => soql`${Number.POSITIVE_INFINITY}`, /Infinity is no number/)
    assert.throws(() => soql`${new Date("never")}`, RangeError)
    assert.throws(() => soql`${new Date(253_402_300_800_000)}`, /no year of four digits/)
    const sent: { readonly value: string } = JSON.parse('{"value":{"~effect-salesforce-bulk/Soql":1,"text":"x"}}')
    assert.throws(() => soql`Name = ${sent.value}`, /no literal for a value of type object/)
    assert.throws(() => soql`Name IN ${[sent.value]}`, /no literal for a value of type object/)
    assert.throws(() => soql`Id IN ${[]}`, /must not be empty/)
  })
})
