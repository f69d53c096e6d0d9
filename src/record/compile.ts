import * as Exit from "effect/Exit"
import * as SchemaAST from "effect/SchemaAST"
import type { Block } from "./block.ts"
import type * as Columns from "./columns.ts"
import { type Dialect, delimiters, newlines, quote, special } from "./dialect.ts"
import { absent, checksOf, type FastLeaf, isBare, isEmptyType, leafOf, refused, transformationOf } from "./leaves.ts"
import * as limits from "./limits.ts"

/** How the records of a schema are read and written without Schema looking at each of them as a whole. */
export interface Plan {
  readonly _tag: "Plan"
  readonly name: string
  readonly nullable: boolean
  readonly optional: boolean
  readonly nodes: ReadonlyArray<PlanLeaf | Plan>
  readonly undefinable: boolean
  /** Whether fields pass the checks of the struct. */
  readonly passes: ((fields: unknown) => boolean) | undefined
  /** Whether a value is of the class. */
  readonly isInstance: ((value: object) => boolean) | undefined
  /** What a class makes of its fields. */
  readonly construct: ((fields: unknown) => unknown) | undefined
}

interface PlanLeaf extends FastLeaf {
  readonly _tag: "PlanLeaf"
  readonly name: string
  readonly column: string
}

/**
 * The plan of a struct or class; `undefined` where only Schema knows what its records
 * are made of, because they are transformed as a whole.
 */
export const planOf = (ast: SchemaAST.AST, group: Columns.Group): Plan | undefined => {
  const { undefinable, value } = memberOf(ast)
  const struct = structOf(value)
  if (struct === undefined) return undefined
  const nodes: Array<PlanLeaf | Plan> = []
  for (const [i, { name, type }] of struct.fields.propertySignatures.entries()) {
    const node = group.nodes[i]
    if (node === undefined || node.name !== name) return undefined
    if (node._tag === "Leaf") nodes.push({ _tag: "PlanLeaf", name, column: node.column, ...leafOf(name, type, node) })
    else {
      const plan = (type.context?.isOptional ?? false) === node.optional ? planOf(type, node) : undefined
      if (plan === undefined) return undefined
      nodes.push(plan)
    }
  }
  const { name, nullable, optional } = group
  const { construct, fields, isInstance } = struct
  return { _tag: "Plan", name, nullable, optional, undefinable, nodes, passes: checksOf(fields), construct, isInstance }
}

/** The one member of a type besides null and undefined. */
const memberOf = (ast: SchemaAST.AST): { readonly value: SchemaAST.AST; readonly undefinable: boolean } => {
  if (!SchemaAST.isUnion(ast) || !isBare(ast)) return { value: ast, undefinable: false }
  const [only, ...others] = ast.types.filter((type) => !isEmptyType(type))
  return only === undefined || others.length > 0
    ? { value: ast, undefinable: false }
    : { value: only, undefinable: ast.types.some(SchemaAST.isUndefined) }
}

export interface Struct extends Pick<Plan, "construct" | "isInstance"> {
  readonly fields: SchemaAST.Objects
}

/** The struct whose fields are read one by one, and what a class makes of them. */
export const structOf = (ast: SchemaAST.AST): Struct | undefined => {
  if (SchemaAST.isObjects(ast)) {
    return ast.encoding === undefined ? { fields: ast, construct: undefined, isInstance: undefined } : undefined
  }
  if (!SchemaAST.isDeclaration(ast) || ast.checks !== undefined || ast.typeParameters.length !== 1) return undefined
  const transformation = transformationOf(ast)
  return transformation !== undefined && SchemaAST.isObjects(transformation.to)
    ? { fields: transformation.to, construct: transformation.decode, isInstance: instanceTest(ast) }
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

/** Reads the row whose cells are given as in `ReadRow`: a record, or `refused`. */
export type ReadRecord = (block: Block, at: Int32Array, o: number) => unknown

/** Writes a record as a row with its line ending; `undefined` for what Schema is to judge. */
export type WriteRecord = (record: unknown) => string | undefined

/**
 * What reads the records of a plan. `positions` says where in a row each column
 * stands.
 *
 * With `new Function` each schema gets code of its own, which is twice as fast;
 * where that is forbidden, closures do the same.
 */
export const reader = (plan: Plan, positions: ReadonlyArray<number>, canGenerate: boolean): ReadRecord =>
  canGenerate && widthOf(plan) <= mostGenerated ? generateReader(plan, positions) : closureReader(plan, positions)

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

/** How many columns one function may have: longer ones are never optimised, and very long ones do not even compile. */
export const mostGenerated = 250

/** Whether code may be made of text here: not under a content security policy. */
export const canGenerate = (): boolean => {
  try {
    return new Function("return true")() === true
  } catch {
    return false
  }
}

// --- reading

const closureReader = (plan: Plan, positions: ReadonlyArray<number>): ReadRecord => {
  let next = 0
  const readerOf = (plan: Plan): { readonly read: ReadRecord; readonly offsets: ReadonlyArray<number> } => {
    const offsets: Array<number> = []
    const names: Array<string> = []
    const reads: Array<ReadRecord> = []
    for (const node of plan.nodes) {
      names.push(node.name)
      if (node._tag === "PlanLeaf") {
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
    const { construct, nullable, optional, passes } = plan
    return {
      offsets,
      read: (block, at, o) => {
        if ((nullable || optional) && offsets.every((offset) => at[o + offset + 1]! - at[o + offset]! === 1)) {
          return nullable ? null : absent
        }
        const fields: Record<string, unknown> = {}
        for (let i = 0; i < reads.length; i++) {
          const value = reads[i]!(block, at, o)
          if (value === refused) return refused
          if (value !== absent) fields[names[i]!] = value
        }
        if (passes !== undefined && !passes(fields)) return refused
        return construct === undefined ? fields : construct(fields)
      }
    }
  }
  return readerOf(plan).read
}

const generateReader = (plan: Plan, positions: ReadonlyArray<number>): ReadRecord => {
  const constants: Array<unknown> = []
  const constant = (value: unknown): string => `c${constants.push(value) - 1}`
  const lines: Array<string> = []
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
      lines.push(
        `const ${variable} = ${constant(node.read)}(block, at[o + ${offset}] + 1, at[o + ${offset + 1}])`,
        `if (${variable} === refused) return refused`
      )
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
    if (plan.passes !== undefined) lines.push(`if (!${constant(plan.passes)}(${result})) return refused`)
    if (plan.construct !== undefined) lines.push(`${result} = ${constant(plan.construct)}(${result})`)
    const body = lines.splice(before)
    lines.push(`let ${result}`)
    if (plan.nullable || plan.optional) {
      const isBlank = offsets.map((offset) => `at[o + ${offset + 1}] - at[o + ${offset}] === 1`).join(" && ")
      lines.push(`if (${isBlank}) ${result} = ${plan.nullable ? "null" : "absent"}`, "else {", ...body, "}")
    } else lines.push("{", ...body, "}")
    return result
  }

  const result = group(plan)
  const names = constants.map((_, i) => `c${i}`)
  return new Function(
    "refused",
    "absent",
    ...names,
    `"use strict"\nreturn (block, at, o) => {\n${lines.join("\n")}\nreturn ${result}\n}`
  )(refused, absent, ...constants)
}

// --- writing

/** The text of a cell as it stands in a row; `undefined` for what Schema is to judge. */
type WriteCell = (value: unknown, parent: object) => string | undefined

const cellWriter = ({ isAnyText, isText, write }: FastLeaf, { clear, dialect }: WriteOptions): WriteCell => {
  const nothing = clear ? "#N/A" : ""
  if (!isText) {
    return (value, parent) => {
      const text = write(value, parent)
      return text === null ? nothing : text
    }
  }
  const mustQuote = special(dialect)
  // one test for all that needs a second look
  const isSpecial = new RegExp(`${mustQuote.source.slice(0, -1)}\\ud800-\\udfff]|^#N/A$`)
  const newline = newlines[dialect.lineEnding]
  const secondLook = (text: string): string | undefined => {
    if (text === "#N/A" || !text.isWellFormed()) return undefined
    const lines = text.replace(/\r\n?|\n/g, newline)
    return mustQuote.test(lines) ? quote(lines) : lines
  }
  if (isAnyText) {
    return (value, parent) => {
      if (typeof value === "string" && value.length <= limits.cellCharacters) {
        return isSpecial.test(value) ? secondLook(value) : value
      }
      return value === null && write(value, parent) === null ? nothing : undefined
    }
  }
  return (value, parent) => {
    const text = write(value, parent)
    if (text === null) return nothing
    if (text === undefined || text.length > limits.cellCharacters) return undefined
    return isSpecial.test(text) ? secondLook(text) : text
  }
}

/** How many columns a part of a plan has. */
const widthOf = (node: PlanLeaf | Plan): number =>
  node._tag === "PlanLeaf" ? 1 : node.nodes.reduce((sum, node) => sum + widthOf(node), 0)

const isStruct = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const nobody: object = {}

const closureWriter = (plan: Plan, options: WriteOptions): WriteRecord => {
  const { clear, dialect, positions } = options
  const isWhole = positions.length === widthOf(plan)
  const wanted = new Set(positions)
  const nothing = clear ? "#N/A" : ""
  let next = 0

  /** Puts the cells of a group into `cells`; false for what Schema is to judge. */
  const groupOf = (plan: Plan): ((value: unknown, parent: object, cells: Array<string>) => boolean) => {
    const first = next
    const { isInstance, name, nullable, optional, passes, undefinable } = plan
    const parts = plan.nodes.map((node) => {
      if (node._tag === "Plan") return { name: node.name, group: groupOf(node) }
      const position = next++
      return { name: node.name, cell: wanted.has(position) ? cellWriter(node, options) : undefined, position }
    })
    const width = next - first
    return (value, parent, cells) => {
      if ((value === null && nullable) || (value === undefined && (name in parent ? undefinable : optional))) {
        cells.fill(value === null ? nothing : "", first, first + width)
        return true
      }
      if (!isStruct(value) || (isWhole && isInstance?.(value) === false) || (isWhole && passes?.(value) === false)) {
        return false
      }
      for (const { cell, group, name, position } of parts) {
        const field = (value as Readonly<Record<string, unknown>>)[name]
        if (group !== undefined) {
          if (!group(field, value, cells)) return false
        } else if (cell !== undefined) {
          const text = cell(field, value)
          if (text === undefined) return false
          cells[position] = text
        }
      }
      return true
    }
  }

  const write = groupOf(plan)
  const cells = new Array<string>(next).fill("")
  const delimiter = delimiters[dialect.columnDelimiter]
  const newline = newlines[dialect.lineEnding]
  return (record) => {
    // the record itself is nobody's field
    if (!write(record, nobody, cells)) return undefined
    let row = cells[positions[0] ?? 0] ?? ""
    for (let i = 1; i < positions.length; i++) row += delimiter + cells[positions[i]!]
    // a row of one empty cell must not be a blank line
    return row === "" ? `""${newline}` : row + newline
  }
}

const generateWriter = (plan: Plan, options: WriteOptions): WriteRecord => {
  const { clear, dialect, positions } = options
  const isWhole = positions.length === widthOf(plan)
  const wanted = new Set(positions)
  const nothing = JSON.stringify(clear ? "#N/A" : "")
  const constants: Array<unknown> = []
  const constant = (value: unknown): string => `c${constants.push(value) - 1}`
  let variables = 0
  let next = 0

  /** The code that puts the cells of a group into `t0`, `t1` and so on. */
  const groupOf = (plan: Plan, value: string, parent?: string): string => {
    const lines: Array<string> = []
    const first = next
    if (isWhole && plan.isInstance !== undefined) {
      lines.push(`if (!${constant(plan.isInstance)}(${value})) return undefined`)
    }
    if (isWhole && plan.passes !== undefined) {
      lines.push(`if (!${constant(plan.passes)}(${value})) return undefined`)
    }
    for (const node of plan.nodes) {
      const field = `v${variables++}`
      const read = `const ${field} = ${value}[${JSON.stringify(node.name)}]`
      if (node._tag === "Plan") {
        lines.push(read, groupOf(node, field, value))
        continue
      }
      const position = next++
      if (!wanted.has(position)) continue
      const text = `t${position}`
      lines.push(read, `${text} = ${constant(cellWriter(node, options))}(${field}, ${value})`)
      lines.push(`if (${text} === undefined) return undefined`)
    }
    const all = Array.from({ length: next - first }, (_, i) => `t${first + i} = `).join("")
    const { name, nullable, optional, undefinable } = plan
    const isAbsent =
      parent === undefined ? "false" : `(${JSON.stringify(name)} in ${parent} ? ${undefinable} : ${optional})`
    return `if (${value} === undefined && ${isAbsent}) ${all}""
      else if (${nullable} && ${value} === null) ${all}${nothing}
      else if (!isStruct(${value})) return undefined
      else {
        ${lines.join("\n")}
      }`
  }

  const code = groupOf(plan, "record")
  const texts = Array.from({ length: next }, (_, i) => `t${i}`).join(", ")
  const row = positions
    .map((position) => `t${position}`)
    .join(` + ${JSON.stringify(delimiters[dialect.columnDelimiter])} + `)
  const newline = newlines[dialect.lineEnding]
  const names = constants.map((_, i) => `c${i}`)
  return new Function(
    "isStruct",
    ...names,
    `"use strict"
    return (record) => {
      let ${texts}
      ${code}
      ${positions.length === 1 ? `if (t${positions[0]} === "") return ${JSON.stringify(`""${newline}`)}` : ""}
      return ${row} + ${JSON.stringify(newline)}
    }`
  )(isStruct, ...constants)
}
