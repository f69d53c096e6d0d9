/** An upload: kept in blocks of whole rows as it arrives, read from any row on. */
import { blockLength } from "./blocks.ts"
import { CsvReader, type Dialect, type Row, RowReader } from "./csv.ts"
import { CsvScanner } from "./csvScanner.ts"
import type { IngestJob } from "./job.ts"
import type { Block, Store } from "./Store.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/**
 * Takes an upload apart as it arrives. The `seq` of a block is the number of
 * its first row; the header is part of the first block, and not counted. What
 * follows a fault is kept as it came.
 */
export class Receiver {
  private readonly dialect: Dialect
  private readonly keep: (block: Block) => void
  private readonly scanner: CsvScanner
  /** What came and is not kept yet: it begins with a row, or with the header. */
  private buffer = new Uint8Array(2 * blockLength)
  private length = 0
  /** The length at which it is looked for rows. */
  private readAt = blockLength
  private hasHeader = false
  private kept = 0
  /** Who goes on once the scanner has met what it does not know. */
  private careful: CarefulReceiver | undefined

  constructor(dialect: Dialect, keep: (block: Block) => void) {
    this.dialect = dialect
    this.keep = keep
    this.scanner = new CsvScanner(dialect)
  }

  /** The rows so far, without the header, as far as they are kept. */
  get rows(): number {
    return this.careful?.rows ?? this.kept
  }

  /** What is wrong with the CSV, as a job's `errorMessage`. */
  get fault(): string | undefined {
    return this.careful?.fault
  }

  add(bytes: Uint8Array): void {
    // blocks stay small, however much comes at once
    for (let at = 0; at < bytes.length; at += blockLength) this.addPiece(bytes.subarray(at, at + blockLength))
  }

  end(): void {
    if (this.careful === undefined) this.read(true)
    this.careful?.end()
  }

  private addPiece(bytes: Uint8Array): void {
    if (this.careful === undefined) this.buffered(bytes)
    else this.careful.add(bytes)
  }

  private buffered(bytes: Uint8Array): void {
    const length = this.length + bytes.length
    if (length > this.buffer.length) {
      const larger = new Uint8Array(2 * length)
      larger.set(this.buffer.subarray(0, this.length))
      this.buffer = larger
    }
    this.buffer.set(bytes, this.length)
    this.length = length
    if (length >= this.readAt) this.read(false)
  }

  private read(isLast: boolean): void {
    const { buffer, hasHeader, kept, length, scanner } = this
    const bytes = buffer.subarray(0, length)
    const end = scanner.scan(bytes, isLast)
    if (end === undefined) {
      this.careful = new CarefulReceiver(this.dialect, this.keep, kept, hasHeader ? scanner.width : undefined)
      this.careful.add(bytes)
      return
    }
    const rows = scanner.rows - (hasHeader || scanner.rows === 0 ? 0 : 1)
    // a block without a row would have the number of the next
    if (end > 0 && (rows > 0 || isLast)) {
      this.keep({ seq: kept, rows, bytes: bytes.slice(0, end) })
      this.hasHeader = true
      this.kept += rows
      buffer.copyWithin(0, end, length)
      this.length = length - end
    } else {
      // there may be more blank lines than can be kept until a row comes
      buffer.copyWithin(scanner.rowsEnd, end, length)
      this.length = length - end + scanner.rowsEnd
    }
    // a row that comes in small pieces is not looked through at each of them
    this.readAt = this.length + blockLength
  }
}

/** Takes an upload apart as a `Receiver` does, and finds out what is wrong with it. */
class CarefulReceiver {
  /** The rows so far, without the header. */
  rows: number
  private readonly keep: (block: Block) => void
  private readonly reader: CsvReader
  // a BOM is kept, since it spoils a header
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  private hasHeader: boolean
  /** What came since the reader was last asked. */
  private unread = ""
  /** The text of complete rows that are not kept yet. */
  private complete = ""
  private rest = ""
  private kept: number
  private faulty = 0

  /** `kept` rows of `width` cells are kept already, and with them the header. */
  constructor(dialect: Dialect, keep: (block: Block) => void, kept: number, width: number | undefined) {
    this.reader = new CsvReader(dialect, width)
    this.keep = keep
    this.rows = kept
    this.kept = kept
    this.hasHeader = width !== undefined
  }

  /** What is wrong with the CSV, as a job's `errorMessage`. */
  get fault(): string | undefined {
    return this.reader.error
  }

  add(bytes: Uint8Array): void {
    this.unread += this.decoder.decode(bytes, { stream: true })
    if (this.unread.length >= blockLength) this.read(false)
  }

  end(): void {
    this.unread += this.decoder.decode()
    this.read(true)
  }

  private read(isLast: boolean): void {
    const all = this.rest + this.unread
    const isFaulty = this.fault !== undefined
    const found = isFaulty ? 0 : this.reader.push(this.unread, isLast).length
    this.unread = ""
    if (this.fault !== undefined) {
      this.rest = ""
      this.flush(this.rows)
      // no row of these is ever read but to give them back
      const text = encoder.encode(all)
      if (text.length > 0) this.keep({ seq: this.rows + this.faulty++, rows: 0, bytes: text })
      return
    }
    this.rest = this.reader.rest
    // without a row they are blank lines
    if (found > 0) this.complete += all.slice(0, all.length - this.rest.length)
    const isFirst = !this.hasHeader && found > 0
    this.hasHeader ||= isFirst
    this.rows += isFirst ? found - 1 : found
    if (isLast || (this.rows > this.kept && this.complete.length >= blockLength)) this.flush(this.rows)
  }

  private flush(rows: number): void {
    if (this.complete === "") return
    this.keep({ seq: this.kept, rows: rows - this.kept, bytes: encoder.encode(this.complete) })
    // a block without a row must not have the number of the next
    if (rows === this.kept) this.faulty++
    this.kept = rows
    this.complete = ""
  }
}

/** The first row of an upload; undefined when nothing was uploaded. */
export const header = (store: Store, job: IngestJob): Row | undefined => {
  const block = job.upload === undefined ? undefined : store.blockFrom(job.id, job.upload, 0)
  return block === undefined
    ? undefined
    : new CsvReader({ ...job, lineEnding: "any" }).push(decoder.decode(block.bytes), true)[0]
}

/** The rows of an upload without a fault, from one on, as many at a time as are asked for. */
export class Rows {
  private readonly store: Store
  private readonly job: IngestJob
  private at: number
  private readonly end: number
  /** What reads the block of the next row. */
  private reader: RowReader | undefined

  constructor(store: Store, job: IngestJob, from: number, to: number) {
    this.store = store
    this.job = job
    this.at = from
    this.end = Math.min(to, job.rows ?? 0)
  }

  /** The next rows: `count` of them, fewer only at the end. */
  take(count: number): ReadonlyArray<Row> {
    const to = Math.min(this.at + count, this.end)
    let taken: ReadonlyArray<Row> = []
    while (this.at < to) {
      const wanted = to - this.at
      let part = this.reader?.take(wanted) ?? []
      if (part.length === 0) {
        this.reader = this.open()
        part = this.reader?.take(wanted) ?? []
      }
      // the job was deleted while it was read
      if (part.length === 0) return taken
      this.at += part.length
      taken = taken.length === 0 ? part : taken.concat(part)
    }
    return taken
  }

  /** Opens the block of the next row, at that row. */
  private open(): RowReader | undefined {
    const { at, job, store } = this
    const block = job.upload === undefined ? undefined : store.blockUpTo(job.id, job.upload, at)
    if (block === undefined) return undefined
    const reader = new RowReader(decoder.decode(block.bytes), job)
    const header = block.seq === 0 ? 1 : 0
    reader.take(header + at - block.seq)
    return reader
  }
}

/**
 * All rows of an upload after the header, with their numbers, as far as they
 * can be read: whatever their line endings, since they are only given back.
 */
export const readable = function* (store: Store, job: IngestJob): Generator<readonly [row: Row, number: number]> {
  if (job.upload === undefined) return
  const reader = new CsvReader({ columnDelimiter: job.columnDelimiter, lineEnding: "any" })
  let number = -1
  let block = store.blockFrom(job.id, job.upload, 0)
  while (block !== undefined) {
    const next = store.blockFrom(job.id, job.upload, block.seq + 1)
    for (const row of reader.push(decoder.decode(block.bytes), next === undefined)) {
      if (number >= 0) yield [row, number]
      number++
    }
    block = next
  }
}
