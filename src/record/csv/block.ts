import * as Arr from "effect/Array"

/** How many bytes are looked at in one go: beyond it, strings of a block leave the fast part of V8's heap. */
export const blockBytes = 64 * 1024

/** How many bytes become one string, of which the cells are cut: what a record that is kept keeps at most. */
const textBytes = 8 * 1024

/** How many bytes the scanner looks at in one go. */
const pad = 64

/** How many figures there is room for: rows that are cut of one text have fewer cells, unless they are very wide. */
const mostFigures = 4_096

const QUOTE = 34
const LF = 10
const CR = 13

/**
 * What a whole column can be read as at once. NaN is what is to be looked at again.
 *
 * - `decimals`: numbers of at most eight characters;
 * - `instants`: milliseconds, as `instantAt` reads them;
 * - `ids` and `emails`: 1 for what `isIdAt` and `isEmailAt` accept.
 */
export type Figures = "decimals" | "instants" | "ids" | "emails"

/**
 * Bytes of CSV, where the quotes in them are, and which are not ASCII.
 *
 * The index is made by a few lines of WebAssembly, 64 bytes at a time, where there is
 * WebAssembly; and by a loop where there is none.
 */
export class Block {
  readonly scanner: Scanner
  bytes: Uint8Array
  /** The same bytes, to be looked at as words. */
  words: DataView
  private texts: Texts
  /** The positions of all quotes. */
  quotes: Int32Array
  count = 0
  /** A bit for each byte that is not ASCII, 16 bytes in a number; of no worth if all are. */
  high: Uint16Array
  isAscii = true
  /** How many line feeds there are. */
  lines = 0
  /** What `readColumn` made of cells. */
  figures: Float64Array

  /** Whether the rows at hand are ASCII without quotes in their cells, so that these are substrings of `text`. */
  isPlain = true
  text = ""
  textStart = 0
  textEnd = 0

  constructor(scanner: Scanner = defaultScanner()) {
    this.scanner = scanner
    const { bytes, figures, high, quotes } = scanner.views
    this.bytes = bytes
    this.words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.texts = textsOf(bytes)
    this.quotes = quotes
    this.high = high
    this.figures = figures
  }

  /** Makes room for so many bytes; those that are there stay. */
  reserve(length: number): void {
    if (length + pad <= this.bytes.length) return
    this.scanner.grow(2 * length)
    const { bytes, figures, high, quotes } = this.scanner.views
    this.bytes = bytes
    this.words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.texts = textsOf(bytes)
    this.quotes = quotes
    this.high = high
    this.figures = figures
  }

  /** Indexes the first `length` bytes. */
  scan(length: number): void {
    // the scanner looks at 64 bytes at a time, the last ones too
    this.bytes.fill(0, length, length + pad)
    this.scanner.scan(this, length)
    this.textEnd = 0
  }

  /**
   * How many rows, one right behind the other from the one on that begins with the quote
   * `first`, have so many cells, each of them quoted and without a quote in it.
   */
  regular(first: number, width: number, delimiter: number, length: number): number {
    return this.scanner.regular(first, this.count, 2 * width, delimiter, length)
  }

  /** Whether so many figures can be made of rows whose cells are at these places. */
  hasFigures(at: Int32Array, count: number): boolean {
    return at === this.quotes && this.scanner.figures !== undefined && count <= mostFigures
  }

  /** Reads a column of regular rows, whose first cell begins with the quote `first`, to `figures` from `into` on. */
  readColumn(of: Figures, first: number, end: number, quotesOfRow: number, into: number): void {
    this.scanner.figures?.[of](first, end, quotesOfRow, into)
  }

  /** Prepares the cells of a row that begins at `start` and ends before `end`. */
  enter(start: number, end: number, length: number): void {
    if (end > this.textEnd) {
      this.textStart = start
      this.textEnd = Math.min(length, Math.max(end, start + textBytes))
      this.text = this.texts.latin1(start, this.textEnd)
    }
    this.isPlain = false
  }

  /**
   * Prepares the cells of regular rows, whose quotes are those from `first` up to `end`, as
   * many as are cut of one text and are alike; gives where their quotes end.
   */
  enterRows(first: number, end: number, quotesOfRow: number, length: number): number {
    const { isAscii, quotes } = this
    let next = first + quotesOfRow
    this.enter(quotes[first]!, quotes[next - 1]! + 1, length)
    this.isPlain = isAscii || this.isAsciiRow(first, next)
    while (
      next < end &&
      quotes[next + quotesOfRow - 1]! < this.textEnd &&
      (isAscii || this.isAsciiRow(next, next + quotesOfRow) === this.isPlain)
    ) {
      next += quotesOfRow
    }
    return next
  }

  private isAsciiRow(first: number, end: number): boolean {
    const last = this.quotes[end - 1]! >> 4
    for (let i = this.quotes[first]! >> 4; i <= last; i++) if (this.high[i] !== 0) return false
    return true
  }

  /** The text of a cell. */
  cell(from: number, to: number): string {
    return this.isPlain ? this.text.substring(from - this.textStart, to - this.textStart) : this.rawCell(from, to)
  }

  private rawCell(from: number, to: number): string {
    let isAscii = true
    let isQuoted = false
    for (let i = from; i < to; i++) {
      const byte = this.bytes[i]!
      if (byte > 127) isAscii = false
      else if (byte === QUOTE) isQuoted = true
    }
    const text = isAscii ? this.text.substring(from - this.textStart, to - this.textStart) : this.texts.utf8(from, to)
    return isQuoted ? text.replaceAll('""', '"') : text
  }
}

interface Views {
  readonly bytes: Uint8Array
  readonly quotes: Int32Array
  readonly high: Uint16Array
  readonly figures: Float64Array
}

/** Reads a column; see `Block.readColumn`. */
type ReadFigures = (first: number, end: number, quotesOfRow: number, into: number) => void

/** Memory for a block, and what indexes it. */
export interface Scanner {
  readonly views: Views
  readonly grow: (bytes: number) => void
  readonly scan: (block: Block, length: number) => void
  readonly regular: (first: number, count: number, quotesOfRow: number, delimiter: number, length: number) => number
  /** What reads a whole column at once; without it cells are read one by one. */
  readonly figures?: Readonly<Record<Figures, ReadFigures>>
}

/** The quote index in JavaScript. */
export const loopScanner = (): Scanner => {
  const allocate = (bytes: number): Views => ({
    bytes: new Uint8Array(bytes + pad),
    quotes: new Int32Array(bytes + pad),
    high: new Uint16Array((bytes >> 4) + 2),
    figures: new Float64Array(0)
  })
  let views = allocate(2 * blockBytes)
  return {
    get views() {
      return views
    },
    grow: (bytes) => {
      const before = views.bytes
      views = allocate(bytes)
      views.bytes.set(before)
    },
    scan: (block, length) => {
      const { bytes, high, quotes } = views
      let count = 0
      let lines = 0
      let any = 0
      for (let start = 0; start < length; start += 16) {
        let mask = 0
        for (let i = start; i < start + 16; i++) {
          const byte = bytes[i]!
          if (byte === QUOTE) quotes[count++] = i
          else if (byte === LF) lines++
          else if (byte > 127) mask |= 1 << (i - start)
        }
        high[start >> 4] = mask
        any |= mask
      }
      block.count = count
      block.lines = lines
      block.isAscii = any === 0
    },
    regular: (first, count, quotesOfRow, delimiter, length) => {
      const { bytes, quotes } = views
      let rows = 0
      for (let at = first; at + quotesOfRow <= count; at += quotesOfRow) {
        const last = at + quotesOfRow - 1
        for (let i = at + 1; i < last; i += 2) {
          const end = quotes[i]!
          if (quotes[i + 1] !== end + 2 || bytes[end + 1] !== delimiter) return rows
        }
        let end = quotes[last]! + 1
        if (end < length && bytes[end] === CR) end++
        if (end >= length || bytes[end] !== LF) return rows
        rows++
        // the next row begins where this one ends
        if (quotes[at + quotesOfRow] !== end + 1) return rows
      }
      return rows
    }
  }
}

/**
 * The quote index in WebAssembly with SIMD; `undefined` where there is none.
 *
 * `scan(end, quotes, high)` looks at the bytes from 0 to `end` and writes the
 * positions of quotes and the masks of bytes that are not ASCII. What it counted is
 * in its globals. `regular`, `decimals` and `instants` are as in `Block`.
 */
export const wasmScanner = (): Scanner | undefined => {
  try {
    return makeWasmScanner()
  } catch {
    return undefined
  }
}

const makeWasmScanner = (): Scanner => {
  const exports = new WebAssembly.Instance(wasmModule()).exports as unknown as Record<Figures, ReadFigures> & {
    readonly memory: WebAssembly.Memory
    readonly scan: (end: number, quotes: number, high: number) => void
    readonly regular: (
      first: number,
      count: number,
      quotesOfRow: number,
      delimiter: number,
      length: number,
      quotes: number
    ) => number
    readonly count: WebAssembly.Global<"i32">
    readonly lines: WebAssembly.Global<"i32">
    readonly any: WebAssembly.Global<"i32">
    readonly powers: WebAssembly.Global<"i32">
  }
  const { any, count, decimals, emails, ids, instants, lines, memory, regular, scan } = exports
  const page = 64 * 1024
  const allocate = (wanted: number): Views => {
    const bytes = Math.ceil((wanted + pad) / pad) * pad
    // some places are written behind the last quote
    const highStart = bytes + 4 * (bytes + pad)
    const figuresStart = highStart + (bytes >> 3)
    const missing = figuresStart + 8 * (mostFigures + powers.length) - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / page))
    exports.powers.value = figuresStart + 8 * mostFigures
    new Float64Array(memory.buffer, exports.powers.value).set(powers)
    return {
      bytes: new Uint8Array(memory.buffer, 0, bytes),
      quotes: new Int32Array(memory.buffer, bytes, bytes),
      high: new Uint16Array(memory.buffer, highStart, bytes >> 4),
      figures: new Float64Array(memory.buffer, figuresStart, mostFigures)
    }
  }
  let views = allocate(2 * blockBytes)
  const column =
    (read: ReadFigures): ReadFigures =>
    (first, end, quotesOfRow, into) => {
      const quotes = views.quotes.byteOffset
      read(quotes + 4 * first, quotes + 4 * end, 4 * quotesOfRow, views.figures.byteOffset + 8 * into)
    }
  return {
    get views() {
      return views
    },
    grow: (bytes) => {
      views = allocate(bytes)
    },
    scan: (block, length) => {
      scan(length, views.quotes.byteOffset, views.high.byteOffset)
      block.count = count.value
      block.lines = lines.value
      block.isAscii = any.value === 0
    },
    regular: (first, count, quotesOfRow, delimiter, length) =>
      regular(first, count, quotesOfRow, delimiter, length, views.quotes.byteOffset),
    figures: { decimals: column(decimals), emails: column(emails), ids: column(ids), instants: column(instants) }
  }
}

/** Those of ten by which eight characters can be divided. */
const powers = Array.from({ length: 8 }, (_, i) => 10 ** i)

const defaultScanner = (): Scanner => wasmScanner() ?? loopScanner()

// block.wat, as wat2wasm of wabt compiles it
const wasm =
  "AGFzbQEAAAABHQRgA39/fwBgBn9/f39/fwF/YAR/f39/AGABfwF/AwgHAAECAgIDAgUDAQABBhUEfwFBAAt/AUEAC38BQQALfwFBAAsHXwsGbWVtb3J5AgAFY291bnQDAAVsaW5lcwMBA2FueQMCBnBvd2VycwMDBHNjYW4AAAdyZWd1bGFyAAEIZGVjaW1hbHMAAghpbnN0YW50cwADA2lkcwAEBmVtYWlscwAGCuESB7kEAwN/AX4IeyABIQRBCv0PIQdBIv0PIQgCQANAIAMgAE8NASAD/QAEACELIAP9AAQQIQwgA/0ABCAhDSAD/QAEMCEOIAkgCyAM/VAgDSAO/VD9UP1QIQkgCiALIAf9IyAMIAf9I/1uIA0gB/0jIA4gB/0j/W79bv18/X79sQEhCiALIAj9I/1krSAMIAj9I/1krUIQhoQgDSAI/SP9ZK1CIIYgDiAI/SP9ZK1CMIaEhCEGIAQgBnunQQJ0aiEFIAQgAyAGeqdqNgIAIAYgBkIBfYMhBiAEIAMgBnqnajYCBCAGIAZCAX2DIQYgBCADIAZ6p2o2AgggBiAGQgF9gyEGIAQgAyAGeqdqNgIMIAYgBkIBfYMhBiAEIAMgBnqnajYCECAGIAZCAX2DIQYgBCADIAZ6p2o2AhQgBiAGQgF9gyEGIAQgAyAGeqdqNgIYIAYgBkIBfYMhBiAEIAMgBnqnajYCHCAGIAZCAX2DIQYgBCADIAZ6p2o2AiAgBiAGQgF9gyEGIAQgAyAGeqdqNgIkIAYgBkIBfYMhBiAEQShqIQQCQANAIAZQDQEgBCADIAZ6p2o2AgAgBiAGQgF9gyEGIARBBGohBAwACwsgBSEEIANBwABqIQMMAAsLIAQgAWtBAnYkACAK/RsAIAr9GwFqIAr9GwIgCv0bA2pqJAEgCf1kJAIjAkUEQA8LQQAhAwJAA0AgAyAATw0BIAIgA/0ABAD9ZDsBACACQQJqIQIgA0EQaiEDDAALCwvJAQEEfyAFIABBAnRqIQcgBSABQQJ0aiEBIAJBAnQhAgJAA0AgByACakEEayEIIAggAU8NASAHQQRqIQcCQANAIAcgCE8NASAHKAIAIQkgBygCBCAJQQJqRw0DIAktAAEgA0cNAyAHQQhqIQcMAAsLIAgoAgBBAWohCSAJIARPDQEgCS0AAEENRgRAIAlBAWohCSAJIARPDQILIAktAABBCkcNASAGQQFqIQYgCEEEaiEHIAcgAU8NASAHKAIAIAlBAWpGDQALCyAGC7sDAgZ/An4CQANAIAAgAU8NASAAKAIAQQFqIQQgACgCBCEFIAQtAABBLUYhByAFIARrIAdrIQYgA0QAAAAAAAD4fzkDAAJAIAZBAWtBB0sNACAFQQhJDQBCf0EIIAZrQQN0rYYhCyAFQQhrKQMAIAuDQrDgwIGDhoyYMCALQn+Fg4QhCiAKQq7cuPHixYuXLoUhCyALQoGChIiQoMCAAX0gC0J/hYNCgIGChIiQoMCAf4MhC0EAIQkgC0IAUgRAIAt6p0EDdiEIQQcgCGshCSAJRQ0BIAhBCCAGa0YNAUJ/IAhBA3SthiELIAogC0IIhoMgCiALQn+Fg0IIhoRCMIQhCgsgCkLw4cOHj568+HCDIApChoyYsODAgYMGfELw4cOHj568+HCDQgSIhEKz5syZs+bMmTNSDQAgCkKw4MCBg4aMmDB9IQogCkIKfiAKQgiIfCEKIApC/4GAgPAfg0LkgICAgMjQB34gCkIQiEL/gYCA8B+DQoGAgICA4gl+fEIgiCEKIAMgCrojAyAJQQN0aisDAKM5AwAgBwRAIAMgAysDAJo5AwALCyADQQhqIQMgACACaiEADAALCwvABQENfwJAA0AgACABTw0BIAAoAgBBAWohBCAAKAIEIARrIQUgA0QAAAAAAAD4fzkDAAJAQQAhDCAFQRxGBEAgBCgCGEGw4MCBA3MhDAUgBUEYRw0BCyAEKAIAQbDgwIEDcyEGIAQoAgRBreDA6QJzIQcgBCgCCEGw4NCCA3MhCCAEKAIMQbD0wIEDcyEJIAQoAhBBuuDA8QJzIQogBCgCFEGw4MDRBUGw4MDZAiAFQRhGG3MhCyAMIAYgBkGGjJgwanJB8OHDh39xIAcgB0GAjBhqckH/4UNxciAIIAhBhoyAMGpyQfDh/4d/cSAJIAlBhoCYMGpyQfD/w4d/cXIgCiAKQYCMGGpyQf/hQ3EgCyALQYaMGGpyQfDhQ3FycnJyIQwgDA0AIAhBGHZBCmwgCUEPcWohDSAJQRB2QQ9xQQpsIAlBGHZqIQ4gCkEIdkEPcUEKbCAKQRB2QQ9xaiEPIA1BF0sNACAOQTtLDQAgD0E7Sw0AIAZBD3FBCmwgBkEIdkEPcWpB5ABsIAZBEHZBD3FBCmwgBkEYdmpqIQYgB0EIdkEPcUEKbCAHQRB2QQ9xaiEHIAhBD3FBCmwgCEEIdkEPcWohCCAHQQFrQQtLDQAgCEUNACAIQRxLBEAgCCAHQQJGBH9BHCAGQQNxRSAGQeQAcEEARyAGQZADcEVycWoFQR5BASAHIAdBA3ZqcWoLSw0BCyAHQQNJIQwgBiAMa0GQA2ohECAHIAxBDGxqQQNrIQcgEEHtAmwgEEEEbiAQQeQAbmsgEEGQA25qaiAHQZkBbEECakEFbiAIQZ7qNGtqaiEIIA1BPGwgDmpBPGwgD2ohDyADIAi3RAAAAABwmZRBoiAPQegHbCALQQ9xQeQAbCALQQh2QQ9xQQpsIAtBEHZBD3Fqamq3oDkDAAsgA0EIaiEDIAAgAmohAAwACwsL3AECAn8CewJAA0AgACABTw0BIAAoAgBBAWohBCADRAAAAAAAAPh/OQMAAkAgACgCBCAEa0ESRw0AIAT9AAQAIQYgBkHBAP0P/XFBGv0P/SYhByAHIAZB4QD9D/1xQRr9D/0mIAZBMP0P/XFBCv0P/Sb9UP1Q/WRB//8BcUH//wFHDQAgB/1kIQUgBC0ADyAFQR9xEAVHDQAgBC0AECAFQQV2QR9xEAVHDQAgBC0AESAFQQp2QR9xEAVHDQAgA0QAAAAAAADwPzkDAAsgA0EIaiEDIAAgAmohAAwACwsLEAAgAEHBAEEWIABBGkkbagvqAQIGfwF7AkADQCAAIAFPDQEgACgCAEEBaiEEIAAoAgQhBSADRAAAAAAAAPh/OQMAAkAgBSAEa0EDa0HNAEsNACAELQAAQcAARg0AIAVBAWstAABBwABGDQBBACEIIAQhBgNAIAb9AAQAIQpB//8DQQEgBSAGa3RBAWsgBSAGa0EQTxshCSAJIApBIf0P/XFB3gD9D/0s/WRxDQEgCSAKQcAA/Q/9I/1kcSEHIAggB2lqIQggBkEQaiEGIAYgBUkNAAsgCEEBRw0AIANEAAAAAAAA8D85AwALIANBCGohAyAAIAJqIQAMAAsLCw=="

let compiled: WebAssembly.Module | undefined

const wasmModule = (): WebAssembly.Module => {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(wasm), (char) => char.charCodeAt(0)))
  return compiled
}

let shared: Block | undefined

/**
 * Lends a block, whose contents are of no worth: the parsers of a thread take turns
 * with one, and keep between their turns only what they have not read.
 */
export const withBlock = <A>(use: (block: Block) => A): A => {
  // while it is lent, whoever else asks (a schema that reads CSV within a cell) gets one of its own
  const block = shared ?? new Block()
  shared = undefined
  try {
    return use(block)
  } finally {
    // one that grew for a huge record is not kept
    if (block.bytes.length <= 16 * blockBytes) shared = block
    block.text = ""
  }
}

/** Texts of bytes: with the methods of Node's `Buffer` where there is one, as they are much faster for short ones. */
interface Texts {
  /** One character for each byte; only those of ASCII bytes are of use. */
  readonly latin1: (from: number, to: number) => string
  readonly utf8: (from: number, to: number) => string
}

const textsOf = (bytes: Uint8Array): Texts => {
  if (typeof Buffer === "function") {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    return {
      latin1: (from, to) => buffer.toString("latin1", from, to),
      utf8: (from, to) => buffer.toString("utf8", from, to)
    }
  }
  const latin1 = new TextDecoder("latin1")
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })
  return {
    latin1: (from, to) => latin1.decode(bytes.subarray(from, to)),
    utf8: (from, to) => utf8.decode(bytes.subarray(from, to))
  }
}

/** Bytes in pieces of at most a block. */
export const inBlocks = (inputs: Arr.NonEmptyReadonlyArray<Uint8Array>): Arr.NonEmptyReadonlyArray<Uint8Array> =>
  inputs.some((input) => input.length > blockBytes) ? Arr.flatMap(inputs, pieces) : inputs

const pieces = (input: Uint8Array): Arr.NonEmptyReadonlyArray<Uint8Array> =>
  Arr.makeBy(Math.max(1, Math.ceil(input.length / blockBytes)), (i) =>
    input.subarray(i * blockBytes, (i + 1) * blockBytes)
  )
