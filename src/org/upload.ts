/** The rows of an upload, as many at a time as are asked for. */
import { CsvReader, type Row } from "./csv.ts"
import type { IngestJob } from "./job.ts"
import type { Store } from "./Store.ts"

export class Upload {
  /** The first row; undefined when nothing was uploaded. */
  readonly header: Row | undefined
  private readonly store: Store
  private readonly job: IngestJob
  private readonly reader: CsvReader
  // a BOM is kept, since it spoils a header
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  private rows: ReadonlyArray<Row> = []
  private at = 0
  private seq = 0
  private ended = false

  constructor(store: Store, job: IngestJob, lineEnding: IngestJob["lineEnding"] | "any" = job.lineEnding) {
    this.store = store
    this.job = job
    this.reader = new CsvReader({ columnDelimiter: job.columnDelimiter, lineEnding })
    this.header = this.take(1)[0]
  }

  /** Why there are no further rows, if that is not because the upload ended. */
  get error(): string | undefined {
    return this.reader.error
  }

  /** The next rows: `count` of them, fewer only at the end. */
  take(count: number): ReadonlyArray<Row> {
    while (this.rows.length - this.at < count && !this.ended) this.read()
    const taken = this.rows.slice(this.at, this.at + count)
    this.at += taken.length
    return taken
  }

  private read(): void {
    const { job } = this
    const block = job.upload === undefined ? undefined : this.store.blockFrom(job.id, job.upload, this.seq)
    const last = block === undefined
    const text = this.decoder.decode(block?.bytes, { stream: !last })
    this.rows = this.rows.slice(this.at).concat(this.reader.push(text, last))
    this.at = 0
    this.seq++
    this.ended = last || this.error !== undefined
  }
}
