import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { pureOf, type Transformation } from "../cells/leaves.ts"
import { hasEncodingChecks, isBare } from "../cells/members.ts"
import { renamingOf } from "./renaming.ts"

export interface Field {
  readonly name: string
  /** Its name in the encoded record, which is its column's. */
  readonly encodedName: string
  readonly type: SchemaAST.AST
}

export interface Struct {
  readonly fields: ReadonlyArray<Field>
  /** The type of the fields together. */
  readonly type: SchemaAST.Objects
  /** Whether a value is of the class. */
  readonly isInstance: ((value: object) => boolean) | undefined
  /** What a class makes of its fields. */
  readonly construct: ((fields: unknown) => unknown) | undefined
  /** What the fields are made of as a whole, if they are more than renamed. */
  readonly transformation: Transformation | undefined
}

/** A struct or class that is made of its fields one by one, or by a pure function of all of them. */
export const structOf = (ast: SchemaAST.AST): Struct | undefined => {
  if (hasEncodingChecks(ast)) return undefined
  const links = ast.encoding ?? []
  if (SchemaAST.isObjects(ast)) return madeOf(ast, links, { construct: undefined, isInstance: undefined })
  if (!SchemaAST.isDeclaration(ast) || ast.checks !== undefined || ast.typeParameters.length !== 1) return undefined
  const [link, ...others] = links
  const made = link && isOwn(ast, link) ? pureOf(link) : undefined
  return made === undefined || !SchemaAST.isObjects(made.to) || hasEncodingChecks(made.to)
    ? undefined
    : madeOf(made.to, others, { construct: made.decode, isInstance: instanceTest(ast) })
}

/** Whether it is by this step that a class is made of its fields, and not a type that something else is made of. */
const isOwn = ({ annotations, typeParameters }: SchemaAST.Declaration, { transformation }: SchemaAST.Link): boolean => {
  const [fields] = typeParameters
  const toCodec = annotations?.toCodec
  if (fields === undefined || typeof toCodec !== "function" || transformation._tag === "Middleware") return false
  const own: unknown = toCodec([Schema.make(fields)])
  return (
    own instanceof SchemaAST.Link &&
    own.transformation === transformation &&
    transformation.encode._tag === "Passthrough"
  )
}

/** A schema of some fields of a struct alone. */
export const structWith = (fields: ReadonlyArray<Field>): SchemaAST.AST => {
  const struct = Schema.Struct(Object.fromEntries(fields.map(({ name, type }) => [name, Schema.make(type)])))
  const names = fields.flatMap(({ encodedName, name }) => (encodedName === name ? [] : [[name, encodedName] as const]))
  return names.length === 0 ? struct.ast : struct.pipe(Schema.encodeKeys(Object.fromEntries(names))).ast
}

/** A struct by what its fields are made of as a whole, if it is but one step. */
const madeOf = (
  type: SchemaAST.Objects,
  [link, ...others]: ReadonlyArray<SchemaAST.Link>,
  made: Pick<Struct, "construct" | "isInstance">
): Struct | undefined => {
  const fields: Array<Field> = []
  for (const { name, type: field } of type.propertySignatures) {
    // every object seems to have fields of some names
    if (typeof name !== "string" || name in Object.prototype) return undefined
    fields.push({ name, encodedName: name, type: field })
  }
  if (link === undefined) return { fields, type, ...made, transformation: undefined }
  const transformation = others.length > 0 || type.indexSignatures.length > 0 ? undefined : pureOf(link)
  if (transformation === undefined) return undefined
  const renamed = renamedBy(transformation, fields)
  return renamed === undefined
    ? { fields, type, ...made, transformation }
    : { fields: renamed, type, ...made, transformation: undefined }
}

/** The fields of a struct with the names they are encoded by, if that is all that is done to them. */
const renamedBy = (
  { decode, encode, to }: Transformation,
  fields: ReadonlyArray<Field>
): ReadonlyArray<Field> | undefined => {
  if (!SchemaAST.isObjects(to) || !isBare(to) || to.indexSignatures.length > 0) return undefined
  const encoded = to.propertySignatures
  const own = fields.map(({ name }) => name)
  const others = encoded.map(({ name }) => String(name))
  const there = renamingOf(encode, own)
  const back = renamingOf(decode, others)
  const all = fields.map(({ name, type }, i) => ({ name, encodedName: others[i] ?? "", type }))
  return encoded.length === own.length &&
    all.every(
      ({ encodedName, name, type }, i) =>
        there?.get(name) === encodedName &&
        back?.get(encodedName) === name &&
        // what a field is encoded as is of that type, and no other besides
        encoded[i]?.type === SchemaAST.toEncoded(type)
    )
    ? all
    : undefined
}

/** Asks the class once for each prototype. */
const instanceTest = (ast: SchemaAST.Declaration): ((value: object) => boolean) => {
  const run = ast.run(ast.typeParameters)
  const known = new WeakSet<object>()
  return (value) => {
    const prototype: object | null = Object.getPrototypeOf(value)
    if (prototype === null || prototype === Object.prototype) return false
    if (known.has(prototype)) return true
    const verdict = run(value, ast, {})
    if (!Exit.isExit(verdict) || Exit.isFailure(verdict)) return false
    known.add(prototype)
    return true
  }
}
