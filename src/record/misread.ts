import * as Result from "effect/Result"
import * as SchemaAST from "effect/SchemaAST"
import { groupOf, isRecord } from "./cells/columns.ts"
import { isTransformed, type Plan, planOf } from "./compile/plan.ts"

/** What is known of the records of a schema before they are written, and read in place of those that were written. */
export interface Misread {
  /** Which of them may be refused then; undefined if none. */
  readonly mayBeRefused: ((record: unknown) => boolean) | undefined
  /** Which of them come back with a field that is another, or are refused for one; undefined if none. */
  readonly loses: ((record: unknown) => boolean) | undefined
  /** Whether only Schema knows what becomes of a record: it is to be compared with what is read. */
  readonly isOpaque: boolean
}

/**
 * Which records are not read as they were written.
 *
 * A check or a transformation of a whole struct may tell apart what one cell stands for:
 * an empty text, a null and nothing at all. The transformation of one field may write
 * what it does not read, or reads as something else: a number that it rounds, for one.
 */
export const misreadOf = (ast: SchemaAST.AST): Misread => {
  const group = groupOf(SchemaAST.toEncoded(ast))
  const plan = Result.isSuccess(group) ? planOf(ast, group.success) : undefined
  if (plan === undefined || isTransformed(plan)) return { mayBeRefused: () => true, loses: undefined, isOpaque: true }
  return {
    mayBeRefused: hasChecks(plan) ? (record) => !isClear(plan, record, false) : undefined,
    loses: mayLose(plan) ? (record) => !givesBack(plan, record) : undefined,
    isOpaque: false
  }
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

const mayLose = ({ nodes }: Plan): boolean =>
  nodes.some((node) =>
    node._tag === "Plan" ? mayLose(node) : node._tag === "PlanLeaf" && node.givesBack !== undefined
  )

/** Whether the fields of a record come back; a group that is not there has none. */
const givesBack = ({ nodes }: Plan, record: unknown): boolean =>
  !isRecord(record) ||
  nodes.every((node) => {
    if (node._tag === "Tag") return true
    const value = record[node.name]
    return node._tag === "Plan" ? givesBack(node, value) : (node.givesBack?.(value, record) ?? true)
  })
