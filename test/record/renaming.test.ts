import { assert, describe, it } from "@effect/vitest"
import { DateTime, Result, Schema, SchemaAST, SchemaTransformation, Struct } from "effect"
import * as Csv from "../../src/record/Csv.ts"
import * as Columns from "../../src/record/cells/columns.ts"
import { isTransformed, planOf } from "../../src/record/compile/plan.ts"
import { renamingOf } from "../../src/record/compile/renaming.ts"
import { Parser } from "../../src/record/csv/parser.ts"
import { records } from "../../src/record/decode.ts"
import * as Field from "../../src/record/Field.ts"
import * as RecordCodec from "../../src/record/RecordCodec.ts"

type AnyRecord = Readonly<Record<string, unknown>>
type Transform = (record: AnyRecord) => AnyRecord

const renameKeys = Struct.renameKeys as (names: Readonly<Record<string, string>>) => Transform
const rename = renameKeys({ a: "A" })
const names = ["a", "b"]

const told = (transform: Transform) => renamingOf(transform as (record: object) => unknown, names)

const isCompiled = ({ ast }: RecordCodec.RecordSchema): boolean => {
  const plan = planOf(ast, Result.getOrThrow(Columns.groupOf(SchemaAST.toEncoded(ast))))
  return plan !== undefined && !isTransformed(plan)
}

describe("a renaming", () => {
  it("is told by what it does to names", () => {
    assert.deepStrictEqual(told(rename), new Map(Object.entries({ a: "A", b: "b" })))
    // the later one is left
    assert.deepStrictEqual(told(renameKeys({ a: "b" })), new Map([["b", "b"]]))
  })

  it("is no other function, though it does the same to most values", () => {
    const notEmpty = (value: unknown) => (value === "" ? "none" : value)
    const others: ReadonlyArray<Transform> = [
      (record) => rename(record),
      (record) => rename({ ...record, a: notEmpty(record.a) }),
      (record) => ({ ...rename(record), b: notEmpty(record.b) }),
      ({ a, b }) => ({ A: a, b }),
      (record) => record,
      () => ({ A: 1, b: 2 }),
      () => {
        throw new Error("made for other records")
      },
      Struct.evolve({ b: notEmpty }) as Transform,
      Struct.evolveKeys({ a: () => "A" }) as Transform,
      Struct.evolveEntries({ a: (_: string, value: unknown) => ["A", notEmpty(value)] }) as Transform,
      new Proxy(rename, { apply: (target, _, [record]) => target({ ...record, a: notEmpty(record.a) }) })
    ]
    for (const other of others) assert.isUndefined(told(other), String(other))
  })

  it("is not told where stacks do not tell it, and leaves stacks as they are", () => {
    const { prepareStackTrace, stackTraceLimit } = Error
    try {
      Error.stackTraceLimit = 3
      assert.isDefined(told(rename))
      assert.strictEqual(Error.stackTraceLimit, 3)
      Error.prepareStackTrace = () => "somewhere"
      assert.isUndefined(told(rename))
      // without what is around a function, and without what is within
      Error.prepareStackTrace = (_, [first, second, third]) => `${first} ${second} ${third}`
      assert.isUndefined(told(rename))
      Error.prepareStackTrace = (_, stack) => stack.toSpliced(2, 1).join()
      assert.isUndefined(told(rename))
    } finally {
      Object.assign(Error, { prepareStackTrace, stackTraceLimit })
    }
  })
})

describe("a struct whose fields are renamed", () => {
  const fields = { name: Schema.String, note: Schema.NullOr(Schema.String), at: Field.DateTime }

  it("is compiled as others are, and so are classes, those that it is in, and those with checks", () => {
    class Made extends Schema.Class<Made>("Made")(fields) {}
    const names = { name: "Name", note: "Note__c" } as const
    const renamed = Schema.Struct(fields).pipe(Schema.encodeKeys(names))
    assert.isTrue(isCompiled(renamed))
    assert.isTrue(isCompiled(Made.pipe(Schema.encodeKeys(names))))
    assert.isTrue(isCompiled(Schema.TaggedStruct("Made", fields).pipe(Schema.encodeKeys(names))))
    assert.isTrue(isCompiled(renamed.check(Schema.makeFilter(({ name }) => name !== "no"))))
    assert.isTrue(isCompiled(Schema.Struct({ Owner: Schema.optionalKey(Schema.NullOr(renamed)) })))
    assert.isTrue(
      isCompiled(Schema.Struct({ owner: renamed, b: Schema.String }).pipe(Schema.encodeKeys({ owner: "Owner" })))
    )
  })

  it("is written with some of its columns as others are: what the rest holds does not matter", () => {
    const codec = Result.getOrThrow(
      RecordCodec.make(Schema.Struct(fields).pipe(Schema.encodeKeys({ name: "Name", at: "CreatedDate" })))
    )
    const record = { name: "#N/A", note: "x", at: DateTime.makeUnsafe(0) }
    const encode = codec.encoder({ nulls: "clear", columns: ["CreatedDate", "note"], key: "note" })
    // what is compiled writes the one, Schema judges the other
    for (const one of [record, { ...record, note: "x".repeat(131_073) }]) {
      const { bytes, keys, rejected } = encode([one])
      assert.deepStrictEqual(
        rejected.map(({ problem }) => problem.column),
        one === record ? [] : ["note"]
      )
      assert.strictEqual(new TextDecoder().decode(bytes), one === record ? "1970-01-01T00:00:00.000Z,x\n" : "")
      assert.deepStrictEqual(keys, one === record ? ["x"] : [])
    }
    assert.deepStrictEqual(codec.show(record), { Name: "#N/A", note: "x", CreatedDate: String(record.at) })
  })

  it("may have a tag of another name, in rows or in records", () => {
    const rows = (schema: RecordCodec.RecordSchema, records: ReadonlyArray<unknown>) => {
      assert.isTrue(isCompiled(schema))
      return new TextDecoder().decode(
        Result.getOrThrow(RecordCodec.make(schema)).encoder({ nulls: "clear" })(records).bytes
      )
    }
    const tagged = Schema.TaggedStruct("Made", { name: Schema.String }).pipe(Schema.encodeKeys({ _tag: "Kind__c" }))
    assert.strictEqual(rows(tagged, [{ _tag: "Made", name: "a" }]), "Made,a\n")
    const kind = Schema.Struct({ kind: Schema.Literal("Made"), name: Schema.String })
    const untagged = kind.pipe(Schema.encodeKeys({ kind: "_tag", name: "Name" }))
    assert.strictEqual(
      rows(untagged, [
        { kind: "Made", name: "a" },
        { kind: "Other", name: "b" }
      ]),
      "a\n"
    )
    const out: Array<typeof untagged.Type> = []
    const parser = new Parser(Csv.standard, records(Result.getOrThrow(RecordCodec.make(untagged))))
    assert.isUndefined(parser.feed(new TextEncoder().encode("Name\na\n"), out))
    assert.deepStrictEqual(out, [{ kind: "Made", name: "a" }])
  })

  it("is not, if more is done to them, or a name is that of every object", () => {
    const encoded = { A: Schema.String, b: Schema.String }
    const decoded = Schema.Struct({ a: Schema.String, b: Schema.String })
    const transformed = (
      decode: Transform,
      encode: Transform,
      from: RecordCodec.RecordSchema = Schema.Struct(encoded)
    ) =>
      Schema.make<RecordCodec.RecordSchema>(
        SchemaAST.decodeTo(from.ast, decoded.ast, SchemaTransformation.transform({ decode, encode }))
      )
    const back = renameKeys({ A: "a" })
    assert.isTrue(isCompiled(transformed(back, rename)))
    assert.isFalse(isCompiled(transformed(back, ({ a, b }) => ({ A: a, b }))))
    assert.isFalse(isCompiled(transformed(({ A, b }) => ({ a: A, b }), rename)))
    // what is not the way back
    assert.isFalse(isCompiled(transformed(back, renameKeys({ a: "b", b: "A" }))))
    assert.isFalse(isCompiled(transformed(renameKeys({ A: "b", b: "a" }), rename)))
    assert.isFalse(isCompiled(transformed(back, renameKeys({ a: "b" }))))
    // what is not read as the field is written
    const from = (fields: Schema.Struct.Fields) =>
      transformed(back, rename, Schema.Struct(fields) as unknown as RecordCodec.RecordSchema)
    assert.isFalse(isCompiled(from({ ...encoded, b: Schema.Trim })))
    assert.isFalse(isCompiled(from({ ...encoded, b: Schema.NonEmptyString })))
    assert.isFalse(isCompiled(from({ ...encoded, c: Schema.String })))
    assert.isFalse(isCompiled(from({ b: Schema.String, A: Schema.String })))
    // what is checked, or transformed once more
    const checked = Schema.Struct(encoded).check(Schema.makeFilter(({ A }) => A !== "no"))
    assert.isFalse(isCompiled(transformed(back, rename, checked)))
    const loud = SchemaTransformation.transform({
      decode: ({ A, b }: AnyRecord): AnyRecord => ({ A: `${A}!`, b }),
      encode: back
    })
    const twice = transformed(back, rename)
    assert.isFalse(isCompiled(Schema.make(SchemaAST.decodeTo(Schema.Struct(encoded).ast, twice.ast, loud))))
    const named = Schema.Struct({ toString: Schema.String }) as unknown as Schema.Struct<typeof encoded>
    assert.isFalse(isCompiled(named.pipe(Schema.encodeKeys({ toString: "A" } as never))))
  })
})
