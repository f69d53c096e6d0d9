/** What a client downloads: the result files of an ingest job, the pages of a query job. */
import { bare, line, quote, sliceRows } from "./csv.ts"
import { chunkSize } from "./ingest.ts"
import type { IngestJob, QueryJob } from "./job.ts"
import type { Compiled } from "./Soql.ts"
import type { Store } from "./Store.ts"
import * as Upload from "./upload.ts"
import { columnOrder } from "./versions.ts"

/**
 * The result files of an ingest job. `successful` and `failed` are also the
 * parts of the store that hold their rows, by chunk.
 */
export type ResultFile = "successful" | "failed" | "unprocessed"

/** The part of the store that holds the rows of a query; the `seq` of a block is the number of its first row. */
export const queryPart = "query"

const ownColumns: Record<ResultFile, ReadonlyArray<string>> = {
  successful: ["sf__Id", "sf__Created"],
  failed: ["sf__Id", "sf__Error"],
  unprocessed: []
}

const encoder = new TextEncoder()

/** The bytes of a result file, piece by piece. */
export const ingestFile = function* (store: Store, job: IngestJob, file: ResultFile): Generator<Uint8Array> {
  const header = Upload.header(store, job)
  if (header === undefined && file === "unprocessed") return
  const uploaded = (header ?? []).map((name) => bare(name, job))
  yield encoder.encode(line([...ownColumns[file].map(quote), ...uploaded], job))
  yield* file === "unprocessed" ? unprocessedRows(store, job) : settledRows(store, job, file)
}

/** Chunk by chunk, the last one first: a real org does not keep the order of an upload either. */
const settledRows = function* (store: Store, job: IngestJob, part: string): Generator<Uint8Array> {
  let block = store.blockUpTo(job.id, part, Number.MAX_SAFE_INTEGER)
  while (block !== undefined) {
    yield block.bytes
    block = store.blockUpTo(job.id, part, block.seq - 1)
  }
}

/** The rows that no committed chunk took, as far as they can be read. */
const unprocessedRows = function* (store: Store, job: IngestJob): Generator<Uint8Array> {
  let chunk = -1
  let isSettled = false
  let text = ""
  for (const [row, number] of Upload.readable(store, job)) {
    const of = Math.floor(number / chunkSize)
    if (of !== chunk) {
      if (text !== "") yield encoder.encode(text)
      text = ""
      chunk = of
      isSettled = store.hasBlock(job.id, "successful", chunk)
    }
    if (!isSettled) text += line(row.map(quote), job)
  }
  if (text !== "") yield encoder.encode(text)
}

/** A page of query results: its header line and the rows `from` to `to` (not included). */
export const queryPage = function* (
  store: Store,
  job: QueryJob,
  query: Compiled,
  from: number,
  to: number
): Generator<Uint8Array> {
  const names = query.fields.map((field) => field.name)
  const header = columnOrder(job.apiVersion, names).map((place) => quote(names[place]!))
  yield encoder.encode(line(header, job))
  for (let at = from; at < to; ) {
    const block = store.blockUpTo(job.id, queryPart, at)
    // the job was deleted while it was read
    if (block === undefined) return
    const end = Math.min(to, block.seq + block.rows)
    yield sliceRows(block.bytes, at - block.seq, end - block.seq)
    at = end
  }
}
