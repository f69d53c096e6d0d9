/**
 * What a cell costs by the type of its field: `npm run bench:fields [-- NAME...]`.
 *
 * A record has one text and three cells of the type; what ten thousand records take, less what
 * they take as texts, is divided by their cells: nanoseconds to read one, and to write one. `NAME`
 * is a part of a type's name. The fastest of many rounds counts.
 */
import { Option, Schema } from "effect"
import { standard } from "../../src/record/csv/dialect.ts"
import { Parser } from "../../src/record/csv/parser.ts"
import { records } from "../../src/record/decode.ts"
import * as Field from "../../src/record/Field.ts"
import type * as RecordCodec from "../../src/record/RecordCodec.ts"
import { codecOf } from "./data.ts"

const count = 10_000
const rounds = 40

const instant = (i: number) => new Date(Date.UTC(2026, i % 9, 1 + (i % 28), i % 24, i % 60, i % 60)).toISOString()
const name = (i: number) => `Account ${i}`
const amount = (i: number) => String(((i * 7_919) % 1_000_000) / 100)
const whole = (i: number) => String((i * 7_919) % 100_000)
const city = (i: number) => ["Paris", "Berlin", "Rome", "Tokyo"][i % 4] ?? ""
const colours = (i: number) => ["Red;Blue", "Red", "Green;Blue;Red"][i % 3] ?? ""
const id = (i: number) => Option.getOrThrow(Field.toId18(`001D${(1e9 + i).toString(36).padStart(11, "0")}`))

const types: Readonly<Record<string, readonly [cell: (i: number) => string, type: Schema.Top]>> = {
  "Field.Id": [id, Field.Id],
  "Field.Id, nullable": [id, Schema.NullOr(Field.Id)],
  "Field.Text": [name, Field.Text],
  "Field.textOf(80)": [name, Field.textOf(80)],
  "Field.Email": [(i) => `user${i}@example.com`, Field.Email],
  "Field.Phone": [(i) => `+1555${1_000_000 + i}`, Field.Phone],
  "Field.picklistOf": [city, Field.picklistOf(["Paris", "Berlin", "Rome", "Tokyo"])],
  "Field.MultiPicklist": [colours, Field.MultiPicklist],
  "Field.Boolean": [(i) => String(i % 2 === 0), Field.Boolean],
  "Field.Currency": [amount, Field.Currency],
  "Field.Integer": [whole, Field.Integer],
  "Field.Date": [(i) => instant(i).slice(0, 10), Field.Date],
  "Field.DateTime": [instant, Field.DateTime],
  "Field.dateTimeIn": [(i) => instant(i).slice(0, 19), Field.dateTimeIn("Europe/Berlin")],
  "Field.Time": [(i) => instant(i).slice(11), Field.Time],
  "Schema.Date": [instant, Schema.Date],
  "Schema.DateTimeUtcFromString": [instant, Schema.DateTimeUtcFromString],
  "Schema.NumberFromString": [amount, Schema.NumberFromString],
  "Schema.OptionFromNullOr": [name, Schema.OptionFromNullOr(Schema.String)],
  "Schema.Trim": [name, Schema.Trim],
  "Schema.BigDecimal": [amount, Schema.BigDecimal],
  // one that is left to Schema
  "Schema.URL": [(i) => `https://example.com/${i}`, Schema.URL]
}

const recordOf = (type: Schema.Top): RecordCodec.RecordSchema => {
  const field = type as Schema.Codec<unknown, unknown>
  return Schema.Struct({ A: Schema.String, B: field, C: field, D: field })
}
const texts = recordOf(Schema.String)

const fastest = (work: () => void): number => {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < rounds; i++) {
    const before = process.hrtime.bigint()
    work()
    best = Math.min(best, Number(process.hrtime.bigint() - before) / (3 * count))
  }
  return best
}

/** Nanoseconds for a third of a record. */
const costOf = (schema: RecordCodec.RecordSchema, bytes: Uint8Array) => {
  const codec = codecOf(schema)
  const read = (): Array<unknown> => {
    const out: Array<unknown> = []
    const parser = new Parser(standard, records(codec))
    const error = parser.feed(bytes, out) ?? parser.end(out)
    if (error !== undefined || out.length !== count) throw error ?? new Error("records are missing")
    return out
  }
  const encode = codec.encoder({ nulls: "ignore" })
  const all = read()
  const arrays = Array.from({ length: count / 500 }, (_, i) => all.slice(500 * i, 500 * (i + 1)))
  return {
    read: fastest(read),
    write: fastest(() => {
      for (const records of arrays) if (encode(records).rows !== 500) throw new Error("rows are missing")
    })
  }
}

const wanted = process.argv.slice(2)
console.log(`${"type".padEnd(30)}\tread\twrite`)
for (const [type, [cell, schema]] of Object.entries(types)) {
  if (wanted.length > 0 && !wanted.some((part) => type.includes(part))) continue
  const rows = Array.from({ length: count }, (_, i) => `"a${i}","${cell(i)}","${cell(i + 1)}","${cell(i + 2)}"\n`)
  const bytes = new TextEncoder().encode(`"A","B","C","D"\n${rows.join("")}`)
  const [plain, typed] = [costOf(texts, bytes), costOf(recordOf(schema), bytes)]
  console.log(`${type.padEnd(30)}\t${(typed.read - plain.read).toFixed(0)}\t${(typed.write - plain.write).toFixed(0)}`)
}
