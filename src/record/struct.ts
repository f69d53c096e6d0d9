import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { pureOf } from "./leaves.ts"
import { hasEncodingChecks, isBare } from "./members.ts"
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
}

/** The struct whose fields are read one by one, be they renamed, and what a class makes of them. */
export const structOf = (ast: SchemaAST.AST): Struct | undefined => {
  if (hasEncodingChecks(ast)) return undefined
  const links = ast.encoding ?? []
  if (SchemaAST.isObjects(ast)) {
    const fields = fieldsOf(ast, links)
    return fields && { fields, type: ast, construct: undefined, isInstance: undefined }
  }
  if (!SchemaAST.isDeclaration(ast) || ast.checks !== undefined || ast.typeParameters.length !== 1) return undefined
  const [link, ...others] = links
  const made = link && pureOf(link)
  if (made === undefined || !SchemaAST.isObjects(made.to) || hasEncodingChecks(made.to)) return undefined
  const fields = fieldsOf(made.to, others)
  return fields && { fields, type: made.to, construct: made.decode, isInstance: instanceTest(ast) }
}

/** A schema of some fields of a struct alone. */
export const structWith = (fields: ReadonlyArray<Field>): SchemaAST.AST => {
  const struct = Schema.Struct(Object.fromEntries(fields.map(({ name, type }) => [name, Schema.make(type)])))
  const names = fields.flatMap(({ encodedName, name }) => (encodedName === name ? [] : [[name, encodedName] as const]))
  return names.length === 0 ? struct.ast : struct.pipe(Schema.encodeKeys(Object.fromEntries(names))).ast
}

/** The fields of a struct, if nothing is done to them as a whole but that they are renamed. */
const fieldsOf = (
  { indexSignatures, propertySignatures }: SchemaAST.Objects,
  links: ReadonlyArray<SchemaAST.Link>
): Struct["fields"] | undefined => {
  const fields: Array<Field> = []
  for (const { name, type } of propertySignatures) {
    if (typeof name !== "string") return undefined
    fields.push({ name, encodedName: name, type })
  }
  const [link, ...others] = links
  if (link === undefined) return fields
  return others.length > 0 || indexSignatures.length > 0 ? undefined : renamed(fields, link)
}

const renamed = (fields: Struct["fields"], link: SchemaAST.Link): Struct["fields"] | undefined => {
  const transformation = pureOf(link)
  if (transformation === undefined) return undefined
  const { decode, encode, to } = transformation
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
        // every object seems to have a field of such a name
        !(name in Object.prototype) &&
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
