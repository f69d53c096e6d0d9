import * as SchemaAST from "effect/SchemaAST"
import { effectCells } from "./effectCells.ts"
import type { Cells } from "./kinds.ts"
import { hasEncodingChecks } from "./members.ts"

/** How the cells of a schema are read and written without it; without `write`, as all schemas of its kind are written. */
export type KnownCells = Omit<Cells, "write"> & Partial<Pick<Cells, "write">>

interface Known {
  readonly cells: KnownCells
  readonly ast: SchemaAST.AST
}

const known = new WeakMap<object, Known>()

/**
 * Notes how the cells of a schema are read and written at a fraction of its price: as it
 * would itself, or not at all. But for what `givesBack` says, it must read what it writes,
 * whatever that is, so that no value has to be asked.
 */
export const withCells =
  (cells: KnownCells) =>
  <S extends { readonly ast: SchemaAST.AST }>(schema: S): S => {
    const key = keyOf(schema.ast)
    if (key !== undefined) known.set(key, { cells, ast: schema.ast })
    return schema
  }

/** What was noted of a schema, and the checks that somebody added to it. */
export const knownOf = (
  ast: SchemaAST.AST
): { readonly cells: KnownCells; readonly added: ReadonlyArray<SchemaAST.Check<unknown>> } | undefined => {
  const key = keyOf(ast)
  const found = key && known.get(key)
  if (found === undefined || !isLike(ast, found.ast) || !isMadeLike(ast, found.ast)) return undefined
  return { cells: found.cells, added: ast.checks?.filter((check) => !found.ast.checks?.includes(check)) ?? [] }
}

/** Whether two types are the same, apart from their checks. */
const isLike = (ast: SchemaAST.AST, other: SchemaAST.AST): boolean =>
  ast._tag === other._tag &&
  !hasEncodingChecks(ast) &&
  (!SchemaAST.isDeclaration(ast) || !SchemaAST.isDeclaration(other) || ast.run === other.run)

/** Whether two schemas with one transformation are read from the same: one of Effect's may be applied to anything. */
const isMadeLike = ({ encoding }: SchemaAST.AST, other: SchemaAST.AST): boolean => {
  const [from, otherFrom] = [encoding?.[0].to, other.encoding?.[0].to]
  return (
    from === undefined ||
    (otherFrom !== undefined &&
      isLike(from, otherFrom) &&
      from.checks === otherFrom.checks &&
      from.encoding === undefined)
  )
}

/** What stays the same while a schema is made optional, is annotated, or gets checks: its transformation, or its checks. */
const keyOf = ({ checks, encoding }: SchemaAST.AST): object | undefined =>
  encoding === undefined ? checks : encoding.length === 1 ? encoding[0].transformation : undefined

// here, where whoever asks finds them
for (const [schema, cells] of effectCells) withCells(cells)(schema)
