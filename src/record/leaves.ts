import * as DateTime from "effect/DateTime"
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { Block } from "./block.ts"
import * as Columns from "./columns.ts"
import { formatInstant, instantAt, isInYears, putInstant } from "./instants.ts"
import type { RecordSchema } from "./model.ts"
import { isReversible } from "./reversible.ts"
import { type Put, putNumber } from "./slab.ts"

/** What a fast reader gives for a cell that Schema is to judge. */
export const refused = Symbol("refused")

/** What a reader gives where there is no value. */
export const absent = Symbol("absent")

/** The value of a cell, `refused`, or `absent`. */
export type Read = (block: Block, from: number, to: number) => unknown

/** The text of a field's value, `null` for a null, `undefined` for what Schema is to judge. */
export type Write = (value: unknown, record: object) => string | null | undefined

/** How one field is read and written. */
export interface FastLeaf {
  readonly read: Read
  readonly write: Write
  /** Writes a value that is there, where none can need quotes or be what must not be written. */
  readonly put: Put<unknown> | undefined
  /** Whether a value that can be written is read as the same; undefined where each of them is, but for what is as empty as another. */
  readonly givesBack: ((value: unknown, record: object) => boolean) | undefined
  readonly mayBeAbsent: boolean
  /** How a whole column is read at once, where that is faster. */
  readonly figure: Figure | undefined
  /** Whether its values are any texts, or null besides: then there is no need to call `write`. */
  readonly isAnyText: boolean
}

/**
 * The reader and writer of a field: by hand where its schema is of a known kind,
 * else by Schema, field by field.
 */
export const leafOf = (name: string, ast: SchemaAST.AST, leaf: Columns.Leaf): FastLeaf => {
  const fast = byKindOrSchema(name, ast, leaf)
  return { ...fast, givesBack: readsAllItWrites(ast) ? undefined : roundTrip(name, ast, leaf, fast.write) }
}

type Unproven = Omit<FastLeaf, "givesBack">

const byKindOrSchema = (name: string, ast: SchemaAST.AST, leaf: Columns.Leaf): Unproven => {
  const { isNullable, isUndefinable, value } = membersOf(ast)
  const kind = value && transformed(value)
  return kind === undefined || isNullable !== leaf.nullable || (ast.context?.isOptional ?? false) !== leaf.optional
    ? bySchema(name, ast, leaf)
    : {
        read: leaf.nullable || leaf.optional || leaf.undefinable ? orBlank(kind.read, blankOf(leaf)) : kind.read,
        write: orNothing(name, kind.write, leaf, isUndefinable),
        put: kind.put,
        mayBeAbsent: leaf.optional && !leaf.nullable,
        figure: kind.figure,
        isAnyText: kind === string && !leaf.optional && !isUndefinable
      }
}

/** Values that are made of numbers, which are read a column at a time. */
export interface Figure {
  readonly of: "decimals" | "instants"
  /** The value, or `refused`. */
  readonly make: (figure: number) => unknown
}

/** A kind of values: what they are, how they are read and written. */
interface Kind {
  readonly is: (value: unknown) => boolean
  readonly read: Read
  readonly write: (value: unknown) => string | undefined
  readonly put?: Put<unknown> | undefined
  readonly figure?: Figure | undefined
}

const orBlank =
  (read: Read, blank: unknown): Read =>
  (block, from, to) =>
    from === to ? blank : read(block, from, to)

/** What the empty cells of a field that may be without a value are read as. */
export const blankOf = ({ nullable, optional }: Pick<Columns.Leaf, "nullable" | "optional">) =>
  nullable ? null : optional ? absent : undefined

const orNothing =
  (name: string, write: Kind["write"], { nullable, optional }: Columns.Leaf, isUndefinable: boolean): Write =>
  (value, record) => {
    if (value === null) return nullable ? null : undefined
    if (value === undefined) return (name in record ? isUndefinable : optional) ? "" : undefined
    return write(value)
  }

/** A type as its one member besides null and undefined; text literals are one member. */
const membersOf = (ast: SchemaAST.AST) => {
  if (!SchemaAST.isUnion(ast) || !isBare(ast)) return { value: ast, isNullable: false, isUndefinable: false }
  const all = bareMembersOf(ast)
  const members = all.filter((type) => !isEmptyType(type))
  const [only, ...others] = members
  return {
    value: others.length === 0 ? only : textLiterals(members) === undefined ? undefined : ast,
    isNullable: all.some(SchemaAST.isNull),
    isUndefinable: all.some(SchemaAST.isUndefined)
  }
}

/** What a union is one of, that of unions within it too. */
export const bareMembersOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> =>
  SchemaAST.isUnion(ast) && isBare(ast) ? ast.types.flatMap(bareMembersOf) : [ast]

export const isEmptyType = (ast: SchemaAST.AST): boolean =>
  (SchemaAST.isNull(ast) || SchemaAST.isUndefined(ast)) && isBare(ast)

const textLiterals = (asts: ReadonlyArray<SchemaAST.AST>): ReadonlyArray<string> | undefined => {
  const texts: Array<string> = []
  for (const ast of asts) {
    if (isEmptyType(ast)) continue
    if (!SchemaAST.isLiteral(ast) || typeof ast.literal !== "string" || !isBare(ast)) return undefined
    texts.push(ast.literal)
  }
  return texts
}

/** Whether a type is just itself: no transformation, no checks. */
export const isBare = (ast: SchemaAST.AST): boolean =>
  ast.encoding === undefined && ast.checks === undefined && !hasEncodingChecks(ast)

const hasEncodingChecks = (ast: SchemaAST.AST): boolean => "encodingChecks" in ast && ast.encodingChecks !== undefined

/** A kind, or one that pure functions make of another. */
const transformed = (ast: SchemaAST.AST): Kind | undefined => {
  if (hasEncodingChecks(ast)) return undefined
  if (ast.encoding === undefined) return checked(ast)
  const transformation = transformationOf(ast)
  const inner = transformation && checked(transformation.to)
  const outer = checked(ast)
  if (transformation === undefined || inner === undefined || outer === undefined) return undefined
  const { decode, encode } = transformation
  const { put } = inner
  return {
    is: outer.is,
    read: (block, from, to) => {
      const value = inner.read(block, from, to)
      if (value === refused) return refused
      const result = decode(value)
      return outer.is(result) ? result : refused
    },
    write: (value) => {
      if (!outer.is(value)) return undefined
      const encoded = encode(value)
      return inner.is(encoded) ? inner.write(encoded) : undefined
    },
    put:
      put &&
      ((slab, at, value) => {
        if (!outer.is(value)) return -1
        const encoded = encode(value)
        return inner.is(encoded) ? put(slab, at, encoded) : -1
      })
  }
}

/** The one transformation of a type, if it is made of pure functions. */
export const transformationOf = (
  ast: SchemaAST.AST
):
  | {
      readonly to: SchemaAST.AST
      readonly decode: (value: unknown) => unknown
      readonly encode: (value: unknown) => unknown
    }
  | undefined => {
  const [link, ...others] = ast.encoding ?? []
  if (link === undefined || others.length > 0 || link.to.encoding !== undefined) return undefined
  const { to, transformation } = link
  if (transformation._tag === "Middleware" || to.context?.isOptional === true || ast.context?.isOptional === true) {
    return undefined
  }
  const decode = pure(transformation.decode)
  const encode = pure(transformation.encode)
  return decode && encode && { to, decode, encode }
}

const pure = (getter: {
  readonly _tag: string
  readonly transform?: unknown
}): ((value: unknown) => unknown) | undefined =>
  getter._tag === "Passthrough"
    ? (value) => value
    : getter._tag === "Transform" && typeof getter.transform === "function"
      ? (getter.transform as (value: unknown) => unknown)
      : undefined

/** A kind with the checks of the type. */
const checked = (ast: SchemaAST.AST): Kind | undefined => {
  const kind = kindOf(ast)
  const passes = checksOf(ast)
  if (kind === undefined || passes === undefined) return kind
  // a number that is read or written is finite anyway
  const passesToo = checksOf(ast, kind === number ? finiteCheck : undefined)
  const is = (value: unknown) => kind.is(value) && passes(value)
  if (passesToo === undefined) return { ...kind, is }
  const { figure, put } = kind
  return {
    is,
    figure: figure && {
      of: figure.of,
      make: (number) => {
        const value = figure.make(number)
        return passesToo(value) ? value : refused
      }
    },
    read: (block, from, to) => {
      const value = kind.read(block, from, to)
      return value !== refused && passesToo(value) ? value : refused
    },
    write: (value) => {
      const text = kind.write(value)
      return text !== undefined && passesToo(value) ? text : undefined
    },
    put: put && ((slab, at, value) => (kind.is(value) && passesToo(value) ? put(slab, at, value) : -1))
  }
}

const finiteCheck = Schema.Finite.ast.checks?.[0]

/** Whether a value passes the checks of a type; `undefined` if there are none besides `known`. */
export const checksOf = (
  ast: SchemaAST.AST,
  known?: SchemaAST.Check<never>
): ((value: unknown) => boolean) | undefined => {
  const filters = (ast.checks ?? []).flatMap(filtersOf).filter((filter) => filter !== known)
  return filters.length === 0
    ? undefined
    : (value) => {
        for (const filter of filters) if (filter.run(value, ast, parseOptions) !== undefined) return false
        return true
      }
}

const parseOptions: SchemaAST.ParseOptions = {}

const filtersOf = (check: SchemaAST.Check<unknown>): ReadonlyArray<SchemaAST.Filter<unknown>> =>
  check._tag === "Filter" ? [check] : check.checks.flatMap(filtersOf)

const kindOf = (ast: SchemaAST.AST): Kind | undefined => {
  if (SchemaAST.isString(ast)) return string
  if (SchemaAST.isNumber(ast)) return number
  if (SchemaAST.isBoolean(ast)) return boolean
  if (Columns.isDate(ast)) return date
  if (Columns.isUtc(ast)) return utc
  const texts = textLiterals(bareMembersOf(ast))
  return texts === undefined || texts.length === 0 ? undefined : literals(texts)
}

const string: Kind = {
  is: (value) => typeof value === "string",
  read: (block, from, to) =>
    block.isPlain ? block.text.substring(from - block.textStart, to - block.textStart) : block.cell(from, to),
  write: (value) => (typeof value === "string" ? value : undefined)
}

const literals = (texts: ReadonlyArray<string>): Kind => {
  const known = new Map<unknown, string>(texts.map((text) => [text, text]))
  return {
    is: (value) => known.has(value),
    // a text of its own, not a piece of the block
    read: (block, from, to) => known.get(block.cell(from, to)) ?? refused,
    write: (value) => known.get(value)
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

const number: Kind = {
  is: (value) => typeof value === "number",
  read: (block, from, to) => {
    const value = decimalAt(block.bytes, from, to)
    return Number.isNaN(value) ? scientific(block.cell(from, to)) : value
  },
  write: (value) => (isWritable(value) ? `${value}` : undefined),
  put: (slab, at, value) => (isWritable(value) ? putNumber(slab, at, value) : -1),
  figure: { of: "decimals", make: (value) => value }
}

/** Salesforce has neither NaN nor infinities, and a negative zero would arrive as 0. */
const isWritable = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value) && (value !== 0 || 1 / value > 0)

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

const instantText = (millis: number): string | undefined => {
  const text = formatInstant(millis)
  return isInYears(text) ? text : undefined
}

const date: Kind = {
  is: (value) => value instanceof Date && !Number.isNaN(value.getTime()),
  read: ({ words }, from, to) => {
    const millis = instantAt(words, from, to)
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

const utc: Kind = {
  is: (value) => DateTime.isDateTime(value) && DateTime.isUtc(value),
  read: ({ words }, from, to) => {
    const millis = instantAt(words, from, to)
    return Number.isNaN(millis) ? refused : DateTime.makeUnsafe(millis)
  },
  write: (value) =>
    DateTime.isDateTime(value) && DateTime.isUtc(value) ? instantText(value.epochMilliseconds) : undefined,
  put: (slab, at, value) =>
    DateTime.isDateTime(value) && DateTime.isUtc(value) ? putInstant(slab, at, value.epochMilliseconds) : -1,
  figure: { of: "instants", make: (millis) => DateTime.makeUnsafe(millis) }
}

/** A field in a struct of its own: so an absent value finds its default. */
const alone = (name: string, ast: SchemaAST.AST) => Schema.Struct({ [name]: Schema.make<RecordSchema>(ast) })

/** Reads the text of a cell by the schema of its field, in a struct of its own. */
const cellReader = (name: string, ast: SchemaAST.AST, leaf: Columns.Leaf) => {
  const decode = Schema.decodeUnknownResult(alone(name, ast))
  const mayBeBlank = leaf.nullable || leaf.optional || leaf.undefinable
  const blank = leaf.optional && !leaf.nullable ? {} : { [name]: leaf.nullable ? null : undefined }
  return (cell: string): Result.Result<Readonly<Record<string, unknown>>, unknown> =>
    cell === "" && mayBeBlank
      ? decode(blank)
      : Result.flatMap(
          leaf.fromCell(cell),
          (value): Result.Result<Readonly<Record<string, unknown>>, unknown> => decode({ [name]: value })
        )
}

/** Any field, by its own schema. */
const bySchema = (name: string, ast: SchemaAST.AST, leaf: Columns.Leaf): Unproven => {
  const read = cellReader(name, ast, leaf)
  const encode = Schema.encodeUnknownResult(alone(name, ast))
  return {
    read: (block, from, to) => {
      const record = read(block.cell(from, to))
      if (Result.isFailure(record)) return refused
      return name in record.success ? record.success[name] : absent
    },
    write: (value, record) => {
      const encoded: Result.Result<Readonly<Record<string, unknown>>, unknown> = encode(
        value === undefined && !(name in record) ? {} : { [name]: value }
      )
      if (Result.isFailure(encoded)) return undefined
      const given = encoded.success[name]
      if (given === null) return null
      if (given === undefined) return ""
      const cell = leaf.toCell(given)
      // what must not be written as a number is refused by what knows why
      if (Result.isFailure(cell) || (typeof given === "number" && number.write(given) === undefined)) return undefined
      return cell.success
    },
    put: undefined,
    figure: undefined,
    mayBeAbsent: ast.context?.isOptional ?? false,
    isAnyText: false
  }
}

/** Whether of a type it is known that it reads what it writes: one of a known kind, transformed as this library does. */
const readsAllItWrites = (ast: SchemaAST.AST): boolean => {
  const { value } = membersOf(ast)
  if (value === undefined || hasEncodingChecks(value)) return false
  const [link, ...others] = value.encoding ?? []
  if (link === undefined) return kindOf(value) !== undefined
  return others.length === 0 && isReversible(link.transformation) && kindOf(link.to) !== undefined
}

/** Asks a value whether it comes back. */
const roundTrip = (name: string, ast: SchemaAST.AST, leaf: Columns.Leaf, write: Write): FastLeaf["givesBack"] => {
  const read = cellReader(name, ast, leaf)
  return (value, record) => {
    const cell = write(value, record)
    // a carriage return is read as a line feed
    if (cell === undefined || cell?.includes("\r")) return false
    const again = read(cell ?? "")
    if (Result.isFailure(again)) return false
    const other = again.success[name]
    return isNothing(value) ? isNothing(other) : Equal.equals(other, value)
  }
}

const isNothing = (value: unknown): boolean => value === null || value === undefined
