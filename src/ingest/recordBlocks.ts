import * as Csv from "../record/Csv.ts"
import { concat } from "../record/csv/concat.ts"
import type * as RecordCodec from "../record/RecordCodec.ts"
import { blankRow, blankRows } from "./blankRows.ts"
import { type Block, type Blocks, clientFailure, type Layout, rejectedOnly } from "./inlet.ts"
import type * as Outcome from "./Outcome.ts"
import { withoutRows } from "./rows.ts"

/** How records are written. */
export interface RecordLayout<A, B> {
  readonly codec: RecordCodec.RecordCodec<A>
  readonly encoder: RecordCodec.EncoderOptions & { readonly columns: ReadonlyArray<string> }
  /** How the records are written where they are to be read back, if that takes more columns than are sent. */
  readonly readable: RecordCodec.EncoderOptions | undefined
  /** The outcome's record for one that is not sent. */
  readonly shown: (record: A) => B
  /** Which records are held in memory: all, none, or those that could not be read back as they are. */
  readonly holds: "all" | "changed" | "none"
  /** Whether the schema reads what it wrote; asked of one record, and of those that it may refuse. */
  readonly readsBack: (record: A) => boolean
  /** Which records the schema may refuse when it reads them back, though it reads others; undefined if none. */
  readonly mayBeRefused: ((record: A) => boolean) | undefined
  /** Which records have a field that does not come back as it was; undefined if none. */
  readonly loses: ((record: A) => boolean) | undefined
  /** How many bytes a block may have at most: no part takes more. */
  readonly maxBytes: number
}

const blockBytes = 64 * 1024
const utf8 = new TextEncoder()

/** Blocks of records. */
export const recordBlocks = <A, B>(options: RecordLayout<A, B>): Blocks<A, B> => {
  const { codec, encoder, loses, maxBytes, mayBeRefused, readable, readsBack, shown } = options
  const dialect = encoder.dialect ?? Csv.standard
  const encode = encoderOf(codec, encoder)
  const encodeReadable = readable === undefined ? undefined : codec.encoder(readable)
  const header = (columns: ReadonlyArray<string>) => utf8.encode(Csv.encodeRows([columns], dialect))
  const blankRow = utf8.encode(Csv.encodeRows([codec.columns.map(() => "")], dialect))
  const layout: Layout = {
    header: header(encoder.columns),
    readableHeader: readable === undefined ? undefined : header(codec.columns),
    dialect,
    keyColumn: encoder.key
  }
  // a part is cut between blocks: small parts want small blocks
  const target = Math.min(blockBytes, maxBytes / 4)
  const none: ReadonlyMap<number, B> = new Map()
  let { holds } = options
  let hasReadBack = false
  let waiting: ReadonlyArray<A> = []
  let at = 0
  /** How many bytes a row has, about. */
  let rowBytes = 128
  const most = () => Math.max(1, Math.floor(target / rowBytes))

  /** The records as they are to be read back; those that cannot be written are held, and have blank rows. */
  const readableOf = (
    records: ReadonlyArray<A>,
    held: Map<number, B>
  ): Pick<RecordCodec.Encoded<A>, "bytes" | "hasReturns"> | undefined => {
    if (encodeReadable === undefined) return undefined
    const whole = encodeReadable(records)
    if (whole.rejected.length === 0) return whole
    const bytes = concat(
      records.map((record, row) => {
        const { bytes, rows } = encodeReadable([record])
        if (rows === 1) return bytes
        held.set(row, shown(record))
        return blankRow
      })
    )
    return { bytes, hasReturns: true }
  }

  /** Adds the records that the bytes do not hold as they are. */
  const hold = (records: ReadonlyArray<A>, mayHaveReturns: boolean, held: Map<number, B>): void => {
    if (holds === "changed" && !hasReadBack) {
      const plain = records.findIndex((record) => loses?.(record) !== true && mayBeRefused?.(record) !== true)
      hasReadBack = plain >= 0
      if (hasReadBack && !readsBack(records[plain] as A)) holds = "all"
    }
    const areAsked = mayHaveReturns || loses !== undefined || mayBeRefused !== undefined
    if (holds === "none" || (holds === "changed" && !areAsked)) return
    for (let row = 0; row < records.length; row++) {
      const record = records[row] as A
      const isHeld =
        holds === "all" ||
        (mayHaveReturns && hasReturns(record)) ||
        loses?.(record) === true ||
        (mayBeRefused?.(record) === true && !readsBack(record))
      if (isHeld) held.set(row, shown(record))
    }
  }

  return {
    layout: () => layout,
    add: (records) => {
      // those that were taken are let go: an array that only grew would hold the whole source
      waiting = at === waiting.length ? records : waiting.slice(at).concat(records)
      at = 0
    },
    // half a block is enough: to make up a whole one of several arrays would leave some of the last
    isFull: (rows) => waiting.length - at >= Math.min(rows, most() / 2),
    next: (rows) => {
      const rejected: Array<Outcome.Failed<B>> = []
      while (at < waiting.length && rows > 0) {
        const records =
          at === 0 && waiting.length <= Math.min(rows, most())
            ? waiting
            : waiting.slice(at, at + Math.min(rows, most()))
        const encoded = encode(records)
        const { bytes } = encoded
        const held = new Map<number, B>()
        const readable = readableOf(encoded.written, held)
        const size = Math.max(bytes.length, readable?.bytes.length ?? 0)
        if (size > maxBytes && records.length > 1) {
          rowBytes = Math.max(rowBytes * 2, size / encoded.rows)
          continue
        }
        at += records.length
        // nothing is asked for while the block is sent: those that were taken are not to wait with it
        if (waiting.length - at < most()) {
          waiting = waiting.slice(at)
          at = 0
        }
        for (const { problem, record } of encoded.rejected) rejected.push(clientFailure(shown(record), problem))
        if (encoded.rows === 0) continue
        rowBytes = Math.max(1, size / encoded.rows)
        if (size > maxBytes) {
          const message = `its row has ${size} bytes, more than a part may have`
          for (const record of encoded.written)
            rejected.push(clientFailure(shown(record), { column: undefined, message }))
          continue
        }
        hold(encoded.written, (readable ?? encoded).hasReturns, held)
        const block: Block<B> = {
          bytes,
          rows: encoded.rows,
          keys: encoded.keys,
          held: held.size === 0 ? none : held,
          recordAt: (row) => shown(encoded.written[row] as A),
          readable: readable?.bytes,
          rejected
        }
        return block
      }
      return rejected.length === 0 ? undefined : rejectedOnly(rejected)
    }
  }
}

/** Writes records; those of one column only where the row is not taken for a blank line. */
const encoderOf = <A>(
  codec: RecordCodec.RecordCodec<A>,
  options: RecordLayout<A, never>["encoder"]
): ((records: ReadonlyArray<A>) => RecordCodec.Encoded<A>) => {
  const encode = codec.encoder(options)
  const [column = "", ...others] = options.columns
  // a key that is empty is refused already
  if (others.length > 0 || options.key !== undefined) return encode
  return (records) => {
    const encoded = encode(records)
    const blank = blankRows(encoded.bytes)
    if (blank.size === 0) return encoded
    const problem = { ...blankRow(column), value: "" }
    return {
      ...encoded,
      bytes: withoutRows(encoded.bytes, (row) => !blank.has(row)),
      rows: encoded.rows - blank.size,
      written: encoded.written.filter((_, row) => !blank.has(row)),
      rejected: [...encoded.rejected, ...Array.from(blank, (row) => ({ record: encoded.written[row] as A, problem }))]
    }
  }
}

/** Whether a text holds a carriage return: line breaks are written as the job's. */
const hasReturns = (value: unknown): boolean =>
  typeof value === "string"
    ? value.includes("\r")
    : typeof value === "object" && value !== null && Object.values(value).some(hasReturns)
