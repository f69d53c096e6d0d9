/**
 * CSV as Bulk API 2.0 speaks it: rows of cells to bytes and back.
 *
 * UTF-8 without a BOM, comma-separated, a header first, a line feed after every
 * row. What is read may end its lines in any way.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as EffectCsv from "effect/encoding/Csv"
import * as Stream from "effect/Stream"

/**
 * A row as its cells.
 *
 * @category models
 * @since 0.1.0
 */
export type Row = ReadonlyArray<string>

/**
 * CSV that cannot be read.
 *
 * @category errors
 * @since 0.1.0
 */
export class CsvError extends Data.TaggedError("CsvError")<{ readonly message: string }> {}

/**
 * Writes rows as bytes, one block for each array of rows.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = <E, R>(rows: Stream.Stream<Row, E, R>): Stream.Stream<Uint8Array, E, R> =>
  Stream.pipeThroughChannel(rows, EffectCsv.encode<E>({ newline: "\n" }))

// far above what Salesforce allows a record, far below what a quote that never closes would collect
const maxRecordSize = 32 * 1024 * 1024

/**
 * Reads bytes as the rows that follow the header.
 *
 * `onHeader` sees the header once and gives what turns each array of rows into
 * values. Every row has the header's width. Without any row, `onHeader` is never
 * called and the stream is empty.
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
    ) => Effect.Effect<(rows: Arr.NonEmptyReadonlyArray<Row>) => Effect.Effect<ReadonlyArray<B>, E2>, E2>
  ) =>
  <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<B, E | E2 | CsvError, R> => {
    interface State {
      readonly width: number
      readonly onRows: (rows: Arr.NonEmptyReadonlyArray<Row>) => Effect.Effect<ReadonlyArray<B>, E2>
    }
    const none: ReadonlyArray<B> = []
    return bytes.pipe(
      Stream.pipeThroughChannel(EffectCsv.decode<E>({ ignoreEmptyLines: true, maxRecordSize })),
      Stream.mapError((error) =>
        EffectCsv.isCsvError(error) ? new CsvError({ message: `line ${error.line}: ${error.message}` }) : error
      ),
      Stream.mapAccumArrayEffect(
        (): State | undefined => undefined,
        Effect.fnUntraced(function* (state, chunk) {
          const [header, ...rest] = chunk
          const rows = state === undefined ? rest : chunk
          const now = state ?? { width: header.length, onRows: yield* onHeader(header) }
          const wrong = rows.find((row) => row.length !== now.width)
          if (wrong !== undefined) {
            return yield* new CsvError({ message: `a row has ${wrong.length} cells under ${now.width} columns` })
          }
          const values = Arr.isReadonlyArrayNonEmpty(rows) ? yield* now.onRows(rows) : none
          return [now, values] as const
        })
      )
    )
  }
