import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { absent, refused } from "./kinds.ts"
import { bareMembersOf, hasEncodingChecks, isEmptyType } from "./members.ts"

/** How options are made of what is there or not, and that of them. */
export interface Options {
  /** What they are made of. */
  readonly to: SchemaAST.AST
  /** The option of a value, or `refused`. */
  readonly decode: (value: unknown) => unknown
  /** The value of an option, or `refused`. */
  readonly encode: (option: unknown) => unknown
}

/**
 * The options of a field, if they are made by pure functions. These may be anybody's: it
 * is refused what is no option of the very value, or of nothing, that it was made of.
 */
export const optionsOf = (ast: SchemaAST.AST): Options | undefined => {
  const [link, ...others] = ast.encoding ?? []
  if (!isOption(ast) || link === undefined || others.length > 0 || ast.context?.isOptional === true) return undefined
  const { to, transformation } = link
  if (transformation._tag === "Middleware" || !isTypeOf(ast.typeParameters[0], to)) return undefined
  const make = pure(transformation.decode)
  const take = pure(transformation.encode)
  if (make === undefined || take === undefined) return undefined
  return {
    to,
    decode: (value) => {
      const option = value === refused ? refused : make(value)
      return isOf(option, value) ? option : refused
    },
    encode: (option) => {
      const value = Option.isOption(option) ? take(option) : refused
      return isOf(option, value) ? value : refused
    }
  }
}

const isOf = (option: unknown, value: unknown): boolean =>
  Option.isOption(option) && (Option.isNone(option) ? isNothing(value) : option.value === value && !isNothing(value))

export const isNothing = (value: unknown): boolean => value === null || value === undefined || value === absent

const isOption = (ast: SchemaAST.AST): ast is SchemaAST.Declaration =>
  SchemaAST.isDeclaration(ast) &&
  idOf(ast) !== undefined &&
  idOf(ast) === optionId &&
  ast.checks === undefined &&
  !hasEncodingChecks(ast)

/** What a declaration is: that of options is made anew for each. */
const idOf = ({ annotations }: SchemaAST.AST): unknown =>
  (annotations as Schema.Annotations.Declaration<unknown> | undefined)?.representation?.id

const optionId = idOf(Schema.Option(Schema.Unknown).ast)

/** Whether a type is that of another that is there. */
const isTypeOf = (type: SchemaAST.AST | undefined, ast: SchemaAST.AST): boolean => {
  if (type === undefined) return false
  const members = bareMembersOf(ast).filter((member) => !isEmptyType(member))
  const types = bareMembersOf(type)
  return types.length === members.length && types.every((type, i) => isSame(type, SchemaAST.toType(members[i]!)))
}

/** Whether two types are the same, be they optional or not. */
const isSame = (type: SchemaAST.AST, other: SchemaAST.AST): boolean =>
  type === other ||
  (type._tag === other._tag &&
    Object.entries({ ...type, ...other, context: type.context }).every(
      ([name, value]) => type[name as keyof SchemaAST.AST] === value
    ))

/** A pure function of what is there or `absent`, which gives `refused` for what it was not made for. */
const pure = (getter: {
  readonly _tag: string
  readonly transform?: unknown
}): ((value: unknown) => unknown) | undefined => {
  const { _tag, transform } = getter
  if (typeof transform !== "function" || (_tag !== "Transform" && _tag !== "TransformOptional")) return undefined
  const isOptional = _tag === "TransformOptional"
  return (value) => {
    try {
      if (!isOptional) return value === absent ? absent : transform(value)
      return Option.getOrElse(transform(value === absent ? Option.none() : Option.some(value)), () => absent)
    } catch {
      return refused
    }
  }
}
