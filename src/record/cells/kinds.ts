import * as BigDecimal from "effect/BigDecimal"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as SchemaAST from "effect/SchemaAST"
import type { Block, Figures } from "../csv/block.ts"
import { type Put, putNumber } from "../csv/slab.ts"
import * as Columns from "./columns.ts"
import { dayAt, formatInstant, instantAt, isInYears, parseInstant, putInstant } from "./instants.ts"
import { bareMembersOf, textLiterals } from "./members.ts"
import { utcOf } from "./utc.ts"

/** What a fast reader gives for a cell that Schema is to judge. */
export const refused = Symbol("refused")

/** What a reader gives where there is no value. */
export const absent = Symbol("absent")

/** The value of a cell, or `refused`. */
export type Read = (block: Block, from: number, to: number) => unknown

/** Values that are read a column at a time. */
export interface Figure {
  readonly of: Figures
  /** The value that is made of a figure, or `refused`; without it, it is the text of the cell. */
  readonly make?: (figure: number) => unknown
}

/** How the values of cells are read and written. */
export interface Cells {
  readonly read: Read
  /** The text of a value, `undefined` for what Schema is to judge. */
  readonly write: (value: unknown) => string | undefined
  /** Writes a value, where none can need quotes or be what must not be written. */
  readonly put?: Put<unknown> | undefined
  /** Whether a text is one of the values: where these are texts, and cells as they are. */
  readonly fits?: ((text: string) => boolean) | undefined
  /** The same of a text that was written, where bytes tell it sooner. Bytes with quotes around them are none. */
  readonly fitsAt?: ((bytes: Uint8Array, from: number, to: number) => boolean) | undefined
  /** How a whole column is read at once, where that is faster. */
  readonly figure?: Figure | undefined
  /** Whether a value is read as it was written, if there are some that are not. */
  readonly givesBack?: (value: unknown) => boolean
}

/** A kind of values: what they are, and how they are read and written. */
export interface Kind extends Cells {
  readonly is: (value: unknown) => boolean
}

/** The kind of a type, whatever its checks. */
export const kindOf = (ast: SchemaAST.AST): Kind | undefined => {
  if (SchemaAST.isString(ast)) return string
  if (SchemaAST.isNumber(ast)) return number
  if (SchemaAST.isBoolean(ast)) return boolean
  if (SchemaAST.isBigInt(ast)) return bigint
  if (Columns.isDate(ast)) return date
  if (Columns.isUtc(ast)) return utc
  if (Columns.isBigDecimal(ast)) return bigDecimal
  const texts = textLiterals(bareMembersOf(ast))
  return texts === undefined || texts.length === 0 ? undefined : literals(texts)
}

export const string: Kind = {
  is: (value) => typeof value === "string",
  read: (block, from, to) =>
    block.isPlain ? block.text.substring(from - block.textStart, to - block.textStart) : block.cell(from, to),
  write: (value) => (typeof value === "string" ? value : undefined),
  fits: () => true
}

const literals = (texts: ReadonlyArray<string>): Kind => {
  const known = new Map<unknown, string>(texts.map((text) => [text, text]))
  return {
    is: (value) => known.has(value),
    // a text of its own, not a piece of the block
    read: (block, from, to) => known.get(block.cell(from, to)) ?? refused,
    write: (value) => known.get(value),
    fits: (text) => known.has(text)
  }
}

const boolean: Kind = {
  is: (value) => typeof value === "boolean",
  read: ({ bytes }, from, to) => {
    const length = to - from
    if (length === 4) {
      return bytes[from] === 116 && bytes[from + 1] === 114 && bytes[from + 2] === 117 && bytes[from + 3] === 101
        ? true
        : refused
    }
    return length === 5 &&
      bytes[from] === 102 &&
      bytes[from + 1] === 97 &&
      bytes[from + 2] === 108 &&
      bytes[from + 3] === 115 &&
      bytes[from + 4] === 101
      ? false
      : refused
  },
  write: (value) => (value === true ? "true" : value === false ? "false" : undefined),
  put: ({ bytes, words }, at, value) => {
    if (value === true) {
      words.setInt32(at, TRUE)
      return at + 4
    }
    if (value !== false) return -1
    words.setInt32(at, FALS)
    bytes[at + 4] = E
    return at + 5
  }
}

const TRUE = 0x74727565
const FALS = 0x66616c73
const E = 0x65

export const number: Kind = {
  is: (value) => typeof value === "number",
  read: (block, from, to) => {
    const value = decimalAt(block.bytes, from, to)
    return Number.isNaN(value) ? scientific(block.cell(from, to)) : value
  },
  write: (value) => (isWritable(value) ? `${value}` : undefined),
  put: (slab, at, value) => putFinite(slab, at, value),
  figure: { of: "decimals", make: (value) => value }
}

/** Salesforce has neither NaN nor infinities, and a negative zero would arrive as 0. */
const isWritable = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value) && (value !== 0 || 1 / value > 0)

export const putFinite: Put<unknown> = (slab, at, value) => (isWritable(value) ? putNumber(slab, at, value) : -1)

const powers = Array.from({ length: 16 }, (_, i) => 10 ** i)

/** A number of at most 16 characters, whose digits are exact or rounded once; NaN for all else. */
const decimalAt = (bytes: Uint8Array, from: number, to: number): number => {
  const isNegative = bytes[from] === 45
  let i = isNegative ? from + 1 : from
  if (i === to || to - i > 16 || bytes[i] === 46 || bytes[to - 1] === 46) return Number.NaN
  let digits = 0
  let value = 0
  let point = -1
  for (; i < to; i++) {
    const digit = bytes[i]! - 48
    if (digit >= 0 && digit < 10) {
      value = value * 10 + digit
      digits++
    } else if (digit === -2 && point < 0) point = digits
    else return Number.NaN
  }
  if (point >= 0) value /= powers[digits - point]!
  return isNegative ? -value : value
}

const scientific = (text: string): unknown => {
  const value = /^-?\d+(?:\.\d+)?(?:[Ee][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : refused
}

export const bigint: Kind = {
  is: (value) => typeof value === "bigint",
  read: (block, from, to) => {
    const text = block.cell(from, to)
    return /^-?\d+$/.test(text) ? BigInt(text) : refused
  },
  write: (value) => (typeof value === "bigint" ? `${value}` : undefined)
}

export const bigDecimal: Kind = {
  is: BigDecimal.isBigDecimal,
  read: (block, from, to) => Option.getOrElse(BigDecimal.fromString(block.cell(from, to)), () => refused),
  write: (value) => (BigDecimal.isBigDecimal(value) ? BigDecimal.format(value) : undefined),
  // the exponent that is written must be one that is read
  givesBack: (value) => !BigDecimal.isBigDecimal(value) || Math.abs(value.scale) < 2 ** 52
}

const instantText = (millis: number): string | undefined => {
  const text = formatInstant(millis)
  return isInYears(text) ? text : undefined
}

/** An instant in any form, or the day that is as one. */
const millisAt = (block: Block, from: number, to: number): number => {
  const { words } = block
  const millis = to - from === 10 ? dayAt(words, from) : instantAt(words, from, to)
  return Number.isNaN(millis) ? parseInstant(block.cell(from, to)) : millis
}

export const date: Kind = {
  is: (value) => value instanceof Date && !Number.isNaN(value.getTime()),
  read: (block, from, to) => {
    const millis = millisAt(block, from, to)
    return Number.isNaN(millis) ? refused : new Date(millis)
  },
  write: (value) => {
    if (!(value instanceof Date)) return undefined
    const millis = value.getTime()
    return Number.isNaN(millis) ? undefined : instantText(millis)
  },
  put: (slab, at, value) => {
    if (!(value instanceof Date)) return -1
    const millis = value.getTime()
    return Number.isNaN(millis) ? -1 : putInstant(slab, at, millis)
  },
  figure: { of: "instants", make: (millis) => new Date(millis) }
}

export const isUtc = (value: unknown): value is DateTime.Utc => DateTime.isDateTime(value) && DateTime.isUtc(value)

export const utc: Kind = {
  is: isUtc,
  read: (block, from, to) => {
    const millis = millisAt(block, from, to)
    return Number.isNaN(millis) ? refused : utcOf(millis)
  },
  write: (value) => (isWholeUtc(value) ? instantText(value.epochMilliseconds) : undefined),
  put: (slab, at, value) => (isWholeUtc(value) ? putInstant(slab, at, value.epochMilliseconds) : -1),
  figure: { of: "instants", make: utcOf }
}

/** Of a part of a millisecond Schema makes what it does. */
const isWholeUtc = (value: unknown): value is DateTime.Utc => isUtc(value) && Number.isInteger(value.epochMilliseconds)
