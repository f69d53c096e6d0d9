import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as csv from "../../src/org/csv.ts"
import { CsvScanner } from "../../src/org/csvScanner.ts"

const lf: csv.Dialect = { columnDelimiter: "COMMA", lineEnding: "LF" }
const crlf: csv.Dialect = { columnDelimiter: "COMMA", lineEnding: "CRLF" }

/** Reads a text that comes in the given pieces. */
const read = (pieces: ReadonlyArray<string>, dialect: ConstructorParameters<typeof csv.CsvReader>[0] = lf) => {
  const reader = new csv.CsvReader(dialect)
  const rows = pieces.flatMap((piece) => reader.push(piece, false))
  rows.push(...reader.push("", true))
  return { rows, error: reader.error }
}

const parse = (text: string, dialect?: ConstructorParameters<typeof csv.CsvReader>[0]) => read([text], dialect)

const encode = (rows: ReadonlyArray<csv.Row>, dialect: csv.Dialect) =>
  rows.map((row) => csv.line(row.map(csv.quote), dialect)).join("")

const lineEndingError = (setting: string) =>
  `ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is ${setting}`
const parseError = (text: string) => `InvalidBatch : Failed to parse CSV. ${text}`
const unescapedQuote = parseError("Found unescaped quote. A value with quote should be within a quote")

describe("csv", () => {
  it("reads cells, quoted or not, and skips blank lines", () => {
    const { rows, error } = parse('a,b,c\n\n1,"x, ""y""\nz",\n\n,,"" \n'.replace('"" ', '""'))
    assert.isUndefined(error)
    assert.deepStrictEqual(rows, [
      ["a", "b", "c"],
      ["1", 'x, "y"\nz', ""],
      ["", "", ""]
    ])
  })

  it("takes the last line with or without its line break", () => {
    for (const end of ["", "\n"]) {
      assert.deepStrictEqual(parse(`a,b\n1,2${end}`).rows.at(-1), ["1", "2"])
      assert.deepStrictEqual(parse(`a,b\n1,${end}`).rows.at(-1), ["1", ""])
      assert.deepStrictEqual(parse(`a,b\n1,"2"${end}`).rows.at(-1), ["1", "2"])
    }
  })

  it("has nothing to read in an empty text", () => {
    assert.deepStrictEqual(parse(""), { rows: [], error: undefined })
    assert.deepStrictEqual(parse("\n\n"), { rows: [], error: undefined })
  })

  for (const columnDelimiter of Object.keys(csv.delimiters) as Array<csv.Dialect["columnDelimiter"]>) {
    for (const lineEnding of Object.keys(csv.lineEndings) as Array<csv.Dialect["lineEnding"]>) {
      it(`reads what it writes: ${columnDelimiter}, ${lineEnding}`, () => {
        const dialect = { columnDelimiter, lineEnding }
        const delimiter = csv.delimiters[columnDelimiter]
        const rows = [
          ["a", "b"],
          [`x${delimiter}y`, '"'],
          ["", "ü 😀"]
        ]
        assert.deepStrictEqual(parse(encode(rows, dialect), dialect), { rows, error: undefined })
      })
    }
  }

  it.prop(
    "reads the same rows however the text is cut",
    {
      cells: Schema.Array(Schema.Array(Schema.Literals(["", "a", '"', ",", "\n", "x y", '""', "é", "b,\nc"]))),
      cuts: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4 })))
    },
    ({ cells, cuts }) => {
      for (const dialect of [lf, crlf]) {
        const rows = cells.map((row) => [...row, "", "", ""].slice(0, 3))
        const text = encode(rows, dialect)
          .replaceAll("\n", csv.lineEndings[dialect.lineEnding])
          .replaceAll("\r\r", "\r")
        const pieces: Array<string> = []
        let at = 0
        for (let i = 0; at < text.length; i++) {
          const length = cuts.length === 0 ? 1 : cuts[i % cuts.length]!
          pieces.push(text.slice(at, at + length))
          at += length
        }
        assert.deepStrictEqual(read(pieces, dialect), { rows, error: undefined })
      }
    },
    { arbitrary: { runs: 200 } }
  )

  it("wants the line ending that was named, within cells too", () => {
    assert.strictEqual(parse("a\r\n1\r\n", lf).error, lineEndingError("LF"))
    assert.strictEqual(parse("a\n1\r\n", lf).error, lineEndingError("LF"))
    assert.strictEqual(parse("a\n1\n", crlf).error, lineEndingError("CRLF"))
    assert.strictEqual(parse("a\r1\r", crlf).error, lineEndingError("CRLF"))
    assert.strictEqual(parse('a\n"x\r\ny"\n', lf).error, lineEndingError("LF"))
    assert.strictEqual(parse('a\r\n"x\ny"\r\n', crlf).error, lineEndingError("CRLF"))
    assert.deepStrictEqual(parse('a\r\n"x\r\ny"\r\n', crlf).rows, [["a"], ["x\ny"]])
  })

  it("takes any line ending when rows are given back", () => {
    const any = { columnDelimiter: "COMMA", lineEnding: "any" } as const
    assert.deepStrictEqual(parse("a\r\n1\n2\r3", any), { rows: [["a"], ["1"], ["2"], ["3"]], error: undefined })
  })

  it("refuses bad quotes, with the texts of Salesforce's parser", () => {
    assert.strictEqual(parse('a,b\nx"y,1\n').error, unescapedQuote)
    assert.strictEqual(parse('\uFEFF"a",b\n').error, unescapedQuote)
    assert.strictEqual(parse('a,b\n"x", "y"\n').error, unescapedQuote)
    assert.strictEqual(parse('a,b\n"x"y,1\n').error, parseError("Not expecting more text after end quote"))
    assert.strictEqual(parse('a,b\n"x,1\n').error, parseError("EOF reached before closing an opened quote"))
  })

  it("makes a BOM part of a header without quotes", () => {
    assert.deepStrictEqual(parse("\uFEFFa,b\n").rows, [["\uFEFFa", "b"]])
  })

  it("keeps the rows before a fault, and reads none after it", () => {
    const { rows, error } = parse('a\n1\n2\nx"\n3\n')
    assert.deepStrictEqual(rows, [["a"], ["1"], ["2"]])
    assert.strictEqual(error, unescapedQuote)
  })

  it("refuses rows of another width than the header", () => {
    assert.strictEqual(parse("a,b\n1\n").error, parseError("Found 1 values in a row. The header has 2"))
    assert.strictEqual(parse("a\n1,2\n").error, parseError("Found 2 values in a row. The header has 1"))
  })

  it("refuses what is too long, before it has all of it", () => {
    const piece = "x".repeat(50_000)
    assert.match(read(["a\n", ...Array.from({ length: 9 }, () => piece)]).error ?? "", /max length for one record/)
    assert.match(read(['a\n"', ...Array.from({ length: 9 }, () => piece)]).error ?? "", /max length for one record/)
    assert.match(parse(`a\n${"x".repeat(131_073)}\n`).error ?? "", /max field size: 131073/)
    assert.match(parse(`${",".repeat(5_000)}\n`).error ?? "", /max number of columns per record : 5000/)
  })

  it("quotes a header only where it could not be read without", () => {
    assert.strictEqual(csv.bare("Name", lf), "Name")
    assert.strictEqual(csv.bare("a,b", lf), '"a,b"')
    assert.strictEqual(csv.bare("a,b", { ...lf, columnDelimiter: "TAB" }), "a,b")
  })

  it("cuts rows out of a block, not at line breaks within cells", () => {
    const rows = [["1"], ["a\nb"], ["ü"], ['""']]
    const block = new TextEncoder().encode(encode(rows, lf))
    const slice = (from: number, to: number) => new TextDecoder().decode(csv.sliceRows(block, from, to))
    for (let from = 0; from < 4; from++) {
      for (let to = from + 1; to <= 4; to++) assert.strictEqual(slice(from, to), encode(rows.slice(from, to), lf))
    }
  })
})

describe("the scanner of uploads", () => {
  const encoder = new TextEncoder()

  /** What a reader finds in a text, without its cells. */
  const found = (text: string, dialect: csv.Dialect) => {
    const { error, rows } = parse(text, dialect)
    return error === undefined ? { rows: rows.length, width: rows[0]?.length } : undefined
  }

  /** Scans a text as an upload does: what is not complete is looked at again with what follows it. */
  const scan = (text: string, dialect: csv.Dialect, length: number) => {
    const scanner = new CsvScanner(dialect)
    const bytes = encoder.encode(text)
    let rows = 0
    let start = 0
    for (let end = 0; ; ) {
      end = Math.min(end + length, bytes.length)
      const complete = scanner.scan(bytes.subarray(start, end), end === bytes.length)
      if (complete === undefined) return undefined
      rows += scanner.rows
      start += complete
      if (end === bytes.length) return { rows, width: scanner.width, start }
    }
  }

  it.prop(
    "finds the rows that a reader finds, and no other, however the bytes are cut",
    {
      pieces: Schema.Array(
        Schema.Literals(["a", '"', '""', '"b"', ",", ",", "\n", "\n", "\r\n", "\r", "é", '"c\nd"', '"c\r\nd"', "\n\n"])
      ),
      length: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 8 }))
    },
    ({ length, pieces }) => {
      const texts = [pieces.join(""), pieces.filter((piece) => piece !== '"' && piece !== "\r").join("")]
      for (const dialect of [lf, crlf]) {
        for (const text of [...texts, ...texts.map((each) => each.replaceAll(/\r?\n/g, "\r\n"))]) {
          const scanned = scan(text, dialect, length)
          const expected = found(text, dialect)
          assert.deepStrictEqual(
            scanned && { rows: scanned.rows, width: scanned.width },
            expected,
            `${JSON.stringify(text)} ${dialect.lineEnding}`
          )
          if (scanned === undefined) continue
          assert.strictEqual(scanned.start, encoder.encode(text).length)
          // and what it finds right may be read without looking for faults
          const reader = new csv.RowReader(text, dialect)
          const rows = [...reader.take(length), ...reader.take(Number.MAX_SAFE_INTEGER)]
          assert.deepStrictEqual(rows, parse(text, dialect).rows)
        }
      }
    },
    { arbitrary: { runs: 1_000 } }
  )

  it("leaves what may be too long to a reader", () => {
    assert.isUndefined(scan(`a\n${"x".repeat(131_073)}\n`, lf, 1e6))
    assert.isUndefined(scan(`a\n"${"x".repeat(200_000)}`, lf, 65_536))
    assert.isUndefined(scan(`${",".repeat(5_000)}\n`, lf, 1e6))
    assert.strictEqual(scan(`a\n${"x".repeat(131_072)}\n`, lf, 1e6)?.rows, 2)
  })
})
