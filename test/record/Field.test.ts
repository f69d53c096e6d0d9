import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, DateTime, Effect, Option, Result, Schema, SchemaTransformation, Stream } from "effect"
import * as Field from "../../src/record/Field.ts"
import { misreadOf } from "../../src/record/misread.ts"
import * as RecordCodec from "../../src/record/RecordCodec.ts"

const decode = <S extends Schema.Codec<unknown, string>>(schema: S, text: string): S["Type"] | undefined =>
  Result.getOrUndefined(Schema.decodeUnknownResult(schema)(text))
const encode = <S extends Schema.Codec<unknown, string>>(schema: S, value: S["Type"]): string | undefined =>
  Result.getOrUndefined(Schema.encodeUnknownResult(schema)(value))
const why = (schema: Schema.Codec<unknown, string>, text: string) => {
  const read = Schema.decodeUnknownResult(schema)(text)
  return Result.isFailure(read) ? read.failure.message : undefined
}
const utc = (text: string) => DateTime.makeUnsafe(text)

describe("Field", () => {
  it("reads ids of 15 and 18 characters, and tells wrong ones", () => {
    assert.strictEqual(decode(Field.Id, "001D000000IRFma"), "001D000000IRFmaIAH")
    assert.strictEqual(decode(Field.Id, "001D000000IRFmaIAH"), "001D000000IRFmaIAH")
    for (const text of [
      "001D000000IRFmaIAX",
      "001d000000IRFmaIAH",
      "",
      "001D000000IRFm",
      "001D000000IRFm!",
      " 001D000000IRFma"
    ]) {
      assert.strictEqual(why(Field.Id, text), "Expected an id of 15 characters, or of 18 with its checksum")
    }
    assert.strictEqual(Field.Id.make("001D000000IRFmaIAH"), "001D000000IRFmaIAH")
    assert.throws(() => Field.Id.make("001D000000IRFma"))
    assert.deepStrictEqual(Field.toId18("001D000000IRFmaIAX"), Option.none())
  })

  it("reads dates that are days, and writes none with a time", () => {
    assert.deepStrictEqual(decode(Field.Date, "2024-02-29"), utc("2024-02-29T00:00:00Z"))
    for (const text of ["2026-02-29", "2026-13-01", "2026-11-23T00:00:00.000Z", "23.11.2026", "20261123", ""]) {
      assert.strictEqual(why(Field.Date, text), "Expected a date like 2026-11-23")
    }
    assert.strictEqual(encode(Field.Date, utc("1969-12-31T00:00:00Z")), "1969-12-31")
    assert.isUndefined(encode(Field.Date, utc("2026-11-23T00:00:00.001Z")))
  })

  it("reads instants in every form of Salesforce, and none without an offset", () => {
    const instant = utc("2026-11-23T20:41:12Z")
    for (const text of [
      "2026-11-23T20:41:12.000Z",
      "2026-11-23T20:41:12.000+0000",
      "2026-11-23T20:41:12Z",
      "2026-11-23T21:41:12+01:00",
      "2026-11-23T16:11:12.0-0430"
    ]) {
      assert.deepStrictEqual(decode(Field.DateTime, text), instant, text)
    }
    for (const text of [
      "2026-11-23T20:41:12",
      "2026-11-23",
      "2026-11-23T25:00:00Z",
      "2026-11-23T20:41:12+25:00",
      "now"
    ]) {
      assert.match(why(Field.DateTime, text) ?? "", /^Expected a date and time with Z or an offset/)
    }
    assert.strictEqual(encode(Field.DateTime, instant), "2026-11-23T20:41:12.000Z")
  })

  it("reads the clock of a zone, if the zone is named", () => {
    const berlin = Field.dateTimeIn("Europe/Berlin")
    assert.deepStrictEqual(decode(berlin, "2026-11-23T21:41:12"), utc("2026-11-23T20:41:12Z"))
    assert.deepStrictEqual(decode(berlin, "2026-07-23 21:41"), utc("2026-07-23T19:41:00Z"))
    assert.deepStrictEqual(decode(berlin, "2026-07-23T21:41:12.000+0000"), utc("2026-07-23T21:41:12Z"))
    // shown twice, and never
    assert.deepStrictEqual(decode(berlin, "2026-10-25T02:30:00"), utc("2026-10-25T00:30:00Z"))
    assert.deepStrictEqual(decode(berlin, "2026-03-29T02:30:00"), utc("2026-03-29T01:30:00Z"))
    for (const text of ["2026-11-23", "2026-02-30T00:00:00", "21:41"]) {
      assert.strictEqual(why(berlin, text), "Expected a date and time in Europe/Berlin")
    }
    assert.strictEqual(encode(berlin, utc("2026-11-23T20:41:12Z")), "2026-11-23T20:41:12.000Z")
    assert.throws(() => Field.dateTimeIn("Europe/Atlantis"))
  })

  it("reads times of day", () => {
    assert.deepStrictEqual(decode(Field.Time, "20:41:12.000Z"), utc("1970-01-01T20:41:12Z"))
    assert.deepStrictEqual(decode(Field.Time, "20:41:12.5"), utc("1970-01-01T20:41:12.500Z"))
    assert.strictEqual(encode(Field.Time, utc("1970-01-01T20:41:12Z")), "20:41:12.000Z")
    for (const text of ["24:00:00.000Z", "20:41", "8pm", ""]) {
      assert.strictEqual(why(Field.Time, text), "Expected a time like 20:41:12.000Z")
    }
    assert.isUndefined(encode(Field.Time, utc("1970-01-02T00:00:00Z")))
  })

  it("reads the values of multi-select picklists", () => {
    assert.deepStrictEqual(decode(Field.MultiPicklist, "Red;Dark Blue"), ["Red", "Dark Blue"])
    assert.deepStrictEqual(decode(Field.MultiPicklist, ""), [])
    assert.strictEqual(encode(Field.MultiPicklist, ["Red", "Blue"]), "Red;Blue")
    assert.isUndefined(encode(Field.MultiPicklist, ["Red;Blue"]))
    assert.isUndefined(decode(Field.MultiPicklist, "Red;;Blue"))
    const colours = Field.multiPicklistOf(["Red", "Blue"])
    assert.deepStrictEqual(decode(colours, "Blue;Red"), ["Blue", "Red"])
    assert.isUndefined(decode(colours, "Green"))
    const odd = Field.multiPicklistOf(["Red;Blue", "", "Red"])
    assert.deepStrictEqual(
      ([["Red;Blue"], [""], ["Red"]] as const).map((values) => encode(odd, values)),
      [undefined, undefined, "Red"]
    )
  })

  it("bounds texts as the fields of Salesforce do", () => {
    assert.isUndefined(decode(Field.textOf(3), "four"))
    assert.isUndefined(decode(Field.Email, "nobody"))
    assert.strictEqual(decode(Field.Email, "a@b"), "a@b")
    assert.isUndefined(decode(Field.Phone, "1".repeat(41)))
    assert.isUndefined(decode(Field.Url, "u".repeat(256)))
    assert.isUndefined(decode(Field.picklistOf(["New", "Won"]), "Lost"))
  })

  it("is known to read what it writes, so that no load asks", () => {
    const { DateTime: At, Id, MultiPicklist, Time, dateTimeIn, multiPicklistOf } = Field
    const all = {
      At,
      Day: Field.Date,
      Id,
      MultiPicklist,
      Time,
      In: dateTimeIn("Europe/Berlin"),
      Of: multiPicklistOf(["Red"])
    }
    const schemaOf = (form: (field: Schema.Top) => Schema.Top) =>
      Schema.Struct(Object.fromEntries(Object.entries(all).map(([name, field]) => [name, form(field)])))
    for (const form of [(field: Schema.Top) => field, Schema.NullOr, Schema.UndefinedOr, Schema.optionalKey]) {
      assert.isUndefined(misreadOf(schemaOf(form).ast).loses)
    }
    const half = SchemaTransformation.transform({ decode: (n: number) => n / 2, encode: (n: number) => 2 * n })
    assert.isDefined(misreadOf(schemaOf(() => Schema.Finite.pipe(Schema.decodeTo(Schema.Finite, half))).ast).loses)
  })

  const Everything = Schema.Struct({
    Id: Field.Id,
    Name: Field.Text,
    Email: Schema.NullOr(Field.Email),
    Stage: Field.picklistOf(["New", "Won"]),
    Colours: Field.multiPicklistOf(["Red", "Dark Blue"]),
    Done: Field.Boolean,
    Amount: Field.Currency,
    Count: Schema.optionalKey(Field.Integer),
    Day: Field.Date,
    At: Schema.NullOr(Field.DateTime),
    From: Field.Time
  })

  const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
  const numbers = Schema.Struct({
    id: between(0, 2 ** 40),
    text: Schema.String.check(Schema.makeFilter((text) => text.isWellFormed() && text !== "#N/A" && !/\r/.test(text))),
    amount: Schema.Finite.check(Schema.makeFilter((n) => !Object.is(n, -0))),
    flags: between(0, 31),
    day: between(-60_000, 700_000),
    millis: between(-5_000_000_000_000, 60_000_000_000_000),
    time: between(0, 86_399_999)
  })

  it.effect.prop(
    "holds every value from a record to bytes and back",
    { input: Arbitrary.array(Arbitrary.schema(numbers), { minLength: 1, maxLength: 20 }) },
    ({ input }) =>
      Effect.gen(function* () {
        const records = input.map(({ amount, day, flags, id, millis, text, time }) => ({
          Id: Option.getOrThrow(Field.toId18(`001${id.toString(36).padStart(12, "A")}`)),
          Name: text,
          Email: flags & 1 ? "a@b.c" : null,
          Stage: flags & 2 ? ("New" as const) : ("Won" as const),
          Colours: flags & 4 ? (["Red", "Dark Blue"] as const) : [],
          Done: (flags & 8) > 0,
          Amount: amount,
          ...(flags & 16 ? { Count: day } : {}),
          Day: DateTime.makeUnsafe(day * 86_400_000),
          At: flags & 1 ? null : DateTime.makeUnsafe(millis),
          From: DateTime.makeUnsafe(time)
        }))
        const codec = Result.getOrThrow(RecordCodec.make(Everything))
        const { bytes, rejected } = codec.encoder({ nulls: "ignore" })(records)
        assert.deepStrictEqual(rejected, [])
        const read = yield* Stream.make(new TextEncoder().encode(`${codec.columns.join(",")}\n`), bytes).pipe(
          RecordCodec.decode(codec),
          Stream.runCollect
        )
        assert.deepStrictEqual(read, records)
      }),
    { arbitrary: { runs: 200 } }
  )
})
