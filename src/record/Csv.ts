/**
 * CSV as Bulk API 2.0 speaks it: rows of cells to bytes and back.
 *
 * UTF-8 without a BOM, a header first, cells and rows apart as the `Dialect` says:
 * by commas and line feeds, if nothing else is asked for. What is read may end its
 * lines in any way.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import type * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { inBlocks } from "./csv/block.ts"
import { CsvError } from "./csv/csvError.ts"
import * as cutting from "./csv/cut.ts"
import * as detecting from "./csv/detect.ts"
import * as dialects from "./csv/dialect.ts"
import { through } from "./csv/machine.ts"
import { eachRow, type OnHeader, Parser } from "./csv/parser.ts"
import * as rows from "./csv/rows.ts"
import { namedReader, type Place } from "./named.ts"

export { CsvError }

/**
 * A row as its cells.
 *
 * @category models
 * @since 0.1.0
 */
export type Row = ReadonlyArray<string>

/**
 * What is between cells, by the name Salesforce gives it.
 *
 * @category models
 * @since 0.1.0
 */
export type ColumnDelimiter = keyof typeof dialects.delimiters

/**
 * What ends a row, by the name Salesforce gives it.
 *
 * @category models
 * @since 0.1.0
 */
export type LineEnding = keyof typeof dialects.newlines

/**
 * How cells and rows are told apart.
 *
 * @category models
 * @since 0.1.0
 */
export interface Dialect {
  readonly columnDelimiter: ColumnDelimiter
  readonly lineEnding: LineEnding
}

/**
 * The dialect of a job that asks for none: commas and line feeds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const standard: Dialect = dialects.standard

/**
 * Writes rows as bytes, one block for each array of rows.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = <E, R>(rows: Stream.Stream<Row, E, R>): Stream.Stream<Uint8Array, E, R> => encodeWith()(rows)

/**
 * Writes rows as bytes of a dialect, one block for each array of rows.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeWith =
  (dialect: Dialect = standard) =>
  <E, R>(rows: Stream.Stream<Row, E, R>): Stream.Stream<Uint8Array, E, R> => {
    const encoder = new TextEncoder()
    return Stream.mapArray(rows, (rows) => [encoder.encode(encodeRows(rows, dialect))])
  }

/**
 * Writes rows as text, each with its line ending.
 *
 * **Example** (A header)
 *
 * ```ts
 * Csv.encodeRows([["Name", "Owner.Email"]]) // "Name,Owner.Email\n"
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeRows: (rows: ReadonlyArray<Row>, dialect?: Dialect) => string = rows.encodeRows

/**
 * Reads bytes as the rows that follow the header.
 *
 * `onHeader` sees the header once and gives what turns each array of rows into
 * values. Every row has the header's width. Without any row, `onHeader` is never
 * called and the stream is empty. Lines may end in any way, whatever the dialect.
 *
 * Fails with `CsvError` when the bytes are no CSV or a row has another width.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode =
  <B, E2>(
    onHeader: (
      header: Row
    ) => Effect.Effect<(rows: Arr.NonEmptyReadonlyArray<Row>) => Effect.Effect<ReadonlyArray<B>, E2>, E2>,
    dialect: Dialect = standard
  ) =>
  <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<B, E | E2 | CsvError, R> => {
    type OnRows = (rows: Arr.NonEmptyReadonlyArray<Row>) => Effect.Effect<ReadonlyArray<B>, E2>
    const none: ReadonlyArray<B> = []
    return bytes.pipe(
      through(() => new Parser(dialect, rowsOfText), inBlocks),
      Stream.mapAccumArrayEffect(
        (): OnRows | undefined => undefined,
        Effect.fnUntraced(function* (state, chunk) {
          const [header, ...rest] = chunk
          const rows = state === undefined ? rest : chunk
          const onRows = state ?? (yield* onHeader(header))
          return [onRows, Arr.isReadonlyArrayNonEmpty(rows) ? yield* onRows(rows) : none] as const
        })
      )
    )
  }

/** Reads the header and all rows as texts. */
const rowsOfText: OnHeader<Row, never> = (header, out) => {
  out.push(header)
  const width = header.length
  return eachRow(width, (block, at, o): Row => {
    const row = new Array<string>(width)
    for (let i = 0; i < width; i++) row[i] = block.cell(at[o + 2 * i]! + 1, at[o + 2 * i + 1]!)
    return row
  })
}

/**
 * Reads bytes as what `make` makes of each row that follows the header: of an object
 * of its cells by their columns, and of the cells of the columns that `apart` tells of,
 * which that object leaves out. What the header lacks is an empty text.
 *
 * Every row has the header's width. Fails with `CsvError` as `decode` does.
 *
 * **Example** (The rows of a result file, with their ids)
 *
 * ```ts
 * const ids = bytes.pipe(Csv.decodeNamed({ apart: ["sf__Id"], make: (row, [id]) => ({ id, row }) }))
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeNamed =
  <const Apart extends ReadonlyArray<string>, B>(
    options: {
      readonly apart: Apart
      /** Which other columns the object has. Default: all. */
      readonly isWanted?: ((column: string) => boolean) | undefined
      readonly make: (row: Readonly<Record<string, string>>, apart: { readonly [K in keyof Apart]: string }) => B
    },
    dialect: Dialect = standard
  ) =>
  <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<B, E | CsvError, R> => {
    const { apart, isWanted = () => true, make } = options
    const onHeader: OnHeader<B, never> = (header) => {
      const places: Array<Place> = []
      header.forEach((name, position) => {
        if (!apart.includes(name) && isWanted(name)) places.push({ name, position })
      })
      const read = namedReader(places)
      const offsets = apart.map((name) => 2 * header.indexOf(name))
      return eachRow(header.length, (block, at, o) => {
        const cells = new Array<string>(offsets.length)
        for (let i = 0; i < offsets.length; i++) {
          const offset = offsets[i]!
          cells[i] = offset < 0 ? "" : block.cell(at[o + offset]! + 1, at[o + offset + 1]!)
        }
        return make(read(block, at, o), cells as { readonly [K in keyof Apart]: string })
      })
    }
    return bytes.pipe(through(() => new Parser(dialect, onHeader), inBlocks))
  }

/**
 * What the first bytes of a file tell of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Detected {
  readonly dialect: Dialect
  /** Whether it begins with a byte order mark. */
  readonly bom: boolean
}

/**
 * Tells the dialect of a file by its first bytes, of which it looks at 64 KiB: the
 * delimiter under which rows have one width, and the first line ending outside
 * quotes. A file of one column has commas, one of one line line feeds.
 *
 * Fails with `CsvError` for UTF-16.
 *
 * @category detection
 * @since 0.1.0
 */
export const detect = (sample: Uint8Array): Result.Result<Detected, CsvError> => detecting.detect(sample)

/**
 * Whole records of a file, about 64 KiB of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Block {
  /** The columns of the file, the same in all its blocks. */
  readonly header: Row
  /** The header as it is written, with its line ending. */
  readonly headerBytes: Uint8Array
  /** The dialect of `headerBytes` and `bytes`. */
  readonly dialect: Dialect
  /** The records as they are written, each with its line ending. */
  readonly bytes: Uint8Array
  /** How many records there are, at least one. */
  readonly records: number
  /** The line of the file on which the first of them begins, counted from 1. */
  readonly line: number
  /** The cells of the column that `key` names, one for each record; none without it. */
  readonly keys: ReadonlyArray<string>
}

/**
 * How `blocks` reads a file.
 *
 * @category models
 * @since 0.1.0
 */
export interface BlocksOptions {
  /** What is between cells. Default: what `detect` finds. */
  readonly columnDelimiter?: ColumnDelimiter | undefined
  /** What is to end lines, within cells too, whatever ends them in the file. Default: what `detect` finds. */
  readonly lineEnding?: LineEnding | undefined
  /** A column whose cells are wanted, in any case. */
  readonly key?: string | undefined
}

/**
 * Cuts the bytes of a file into blocks of whole records, as they can be uploaded:
 * a BOM and blank lines are left out, and every line, within cells too, ends as
 * `lineEnding` says. All else stays as it is. A file without records has no blocks.
 *
 * Fails with `CsvError`, which names the line, for what makes Salesforce fail a
 * whole job: a quote that never closes, text after a closing quote, a row of
 * another width than the header, a cell, row or header that is too long, rows that
 * end with a carriage return alone, columns without a name, with blanks around it or with the same one,
 * and bytes that are not UTF-8. Records before it come out first.
 *
 * @category detection
 * @since 0.1.0
 */
export const blocks =
  (options: BlocksOptions = {}) =>
  <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Block, E | CsvError, R> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const { columnDelimiter, key, lineEnding } = options
        const pull = yield* Stream.toPull(bytes)
        const arrived: Array<Uint8Array> = []
        let length = 0
        let isWhole = false
        while (!isWhole && length < detecting.sampleBytes) {
          const next = yield* Effect.asSome(pull).pipe(Pull.catchDone(() => Effect.succeedNone))
          if (Option.isNone(next)) isWhole = true
          else {
            for (const bytes of next.value) {
              arrived.push(bytes)
              length += bytes.length
            }
          }
        }
        const { dialect } = yield* Effect.fromResult(detect(concat(arrived, detecting.sampleBytes)))
        const rest = isWhole ? Effect.suspend(() => Cause.done()) : pull
        return Stream.fromArray(arrived).pipe(
          Stream.concat(Stream.fromPull(Effect.succeed(rest))),
          through(
            () =>
              new cutting.Cutter(
                {
                  columnDelimiter: columnDelimiter ?? dialect.columnDelimiter,
                  lineEnding: lineEnding ?? dialect.lineEnding
                },
                key
              )
          )
        )
      })
    )

/** The first bytes of several arrays. */
const concat = (arrays: ReadonlyArray<Uint8Array>, most: number): Uint8Array => {
  const all = new Uint8Array(
    Math.min(
      most,
      Arr.reduce(arrays, 0, (sum, array) => sum + array.length)
    )
  )
  let length = 0
  for (const array of arrays) {
    all.set(array.subarray(0, all.length - length), length)
    length = Math.min(all.length, length + array.length)
  }
  return all
}
