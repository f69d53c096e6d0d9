import { type Dialect, delimiters, newlines, special } from "../csv/dialect.ts"
import { type Put, putAscii, putPoint, room, type Slab } from "../csv/slab.ts"
import type { FastLeaf } from "./leaves.ts"

/**
 * Writes a field's value behind `at` as it stands in a row, and gives where it ends; -1
 * for what Schema is to judge.
 */
export type PutCell = (slab: Slab, at: number, value: unknown, record: object) => number

/** How the cells of one leaf are written. `nothing` is what a null becomes. */
export const cellWriter = (
  { fits, fitsAt, put, some, write }: Omit<FastLeaf, "givesBack">,
  dialect: Dialect,
  nothing: string
): PutCell => {
  const putText = anyText(dialect)
  const { isSome, leaf } = some ?? {}
  const putSome = leaf && cellWriter(leaf, dialect, nothing)
  return (slab, at, value, record) => {
    if (fits !== undefined && typeof value === "string" && fits(value)) return putText(slab, at, value)
    if (fitsAt !== undefined && typeof value === "string") {
      const end = putText(slab, at, value)
      if (end >= 0 && fitsAt(slab.bytes, at, end)) return end
    }
    if (put !== undefined && value !== null && value !== undefined) return put(slab, at, value)
    if (putSome !== undefined && isSome?.(value)) return putSome(slab, at, value.value, record)
    const text = write(value, record)
    if (text === undefined) return -1
    return text === null ? putAscii(slab, at, nothing) : putText(slab, at, text)
  }
}

/**
 * Writes texts that any cell may hold. Most are ASCII with nothing special in them: they
 * are copied as they are looked at, and only a text that is not so is looked at again.
 */
export const anyText = (dialect: Dialect): Put<string> => {
  const mustQuote = special(dialect)
  const newline = newlines[dialect.lineEnding]
  const delimiter = delimiters[dialect.columnDelimiter].charCodeAt(0)

  const secondLook: Put<string> = (slab, at, text) => {
    if (text === "#N/A") return -1
    const { bytes } = slab
    const isQuoted = mustQuote.test(text)
    if (isQuoted) bytes[at++] = QUOTE
    for (let i = 0; i < text.length; i++) {
      const char = text.charCodeAt(i)
      if (char > 0x7f) {
        const point = text.codePointAt(i)!
        // half of a surrogate pair cannot be written
        if (point >= 0xd800 && point < 0xe000) return -1
        if (point > 0xffff) i++
        at = putPoint(slab, at, point)
      } else if (char === LF || char === CR) {
        if (char === CR) {
          slab.hasReturns = true
          if (text.charCodeAt(i + 1) === LF) i++
        }
        at = putAscii(slab, at, newline)
      } else {
        if (char === QUOTE) bytes[at++] = QUOTE
        bytes[at++] = char
      }
    }
    if (isQuoted) bytes[at++] = QUOTE
    return at
  }

  return (slab, at, text) => {
    if (at + 3 * text.length > room) return -1
    const end = slab.copy(text, at, delimiter)
    return end < 0 ? secondLook(slab, at, text) : end
  }
}

const QUOTE = 34
const LF = 10
const CR = 13
