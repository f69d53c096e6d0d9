/** What becomes of the rows of an ingest job: chunks of 200 into records and result rows. */
import { columnsOf } from "./columns.ts"
import { delimiters, escape, lineEndings, quote, type Row } from "./csv.ts"
import type { ObjectDescribe } from "./Describe.ts"
import type { IngestJob } from "./job.ts"
import * as Rules from "./Rules.ts"
import { type Outcome, RowWriter, type Settle } from "./rowWriter.ts"
import type { RowRules } from "./ruling.ts"
import type { Block, Store } from "./Store.ts"
import { knows } from "./versions.ts"

/** Rows that are written, or refused, as one transaction. */
export const chunkSize = 200

/** Rows that cannot reference one another. */
export const batchSize = 10_000

/** What a chunk left behind: the rows of either result file. */
export interface ChunkResult {
  readonly successful: Omit<Block, "seq">
  readonly failed: Omit<Block, "seq">
}

const encoder = new TextEncoder()

/** Writes the rows of one chunk, whose number is `chunk`; within a transaction of the caller's. */
export type ProcessChunk = (rows: ReadonlyArray<Row>, now: number, chunk: number) => ChunkResult

/** The records that each batch made, as long as it may be under way. */
class Batches {
  private readonly created = new Map<number, Set<string>>()
  private current = new Set<string>()

  begin(chunk: number): void {
    const batch = Math.floor((chunk * chunkSize) / batchSize)
    let current = this.created.get(batch)
    if (current === undefined) {
      current = new Set()
      this.created.set(batch, current)
      // batches run beside each other, but not many
      for (const each of this.created.keys()) if (each < batch - 8) this.created.delete(each)
    }
    this.current = current
  }

  readonly add = (id: string): void => {
    this.current.add(id)
  }

  readonly has = (id: string): boolean => this.current.has(id)
}

/** What rows are written into, and by which rules. */
export interface Target {
  readonly store: Store
  readonly objects: ReadonlyMap<string, ObjectDescribe>
  readonly rules: RowRules
}

/** Prepares the processing of a job's rows, or says why the whole job fails. */
export const prepare = (options: Target, job: IngestJob, header: Row): ProcessChunk | string => {
  const object = options.objects.get(job.object.toLowerCase())
  if (object === undefined) return `InvalidEntity : Unable to find object: ${job.object}`
  const batches = new Batches()
  const columns = columnsOf({ ...options, object, job, isOfBatch: batches.has }, header)
  if (typeof columns === "string") return columns
  const refersToItself = columns.some(
    ({ field, lookup }) => lookup !== undefined && field.referenceTo.includes(object.name)
  )
  const delimiter = delimiters[job.columnDelimiter]
  const lineEnding = lineEndings[job.lineEnding]
  const namesFailed = knows(job.apiVersion, "failedIds")
  // of the chunk that is under way: the cells of its rows as they are given back, and the text of both files
  const cells: Array<string> = []
  const successful: Array<string> = []
  const failed: Array<string> = []
  let settled = 0
  const echo = new Array<string>(columns.length)
  const between = `"${delimiter}"`
  const settle: Settle = {
    written: (id, created) => {
      successful.push(`"${id}"${delimiter}"${created}"${delimiter}"${cells[settled++]}"${lineEnding}`)
    },
    refused: (errors, values) => {
      const id = namesFailed ? writer.idOf(values) : ""
      failed.push(`"${id}"${delimiter}${quote(Rules.render(errors))}${delimiter}"${cells[settled++]}"${lineEnding}`)
    }
  }
  const onCreated = refersToItself ? batches.add : undefined
  const writer = new RowWriter({ ...options, object, columns, job, settle, clears: "#N/A", onCreated })
  return (rows, millis, chunk) => {
    batches.begin(chunk)
    writer.begin(new Date(millis).toISOString(), rows.length)
    settled = 0
    successful.length = 0
    failed.length = 0
    let errors: Array<Rules.RowError> = []
    for (const [number, row] of rows.entries()) {
      const values = writer.convert(row, errors)
      for (let i = 0; i < row.length; i++) echo[i] = escape(columns[i]!.echo(row[i]!, values[i]))
      cells[number] = echo.join(between)
      if (errors.length === 0) writer.write(row, values)
      else {
        writer.refuse(values, errors)
        errors = []
      }
    }
    writer.flush()
    return {
      successful: { rows: successful.length, bytes: encoder.encode(successful.join("")) },
      failed: { rows: failed.length, bytes: encoder.encode(failed.join("")) }
    }
  }
}

/** The cell of a single row that clears a field: JSON says that with null, and `#N/A` is a text. */
export const cleared = "\u0000"

/**
 * Writes a single row, as REST does; within a transaction of the caller's. A text
 * says why its columns cannot be.
 */
export const writeRow = (options: Target, job: IngestJob, header: Row, row: Row, millis: number): Outcome | string => {
  const object = options.objects.get(job.object.toLowerCase())
  if (object === undefined) return `InvalidEntity : Unable to find object: ${job.object}`
  const columns = columnsOf({ ...options, object, job, isOfBatch: () => false }, header)
  if (typeof columns === "string") return columns
  let outcome: Outcome = []
  const settle: Settle = {
    written: (id, created) => {
      outcome = { id, created }
    },
    refused: (errors) => {
      outcome = errors
    }
  }
  const writer = new RowWriter({ ...options, object, columns, job, settle, clears: cleared, onCreated: undefined })
  writer.begin(new Date(millis).toISOString(), 1)
  const errors: Array<Rules.RowError> = []
  const values = writer.convert(row, errors)
  if (errors.length === 0) writer.write(row, values)
  else writer.refuse(values, errors)
  writer.flush()
  return outcome
}
