import { assert, describe, it } from "@effect/vitest"
import { DateTime, Equal, Hash, Result, Schema, type SchemaAST } from "effect"
import { Block } from "../../src/record/block.ts"
import * as Field from "../../src/record/Field.ts"
import * as Cells from "../../src/record/fieldCells.ts"
import { refused } from "../../src/record/kinds.ts"
import { type KnownCells, knownOf } from "../../src/record/known.ts"
import { Slab } from "../../src/record/slab.ts"
import { utcOf } from "../../src/record/utc.ts"
import { wallClock } from "../../src/record/wallClock.ts"
import { random } from "./random.ts"

const { int, of } = random(5)
const digits = (count: number) => Array.from({ length: count }, () => int(10)).join("")
const below = (end: number) => String(int(end)).padStart(2, "0")
const chars = (count: number) => Array.from({ length: count }, () => of([..."019azAZmM"])).join("")

const day = () => `${of(["0000", "1900", "2000", "2024", "2026", "9999", digits(4)])}-${below(14)}-${below(33)}`
const time = () => `${below(25)}:${below(61)}:${below(61)}.${digits(3)}`
const id = () => {
  const short = chars(15)
  const last = Result.getOrThrow(Result.fromOption(Field.toId18(short), () => "no id")).slice(15)
  return short + of([last, last, "", chars(3)])
}
const value = () => of(["Red", "Blue", "Dark Green", "é", ""])

interface Kind {
  readonly schema: Schema.Codec<unknown, string | number>
  readonly cells: KnownCells
  readonly text: () => string
  /** Values, some of which it does not hold. */
  readonly value: () => unknown
}

const millis = (): number => int(2 ** 31) * (int(8) - 1) * of([1, 1_000]) + int(2)
const utc = () => DateTime.makeUnsafe(millis())
const days = () => DateTime.makeUnsafe(86_400_000 * (int(4_000_000) - 800_000) + of([0, 0, 0, 1]))
const times = () => DateTime.makeUnsafe(int(100_000_000) - 1_000)

const kinds: Readonly<Record<string, Kind>> = {
  id: { schema: Field.Id, cells: Cells.id, text: id, value: id },
  date: { schema: Field.Date, cells: Cells.date, text: day, value: days },
  instant: {
    schema: Field.DateTime,
    cells: Cells.instant,
    text: () => `${day()}T${time()}${of(["Z", "+0000"])}`,
    value: utc
  },
  local: {
    schema: Field.dateTimeIn("Europe/Berlin"),
    cells: Cells.local(wallClock(DateTime.zoneMakeNamedUnsafe("Europe/Berlin"))),
    text: () => of([`${day()}T${time()}Z`, `${day()}${of(["T", " "])}${time().slice(0, 8)}`]),
    value: utc
  },
  time: { schema: Field.Time, cells: Cells.time, text: () => `${time()}Z`, value: times },
  multiPicklist: {
    schema: Field.MultiPicklist,
    cells: Cells.multiPicklist(),
    text: () => Array.from({ length: int(4) }, value).join(";"),
    value: () => Array.from({ length: int(4) }, value)
  },
  multiPicklistOf: {
    schema: Field.multiPicklistOf(["Red", "Blue", "Red;Blue"]),
    cells: Cells.multiPicklist(["Red", "Blue", "Red;Blue"]),
    text: () => Array.from({ length: int(3) }, value).join(";"),
    value: () => Array.from({ length: int(3) }, value)
  },
  textOf: {
    schema: Field.textOf(5),
    cells: Cells.textOf(5),
    text: () => chars(int(4)) + of(["", "é", "😀"]),
    value: () => chars(int(7))
  },
  email: {
    schema: Field.Email,
    cells: Cells.email,
    text: () => `${chars(int(40))}@${chars(int(50))}`,
    value: () => `${chars(int(4))}@${chars(2)}`
  }
}

/** A text with one character that is another. */
const mutated = (text: string): string => {
  const at = int(text.length + 1)
  const other = of(["", ..."0159AZaz-:.+/@;TZ \t\u00a0é", "\u0141", "\u2003"])
  return (text.slice(0, at) + other + text.slice(at + int(2))).toWellFormed()
}

const block = new Block()
/** The value of a cell, as it stands in a row. */
const read = (cells: KnownCells, text: string): unknown => {
  const bytes = new TextEncoder().encode(`"before","${text}","behind"\n`)
  block.bytes.set(bytes)
  block.scan(bytes.length)
  const [from = 0, to = 0] = block.quotes.subarray(2)
  block.enterRows(0, 6, 6, bytes.length)
  return cells.read(block, from + 1, to)
}

const slab = new Slab()
/** The text that is written of a value. */
const written = ({ fits, put, write }: KnownCells, value: unknown): string | undefined => {
  if (fits !== undefined) return typeof value === "string" && fits(value) ? value : undefined
  if (put === undefined) return write?.(value)
  slab.bytes.fill(0, 0, 64)
  const end = put(slab, 7, value)
  return end < 0 ? undefined : new TextDecoder("latin1").decode(slab.bytes.subarray(7, end))
}

describe("the cells of fields", () => {
  for (const [name, { cells, schema, text, value }] of Object.entries(kinds)) {
    const decode = Schema.decodeUnknownResult(schema)
    const encode = Schema.encodeUnknownResult(schema)

    it(`are read as Schema reads them, or left to it: ${name}`, () => {
      let hits = 0
      for (let i = 0; i < 20_000; i++) {
        const cell = int(3) > 0 ? text() : mutated(text())
        const found = read(cells, cell)
        if (found === refused) continue
        assert.deepStrictEqual(decode(cell), Result.succeed(found), cell)
        hits++
      }
      assert.isAbove(hits, 2_000)
    })

    it(`are written as Schema writes them, or left to it: ${name}`, () => {
      let hits = 0
      const others = [undefined, null, 1, true, {}, [], new Date(0), DateTime.makeUnsafe(0), "", "001D000000IRFmaIAH"]
      for (let i = 0; i < 20_000; i++) {
        const one = value()
        const any = int(4) > 0 ? one : typeof one === "string" ? mutated(one) : of(others)
        const cell = written(cells, any)
        if (cell === undefined) continue
        assert.deepStrictEqual(encode(any), Result.succeed(cell))
        hits++
      }
      assert.isAbove(hits, 2_000)
    })
  }
})

describe("what is known of fields", () => {
  it("is found in every form that a schema makes of them", () => {
    const forms: ReadonlyArray<(schema: Schema.Top) => { readonly ast: SchemaAST.AST }> = [
      (schema) => schema,
      (schema) => Schema.optionalKey(schema),
      (schema) => Schema.mutableKey(schema),
      (schema) => schema.annotateKey({ description: "a field" }),
      (schema) => Schema.brand("Own")(schema as Schema.Schema<unknown>)
    ]
    for (const [name, { schema }] of Object.entries({ ...kinds, integer: { schema: Field.Integer } })) {
      for (const form of forms) assert.deepStrictEqual(knownOf(form(schema).ast)?.added, [], name)
    }
    assert.strictEqual(knownOf(Field.Id.check(Schema.isMaxLength(18)).ast)?.added.length, 1)
    assert.isUndefined(knownOf(Schema.String.check(Schema.isMaxLength(80)).ast))
  })
})

describe("utcOf", () => {
  it("makes what Effect makes", () => {
    for (const millis of [0, -1, 8.64e15, -8.64e15, 1_795_466_472_345]) {
      const [ours, theirs] = [utcOf(millis), DateTime.makeUnsafe(millis)]
      assert.deepStrictEqual(ours, theirs)
      assert.isTrue(DateTime.isDateTime(ours) && DateTime.isUtc(ours))
      assert.isTrue(Equal.equals(ours, theirs) && Equal.equals(theirs, ours))
      assert.strictEqual(Hash.hash(ours), Hash.hash(theirs))
      assert.strictEqual(Object.getPrototypeOf(ours), Object.getPrototypeOf(theirs))
      assert.strictEqual(JSON.stringify(ours), JSON.stringify(theirs))
      assert.strictEqual(String(ours), String(theirs))
      assert.deepStrictEqual({ ...ours }, { ...theirs })
      assert.deepStrictEqual(DateTime.toPartsUtc(ours), DateTime.toPartsUtc(theirs))
      assert.isTrue(Equal.equals(ours, theirs))
      assert.deepStrictEqual(DateTime.add(utcOf(0), { months: 1 }), DateTime.add(DateTime.makeUnsafe(0), { months: 1 }))
    }
  })
})
