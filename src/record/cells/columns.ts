import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { canonicalText } from "../../canonicalText.ts"
import * as limits from "../limits.ts"
import type { Problem, RecordSchema } from "../model.ts"
import { isInYears, parseInstant } from "./instants.ts"

/** A field whose value is one cell. */
export interface Leaf {
  readonly _tag: "Leaf"
  readonly name: string
  readonly column: string
  readonly nullable: boolean
  readonly undefinable: boolean
  readonly optional: boolean
  /** Whether its value is the very text of its cell. */
  readonly isText: boolean
  readonly toCell: (value: unknown) => Result.Result<string, string>
  readonly fromCell: (cell: string) => Result.Result<unknown, string>
}

/** The tag of a tagged struct or class: of the schema alone, it is no column, and put back when a record is read. */
export interface Tag {
  readonly _tag: "Tag"
  readonly name: string
  readonly value: SchemaAST.LiteralValue
}

/** A nested struct, or the record itself. */
export interface Group {
  readonly _tag: "Group"
  readonly name: string
  readonly nullable: boolean
  readonly undefinable: boolean
  readonly optional: boolean
  readonly nodes: ReadonlyArray<Leaf | Group | Tag>
  /** How many columns it has, nested ones included. */
  readonly width: number
}

/** The columns of what a schema encodes to. */
export const groupOf = (ast: SchemaAST.AST, column = "", name = "", optional = false): Result.Result<Group, string> => {
  const { nullable, undefinable, value } = withoutNull(ast)
  if (!SchemaAST.isObjects(value) || value.indexSignatures.length > 0 || value.propertySignatures.length === 0) {
    return Result.fail(`${column === "" ? "the schema" : `column ${column}`} is not a struct with fields`)
  }
  const nodes = value.propertySignatures.map((property) => {
    const field = String(property.name)
    const path = column === "" ? field : `${column}.${field}`
    // no field of Salesforce has such a name, and every object seems to have it
    if (field in Object.prototype) return Result.fail(`column ${path}: no field has this name`)
    if (field === "_tag") return tagOf(property.type, path, field)
    const isOptional = SchemaAST.isOptional(property.type)
    return SchemaAST.isObjects(withoutNull(property.type).value)
      ? groupOf(property.type, path, field, isOptional)
      : leafOf(property.type, path, field, isOptional)
  })
  return Result.flatMap(Result.all(nodes), (nodes) => {
    const width = nodes.reduce((sum, node) => sum + widthOf(node), 0)
    return width === 0
      ? Result.fail(`${column === "" ? "the schema" : `column ${column}`} has a tag, and no other fields`)
      : Result.succeed({ _tag: "Group", name, nullable, undefinable, optional, nodes, width })
  })
}

/** How many columns a field has. */
const widthOf = (node: Leaf | Group | Tag): number =>
  node._tag === "Group" ? node.width : node._tag === "Leaf" ? 1 : 0

const tagOf = (ast: SchemaAST.AST, column: string, name: string): Result.Result<Tag, string> =>
  SchemaAST.isLiteral(ast)
    ? Result.succeed({ _tag: "Tag", name, value: ast.literal })
    : Result.fail(`column ${column}: no field has this name, and it is no tag, which is one literal`)

const leafOf = (ast: SchemaAST.AST, column: string, name: string, optional: boolean): Result.Result<Leaf, string> => {
  const { nullable, undefinable, value } = withoutNull(ast)
  const text = textCodecOf(value)
  if (text === undefined) return Result.fail(`column ${column}: its value does not fit in one cell`)
  const encode = Schema.encodeUnknownResult(text)
  const decode = Schema.decodeUnknownResult(text)
  const isInstant = isDate(value) || isUtc(value)
  return Result.succeed({
    _tag: "Leaf",
    name,
    column,
    nullable,
    undefinable,
    optional,
    isText: SchemaAST.isString(value) && value.encoding === undefined,
    toCell: (value) =>
      Result.filterOrFail(
        Result.mapBoth(encode(value), { onFailure: (error) => error.message, onSuccess: String }),
        (text) => !isInstant || isInYears(text),
        (text) => `Expected a year of four digits, got ${text}`
      ),
    fromCell: (cell) =>
      // Date takes much that is no date, and a time without an offset for one of this machine
      isInstant && Number.isNaN(parseInstant(cell))
        ? Result.fail("Expected a date, or a date and time with Z or an offset")
        : Result.mapError(decode(cell), (error) => error.message)
  })
}

/** The codec of a value as one text, if it can be one. */
const textCodecOf = (ast: SchemaAST.AST): RecordSchema | undefined => {
  try {
    const text = Schema.toCodecStringTree(Schema.make<RecordSchema>(ast))
    return isText(SchemaAST.toEncoded(text.ast)) ? text : undefined
  } catch {
    // a declaration that says nothing of how it is written
    return undefined
  }
}

export const isDate = (ast: SchemaAST.AST): boolean => isDeclared(ast, Schema.Date)
export const isUtc = (ast: SchemaAST.AST): boolean => isDeclared(ast, Schema.DateTimeUtc)
export const isBigDecimal = (ast: SchemaAST.AST): boolean => isDeclared(ast, Schema.BigDecimal)

const isDeclared = (ast: SchemaAST.AST, schema: { readonly ast: SchemaAST.AST }): boolean =>
  SchemaAST.isDeclaration(ast) && SchemaAST.isDeclaration(schema.ast) && ast.run === schema.ast.run

/** A type without its null and undefined members, those of unions within it too, as `optional(NullOr(...))` has them. */
const withoutNull = (
  ast: SchemaAST.AST
): Pick<Leaf, "nullable" | "undefinable"> & { readonly value: SchemaAST.AST } => {
  if (!SchemaAST.isUnion(ast)) return { value: ast, nullable: false, undefinable: false }
  const all = membersOf(ast)
  const members = all.filter((type) => !SchemaAST.isNull(type) && !SchemaAST.isUndefined(type))
  const [only, ...others] = members
  return {
    value: only === undefined || others.length > 0 ? Schema.Union(members.map((ast) => Schema.make(ast))).ast : only,
    nullable: all.some(SchemaAST.isNull),
    undefinable: all.some(SchemaAST.isUndefined)
  }
}

const membersOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> =>
  SchemaAST.isUnion(ast) ? ast.types.flatMap(membersOf) : [ast]

const isText = (ast: SchemaAST.AST): boolean =>
  SchemaAST.isUnion(ast)
    ? ast.types.every(isText)
    : SchemaAST.isString(ast) ||
      SchemaAST.isTemplateLiteral(ast) ||
      // one with numbers is made of texts by now
      SchemaAST.isEnum(ast) ||
      (SchemaAST.isLiteral(ast) && typeof ast.literal === "string")

export const columnsOf = (group: Group): ReadonlyArray<string> =>
  group.nodes.flatMap((node) => (node._tag === "Leaf" ? [node.column] : node._tag === "Group" ? columnsOf(node) : []))

/** The one form of all cells of a plain field that mean the same. */
export const canonicalOf = (root: Group, column: string): ((cell: string) => string) | undefined => {
  const leaf = root.nodes.find((node): node is Leaf => node._tag === "Leaf" && node.column === column)
  if (leaf === undefined) return undefined
  if (leaf.isText) return canonicalText
  return (cell) => Result.getOrElse(Result.flatMap(leaf.fromCell(canonicalText(cell)), leaf.toCell), () => cell)
}

/** The cells of an encoded record; `clear` says that a null empties its field. */
export const toRow = (root: Group, record: unknown, clear: boolean): Result.Result<ReadonlyArray<string>, Problem> => {
  const row: Array<string> = []
  const problem = pushCells(row, root, record, clear)
  if (problem !== undefined) return Result.fail(problem)
  const characters = row.reduce((sum, cell) => sum + cell.length, 0)
  return characters > limits.rowCharacters
    ? Result.fail({
        column: undefined,
        value: undefined,
        message: `the record has ${characters} characters; Salesforce takes ${limits.rowCharacters}`
      })
    : Result.succeed(row)
}

const pushCells = (row: Array<string>, group: Group, record: unknown, clear: boolean): Problem | undefined => {
  for (const node of group.nodes) {
    if (node._tag === "Tag") continue
    // what is missing within a null relationship is null too
    const value = isRecord(record) ? record[node.name] : record
    if (node._tag === "Group") {
      const problem = pushCells(row, node, value, clear)
      if (problem !== undefined) return problem
    } else if (value === null || value === undefined) {
      row.push(value === null && clear ? "#N/A" : "")
    } else {
      const cell = node.toCell(value)
      if (Result.isFailure(cell)) return { column: node.column, value: undefined, message: cell.failure }
      const text = cell.success
      const message = refusal(value, text)
      if (message !== undefined) return { column: node.column, value: text, message }
      // Salesforce refuses the whole job for another line ending, even within a cell
      row.push(text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text)
    }
  }
  return undefined
}

/** Why a value does not arrive as it is. */
const refusal = (value: unknown, text: string): string | undefined => {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return "Salesforce has no such number"
    return Object.is(value, -0) ? "a negative zero would arrive as 0" : undefined
  }
  if (text === "#N/A") return "the text #N/A would clear the field"
  if (!text.isWellFormed()) return "a lone surrogate cannot be written as UTF-8"
  return text.length > limits.cellCharacters
    ? `the text has ${text.length} characters; Salesforce takes ${limits.cellCharacters}`
    : undefined
}

/** The fields of records, encoded or not, and their columns. */
interface Named {
  readonly nodes: ReadonlyArray<(Named | Pick<Leaf, "column"> | Tag) & { readonly name: string }>
}

/** The cells of a record by column, as far as there are any. */
export const shown = ({ nodes }: Named, record: unknown): ReadonlyArray<readonly [string, string]> =>
  nodes.flatMap((node) => {
    const value = isRecord(record) ? record[node.name] : record
    if ("nodes" in node) return shown(node, value)
    return "column" in node ? [[node.column, String(value ?? "")] as const] : []
  })

/** The encoded record of cells that stand in the order of the columns. */
export const fromCells = (
  root: Group,
  cells: ReadonlyArray<string>,
  nullCell = ""
): Result.Result<unknown, Problem> => {
  const read = (group: Group, first: number): Result.Result<Readonly<Record<string, unknown>>, Problem> => {
    const record: Record<string, unknown> = {}
    let next = first
    for (const node of group.nodes) {
      if (node._tag === "Tag") {
        record[node.name] = node.value
        continue
      }
      const from = next
      next += widthOf(node)
      const isAll = (text: string): boolean => cells.slice(from, next).every((cell) => cell === text)
      if (node.nullable && isAll(nullCell)) {
        record[node.name] = null
        continue
      }
      if (node.optional && isAll("")) continue
      if (node.undefinable && isAll("")) {
        record[node.name] = undefined
        continue
      }
      const value = node._tag === "Leaf" ? readCell(node, cells[from] ?? "") : read(node, from)
      if (Result.isSuccess(value)) record[node.name] = value.success
      // an empty cell that is no value of its own
      else if (node.nullable && isAll("")) record[node.name] = null
      else return Result.fail(value.failure)
    }
    return Result.succeed(record)
  }
  return read(root, 0)
}

const readCell = (leaf: Leaf, cell: string): Result.Result<unknown, Problem> =>
  Result.mapError(leaf.fromCell(cell), (message) => ({ column: leaf.column, value: cell, message }))

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null
