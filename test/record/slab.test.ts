import { assert, describe, it } from "@effect/vitest"
import { Result, Schema, SchemaTransformation } from "effect"
import { putInstant } from "../../src/record/cells/instants.ts"
import { encodeRows } from "../../src/record/csv/rows.ts"
import { full, type Put, putNumber, room, Slab } from "../../src/record/csv/slab.ts"
import { loopTexts, wasmTexts } from "../../src/record/csv/texts.ts"
import * as limits from "../../src/record/limits.ts"
import * as RecordCodec from "../../src/record/RecordCodec.ts"
import { random } from "./random.ts"

const slab = new Slab()
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
    const amounts = Array.from({ length: 50_000 }, () => int(10 ** int(11)) + int(10 ** int(5)) / 10 ** int(5))
    const edges = [
      0,
      1,
      9,
      10,
      2 ** 31 - 1,
      2 ** 31,
      2 ** 31 / 10,
      2 ** 31 / 1_000,
      0.1 + 0.2,
      1e21,
      5e-324,
      0.001,
      0.9996,
      0.9999999999999999,
      2 ** 31 - 0.001
    ]
    for (const value of [...some, ...amounts, ...edges, ...edges.map((edge) => -edge || 0)]) {
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

  const most = room / 3

  /** Between two texts as many instants as there are to be columns besides. */
  const rowsOf = (columns: number) => {
    const dates = Array.from({ length: columns - 2 }, (_, i) => `At${i}`)
    const codec = Result.getOrThrow(
      RecordCodec.make(
        Schema.Struct({
          First: Schema.String,
          ...Object.fromEntries(dates.map((name) => [name, Schema.Date])),
          Last: Schema.String
        })
      )
    )
    const at = Object.fromEntries(dates.map((name) => [name, new Date("9999-12-31T23:59:59.999Z")]))
    const record = (First: string, Last: string) => ({ First, ...at, Last }) as never
    const check = (records: ReadonlyArray<never>, lineEnding: "LF" | "CRLF" = "LF"): void => {
      const dialect = { columnDelimiter: "COMMA", lineEnding } as const
      const rowOf = (record: never) =>
        Result.getOrThrow(codec.encode(record, "ignore")).map((cell) =>
          lineEnding === "CRLF" ? cell.replaceAll("\n", "\r\n") : cell
        )
      const { bytes } = codec.encoder({ nulls: "ignore", dialect })(records)
      const expected = new TextEncoder().encode(encodeRows(records.map(rowOf), dialect))
      assert.isTrue(Buffer.from(bytes).equals(expected))
    }
    return { record, check }
  }

  it("has room for rows however long, and leaves to Schema what has none", () => {
    const { int, of } = random(13)
    const { check, record } = rowsOf(200)
    const lengths = [0, 1, full / 2, full, most - 1, most]
    const length = () => (int(2) === 0 ? int(most) : of(lengths))
    const records = Array.from({ length: 50 }, () =>
      record("a".repeat(length()), of(["\n", "東", "b"]).repeat(length()))
    )
    check(records)
    check(records, "CRLF")
  })

  it("has room for the longest text, as far behind as one may begin, and for what follows", () => {
    const { check, record } = rowsOf(2)
    check([record("", "a".repeat(full - 2)), record("東".repeat(most), "a".repeat(most))])
    const wide = rowsOf(limits.columns)
    wide.check([wide.record("東".repeat(most), "")])
  })

  it("leaves rows of more columns than there are to Schema", () => {
    const codec = Result.getOrThrow(RecordCodec.make(Schema.Struct({ At: Schema.Date })))
    const columns = new Array<string>(30_000).fill("At")
    const { bytes } = codec.encoder({ nulls: "ignore", columns })([{ At: new Date(0) }])
    assert.strictEqual(new TextDecoder().decode(bytes), `${columns.fill("1970-01-01T00:00:00.000Z").join()}\n`)
  })

  it("is lent to an encoder that another one uses", () => {
    const [inner, outer] = [Schema.String, InQuotes].map((field) =>
      Result.getOrThrow(RecordCodec.make(Schema.Struct({ First: Schema.String, Last: field })))
    )
    const write = inner!.encoder({ nulls: "ignore" })
    nested = (text) => new TextDecoder().decode(write([{ First: "x", Last: text }] as never).bytes)
    const { bytes } = outer!.encoder({ nulls: "ignore" })([{ First: "a", Last: "b" }] as never)
    assert.strictEqual(new TextDecoder().decode(bytes), 'a,"x,b\n"\n')
  })
})

let nested: (text: string) => string = (text) => text

/** A text that is written as CSV within its cell. */
const InQuotes = Schema.String.pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({ decode: (text) => text, encode: (text) => nested(text) })
  )
)

describe("Texts", () => {
  it("are copied by WebAssembly here, and on every Node from 22.19 on", () => {
    assert.isDefined(wasmTexts(1))
  })

  it("are copied by WebAssembly as by a loop", () => {
    const size = 4_096
    const loop = loopTexts(size)
    const wasm = wasmTexts(size) ?? loopTexts(size)
    const { int, of } = random(17)
    const alphabets = [
      "ab ",
      "abcdefghijklmnopqrstuvwxyz0123456789",
      'x"',
      "x\n",
      "x\r",
      "x#",
      "x,;\t|^`",
      "xé",
      "x東",
      "x\u007f\u0080"
    ]
    const plain = alphabets[1]!
    const tally = { copied: 0, special: 0 }
    for (let i = 0; i < 20_000; i++) {
      const alphabet = of(alphabets)
      const length = int(i % 10 === 0 ? 1_000 : 40)
      // one character that is special, at any place, or many
      const chars = Array.from({ length }, () => of([...plain]))
      for (let many = int(3); many > 0 && length > 0; many--) chars[int(length)] = of([...alphabet])
      const text = chars.join("")
      // as V8 holds texts: flat, a piece of one, and two that are not put together yet
      const held = of([text, `${plain}${text}`.slice(plain.length), text.slice(0, length / 2) + text.slice(length / 2)])
      const delimiter = of([...",;\t|^`"]).charCodeAt(0)
      const at = int(100)
      const end = loop.copy(held, at, delimiter)
      assert.strictEqual(wasm.copy(held, at, delimiter), end, JSON.stringify(text))
      const isPlain = !new RegExp(`["\r\n#\\${String.fromCharCode(delimiter)}\u0080-\uffff]`).test(text)
      assert.strictEqual(end, isPlain ? at + length : -1, JSON.stringify(text))
      tally[isPlain ? "copied" : "special"]++
      if (isPlain) {
        assert.strictEqual(String.fromCharCode(...wasm.bytes.subarray(at, end)), text)
        assert.strictEqual(String.fromCharCode(...loop.bytes.subarray(at, end)), text)
      }
    }
    assert.isAbove(Math.min(tally.copied, tally.special), 5_000)
  })
})
