import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, DateTime, Effect, Option, Result, Schema, SchemaTransformation, Stream, Struct } from "effect"
import * as RecordCodec from "../../src/record/RecordCodec.ts"

const codecOf = <S extends RecordCodec.RecordSchema>(schema: S) => Result.getOrThrow(RecordCodec.make(schema))

class Item extends Schema.Class<Item>("Item")({
  Name: Schema.String,
  Count__c: Schema.NullOr(Schema.Finite),
  Active__c: Schema.optionalKey(Schema.Boolean),
  Seen__c: Schema.NullOr(Schema.Date),
  Grade__c: Schema.NullOr(Schema.Literals(["A", "B"])),
  Owner: Schema.Struct({ Email: Schema.String }),
  Category__r: Schema.NullOr(Schema.Struct({ Code__c: Schema.String, Rank__c: Schema.Finite }))
}) {}

const columns = [
  "Name",
  "Count__c",
  "Active__c",
  "Seen__c",
  "Grade__c",
  "Owner.Email",
  "Category__r.Code__c",
  "Category__r.Rank__c"
]

const full = new Item({
  Name: "Bolt",
  Count__c: 1.5,
  Active__c: true,
  Seen__c: new Date("2026-11-23T20:41:12.000Z"),
  Grade__c: "A",
  Owner: { Email: "a@b.c" },
  Category__r: { Code__c: "C-1", Rank__c: 7 }
})
const sparse = new Item({
  Name: "",
  Count__c: null,
  Seen__c: null,
  Grade__c: null,
  Owner: { Email: "x" },
  Category__r: null
})

const textOf = ({ bytes }: { readonly bytes: Uint8Array }) => new TextDecoder().decode(bytes)

describe("RecordCodec", () => {
  const codec = codecOf(Item)
  const decode = (header: ReadonlyArray<string>, row: ReadonlyArray<string>) =>
    Result.flatMap(codec.decoder(header), (decode) => decode(row))

  it("has the schema's columns, relationships with a dot", () => {
    assert.deepStrictEqual(codec.columns, columns)
  })

  it("writes values as text, and nulls as the caller decides", () => {
    assert.deepStrictEqual(
      codec.encode(full, "clear"),
      Result.succeed(["Bolt", "1.5", "true", "2026-11-23T20:41:12.000Z", "A", "a@b.c", "C-1", "7"])
    )
    // what is absent is never cleared
    assert.deepStrictEqual(
      codec.encode(sparse, "clear"),
      Result.succeed(["", "#N/A", "", "#N/A", "#N/A", "x", "#N/A", "#N/A"])
    )
    assert.deepStrictEqual(codec.encode(sparse, "ignore"), Result.succeed(["", "", "", "", "", "x", "", ""]))
  })

  it("reads rows by column name, in any order and case, as instances of the class", () => {
    const order = [7, 3, 0, 1, 2, 4, 6, 5]
    const cells = Result.getOrThrow(codec.encode(full, "clear"))
    const read = decode(
      [...order.map((i) => (columns[i] ?? "").toUpperCase()), "Extra"],
      [...order.map((i) => cells[i] ?? ""), "?"]
    )
    assert.deepStrictEqual(read, Result.succeed(full))
    assert.instanceOf(Result.getOrThrow(read), Item)
  })

  it("reads empty cells as null, absent or empty text", () => {
    assert.deepStrictEqual(decode(columns, ["", "", "", "", "", "x", "", ""]), Result.succeed(sparse))
  })

  it("reads numbers as Salesforce writes them back", () => {
    const read = Result.getOrThrow(decode(columns, ["n", "9.12260031E8", "", "", "", "x", "", ""]))
    assert.strictEqual(read.Count__c, 912260031)
  })

  it("says which column of a row does not fit, with its value", () => {
    assert.deepStrictEqual(
      decode(columns, ["n", "many", "", "", "", "x", "", ""]),
      Result.fail({
        column: "Count__c",
        value: "many",
        message: "Expected a string representing a finite number"
      })
    )
    const grade = decode(columns, ["n", "", "", "", "Z", "x", "", ""])
    assert.include(Result.isFailure(grade) && grade.failure, { column: "Grade__c", value: "Z" })
  })

  it("says which column a header lacks", () => {
    assert.deepStrictEqual(
      codec.decoder(["Name", "Count__c"]),
      Result.fail({
        column: "Active__c",
        value: undefined,
        message: "not among the columns (Name, Count__c)"
      })
    )
  })

  it("keeps checks of the schema on both ways", () => {
    const Short = Schema.Struct({ Name: Schema.String.check(Schema.isMaxLength(3)) })
    const short = codecOf(Short)
    const refused = short.encode({ Name: "long" }, "clear")
    assert.strictEqual(Result.isFailure(refused) && refused.failure.column, "Name")
    const read = Result.flatMap(short.decoder(["Name"]), (decode) => decode(["long"]))
    assert.strictEqual(Result.isFailure(read) && read.failure.column, "Name")
  })

  it("refuses texts that would not arrive as they are", () => {
    const text = codecOf(Schema.Struct({ Name: Schema.String }))
    for (const Name of ["#N/A", "\ud800"]) {
      const refused = text.encode({ Name }, "clear")
      assert.include(Result.isFailure(refused) && refused.failure, { column: "Name", value: Name })
    }
    assert.deepStrictEqual(text.encode({ Name: "a\r\nb\rc" }, "clear"), Result.succeed(["a\nb\nc"]))
  })

  it("shows records that it cannot write", () => {
    const text = codecOf(Schema.Struct({ Name: Schema.String, Of: Schema.NullOr(Schema.Struct({ N: Schema.Finite })) }))
    assert.deepStrictEqual(text.show({ Name: "#N/A", Of: { N: Number.NaN } }), { Name: "#N/A", "Of.N": "NaN" })
    assert.deepStrictEqual(text.show({ Name: "", Of: null }), { Name: "", "Of.N": "" })
  })

  it("writes arrays of records as text, and keeps those it cannot write", () => {
    const refused = new Item({ ...full, Name: "#N/A" })
    const encoded = codec.encoder({ nulls: "clear", key: "Name" })([full, refused, sparse])
    assert.strictEqual(textOf(encoded), "Bolt,1.5,true,2026-11-23T20:41:12.000Z,A,a@b.c,C-1,7\n")
    assert.deepStrictEqual([encoded.rows, encoded.written, encoded.keys], [1, [full], ["Bolt"]])
    assert.deepStrictEqual(
      encoded.rejected.map(({ problem, record }) => [record, problem.column, problem.message]),
      [
        [refused, "Name", "the text #N/A would clear the field"],
        [sparse, "Name", "the key is empty: its outcome could not be told from others"]
      ]
    )
    const records = [full, sparse]
    const all = codec.encoder({ nulls: "ignore" })(records)
    assert.strictEqual(all.written, records)
    assert.deepStrictEqual([all.rows, all.rejected, all.keys], [2, [], []])
    assert.deepStrictEqual(textOf(codec.encoder({ nulls: "ignore" })([])), "")
  })

  it("tells records apart by any plain text, that of a relationship too", () => {
    const encode = (key: string) => codec.encoder({ nulls: "clear", key })
    const counted = encode("Count__c")([full, new Item({ ...full, Count__c: null })])
    assert.deepStrictEqual([counted.keys, counted.rejected.length], [["1.5"], 1])
    const owned = encode("Owner.Email")([new Item({ ...full, Owner: { Email: " x " } }), full])
    assert.deepStrictEqual(owned.keys, ["x", "a@b.c"])
    const ranked = encode("Category__r.Rank__c")([full, sparse])
    assert.deepStrictEqual([ranked.keys, ranked.rejected[0]?.problem.column], [["7"], "Category__r.Rank__c"])
  })

  describe("of a schema that is transformed as a whole", () => {
    const Renamed = Schema.Struct({ Name: Schema.String, Note__c: Schema.NullOr(Schema.String) }).pipe(
      Schema.decodeTo(
        Schema.Struct({ name: Schema.String, note: Schema.NullOr(Schema.String) }),
        SchemaTransformation.transform({
          decode: ({ Name, Note__c }) => ({ name: Name, note: Note__c }),
          encode: ({ name, note }) => ({ Name: name, Note__c: note })
        })
      )
    )
    const renamed = codecOf(Renamed)
    const records = [
      { name: "a", note: "two\nlines" },
      { name: "b", note: null }
    ]

    it("writes what Schema makes of the records", () => {
      const encode = renamed.encoder({
        nulls: "clear",
        dialect: { columnDelimiter: "SEMICOLON", lineEnding: "CRLF" },
        key: "Name"
      })
      const encoded = encode([...records, { name: "#N/A", note: "c" }])
      assert.strictEqual(textOf(encoded), 'a;"two\r\nlines"\r\nb;#N/A\r\n')
      assert.deepStrictEqual(encoded.keys, ["a", "b"])
      assert.deepStrictEqual(
        encoded.rejected.map(({ problem }) => [problem.column, problem.message]),
        [["Name", "the text #N/A would clear the field"]]
      )
      // a key that is cleared is none
      const byNote = renamed.encoder({ nulls: "clear", key: "Note__c" })(records)
      assert.deepStrictEqual([byNote.keys, byNote.rejected[0]?.record], [["two\nlines"], records[1]])
      // and so it is with some of its columns
      const names = renamed.encoder({ nulls: "clear", columns: ["Name"] })(records)
      assert.strictEqual(textOf(names), "a\nb\n")
    })

    it("shows the records that Schema writes", () => {
      assert.deepStrictEqual(renamed.show({ name: "a", note: null }), { Name: "a", Note__c: "" })
      assert.deepStrictEqual(renamed.show({ name: "#N/A", note: null }), { Name: "", Note__c: "" })
    })

    it("keeps encoders by their options, but not for ever", () => {
      const fields = Object.fromEntries(["A", "B", "C", "D"].map((name) => [name, Schema.String]))
      const codec = Result.getOrThrow(RecordCodec.make(Schema.Struct(fields)))
      const first = codec.encoder({ nulls: "clear" })
      assert.strictEqual(codec.encoder({ nulls: "clear" }), first)
      const others = codec.columns.flatMap((a) =>
        codec.columns.flatMap((b) => codec.columns.map((c) => codec.encoder({ nulls: "clear", columns: [a, b, c] })))
      )
      assert.strictEqual(new Set([first, ...others]).size, 65)
      assert.notStrictEqual(codec.encoder({ nulls: "clear" }), first)
    })

    it("says whether a carriage return may be among the texts, which are written without", () => {
      for (const lineEnding of ["LF", "CRLF"] as const) {
        const encode = renamed.encoder({ nulls: "clear", dialect: { columnDelimiter: "COMMA", lineEnding } })
        assert.isTrue(encode([{ name: "a", note: "two\r\nlines" }]).hasReturns)
        assert.isFalse(encode([{ name: "a", note: null }]).hasReturns)
      }
    })

    it.effect("reads what Schema makes of the rows", () =>
      Effect.gen(function* () {
        const text = 'NOTE__C,Name\n"two\nlines",a\n,b\n'
        const read = Stream.encodeText(Stream.make(text)).pipe(RecordCodec.decode(renamed), Stream.runCollect)
        assert.deepStrictEqual(yield* read, records)
        // what was made for the header is made once, and reads the same
        assert.deepStrictEqual(yield* read, records)
      })
    )
  })

  it("writes some of the columns, in any dialect", () => {
    const text = codecOf(Schema.Struct({ Id: Schema.String, Name: Schema.String, Note: Schema.String }))
    const encode = text.encoder({
      nulls: "ignore",
      dialect: { columnDelimiter: "SEMICOLON", lineEnding: "CRLF" },
      columns: ["Note", "Id"],
      key: "Name"
    })
    const encoded = encode([{ Id: "1", Name: "x", Note: "a;b\nc,d" }])
    assert.deepStrictEqual([textOf(encoded), encoded.keys], ['"a;b\r\nc,d";1\r\n', ["x"]])
    assert.throws(() => text.encoder({ nulls: "ignore", columns: ["Nope"] }), "Nope is no column of the schema")
  })

  const csv = (...lines: ReadonlyArray<string>) =>
    Stream.fromIterable(lines).pipe(
      Stream.map((line) => `${line}\n`),
      Stream.encodeText
    )
  const pair = codecOf(Schema.Struct({ Name: Schema.String, Count__c: Schema.Finite }))

  it.effect("reads bytes as records, up to the first that does not fit", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const error = yield* csv("count__c,Name,Extra", "1,a,", "x,b,", "2,c,").pipe(
        RecordCodec.decode(pair),
        Stream.runForEach((record) => Effect.sync(() => seen.push(record))),
        Effect.flip
      )
      assert.deepStrictEqual(seen, [{ Name: "a", Count__c: 1 }])
      assert.strictEqual(error._tag, "InvalidRecord")
      assert.include(error, { row: 2, column: "Count__c", value: "x" })
    })
  )

  it.effect("reads bytes as a result for each record", () =>
    Effect.gen(function* () {
      const results = yield* csv("Name|Count__c", "a|1", "b|x", "c|3").pipe(
        RecordCodec.decodeResult(pair, { columnDelimiter: "PIPE", lineEnding: "LF" }),
        Stream.map((result) => (Result.isSuccess(result) ? result.success.Name : result.failure.row)),
        Stream.runCollect
      )
      assert.deepStrictEqual(results, ["a", 2, "c"])
    })
  )

  it.effect("takes no text for the null among literals", () =>
    Effect.gen(function* () {
      const Graded = Schema.Struct({ Grade: Schema.Union([Schema.Literal("A"), Schema.Null, Schema.Literal("B")]) })
      const results = yield* csv("Grade,Id", "A,1", ",2", "null,3", "B,4").pipe(
        RecordCodec.decodeResult(codecOf(Graded)),
        Stream.map((result) => (Result.isSuccess(result) ? result.success.Grade : result.failure._tag)),
        Stream.runCollect
      )
      assert.deepStrictEqual(results, ["A", null, "InvalidRecord", "B"])
    })
  )

  it.effect("fails at a header that lacks a column", () =>
    Effect.gen(function* () {
      const error = yield* csv("Name", "a").pipe(RecordCodec.decode(pair), Stream.runDrain, Effect.flip)
      assert.deepStrictEqual(
        [error._tag, error.message],
        ["MissingColumn", "column Count__c is not among the columns (Name)"]
      )
    })
  )

  it("refuses what Salesforce would not keep, with column and reason", () => {
    const Wide = Schema.Struct({
      Text: Schema.String,
      More: Schema.String,
      Rest: Schema.String,
      Note: Schema.String,
      Number: Schema.Number,
      Seen: Schema.Date
    })
    const fits = { Text: "", More: "", Rest: "", Note: "", Number: 1, Seen: new Date(0) }
    const encode = codecOf(Wide).encoder({ nulls: "ignore" })
    const problemOf = (record: Partial<typeof fits>) => {
      const { bytes, rejected, rows } = encode([{ ...fits, ...record }])
      assert.deepStrictEqual([bytes.length, rows], [0, 0])
      const problem = rejected[0]?.problem
      return [problem?.column, problem?.message]
    }
    assert.deepStrictEqual(problemOf({ Text: "x".repeat(131_073) }), [
      "Text",
      "the text has 131073 characters; Salesforce takes 131072"
    ])
    const most = '"'.repeat(131_072)
    assert.strictEqual(encode([{ ...fits, Text: most }]).rows, 1)
    // what counts are the characters of the record, not those of its row
    assert.strictEqual(encode([{ ...fits, Text: most, More: most }]).rows, 1)
    const whole = "x".repeat(131_072)
    assert.deepStrictEqual(problemOf({ Text: whole, More: whole, Rest: whole, Note: whole }), [
      undefined,
      "the record has 524313 characters; Salesforce takes 400000"
    ])
  })

  it("refuses numbers and dates that Salesforce does not have", () => {
    const { encode } = codecOf(Schema.Struct({ Number: Schema.Number, Seen: Schema.Date }))
    for (const [value, message] of [
      [Number.NaN, "Salesforce has no such number"],
      [-0, "a negative zero would arrive as 0"]
    ] as const) {
      assert.deepStrictEqual(
        Result.mapError(encode({ Number: value, Seen: new Date(0) }, "clear"), (problem) => problem.message),
        Result.fail(message)
      )
    }
    const undated = encode({ Number: 1, Seen: new Date("never") }, "clear")
    assert.include(Result.isFailure(undated) && undated.failure, { column: "Seen", message: "Expected a valid Date" })
  })

  it("refuses instants in no year of four digits, which could not be read back, alone", () => {
    const codec = codecOf(Schema.Struct({ Date: Schema.Date, Utc: Schema.NullOr(Schema.DateTimeUtc) }))
    const encode = codec.encoder({ nulls: "ignore" })
    const first = Date.parse("0000-01-01T00:00:00.000Z")
    const last = Date.parse("9999-12-31T23:59:59.999Z")
    const fits = { Date: new Date(first), Utc: DateTime.makeUnsafe(last) }
    for (const [column, message, unfit] of [
      ["Date", "Expected a year of four digits, got -000001-12-31T23:59:59.999Z", { Date: new Date(first - 1) }],
      ["Utc", "Expected a year of four digits, got +010000-01-01T00:00:00.000Z", { Utc: DateTime.makeUnsafe(last + 1) }]
    ] as const) {
      const { bytes, rejected } = encode([fits, { ...fits, ...unfit }, fits])
      assert.strictEqual(
        new TextDecoder().decode(bytes),
        "0000-01-01T00:00:00.000Z,9999-12-31T23:59:59.999Z\n".repeat(2)
      )
      assert.deepStrictEqual(
        rejected.map(({ problem }) => problem),
        [{ column, value: undefined, message }]
      )
    }
  })

  it("has no column for a tag, which is put back when a record is read", () => {
    class Person extends Schema.TaggedClass<Person>("Person")("Person", {
      Name: Schema.String,
      Owner: Schema.NullOr(Schema.TaggedStruct("User", { Email: Schema.String, Phone: Schema.NullOr(Schema.String) }))
    }) {}
    const owned = new Person({ Name: "Ann", Owner: { _tag: "User", Email: "a@b.c", Phone: null } })
    const alone = new Person({ Name: "Bob", Owner: null })
    const omitted = Schema.Struct({ _tag: Schema.tagDefaultOmit("Person"), ...Struct.omit(Person.fields, ["_tag"]) })
    for (const [schema, records] of [
      [Person, [owned, alone]],
      [Schema.TaggedStruct("Person", Person.fields), [{ ...owned }, { ...alone }]],
      [omitted, [{ ...owned }, { ...alone }]]
    ] as ReadonlyArray<readonly [RecordCodec.RecordSchema, ReadonlyArray<unknown>]>) {
      const codec = codecOf(schema)
      assert.deepStrictEqual(codec.columns, ["Name", "Owner.Email", "Owner.Phone"])
      const encoded = codec.encoder({ nulls: "ignore" })([...records, { ...alone, _tag: "Other" }])
      assert.strictEqual(textOf(encoded), "Ann,a@b.c,\nBob,,\n")
      assert.match(encoded.rejected[0]?.problem.message ?? "", /Expected/)
      const decode = Result.getOrThrow(codec.decoder(codec.columns))
      assert.deepStrictEqual([decode(["Ann", "a@b.c", ""]), decode(["Bob", "", ""])].map(Result.getOrThrow), records)
      assert.deepStrictEqual(codec.show(records[0]), { Name: "Ann", "Owner.Email": "a@b.c", "Owner.Phone": "" })
    }
  })

  it("refuses a tag that is not one literal, or that is all there is", () => {
    const tagged = (tag: Schema.Codec<unknown, unknown>) =>
      RecordCodec.make(Schema.Struct({ Name: Schema.String, _tag: tag }) as RecordCodec.RecordSchema)
    for (const tag of [Schema.String, Schema.Literals(["A", "B"])]) {
      assert.deepStrictEqual(
        tagged(tag),
        Result.fail("column _tag: no field has this name, and it is no tag, which is one literal")
      )
    }
    assert.deepStrictEqual(
      RecordCodec.make(Schema.TaggedStruct("A", {}) as RecordCodec.RecordSchema),
      Result.fail("the schema has a tag, and no other fields")
    )
  })

  it("gives cells that mean the same one form", () => {
    const number = codec.canonical("Count__c")
    assert.strictEqual(number?.("9.12260031E8"), number?.("912260031"))
    const text = codec.canonical("Name")
    assert.strictEqual(text?.(" A-1 "), "A-1")
    assert.notStrictEqual(text?.("007"), text?.("7"))
    assert.deepStrictEqual(
      ["a\rb", "a\r\nb"].map((cell) => text?.(cell)),
      ["a\nb", "a\nb"]
    )
    // what is no number is only itself
    assert.strictEqual(number?.("many"), "many")
    assert.isUndefined(codec.canonical("Owner.Email"))
    assert.isUndefined(codec.canonical("Nope"))
  })

  it("writes some of the columns whatever the others hold", () => {
    const encode = codec.encoder({ nulls: "clear", columns: ["Name", "Category__r.Rank__c"] })
    const record = { ...full, Count__c: Number.NaN, Owner: null } as unknown as Item
    assert.deepStrictEqual(textOf(encode([record])), "Bolt,7\n")
  })

  it("reads what Salesforce writes, and no more", () => {
    const read = (schema: RecordCodec.RecordSchema, cell: string) => {
      const { decoder } = codecOf(Schema.Struct({ F: schema }))
      return Result.getOrUndefined(Result.flatMap(decoder(["F"]), (decode) => decode([cell])))
    }
    const at = (text: string) => ({ F: new Date(text) })
    assert.deepStrictEqual(read(Schema.Date, "2026-11-23T20:41:12.000+0000"), at("2026-11-23T20:41:12Z"))
    assert.deepStrictEqual(read(Schema.Date, "2026-11-23T20:41:12.5-01:30"), at("2026-11-23T22:11:12.500Z"))
    assert.deepStrictEqual(read(Schema.Date, "2026-11-23"), at("2026-11-23T00:00:00Z"))
    // neither another day, nor one of this machine's zone
    for (const cell of ["2026-02-30", "2026-11-23T20:41:12", "23.11.2026", "1", ""]) {
      assert.isUndefined(read(Schema.Date, cell))
    }
    assert.deepStrictEqual(read(Schema.Finite, "9.12260031E8"), { F: 912_260_031 })
    assert.deepStrictEqual(read(Schema.String, "\0"), { F: "\0" })
    assert.isUndefined(read(Schema.Boolean, ""))
  })

  it("reads an empty cell that is no value as null, however nulls are written", () => {
    const { decoder } = codecOf(Schema.Struct({ N: Schema.NullOr(Schema.Finite), T: Schema.NullOr(Schema.String) }))
    const read = (row: ReadonlyArray<string>) => Result.flatMap(decoder(["N", "T"], "#N/A"), (decode) => decode(row))
    assert.deepStrictEqual(read(["", ""]), Result.succeed({ N: null, T: "" }))
    assert.deepStrictEqual(read(["#N/A", "#N/A"]), Result.succeed({ N: null, T: null }))
    assert.isTrue(Result.isFailure(read(["many", ""])))
  })

  it("has the values of enums as cells, whether they are texts or numbers", () => {
    const Stage = { New: "New", Won: "Closed Won" } as const
    // as TypeScript makes an enum of numbers
    const Rank = { First: 1, Second: 2, 1: "First", 2: "Second" } as const
    const codec = codecOf(
      Schema.Struct({ Stage: Schema.Enum(Stage), Was: Schema.NullOr(Schema.Enum(Stage)), Rank: Schema.Enum(Rank) })
    )
    const record = { Stage: Stage.Won, Was: null, Rank: Rank.Second }
    const row = ["Closed Won", "", "2"]
    assert.deepStrictEqual(codec.encode(record, "ignore"), Result.succeed(row))
    const read = (row: ReadonlyArray<string>) => Result.flatMap(codec.decoder(codec.columns), (decode) => decode(row))
    assert.deepStrictEqual(read(row), Result.succeed(record))
    assert.isTrue(Result.isFailure(read(["Won", "", "2"])))
    assert.isTrue(Result.isFailure(read(["New", "", "Second"])))
  })

  it("takes the null of an optional field for one", () => {
    const codec = codecOf(
      Schema.Struct({
        Count: Schema.optional(Schema.NullOr(Schema.Finite)),
        Grade: Schema.UndefinedOr(Schema.NullOr(Schema.Literals(["A", "B"]))),
        Parent: Schema.optional(Schema.NullOr(Schema.Struct({ Name: Schema.String })))
      })
    )
    const record = { Count: null, Grade: null, Parent: null }
    const cells = Result.getOrThrow(codec.encode(record, "clear"))
    assert.deepStrictEqual(cells, ["#N/A", "#N/A", "#N/A"])
    const read = (row: ReadonlyArray<string>, nullCell?: string) =>
      Result.flatMap(codec.decoder(["Count", "Grade", "Parent.Name"], nullCell), (decode) => decode(row))
    assert.deepStrictEqual(read(cells, "#N/A"), Result.succeed(record))
    assert.deepStrictEqual(read(["", "", ""]), Result.succeed(record))
    assert.deepStrictEqual(read(["1", "B", "x"]), Result.succeed({ Count: 1, Grade: "B", Parent: { Name: "x" } }))
  })

  for (const nulls of ["clear", "ignore"] as const) {
    it(`reads the empty cell of a value that is undefined, where nulls are to ${nulls}`, () => {
      const codec = codecOf(
        Schema.Struct({
          Count: Schema.UndefinedOr(Schema.Finite),
          Option: Schema.OptionFromUndefinedOr(Schema.Date),
          Parent: Schema.UndefinedOr(Schema.Struct({ Rank: Schema.Finite }))
        })
      )
      const record = { Count: undefined, Option: Option.none(), Parent: undefined }
      const cells = Result.getOrThrow(codec.encode(record, nulls))
      assert.deepStrictEqual(cells, ["", "", ""])
      const decoder = codec.decoder(codec.columns, nulls === "clear" ? "#N/A" : "")
      const read = (row: ReadonlyArray<string>) => Result.flatMap(decoder, (decode) => decode(row))
      assert.deepStrictEqual(read(cells), Result.succeed(record))
      assert.isTrue(Result.isFailure(read(["many", "", ""])))
    })
  }

  it("says which column of a relationship cannot be written, too", () => {
    const encoded = codec.encode(new Item({ ...full, Owner: { Email: "#N/A" } }), "clear")
    assert.include(Result.isFailure(encoded) && encoded.failure, { column: "Owner.Email", value: "#N/A" })
  })

  it("reads as Who.Email what is written as Lead:Who.Email", () => {
    const task = codecOf(Schema.Struct({ "Lead:Who": Schema.Struct({ Email: Schema.String }) }))
    assert.deepStrictEqual(task.columns, ["Lead:Who.Email"])
    for (const header of ["Lead:Who.Email", "Who.Email"]) {
      const read = Result.flatMap(task.decoder([header]), (decode) => decode(["a@b.c"]))
      assert.deepStrictEqual(read, Result.succeed({ "Lead:Who": { Email: "a@b.c" } }))
    }
  })

  it("takes 5,000 columns, and no two that differ in case alone", () => {
    const fieldsOf = (count: number) =>
      Schema.Struct(Object.fromEntries(Array.from({ length: count }, (_, i) => [`F${i}`, Schema.String])))
    const { columns, encoder } = codecOf(fieldsOf(5_000))
    const record = Object.fromEntries(columns.map((column) => [column, "x"]))
    assert.strictEqual(textOf(encoder({ nulls: "ignore" })([record])), `${columns.map(() => "x").join(",")}\n`)
    assert.deepStrictEqual(
      RecordCodec.make(fieldsOf(5_001)),
      Result.fail("the schema has 5001 columns; Salesforce takes 5000")
    )
    assert.deepStrictEqual(
      RecordCodec.make(Schema.Struct({ Name: Schema.String, NAME: Schema.String })),
      Result.fail("the schema has two columns NAME, and Salesforce does not tell case apart")
    )
  })

  it("refuses schemas that have no columns", () => {
    const problem = (schema: RecordCodec.RecordSchema) => {
      const made = RecordCodec.make(schema)
      return Result.isFailure(made) ? made.failure : undefined
    }
    assert.strictEqual(problem(Schema.String), "the schema is not a struct with fields")
    assert.strictEqual(problem(Schema.Struct({})), "the schema is not a struct with fields")
    assert.strictEqual(problem(Schema.Struct({ Owner: Schema.Struct({}) })), "column Owner is not a struct with fields")
    assert.strictEqual(
      problem(Schema.Struct({ Owner: Schema.Struct({ constructor: Schema.String }) })),
      "column Owner.constructor: no field has this name"
    )
    assert.strictEqual(problem(Schema.Record(Schema.String, Schema.String)), "the schema is not a struct with fields")
    assert.strictEqual(
      problem(Schema.Struct({ Tags: Schema.Array(Schema.String) })),
      "column Tags: its value does not fit in one cell"
    )
  })

  it.effect.prop(
    "reads what it wrote",
    {
      record: Arbitrary.schema(
        Schema.Struct({
          Text: Schema.NonEmptyString.check(
            Schema.makeFilter((s) => s.isWellFormed() && !s.includes("\r") && s !== "#N/A")
          ),
          Number: Schema.NullOr(Schema.Finite.check(Schema.makeFilter((n) => !Object.is(n, -0)))),
          Flag: Schema.optionalKey(Schema.Boolean),
          Day: Schema.NullOr(
            Schema.Date.check(Schema.isBetweenDate({ minimum: new Date(0), maximum: new Date(4e12) }))
          ),
          Parent: Schema.NullOr(Schema.Struct({ Code: Schema.NonEmptyString.check(Schema.isPattern(/^[a-z]+$/)) }))
        })
      )
    },
    ({ record }) =>
      Effect.sync(() => {
        const schema = Schema.Struct({
          Text: Schema.String,
          Number: Schema.NullOr(Schema.Finite),
          Flag: Schema.optionalKey(Schema.Boolean),
          Day: Schema.NullOr(Schema.Date),
          Parent: Schema.NullOr(Schema.Struct({ Code: Schema.String }))
        })
        const codec = codecOf(schema)
        const row = Result.getOrThrow(codec.encode(record, "ignore"))
        const back = Result.flatMap(codec.decoder(codec.columns), (decode) => decode(row))
        assert.deepStrictEqual(back, Result.succeed(record))
      }),
    { arbitrary: { runs: 300 } }
  )
})
