import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { putInstant } from "../../src/record/instants.ts"
import * as RecordCodec from "../../src/record/RecordCodec.ts"
import { type Put, putNumber, Slab } from "../../src/record/slab.ts"
import { random } from "./random.ts"

const slab = new Slab(1)
const written = <A>(put: Put<A>, value: A): string => {
  const end = put(slab, 0, value)
  return String.fromCharCode(...slab.bytes.subarray(0, end))
}

describe("Slab", () => {
  it("holds numbers as String writes them", () => {
    const { int } = random(7)
    const some = Array.from({ length: 50_000 }, () => {
      const digits = int(2) === 0 ? int(1_000_000) : int(2 ** 31) * 2 ** int(25)
      return ((int(2) === 0 ? -1 : 1) * digits) / 10 ** int(9) || 0
    })
    const edges = [0, 1, 9, 10, 2 ** 31 - 1, 2 ** 31, 2 ** 31 / 10, 2 ** 31 / 1_000, 0.1 + 0.2, 1e21, 5e-324, 0.001]
    for (const value of [...some, ...edges, ...edges.map((edge) => -edge || 0)]) {
      if (written(putNumber, value) !== String(value)) assert.strictEqual(written(putNumber, value), String(value))
    }
  })

  it("holds instants as ISO 8601 writes them", () => {
    const { int } = random(11)
    const some = Array.from({ length: 20_000 }, () => (int(2 ** 31) - 2 ** 30) * (1 + int(4_000)) + int(1_000))
    const [first, end] = [Date.parse("0000-01-01"), Date.UTC(10_000, 0)]
    for (const millis of [...some, 0, -1, 86_399_999, first, end - 1]) {
      assert.strictEqual(written(putInstant, millis), new Date(millis).toISOString())
    }
    for (const millis of [8.64e15, -8.64e15, first - 1, end]) assert.strictEqual(putInstant(slab, 0, millis), -1)
  })

  it("grows in the middle of a row, whatever follows a text", () => {
    const dates = Array.from({ length: 60 }, (_, i) => `At${i}`)
    const codec = Result.getOrThrow(
      RecordCodec.make(
        Schema.Struct({
          First: Schema.String,
          ...Object.fromEntries(dates.map((name) => [name, Schema.Date])),
          Last: Schema.String
        })
      )
    )
    const at = new Date("9999-12-31T23:59:59.999Z")
    // the first text fills what there is, to the last byte before the room for the rest of its row
    const First = "a".repeat(new Slab(codec.columns.length).room)
    const record = { First, ...Object.fromEntries(dates.map((name) => [name, at])), Last: "é,".repeat(900) }
    const { bytes } = codec.encoder({ nulls: "ignore" })([record, record] as never)
    const row = `${[First, ...dates.map(() => at.toISOString())].join(",")},"${record.Last}"\n`
    assert.strictEqual(new TextDecoder().decode(bytes), row + row)
  })
})
