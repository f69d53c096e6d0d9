// How the cells of Salesforce's field types are read and written without Schema; see `Field`.

import type { Put } from "../csv/slab.ts"
import { caseAt, isIdAt, lastOf } from "./ids.ts"
import { clockAt, dayAt, instantAt, putDay, putInstant, timeAt } from "./instants.ts"
import { isUtc, number, putFinite, type Read, refused, string } from "./kinds.ts"
import type { KnownCells } from "./known.ts"
import { utcOf } from "./utc.ts"

const day = 86_400_000

const T = 84
const SPACE = 32

export const id: KnownCells = {
  read: (block, from, to) => {
    const length = to - from
    if (length === 18) return isIdAt(block.bytes, from) ? string.read(block, from, to) : refused
    const bits = length === 15 ? caseAt(block.bytes, from) : -1
    return bits < 0 ? refused : block.cell(from, to) + lastOf(bits)
  },
  fitsAt: (bytes, from, to) => to - from === 18 && isIdAt(bytes, from),
  figure: { of: "ids" }
}

/** Reads milliseconds as an instant. */
const instantsBy =
  (millisAt: (words: DataView, from: number, to: number) => number): Read =>
  ({ words }, from, to) => {
    const millis = millisAt(words, from, to)
    return Number.isNaN(millis) ? refused : utcOf(millis)
  }

export const instant: KnownCells = {
  read: instantsBy(instantAt),
  put: (slab, at, value) => (isUtc(value) ? putInstant(slab, at, value.epochMilliseconds) : -1),
  figure: { of: "instants", make: utcOf }
}

/** An instant, or what clocks show at one that is told by `instantOf`, like `2026-11-23T21:41:12`. */
export const local = (instantOf: (wall: number) => number): KnownCells => ({
  ...instant,
  read: instantsBy((words, from, to) => {
    if (to - from !== 19) return instantAt(words, from, to)
    const between = words.getUint8(from + 10)
    return between === T || between === SPACE ? instantOf(dayAt(words, from) + clockAt(words, from + 11)) : Number.NaN
  })
})

export const date: KnownCells = {
  read: instantsBy((words, from, to) => (to - from === 10 ? dayAt(words, from) : Number.NaN)),
  put: (slab, at, value) =>
    isUtc(value) && value.epochMilliseconds % day === 0 ? putDay(slab, at, value.epochMilliseconds / day) : -1
}

export const time: KnownCells = {
  read: instantsBy(timeAt),
  put: (slab, at, value) =>
    isUtc(value) && value.epochMilliseconds >= 0 && value.epochMilliseconds < day
      ? putTime(slab, at, value.epochMilliseconds)
      : -1
}

/** Writes a time of day as that of the first day. */
const putTime: Put<number> = (slab, at, millis) => {
  const end = putInstant(slab, at, millis)
  slab.bytes.copyWithin(at, end - 13, end)
  return at + 13
}

/** Texts with semicolons between them; of `known` ones, if they are restricted. */
export const multiPicklist = (known?: ReadonlyArray<string>): KnownCells => {
  const all = known && new Set<unknown>(known)
  const isOne = (value: unknown): boolean =>
    typeof value === "string" && value !== "" && !value.includes(";") && (all === undefined || all.has(value))
  return {
    read: (block, from, to) => {
      if (from === to) return []
      const values = block.cell(from, to).split(";")
      for (const value of values) if (!isOne(value)) return refused
      return values
    },
    write: (values) => {
      if (!Array.isArray(values)) return undefined
      for (const value of values) if (!isOne(value)) return undefined
      return values.join(";")
    }
  }
}

/** Texts of at most so many characters, none of which takes less than a byte. */
export const textOf = (characters: number): KnownCells => ({
  read: (block, from, to) => (to - from <= characters ? string.read(block, from, to) : refused),
  fits: (text) => text.length <= characters
})

const QUOTE = 34
const AT = 64
const DELETE = 127
const mostOfEmail = 80

export const email: KnownCells = {
  read: (block, from, to) => (isEmailAt(block.bytes, from, to) ? string.read(block, from, to) : refused),
  fitsAt: (bytes, from, to) => bytes[from] !== QUOTE && isEmailAt(bytes, from, to),
  figure: { of: "emails" }
}

/** Whether there is an address that is ASCII: whether other characters are blanks, is for the pattern to say. */
const isEmailAt = (bytes: Uint8Array, from: number, to: number): boolean => {
  if (to - from > mostOfEmail) return false
  let at = -1
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    if (byte <= SPACE || byte >= DELETE || (byte === AT && at >= 0)) return false
    if (byte === AT) at = i
  }
  return at > from && at < to - 1
}

export const integer: KnownCells = {
  read: (block, from, to) => integerOf(number.read(block, from, to)),
  put: (slab, at, value) => (Number.isSafeInteger(value) ? putFinite(slab, at, value) : -1),
  figure: { of: "decimals", make: (value) => integerOf(value) }
}

const integerOf = (value: unknown): unknown => (Number.isSafeInteger(value) ? value : refused)
