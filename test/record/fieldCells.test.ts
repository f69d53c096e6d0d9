import { assert, describe, it } from "@effect/vitest"
import { BigDecimal, DateTime, Equal, Hash, Option, Result, Schema, type SchemaAST, SchemaTransformation } from "effect"
import { anyText } from "../../src/record/cells/cellWriter.ts"
import * as Cells from "../../src/record/cells/fieldCells.ts"
import { date as dates, refused, utc as utcs } from "../../src/record/cells/kinds.ts"
import { type KnownCells, knownOf } from "../../src/record/cells/known.ts"
import { utcOf } from "../../src/record/cells/utc.ts"
import { wallClock } from "../../src/record/cells/wallClock.ts"
import { Block } from "../../src/record/csv/block.ts"
import { standard } from "../../src/record/csv/dialect.ts"
import { Parser } from "../../src/record/csv/parser.ts"
import { Slab } from "../../src/record/csv/slab.ts"
import { results } from "../../src/record/decode.ts"
import * as Field from "../../src/record/Field.ts"
import * as RecordCodec from "../../src/record/RecordCodec.ts"
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

/** What is known of a schema that Effect has. */
const ofEffect = (schema: Kind["schema"]): Pick<Kind, "schema" | "cells"> => ({
  schema,
  cells: Option.getOrThrow(Option.fromUndefinedOr(knownOf(schema.ast)?.cells))
})
const number = () => of(["", "-"]) + of([digits(1 + int(20)), `${digits(1 + int(5))}.${digits(int(20))}`])
const iso = () => `${day()}${of(["", `T${time()}`, `T${time().slice(0, 8)}`])}${of(["", "Z", "+0000", "+01:30"])}`
const decimals = () => BigDecimal.make(BigInt(int(2 ** 31)) * of([1n, -1n, 10n ** 20n]), int(40) - 20)

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
  },
  NumberFromString: { ...ofEffect(Schema.NumberFromString), text: number, value: () => Number(number()) },
  BigIntFromString: {
    ...ofEffect(Schema.BigIntFromString),
    text: () => of(["", "", "-"]) + digits(int(30)),
    value: () => BigInt(int(2 ** 31)) * of([1n, -1n, 10n ** 30n])
  },
  BigDecimalFromString: { ...ofEffect(Schema.BigDecimalFromString), text: number, value: decimals },
  DateFromString: { ...ofEffect(Schema.DateFromString), text: iso, value: () => new Date(millis()) },
  DateTimeUtcFromString: {
    ...ofEffect(Schema.DateTimeUtcFromString),
    text: iso,
    // not all of them are of whole milliseconds
    value: () => DateTime.addDuration(utc(), of([0, 0, 0.5]))
  },
  Trim: {
    ...ofEffect(Schema.Trim),
    text: () => of(["", " ", "\t"]) + chars(int(3)) + of(["", " ", "\u00a0"]),
    value: () => chars(int(4)) + of(["", " "])
  }
}

/** A text with one character that is another. */
const mutated = (text: string): string => {
  const at = int(text.length + 1)
  const other = of(["", ..."0159AZaz-:.+/@;TZ \t\u00a0é", "\u0141", "\u2003", ","])
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
const putText = anyText(standard)
/** The text that is written of a value. */
const written = ({ fits, fitsAt, put, write }: KnownCells, value: unknown): string | undefined => {
  if (fitsAt !== undefined) {
    const end = typeof value === "string" ? putText(slab, 7, value) : -1
    return end >= 0 && fitsAt(slab.bytes, 7, end) ? String(value) : undefined
  }
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
        const any = int(4) > 0 ? one : typeof one === "string" ? of([mutated(one), `${one}"`, `"${one}`]) : of(others)
        const cell = written(cells, any)
        if (cell === undefined) continue
        assert.deepStrictEqual(encode(any), Result.succeed(cell))
        hits++
      }
      assert.isAbove(hits, 2_000)
    })

    it(`come back, but those that are known not to: ${name}`, () => {
      const numbers = [Number.NaN, -Infinity, -0, 1e21, 5e-324]
      const dates = [new Date(8.64e15), new Date(-8.64e15)]
      const scales = [2 ** 53 - 1, 1 - 2 ** 53].map((scale) => BigDecimal.make(12n, scale))
      const odd = [...numbers, ...dates, ...dates.map(DateTime.fromDateUnsafe), ...scales]
      let hits = 0
      for (let i = 0; i < 5_000; i++) {
        const any = odd[i] ?? value()
        const again = Result.flatMap(encode(any), decode)
        // a field cannot be written of what is none of its values
        if (Result.isFailure(encode(any)) || cells.givesBack?.(any) === false) continue
        assert.isTrue(Equal.equals(again, Result.succeed(any)), String(any))
        hits++
      }
      assert.isAbove(hits, 500)
    })
  }
})

describe("instants", () => {
  it("are read in every form without Schema", () => {
    const texts = ["2026-11-23", "2026-11-23T20:41Z", "2026-11-23T20:41:12Z", "2026-11-23T20:41:12.345678+01:00"]
    for (const text of texts) {
      assert.deepStrictEqual(read(dates, text), new Date(text))
      assert.deepStrictEqual(read(utcs, text), DateTime.makeUnsafe(text))
    }
    for (const cells of [dates, utcs]) assert.strictEqual(read(cells, "2026-02-30T20:41:12Z"), refused)
  })
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

  it("is of what Effect's own transformations are applied to by Effect alone", () => {
    const { bigintFromString, numberFromString } = SchemaTransformation
    const trimmed = SchemaTransformation.trim()
    const made = ({ ast }: Schema.Top) => knownOf(ast)
    assert.isDefined(made(Schema.String.pipe(Schema.decodeTo(Schema.Number, numberFromString))))
    assert.isUndefined(
      made(Schema.Literals(["1", "2"]).pipe(Schema.decodeTo(Schema.Number, numberFromString as never)))
    )
    assert.isUndefined(made(Schema.String.pipe(Schema.decodeTo(Schema.Literals([1, 2]), numberFromString as never))))
    assert.isUndefined(made(Schema.NonEmptyString.pipe(Schema.decodeTo(Schema.Number, numberFromString))))
    assert.isUndefined(
      made(
        Schema.String.pipe(Schema.decodeTo(Schema.String, trimmed), Schema.decodeTo(Schema.Number, numberFromString))
      )
    )
    assert.isUndefined(made(Schema.Trim.pipe(Schema.decodeTo(Schema.Number, numberFromString))))
    assert.isUndefined(made(Schema.String.pipe(Schema.decodeTo(Schema.BigInt, bigintFromString))))
  })
})

describe("a check that somebody added", () => {
  it("is asked of each value that is written and read", () => {
    for (const [name, { schema, value }] of Object.entries(kinds)) {
      let isFine = true
      const checked = schema.check(Schema.makeFilter(() => isFine))
      const codec = Result.getOrThrow(RecordCodec.make(Schema.Struct({ F: checked, G: Schema.String })))
      const records = Array.from({ length: 200 }, () => ({ F: value() as never, G: "G" }))
      const encode = codec.encoder({ nulls: "ignore" })
      const decode = (bytes: Uint8Array) => {
        const rows: Array<Result.Result<{ readonly F: unknown; readonly G: string }, RecordCodec.InvalidRecord>> = []
        const parser = new Parser(standard, results(codec))
        const header = new TextEncoder().encode('"F","G"\n')
        assert.isUndefined(parser.feed(header, rows) ?? parser.feed(bytes, rows) ?? parser.end(rows))
        return rows.filter(Result.isSuccess).length
      }
      const { bytes, rows } = encode(records)
      assert.isAbove(rows, 20, name)
      assert.strictEqual(decode(bytes), rows, name)
      isFine = false
      assert.strictEqual(encode(records).rows, 0, name)
      assert.strictEqual(decode(bytes), 0, name)
    }
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
