/** The batches of a job, which run beside each other, and in each the chunks that are left. */
import type { Row } from "./csv.ts"
import { batchSize, chunkSize } from "./ingest.ts"
import type { IngestJob } from "./job.ts"
import type { Store } from "./Store.ts"
import { Rows } from "./upload.ts"

/** How many batches of a job run at once. */
const abreast = 5

/** Rows that are written as one transaction. */
export interface Chunk {
  /** Chunks are numbered in the order of the upload. */
  readonly number: number
  readonly rows: ReadonlyArray<Row>
}

interface Batch {
  chunk: number
  readonly rows: Rows
}

const perBatch = batchSize / chunkSize

export class Batches {
  private readonly store: Store
  private readonly job: IngestJob
  private readonly running: Array<Batch> = []
  private next = 0

  constructor(store: Store, job: IngestJob) {
    this.store = store
    this.job = job
    this.fill()
  }

  /** The next chunk of each batch that runs: none when all are done. Who stops early gets the rest later. */
  *round(): Generator<Chunk> {
    for (const batch of Array.from(this.running)) {
      const rows = batch.rows.take(chunkSize)
      if (rows.length > 0) yield { number: batch.chunk++, rows }
      if (rows.length < chunkSize || batch.chunk % perBatch === 0) {
        this.running.splice(this.running.indexOf(batch), 1)
        this.fill()
      }
    }
  }

  private fill(): void {
    const chunks = Math.ceil((this.job.rows ?? 0) / chunkSize)
    while (this.running.length < abreast && this.next < chunks) {
      const end = Math.min(this.next + perBatch, chunks)
      // an org that was stopped goes on behind what it had committed
      let chunk = this.next
      while (chunk < end && this.store.hasBlock(this.job.id, "successful", chunk)) chunk++
      this.next = end
      if (chunk === end) continue
      this.running.push({ chunk, rows: new Rows(this.store, this.job, chunk * chunkSize, end * chunkSize) })
    }
  }
}
