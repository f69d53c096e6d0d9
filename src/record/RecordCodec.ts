/**
 * One record, one row: the columns of a schema, and the way there and back.
 *
 * A struct's fields are the columns, in their order; a nested struct is a
 * relationship, whose fields are columns with a dot (`Owner.Email`). The `_tag` of a
 * tagged struct or class is no column; it is put back when a record is read. Cells are
 * text: numbers, booleans and dates are written and read as their schemas say.
 * Problems of single records are values, not failures.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import type * as Stream from "effect/Stream"
import * as Csv from "./Csv.ts"
import * as Columns from "./cells/columns.ts"
import * as Generate from "./compile/generate.ts"
import { isTransformed, planOf } from "./compile/plan.ts"
import { type ReadRecords, reader } from "./compile/reader.ts"
import { structOf, structWith } from "./compile/struct.ts"
import { inBlocks } from "./csv/block.ts"
import { through } from "./csv/machine.ts"
import { Parser } from "./csv/parser.ts"
import { records, results, rowReaders } from "./decode.ts"
import { type Encodable, encoderOf } from "./encode.ts"
import { kept } from "./kept.ts"
import * as limits from "./limits.ts"
import {
  type EncoderOptions,
  InvalidRecord,
  MissingColumn,
  type Problem,
  type RecordCodec,
  type RecordSchema
} from "./model.ts"

export type { Encoded, EncoderOptions, Nulls, Problem, RecordCodec, RecordSchema, Rejected } from "./model.ts"
export { InvalidRecord, MissingColumn }

/**
 * Makes the codec of a struct or class schema.
 *
 * Fails with a text where the schema has no columns: it is no struct, a field's
 * value is not one cell (an array, say), or `_tag` is not one literal.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <S extends RecordSchema>(schema: S): Result.Result<RecordCodec<S["Type"]>, string> => {
  const made = codecs.get(schema.ast) ?? makeCodec(schema.ast)
  codecs.set(schema.ast, made)
  return made
}

/** One codec for each schema: what is compiled for it stays fast from one stream to the next. */
const codecs = new WeakMap<SchemaAST.AST, Result.Result<RecordCodec<unknown>, string>>()

const makeCodec = (ast: SchemaAST.AST): Result.Result<RecordCodec<unknown>, string> =>
  Result.map(encodableOf(ast), (whole) => {
    const { columns, encode, plan, root } = whole
    const fromEncoded = Schema.decodeUnknownResult(Schema.make<RecordSchema>(ast))
    const rowDecoder = (positions: ReadonlyArray<number>, nullCell?: string) => (row: Csv.Row) =>
      Result.flatMap(
        Columns.fromCells(
          root,
          positions.map((position) => row[position] ?? ""),
          nullCell
        ),
        (encoded) => Result.mapError(fromEncoded(encoded), schemaProblem)
      )
    const encoder = kept<ReturnType<typeof encoderOf>>()
    const readers = kept<ReadRecords | undefined>()
    const codec: RecordCodec<unknown> = {
      columns,
      encoder: (options) =>
        encoder(JSON.stringify(options), () => encoderOf(encodable(ast, options, whole), options, canGenerate())),
      encode,
      decoder: (header, nullCell) =>
        Result.map(positionsOf(columns, header), (positions) => rowDecoder(positions, nullCell)),
      show: (record) => {
        // only Schema knows the fields of a record that it transforms as a whole
        const cells =
          plan === undefined || isTransformed(plan) ? Result.getOrUndefined(encode(record, "ignore")) : undefined
        return Object.fromEntries(
          cells === undefined
            ? Columns.shown(plan ?? root, record)
            : columns.map((column, i) => [column, cells[i] ?? ""] as const)
        )
      },
      canonical: (column) => Columns.canonicalOf(root, column)
    }
    rowReaders.set(codec, (header) =>
      Result.map(positionsOf(columns, header), (positions) => {
        const width = header.length
        const read = readers(
          [width, ...positions].join(),
          () => plan && reader(plan, { positions, width }, canGenerate())
        )
        return { read, decode: rowDecoder(positions) }
      })
    )
    return codec
  })

const encodableOf = (ast: SchemaAST.AST): Result.Result<Encodable, string> =>
  Result.gen(function* () {
    const root = yield* Columns.groupOf(SchemaAST.toEncoded(ast))
    const columns = yield* distinct(Columns.columnsOf(root))
    const toEncoded = Schema.encodeUnknownResult(Schema.make<RecordSchema>(ast))
    return {
      root,
      columns,
      plan: planOf(ast, root),
      encode: (record, nulls) =>
        Result.flatMap(Result.mapError(toEncoded(record), schemaProblem), (encoded) =>
          Columns.toRow(root, encoded, nulls === "clear")
        )
    }
  })

/** What is to be encoded if only some columns are: what the others hold must not matter. */
const encodable = (ast: SchemaAST.AST, { columns: asked, key }: EncoderOptions, whole: Encodable): Encodable => {
  if (asked === undefined || whole.columns.every((column) => asked.includes(column))) return whole
  const struct = structOf(ast)
  if (struct?.transformation !== undefined) return whole
  const fields = struct?.fields.filter(({ encodedName }) =>
    [...asked, ...(key === undefined ? [] : [key])].some(
      (column) => column === encodedName || column.startsWith(`${encodedName}.`)
    )
  )
  if (fields === undefined || fields.length === 0) return whole
  return Result.getOrElse(encodableOf(structWith(fields)), () => whole)
}

const distinct = (columns: ReadonlyArray<string>): Result.Result<ReadonlyArray<string>, string> => {
  const seen = new Set<string>()
  for (const column of columns) {
    if (seen.has(column.toLowerCase()))
      return Result.fail(`the schema has two columns ${column}, and Salesforce does not tell case apart`)
    seen.add(column.toLowerCase())
  }
  return columns.length > limits.columns
    ? Result.fail(`the schema has ${columns.length} columns; Salesforce takes ${limits.columns}`)
    : Result.succeed(columns)
}

let generates: boolean | undefined

const canGenerate = (): boolean => {
  generates ??= Generate.canGenerate()
  return generates
}

/**
 * Reads bytes of CSV, a header first, as records. The columns may come in any order
 * and case, and there may be more of them than the schema has.
 *
 * Fails with `CsvError` when the bytes are no CSV, with `MissingColumn` when the
 * header lacks a column of the schema, and with `InvalidRecord` at the first row
 * that does not fit it; the records before it come out first.
 *
 * Texts of 13 characters and more are cut from pieces of 8 KiB, which live as long as
 * one of their records: who keeps one record of a hundred keeps 8 KiB with it, unless
 * its texts are copied.
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
  <A>(codec: RecordCodec<A>, dialect: Csv.Dialect = Csv.standard) =>
  <E, R>(
    bytes: Stream.Stream<Uint8Array, E, R>
  ): Stream.Stream<A, E | Csv.CsvError | MissingColumn | InvalidRecord, R> =>
    bytes.pipe(through(() => new Parser(dialect, records(codec)), inBlocks))

/**
 * Reads bytes of CSV as records, as `decode` does, but goes on after a row that does
 * not fit the schema: it is a failed `Result`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeResult =
  <A>(codec: RecordCodec<A>, dialect: Csv.Dialect = Csv.standard) =>
  <E, R>(
    bytes: Stream.Stream<Uint8Array, E, R>
  ): Stream.Stream<Result.Result<A, InvalidRecord>, E | Csv.CsvError | MissingColumn, R> =>
    bytes.pipe(through(() => new Parser(dialect, results(codec)), inBlocks))

/** Where in the header each column stands. */
const positionsOf = (
  columns: ReadonlyArray<string>,
  header: Csv.Row
): Result.Result<ReadonlyArray<number>, Problem> => {
  const positions = new Map(header.map((name, position) => [name.toLowerCase(), position]))
  const found: Array<number> = []
  for (const column of columns) {
    const name = column.toLowerCase()
    // who is written as Lead:Who.Email is read as Who.Email
    const position = positions.get(name) ?? positions.get(name.replace(/(^|\.)[^.:]+:/g, "$1"))
    if (position === undefined) {
      return Result.fail({ column, value: undefined, message: `not among the columns (${header.join(", ")})` })
    }
    found.push(position)
  }
  return Result.succeed(found)
}

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const schemaProblem = (error: Schema.SchemaError): Problem => {
  const [first] = formatIssue(error.issue).issues
  const path = first?.path?.map((segment) => String(typeof segment === "object" ? segment.key : segment)).join(".")
  return { column: path === "" ? undefined : path, value: undefined, message: first?.message ?? error.message }
}
