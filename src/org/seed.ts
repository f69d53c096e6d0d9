/** Records that are in an org from the beginning: they go the way of every insert. */
import * as Data from "effect/Data"
import { type Row, RowReader } from "./csv.ts"
import { type ChunkResult, chunkSize } from "./ingest.ts"
import type { IngestJob } from "./job.ts"

/** A record by its fields. What is null or absent is left empty. */
export type SeedRecord = Readonly<Record<string, string | number | boolean | null | undefined>>

/** Records that cannot be inserted. */
export class SeedError extends Data.TaggedError("SeedError")<{
  readonly message: string
}> {}

type Prepare = (
  job: IngestJob,
  header: Row
) => ((rows: ReadonlyArray<Row>, now: number, chunk: number) => ChunkResult) | string

const dialect = { columnDelimiter: "COMMA", lineEnding: "LF" } as const

const decoder = new TextDecoder()

// values are as long, and have the line breaks, that no upload may have
const cellsOf = (bytes: Uint8Array): ReadonlyArray<Row> =>
  new RowReader(decoder.decode(bytes), dialect).take(Number.POSITIVE_INFINITY)

/** Inserts records of one object, in a transaction of the caller's, and gives their ids. Throws a `SeedError`. */
export const insert = (
  prepare: Prepare,
  object: string,
  records: ReadonlyArray<SeedRecord>,
  options: { readonly now: number; readonly userId: string }
): ReadonlyArray<string> => {
  const header = [...new Set(records.flatMap((record) => Object.keys(record)))]
  if (records.length === 0) return []
  const job: IngestJob = {
    kind: "ingest",
    id: "seed",
    object,
    operation: "insert",
    state: "InProgress",
    apiVersion: "68.0",
    ...dialect,
    createdById: options.userId,
    created: options.now,
    modified: options.now,
    processed: 0,
    failed: 0,
    uploads: 1
  }
  const write = prepare(job, header)
  if (typeof write === "string") throw new SeedError({ message: write })
  const ids: Array<string> = []
  for (let from = 0; from < records.length; from += chunkSize) {
    const rows = records.slice(from, from + chunkSize).map((record) => header.map((name) => String(record[name] ?? "")))
    const { failed, successful } = write(rows, options.now, from / chunkSize)
    const refused = cellsOf(failed.bytes)[0]
    if (refused !== undefined) throw new SeedError({ message: `${object}: ${refused[1]}` })
    ids.push(...cellsOf(successful.bytes).map(([id = ""]) => id))
  }
  return ids
}
