import * as SchemaAST from "effect/SchemaAST"
import type { Block } from "./block.ts"
import { anyText, cellWriter, type PutCell } from "./cells.ts"
import type * as Columns from "./columns.ts"
import { type Dialect, delimiters, newlines } from "./dialect.ts"
import { mostGenerated } from "./generate.ts"
import { absent, refused } from "./kinds.ts"
import { blankOf, checksOf, type FastLeaf, leafOf } from "./leaves.ts"
import { bareMembersOf, isBare, isEmptyType } from "./members.ts"
import { putAscii, type Slab } from "./slab.ts"
import { type Struct, structOf } from "./struct.ts"
import { isStruct, type Whole, wholeOf } from "./values.ts"

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

interface PlanLeaf extends FastLeaf {
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

/**
 * Reads rows, whose cells are given as in `ReadRows`, up to the first that Schema is to
 * judge, and gives where it is: `end` if there is none.
 */
export type ReadRecords = (block: Block, at: Int32Array, o: number, end: number, out: Array<unknown>) => number

/**
 * Writes a record as a row with its line ending behind `at`, where there is room, and
 * gives where it ends; -1 for what Schema is to judge.
 */
export type WriteRecord = (slab: Slab, at: number, record: unknown) => number

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

// --- reading

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

// --- writing

/** How many columns a part of a plan has. */
const widthOf = (node: PlanLeaf | Plan | Columns.Tag): number =>
  node._tag === "Plan" ? node.nodes.reduce((sum, node) => sum + widthOf(node), 0) : node._tag === "PlanLeaf" ? 1 : 0

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
        const usual =
          node.fits !== undefined
            ? `typeof ${field} === "string"${fits} ? putAnyText(slab, at, ${field}) : `
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
      ${lines.join("\n")}
      ${row.join("\n")}
      ${positions.length === 1 ? `if (at === start) at = putAscii(slab, at, '""')` : ""}
      ${Array.from(newline, putOne).join("\n")}
      return at
    }`
  )(isStruct, putAscii, anyText(dialect), ...constants)
}
