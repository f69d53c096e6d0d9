import * as limits from "../limits.ts"
import { type Copy, loopTexts, type Texts, wasmTexts } from "./texts.ts"

/** How many bytes a cell that is no text takes at most, its delimiter included. */
const cellBytes = 40

/**
 * Where a text must end, with three bytes for each character. One that is too long for a
 * cell ends behind it wherever it begins.
 */
export const room = 3 * limits.cellCharacters

/** How many bytes a slab has: behind a text is room for the rest of a row without texts. */
const size = room + cellBytes * (limits.columns + 1)

/** Behind which no row may begin: what there is is to be taken first. */
export const full = 128 * 1024

/**
 * Memory that rows are written into as bytes, one after the other. It is used again and
 * again, so that a cell leaves nothing to collect.
 */
export class Slab {
  readonly bytes: Uint8Array
  readonly copy: Copy
  /** The same bytes, to be written as words. */
  readonly words: DataView
  /** Whether a text with a carriage return was written. */
  hasReturns = false

  constructor({ bytes, copy }: Texts = wasmTexts(size) ?? loopTexts(size)) {
    this.bytes = bytes
    this.copy = copy
    this.words = new DataView(bytes.buffer)
  }

  /** What was written, as bytes of its own. */
  take(end: number): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, end)
  }
}

const idle: Array<Slab> = []

/** Lends a slab: who asks while all are lent (a schema that writes CSV within a cell) gets another. */
export const withSlab = <A>(use: (slab: Slab) => A): A => {
  const slab = idle.pop() ?? new Slab()
  slab.hasReturns = false
  try {
    return use(slab)
  } finally {
    idle.push(slab)
  }
}

/** Writes a value behind `at`, and gives where it ends; -1 for what Schema is to judge. */
export type Put<A> = (slab: Slab, at: number, value: A) => number

/** Writes a text that is ASCII, and short. */
export const putAscii: Put<string> = ({ bytes }, at, text) => {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
  return at + text.length
}

/** Writes a code point beyond ASCII, which is no half of a surrogate pair, as UTF-8. */
export const putPoint: Put<number> = ({ bytes }, at, point) => {
  if (point < 0x800) bytes[at++] = 0xc0 | (point >> 6)
  else {
    if (point < 0x10000) bytes[at++] = 0xe0 | (point >> 12)
    else {
      bytes[at++] = 0xf0 | (point >> 18)
      bytes[at++] = 0x80 | ((point >> 12) & 0x3f)
    }
    bytes[at++] = 0x80 | ((point >> 6) & 0x3f)
  }
  bytes[at] = 0x80 | (point & 0x3f)
  return at + 1
}

/** Writes a number as `String` does. */
export const putNumber: Put<number> = (slab, at, value) => {
  const { bytes, words } = slab
  const size = Math.abs(value)
  if (size < 2 ** 31) {
    // amounts have few decimal places; a number with so few digits that is the same number is the one `String` finds
    const whole = size | 0
    const thousandths = ((size - whole) * 1_000 + 0.5) | 0
    if ((whole * 1_000 + thousandths) / 1_000 === size) {
      if (value < 0) bytes[at++] = MINUS
      const end = putWhole(words, at, whole)
      if (thousandths === 0) return end
      words.setInt32(end, pointAndDigits(thousandths), true)
      return end + (thousandths % 10 !== 0 ? 4 : thousandths % 100 !== 0 ? 3 : 2)
    }
  }
  return putAscii(slab, at, String(value))
}

const putWhole = (words: DataView, at: number, whole: number): number => {
  if (whole < 10_000) {
    const zeros = ((whole - 10) >>> 31) + ((whole - 100) >>> 31) + ((whole - 1_000) >>> 31)
    words.setInt32(at, fourDigits(whole) >>> (8 * zeros), true)
    return at + 4 - zeros
  }
  const first = (whole / 10_000) | 0
  const end = putWhole(words, at, first)
  words.setInt32(end, fourDigits(whole - 10_000 * first), true)
  return end + 4
}

/** A point and the three digits of a number, as one word. */
export const pointAndDigits = (number: number): number => fourDigits(number) + POINT - ZERO

/** The four digits of a number as one word, the first of them in its lowest byte. */
const fourDigits = (number: number): number => {
  const hundreds = (number / 100) | 0
  // both pairs of digits are taken apart at once
  const pairs = hundreds | ((number - 100 * hundreds) << 16)
  const tens = ((pairs * 103) >>> 10) & 0x000f_000f
  return 0x3030_3030 + (tens | ((pairs - 10 * tens) << 8))
}

const ZERO = 48
const MINUS = 45
const POINT = 46
