import { assert, describe, it } from "@effect/vitest"
import { counted } from "../../src/counted.ts"
import { caseOf, isIdAt, lastOf } from "../../src/record/cells/ids.ts"
import { instantAt } from "../../src/record/cells/instants.ts"
import { Block, loopScanner, wasmScanner, withBlock } from "../../src/record/csv/block.ts"
import type { CsvError } from "../../src/record/csv/csvError.ts"
import { standard } from "../../src/record/csv/dialect.ts"
import { eachRow, type OnHeader, Parser } from "../../src/record/csv/parser.ts"
import { random } from "./random.ts"

const utf8 = new TextEncoder()

/** What a parser makes of bytes: rows of texts, and what is wrong after them. */
const parse = (bytes: Uint8Array, sizes: () => number, lend?: typeof withBlock) => {
  const texts: OnHeader<ReadonlyArray<string>, CsvError> = (header, out) => {
    out.push(header)
    return eachRow(
      header.length,
      (block, at, o): ReadonlyArray<string> =>
        header.map((_, i) => block.cell((at[o + 2 * i] ?? 0) + 1, at[o + 2 * i + 1] ?? 0))
    )
  }
  const parser = new Parser(standard, texts, lend)
  const rows: Array<ReadonlyArray<string>> = []
  let error: CsvError | undefined
  for (let from = 0; from < bytes.length && error === undefined; ) {
    const to = from + sizes()
    error = parser.feed(bytes.subarray(from, to), rows)
    from = to
  }
  error ??= parser.end(rows)
  return { rows, error: error?.message }
}

/** A parser of another kind: character by character, as the standard says. */
const plainly = (text: string) => {
  const rows: Array<Array<string>> = []
  let row: Array<string> = []
  let cell = ""
  let i = 0
  let line = 1
  let begun = 1
  const fail = (problem: string) => ({ rows, error: `line ${begun}: ${problem}` })
  const endRow = () => {
    row.push(cell)
    cell = ""
    rows.push(row)
    const width = rows[0]?.length
    const wrong =
      row.length === width
        ? undefined
        : `a row has ${counted(row.length, "cell")} under ${counted(width ?? 0, "column")}`
    row = []
    return wrong
  }
  while (i < text.length) {
    if (row.length === 0 && /[\r\n]/.test(text[i] ?? "")) {
      if (text[i] === "\n") begun = ++line
      i++
      continue
    }
    if (text[i] === '"') {
      i++
      for (;;) {
        if (i >= text.length) return fail("a quote never closes")
        if (text[i] === '"' && text[i + 1] === '"') cell += text[i++]
        else if (text[i] === '"') break
        else cell += text[i]
        if (text[i] === "\n") line++
        i++
      }
      i++
      if (i < text.length && !/[,\r\n]/.test(text[i] ?? "")) return fail("there is text after a closing quote")
    } else {
      while (i < text.length && !/[,\r\n]/.test(text[i] ?? "")) {
        if (text[i] === '"') return fail("there is a quote in a cell that does not begin with one")
        cell += text[i++]
      }
    }
    if (text[i] === ",") {
      row.push(cell)
      cell = ""
      i++
      // a delimiter at the very end has an empty cell behind it
      if (i < text.length) {
        if (!/[\r\n]/.test(text[i] ?? "")) continue
      }
    }
    const wrong = endRow()
    if (wrong !== undefined) {
      rows.pop()
      return fail(wrong)
    }
    if (text[i] === "\r" && text[i + 1] === "\n") i++
    if (text[i] === "\n") line++
    i++
    begun = line
  }
  return { rows, error: undefined }
}

const pieces = [
  "a",
  "b",
  '"',
  '""',
  ",",
  "\n",
  "\r\n",
  "\r",
  "é",
  "東京",
  "😀",
  "\0",
  " ",
  '","',
  '"\n"',
  "x".repeat(20)
]

/** CSV that is mostly well-formed and all quoted, as Salesforce sends it, or a mess. */
const someCsv = (seed: number): string => {
  const { int, of } = random(seed)
  if (int(4) === 0) return Array.from({ length: int(30) }, () => of(pieces)).join("")
  const width = 1 + int(5)
  const clean = int(2) === 0
  const newline = of(["\n", "\n", "\r\n"])
  const cell = () => {
    const text = clean ? of(["a", "", "12", "x".repeat(20)]) : Array.from({ length: int(4) }, () => of(pieces)).join("")
    return int(10) === 0 && !/[",\r\n]/.test(text) ? text : `"${text.replaceAll('"', '""')}"`
  }
  const row = () => Array.from({ length: int(200) === 0 ? width + 1 : width }, cell).join(",")
  return Array.from({ length: 1 + int(12) }, row).join(newline) + (int(3) === 0 ? "" : newline)
}

const blocks = {
  "a loop": new Block(loopScanner()),
  WebAssembly: new Block(wasmScanner())
}

describe("Parser", () => {
  it("has WebAssembly here", () => {
    assert.isDefined(wasmScanner())
  })

  for (const [name, block] of Object.entries(blocks)) {
    it(`reads what a plain parser reads, however the bytes are cut, with ${name}`, () => {
      const lend: typeof withBlock = (use) => use(block)
      const verdicts = { good: 0, bad: 0 }
      for (let seed = 0; seed < 20_000; seed++) {
        const text = someCsv(seed)
        const { int } = random(seed)
        const most = 1 + int(int(2) === 0 ? 4 : 200)
        const expected = plainly(text)
        assert.deepStrictEqual(
          parse(utf8.encode(text), () => 1 + int(most), lend),
          expected,
          JSON.stringify(text)
        )
        verdicts[expected.error === undefined ? "good" : "bad"]++
      }
      assert.isAbove(verdicts.good, 10_000)
      assert.isAbove(verdicts.bad, 2_000)
    })
  }

  it("takes rows for regular that are, with WebAssembly and without", () => {
    const texts: ReadonlyArray<readonly [text: string, regular: number]> = [
      ['"a","b"\n"c","d"\r\n"e","f"\n', 3],
      ['"a","b"\n"c","d"', 1],
      ['"a","b"\n"c","d"\r', 1],
      ['"a","b"\n"c"\n"d"\n', 1],
      ['"a";"b"\n', 0],
      ['"a","""b"\n', 0],
      ['"a",""\n"",""\n', 2],
      ['"a","b"\n,"c","d"\n', 1],
      ['"a","b"\nx,"c","d"\n', 1],
      ['"a","b"\n\n"c","d"\n', 1],
      ['"a","b"x"c","d"\n', 0]
    ]
    for (const [text, regular] of texts) {
      const bytes = utf8.encode(text)
      for (const [name, block] of Object.entries(blocks)) {
        block.bytes.set(bytes)
        block.scan(bytes.length)
        assert.strictEqual(block.regular(0, 2, 44, bytes.length), regular, `${name}: ${JSON.stringify(text)}`)
      }
    }
  })

  it("indexes the same with WebAssembly and without", () => {
    const [one, other] = Object.values(blocks) as [Block, Block]
    const { int } = random(7)
    for (let run = 0; run < 500; run++) {
      const bytes = Uint8Array.from({ length: int(run) }, () => (int(3) === 0 ? 34 : int(3) === 0 ? 10 : int(256)))
      for (const block of [one, other]) {
        block.bytes.set(bytes)
        block.scan(bytes.length)
      }
      const vectors = Math.ceil(bytes.length / 16)
      const of = ({ count, high, isAscii, lines, quotes }: Block) => ({
        isAscii,
        lines,
        quotes: quotes.slice(0, count),
        high: isAscii ? [] : high.slice(0, vectors)
      })
      assert.deepStrictEqual(of(one), of(other))
    }
  })

  it("reads columns of figures as their cells are read, or leaves them", () => {
    const { int, of } = random(11)
    const block = blocks.WebAssembly
    const digits = (count: number) => Array.from({ length: count }, () => int(10)).join("")
    const two = (below: number) => String(int(below)).padStart(2, "0")
    const chars = (count: number) => Array.from({ length: count }, () => of([..."09AZMazm"])).join("")
    const flag = (isOne: boolean) => (isOne ? 1 : Number.NaN)
    const some = {
      decimals: () => of(["", "", "-"]) + of([digits(1 + int(8)), `${digits(1 + int(5))}.${digits(1 + int(4))}`]),
      instants: () => {
        const day = `${of(["1900", "2000", "2024", "2026", digits(4)])}-${two(14)}-${two(34)}`
        return `${day}T${two(26)}:${two(62)}:${two(62)}.${digits(3)}${of(["Z", "+0000"])}`
      },
      ids: () => {
        const short = chars(15)
        return short + of([lastOf(caseOf(short)), lastOf(caseOf(short)), chars(3)])
      },
      emails: () => `${chars(int(44))}@${chars(int(44))}`
    }
    const expected = {
      decimals: (text: string) => (/^-?(?=.{1,8}$)\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN),
      instants: (_: string, from: number, to: number) => instantAt(block.words, from, to),
      ids: (text: string, from: number) => flag(text.length === 18 && isIdAt(block.bytes, from)),
      emails: (text: string) => flag(/^(?=.{1,80}$)[!-?A-~]+@[!-?A-~]+$/.test(text))
    }
    for (const kind of ["decimals", "instants", "ids", "emails"] as const) {
      let read = 0
      for (let round = 0; round < 300; round++) {
        const cells = Array.from({ length: 1 + int(60) }, () => {
          const text = some[kind]()
          const at = int(text.length + 1)
          return int(3) > 0
            ? text
            : text.slice(0, at) + of(["", ..."0123456789.-+/:TZ eE@[`{~\u007f!", "é"]) + text.slice(at + int(2))
        })
        const bytes = utf8.encode(cells.map((cell) => `"first","${cell}"\n`).join(""))
        block.bytes.set(bytes)
        block.scan(bytes.length)
        assert.isTrue(block.hasFigures(block.quotes, 7 + cells.length))
        block.readColumn(kind, 2, 4 * cells.length, 4, 7)
        for (const [i, cell] of cells.entries()) {
          const figure = block.figures[7 + i] ?? 0
          const [from = 0, to = 0] = block.quotes.subarray(4 * i + 2)
          assert.isTrue(Object.is(figure, expected[kind](cell, from + 1, to)), `${cell}: ${figure}`)
          if (!Number.isNaN(figure)) read++
        }
      }
      assert.isAbove(read, 3_000)
    }
    // nothing is read before the first byte, nor of rows that were read one by one, nor of more than there is room for
    block.bytes.set(utf8.encode('"12"\n'))
    block.scan(5)
    block.readColumn("decimals", 0, 2, 2, 0)
    assert.isTrue(Number.isNaN(block.figures[0]))
    assert.isFalse(block.hasFigures(new Int32Array(2), 1))
    assert.isFalse(block.hasFigures(block.quotes, block.figures.length + 1))
    assert.isFalse(blocks["a loop"].hasFigures(blocks["a loop"].quotes, 1))
  })

  it("reads records that are larger than a block, and lets go of the room they took", () => {
    for (const make of [loopScanner, () => wasmScanner() ?? loopScanner()]) {
      const block = new Block(make())
      const huge = "é\n".repeat(300_000)
      const bytes = utf8.encode(`"a","b"\n"1","${huge}"\n"2","x"\n`)
      const { error, rows } = parse(
        bytes,
        () => 16_000,
        (use) => use(block)
      )
      assert.deepStrictEqual([error, rows.length, rows[2]], [undefined, 3, ["2", "x"]])
      // a difference of such texts takes minutes to print
      assert.isTrue(rows[1]?.[1] === huge)
      assert.isAbove(block.bytes.length, bytes.length - 20)
    }
    assert.isAtMost(
      withBlock((block) => block.bytes.length),
      1_048_576
    )
  })

  it("does not look at a record that is larger than a block for each of its pieces", () => {
    const scanner = loopScanner()
    let looked = 0
    const block = new Block({
      ...scanner,
      get views() {
        return scanner.views
      },
      scan: (block, length) => {
        looked += length
        scanner.scan(block, length)
      }
    })
    for (const [huge, rest, error] of [
      ["x".repeat(3_000_000), '"\n"é"\n"b', "line 4: a quote never closes"],
      ["x\n".repeat(16_800_000), "", "line 2: begins a record of more than 33554432 bytes"]
    ] as const) {
      const bytes = utf8.encode(`"a"\n"${huge}${rest}`)
      looked = 0
      const found = parse(
        bytes,
        () => 50_000,
        (use) => use(block)
      )
      assert.deepStrictEqual(
        [found.error, found.rows.map(([cell]) => cell?.length)],
        [error, rest === "" ? [1] : [1, huge.length, 1]]
      )
      assert.isBelow(looked, 4 * bytes.length)
    }
  })

  it("strips a BOM, in whatever pieces it comes", () => {
    for (const size of [1, 2, 3, 100]) {
      assert.deepStrictEqual(parse(utf8.encode('\ufeff"a"\n1\n'), () => size).rows, [["a"], ["1"]])
    }
    assert.deepStrictEqual(parse(utf8.encode("a"), () => 1).rows, [["a"]])
  })

  it("lends a second block to whoever reads CSV while CSV is read", () => {
    withBlock((outer) =>
      withBlock((inner) => {
        assert.notStrictEqual(outer, inner)
      })
    )
  })

  it("reads the same where there is no Buffer", () => {
    const text = '"a"\n"plain"\n"é 😀 — "\n"\u0000"\n'
    const expected = parse(utf8.encode(text), () => 5).rows
    const { Buffer } = globalThis
    const found = withBlock(() => {
      Object.assign(globalThis, { Buffer: undefined })
      try {
        return parse(utf8.encode(text), () => 5).rows
      } finally {
        Object.assign(globalThis, { Buffer })
      }
    })
    assert.deepStrictEqual(found, expected)
    assert.deepStrictEqual(found, [["a"], ["plain"], ["é 😀 — "], ["\u0000"]])
  })

  it("puts what is not UTF-8 as replacement characters", () => {
    const bytes = utf8.encode('"a"\n"x?y"\n').map((byte) => (byte === 63 ? 0xff : byte))
    assert.deepStrictEqual(parse(bytes, () => 100).rows, [["a"], ["x\ufffdy"]])
  })
})
