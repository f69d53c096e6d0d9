import { counted } from "../../counted.ts"
import * as limits from "../limits.ts"
import { CsvError } from "./csvError.ts"
import { type Dialect, delimiters, newlines } from "./dialect.ts"
import type { Machine } from "./machine.ts"

/** Whole records of a CSV file, as they can be sent; exported by `Csv`, which documents it. */
export interface Block {
  readonly header: ReadonlyArray<string>
  readonly headerBytes: Uint8Array
  readonly dialect: Dialect
  readonly bytes: Uint8Array
  readonly records: number
  readonly line: number
  readonly keys: ReadonlyArray<string>
}

const QUOTE = 34
const CR = 13
const LF = 10

/** Where the machine stands within a cell. */
const start = 0
const plain = 1
const quoted = 2
/** After a quote in a quoted cell, which closes it or is the first of two. */
const closing = 3

const blockBytes = 64 * 1024
const bom = [0xef, 0xbb, 0xbf]

/**
 * Cuts a file between records. Its bytes come out as they are, but for line
 * endings, which become the dialect's, and blank lines, which go.
 */
export class Cutter implements Machine<Uint8Array, Block, CsvError> {
  readonly dialect: Dialect
  readonly delimiter: number
  readonly newline: ReadonlyArray<number>
  readonly key: string | undefined

  header: ReadonlyArray<string> | undefined
  headerBytes = new Uint8Array(0)
  keyPosition = -1
  keys: Array<string> = []

  /** What is not given yet: whole records up to `recordStart`, then the beginning of one. */
  out = new Uint8Array(2 * blockBytes)
  length = 0
  records = 0
  recordStart = 0
  cellStart = 0
  cells = 0
  /** Where in `out` blank lines were left out. */
  blanks: Array<number> = []
  state = start
  /** A CR was seen that must be followed by a LF; where it is, `state` tells. */
  pendingCR = false
  line = 1
  recordLine = 1
  blockLine = 1
  bomSeen = 0
  begun = false

  constructor(dialect: Dialect, key: string | undefined) {
    this.dialect = dialect
    this.delimiter = delimiters[dialect.columnDelimiter].charCodeAt(0)
    this.newline = [...newlines[dialect.lineEnding]].map((char) => char.charCodeAt(0))
    this.key = key
  }

  feed(input: Uint8Array, blocks: Array<Block>): CsvError | undefined {
    this.reserve(2 * input.length)
    let i = 0
    while (!this.begun && i < input.length) {
      if (input[i] !== bom[this.bomSeen]) {
        // a part of a BOM is no BOM
        for (const byte of bom.slice(0, this.bomSeen)) this.put(byte)
        this.begun = true
      } else {
        i++
        if (++this.bomSeen === bom.length) this.begun = true
      }
    }
    for (; i < input.length; i++) {
      const byte = input[i]!
      if (this.pendingCR) {
        this.pendingCR = false
        if (this.state === quoted) {
          this.endLine()
          if (byte === LF) continue
        } else if (byte === LF) {
          const error = this.endRecord(blocks)
          if (error !== undefined) return error
          continue
        } else {
          return this.fail("ends with a carriage return alone; rows end with LF or CRLF")
        }
      }
      if (this.state === quoted) {
        if (byte === QUOTE) {
          this.state = closing
          this.put(byte)
        } else if (byte === CR) this.pendingCR = true
        else if (byte === LF) this.endLine()
        else this.put(byte)
        continue
      }
      if (byte === this.delimiter) {
        const error = this.endCell()
        if (error !== undefined) return error
        this.put(byte)
        this.cellStart = this.length
      } else if (byte === CR) this.pendingCR = true
      else if (byte === LF) {
        const error = this.endRecord(blocks)
        if (error !== undefined) return error
      } else if (byte === QUOTE) {
        if (this.state === plain) return this.fail("has a quote in a cell that does not begin with one")
        this.state = quoted
        this.put(byte)
      } else {
        if (this.state === closing) return this.fail("has text after a closing quote")
        this.state = plain
        this.put(byte)
      }
    }
    // a record that is far too long is not collected to its end
    return this.length - this.recordStart > 8 * limits.rowCharacters ? this.tooLong() : undefined
  }

  end(blocks: Array<Block>): CsvError | undefined {
    if (this.state === quoted) return this.fail("has a quote that never closes")
    if (this.pendingCR) return this.fail("ends with a carriage return alone; rows end with LF or CRLF")
    const error = this.endRecord(blocks)
    if (error !== undefined) return error
    return this.flush(blocks)
  }

  put(byte: number): void {
    this.out[this.length++] = byte
  }

  /** A line break within a cell. */
  endLine(): void {
    this.line++
    for (const byte of this.newline) this.put(byte)
  }

  endCell(): CsvError | undefined {
    this.state = start
    const position = this.cells++
    if (this.length - this.cellStart > limits.cellCharacters) {
      const characters = this.text(this.cellStart, this.length).length
      if (characters > limits.cellCharacters) {
        return this.fail(`has a cell of ${characters} characters; Salesforce takes ${limits.cellCharacters}`)
      }
    }
    if (position === this.keyPosition) this.keys.push(this.text(this.cellStart, this.length))
    return undefined
  }

  endRecord(blocks: Array<Block>): CsvError | undefined {
    if (this.length === this.recordStart) {
      this.recordLine = ++this.line
      if (this.records > 0) this.blanks.push(this.length)
      return undefined
    }
    const error = this.endCell() ?? this.checkRecord()
    if (error !== undefined) return error
    for (const byte of this.newline) this.put(byte)
    if (this.header === undefined) {
      const error = this.takeHeader()
      if (error !== undefined) return error
    } else {
      if (this.records++ === 0) this.blockLine = this.recordLine
    }
    this.cells = 0
    this.recordStart = this.cellStart = this.length
    this.recordLine = ++this.line
    return this.length < blockBytes ? undefined : this.flush(blocks)
  }

  checkRecord(): CsvError | undefined {
    if (this.cells > limits.columns) {
      return this.fail(`has ${this.cells} columns; Salesforce takes ${limits.columns}`)
    }
    if (this.length - this.recordStart > limits.rowCharacters) {
      if (decoder.decode(this.out.subarray(this.recordStart, this.length)).length > limits.rowCharacters) {
        return this.tooLong()
      }
    }
    return this.header === undefined || this.cells === this.header.length
      ? undefined
      : this.fail(`has ${counted(this.cells, "cell")} under ${counted(this.header.length, "column")}`)
  }

  takeHeader(): CsvError | undefined {
    const text = decode(this.out.subarray(0, this.length))
    if (text === undefined) return this.fail(notUtf8)
    this.header = splitRow(text, delimiters[this.dialect.columnDelimiter])
    this.headerBytes = this.out.slice(0, this.length)
    this.length = 0
    const names = new Set<string>()
    for (const name of this.header) {
      const bare = name.trim()
      if (bare === "") return this.fail("is a header with a column that has no name")
      if (bare !== name) {
        const problem = `is a header with a blank around the name ${JSON.stringify(name)}`
        return this.fail(`${problem}, which Salesforce would take for a part of it: make it ${bare}`)
      }
      if (names.has(name.toLowerCase())) return this.fail(`is a header with two columns ${name}`)
      names.add(name.toLowerCase())
    }
    if (this.key !== undefined) {
      const key = this.key.toLowerCase()
      this.keyPosition = this.header.findIndex((name) => name.toLowerCase() === key)
      if (this.keyPosition < 0) return this.fail(`is a header without the column ${this.key}`)
    }
    return undefined
  }

  /** Gives the whole records that are there. */
  flush(blocks: Array<Block>): CsvError | undefined {
    if (this.records === 0) return undefined
    const { header, headerBytes, dialect, records, keys } = this
    const bytes = this.out.slice(0, this.recordStart)
    if (decode(bytes) === undefined) {
      this.recordLine = this.blockLine + this.linesBefore(firstBadByte(bytes))
      return this.fail(notUtf8)
    }
    blocks.push({ header: header ?? [], headerBytes, dialect, bytes, records, line: this.blockLine, keys })
    this.out.copyWithin(0, this.recordStart, this.length)
    this.length -= this.recordStart
    this.cellStart -= this.recordStart
    this.recordStart = 0
    this.records = 0
    this.keys = []
    this.blanks = []
    return undefined
  }

  /** How many lines of the block come before the one with this byte. */
  linesBefore(position: number): number {
    let lines = this.blanks.filter((blank) => blank <= position).length
    for (let i = 0; i < position; i++) if (this.out[i] === LF) lines++
    return lines
  }

  reserve(more: number): void {
    if (this.length + more + 16 <= this.out.length) return
    const grown = new Uint8Array(2 * (this.length + more + 16))
    grown.set(this.out.subarray(0, this.length))
    this.out = grown
  }

  text(from: number, to: number): string {
    const text = decoder.decode(this.out.subarray(from, to))
    return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text
  }

  tooLong(): CsvError {
    return this.fail(
      this.state === quoted
        ? `has a quote that does not close within ${limits.rowCharacters} characters`
        : `begins a record of more than ${limits.rowCharacters} characters; Salesforce takes no more`
    )
  }

  fail(problem: string): CsvError {
    return new CsvError({ message: `line ${this.recordLine}: ${problem}`, line: this.recordLine })
  }
}

const notUtf8 = "is not UTF-8"

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true })

const decode = (bytes: Uint8Array): string | undefined => {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** Where the first line that is not UTF-8 begins. */
const firstBadByte = (bytes: Uint8Array): number => {
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(LF, from)
    const to = end < 0 ? bytes.length : end + 1
    if (decode(bytes.subarray(from, to)) === undefined) return from
    from = to
  }
  return bytes.length
}

/** The cells of a row that is known to be well-formed. */
const splitRow = (row: string, delimiter: string): ReadonlyArray<string> => {
  const cells: Array<string> = []
  let i = 0
  for (;;) {
    let cell = ""
    if (row[i] === '"') {
      let end = row.indexOf('"', i + 1)
      while (row[end + 1] === '"') end = row.indexOf('"', end + 2)
      cell = row.slice(i + 1, end).replaceAll('""', '"')
      i = end + 1
    } else {
      const from = i
      while (i < row.length && row[i] !== delimiter && row[i] !== "\r" && row[i] !== "\n") i++
      cell = row.slice(from, i)
    }
    cells.push(cell)
    if (row[i] !== delimiter) return cells
    i++
  }
}
