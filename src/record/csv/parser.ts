import { counted } from "../../counted.ts"
import { type Block, blockBytes, withBlock } from "./block.ts"
import { CsvError } from "./csvError.ts"
import { type Dialect, delimiters } from "./dialect.ts"
import type { Machine } from "./machine.ts"

/**
 * Reads the rows from `o` up to `end`, which have two places in `at` for each column: the
 * cell of the column `i` lies between `at[o + 2 * i] + 1` and `at[o + 2 * i + 1]`. Gives
 * what is wrong with the first that cannot go into `out`.
 */
export type ReadRows<Out, Err> = (
  block: Block,
  at: Int32Array,
  o: number,
  end: number,
  out: Array<Out>
) => Err | undefined

/** Sees the header and gives what reads the rows below it, or what is wrong with the header. */
export type OnHeader<Out, Err> = (header: ReadonlyArray<string>, out: Array<Out>) => ReadRows<Out, Err> | Err

/** Reads rows of so many columns one by one. */
export const eachRow =
  <Out>(width: number, read: (block: Block, at: Int32Array, o: number) => Out): ReadRows<Out, never> =>
  (block, at, o, end, out) => {
    for (; o < end; o += 2 * width) out.push(read(block, at, o))
    return undefined
  }

// far above what Salesforce allows a record, far below what a quote that never closes would collect
const maxRecordBytes = 32 * 1024 * 1024

const QUOTE = 34
const CR = 13
const LF = 10

/** There is no whole row yet. */
const incomplete = -1
/** What is there is no row; `problem` says why. */
const broken = -2

/**
 * Parses the bytes of CSV, whatever pieces they come in. It is made for what
 * Salesforce sends, rows whose cells are all quoted: where their quotes stand in the
 * index of the block, is where the cells are. All others are read byte by byte.
 */
export class Parser<Out, Err extends object> implements Machine<Uint8Array, Out, Err | CsvError> {
  private readonly delimiter: number
  private readonly onHeader: OnHeader<Out, Err>
  private readonly lend: typeof withBlock

  private read: ReadRows<Out, Err> | undefined
  private width = 0
  /** Where the cells of a row are that was read byte by byte, as in the index of quotes. */
  private cells = new Int32Array(256)
  private count = 0
  private problem = ""
  private lines = 0
  private hasBegun = false
  /** The bytes of a row that has not ended. */
  private rest = new Uint8Array(0)
  private restLength = 0
  /** How many bytes there are to be before they are looked at: a row that has not ended is looked at from its beginning. */
  private wanted = 0

  constructor(dialect: Dialect, onHeader: OnHeader<Out, Err>, lend: typeof withBlock = withBlock) {
    this.delimiter = delimiters[dialect.columnDelimiter].charCodeAt(0)
    this.onHeader = onHeader
    this.lend = lend
  }

  feed(input: Uint8Array, out: Array<Out>): Err | CsvError | undefined {
    return this.lend((block) => {
      for (let from = 0; from < input.length; from += blockBytes) {
        const error = this.turn(block, input.subarray(from, from + blockBytes), false, out)
        if (error !== undefined) return error
      }
      return undefined
    })
  }

  end(out: Array<Out>): Err | CsvError | undefined {
    return this.lend((block) => this.turn(block, new Uint8Array(0), true, out))
  }

  private turn(block: Block, input: Uint8Array, isLast: boolean, out: Array<Out>): Err | CsvError | undefined {
    const length = this.restLength + input.length
    if (length < this.wanted && !isLast) return this.wait(input)
    block.reserve(length)
    block.bytes.set(this.rest.subarray(0, this.restLength), 0)
    block.bytes.set(input, this.restLength)
    if (!this.hasBegun) {
      if (length < 3 && !isLast) return this.keep(block, 0, length)
      this.hasBegun = true
      const { bytes } = block
      if (length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
        bytes.copyWithin(0, 3, length)
        return this.rows(block, length - 3, isLast, out)
      }
    }
    return this.rows(block, length, isLast, out)
  }

  private rows(block: Block, length: number, isLast: boolean, out: Array<Out>): Err | CsvError | undefined {
    block.scan(length)
    const { bytes, count, quotes } = block
    let start = 0
    let next = 0
    while (start < length) {
      if (quotes[next] === start) {
        const end = next + 2 * this.width * this.regular(block, next, length)
        while (next < end) {
          const last = block.enterRows(next, end, 2 * this.width, length)
          const error = this.read?.(block, quotes, next, last, out)
          if (error !== undefined) return error
          next = last
          start = quotes[next - 1]! + 2
          if (bytes[start - 1] !== LF) start++
        }
        if (start === length) break
      }
      const end = this.tokens(bytes, start, length, isLast)
      if (end === incomplete) break
      if (end === broken) return this.fail(block, start, this.problem)
      if (this.count > 0) {
        block.enter(start, end, length)
        const error = this.row(block, start, out)
        if (error !== undefined) return error
      }
      start = end
      while (next < count && quotes[next]! < start) next++
    }
    if (length - start > maxRecordBytes) {
      return this.fail(block, start, `begins a record of more than ${maxRecordBytes} bytes`)
    }
    this.lines += block.lines - linesBetween(bytes, start, length)
    return this.keep(block, start, length)
  }

  private regular(block: Block, first: number, length: number): number {
    return this.read === undefined ? 0 : block.regular(first, this.width, this.delimiter, length)
  }

  /** A row that was read byte by byte. */
  private row(block: Block, start: number, out: Array<Out>): Err | CsvError | undefined {
    if (this.read === undefined) {
      const header: Array<string> = []
      for (let i = 0; i < this.count; i++) header.push(block.cell(this.cells[2 * i]! + 1, this.cells[2 * i + 1]!))
      const read = this.onHeader(header, out)
      if (typeof read !== "function") return read
      this.read = read
      this.width = this.count
      return undefined
    }
    return this.count === this.width
      ? this.read(block, this.cells, 0, 2 * this.width, out)
      : this.fail(block, start, `a row has ${counted(this.count, "cell")} under ${counted(this.width, "column")}`)
  }

  /** Finds the cells of the row that begins at `start`, and where it ends. A blank line has none. */
  private tokens(bytes: Uint8Array, start: number, length: number, isLast: boolean): number {
    const { delimiter } = this
    this.count = 0
    let i = start
    for (;;) {
      let from = i
      if (i < length && bytes[i] === QUOTE) {
        from = i
        for (;;) {
          i = indexOf(bytes, QUOTE, i + 1, length)
          if (i < 0) return isLast ? this.refuse("a quote never closes") : incomplete
          if (i + 1 === length && !isLast) return incomplete
          if (i + 1 === length || bytes[i + 1] !== QUOTE) break
          i++
        }
        this.push(from, i)
        i++
        if (i < length && bytes[i] !== delimiter && bytes[i] !== LF && bytes[i] !== CR) {
          return this.refuse("there is text after a closing quote")
        }
      } else {
        while (i < length && bytes[i] !== delimiter && bytes[i] !== LF && bytes[i] !== CR) {
          if (bytes[i] === QUOTE) return this.refuse("there is a quote in a cell that does not begin with one")
          i++
        }
        if (i === length && !isLast) return incomplete
        if (i === start && (i === length || bytes[i] !== delimiter)) this.count = 0
        else this.push(from - 1, i)
      }
      if (i === length) return length
      if (bytes[i] === delimiter) {
        i++
        continue
      }
      if (bytes[i] === LF) return i + 1
      if (i + 1 === length) return isLast ? length : incomplete
      return bytes[i + 1] === LF ? i + 2 : i + 1
    }
  }

  private push(from: number, to: number): void {
    const at = 2 * this.count++
    if (at >= this.cells.length) {
      const cells = new Int32Array(2 * this.cells.length)
      cells.set(this.cells)
      this.cells = cells
    }
    this.cells[at] = from
    this.cells[at + 1] = to
  }

  private refuse(problem: string): number {
    this.problem = problem
    return broken
  }

  private fail({ bytes }: Block, start: number, problem: string): CsvError {
    const line = this.lines + linesBetween(bytes, 0, start) + 1
    return new CsvError({ message: `line ${line}: ${problem}`, line })
  }

  private keep({ bytes }: Block, start: number, length: number): undefined {
    this.restLength = length - start
    if (this.restLength > this.rest.length) this.rest = new Uint8Array(2 * this.restLength)
    this.rest.set(bytes.subarray(start, length))
    // one that is much larger than a block is looked at again when there is twice as much, not for every piece
    this.wanted = this.restLength > 4 * blockBytes ? Math.min(2 * this.restLength, maxRecordBytes + 1) : 0
  }

  private wait(input: Uint8Array): undefined {
    const length = this.restLength + input.length
    if (length > this.rest.length) {
      const rest = new Uint8Array(this.wanted)
      rest.set(this.rest.subarray(0, this.restLength))
      this.rest = rest
    }
    this.rest.set(input, this.restLength)
    this.restLength = length
  }
}

const indexOf = (bytes: Uint8Array, byte: number, from: number, to: number): number => {
  for (let i = from; i < to; i++) if (bytes[i] === byte) return i
  return -1
}

const linesBetween = (bytes: Uint8Array, from: number, to: number): number => {
  let lines = 0
  for (let i = from; i < to; i++) if (bytes[i] === LF) lines++
  return lines
}
