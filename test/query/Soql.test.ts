import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Schema } from "effect"
import { isSoql, raw, soql } from "../../src/query/Soql.ts"

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

  it.effect.prop("lets no text out of its quotes", { text: Schema.String }, ({ text }) =>
    Effect.sync(() => {
      for (const hostile of [text, `${text}' OR Name != '`, `${text}\\`, `\\'${text}`]) {
        assert.strictEqual(unquote(soql`${hostile}`.text), hostile)
      }
    })
  )

  it("refuses what SOQL has no literal for", () => {
    assert.throws(() => soql`${Number.NaN}`, /NaN is no number/)
    assert.throws(() => soql`${Number.POSITIVE_INFINITY}`, /Infinity is no number/)
    assert.throws(() => soql`${new Date("never")}`, RangeError)
    assert.throws(() => soql`Id IN ${[]}`, /must not be empty/)
  })
})
