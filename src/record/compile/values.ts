import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { absent, type Kind, refused } from "../cells/kinds.ts"
import { alone, checkedOf, checksOf, membersOf, type Transformation, transformationOf } from "../cells/leaves.ts"
import { hasEncodingChecks } from "../cells/members.ts"
import { mostGenerated } from "./generate.ts"
import type { Struct } from "./struct.ts"

/** What a struct is made of as a whole; `refused` is what Schema is to judge. */
export interface Whole {
  readonly decode: (value: unknown) => unknown
  readonly encode: (value: unknown) => unknown
}

/** How a value is decoded and encoded that is no cell; `absent` is that of a field that is not there. */
interface Values {
  readonly decode: Convert
  readonly encode: Convert
  /** Whether a value is decoded and encoded as itself. */
  readonly isSame: ((value: unknown) => boolean) | undefined
  readonly mayBeAbsent: boolean
}

type Convert = (value: unknown) => unknown

/** Decodes the records of a struct after, and encodes them before a transformation of them as a whole. */
export const wholeOf = (struct: Struct, { decode, encode }: Transformation, canGenerate: boolean): Whole => {
  const { construct, fields, isInstance, type } = struct
  const steps = fields.map(({ name, type }) => ({ name, ...(byKind(type) ?? bySchema(name, type)) }))
  const recordOf = canGenerate && steps.length <= mostGenerated ? generated : looping
  const decodeFields = recordOf(steps.map((step) => ({ ...step, convert: step.decode })))
  const encodeFields = recordOf(steps.map((step) => ({ ...step, convert: step.encode })))
  const passes = checksOf(type)
  return {
    decode: attempt((value) => {
      const given = decode(value)
      const record = isStruct(given) ? decodeFields(given) : refused
      if (record === refused || passes?.(record) === false) return refused
      return construct === undefined ? record : construct(record)
    }),
    encode: attempt((value) => {
      if (!isStruct(value) || isInstance?.(value) === false) return refused
      const record = encodeFields(value)
      return record === refused || passes?.(value) === false ? refused : encode(record)
    })
  }
}

/** What throws is for Schema to die of. */
const attempt =
  (convert: Convert): Convert =>
  (value) => {
    try {
      return convert(value)
    } catch {
      return refused
    }
  }

export const isStruct = (value: unknown): value is AnyRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value)

type AnyRecord = Readonly<Record<string, unknown>>

/** One field of records that are made of others. */
interface Step extends Pick<Values, "isSame" | "mayBeAbsent"> {
  readonly name: string
  readonly convert: Convert
}

/** Makes a record of another, or `refused`. */
type MakeRecord = (record: AnyRecord) => unknown

const looping =
  (steps: ReadonlyArray<Step>): MakeRecord =>
  (record) => {
    const out: Record<string, unknown> = {}
    for (const { convert, name } of steps) {
      const value = record[name]
      const converted = convert(value === undefined && !(name in record) ? absent : value)
      if (converted === refused) return refused
      if (converted !== absent) out[name] = converted
    }
    return out
  }

const generated = (steps: ReadonlyArray<Step>): MakeRecord => {
  const lines: Array<string> = []
  for (const [i, { isSame, name }] of steps.entries()) {
    const key = JSON.stringify(name)
    const converted = `convert${i}(v${i} === undefined && !(${key} in record) ? absent : v${i})`
    lines.push(
      `let v${i} = record[${key}]`,
      isSame === undefined ? `v${i} = ${converted}` : `if (!isSame${i}(v${i})) v${i} = ${converted}`,
      `if (v${i} === refused) return refused`
    )
  }
  // fields that may be absent, and all after them, are set one by one, so that the order of fields is the schema's
  const first = steps.findIndex(({ mayBeAbsent }) => mayBeAbsent)
  const literal = first < 0 ? steps : steps.slice(0, first)
  lines.push(`const out = { ${literal.map(({ name }, i) => `${JSON.stringify(name)}: v${i}`).join(", ")} }`)
  for (let i = literal.length; i < steps.length; i++) {
    lines.push(`if (v${i} !== absent) out[${JSON.stringify(steps[i]!.name)}] = v${i}`)
  }
  const names = steps.flatMap((_, i) => [`convert${i}`, `isSame${i}`])
  return new Function(
    "refused",
    "absent",
    ...names,
    `"use strict"
return (record) => {
${lines.join("\n")}
return out
}`
  )(refused, absent, ...steps.flatMap(({ convert, isSame }) => [convert, isSame]))
}

const byKind = (ast: SchemaAST.AST): Values | undefined => {
  const { isNullable, isUndefinable, value } = membersOf(ast)
  if (value === undefined || hasEncodingChecks(value)) return undefined
  const outer = checkedOf(value)
  if (outer === undefined) return undefined
  const isOptional = isOptionalKey(ast) && isOptionalKey(SchemaAST.toEncoded(ast))
  const isNothing: (value: unknown) => boolean = (value) =>
    (value === null && isNullable) || (value === undefined && isUndefinable) || (value === absent && isOptional)
  if (value.encoding === undefined) {
    const convert: Convert = (value) => (outer.is(value) || isNothing(value) ? value : refused)
    return { decode: convert, encode: convert, isSame: outer.is, mayBeAbsent: isOptional }
  }
  const transformation = transformationOf(value)
  const inner = transformation && !hasEncodingChecks(transformation.to) ? checkedOf(transformation.to) : undefined
  if (transformation === undefined || inner === undefined) return undefined
  const by =
    (from: Kind, convert: Convert, to: Kind): Convert =>
    (value) => {
      if (isNothing(value)) return value
      if (!from.is(value)) return refused
      const converted = convert(value)
      return to.is(converted) ? converted : refused
    }
  return {
    decode: by(inner, transformation.decode, outer),
    encode: by(outer, transformation.encode, inner),
    isSame: undefined,
    mayBeAbsent: isOptional
  }
}

const isOptionalKey = ({ context }: SchemaAST.AST): boolean => context?.isOptional ?? false

/** Any field, by its own schema. */
const bySchema = (name: string, type: SchemaAST.AST): Values => {
  const schema = alone(name, type)
  const by =
    (convert: (record: unknown) => Result.Result<AnyRecord, unknown>): Convert =>
    (value) => {
      const result = convert(value === absent ? {} : { [name]: value })
      if (Result.isFailure(result)) return refused
      return name in result.success ? result.success[name] : absent
    }
  return {
    decode: by(Schema.decodeUnknownResult(schema)),
    encode: by(Schema.encodeUnknownResult(schema)),
    isSame: undefined,
    mayBeAbsent: true
  }
}
