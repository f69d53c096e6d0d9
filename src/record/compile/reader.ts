import { absent, refused } from "../cells/kinds.ts"
import { blankOf } from "../cells/leaves.ts"
import type { Block } from "../csv/block.ts"
import { mostGenerated } from "./generate.ts"
import { type Plan, widthOf } from "./plan.ts"

/**
 * Reads rows, whose cells are given as in `ReadRows`, up to the first that Schema is to
 * judge, and gives where it is: `end` if there is none.
 */
export type ReadRecords = (block: Block, at: Int32Array, o: number, end: number, out: Array<unknown>) => number

/** Where the columns of a plan stand in rows. */
export interface ReadOptions {
  readonly positions: ReadonlyArray<number>
  /** How many columns the rows have. */
  readonly width: number
}

/**
 * What reads the records of a plan.
 *
 * With `new Function` each schema gets code of its own, which is twice as fast;
 * where that is forbidden, closures do the same.
 */
export const reader = (plan: Plan, options: ReadOptions, canGenerate: boolean): ReadRecords =>
  canGenerate && widthOf(plan) <= mostGenerated ? generateReader(plan, options) : closureReader(plan, options)

/** The value of a group of a row, or `refused`. */
type ReadGroup = (block: Block, at: Int32Array, o: number) => unknown

const closureReader = (plan: Plan, { positions, width }: ReadOptions): ReadRecords => {
  let next = 0
  const readerOf = (plan: Plan): { readonly read: ReadGroup; readonly offsets: ReadonlyArray<number> } => {
    const offsets: Array<number> = []
    const names: Array<string> = []
    const reads: Array<ReadGroup> = []
    for (const node of plan.nodes) {
      names.push(node.name)
      if (node._tag === "Tag") reads.push(() => node.value)
      else if (node._tag === "PlanLeaf") {
        const offset = 2 * (positions[next++] ?? 0)
        const { read } = node
        offsets.push(offset)
        reads.push((block, at, o) => read(block, at[o + offset]! + 1, at[o + offset + 1]!))
      } else {
        const group = readerOf(node)
        offsets.push(...group.offsets)
        reads.push(group.read)
      }
    }
    const { construct, nullable, optional, passes, undefinable } = plan
    const whole = plan.whole?.(false)
    const mayBeBlank = nullable || optional || undefinable
    return {
      offsets,
      read: (block, at, o) => {
        if (mayBeBlank && offsets.every((offset) => at[o + offset + 1]! - at[o + offset]! === 1)) return blankOf(plan)
        const fields: Record<string, unknown> = {}
        for (let i = 0; i < reads.length; i++) {
          const value = reads[i]!(block, at, o)
          if (value === refused) return refused
          if (value !== absent) fields[names[i]!] = value
        }
        if (passes !== undefined && !passes(fields)) return refused
        const made = construct === undefined ? fields : construct(fields)
        return whole === undefined ? made : whole.decode(made)
      }
    }
  }
  const { read } = readerOf(plan)
  return (block, at, o, end, out) => {
    for (; o < end; o += 2 * width) {
      const record = read(block, at, o)
      if (record === refused) return o
      out.push(record)
    }
    return end
  }
}

const generateReader = (plan: Plan, { positions, width }: ReadOptions): ReadRecords => {
  const row = 2 * width
  const constants: Array<unknown> = []
  const constant = (value: unknown): string => `c${constants.push(value) - 1}`
  const lines: Array<string> = []
  /** What reads whole columns. */
  const columns: Array<string> = []
  let variables = 0
  let next = 0

  /** Writes what reads a group, and gives the variable that holds it. */
  const group = (plan: Plan): string => {
    const result = `v${variables++}`
    const before = lines.length
    const offsets: Array<number> = []
    const fields: Array<readonly [key: string, variable: string]> = []
    const optionals = new Set<string>()
    for (const node of plan.nodes) {
      const key = JSON.stringify(node.name)
      if (node._tag === "Tag") {
        fields.push([key, constant(node.value)])
        continue
      }
      if (node._tag === "Plan") {
        const first = next
        const variable = group(node)
        offsets.push(...positions.slice(first, next).map((position) => 2 * position))
        fields.push([key, variable])
        if (node.optional && !node.nullable) optionals.add(variable)
        continue
      }
      const offset = 2 * (positions[next++] ?? 0)
      offsets.push(offset)
      const variable = `v${variables++}`
      const from = `at[o + ${offset}]`
      const to = `at[o + ${offset + 1}]`
      const text = `isPlain ? text.substring(${from} - before, ${to} - start) : block.cell(${from} + 1, ${to})`
      if (node.isAnyText) {
        lines.push(`const ${variable} = ${node.nullable ? `${to} - ${from} === 1 ? null : ` : ""}${text}`)
      } else {
        lines.push(`let ${variable} = refused`)
        if (node.figure !== undefined) {
          const { make, of } = node.figure
          const first = `${columns.length} * rows`
          columns.push(`block.readColumn("${of}", o + ${offset}, end, ${row}, ${first})`)
          const value = make === undefined ? text : `${constant(make)}(figure)`
          lines.push(
            "if (hasFigures) {",
            `const figure = figures[${first} + i]`,
            `if (figure === figure) ${variable} = ${value}`,
            "}"
          )
        }
        lines.push(
          `if (${variable} === refused) ${variable} = ${constant(node.read)}(block, ${from} + 1, ${to})`,
          `if (${variable} === refused) return o`
        )
      }
      fields.push([key, variable])
      if (node.mayBeAbsent) optionals.add(variable)
    }
    // fields that may be absent, and all after them, are set one by one, so that the order of fields is the schema's
    const firstOptional = fields.findIndex(([, variable]) => optionals.has(variable))
    const literal = firstOptional < 0 ? fields : fields.slice(0, firstOptional)
    lines.push(`${result} = { ${literal.map(([key, variable]) => `${key}: ${variable}`).join(", ")} }`)
    for (const [key, variable] of fields.slice(literal.length)) {
      const set = `${result}[${key}] = ${variable}`
      lines.push(optionals.has(variable) ? `if (${variable} !== absent) ${set}` : set)
    }
    if (plan.passes !== undefined) lines.push(`if (!${constant(plan.passes)}(${result})) return o`)
    if (plan.construct !== undefined) lines.push(`${result} = ${constant(plan.construct)}(${result})`)
    if (plan.whole !== undefined) {
      lines.push(`${result} = ${constant(plan.whole(true).decode)}(${result})`, `if (${result} === refused) return o`)
    }
    const body = lines.splice(before)
    lines.push(`let ${result}`)
    if (plan.nullable || plan.optional || plan.undefinable) {
      const isBlank = offsets.map((offset) => `at[o + ${offset + 1}] - at[o + ${offset}] === 1`).join(" && ")
      lines.push(
        `if (${isBlank}) ${result} = ${plan.nullable ? "null" : plan.optional ? "absent" : "undefined"}`,
        "else {",
        ...body,
        "}"
      )
    } else lines.push("{", ...body, "}")
    return result
  }

  const result = group(plan)
  const names = constants.map((_, i) => `c${i}`)
  return new Function(
    "refused",
    "absent",
    ...names,
    `"use strict"
return (block, at, o, end, out) => {
const { figures, isPlain, text, textStart: start } = block
const before = start - 1
const rows = (end - o) / ${row}
const hasFigures = ${columns.length > 0} && block.hasFigures(at, ${columns.length} * rows)
if (hasFigures) {
${columns.join("\n")}
}
for (let i = 0; o < end; i++, o += ${row}) {
${lines.join("\n")}
out.push(${result})
}
return end
}`
  )(refused, absent, ...constants)
}
