import type * as SchemaAST from "effect/SchemaAST"
import type { Cells } from "./kinds.ts"

/** How the cells of a schema are read and written without it; without `write`, as all schemas of its kind are written. */
export type KnownCells = Omit<Cells, "write"> & Partial<Pick<Cells, "write">>

interface Known {
  readonly cells: KnownCells
  /** The checks of what the schema is read from, and its own, all of which the cells comply with. */
  readonly from: SchemaAST.AST["checks"]
  readonly checks: SchemaAST.AST["checks"]
}

const known = new WeakMap<object, Known>()

/**
 * Notes how the cells of a schema are read and written at a fraction of its price: as it
 * would itself, or not at all. It must read what it writes, whatever that is, so that no
 * value has to be asked.
 */
export const withCells =
  (cells: KnownCells) =>
  <S extends { readonly ast: SchemaAST.AST }>(schema: S): S => {
    const { checks, encoding } = schema.ast
    const key = keyOf(schema.ast)
    if (key !== undefined) known.set(key, { cells, from: encoding?.[0].to.checks, checks })
    return schema
  }

/** What was noted of a schema, and the checks that somebody added to it. */
export const knownOf = (
  ast: SchemaAST.AST
): { readonly cells: KnownCells; readonly added: ReadonlyArray<SchemaAST.Check<unknown>> } | undefined => {
  const key = keyOf(ast)
  const found = key && known.get(key)
  if (found === undefined || ast.encoding?.[0].to.checks !== found.from) return undefined
  return { cells: found.cells, added: ast.checks?.filter((check) => !found.checks?.includes(check)) ?? [] }
}

/** What stays the same while a schema is made optional, is annotated, or gets checks: its transformation, or its checks. */
const keyOf = ({ checks, encoding }: SchemaAST.AST): object | undefined =>
  encoding === undefined ? checks : encoding.length === 1 ? encoding[0].transformation : undefined
