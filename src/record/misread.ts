import * as Result from "effect/Result"
import * as SchemaAST from "effect/SchemaAST"
import { groupOf, isRecord } from "./columns.ts"
import { type Plan, planOf } from "./compile.ts"

/**
 * Which records may be refused when they are read in place of those that were written;
 * undefined if none. A check or a transformation of a whole struct may tell apart what
 * one cell stands for: an empty text, a null and nothing at all.
 */
export const misreadOf = (ast: SchemaAST.AST): ((record: unknown) => boolean) | undefined => {
  const group = groupOf(SchemaAST.toEncoded(ast))
  const plan = Result.isSuccess(group) ? planOf(ast, group.success) : undefined
  if (plan === undefined) return () => true
  return hasChecks(plan) ? (record) => !isClear(plan, record, false) : undefined
}

const hasChecks = ({ nodes, passes }: Plan): boolean =>
  passes !== undefined || nodes.some((node) => node._tag === "Plan" && hasChecks(node))

/** Whether each cell of a record stands for one thing; `mayBeBlank` says that all of them might be empty. */
const isClear = (plan: Plan, record: unknown, mayBeBlank: boolean): boolean =>
  isRecord(record) &&
  plan.nodes.every((node) => {
    if (node._tag === "Tag") return true
    const value = record[node.name]
    if (node._tag === "Plan") {
      const { nullable, optional, undefinable } = node
      return isClear(node, value, mayBeBlank || nullable || optional || undefinable)
    }
    const cell = node.write(value, record)
    return cell === null ? !mayBeBlank : cell !== undefined && cell !== ""
  })
