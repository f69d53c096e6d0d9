/**
 * The org's own CSV: a strict incremental reader, and the writer of result
 * files. It shares no code with the client, so that a fault in one shows.
 */

/** The delimiters a job may name. */
export const delimiters = {
  BACKQUOTE: "`",
  CARET: "^",
  COMMA: ",",
  PIPE: "|",
  SEMICOLON: ";",
  TAB: "\t"
} as const

/** The line endings a job may name. */
export const lineEndings = { LF: "\n", CRLF: "\r\n" } as const

/** How a job's files are written. */
export interface Dialect {
  readonly columnDelimiter: keyof typeof delimiters
  readonly lineEnding: keyof typeof lineEndings
}

/** The cells of one record. */
export type Row = ReadonlyArray<string>

const maxRecordLength = 400_000
const maxCellLength = 131_072
const maxColumns = 5_000

const QUOTE = 34
const LF = 10
const CR = 13

/**
 * Reads records from text that comes in pieces. Blank lines are skipped, a
 * line break inside a cell becomes `\n`. At the first fault `error` is set,
 * worded as a job's `errorMessage`, and nothing more is read.
 *
 * With `lineEnding: "any"` every line break is accepted, which is how rows
 * that were never processed are given back.
 */
export class CsvReader {
  error: string | undefined
  /** What is no complete record yet. */
  rest = ""
  private readonly delimiter: number
  private readonly lineEnding: Dialect["lineEnding"] | "any"
  private width: number | undefined

  /** `width` is the number of cells that each row must have, if another has read the header. */
  constructor(
    dialect: {
      readonly columnDelimiter: Dialect["columnDelimiter"]
      readonly lineEnding: Dialect["lineEnding"] | "any"
    },
    width?: number
  ) {
    this.delimiter = delimiters[dialect.columnDelimiter].charCodeAt(0)
    this.lineEnding = dialect.lineEnding
    this.width = width
  }

  /** The records that are complete once `text` is added; `last` says that no more follows. */
  push(text: string, last: boolean): Array<Row> {
    const rows: Array<Row> = []
    const all = this.rest + text
    let at = 0
    while (at < all.length && this.error === undefined) {
      const row: Array<string> = []
      const end = this.record(all, at, last, row)
      if (end === undefined) break
      at = end
      this.accept(row, rows)
    }
    this.rest = this.error === undefined ? all.slice(at) : ""
    if (this.rest.length > maxRecordLength) this.tooLong()
    return rows
  }

  private accept(row: Array<string>, rows: Array<Row>): void {
    if (this.error !== undefined || (row.length === 1 && row[0] === "")) return
    this.width ??= row.length
    if (row.length === this.width) rows.push(row)
    else this.fail(`Found ${row.length} values in a row. The header has ${this.width}`)
  }

  /** Reads one record into `row`: where the next begins, or undefined when there is more to come. */
  private record(all: string, start: number, last: boolean, row: Array<string>): number | undefined {
    let at = start
    for (;;) {
      const end =
        all.charCodeAt(at) === QUOTE ? this.quotedCell(all, at, last, row) : this.plainCell(all, at, last, row)
      if (end === undefined || this.error !== undefined) return undefined
      if (row.length > maxColumns) return this.fail(`Exceeded max number of columns per record : ${maxColumns}`)
      if (end - start > maxRecordLength) return this.tooLong()
      if (end === all.length) return end
      if (all.charCodeAt(end) !== this.delimiter) return this.lineBreak(all, end, last)
      at = end + 1
      if (at === all.length && !last) return undefined
    }
  }

  private plainCell(all: string, start: number, last: boolean, row: Array<string>): number | undefined {
    let at = start
    for (; at < all.length; at++) {
      const code = all.charCodeAt(at)
      if (code === this.delimiter || code === LF || code === CR) break
      if (code === QUOTE) return this.fail("Found unescaped quote. A value with quote should be within a quote")
    }
    if (at === all.length && !last) return undefined
    this.cell(all.slice(start, at), row)
    return at
  }

  private quotedCell(all: string, start: number, last: boolean, row: Array<string>): number | undefined {
    let value = ""
    for (let at = start + 1; ; ) {
      const quote = all.indexOf('"', at)
      if (quote === -1) return last ? this.fail("EOF reached before closing an opened quote") : undefined
      const next = quote + 1
      if (next === all.length && !last) return undefined
      value += all.slice(at, quote)
      if (all.charCodeAt(next) !== QUOTE) {
        const code = all.charCodeAt(next)
        if (next < all.length && code !== this.delimiter && code !== LF && code !== CR) {
          return this.fail("Not expecting more text after end quote")
        }
        this.cell(value.includes("\n") || value.includes("\r") ? this.innerBreaks(value) : value, row)
        return next
      }
      value += '"'
      at = next + 1
    }
  }

  private cell(value: string, row: Array<string>): void {
    if (value.length > maxCellLength) this.fail(`Exceeded max field size: ${value.length}`)
    row.push(value)
  }

  /** Where the line break at `at` ends, or undefined when a CR may still become a CRLF. */
  private lineBreak(all: string, at: number, last: boolean): number | undefined {
    if (all.charCodeAt(at) === LF) return this.lineEnding === "CRLF" ? this.wrongLineEnding() : at + 1
    if (at + 1 === all.length && !last) return undefined
    const pair = all.charCodeAt(at + 1) === LF
    if (this.lineEnding === "LF" || (this.lineEnding === "CRLF" && !pair)) return this.wrongLineEnding()
    return pair ? at + 2 : at + 1
  }

  private innerBreaks(value: string): string {
    const normal = value.replaceAll("\r\n", "\n")
    if (this.lineEnding === "LF" && value.includes("\r")) this.wrongLineEnding()
    if (this.lineEnding === "CRLF" && /\r|\n/.test(value.replaceAll("\r\n", ""))) this.wrongLineEnding()
    return normal
  }

  private tooLong(): undefined {
    return this.fail(`Exceeded max length for one record: ${maxRecordLength}`)
  }

  private wrongLineEnding(): undefined {
    this.error = `ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is ${this.lineEnding}`
  }

  private fail(text: string): undefined {
    this.error = `InvalidBatch : Failed to parse CSV. ${text}`
  }
}

/** Reads text in which a `CsvReader` finds no fault: faster than one, and no more of it than is asked for. */
export class RowReader {
  private readonly text: string
  private readonly delimiter: number
  private readonly isCrlf: boolean
  private at = 0

  constructor(text: string, dialect: Dialect) {
    this.text = text
    this.delimiter = delimiters[dialect.columnDelimiter].charCodeAt(0)
    this.isCrlf = dialect.lineEnding === "CRLF"
  }

  /** The next rows: `count` of them, fewer only at the end. */
  take(count: number): ReadonlyArray<Row> {
    const rows: Array<Row> = []
    while (rows.length < count && this.at < this.text.length) {
      const row = this.row()
      if (row.length > 1 || row[0] !== "") rows.push(row)
    }
    return rows
  }

  private row(): Row {
    const { delimiter, isCrlf, text } = this
    const { length } = text
    const row: Array<string> = []
    let at = this.at
    for (;;) {
      let end = at
      if (text.charCodeAt(at) === QUOTE) {
        end = text.indexOf('"', at + 1)
        let value = text.slice(at + 1, end)
        while (text.charCodeAt(end + 1) === QUOTE) {
          const next = text.indexOf('"', end + 2)
          value += text.slice(end + 1, next)
          end = next
        }
        end++
        row.push(isCrlf ? value.replaceAll("\r\n", "\n") : value)
      } else {
        for (; end < length; end++) {
          const code = text.charCodeAt(end)
          if (code === delimiter || code === LF || code === CR) break
        }
        row.push(text.slice(at, end))
      }
      at = end + 1
      if (text.charCodeAt(end) !== delimiter) break
    }
    this.at = isCrlf ? at + 1 : at
    return row
  }
}

/** The text of a cell as it stands between quotes. */
export const escape = (text: string): string => (text.includes('"') ? text.replaceAll('"', '""') : text)

/** A cell within quotes, as all data cells of result files are. */
export const quote = (text: string): string => `"${escape(text)}"`

/** A header as it was uploaded: within quotes only where it could not be read without. */
export const bare = (text: string, dialect: Dialect): string =>
  /["\r\n]/.test(text) || text.includes(delimiters[dialect.columnDelimiter]) ? quote(text) : text

/** One line of already quoted cells. */
export const line = (cells: ReadonlyArray<string>, dialect: Dialect): string =>
  cells.join(delimiters[dialect.columnDelimiter]) + lineEndings[dialect.lineEnding]

/** The bytes of the rows `from` to `to` (not included) of a block whose cells are all quoted. */
export const sliceRows = (block: Uint8Array, from: number, to: number): Uint8Array => {
  let quoted = false
  let row = 0
  let start = from === 0 ? 0 : block.length
  for (let at = 0; at < block.length; at++) {
    const byte = block[at]
    if (byte === QUOTE) quoted = !quoted
    else if (byte === LF && !quoted) {
      row++
      if (row === from) start = at + 1
      if (row === to) return block.subarray(start, at + 1)
    }
  }
  return block.subarray(start)
}
