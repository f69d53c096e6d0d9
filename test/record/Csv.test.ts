import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema, Stream } from "effect"
import * as Csv from "../../src/record/Csv.ts"

const bytes = (...texts: ReadonlyArray<string>) => Stream.fromIterable(texts).pipe(Stream.rechunk(1), Stream.encodeText)

/** Header and rows as they come out of the decoder. */
const decodeAll = <E>(self: Stream.Stream<Uint8Array, E>) =>
  Effect.suspend(() => {
    const headers: Array<Csv.Row> = []
    return self.pipe(
      Csv.decode((header) => {
        headers.push(header)
        return Effect.succeed((rows) => Effect.succeed(rows))
      }),
      Stream.runCollect,
      Effect.map((rows) => ({ headers, rows }))
    )
  })

const Cell = Schema.String.check(Schema.makeFilter((text) => text.isWellFormed()))

describe("Csv", () => {
  it.effect.prop(
    "reads what it wrote, however the bytes are cut",
    {
      input: Arbitrary.all({
        rows: Arbitrary.array(Arbitrary.schema(Schema.Tuple([Cell, Cell, Cell])), { minLength: 1, maxLength: 20 }),
        size: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })))
      })
    },
    ({ input: { rows, size } }) =>
      Effect.gen(function* () {
        const written = yield* Stream.fromIterable(rows).pipe(Csv.encode, Stream.mkUint8Array)
        const pieces: Array<Uint8Array> = []
        for (let i = 0; i < written.length; i += size) pieces.push(written.subarray(i, i + size))
        const read = yield* decodeAll(Stream.fromIterable(pieces).pipe(Stream.rechunk(1)))
        assert.deepStrictEqual([...read.headers, ...read.rows], rows)
      }),
    { arbitrary: { runs: 200 } }
  )

  it.effect("writes comma-separated lines that end in a line feed, quoted where they must be", () =>
    Effect.gen(function* () {
      const written = yield* Stream.make(["a", "b"], ['x,"y"', "1\n2"], ["", "é"]).pipe(
        Csv.encode,
        Stream.decodeText,
        Stream.mkString
      )
      assert.strictEqual(written, 'a,b\n"x,""y""","1\n2"\n,é\n')
    })
  )

  it.effect("writes a row of one empty cell so that it is no blank line", () =>
    Effect.gen(function* () {
      const written = yield* Stream.make(["Name"], [""]).pipe(Csv.encode, Stream.decodeText, Stream.mkString)
      assert.strictEqual(written, 'Name\n""\n')
    })
  )

  it.effect("shows the header once, and no header of an empty body", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* decodeAll(bytes('"Id","Na', 'me"\r\n"1","x"\n', '"2","y"')), {
        headers: [["Id", "Name"]],
        rows: [
          ["1", "x"],
          ["2", "y"]
        ]
      })
      assert.deepStrictEqual(yield* decodeAll(bytes("Id\n")), { headers: [["Id"]], rows: [] })
      assert.deepStrictEqual(yield* decodeAll(Stream.empty), { headers: [], rows: [] })
    })
  )

  it.effect("refuses rows of another width, and quotes that never close", () =>
    Effect.gen(function* () {
      const narrow = yield* Effect.flip(decodeAll(bytes("Id,Name\n1\n")))
      assert.deepStrictEqual([narrow._tag, narrow.message], ["CsvError", "line 2: a row has 1 cell under 2 columns"])
      const open = yield* Effect.flip(decodeAll(bytes('Id\n1\n"2')))
      assert.strictEqual(open._tag, "CsvError")
      assert.deepStrictEqual([open.message, open.line], ["line 3: a quote never closes", 3])
    })
  )

  it.effect("leaves the failure of its source as it is", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(decodeAll(Stream.concat(bytes("Id\n1\n"), Stream.fail("broken" as const))))
      assert.strictEqual(error, "broken")
    })
  )

  it.effect("gives rows by name, without the columns that are asked for one by one", () =>
    Effect.gen(function* () {
      const read = Csv.decodeNamed({
        apart: ["sf__Id", "sf__Error"],
        isWanted: (column) => column !== "sf__Created",
        make: (row, [id, error]) => ({ row, id, error })
      })
      const wide = Array.from({ length: 300 }, (_, i) => `C${i}`)
      for (const columns of [["Name", "__proto__", 'a"b\\'], wide]) {
        const cells = columns.map((_, i) => (i === 0 ? 'x,"y"\n' : `cell ${i}`))
        const text = Csv.encodeRows([
          ["sf__Id", "sf__Created", ...columns],
          ["1", "true", ...cells]
        ])
        const row = Object.fromEntries(columns.map((column, i) => [column, cells[i]]))
        const all = yield* Stream.runCollect(read(bytes(text)))
        assert.deepStrictEqual(all, [{ row, id: "1", error: "" }])
        // plain ones, for whoever compares, clones or prints them
        assert.strictEqual(Object.getPrototypeOf(all[0]?.row), Object.prototype)
      }
      assert.deepStrictEqual(yield* Stream.runCollect(read(Stream.empty)), [])
    })
  )

  it.effect("gives rows by name of however many headers, all columns if not told which", () =>
    Effect.gen(function* () {
      const read = Csv.decodeNamed({ apart: [], make: (row) => row })
      for (let n = 0; n < 150; n++) {
        // the first ones come again
        const name = `C${n % 100}`
        const rows = yield* Stream.runCollect(read(bytes(`${name},${name}x\n1,2\n`)))
        assert.deepStrictEqual(rows, [{ [name]: "1", [`${name}x`]: "2" }])
      }
    })
  )
})
