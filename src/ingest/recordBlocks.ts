import * as Csv from "../record/Csv.ts"
import type * as RecordCodec from "../record/RecordCodec.ts"
import { type Block, type Blocks, clientFailure, type Layout, rejectedOnly } from "./inlet.ts"
import type * as Outcome from "./Outcome.ts"

/** How records are written. */
export interface RecordLayout<A, B> {
  readonly codec: RecordCodec.RecordCodec<A>
  readonly encoder: RecordCodec.EncoderOptions & { readonly columns: ReadonlyArray<string> }
  /** How the records are written where they are to be read back, if that takes more than what is sent. */
  readonly readable: RecordCodec.EncoderOptions | undefined
  /** The outcome's record for one that is not sent. */
  readonly shown: (record: A) => B
  /** The records that are to be held in memory. */
  readonly held: (records: ReadonlyArray<A>) => ReadonlyArray<B>
  /** How many bytes a block may have at most: no part takes more. */
  readonly maxBytes: number
}

const blockBytes = 64 * 1024
const utf8 = new TextEncoder()

/** Blocks of records. */
export const recordBlocks = <A, B>(options: RecordLayout<A, B>): Blocks<A, B> => {
  const { codec, encoder, held, maxBytes, readable, shown } = options
  const dialect = encoder.dialect ?? Csv.standard
  const encode = codec.encoder(encoder)
  const encodeReadable = readable === undefined ? undefined : codec.encoder(readable)
  const header = (columns: ReadonlyArray<string>) => utf8.encode(Csv.encodeRows([columns], dialect))
  const layout: Layout = {
    header: header(encoder.columns),
    readableHeader: readable === undefined ? undefined : header(codec.columns),
    dialect,
    keyColumn: encoder.key
  }
  // a part is cut between blocks: small parts want small blocks
  const target = Math.min(blockBytes, maxBytes / 4)
  let waiting: ReadonlyArray<A> = []
  /** The same array as `waiting`, if it is not the source's. */
  let own: Array<A> | undefined
  let at = 0
  /** How many bytes a row has, about. */
  let rowBytes = 128
  const most = () => Math.max(1, Math.floor(target / rowBytes))

  return {
    layout: () => layout,
    add: (records) => {
      if (at === waiting.length) {
        waiting = records
        own = undefined
        at = 0
      } else {
        if (own === undefined) {
          waiting = own = waiting.slice(at)
          at = 0
        }
        for (const record of records) own.push(record)
      }
    },
    isFull: (rows) => waiting.length - at >= Math.min(rows, most()),
    next: (rows) => {
      const rejected: Array<Outcome.Failed<B>> = []
      while (at < waiting.length && rows > 0) {
        const records =
          at === 0 && waiting.length <= Math.min(rows, most())
            ? waiting
            : waiting.slice(at, at + Math.min(rows, most()))
        // what could not be read back is not sent either
        const first = encodeReadable?.(records)
        const encoded = encode(first?.written ?? records)
        const { bytes } = encoded
        if (bytes.length > maxBytes && records.length > 1) {
          rowBytes = Math.max(rowBytes * 2, bytes.length / encoded.rows)
          continue
        }
        at += records.length
        for (const { problem, record } of [...(first?.rejected ?? []), ...encoded.rejected]) {
          rejected.push(clientFailure(shown(record), problem))
        }
        if (encoded.rows === 0) continue
        rowBytes = Math.max(1, bytes.length / encoded.rows)
        if (bytes.length > maxBytes) {
          const message = `its row has ${bytes.length} bytes, more than a part may have`
          for (const record of encoded.written)
            rejected.push(clientFailure(shown(record), { column: undefined, message }))
          continue
        }
        const block: Block<B> = {
          bytes,
          rows: encoded.rows,
          keys: encoded.keys,
          records: held(encoded.written),
          recordAt: (row) => shown(encoded.written[row] as A),
          readable:
            first && (encoded.rejected.length === 0 ? first : (encodeReadable?.(encoded.written) ?? first)).bytes,
          rejected
        }
        return block
      }
      return rejected.length === 0 ? undefined : rejectedOnly(rejected)
    }
  }
}
