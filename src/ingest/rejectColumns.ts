/** The columns that a reject file has besides those that were sent. A load of the file leaves them out. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Csv from "../record/Csv.ts"

export const rejectColumns = ["_error_code", "_error_message", "_cause", "_hint"] as const

const own: ReadonlySet<string> = new Set(rejectColumns)

const isOwn = (column: string): boolean => own.has(column.toLowerCase())

/** The block without them. */
export const withoutRejectColumns = (block: Csv.Block): Effect.Effect<Csv.Block, Csv.CsvError> => {
  if (!block.header.some(isOwn)) return Effect.succeed(block)
  const sent = block.header.flatMap((column, position) => (isOwn(column) ? [] : [position]))
  const pick = (row: Csv.Row) => sent.map((position) => row[position]!)
  const write = (rows: ReadonlyArray<Csv.Row>) => encoder.encode(Csv.encodeRows(rows, block.dialect))
  const header = pick(block.header)
  return Effect.map(Stream.runCollect(Stream.map(rowsOf(block), pick)), (rows) => ({
    ...block,
    header,
    headerBytes: write([header]),
    bytes: write(rows)
  }))
}

/** The cells of the rows of a block. */
export const rowsOf = (block: Csv.Block): Stream.Stream<Csv.Row, Csv.CsvError> =>
  Stream.fromArray([block.headerBytes, block.bytes]).pipe(
    Csv.decode(() => Effect.succeed((rows) => Effect.succeed(rows)), block.dialect)
  )

const encoder = new TextEncoder()
