import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import {
  BigDecimal,
  DateTime,
  Effect,
  Equal,
  identity,
  Option,
  Result,
  Schema,
  SchemaAST,
  SchemaGetter,
  SchemaTransformation
} from "effect"
import * as Csv from "../../src/record/Csv.ts"
import * as Columns from "../../src/record/cells/columns.ts"
import { absent, refused } from "../../src/record/cells/kinds.ts"
import type { FastLeaf } from "../../src/record/cells/leaves.ts"
import { canGenerate } from "../../src/record/compile/generate.ts"
import { isTransformed, type Plan, planOf } from "../../src/record/compile/plan.ts"
import { reader } from "../../src/record/compile/reader.ts"
import { structOf } from "../../src/record/compile/struct.ts"
import { wholeOf } from "../../src/record/compile/values.ts"
import { writer } from "../../src/record/compile/writer.ts"
import { Parser } from "../../src/record/csv/parser.ts"
import { Slab } from "../../src/record/csv/slab.ts"
import { records } from "../../src/record/decode.ts"
import * as Field from "../../src/record/Field.ts"
import { misreadOf } from "../../src/record/misread.ts"
import * as RecordCodec from "../../src/record/RecordCodec.ts"
import { random } from "./random.ts"

const codecOf = (schema: RecordCodec.RecordSchema) => Result.getOrThrow(RecordCodec.make(schema))

type AnyField = Schema.Codec<unknown, unknown>

/** Fields of every kind, those that are read by hand and those that Schema reads. */
const fields: ReadonlyArray<AnyField> = [
  Schema.String,
  Schema.String.check(Schema.isMaxLength(3)),
  Schema.String.check(Schema.isMinLength(1), Schema.isPattern(/^[a-z]*$/)),
  Schema.String.pipe(Schema.brand("Name")),
  Schema.NonEmptyString,
  Schema.Number,
  Schema.Finite,
  Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 100 })),
  Schema.Int,
  Schema.Boolean,
  Schema.Date,
  Schema.DateTimeUtc,
  Schema.DateTimeUtcFromString,
  Schema.NumberFromString,
  Schema.FiniteFromString,
  Schema.DateFromString,
  Schema.Literal("A"),
  Schema.Literals(["A", "B", 'C"D', "#N/A"]),
  Schema.Union([Schema.Literal("A"), Schema.Null, Schema.Literal("B")]),
  Schema.Literals([1, 2]),
  Schema.Enum({ First: "A", Second: 'C"D' }),
  Schema.Union([Schema.Enum({ First: "A" }), Schema.Literal("B")]),
  Schema.Union([
    Schema.Literal("A"),
    Schema.Literal("B").pipe(
      Schema.decodeTo(
        Schema.Literal("abcd"),
        SchemaTransformation.transform({ decode: () => "abcd" as const, encode: () => "B" as const })
      )
    )
  ]),
  Schema.Enum({ First: "A", Second: 2 }),
  Schema.Enum({ First: "A", Second: "abcd" }).check(Schema.makeFilter((text) => text !== "A")),
  Schema.Union([Schema.Finite, Schema.String]),
  Schema.BigInt,
  Schema.Trim,
  Schema.String.pipe(
    Schema.decodeTo(
      Schema.String.check(Schema.isMaxLength(4)),
      SchemaTransformation.transform({ decode: (text) => text.toUpperCase(), encode: (text) => text.toLowerCase() })
    )
  ),
  Schema.Literals(["yes", "no"]).pipe(
    Schema.decodeTo(
      Schema.Boolean,
      SchemaTransformation.transform({ decode: (text) => text === "yes", encode: (flag) => (flag ? "yes" : "no") })
    )
  ),
  Schema.Boolean.pipe(
    Schema.decodeTo(
      Schema.Literals(["A", "B"]),
      SchemaTransformation.transform({ decode: (flag) => (flag ? "A" : "B"), encode: (text) => text === "A" })
    )
  ),
  // not every number has one that it is made of
  Schema.Finite.pipe(
    Schema.decodeTo(
      Schema.Number,
      SchemaTransformation.transform({
        decode: (half) => 2 * half,
        encode: (whole) => (whole === 2 ? 1 / 0 : whole / 2)
      })
    )
  ),
  // made in two steps
  Schema.FiniteFromString.pipe(
    Schema.decodeTo(
      Schema.Finite,
      SchemaTransformation.transform({ decode: (minus) => -minus, encode: (plus) => -plus })
    )
  ),
  Schema.Number.check(Schema.isInt32()),
  Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("none"))),
  // as Effect makes them of texts, and as others do with its functions
  Schema.BigDecimal,
  Schema.BigIntFromString,
  Schema.BigDecimalFromString,
  Schema.DateTimeUtcFromDate,
  Schema.FiniteFromString.check(Schema.isGreaterThan(1)),
  Schema.DateTimeUtcFromString.check(Schema.makeFilter(({ epochMilliseconds }) => epochMilliseconds > 0)),
  Schema.Trim.check(Schema.isMaxLength(3)),
  Schema.NonEmptyString.pipe(Schema.decodeTo(Schema.Number, SchemaTransformation.numberFromString)),
  Schema.Trim.pipe(Schema.decodeTo(Schema.Finite, SchemaTransformation.numberFromString)),
  // options of what is read by hand, of what is not, and of what is less
  Schema.OptionFromNullOr(Schema.String),
  Schema.OptionFromNullOr(Field.Id),
  Schema.OptionFromNullOr(Schema.DateTimeUtcFromString),
  Schema.OptionFromNullOr(Field.MultiPicklist),
  Schema.OptionFromNullOr(Schema.BigDecimal),
  Schema.OptionFromNullOr(Schema.NullOr(Schema.String)),
  Schema.OptionFromNullOr(Schema.Trimmed).check(Schema.makeFilter(Option.isSome)),
  Schema.OptionFromUndefinedOr(Schema.Finite),
  Schema.OptionFromNullishOr(Schema.Literals(["A", "B"])),
  Schema.OptionFromNullishOr(Field.DateTime, { onNoneEncoding: null }),
  Schema.OptionFromOptionalKey(Schema.NumberFromString),
  Schema.OptionFromOptionalKey(Schema.UndefinedOr(Schema.String)),
  Schema.OptionFromOptional(Field.Email),
  Schema.OptionFromOptionalNullOr(Schema.DateFromString),
  Schema.OptionFromOptionalNullOr(Schema.NumberFromString, { onNoneEncoding: null }),
  Schema.OptionFromNullOr(Schema.Literals([1, 2])),
  Schema.NullOr(Schema.String).pipe(
    Schema.decodeTo(Schema.Option(Schema.NonEmptyString), SchemaTransformation.optionFromNullOr())
  ),
  // made by functions of somebody's own
  Schema.String.pipe(
    Schema.decodeTo(
      Schema.Option(Schema.String),
      SchemaTransformation.transform({
        decode: (text) => (text.trim() === "" ? Option.none() : Option.some(text)),
        encode: (option) => Option.getOrElse(option, () => "")
      })
    )
  ),
  Schema.NullOr(Schema.String).pipe(
    Schema.decodeTo(
      Schema.Option(Schema.String),
      SchemaTransformation.transform({
        decode: (text) => Option.map(Option.fromNullOr(text), (text) => text.trim()),
        encode: (option) => Option.getOrNull(Option.map(option, (text) => text.toUpperCase()))
      })
    )
  ),
  Schema.NullOr(Schema.String).pipe(
    Schema.decodeTo(
      Schema.Option(Schema.String),
      SchemaTransformation.transform({
        decode: (text) => (text === "a" ? Option.none() : text === "A" ? Option.some("B") : Option.fromNullOr(text)),
        encode: Option.getOrNull
      })
    )
  ),
  Schema.optionalKey(Schema.String).pipe(
    Schema.decodeTo(
      Schema.Option(Schema.String),
      SchemaTransformation.transformOptional<Option.Option<string>, string>({
        decode: (text) => Option.some(Option.orElseSome(text, () => "none")),
        encode: Option.flatten
      })
    )
  ),
  Field.Id,
  Field.Date,
  Field.DateTime,
  Field.dateTimeIn("Europe/Berlin"),
  Field.Time,
  Field.MultiPicklist,
  Field.multiPicklistOf(["a", "b"]),
  Field.Email,
  Field.textOf(3),
  Field.Integer,
  // with more of their own
  Field.Id.check(Schema.isStartingWith("001")),
  Field.Date.check(Schema.makeFilter(({ epochMilliseconds }) => epochMilliseconds > 0)),
  Field.DateTime.annotate({ description: "when" }),
  Field.Email.check(Schema.isMaxLength(3)),
  Field.Integer.check(Schema.isGreaterThan(1)),
  Field.MultiPicklist.check(Schema.isMaxLength(1)),
  Field.Id.pipe(Schema.brand("Key"))
] as ReadonlyArray<AnyField>

const wrap: ReadonlyArray<(field: AnyField) => AnyField> = [
  (field) => field,
  (field) => field,
  (field) => Schema.NullOr(field),
  (field) => Schema.optionalKey(field) as unknown as AnyField,
  (field) => Schema.optional(field) as unknown as AnyField,
  (field) => Schema.optionalKey(Schema.NullOr(field)) as unknown as AnyField,
  (field) => Schema.UndefinedOr(field),
  (field) => Schema.NullishOr(field),
  (field) => Schema.optional(Schema.NullOr(field)) as unknown as AnyField,
  (field) => Schema.NullOr(Schema.UndefinedOr(field))
]

/** What cells may hold, fit or not. */
const cells = [
  ...[
    "",
    "",
    "a",
    "abcd",
    "ABC",
    "A",
    "B",
    'C"D',
    "#N/A",
    " x ",
    "é",
    "x".repeat(20),
    "a,b\nc",
    "null",
    "undefined",
    "First"
  ],
  ...["0", "-0", "1", "2", "12.50", "007", "-3", "+3", ".5", "1.", "1e3", "9.12260031E8", "1E-7", "1e400", "NaN"],
  ...[
    "Infinity",
    "-",
    ".",
    "1 ",
    "0x10",
    "123456789012345",
    "1234567890123456",
    "9876543210987654",
    "0.1234567890123456",
    "98765432109876.54",
    "12345678901234567890",
    "0.1",
    "--1"
  ],
  ...["true", "false", "TRUE", "truE", "falsE", "yes"],
  ...["2026-11-23", "2026-11-23T20:41:12.000Z", "2026-11-23T20:41:12.000+0000", "2026-11-23T20:41:12.345+0100"],
  ...["2026-02-30T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-11-23T24:00:00.000Z", "2026-11-23T20:41:12"],
  ...["2024-02-29T23:59:59.999Z", "0099-01-01T00:00:00.000Z", "2026-11-23 20:41:12.000Z", "2026-11-23T20:41:12Z"],
  ...[
    "001D000000IRFma",
    "001D000000IRFmaIAH",
    "001D000000IRFmaIAX",
    "a;b",
    "2026-11-23T20:41:60.000Z",
    "2026-11-23T20:41:12.00aZ",
    "2026-11-23T20:41:12.000X",
    "aaaa-11-23T20:41:12.000Z",
    "20:41:12.000Z",
    "24:00:00.000Z",
    "2026-11-23 20:41:12",
    "003D000000IRFmaIAH",
    "a@b",
    "a@b@c",
    "nobody@example.com",
    "a;;b",
    "a;c"
  ]
]

const halfMillis = DateTime.addDuration(DateTime.makeUnsafe(-1_000), 0.5)

/** What fields may hold, fit or not. */
const values: ReadonlyArray<unknown> = [
  ...[
    null,
    undefined,
    "",
    "a",
    "abcd",
    "A",
    "B",
    'C"D',
    "#N/A",
    "#N/A ",
    "First",
    " x ",
    "é",
    "😀",
    "\ud800",
    "x\r\ny",
    "x\ry\n"
  ],
  ...["a,b", 'say "hi"', "a;b", "none", "1", "1.5", "2026-11-23", "x".repeat(131_072), "x".repeat(131_073)],
  ...[0, -0, 1, 2, 1.5, -3, 1e21, 1e-7, 123_456_789.123, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 7n],
  ...[true, false, new Date(0), new Date("2026-11-23T20:41:12.345Z"), new Date(Number.NaN), new Date(-1)],
  ...[new Date("0001-01-01T00:00:00Z"), new Date(8.64e15), DateTime.makeUnsafe(1e12), DateTime.makeUnsafe(-62e12)],
  ...[
    ...[Option.none(), ...["x", "", "A", "a", "none", "a@b", "x\ry", "001D000000IRFmaIAH"].map(Option.some)],
    ...[1.5, Number.NaN, null, undefined, ["a", "b"], [], new Date(0), Option.none()].map(Option.some),
    ...[DateTime.makeUnsafe(0), DateTime.makeUnsafe(8.64e15), DateTime.makeUnsafe("2026-11-23")].map(Option.some),
    halfMillis,
    BigDecimal.make(125n, 2),
    BigDecimal.make(-7n, -30),
    Option.some(BigDecimal.make(12n, 1 - 2 ** 53)),
    "x ",
    "001D000000IRFmaIAH",
    "001D000000IRFma",
    ["a", "b"],
    ["a;b"],
    ["a", ""],
    ["a", 1],
    new Array(2),
    "a@b",
    "nobody@example.com",
    DateTime.makeUnsafe(0),
    DateTime.makeUnsafe("2026-11-23"),
    DateTime.makeZonedUnsafe(0, { timeZone: "Europe/Berlin" }),
    {},
    []
  ]
]

class Tagged extends Schema.TaggedClass<Tagged>("Tagged")("Tagged", {
  Code: Schema.String,
  Rank: Schema.NullOr(Schema.Finite)
}) {}

class Inner extends Schema.Class<Inner>("Inner")({ Code: Schema.String, Rank: Schema.optionalKey(Schema.Finite) }) {
  get label() {
    return this.Code
  }
}

type AnyStruct = Schema.Struct<Record<string, AnyField>>

/** A struct that is made of another by a function, which looks at values, too. */
const transformed = (struct: AnyStruct, isEncoded: boolean, isFickle: boolean): AnyField => {
  const names = Object.keys(struct.fields)
  const inner = Schema.Struct(
    Object.fromEntries(
      names.map((name) => {
        const field = struct.fields[name]!
        return [`${name}__c`, isEncoded ? Schema.toEncoded(field) : field]
      })
    )
  )
  const changed = (value: unknown) => (isFickle && value === "a" ? "abcd" : isFickle && value === 2 ? 1.5 : value)
  const entriesOf = (record: Readonly<Record<string, unknown>>) => Object.entries(record).toReversed()
  const transformation = SchemaTransformation.transform({
    decode: (record: Readonly<Record<string, unknown>>) => ({
      ...Object.fromEntries(entriesOf(record).map(([name, value]) => [name.slice(0, -3), changed(value)])),
      other: 1
    }),
    encode: (record: Readonly<Record<string, unknown>>) =>
      Object.fromEntries(entriesOf(record).map(([name, value]) => [`${name}__c`, changed(value)]))
  })
  const outer = isEncoded ? struct : Schema.toType(struct)
  return Schema.make<AnyField>(SchemaAST.decodeTo(inner.ast, outer.ast, transformation))
}

/** A struct, or one with a tag, a class or a check. */
const ofKind = (kind: number, struct: AnyStruct): AnyStruct => {
  if (kind === 2) return Schema.TaggedStruct("Some", struct.fields) as unknown as AnyStruct
  if (kind === 0) {
    class Outer extends Schema.Class<Outer>("Outer")(struct) {}
    return Outer as unknown as AnyStruct
  }
  return kind === 1 ? struct.check(Schema.makeFilter((record) => Object.keys(record).length !== 2)) : struct
}

/** A schema of some fields, now and then nested, of a class, with a check of its own, or with columns of other names. */
const someSchema = (seed: number): RecordCodec.RecordSchema => {
  const { int, of } = random(seed)
  const someFields = (depth: number): Record<string, AnyField> =>
    Object.fromEntries(
      Array.from({ length: 1 + int(4) }, (_, i) => {
        const nested: AnyField =
          int(3) === 0
            ? of([Inner, Tagged])
            : depth > 0 && int(2) === 0
              ? someStruct(depth - 1)
              : Schema.Struct({ Email: Schema.String, Score: Schema.NullOr(Schema.Finite) })
        const field = int(5) === 0 && depth > 0 ? nested : of(fields)
        // what may be missing is no member of a union: Effect does not write that
        return [`F${i}`, SchemaAST.isOptional(Schema.toEncoded(field).ast) ? field : of(wrap)(field)]
      })
    )
  const someStruct = (depth: number): AnyField => {
    const struct = ofKind(int(7), Schema.Struct(someFields(depth)))
    if (int(8) === 0) return transformed(struct, int(2) === 0, int(2) === 0)
    if (int(4) > 0) return struct as unknown as AnyField
    const names = Object.keys(struct.fields).filter(() => int(2) === 0)
    // others, or one another's
    const columns =
      int(2) === 0 && !names.includes("_tag")
        ? names.toReversed()
        : names.map((name) => (name === "_tag" ? "Kind" : `${name}__c`))
    const renamed = struct.pipe(Schema.encodeKeys(Object.fromEntries(names.map((name, i) => [name, columns[i]!]))))
    return (int(5) === 0
      ? renamed.check(Schema.makeFilter((record) => Object.keys(record).length !== 2))
      : renamed) as unknown as AnyField
  }
  return someStruct(2) as RecordCodec.RecordSchema
}

const parts = (schema: RecordCodec.RecordSchema) => {
  const root = Result.getOrThrow(Columns.groupOf(Schema.toEncoded(schema).ast))
  return { root, plan: planOf(schema.ast, root), codec: codecOf(schema) }
}

/** Every field of a value, some of them not what they should be. */
const someRecord = (schema: RecordCodec.RecordSchema, seed: number): unknown => {
  const { int, of } = random(seed)
  // most of the fields hold what they can, or hardly any record could be written
  const fitting = ({ write }: Pick<FastLeaf, "write">): unknown => {
    const value = of(values)
    const others = int(8) === 0 ? [] : Array.from({ length: 20 }, () => of(values))
    return [value, ...others].find((value) => write(value, {}) !== undefined) ?? value
  }
  const ofType = (node: Plan): unknown => {
    const record: Record<string, unknown> = {}
    for (const child of node.nodes) {
      if (int(12) === 0) continue
      if (child._tag === "Tag") record[child.name] = int(12) === 0 ? of(values) : child.value
      else record[child.name] = child._tag === "Plan" ? (int(8) > 0 ? ofType(child) : of(values)) : fitting(child)
    }
    if (int(10) === 0) return record
    try {
      const made = node.construct === undefined ? record : node.construct(record)
      const whole = node.whole === undefined ? made : node.whole(false).decode(made)
      return whole === refused ? record : whole
    } catch {
      return record
    }
  }
  const { plan } = parts(schema)
  return plan === undefined ? of(values) : ofType(plan)
}

const quoted = (row: ReadonlyArray<string>) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")

/** How often the compiled codec had an answer of its own. */
const tally = { read: 0, refused: 0, written: 0, left: 0, transformed: 0 }

/** The names of all fields of structs and classes, in their order. */
const orderOf = (value: unknown): ReadonlyArray<unknown> =>
  Columns.isRecord(value) && (Object.getPrototypeOf(value) === Object.prototype || "fields" in value.constructor!)
    ? Object.entries(value).map(([name, field]) => [name, orderOf(field)])
    : []

const compareReading = (schema: RecordCodec.RecordSchema, seed: number, rows: number, canGenerate: boolean): void => {
  const { codec, plan } = parts(schema)
  const { int, of } = random(seed)
  const header = codec.columns.toReversed()
  const lines = Array.from({ length: rows }, () => {
    const row = header.map(() => of(cells))
    return int(4) === 0 ? header.map(() => "") : row
  })
  const decode = Result.getOrThrow(codec.decoder(header))
  if (plan === undefined) return
  const width = header.length
  const read = reader(plan, { positions: [...header.keys()].toReversed(), width }, canGenerate)
  let i = 0
  const parser = new Parser<never, never>(Csv.standard, () => (block, at, o, end) => {
    while (o < end) {
      const records: Array<unknown> = []
      const next = read(block, at, o, end, records)
      assert.strictEqual(next, o + 2 * width * records.length)
      for (const record of records) {
        const row = lines[i++] ?? []
        const expected = decode(row)
        tally.read++
        if (isTransformed(plan)) tally.transformed++
        assert.deepStrictEqual(Result.succeed(record), expected, JSON.stringify(row))
        assert.deepStrictEqual(orderOf(record), orderOf(Result.getOrThrow(expected)))
        assert.strictEqual(Object.getPrototypeOf(record), Object.getPrototypeOf(Result.getOrThrow(expected)))
      }
      o = next
      if (o === end) break
      tally.refused++
      i++
      o += 2 * width
    }
    return undefined
  })
  const bytes = new TextEncoder().encode([header, ...lines].map(quoted).join("\n"))
  assert.isUndefined(parser.feed(bytes, []) ?? parser.end([]))
  assert.strictEqual(i, rows)
}

const compareWriting = (schema: RecordCodec.RecordSchema, seed: number, rows: number, canGenerate: boolean): void => {
  const { codec, plan } = parts(schema)
  const { of } = random(seed)
  if (plan === undefined) return
  const dialect = of([Csv.standard, { columnDelimiter: "SEMICOLON", lineEnding: "CRLF" } as const])
  const nulls = of(["clear", "ignore"] as const)
  const positions = [...codec.columns.keys()]
  const write = writer(plan, { positions, dialect, clear: nulls === "clear" }, canGenerate)
  const slab = new Slab()
  for (let i = 0; i < rows; i++) {
    const record = someRecord(schema, seed * 1_000 + i)
    const end = write(slab, 0, record)
    if (end < 0) {
      tally.left++
      continue
    }
    const row = new TextDecoder("utf-8", { ignoreBOM: true }).decode(slab.take(end))
    tally.written++
    if (isTransformed(plan)) tally.transformed++
    const expected = Result.map(codec.encode(record, nulls), (cells) =>
      Csv.encodeRows(
        [dialect.lineEnding === "CRLF" ? cells.map((cell) => cell.replaceAll("\n", "\r\n")) : cells],
        dialect
      )
    )
    // rows of some long cells are judged by their length, after they are written
    if (row.length < 400_000) assert.deepStrictEqual(Result.succeed(row), expected)
  }
}

/** Whether a field is as it was, or as empty. */
const comesBack = (value: unknown, before: unknown): boolean =>
  Equal.equals(value, before) || (isEmpty(value) && isEmpty(before))

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0)

const schemas = Number(process.env.CODEC_CASES ?? 300)

describe("a compiled codec", () => {
  for (const [name, canGenerate] of [
    ["generated code", true],
    ["closures", false]
  ] as const) {
    it(`reads and writes what Schema does, as ${name}`, () => {
      Object.assign(tally, { read: 0, refused: 0, written: 0, left: 0, transformed: 0 })
      for (let seed = 0; seed < schemas; seed++) {
        const schema = someSchema(seed)
        compareReading(schema, seed, 40, canGenerate)
        compareWriting(schema, seed, 40, canGenerate)
      }
      // it is not all left to Schema
      assert.isAbove(tally.read, schemas * 3)
      assert.isAbove(tally.written, schemas * 3)
      assert.isAbove(tally.refused, schemas)
      assert.isAbove(tally.left, schemas)
      assert.isAbove(tally.transformed, schemas)
    })
  }

  it("has what it wrote read back, unless a check forbids it, which is known", () => {
    const counts = { read: 0, misread: 0, clear: 0 }
    for (let seed = 0; seed < schemas; seed++) {
      const schema = someSchema(seed)
      const { codec } = parts(schema)
      const { isOpaque, loses, mayBeRefused } = misreadOf(schema.ast)
      for (let i = 0; i < 20; i++) {
        const nulls = i % 2 === 0 ? "clear" : "ignore"
        const record = someRecord(schema, seed * 1_000 + i)
        const cells = codec.encode(record, nulls)
        if (Result.isFailure(cells)) continue
        const decode = Result.getOrThrow(codec.decoder(codec.columns, nulls === "clear" ? "#N/A" : ""))
        const again = decode(cells.success)
        if (mayBeRefused?.(record) === false) counts.clear++
        counts[Result.isFailure(again) ? "misread" : "read"]++
        if (loses?.(record) === true) continue
        if (Result.isFailure(again)) {
          if (!isOpaque) assert.strictEqual(again.failure.message, "Expected <filter>")
          assert.isTrue(mayBeRefused?.(record))
        } else {
          // a null stays one
          if (isOpaque) continue
          const nullsOf = (row: ReadonlyArray<string>) => row.map((cell) => cell === "#N/A")
          assert.deepStrictEqual(Result.map(codec.encode(again.success, nulls), nullsOf), Result.map(cells, nullsOf))
        }
      }
    }
    assert.isAbove(counts.read, schemas * 3)
    assert.isAbove(counts.misread, 0)
    assert.isAbove(counts.clear, schemas / 30)
  })

  it("leaves to Schema a record whose transformation throws", () => {
    const fails = (text: unknown) => {
      if (text === "bad") throw new Error("it is bad")
      return { A: String(text) }
    }
    const Texts = Schema.Struct({ A: Schema.String })
    const transformation = SchemaTransformation.transform<typeof Texts.Type, typeof Texts.Type>({
      decode: ({ A }) => fails(A),
      encode: ({ A }) => fails(A)
    })
    const schema = Texts.pipe(Schema.decodeTo(Texts, transformation))
    const { codec, plan } = parts(schema)
    assert.isTrue(plan !== undefined && isTransformed(plan))
    assert.isTrue(misreadOf(schema.ast).isOpaque)
    const out: Array<unknown> = []
    const parser = new Parser(Csv.standard, records(codec))
    assert.throws(() => parser.feed(new TextEncoder().encode("A\ngood\nbad\n"), out), "schema issues")
    assert.deepStrictEqual(out, [{ A: "good" }])
    assert.throws(() => codec.encoder({ nulls: "clear" })([{ A: "bad" }]), "schema issues")
  })

  it("decodes and encodes records that are made of others as Schema does", () => {
    let made = 0
    for (let seed = 0; seed < 3 * schemas; seed++) {
      const { int, of } = random(seed)
      const aField = () => of(wrap)(of(fields))
      const fieldsOfIt: Record<string, AnyField> = int(2) === 0 ? { F0: aField() } : { F0: aField(), F1: aField() }
      const schema = ofKind(int(5), Schema.Struct(fieldsOfIt)) as unknown as RecordCodec.RecordSchema
      const struct = structOf(schema.ast)!
      const { decode, encode } = wholeOf(struct, { to: schema.ast, decode: identity, encode: identity }, seed % 2 === 0)
      const compare = (given: unknown, converted: unknown, bySchema: Result.Result<unknown, unknown>) => {
        if (converted === refused) return
        made++
        assert.deepStrictEqual(Result.succeed(converted), bySchema, inspect(given))
        assert.deepStrictEqual(orderOf(converted), orderOf(Result.getOrThrow(bySchema)))
      }
      const [first, ...others] = struct.fields
      for (const value of [...values, ...cells, absent]) {
        const record = Object.fromEntries(others.map(({ name }) => [name, name === "_tag" ? "Some" : of(values)]))
        if (value !== absent) record[first!.name] = value
        compare(record, decode(record), Schema.decodeUnknownResult(schema)(record))
        const instance = struct.construct === undefined ? record : struct.construct(record)
        for (const given of [record, instance]) {
          compare(given, encode(given), Schema.encodeUnknownResult(schema)(given))
        }
      }
    }
    assert.isAbove(made, 20 * schemas)
  })

  describe("of records that a function makes", () => {
    class Named extends Schema.Class<Named>("Named")({ A: Schema.String, B: Schema.Finite }) {}
    const Fields = Schema.Struct(Named.fields)
    type Fields = typeof Fields.Type
    const loud = <F extends Fields>(make: (fields: Fields) => F) =>
      SchemaTransformation.transform({
        decode: ({ A, B }: Fields) => make({ A: `${A}!`, B }),
        encode: ({ A, B }: Fields) => ({ A: A.slice(0, -1), B })
      })
    const read = (schema: RecordCodec.RecordSchema): unknown => {
      const out: Array<unknown> = []
      const problem = new Parser(Csv.standard, records(codecOf(schema))).feed(
        new TextEncoder().encode("A,B\na,1\n"),
        out
      )
      return problem?.message ?? out[0]
    }
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

    it("writes columns, whole or some, and keys as the function does, and rejects what it does not take", () => {
      const codec = codecOf(
        Fields.pipe(
          Schema.decodeTo(
            Fields,
            loud((fields) => fields)
          )
        )
      )
      const written = codec.encoder({ nulls: "clear", key: "A" })([{ A: "a!", B: 1 }])
      assert.deepStrictEqual([text(written.bytes), written.keys], ["a,1\n", ["a"]])
      const part = (column: "A" | "B", records: ReadonlyArray<Fields>) => {
        const { bytes, rejected } = codec.encoder({ nulls: "clear", columns: [column] })(records)
        return [text(bytes), rejected.length]
      }
      const records = [{ A: "a!", B: 1 }]
      assert.deepStrictEqual(part("A", [...records, { A: "b!", B: Number.NaN }]), ["a\n", 1])
      // a whole that could not be written has no parts
      assert.deepStrictEqual(part("B", [...records, { A: "#N/A!", B: 2 }]), ["1\n", 1])
      assert.deepStrictEqual(codec.show({ A: "a!", B: 1 }), { A: "a", B: "1" })
    })

    it("takes what is not made as a class for what it is", () => {
      const made = Fields.pipe(
        Schema.decodeTo(
          Schema.toType(Named),
          loud((fields) => new Named(fields))
        )
      )
      const { bytes } = codecOf(made).encoder({ nulls: "clear" })([new Named({ A: "a!", B: 1 })])
      assert.strictEqual(text(bytes), "a,1\n")
      assert.deepStrictEqual(read(made), new Named({ A: "a!", B: 1 }))
      const unmade = SchemaAST.decodeTo(
        Fields.ast,
        Schema.toType(Named).ast,
        new SchemaTransformation.Transformation(
          SchemaGetter.transform((fields: object) => ({ ...fields })),
          SchemaGetter.passthrough()
        )
      )
      assert.strictEqual(read(Schema.make(unmade)), "Expected Named")
    })
  })

  it("leaves to Schema what is checked as it is encoded", () => {
    const struct = Schema.Struct({ A: Schema.String }).check(Schema.makeFilter(({ A }) => A !== "no"))
    const plan = (schema: RecordCodec.RecordSchema) => parts(schema).plan
    assert.isDefined(plan(struct))
    assert.isUndefined(plan(Schema.flip(struct)))
    assert.isUndefined(plan(Schema.Struct({ Of: Schema.flip(struct) })))
  })

  it("knows which fields do not come back", () => {
    const counts = { known: 0, kept: 0, lost: 0 }
    for (const form of new Set(wrap)) {
      for (const field of fields) {
        const schema = Schema.Struct({ F: form(field), Other: Schema.String }) as unknown as RecordCodec.RecordSchema
        const { codec } = parts(schema)
        const { loses } = misreadOf(schema.ast)
        if (loses === undefined) counts.known++
        const decode = Result.getOrThrow(codec.decoder(codec.columns))
        for (const value of values) {
          // that instants are written to the millisecond, is not asked
          if (value === halfMillis) continue
          const record = { F: value, Other: "" }
          const cells = codec.encode(record, "ignore")
          // that a carriage return is none any more, is asked of texts
          if (Result.isFailure(cells) || /\r|\\r/.test(String(value))) continue
          const again = Result.map(decode(cells.success), (record) => (record as typeof record & { F?: unknown }).F)
          const isKept = Result.isSuccess(again) && comesBack(again.success, value)
          counts[isKept ? "kept" : "lost"]++
          if (!isKept) assert.isTrue(loses?.(record), `${field.ast._tag} ${String(value)}`)
        }
      }
    }
    assert.isAbove(counts.known, 400)
    assert.isAbove(counts.kept, 3_000)
    assert.isAbove(counts.lost, 100)
  })

  it("takes options apart, but for those that are more than what is there", () => {
    const isApart = (field: Schema.Top): boolean => {
      const { plan } = parts(Schema.Struct({ F: field }) as unknown as RecordCodec.RecordSchema)
      const [node] = plan?.nodes ?? []
      return node?._tag === "PlanLeaf" && node.some !== undefined
    }
    for (const of of [
      Schema.OptionFromNullOr,
      Schema.OptionFromUndefinedOr,
      Schema.OptionFromNullishOr,
      Schema.OptionFromOptionalKey,
      Schema.OptionFromOptional,
      Schema.OptionFromOptionalNullOr
    ]) {
      for (const field of [
        Schema.String,
        Field.Id,
        Field.DateTime,
        Schema.Literals(["A", "B"]),
        Schema.FiniteFromString
      ]) {
        assert.isTrue(isApart(of<Schema.Top>(field)))
      }
      assert.isFalse(isApart(of<Schema.Top>(Schema.Literals([1, 2]))))
      assert.isFalse(isApart(of<Schema.Top>(Schema.NullOr(Schema.String))))
      assert.isFalse(isApart(of<Schema.Top>(Schema.String).check(Schema.makeFilter(() => true))))
      assert.isFalse(isApart(Schema.optionalKey(of<Schema.Top>(Schema.String))))
      assert.isFalse(isApart(Schema.NullOr(of<Schema.Top>(Schema.String))))
    }
  })

  it("may make code of text here", () => {
    assert.isTrue(canGenerate())
  })
})
