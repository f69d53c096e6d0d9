import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Result, Schema, Stream } from "effect"
import * as Csv from "../../src/record/Csv.ts"

const utf8 = new TextEncoder()

/** Bytes in pieces of a size. */
const inPieces = (bytes: Uint8Array, size: number) =>
  Stream.fromIterable(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
  ).pipe(Stream.rechunk(1))

const blocksOf = (text: string, options?: Csv.BlocksOptions, size = text.length > 1_000 ? 10_000 : 3) =>
  inPieces(utf8.encode(text), size).pipe(Csv.blocks(options), Stream.runCollect)

const textOf = (blocks: ReadonlyArray<Csv.Block>) =>
  blocks.map((block) => new TextDecoder().decode(block.bytes)).join("")

const problemOf = (text: string, options?: Csv.BlocksOptions) =>
  Effect.map(Effect.flip(blocksOf(text, options)), (error) => error.message)

const detected = (text: string) => Result.getOrThrow(Csv.detect(utf8.encode(text)))

describe("Csv.detect", () => {
  it("finds all delimiters and both line endings, outside quotes", () => {
    const names = { ",": "COMMA", ";": "SEMICOLON", "\t": "TAB", "|": "PIPE", "^": "CARET", "`": "BACKQUOTE" } as const
    for (const [char, columnDelimiter] of Object.entries(names)) {
      for (const [newline, lineEnding] of [
        ["\n", "LF"],
        ["\r\n", "CRLF"]
      ] as const) {
        const text = `Id${char}"Na,;|^me\r\n"${newline}1${char}"x,y;z\n,,;;"${newline}`
        assert.deepStrictEqual(detected(text), { dialect: { columnDelimiter, lineEnding }, bom: false })
      }
    }
  })

  it("takes what gives every row one width, not what is there most", () => {
    assert.strictEqual(detected("Name;Text\nx;a, b, c, d\ny;e\n").dialect.columnDelimiter, "SEMICOLON")
  })

  it("has answers for one column, one line, nothing, and a BOM", () => {
    const plain = { dialect: Csv.standard, bom: false }
    assert.deepStrictEqual(detected("Name\nx\n"), plain)
    assert.deepStrictEqual(detected(""), plain)
    assert.deepStrictEqual(detected("\ufeffa;b"), {
      dialect: { columnDelimiter: "SEMICOLON", lineEnding: "LF" },
      bom: true
    })
  })

  it("refuses UTF-16", () => {
    for (const bytes of [
      [0xff, 0xfe, 0x49, 0],
      [0xfe, 0xff, 0, 0x49]
    ]) {
      const refused = Csv.detect(new Uint8Array(bytes))
      assert.match(Result.isFailure(refused) ? refused.failure.message : "", /UTF-16/)
    }
  })
})

describe("Csv.blocks", () => {
  it.effect("leaves out a BOM and blank lines, and ends all lines alike", () =>
    Effect.gen(function* () {
      const text = '\ufeffId,Name\r\n\r\n1,"a\nb\r\nc\rd"\n\n2,"x ""y"""\r\n3,é'
      for (const [lineEnding, n] of [
        ["LF", "\n"],
        ["CRLF", "\r\n"]
      ] as const) {
        for (const size of [1, 2, 3, 100]) {
          const [block, ...others] = yield* blocksOf(text, { lineEnding, key: "name" }, size)
          assert.deepStrictEqual(others, [])
          assert.deepStrictEqual(block && { ...block, bytes: textOf([block]) }, {
            header: ["Id", "Name"],
            headerBytes: utf8.encode(`Id,Name${n}`),
            dialect: { columnDelimiter: "COMMA", lineEnding },
            bytes: `1,"a${n}b${n}c${n}d"${n}2,"x ""y"""${n}3,é${n}`,
            records: 3,
            line: 3,
            keys: [`a${n}b${n}c${n}d`, 'x "y"', "é"]
          })
        }
      }
    })
  )

  it.effect("cuts between records, and says on which line a block begins", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 30_000 }, (_, i) => `${i},"name\n${i}"\n`)
      const blocks = yield* blocksOf(`Id,Name\n${rows.join("")}`, {}, 50_000)
      assert.isAbove(blocks.length, 5)
      assert.strictEqual(textOf(blocks), rows.join(""))
      let before = 0
      for (const block of blocks) {
        assert.isBelow(block.bytes.length, 66_000)
        assert.strictEqual(block.line, 2 + 2 * before)
        before += block.records
      }
      assert.strictEqual(before, rows.length)
    })
  )

  it.effect("has no blocks without records", () =>
    Effect.gen(function* () {
      for (const text of ["", "Id,Name", "Id\n\n", "\ufeff"]) assert.deepStrictEqual(yield* blocksOf(text), [])
    })
  )

  it.effect("fails with the line of what Salesforce would refuse a job for", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* problemOf('a,b\n1,2\n3,"4\n\n'), "line 3: has a quote that never closes")
      assert.strictEqual(yield* problemOf('a,b\n1,"2" \n'), "line 2: has text after a closing quote")
      assert.strictEqual(
        yield* problemOf('a,b\n\n1, "2"\n'),
        "line 3: has a quote in a cell that does not begin with one"
      )
      assert.strictEqual(yield* problemOf('a,b\n"1\n1",2\n1,2,3\n'), "line 4: has 3 cells under 2 columns")
      assert.strictEqual(yield* problemOf("a\n1,2\n"), "line 2: has 2 cells under 1 column")
      assert.strictEqual(yield* problemOf("a,b\n1\n"), "line 2: has 1 cell under 2 columns")
      assert.strictEqual(yield* problemOf('a,b\r\n1,2\r\n"1\r\n1",2,3\r\n'), "line 3: has 3 cells under 2 columns")
      assert.match(yield* problemOf("a,b\r1,2\r"), /^line 1: ends with a carriage return alone/)
      assert.match(yield* problemOf("a,b\n1,2\r"), /^line 2: ends with a carriage return alone/)
      assert.strictEqual(yield* problemOf("a,A\n"), "line 1: is a header with two columns A")
      assert.strictEqual(yield* problemOf("a,\n1,2\n"), "line 1: is a header with a column that has no name")
      assert.strictEqual(yield* problemOf("a, \n1,2\n"), "line 1: is a header with a column that has no name")
      for (const [header, name] of [
        ["a, Code__c", '" Code__c"'],
        ["a,Code__c \r", '"Code__c "'],
        ['a,"\tCode__c"', '"\\tCode__c"']
      ]) {
        for (const key of ["Code__c", undefined]) {
          assert.strictEqual(
            yield* problemOf(`${header}\n1,2\n`, { key }),
            `line 1: is a header with a blank around the name ${name}, which Salesforce would take for a part of it: make it Code__c`
          )
        }
      }
      assert.strictEqual(yield* problemOf("a,b\n", { key: "Id" }), "line 1: is a header without the column Id")
      assert.match(yield* problemOf(`a\n${"é".repeat(131_073)}\n`), /^line 2: has a cell of 131073 characters/)
      assert.match(yield* problemOf(`a,b\n${"x".repeat(131_073)},1\n`), /^line 2: has a cell of 131073 characters/)
      assert.deepStrictEqual((yield* blocksOf(`a\n${"é".repeat(131_072)}\n`, {}, 9_999)).length, 1)
      // what counts of a record are its characters
      const long = Array(3).fill("é".repeat(120_000)).join(",")
      assert.deepStrictEqual((yield* blocksOf(`a,b,c\n${long}\n`, {}, 99_999)).length, 1)
      assert.match(
        yield* problemOf(`a,b,c,d\n${Array(4).fill("x".repeat(120_000)).join(",")}`),
        /^line 2: .* more than 400000/
      )
      assert.match(yield* problemOf(`a\n1\n"${"x\n".repeat(2_000_000)}`), /^line 3: has a quote that does not close/)
      const wide = Array.from({ length: 5_001 }, (_, i) => `c${i}`).join(",")
      assert.match(yield* problemOf(wide), /^line 1: has 5001 columns/)
    })
  )

  it.effect("gives what comes before a broken record, and the line of bytes that are not UTF-8", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const bytes = utf8.encode("a,b\n1,2\n\n3,4\n5,?\n6,7\n").map((byte) => (byte === 63 ? 0xe9 : byte))
      const error = yield* inPieces(bytes, 4).pipe(Csv.blocks(), Stream.runDrain, Effect.flip)
      assert.deepStrictEqual([error.message, error.line], ["line 5: is not UTF-8", 5])
      const header = utf8.encode("a,?\n1,2\n").map((byte) => (byte === 63 ? 0xe9 : byte))
      const early = yield* inPieces(header, 4).pipe(Csv.blocks(), Stream.runDrain, Effect.flip)
      assert.strictEqual(early.message, "line 1: is not UTF-8")
      const rows = Array.from({ length: 30_000 }, (_, i) => `${i},x\n`).join("")
      yield* inPieces(utf8.encode(`a,b\n${rows}1\n`), 200_000).pipe(
        Csv.blocks(),
        Stream.runForEach((block) => Effect.sync(() => seen.push(block.records))),
        Effect.flip
      )
      assert.isAbove(seen.length, 2)
    })
  )

  const Cell = Schema.String.check(Schema.makeFilter((text) => text.isWellFormed() && !text.includes("\r")))

  it.effect.prop(
    "holds the same rows in every dialect, however the bytes are cut",
    {
      input: Arbitrary.all({
        rows: Arbitrary.array(Arbitrary.schema(Schema.Tuple([Cell, Cell])), { minLength: 1, maxLength: 10 }),
        columnDelimiter: Arbitrary.schema(Schema.Literals(["COMMA", "SEMICOLON", "TAB", "PIPE", "CARET", "BACKQUOTE"])),
        lineEnding: Arbitrary.schema(Schema.Literals(["LF", "CRLF"])),
        size: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })))
      })
    },
    ({ input: { rows, size, ...dialect } }) =>
      Effect.gen(function* () {
        const written = yield* Stream.fromIterable([["a", "b"], ...rows]).pipe(
          Csv.encodeWith(dialect),
          Stream.mkUint8Array
        )
        const blocks = yield* inPieces(written, size).pipe(Csv.blocks(dialect), Stream.runCollect)
        const read = yield* Stream.fromIterable(blocks).pipe(
          Stream.flatMap((block) => Stream.make(block.headerBytes, block.bytes)),
          Csv.decode(() => Effect.succeed((rows) => Effect.succeed(rows)), dialect),
          Stream.runCollect
        )
        const newline = dialect.lineEnding === "LF" ? "\n" : "\r\n"
        assert.deepStrictEqual(
          read,
          rows.map((row) => row.map((cell) => cell.replaceAll("\n", newline)))
        )
      }),
    { arbitrary: { runs: 100 } }
  )
})
