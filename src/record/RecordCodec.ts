/**
 * One record, one row: the columns of a schema, and the way there and back.
 *
 * A struct's fields are the columns, in their order; a nested struct is a
 * relationship, whose fields are columns with a dot (`Owner.Email`). Cells are
 * text: numbers, booleans and dates are written and read as their schemas say.
 * Problems of single records are values, not failures.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Stream from "effect/Stream"
import * as Csv from "./Csv.ts"
import { type Machine, through } from "./machine.ts"

/**
 * A schema that a record codec can be made of: it needs no services.
 *
 * @category models
 * @since 0.1.0
 */
export type RecordSchema = Schema.ConstraintCodec<unknown, unknown>

/**
 * What is wrong with one record. `column` is absent where it is the record as a
 * whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface Problem {
  readonly column: string | undefined
  readonly value: string | undefined
  readonly message: string
}

/**
 * What a null becomes: `clear` empties the field (`#N/A`), `ignore` leaves it as
 * it is (an empty cell).
 *
 * @category models
 * @since 0.1.0
 */
export type Nulls = "clear" | "ignore"

/**
 * How `encoder` writes records.
 *
 * @category models
 * @since 0.1.0
 */
export interface EncoderOptions {
  readonly nulls: Nulls
  /** Default: commas and line feeds. */
  readonly dialect?: Csv.Dialect | undefined
  /** The columns to write, in the order they are to have. Default: all. */
  readonly columns?: ReadonlyArray<string> | undefined
  /**
   * A column of plain fields whose cells are wanted, in their canonical form. A
   * record without a value there is rejected.
   */
  readonly key?: string | undefined
}

/**
 * Records as rows of text, without a header.
 *
 * @category models
 * @since 0.1.0
 */
export interface Encoded<A> {
  /** Whole rows, each with its line ending; empty if no record could be written. */
  readonly text: string
  /** How many rows there are. */
  readonly rows: number
  /** The records that were written, in order: the very array that was given, if none was rejected. */
  readonly written: ReadonlyArray<A>
  /** The records that cannot be written. */
  readonly rejected: ReadonlyArray<Rejected<A>>
  /** The key of each row, if a key was asked for. */
  readonly keys: ReadonlyArray<string>
}

/**
 * A record that cannot be written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rejected<A> {
  readonly record: A
  readonly problem: Problem
}

/**
 * A row that is no record of the schema. `row` counts from 1, the header left out.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidRecord extends Data.TaggedError("InvalidRecord")<{
  readonly row: number
  readonly column: string | undefined
  readonly value: string | undefined
  readonly message: string
}> {}

/**
 * A header without a column that the schema has.
 *
 * @category errors
 * @since 0.1.0
 */
export class MissingColumn extends Data.TaggedError("MissingColumn")<{
  readonly column: string
  readonly header: Csv.Row
  readonly message: string
}> {}

/**
 * The codec of one schema.
 *
 * - `encoder` gives what writes arrays of records as rows of text. Throws if
 *   `columns` or `key` name what is no column of the schema.
 * - `encode` gives the cells of a record, in the order of `columns`.
 * - `decoder` takes the header of what is read, whose columns may come in any
 *   order and case, and gives the decoder of its rows, or says which column is
 *   missing.
 * - `show` gives the cells of a record by column, as far as they can be written:
 *   for people, and for records that `encode` refuses.
 * - `canonical` gives, for a column of plain fields, the one form of all cells that
 *   mean the same: an echoed `9.12260031E8` and the `912260031` that was sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface RecordCodec<A> {
  readonly columns: ReadonlyArray<string>
  readonly encoder: (options: EncoderOptions) => (records: ReadonlyArray<A>) => Encoded<A>
  readonly encode: (record: A, nulls: Nulls) => Result.Result<Csv.Row, Problem>
  readonly decoder: (header: Csv.Row) => Result.Result<(row: Csv.Row) => Result.Result<A, Problem>, Problem>
  readonly show: (record: A) => Readonly<Record<string, string>>
  readonly canonical: (column: string) => ((cell: string) => string) | undefined
}

/**
 * Makes the codec of a struct or class schema.
 *
 * Fails with a text where the schema has no columns: it is no struct, or a
 * field's value is not one cell (an array, say).
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <S extends RecordSchema>(schema: S): Result.Result<RecordCodec<S["Type"]>, string> =>
  Result.map(groupOf(SchemaAST.toEncoded(schema.ast), ""), (root) => {
    const columns = columnsOf(root)
    const toEncoded = Schema.encodeUnknownResult(schema)
    const fromEncoded = Schema.decodeUnknownResult(schema)
    const encode = (record: S["Type"], nulls: Nulls) =>
      Result.flatMap(Result.mapError(toEncoded(record), schemaProblem), (encoded) => toRow(root, encoded, nulls))
    return {
      columns,
      encoder: (options) => encoderOf(root, columns, encode, options),
      encode,
      decoder: (header) =>
        Result.map(positionsOf(columns, header), (positions) => (row: Csv.Row) => {
          const cells = positions.map((position) => row[position] ?? "")
          return Result.flatMap(fromCells(root, cells), (encoded) =>
            Result.mapError(fromEncoded(encoded), schemaProblem)
          )
        }),
      show: (record) => Object.fromEntries(shown(root, record)),
      canonical: (column) => canonicalOf(root, column)
    }
  })

/**
 * Reads bytes of CSV, a header first, as records. The columns may come in any order
 * and case, and there may be more of them than the schema has.
 *
 * Fails with `CsvError` when the bytes are no CSV, with `MissingColumn` when the
 * header lacks a column of the schema, and with `InvalidRecord` at the first row
 * that does not fit it; the records before it come out first.
 *
 * **Example** (Records of a file)
 *
 * ```ts
 * const accounts = fs.stream("accounts.csv").pipe(RecordCodec.decode(codec))
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode =
  <A>(codec: RecordCodec<A>, dialect?: Csv.Dialect) =>
  <E, R>(
    bytes: Stream.Stream<Uint8Array, E, R>
  ): Stream.Stream<A, E | Csv.CsvError | MissingColumn | InvalidRecord, R> =>
    bytes.pipe(
      decodeResult(codec, dialect),
      Stream.chunks,
      through(
        (): Machine<ReadonlyArray<Result.Result<A, InvalidRecord>>, A, InvalidRecord> => ({
          feed: (results, out) => {
            for (const result of results) {
              if (Result.isFailure(result)) return result.failure
              out.push(result.success)
            }
            return undefined
          },
          end: () => undefined
        })
      )
    )

/**
 * Reads bytes of CSV as records, as `decode` does, but goes on after a row that does
 * not fit the schema: it is a failed `Result`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeResult =
  <A>(codec: RecordCodec<A>, dialect?: Csv.Dialect) =>
  <E, R>(
    bytes: Stream.Stream<Uint8Array, E, R>
  ): Stream.Stream<Result.Result<A, InvalidRecord>, E | Csv.CsvError | MissingColumn, R> =>
    bytes.pipe(
      Csv.decode((header) => {
        const decoder = codec.decoder(header)
        if (Result.isFailure(decoder)) {
          const { column = "", message } = decoder.failure
          return Effect.fail(new MissingColumn({ column, header, message: `column ${column} is ${message}` }))
        }
        let row = 0
        return Effect.succeed((rows) =>
          Effect.succeed(
            rows.map((cells) => {
              row++
              return Result.mapError(decoder.success(cells), (problem) => new InvalidRecord({ row, ...problem }))
            })
          )
        )
      }, dialect)
    )

/** A field whose value is one cell. */
interface Leaf {
  readonly _tag: "Leaf"
  readonly name: string
  readonly column: string
  readonly nullable: boolean
  readonly optional: boolean
  readonly toCell: (value: unknown) => Result.Result<string, Schema.SchemaError>
  readonly fromCell: (cell: string) => Result.Result<unknown, Schema.SchemaError>
}

/** A nested struct, or the record itself. */
interface Group {
  readonly _tag: "Group"
  readonly name: string
  readonly nullable: boolean
  readonly optional: boolean
  readonly nodes: ReadonlyArray<Leaf | Group>
  /** How many columns it has, nested ones included. */
  readonly width: number
}

const groupOf = (ast: SchemaAST.AST, column: string, name = "", optional = false): Result.Result<Group, string> => {
  const { nullable, value } = withoutNull(ast)
  if (!SchemaAST.isObjects(value) || value.indexSignatures.length > 0 || value.propertySignatures.length === 0) {
    return Result.fail(`${column === "" ? "the schema" : `column ${column}`} is not a struct with fields`)
  }
  const nodes = value.propertySignatures.map((property) => {
    const field = String(property.name)
    const path = column === "" ? field : `${column}.${field}`
    const isOptional = SchemaAST.isOptional(property.type)
    return SchemaAST.isObjects(withoutNull(property.type).value)
      ? groupOf(property.type, path, field, isOptional)
      : leafOf(property.type, path, field, isOptional)
  })
  return Result.map(Result.all(nodes), (nodes) => {
    const width = nodes.reduce((sum, node) => sum + (node._tag === "Leaf" ? 1 : node.width), 0)
    return { _tag: "Group", name, nullable, optional, nodes, width }
  })
}

const leafOf = (ast: SchemaAST.AST, column: string, name: string, optional: boolean): Result.Result<Leaf, string> => {
  const { nullable, value } = withoutNull(ast)
  const text = Schema.toCodecStringTree(Schema.make<RecordSchema>(value))
  if (!isText(SchemaAST.toEncoded(text.ast))) return Result.fail(`column ${column}: its value does not fit in one cell`)
  const encode = Schema.encodeUnknownResult(text)
  return Result.succeed({
    _tag: "Leaf",
    name,
    column,
    nullable,
    optional,
    toCell: (value) => Result.map(encode(value), String),
    fromCell: Schema.decodeUnknownResult(text)
  })
}

/** A type without its null and undefined members. */
const withoutNull = (ast: SchemaAST.AST): { readonly value: SchemaAST.AST; readonly nullable: boolean } => {
  if (!SchemaAST.isUnion(ast)) return { value: ast, nullable: false }
  const members = ast.types.filter((type) => !SchemaAST.isNull(type) && !SchemaAST.isUndefined(type))
  const [only, ...others] = members
  return {
    value: only === undefined || others.length > 0 ? Schema.Union(members.map((ast) => Schema.make(ast))).ast : only,
    nullable: ast.types.some(SchemaAST.isNull)
  }
}

const isText = (ast: SchemaAST.AST): boolean =>
  SchemaAST.isUnion(ast)
    ? ast.types.every(isText)
    : SchemaAST.isString(ast) ||
      SchemaAST.isTemplateLiteral(ast) ||
      (SchemaAST.isLiteral(ast) && typeof ast.literal === "string")

const columnsOf = (group: Group): ReadonlyArray<string> =>
  group.nodes.flatMap((node) => (node._tag === "Leaf" ? [node.column] : columnsOf(node)))

const canonicalOf = (root: Group, column: string): ((cell: string) => string) | undefined => {
  const leaf = root.nodes.find((node): node is Leaf => node._tag === "Leaf" && node.column === column)
  // Salesforce trims texts before it keeps and echoes them
  return leaf && ((cell) => Result.getOrElse(Result.flatMap(leaf.fromCell(cell.trim()), leaf.toCell), () => cell))
}

const encoderOf = <A>(
  root: Group,
  columns: ReadonlyArray<string>,
  encode: (record: A, nulls: Nulls) => Result.Result<Csv.Row, Problem>,
  { columns: asked, dialect = Csv.standard, key, nulls }: EncoderOptions
): ((records: ReadonlyArray<A>) => Encoded<A>) => {
  const positions = (asked ?? columns).map((column) => positionOf(columns, column))
  const keyPosition = key === undefined ? -1 : positionOf(columns, key)
  const canonical = key === undefined ? undefined : canonicalOf(root, key)
  return (records) => {
    const lines: Array<Csv.Row> = []
    const written: Array<A> = []
    const rejected: Array<Rejected<A>> = []
    const keys: Array<string> = []
    for (const record of records) {
      const cells = encode(record, nulls)
      if (Result.isFailure(cells)) {
        rejected.push({ record, problem: cells.failure })
        continue
      }
      if (canonical !== undefined) {
        const cell = canonical(cells.success[keyPosition] ?? "")
        if (cell === "" || cell === "#N/A") {
          rejected.push({ record, problem: { column: key, value: "", message: emptyKey } })
          continue
        }
        keys.push(cell)
      }
      written.push(record)
      lines.push(positions.map((position) => inLines(cells.success[position] ?? "", dialect)))
    }
    return {
      text: Csv.encodeRows(lines, dialect),
      rows: lines.length,
      written: rejected.length === 0 ? records : written,
      rejected,
      keys
    }
  }
}

const positionOf = (columns: ReadonlyArray<string>, column: string): number => {
  const position = columns.indexOf(column)
  if (position < 0) throw new RangeError(`${column} is no column of the schema (${columns.join(", ")})`)
  return position
}

const emptyKey = "the key is empty: its outcome could not be told from others"

/** Salesforce refuses the whole job for another line ending, even within a cell. */
const inLines = (cell: string, { lineEnding }: Csv.Dialect): string =>
  lineEnding === "CRLF" && cell.includes("\n") ? cell.replaceAll("\n", "\r\n") : cell

const toRow = (root: Group, record: unknown, nulls: Nulls): Result.Result<Csv.Row, Problem> => {
  const row: Array<string> = []
  const problem = pushCells(row, root, record, nulls)
  return problem === undefined ? Result.succeed(row) : Result.fail(problem)
}

const pushCells = (row: Array<string>, group: Group, record: unknown, nulls: Nulls): Problem | undefined => {
  for (const node of group.nodes) {
    // what is missing within a null relationship is null too
    const value = isRecord(record) ? record[node.name] : record
    if (node._tag === "Group") {
      const problem = pushCells(row, node, value, nulls)
      if (problem !== undefined) return problem
    } else if (value === null || value === undefined) {
      row.push(value === null && nulls === "clear" ? "#N/A" : "")
    } else {
      const cell = node.toCell(value)
      if (Result.isFailure(cell)) return { column: node.column, value: undefined, message: cell.failure.message }
      const text = cell.success
      const message = refusal(text)
      if (message !== undefined) return { column: node.column, value: text, message }
      // Salesforce refuses the whole job for another line ending, even within a cell
      row.push(text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text)
    }
  }
  return undefined
}

const shown = (group: Group, record: unknown): ReadonlyArray<readonly [string, string]> =>
  group.nodes.flatMap((node) => {
    const value = isRecord(record) ? record[node.name] : record
    return node._tag === "Group" ? shown(node, value) : [[node.column, String(value ?? "")] as const]
  })

const refusal = (text: string): string | undefined =>
  text === "#N/A"
    ? "the text #N/A would clear the field"
    : text.isWellFormed()
      ? undefined
      : "a lone surrogate cannot be written as UTF-8"

/** Where in the header each column stands. */
const positionsOf = (
  columns: ReadonlyArray<string>,
  header: Csv.Row
): Result.Result<ReadonlyArray<number>, Problem> => {
  const positions = new Map(header.map((name, position) => [name.toLowerCase(), position]))
  const missing = columns.find((column) => !positions.has(column.toLowerCase()))
  return missing === undefined
    ? Result.succeed(columns.map((column) => positions.get(column.toLowerCase()) ?? -1))
    : Result.fail({ column: missing, value: undefined, message: `not among the columns (${header.join(", ")})` })
}

/** The encoded record of cells that stand in the order of the columns. */
const fromCells = (root: Group, cells: Csv.Row): Result.Result<unknown, Problem> => {
  let next = 0
  const read = (group: Group): Result.Result<Readonly<Record<string, unknown>>, Problem> => {
    const record: Record<string, unknown> = {}
    for (const node of group.nodes) {
      const width = node._tag === "Leaf" ? 1 : node.width
      const blank = (node.nullable || node.optional) && cells.slice(next, next + width).every((cell) => cell === "")
      if (blank) {
        next += width
        if (node.nullable) record[node.name] = null
        continue
      }
      const value = node._tag === "Leaf" ? readCell(node, cells[next++] ?? "") : read(node)
      if (Result.isFailure(value)) return Result.fail(value.failure)
      record[node.name] = value.success
    }
    return Result.succeed(record)
  }
  return read(root)
}

const readCell = (leaf: Leaf, cell: string): Result.Result<unknown, Problem> =>
  Result.mapError(leaf.fromCell(cell), (error) => ({ column: leaf.column, value: cell, message: error.message }))

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const schemaProblem = (error: Schema.SchemaError): Problem => {
  const [first] = formatIssue(error.issue).issues
  const path = first?.path?.map((segment) => String(typeof segment === "object" ? segment.key : segment)).join(".")
  return { column: path === "" ? undefined : path, value: undefined, message: first?.message ?? error.message }
}
