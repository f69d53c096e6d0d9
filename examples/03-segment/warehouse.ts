import { basename } from "node:path"
import { DuckDBInstance } from "@duckdb/node-api"
import { Data, Effect, FileSystem, Sink, Stream } from "effect"
import { Csv } from "../../src/index.ts"

class DuckDbFailed extends Data.TaggedError("DuckDbFailed")<{ readonly cause: unknown }> {
  override get message(): string {
    return `DuckDB: ${this.cause instanceof Error ? this.cause.message : this.cause}`
  }
}

/** Names and types of the columns of a CSV, or of a table. */
export type Columns = Readonly<Record<string, "VARCHAR" | "DOUBLE" | "DATE">>

/** DuckDB within this process, in memory: one thread, and at most 100 MB of what it may keep. */
export const duckDb = Effect.gen(function* () {
  const attempt = <A>(run: () => Promise<A>) =>
    Effect.tryPromise({ try: run, catch: (cause) => new DuckDbFailed({ cause }) })
  const instance = yield* Effect.acquireRelease(
    attempt(() => DuckDBInstance.create(":memory:", { threads: "1", memory_limit: "100MB", temp_directory: "" })),
    (instance) => Effect.sync(() => instance.closeSync())
  )
  const connection = yield* Effect.acquireRelease(
    attempt(() => instance.connect()),
    (connection) => Effect.sync(() => connection.closeSync())
  )
  /** Runs a statement, and gives its rows; it is closed only when none runs. */
  return (sql: string) =>
    attempt(() => connection.runAndReadAll(sql)).pipe(
      Effect.map((reader) => reader.getRowObjectsJS()),
      Effect.uninterruptible
    )
})

export type DuckDb = Effect.Success<typeof duckDb>

/** A literal of SQL. */
export const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

/** Some records of a CSV, without its header, in a file. */
interface Piece {
  readonly path: string
  readonly bytes: number
}

interface ToParquet {
  readonly duckDb: DuckDb
  /** Where the files are to be. */
  readonly folder: string
  readonly columns: Columns
  /** How large a piece is. Default 32 MiB. */
  readonly pieceBytes?: number
}

/**
 * Turns a CSV into Parquet files as it arrives, and gives how many rows they hold. DuckDB
 * reads one piece of it while the next is written, since it reads a CSV file three times as
 * fast as it takes rows from JavaScript. Memory, and the disk for pieces, do not depend on
 * how long the CSV is.
 */
export const toParquet = ({ columns, duckDb, folder, pieceBytes = 32 * 1024 * 1024 }: ToParquet) =>
  Effect.fn(function* <E, R>(csv: Stream.Stream<Uint8Array, E, R>) {
    const fs = yield* FileSystem.FileSystem
    const pieces = yield* fs.makeTempDirectoryScoped()
    let count = 0
    const nextPiece = Sink.fold(
      (): Piece => ({ path: `${pieces}/${String(++count).padStart(4, "0")}.csv`, bytes: 0 }),
      ({ bytes }) => bytes < pieceBytes,
      ({ bytes, path }, block: Csv.Block) =>
        Effect.as(fs.writeFile(path, block.bytes, { flag: "a" }), { path, bytes: bytes + block.bytes.length })
    )
    // small buffers and row groups take 100 MB less, and no more time
    const convert = ({ path }: Piece) =>
      duckDb(`
      COPY (
        SELECT * FROM read_csv(${literal(path)}, columns = ${columnsOf(columns)}, auto_detect = false,
          header = false, delim = ',', quote = '"', escape = '"', nullstr = '', buffer_size = 2097152)
      ) TO ${literal(`${folder}/${basename(path, ".csv")}.parquet`)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)
    `).pipe(
        Effect.map(([copied]) => Number(copied?.Count)),
        Effect.tap(() => fs.remove(path))
      )
    return yield* csv.pipe(
      Csv.blocks({ columnDelimiter: "COMMA", lineEnding: "LF" }),
      Stream.transduce(nextPiece),
      Stream.filter(({ bytes }) => bytes > 0),
      Stream.buffer({ capacity: 1 }),
      Stream.mapEffect(convert),
      Stream.runSum
    )
  }, Effect.scoped)

const columnsOf = (columns: Columns) =>
  `{${Object.entries(columns).map(([name, type]) => `${literal(name)}: ${literal(type)}`)}}`
