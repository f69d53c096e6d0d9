import * as SchemaAST from "effect/SchemaAST"
import type * as Columns from "../cells/columns.ts"
import { checksOf, type FastLeaf, leafOf } from "../cells/leaves.ts"
import { bareMembersOf, isBare, isEmptyType } from "../cells/members.ts"
import { type Struct, structOf } from "./struct.ts"
import { type Whole, wholeOf } from "./values.ts"

/** How the records of a schema are read and written without Schema looking at each of them as a whole. */
export interface Plan extends Pick<Struct, "construct" | "isInstance"> {
  readonly _tag: "Plan"
  readonly name: string
  readonly nullable: boolean
  readonly optional: boolean
  readonly nodes: ReadonlyArray<PlanLeaf | Plan | Columns.Tag>
  readonly undefinable: boolean
  /** Whether fields pass the checks of the struct. */
  readonly passes: ((fields: unknown) => boolean) | undefined
  /** What becomes of the record that was read, and what it is that is to be written, if it is transformed as a whole. */
  readonly whole: ((canGenerate: boolean) => Whole) | undefined
}

export interface PlanLeaf extends FastLeaf {
  readonly _tag: "PlanLeaf"
  readonly name: string
  readonly column: string
  readonly nullable: boolean
}

/**
 * The plan of a struct or class; `undefined` where only Schema knows what its records
 * are made of, because they are transformed as a whole by more than a pure function.
 */
export const planOf = (ast: SchemaAST.AST, group: Columns.Group, name = group.name): Plan | undefined => {
  const { undefinable, value } = memberOf(ast)
  const struct = structOf(value)
  if (struct === undefined) return undefined
  const { construct, fields, isInstance, transformation } = struct
  if (transformation !== undefined) {
    const plan = SchemaAST.isObjects(transformation.to) ? planOf(transformation.to, group, name) : undefined
    return plan && { ...plan, undefinable, whole: (canGenerate) => wholeOf(struct, transformation, canGenerate) }
  }
  const nodes: Array<PlanLeaf | Plan | Columns.Tag> = []
  for (const [i, { encodedName, name, type }] of fields.entries()) {
    const node = group.nodes[i]
    if (node === undefined || node.name !== encodedName) return undefined
    if (node._tag === "Tag") {
      // what becomes of a tag that is transformed or checked is for Schema to say
      if (!SchemaAST.isLiteral(type) || type.literal !== node.value || type.checks !== undefined) return undefined
      nodes.push({ ...node, name })
    } else if (node._tag === "Leaf") {
      const { column, nullable } = node
      nodes.push({ _tag: "PlanLeaf", name, column, nullable, ...leafOf(name, type, node) })
    } else {
      const plan = (type.context?.isOptional ?? false) === node.optional ? planOf(type, node, name) : undefined
      if (plan === undefined) return undefined
      nodes.push(plan)
    }
  }
  const { nullable, optional } = group
  const passes = checksOf(struct.type)
  return { _tag: "Plan", name, nullable, optional, undefinable, nodes, passes, construct, isInstance, whole: undefined }
}

/** Whether any of its records is transformed as a whole. */
export const isTransformed = ({ nodes, whole }: Plan): boolean =>
  whole !== undefined || nodes.some((node) => node._tag === "Plan" && isTransformed(node))

/** The one member of a type besides null and undefined. */
const memberOf = (ast: SchemaAST.AST): { readonly value: SchemaAST.AST; readonly undefinable: boolean } => {
  if (!SchemaAST.isUnion(ast) || !isBare(ast)) return { value: ast, undefinable: false }
  const all = bareMembersOf(ast)
  const [only, ...others] = all.filter((type) => !isEmptyType(type))
  return only === undefined || others.length > 0
    ? { value: ast, undefinable: false }
    : { value: only, undefinable: all.some(SchemaAST.isUndefined) }
}

/** How many columns a part of a plan has. */
export const widthOf = (node: PlanLeaf | Plan | Columns.Tag): number =>
  node._tag === "Plan" ? node.nodes.reduce((sum, node) => sum + widthOf(node), 0) : node._tag === "PlanLeaf" ? 1 : 0
