import * as Equal from "effect/Equal"
import { flow } from "effect/Function"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { Put } from "../csv/slab.ts"
import type { RecordSchema } from "../model.ts"
import type * as Columns from "./columns.ts"
import { absent, type Cells, type Figure, type Kind, kindOf, number, type Read, refused, string } from "./kinds.ts"
import { type KnownCells, knownOf } from "./known.ts"
import { bareMembersOf, hasEncodingChecks, isBare, isEmptyType, textLiterals } from "./members.ts"
import { isNothing, optionsOf } from "./options.ts"

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
  /** Whether a text is one of its values: then there is no need to call `write`. */
  readonly fits: ((text: string) => boolean) | undefined
  /** The same of the bytes that are written of a text. */
  readonly fitsAt: Cells["fitsAt"]
  /** Whether its values are any texts, or null besides: then there is no need to call `read`. */
  readonly isAnyText: boolean
  /** Of options, which have a value, and how that is written. */
  readonly some?: {
    readonly isSome: (value: unknown) => value is Option.Some<unknown>
    readonly leaf: Unproven
  }
}

/**
 * The reader and writer of a field: by hand where its schema is of a known kind,
 * else by Schema, field by field.
 */
export const leafOf = (name: string, ast: SchemaAST.AST, leaf: Columns.Leaf): FastLeaf => {
  const fast = ofOptions(name, ast, leaf) ?? byKind(name, ast, leaf) ?? bySchema(name, ast, leaf)
  return { ...fast, givesBack: comesBack(name, ast, leaf, fast) }
}

type Unproven = Omit<FastLeaf, "givesBack">

/** A field of a known kind. */
const byKind = (name: string, ast: SchemaAST.AST, leaf: Columns.Leaf): Unproven | undefined => {
  const { isNullable, isUndefinable, value } = membersOf(ast)
  const cells = value && cellsOf(value, () => bySchema(name, ast, leaf))
  return cells === undefined || isNullable !== leaf.nullable || isOptional(ast) !== leaf.optional
    ? undefined
    : {
        read: mayBeBlank(leaf) ? orBlank(cells.read, blankOf(leaf)) : cells.read,
        write: orNothing(name, cells.write, leaf, isUndefinable),
        put: cells.put,
        fits: cells.fits,
        fitsAt: cells.fitsAt,
        mayBeAbsent: leaf.optional && !leaf.nullable,
        figure: cells.figure,
        isAnyText: cells === string && !leaf.optional && !isUndefinable
      }
}

/** Options of values of a known kind; what is more than that is left to Schema. */
const ofOptions = (name: string, ast: SchemaAST.AST, leaf: Columns.Leaf): Unproven | undefined => {
  const options = mayBeBlank(leaf) ? optionsOf(ast) : undefined
  const inner = options && byKind(name, options.to, leaf)
  if (options === undefined || inner === undefined) return undefined
  const { decode, encode } = options
  const { read, write } = inner
  const { make, of } = inner.figure ?? {}
  const others = bySchema(name, ast, leaf)
  const undefinedField = { [name]: undefined }
  return {
    read: (block, from, to) => {
      const option = decode(read(block, from, to))
      return option === refused ? others.read(block, from, to) : option
    },
    write: (option, record) => {
      const value = encode(option)
      if (value === refused) return others.write(option, record)
      return value === absent ? write(undefined, {}) : write(value, undefinedField)
    },
    some: {
      isSome: (option): option is Option.Some<unknown> =>
        Option.isOption(option) && Option.isSome(option) && encode(option) !== refused,
      leaf: inner
    },
    figure: of && make && { of, make: flow(make, decode) },
    put: undefined,
    fits: undefined,
    fitsAt: undefined,
    mayBeAbsent: false,
    isAnyText: false
  }
}

const mayBeBlank = ({ nullable, optional, undefinable }: Columns.Leaf): boolean => nullable || optional || undefinable

const orBlank =
  (read: Read, blank: unknown): Read =>
  (block, from, to) =>
    from === to ? blank : read(block, from, to)

/** What the empty cells of a field that may be without a value are read as. */
export const blankOf = ({ nullable, optional }: Pick<Columns.Leaf, "nullable" | "optional">) =>
  nullable ? null : optional ? absent : undefined

const orNothing =
  (name: string, write: Cells["write"], { nullable, optional }: Columns.Leaf, isUndefinable: boolean): Write =>
  (value, record) => {
    if (value === null) return nullable ? null : undefined
    if (value === undefined) return (name in record ? isUndefinable : optional) ? "" : undefined
    return write(value)
  }

/** A type as its one member besides null and undefined; text literals are one member. */
export const membersOf = (ast: SchemaAST.AST) => {
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

/** As a schema is known to be read and written, and what is left by that as others of its kind, or by Schema. */
const cellsOf = (ast: SchemaAST.AST, bySchema: () => Pick<Cells, "read">): Cells | undefined => {
  if (hasEncodingChecks(ast)) return undefined
  const kind = transformed(ast)
  const known = knownOf(ast)
  if (known === undefined) return kind
  const { figure, fits, fitsAt, put, read, write } = withChecks(
    known.cells,
    checksOf(ast, ofFinite(filtersOf(known.added)))
  )
  const others = kind ?? bySchema()
  return {
    read: (block, from, to) => {
      const value = read(block, from, to)
      return value === refused ? others.read(block, from, to) : value
    },
    write: write ?? kind?.write ?? (() => undefined),
    put,
    fits,
    fitsAt,
    figure
  }
}

/** A kind, or one that pure functions make of another. */
const transformed = (ast: SchemaAST.AST): Kind | undefined => {
  if (ast.encoding === undefined) return checkedOf(ast)
  const transformation = transformationOf(ast)
  const inner = transformation && checkedOf(transformation.to)
  const outer = checkedOf(ast)
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
export const transformationOf = (ast: SchemaAST.AST): Transformation | undefined => {
  const [link, ...others] = ast.encoding ?? []
  return link === undefined || others.length > 0 ? undefined : pureOf(link)
}

export interface Transformation {
  readonly to: SchemaAST.AST
  readonly decode: (value: unknown) => unknown
  readonly encode: (value: unknown) => unknown
}

/** A transformation that is made of pure functions. */
export const pureOf = ({ to, transformation }: SchemaAST.Link): Transformation | undefined => {
  if (to.encoding !== undefined || transformation._tag === "Middleware") return undefined
  const decode = pure(transformation.decode)
  const encode = pure(transformation.encode)
  return decode && encode && { to, decode, encode }
}

const isOptional = (ast: SchemaAST.AST): boolean => ast.context?.isOptional ?? false

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
export const checkedOf = (ast: SchemaAST.AST): Kind | undefined => {
  const kind = kindOf(ast)
  const passes = checksOf(ast)
  if (kind === undefined || passes === undefined) return kind
  const others = kind === number ? ofFinite(filtersOf(ast.checks)) : undefined
  return { ...withChecks(kind, checksOf(ast, others)), is: (value) => kind.is(value) && passes(value) }
}

/** The checks that are left: a number that is read or written is finite anyway. */
const ofFinite = (filters: ReadonlyArray<SchemaAST.Filter<unknown>>) =>
  filters.filter((filter) => filter !== finiteCheck)

const finiteCheck = Schema.Finite.ast.checks?.[0]

/** Reads and writes the values that pass. */
const withChecks = <C extends KnownCells>(cells: C, passes: ((value: unknown) => boolean) | undefined): C => {
  if (passes === undefined) return cells
  const { figure, fits, put, read, write } = cells
  const only = (value: unknown) => (value !== refused && passes(value) ? value : refused)
  return {
    ...cells,
    // texts are looked at one by one
    figure: figure?.make && { of: figure.of, make: flow(figure.make, only) },
    read: (block, from, to) => only(read(block, from, to)),
    write:
      write &&
      ((value) => {
        const text = write(value)
        return text !== undefined && passes(value) ? text : undefined
      }),
    fits: fits && ((text) => fits(text) && passes(text)),
    fitsAt: undefined,
    put:
      put &&
      ((slab, at, value) => {
        // what can be written is of the type, as a check takes for granted
        const end = put(slab, at, value)
        return end >= 0 && passes(value) ? end : -1
      })
  }
}

/** Whether a value passes the checks of a type; `undefined` if there are none. */
export const checksOf = (
  ast: SchemaAST.AST,
  filters: ReadonlyArray<SchemaAST.Filter<unknown>> = filtersOf(ast.checks)
): ((value: unknown) => boolean) | undefined =>
  filters.length === 0
    ? undefined
    : (value) => {
        for (const filter of filters) if (filter.run(value, ast, parseOptions) !== undefined) return false
        return true
      }

const parseOptions: SchemaAST.ParseOptions = {}

const filtersOf = (checks: ReadonlyArray<SchemaAST.Check<unknown>> = []): ReadonlyArray<SchemaAST.Filter<unknown>> =>
  checks.flatMap((check) => (check._tag === "Filter" ? [check] : filtersOf(check.checks)))

/** A field in a struct of its own: so an absent value finds its default. */
export const alone = (name: string, ast: SchemaAST.AST) => Schema.Struct({ [name]: Schema.make<RecordSchema>(ast) })

/** Reads the text of a cell by the schema of its field, in a struct of its own. */
const cellReader = (name: string, ast: SchemaAST.AST, leaf: Columns.Leaf) => {
  const decode = Schema.decodeUnknownResult(alone(name, ast))
  const isBlank = mayBeBlank(leaf)
  const blank = leaf.optional && !leaf.nullable ? {} : { [name]: leaf.nullable ? null : undefined }
  return (cell: string): Result.Result<Readonly<Record<string, unknown>>, unknown> =>
    cell === "" && isBlank
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
    fits: undefined,
    fitsAt: undefined,
    figure: undefined,
    mayBeAbsent: isOptional(ast),
    isAnyText: false
  }
}

/** Whether values come back: as is known of their type, or as each is asked. */
const comesBack = (name: string, ast: SchemaAST.AST, leaf: Columns.Leaf, fast: Unproven): FastLeaf["givesBack"] => {
  const { some, write } = fast
  const options = some && optionsOf(ast)
  const known = proofOf(options?.to ?? ast)
  if (known === undefined) return roundTrip(name, ast, leaf, write)
  if (some === undefined || options === undefined) return known === always ? undefined : known
  const { decode, encode } = options
  if (decode(blankOf(leaf)) === refused) return roundTrip(name, ast, leaf, write)
  const { fits, put } = some.leaf
  return (option, record) => {
    const value = encode(option)
    if (isNothing(value)) return true
    // what is written as an empty cell comes back as none
    const isFilled = put !== undefined || (fits === undefined ? write(option, record) : value) !== ""
    return isFilled && decode(value) !== refused && known(value)
  }
}

/** What is known of a type, without its values being asked: of a known kind, or transformed as is known. */
const proofOf = (ast: SchemaAST.AST): ((value: unknown) => boolean) | undefined => {
  const { value } = membersOf(ast)
  if (value === undefined || hasEncodingChecks(value)) return undefined
  const cells = value.encoding === undefined ? kindOf(value) : knownOf(value)?.cells
  return cells && (cells.givesBack ?? always)
}

const always = (): boolean => true

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
