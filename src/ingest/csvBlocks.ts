import * as Csv from "../record/Csv.ts"
import { blankRow, blankRows } from "./blankRows.ts"
import { type Block, type Blocks, clientFailure, type Layout, rejectedOnly } from "./inlet.ts"
import type * as Outcome from "./Outcome.ts"
import { cellsIn, prefix, rowsIn, withoutRows } from "./rows.ts"

const none: ReadonlyMap<number, Outcome.CsvRow> = new Map()
const noRows: ReadonlySet<number> = new Set()
const utf8 = new TextEncoder()

/** The row as an outcome holds it. */
export const csvRow = (header: Csv.Row, cells: Csv.Row): Outcome.CsvRow =>
  Object.fromEntries(header.map((column, position) => [column, cells[position]!]))

/** Blocks of a file that is CSV already: its bytes, as they are. */
export const csvBlocks = (options: {
  readonly key: string | undefined
  readonly canonical: (cell: string) => string
  /** How many bytes a part may have, its header included. */
  readonly partBytes: number
}): Blocks<Csv.Block, Outcome.CsvRow> => {
  const { canonical, key, partBytes } = options
  let waiting: ReadonlyArray<Csv.Block> = []
  /** How many rows and bytes of the first block are taken. */
  let rowsTaken = 0
  let bytesTaken = 0
  /** Known from the first block on. */
  let layout: Layout | undefined
  let header: Csv.Row = []

  const begun = (): Layout => {
    if (layout === undefined) throw new RangeError("the header is not known yet")
    return layout
  }

  /** The rows that are not sent, and why. */
  const blanksOf = (bytes: Uint8Array, keys: ReadonlyArray<string>) => {
    const { keyColumn } = begun()
    if (keyColumn === undefined) {
      return { blank: header.length > 1 ? noRows : blankRows(bytes), problem: blankRow(header[0]!) }
    }
    const message = "the key is empty: its outcome could not be told from others"
    const blank = keys.includes("") ? new Set(keys.flatMap((key, row) => (key === "" ? [row] : []))) : noRows
    return { blank, problem: { column: keyColumn, message } }
  }

  const recordsOf = (bytes: Uint8Array): ((row: number) => Outcome.CsvRow) => {
    const rowOf = rowsIn(bytes)
    return (row) => csvRow(header, cellsIn(rowOf(row), header.length, begun().dialect)[0]!)
  }

  return {
    layout: begun,
    add: (blocks) => {
      waiting = [...waiting, ...blocks]
      const [first] = waiting
      if (layout !== undefined || first === undefined) return
      header = first.header
      layout = {
        header: first.headerBytes,
        readableHeader: undefined,
        dialect: first.dialect,
        keyColumn: header.find((column) => column.toLowerCase() === key?.toLowerCase())
      }
    },
    isFull: () => waiting.length > 0,
    next: (most) => {
      const rejected: Array<Outcome.Failed<Outcome.CsvRow>> = []
      for (let block = waiting[0]; block !== undefined && most > 0; block = waiting[0]) {
        const maxBytes = partBytes - begun().header.length
        const rest = block.bytes.subarray(bytesTaken)
        const part = prefix(rest, Math.min(most, block.records - rowsTaken), maxBytes)
        const keys = block.keys.slice(rowsTaken, rowsTaken + part.rows).map(canonical)
        const bytes = rest.subarray(0, part.end)
        rowsTaken += part.rows
        bytesTaken += part.end
        if (rowsTaken === block.records) {
          waiting = waiting.slice(1)
          rowsTaken = bytesTaken = 0
        }
        if (part.end > maxBytes) {
          const message = `its row has ${part.end} bytes, more than a part may have`
          rejected.push(clientFailure(recordsOf(bytes)(0), { column: undefined, message }))
          continue
        }
        const { blank, problem } = blanksOf(bytes, keys)
        const recordAt = recordsOf(bytes)
        for (const row of blank) rejected.push(clientFailure(recordAt(row), problem))
        const sent =
          blank.size === 0 ? { bytes, rows: part.rows, keys } : without(blank, { bytes, rows: part.rows, keys })
        const result: Block<Outcome.CsvRow> = {
          ...sent,
          held: none,
          recordAt: recordsOf(sent.bytes),
          readable: undefined,
          rejected
        }
        return result
      }
      return rejected.length === 0 ? undefined : rejectedOnly(rejected)
    }
  }
}

type Rows = Pick<Block<never>, "bytes" | "rows" | "keys">

/** The rows that are left. */
const without = (blank: ReadonlySet<number>, { bytes, keys, rows }: Rows): Rows => ({
  bytes: withoutRows(bytes, (row) => !blank.has(row)),
  rows: rows - blank.size,
  keys: keys.filter((_, row) => !blank.has(row))
})

/** Rows of a file, written once more. */
export const rewritten = (
  rows: ReadonlyArray<Outcome.CsvRow>,
  layout: Layout,
  canonical: (cell: string) => string
): Block<Outcome.CsvRow> => ({
  bytes: utf8.encode(Csv.encodeRows(rows.map(Object.values), layout.dialect)),
  rows: rows.length,
  keys: rows.map((row) => canonical(row[layout.keyColumn!]!)),
  held: none,
  recordAt: (row) => rows[row]!,
  readable: undefined,
  rejected: []
})
