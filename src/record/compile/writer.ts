import { anyText, cellWriter, type PutCell } from "../cells/cellWriter.ts"
import type * as Columns from "../cells/columns.ts"
import { type Dialect, delimiters, newlines } from "../csv/dialect.ts"
import { putAscii, type Slab } from "../csv/slab.ts"
import { mostGenerated } from "./generate.ts"
import { type Plan, widthOf } from "./plan.ts"
import { isStruct } from "./values.ts"

/**
 * Writes a record as a row with its line ending behind `at`, where there is room, and
 * gives where it ends; -1 for what Schema is to judge.
 */
export type WriteRecord = (slab: Slab, at: number, record: unknown) => number

/** How records are written. */
export interface WriteOptions {
  /** The columns to write, by their place among all of the plan. */
  readonly positions: ReadonlyArray<number>
  readonly dialect: Dialect
  /** Whether a null empties its field. */
  readonly clear: boolean
}

/** What writes the records of a plan. If it is not all columns, only those are looked at. */
export const writer = (plan: Plan, options: WriteOptions, canGenerate: boolean): WriteRecord =>
  canGenerate && widthOf(plan) <= mostGenerated ? generateWriter(plan, options) : closureWriter(plan, options)

const tagsOf = ({ nodes }: Plan): ReadonlyArray<Columns.Tag> => nodes.filter((node) => node._tag === "Tag")

const nobody: object = {}

/** What `WriteOptions` make of a row. */
const layoutOf = (plan: Plan, { clear, dialect, positions }: WriteOptions) => ({
  isWhole: positions.length === widthOf(plan),
  nothing: clear ? "#N/A" : "",
  delimiter: delimiters[dialect.columnDelimiter],
  newline: newlines[dialect.lineEnding]
})

const closureWriter = (plan: Plan, options: WriteOptions): WriteRecord => {
  const { dialect, positions } = options
  const { delimiter, isWhole, newline, nothing } = layoutOf(plan, options)
  const wanted = new Set(positions)
  let next = 0

  /** Puts the cells of a group into `cells`; false for what Schema is to judge. */
  const groupOf = (plan: Plan): ((value: unknown, parent: object, cells: Array<Cell>) => boolean) => {
    const first = next
    const { isInstance, name, nullable, optional, passes, undefinable } = plan
    const whole = plan.whole?.(false)
    const tags = isWhole ? tagsOf(plan) : []
    const parts = plan.nodes.flatMap((node) => {
      if (node._tag === "Tag") return []
      if (node._tag === "Plan") return { name: node.name, group: groupOf(node) }
      const position = next++
      return { name: node.name, put: wanted.has(position) ? cellWriter(node, dialect, nothing) : undefined, position }
    })
    const width = next - first
    return (value, parent, cells) => {
      if ((value === null && nullable) || (value === undefined && (name in parent ? undefinable : optional))) {
        cells.fill(value === null ? nothing : "", first, first + width)
        return true
      }
      const record = whole === undefined ? value : whole.encode(value)
      if (!isStruct(record) || (isWhole && isInstance?.(record) === false) || (isWhole && passes?.(record) === false)) {
        return false
      }
      for (const tag of tags) if (record[tag.name] !== tag.value) return false
      for (const { group, name, position, put } of parts) {
        const field = record[name]
        if (group !== undefined) {
          if (!group(field, record, cells)) return false
        } else if (put !== undefined) cells[position] = { put, value: field, record }
      }
      return true
    }
  }

  const group = groupOf(plan)
  return (slab, start, record) => {
    const cells = new Array<Cell>(next)
    // the record itself is nobody's field
    if (!group(record, nobody, cells)) return -1
    let at = start
    for (let i = 0; i < positions.length; i++) {
      if (i > 0) at = putAscii(slab, at, delimiter)
      const cell = cells[positions[i]!]!
      at = typeof cell === "string" ? putAscii(slab, at, cell) : cell.put(slab, at, cell.value, cell.record)
      if (at < 0) return -1
    }
    // a row of one empty cell must not be a blank line
    return putAscii(slab, at === start ? putAscii(slab, at, '""') : at, newline)
  }
}

/** A cell that is to be written: its text, or the value and its record. */
type Cell = string | { readonly put: PutCell; readonly value: unknown; readonly record: object }

const generateWriter = (plan: Plan, options: WriteOptions): WriteRecord => {
  const { dialect, positions } = options
  const { delimiter, isWhole, newline, nothing } = layoutOf(plan, options)
  const constants: Array<unknown> = []
  const constant = (value: unknown): string => `c${constants.push(value) - 1}`
  const lines: Array<string> = []
  let variables = 0

  /** How each cell is written, in the order of the plan. */
  const cells: Array<() => string> = []

  /**
   * Writes what takes a group apart. If it may be absent, a variable says so: 0 if it is
   * there, 1 if nothing is to be written of it, 2 if its null is.
   */
  const group = (plan: Plan, given: string, parent?: { readonly value: string; readonly state: string }): void => {
    const { isInstance, name, nullable, optional, passes, undefinable } = plan
    const whole = plan.whole?.(true)
    const state = `s${variables++}`
    const value = whole === undefined ? given : `v${variables++}`
    const checks = [`if (!isStruct(${value})) return -1`]
    if (whole !== undefined) {
      lines.push(`let ${value}`)
      checks.unshift(`${value} = ${constant(whole.encode)}(${given})`)
    }
    if (isWhole && isInstance !== undefined) checks.push(`if (!${constant(isInstance)}(${value})) return -1`)
    if (isWhole && passes !== undefined) checks.push(`if (!${constant(passes)}(${value})) return -1`)
    for (const tag of isWhole ? tagsOf(plan) : []) {
      checks.push(`if (${value}[${JSON.stringify(tag.name)}] !== ${constant(tag.value)}) return -1`)
    }
    const isAbsent =
      parent === undefined
        ? "false"
        : `${given} === undefined && (${JSON.stringify(name)} in ${parent.value} ? ${undefinable} : ${optional})`
    lines.push(
      `let ${state} = ${parent?.state ?? 0}`,
      `if (${state} === 0) {`,
      `if (${isAbsent}) ${state} = 1`,
      `else if (${nullable} && ${given} === null) ${state} = 2`,
      `else { ${checks.join("\n")} }`,
      "}"
    )
    for (const node of plan.nodes) {
      if (node._tag === "Tag") continue
      const field = `v${variables++}`
      const key = JSON.stringify(node.name)
      if (node._tag === "Plan") {
        lines.push(`const ${field} = ${state} === 0 ? ${value}[${key}] : undefined`)
        group(node, field, { value, state })
        continue
      }
      cells.push(() => {
        const cell = `${constant(cellWriter(node, dialect, nothing))}(slab, at, ${field}, ${value})`
        // what most values are is told from others without a call
        const fits = node.isAnyText || node.fits === undefined ? "" : ` && ${constant(node.fits)}(${field})`
        const written = `(end = putAnyText(slab, at, ${field})) >= 0`
        const usual =
          node.fits !== undefined
            ? `typeof ${field} === "string"${fits} ? putAnyText(slab, at, ${field}) : `
            : node.fitsAt !== undefined
              ? `typeof ${field} === "string" && ${written} && ${constant(node.fitsAt)}(bytes, at, end) ? end : `
              : node.put !== undefined
                ? `${field} !== null && ${field} !== undefined ? ${constant(node.put)}(slab, at, ${field}) : `
                : ""
        const put = `{ const ${field} = ${value}[${key}]; at = ${usual}${cell} }`
        return parent === undefined && !nullable
          ? put
          : `if (${state} === 0) ${put} else if (${state} === 2) at = putAscii(slab, at, ${JSON.stringify(nothing)})`
      })
    }
  }

  group(plan, "record")
  const putOne = (char: string) => `bytes[at++] = ${char.charCodeAt(0)}`
  const row = positions.flatMap((position, i) => [
    ...(i === 0 ? [] : [putOne(delimiter)]),
    cells[position]!(),
    "if (at < 0) return -1"
  ])
  const names = constants.map((_, i) => `c${i}`)
  return new Function(
    "isStruct",
    "putAscii",
    "putAnyText",
    ...names,
    `"use strict"
    return (slab, start, record) => {
      const { bytes } = slab
      let at = start
      let end = 0
      ${lines.join("\n")}
      ${row.join("\n")}
      ${positions.length === 1 ? `if (at === start) at = putAscii(slab, at, '""')` : ""}
      ${Array.from(newline, putOne).join("\n")}
      return at
    }`
  )(isStruct, putAscii, anyText(dialect), ...constants)
}
