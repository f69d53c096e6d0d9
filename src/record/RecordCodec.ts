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
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Stream from "effect/Stream"
import { inBlocks } from "./block.ts"
import * as Csv from "./Csv.ts"
import * as Columns from "./columns.ts"
import * as Compiled from "./compile.ts"
import { type Encodable, encoderOf } from "./encode.ts"
import { refused } from "./leaves.ts"
import * as limits from "./limits.ts"
import { through } from "./machine.ts"
import type { Encoded, EncoderOptions, Nulls, Problem, RecordSchema } from "./model.ts"
import { type OnHeader, Parser } from "./parser.ts"

export type { Encoded, EncoderOptions, Nulls, Problem, RecordSchema, Rejected } from "./model.ts"

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
    const rowDecoder = (positions: ReadonlyArray<number>) => (row: Csv.Row) =>
      Result.flatMap(
        Columns.fromCells(
          root,
          positions.map((position) => row[position] ?? "")
        ),
        (encoded) => Result.mapError(fromEncoded(encoded), schemaProblem)
      )
    const codec: RecordCodec<unknown> = {
      columns,
      encoder: (options) => encoderOf(encodable(ast, options, whole), options, canGenerate()),
      encode,
      decoder: (header) => Result.map(positionsOf(columns, header), rowDecoder),
      show: (record) => Object.fromEntries(Columns.shown(root, record)),
      canonical: (column) => Columns.canonicalOf(root, column)
    }
    const readers = new Map<string, Compiled.ReadRecord>()
    rowReaders.set(codec, (header) =>
      Result.map(positionsOf(columns, header), (positions) => {
        const key = positions.join()
        const read = readers.get(key) ?? (plan && Compiled.reader(plan, positions, canGenerate()))
        if (read !== undefined) readers.set(key, read)
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
      plan: Compiled.planOf(ast, root),
      encode: (record, nulls) =>
        Result.flatMap(Result.mapError(toEncoded(record), schemaProblem), (encoded) =>
          Columns.toRow(root, encoded, nulls === "clear")
        )
    }
  })

/** What is to be encoded if only some columns are: what the others hold must not matter. */
const encodable = (ast: SchemaAST.AST, { columns: asked, key }: EncoderOptions, whole: Encodable): Encodable => {
  if (asked === undefined || whole.columns.every((column) => asked.includes(column))) return whole
  const fields = Compiled.structOf(ast)?.fields.propertySignatures.filter(({ name }) =>
    [...asked, ...(key === undefined ? [] : [key])].some(
      (column) => column === name || column.startsWith(`${String(name)}.`)
    )
  )
  if (fields === undefined || fields.length === 0) return whole
  return Result.getOrElse(encodableOf(new SchemaAST.Objects(fields, [])), () => whole)
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
  generates ??= Compiled.canGenerate()
  return generates
}

/** What reads the rows below a header: compiled, where the schema can be, and by Schema. */
interface RowReader {
  readonly read: Compiled.ReadRecord | undefined
  readonly decode: (row: Csv.Row) => Result.Result<unknown, Problem>
}

const rowReaders = new WeakMap<object, (header: Csv.Row) => Result.Result<RowReader, Problem>>()

const rowReaderOf = <A>(codec: RecordCodec<A>, header: Csv.Row): Result.Result<RowReader, Problem> =>
  rowReaders.get(codec)?.(header) ?? Result.map(codec.decoder(header), (decode) => ({ read: undefined, decode }))

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
  <A>(codec: RecordCodec<A>, dialect: Csv.Dialect = Csv.standard) =>
  <E, R>(
    bytes: Stream.Stream<Uint8Array, E, R>
  ): Stream.Stream<A, E | Csv.CsvError | MissingColumn | InvalidRecord, R> =>
    bytes.pipe(
      Stream.mapArray(inBlocks),
      through(() => new Parser(dialect, records(codec)))
    )

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
    bytes.pipe(
      Stream.mapArray(inBlocks),
      through(() => new Parser(dialect, results(codec)))
    )

/** Reads rows as records, up to the first that is none. */
const records = <A>(codec: RecordCodec<A>): OnHeader<A, MissingColumn | InvalidRecord> =>
  eachRow<A, A>(
    codec,
    (record, out) => {
      out.push(record)
    },
    (problem) => problem
  )

/** Reads rows as records or what is wrong with them. */
const results = <A>(codec: RecordCodec<A>): OnHeader<Result.Result<A, InvalidRecord>, MissingColumn> =>
  eachRow<A, Result.Result<A, InvalidRecord>>(
    codec,
    (record, out) => {
      out.push(Result.succeed(record))
    },
    (problem, out) => {
      out.push(Result.fail(problem))
      return undefined
    }
  ) as OnHeader<Result.Result<A, InvalidRecord>, MissingColumn>

/** Reads rows as compiled, and by Schema what that refuses. */
const eachRow =
  <A, Out>(
    codec: RecordCodec<A>,
    accept: (record: A, out: Array<Out>) => void,
    refuse: (problem: InvalidRecord, out: Array<Out>) => InvalidRecord | undefined
  ): OnHeader<Out, MissingColumn | InvalidRecord> =>
  (header) => {
    const reader = rowReaderOf(codec, header)
    if (Result.isFailure(reader)) {
      const { column = "", message } = reader.failure
      return new MissingColumn({ column, header, message: `column ${column} is ${message}` })
    }
    const { decode, read = refuseAll } = reader.success
    let row = 0
    return (block, at, o, out) => {
      row++
      const record = read(block, at, o)
      if (record !== refused) {
        accept(record as A, out)
        return undefined
      }
      const result = decode(header.map((_, i) => block.cell(at[o + 2 * i]! + 1, at[o + 2 * i + 1]!)))
      if (Result.isFailure(result)) return refuse(new InvalidRecord({ row, ...result.failure }), out)
      accept(result.success as A, out)
      return undefined
    }
  }

const refuseAll: Compiled.ReadRecord = () => refused

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
