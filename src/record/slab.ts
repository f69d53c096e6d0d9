/** How many bytes a cell that is no text takes at most, its delimiter included. */
const cellBytes = 40

const initial = 128 * 1024

/** A slab that has grown beyond this, for rows that are far from usual, is not kept. */
const most = 1024 * 1024

/**
 * Memory that rows are written into as bytes, one after the other. It grows as it must
 * and is used again, so that a cell leaves nothing to collect.
 *
 * Who writes makes room for a text first; then there is room behind it for the rest
 * of a row without texts.
 */
export class Slab {
  bytes: Uint8Array = new Uint8Array(0)
  /** Where a text may end at most, as long as no room is made. */
  room = 0
  /** Whether a text with a carriage return was written since bytes were taken. */
  hasReturns = false
  /** How many bytes a row without texts may take. */
  private readonly spare: number

  constructor(columns: number) {
    this.spare = cellBytes * (columns + 1)
    this.allocate(initial)
  }

  /** Makes room for what is to end at `end`. */
  reserve(end: number): void {
    if (end > this.room) this.allocate(2 * (end + this.spare))
  }

  private allocate(length: number): void {
    const bytes = new Uint8Array(Math.max(length, 2 * this.spare))
    bytes.set(this.bytes)
    this.bytes = bytes
    this.room = bytes.length - this.spare
  }

  /** What was written, as bytes of its own. */
  take(end: number): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.slice(0, end)
    this.hasReturns = false
    if (this.bytes.length > most) {
      this.bytes = new Uint8Array(0)
      this.allocate(initial)
    }
    return taken
  }
}

/** Writes a value behind `at`, and gives where it ends; -1 for what Schema is to judge. */
export type Put<A> = (slab: Slab, at: number, value: A) => number

/** Writes a text as UTF-8, which it must be. */
export const putText: Put<string> = (slab, at, text) => {
  slab.reserve(at + 3 * text.length)
  return at + utf8.encodeInto(text, slab.bytes.subarray(at)).written
}

const utf8 = new TextEncoder()

/** Writes a text that is ASCII. */
export const putAscii: Put<string> = (slab, at, text) => {
  slab.reserve(at + text.length)
  const { bytes } = slab
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
  return at + text.length
}

/** Writes a number as `String` does. */
export const putNumber: Put<number> = (slab, at, value) => {
  const { bytes } = slab
  const size = Math.abs(value)
  if (size < most32) {
    // amounts have few decimal places; a number with so few digits that is the same number is the one `String` finds
    for (let places = 0; places < 4; places++) {
      const power = powers[places]!
      const digits = Math.round(size * power)
      if (digits >= most32) break
      if (digits / power === size) {
        if (value < 0) bytes[at++] = MINUS
        return putDigits(bytes, at, digits, places)
      }
    }
  }
  return putAscii(slab, at, String(value))
}

const most32 = 2 ** 31

const putDigits = (bytes: Uint8Array, at: number, digits: number, places: number): number => {
  let width = places + 1
  while (width < powers.length && digits >= powers[width]!) width++
  const end = places === 0 ? at + width : at + width + 1
  let i = end
  let left = digits | 0
  if (places > 0) {
    for (; i > end - places; left = (left / 10) | 0) bytes[--i] = ZERO + (left % 10)
    bytes[--i] = POINT
  }
  for (; i > at; left = (left / 10) | 0) bytes[--i] = ZERO + (left % 10)
  return end
}

const powers = Array.from({ length: 10 }, (_, i) => 10 ** i)
const ZERO = 48
const MINUS = 45
const POINT = 46
