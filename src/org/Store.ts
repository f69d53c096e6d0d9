/**
 * Where an org keeps everything: records, jobs, uploads and results, in one
 * SQLite database. The only file that knows SQLite.
 *
 * All of it is synchronous, and a transaction never outlives one call: who
 * calls takes small steps and lets others run in between.
 */
import { closeSync, mkdirSync, openSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ObjectDescribe } from "./Describe.ts"
import * as ids from "./ids.ts"
import { Job } from "./job.ts"
import * as Tables from "./tables.ts"

export { isStored } from "./tables.ts"

const { identifier } = Tables

/** A stored cell. Booleans are 0 and 1; dates and times are ISO text, which sorts. */
export type Value = string | number | null

/** Some bytes of a job: of its upload, of a result file. Their order is `seq`. */
export interface Block {
  readonly seq: number
  readonly rows: number
  readonly bytes: Uint8Array
}

/** A record as it was found: its values are those of the fields asked for. */
export interface Found {
  readonly id: string
  readonly deleted: boolean
  readonly values: ReadonlyArray<Value>
}

/** Writes the values of its fields; false when that would break a unique index. */
export type Write = (id: string, values: ReadonlyArray<Value>) => boolean

/**
 * Inserts `count` records at once; false, and none of them is there, when one
 * would break a unique index.
 */
export type WriteSeveral = (values: ReadonlyArray<Value>, count: number) => boolean

const constraintFailed = 19

const isConflict = (error: unknown): boolean =>
  // what follows the first eight bits says which kind of constraint it was
  error instanceof Error && "errcode" in error && (Number(error.errcode) & 255) === constraintFailed

/**
 * A folder that cannot be the data of an org: another process has it, it cannot
 * be written, or what it holds does not fit the objects of today.
 *
 * @category errors
 * @since 0.1.0
 */
export class DataError extends Data.TaggedError("DataError")<{
  readonly message: string
}> {}

// as a job says itself; of one that is not done, when it was created
const jobEnd = "ifnull(content ->> 'finished', content ->> 'created')"

const ownTables = `
  CREATE TABLE _job (id TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX _job_end ON _job (${jobEnd});
  CREATE TABLE _block (
    job TEXT NOT NULL, part TEXT NOT NULL, seq INTEGER NOT NULL, rows INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (job, part, seq)
  );
  CREATE TABLE _serial (prefix TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE _object (name TEXT COLLATE NOCASE PRIMARY KEY, prefix TEXT NOT NULL, sql TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE _fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`

/** A row of a statement that returns arrays, which its types do not know. */
const toCells = (row: unknown): ReadonlyArray<Value> => {
  if (!Array.isArray(row)) throw new Error("a row is no array")
  return row
}

const toBlock = (row: Record<string, SQLOutputValue> | undefined): Block | undefined => {
  if (row === undefined) return undefined
  if (!(row.bytes instanceof Uint8Array)) throw new Error("a stored block has no bytes")
  return { seq: Number(row.seq), rows: Number(row.rows), bytes: row.bytes }
}

const JobJson = Schema.fromJsonString(Job)
const encodeJob = Schema.encodeSync(JobJson)
const decodeJob = Schema.decodeUnknownSync(JobJson)

export class Store {
  private readonly database: DatabaseSync
  private readonly statements = new Map<string, StatementSync>()
  private readonly prefixes: ReadonlyMap<string, string>

  constructor(database: DatabaseSync, objects: ReadonlyArray<ObjectDescribe>) {
    this.database = database
    this.prefixes = this.transaction(() => furnish(database, objects))
  }

  /** Runs `write` whole or not at all. */
  transaction<A>(write: () => A): A {
    this.database.exec("BEGIN")
    try {
      const result = write()
      this.database.exec("COMMIT")
      return result
    } catch (error) {
      // of some errors, such as a full disk, SQLite rolls back by itself
      if (this.database.isTransaction) this.database.exec("ROLLBACK")
      throw error
    }
  }

  /** The next number of a series, from 1 on; none is given twice. */
  nextNumber(series: string): number {
    return this.takeSerials(series, 1)
  }

  /** The next id of a key prefix. */
  nextId(prefix: string): string {
    return ids.make(prefix, this.takeSerials(prefix, 1))
  }

  /** Gives up to `count` ids of an object, which are reserved in one go when the first is taken. */
  recordIds(object: string, count: number): () => string {
    const prefix = this.keyPrefix(object)
    let serial: number | undefined
    return () => {
      serial ??= this.takeSerials(prefix, count)
      return ids.make(prefix, serial++)
    }
  }

  /** The three characters that the ids of an object begin with. */
  keyPrefix(object: string): string {
    return this.prefixes.get(object)!
  }

  /** Reserves serials, and gives the first of them. */
  private takeSerials(prefix: string, count: number): number {
    const row = this.statement(
      "INSERT INTO _serial VALUES (?, ?) ON CONFLICT DO UPDATE SET last = last + excluded.last RETURNING last"
    ).get(prefix, count)
    return Number(row?.last) - count + 1
  }

  /** What is known of the org itself, such as its id. */
  fact(name: string): string | undefined {
    const row = this.statement("SELECT value FROM _fact WHERE name = ?").get(name)
    return row === undefined ? undefined : String(row.value)
  }

  setFact(name: string, value: string): void {
    this.statement("INSERT INTO _fact VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(name, value)
  }

  /** Forgets all jobs and records, but not which ids there were. */
  clear(): void {
    this.transaction(() => {
      const tables = this.statement(
        `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         AND name NOT IN ('_serial', '_object', '_fact')`
      )
      for (const { name } of tables.all()) this.database.exec(`DELETE FROM ${identifier(String(name))}`)
    })
  }

  // --- jobs ---------------------------------------------------------------

  job(id: string): Job | undefined {
    const row = this.statement("SELECT content FROM _job WHERE id = ?").get(id)
    return row === undefined ? undefined : decodeJob(row.content)
  }

  /** Jobs of one kind, or of both, in the order in which they were created. */
  jobs(kind: Job["kind"] | undefined, from: number, count: number): ReadonlyArray<Job> {
    return this.statement(
      "SELECT content FROM _job WHERE content ->> 'kind' = ifnull(?, content ->> 'kind') ORDER BY id LIMIT ? OFFSET ?"
    )
      .all(kind ?? null, count, from)
      .map((row) => decodeJob(row.content))
  }

  /** What jobs created since then used: query jobs, batches of 10,000 rows, bytes of query results. */
  usageSince(millis: number): { readonly queries: number; readonly batches: number; readonly bytes: number } {
    const jobs = this.statement(
      `SELECT count(*) FILTER (WHERE content ->> 'kind' = 'query') AS queries,
         ifnull(sum((content ->> 'processed' + 9999) / 10000) FILTER (WHERE content ->> 'kind' = 'ingest'), 0) AS batches
       FROM _job WHERE content ->> 'created' >= ?`
    ).get(millis)
    const blocks = this.statement(
      `SELECT ifnull(sum(length(bytes)), 0) AS bytes FROM _block
       WHERE part = 'query' AND job IN (SELECT id FROM _job WHERE content ->> 'created' >= ?)`
    ).get(millis)
    return { queries: Number(jobs?.queries), batches: Number(jobs?.batches), bytes: Number(blocks?.bytes) }
  }

  /** How many query jobs were created since then. */
  queryJobsSince(millis: number): number {
    const counted = this.statement(
      "SELECT count(*) AS jobs FROM _job WHERE content ->> 'kind' = 'query' AND content ->> 'created' >= ?"
    ).get(millis)
    return Number(counted?.jobs)
  }

  /** The jobs that are handed over and not at their end, the oldest first. */
  unfinishedJobs(): ReadonlyArray<Job> {
    return this.statement(
      "SELECT content FROM _job WHERE content ->> 'state' IN ('UploadComplete', 'InProgress') ORDER BY id"
    )
      .all()
      .map((row) => decodeJob(row.content))
  }

  saveJob(job: Job): void {
    this.statement("INSERT INTO _job VALUES (?, ?) ON CONFLICT DO UPDATE SET content = excluded.content").run(
      job.id,
      encodeJob(job)
    )
  }

  /** When the first job ended, or was created if it has not. */
  firstEnd(): number | undefined {
    const row = this.statement(`SELECT min(${jobEnd}) AS "end" FROM _job`).get()
    return typeof row?.end === "number" ? row.end : undefined
  }

  /** The ids of jobs that ended, or were created if they have not, at that time or before. */
  jobsEndedBy(millis: number): ReadonlyArray<string> {
    return this.statement(`SELECT id FROM _job WHERE ${jobEnd} <= ?`)
      .all(millis)
      .map(({ id }) => String(id))
  }

  /** Forgets a job, but for its blocks. */
  deleteJob(id: string): void {
    this.statement("DELETE FROM _job WHERE id = ?").run(id)
  }

  // --- blocks -------------------------------------------------------------

  addBlock(job: string, part: string, block: Block): void {
    // Node 22 binds NULL for no bytes
    const insert = this.statement("INSERT INTO _block VALUES (?, ?, ?, ?, ifnull(?, x''))")
    insert.run(job, part, block.seq, block.rows, block.bytes)
  }

  /** The first block whose `seq` is `from` or more. */
  blockFrom(job: string, part: string, from: number): Block | undefined {
    return toBlock(
      this.statement("SELECT * FROM _block WHERE job = ? AND part = ? AND seq >= ? ORDER BY seq LIMIT 1").get(
        job,
        part,
        from
      )
    )
  }

  /** The last block whose `seq` is `to` or less. */
  blockUpTo(job: string, part: string, to: number): Block | undefined {
    return toBlock(
      this.statement("SELECT * FROM _block WHERE job = ? AND part = ? AND seq <= ? ORDER BY seq DESC LIMIT 1").get(
        job,
        part,
        to
      )
    )
  }

  hasBlock(job: string, part: string, seq: number): boolean {
    return (
      this.statement("SELECT 1 FROM _block WHERE job = ? AND part = ? AND seq = ?").get(job, part, seq) !== undefined
    )
  }

  dropBlocks(job: string, part: string): void {
    this.statement("DELETE FROM _block WHERE job = ? AND part = ?").run(job, part)
  }

  /** Drops some blocks of a job; false when there are no more. */
  dropSomeBlocks(job: string): boolean {
    const some = this.statement("DELETE FROM _block WHERE rowid IN (SELECT rowid FROM _block WHERE job = ? LIMIT 64)")
    return some.run(job).changes > 0
  }

  /** Forgets blocks that belong to no job, and uploads that never arrived in full. */
  dropOrphans(): void {
    const orphans = this.statement(
      `SELECT DISTINCT job, part FROM _block WHERE NOT EXISTS (
         SELECT 1 FROM _job WHERE id = job AND (part NOT LIKE 'upload%' OR part = content ->> 'upload'))`
    ).all()
    for (const { job, part } of orphans) this.dropBlocks(String(job), String(part))
  }

  // --- records ------------------------------------------------------------

  /** How many records an object has, those in the recycle bin included. */
  count(object: string): number {
    return Number(this.statement(`SELECT count(*) AS records FROM ${identifier(object)}`).get()?.records)
  }

  /** Inserts records with the values of `fields`, in that order. */
  inserter(object: string, fields: ReadonlyArray<string>): Write {
    const columns = ["Id", "IsDeleted", ...fields].map(identifier).join(", ")
    const statement = this.database.prepare(
      `INSERT INTO ${identifier(object)} (${columns}) VALUES (?, 0${", ?".repeat(fields.length)}) ON CONFLICT DO NOTHING`
    )
    return (id, values) => statement.run(id, ...values).changes === 1
  }

  /**
   * Inserts several records with one statement. Its values are those of the
   * `shared` fields, which are the same for all, then for each record its id
   * and the values of its own `fields`.
   */
  severalInserter(object: string, shared: ReadonlyArray<string>, fields: ReadonlyArray<string>): WriteSeveral {
    const columns = [...shared, "IsDeleted", "Id", ...fields].map(identifier).join(", ")
    // named, since Node 22 binds no numbered parameters
    const row = `(${shared.map((_, i) => `:${i}, `).join("")}0, ?${", ?".repeat(fields.length)})`
    // one statement for each number of records
    const statements: Array<StatementSync> = []
    const prepare = (count: number): StatementSync => {
      const rows = Array.from({ length: count }, () => row).join(", ")
      // an error costs more than a record that is left out
      const otherwise = count === 1 ? " ON CONFLICT DO NOTHING" : ""
      return this.database.prepare(`INSERT INTO ${identifier(object)} (${columns}) VALUES ${rows}${otherwise}`)
    }
    return (values, count) => {
      const statement = statements[count] ?? prepare(count)
      statements[count] = statement
      try {
        const common = Object.fromEntries(shared.map((_, i) => [String(i), values[i]!]))
        return Number(statement.run(common, ...values.slice(shared.length)).changes) === count
      } catch (error) {
        if (isConflict(error)) return false
        throw error
      }
    }
  }

  /** Sets the values of `fields`, in that order, of records that are there. */
  updater(object: string, fields: ReadonlyArray<string>): Write {
    const columns = fields.map((field) => `${identifier(field)} = ?`).join(", ")
    const statement = this.database.prepare(`UPDATE OR IGNORE ${identifier(object)} SET ${columns} WHERE "Id" = ?`)
    return (id, values) => statement.run(...values, id).changes === 1
  }

  /** Removes records for good, past the recycle bin. */
  deleter(object: string): (id: string) => void {
    const statement = this.database.prepare(`DELETE FROM ${identifier(object)} WHERE "Id" = ?`)
    return (id) => statement.run(id)
  }

  /** Finds a record by its id, in the recycle bin too. */
  finderById(object: string, fields: ReadonlyArray<string>): (id: string) => Found | undefined {
    const find = this.finder(object, fields, `"Id" = ?`)
    return (id) => find(id)[0]
  }

  /** Finds the records, not those in the recycle bin, whose `key` field has a value. */
  finderByKey(object: string, key: string, fields: ReadonlyArray<string>): (value: Value) => ReadonlyArray<Found> {
    return this.finder(object, fields, `${identifier(key)} = ? AND "IsDeleted" = 0`)
  }

  private finder(object: string, fields: ReadonlyArray<string>, where: string): (value: Value) => ReadonlyArray<Found> {
    const columns = ["Id", "IsDeleted", ...fields].map(identifier).join(", ")
    const statement = this.database.prepare(`SELECT ${columns} FROM ${identifier(object)} WHERE ${where}`)
    statement.setReturnArrays(true)
    return (value) =>
      statement.all(value).map((row) => {
        const [id, deleted, ...values] = toCells(row)
        return { id: String(id), deleted: deleted === 1, values }
      })
  }

  /**
   * Reads a selection row by row. Rows written while it is read may or may not
   * be seen, as in a bulk query of a living org.
   */
  *select(sql: string, parameters: ReadonlyArray<Value>): Generator<ReadonlyArray<Value>> {
    // a statement of its own: two queries may be under way at once
    const statement = this.database.prepare(sql)
    statement.setReturnArrays(true)
    for (const row of statement.iterate(...parameters)) yield toCells(row)
  }

  private statement(sql: string): StatementSync {
    let statement = this.statements.get(sql)
    if (statement === undefined) {
      statement = this.database.prepare(sql)
      this.statements.set(sql, statement)
    }
    return statement
  }
}

// changes with the tables that are not those of objects
const format = 1

const columnsOf = (database: DatabaseSync, table: string): ReadonlyArray<Tables.Column> =>
  database
    .prepare("SELECT name, type, hidden FROM pragma_table_xinfo(?)")
    .all(table)
    .map((row) => ({ name: String(row.name), type: String(row.type), isCalculated: row.hidden !== 0 }))

/** Makes a table that is kept that of today. */
const alter = (database: DatabaseSync, table: Tables.Table): void => {
  const columns = columnsOf(database, table.name)
  const misfit = Tables.misfit(table, columns)
  if (misfit !== undefined) throw new DataError({ message: misfit })
  const indexes = database.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? COLLATE NOCASE AND sql IS NOT NULL"
  )
  for (const { name } of indexes.all(table.name)) database.exec(`DROP INDEX ${identifier(String(name))}`)
  for (const sql of Tables.alter(table, columns)) database.exec(sql)
  for (const sql of table.indexes) {
    try {
      database.exec(sql)
    } catch (error) {
      if (!isOf(error, sqliteConstraint)) throw error
      throw new DataError({
        message: `a field of ${table.name} is unique now, but its values are not: ${error.message}`
      })
    }
  }
}

/**
 * Makes the tables of an org where they are missing, and changes those that
 * are not as the objects are today. Gives the key prefixes of the objects:
 * those of the describes, and `a00`, `a01`, ... for objects that name none.
 */
const furnish = (database: DatabaseSync, objects: ReadonlyArray<ObjectDescribe>): ReadonlyMap<string, string> => {
  const found = Number(database.prepare("PRAGMA user_version").get()?.user_version)
  if (found === 0) database.exec(`${ownTables} PRAGMA user_version = ${format}`)
  else if (found !== format) {
    throw new DataError({
      message: `it was written by another version of this program (format ${found}, not ${format})`
    })
  }
  const kept = new Map(
    database
      .prepare("SELECT * FROM _object")
      .all()
      .map((row) => [String(row.name).toLowerCase(), { prefix: String(row.prefix), sql: String(row.sql) }])
  )
  const taken = new Set([
    ...Array.from(kept.values(), ({ prefix }) => prefix),
    ...objects.map((each) => each.keyPrefix)
  ])
  let next = 0
  const freePrefix = (): string => {
    const prefix = `a${(next++).toString(36).padStart(2, "0")}`
    return taken.has(prefix) ? freePrefix() : prefix
  }
  const save = database.prepare(
    "INSERT INTO _object VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET prefix = excluded.prefix, sql = excluded.sql"
  )
  const prefixes = new Map<string, string>()
  for (const object of objects) {
    const table = Tables.tableOf(object)
    const before = kept.get(object.name.toLowerCase())
    const prefix = object.keyPrefix ?? before?.prefix ?? freePrefix()
    prefixes.set(object.name, prefix)
    if (before !== undefined && before.prefix !== prefix) {
      const record = database.prepare(`SELECT 1 FROM ${identifier(object.name)} LIMIT 1`).get()
      if (record !== undefined) {
        throw new DataError({
          message: `the ids of ${object.name} begin with ${before.prefix}, and its keyPrefix is ${prefix} now`
        })
      }
    }
    const sql = [table.sql, ...table.indexes].join("; ")
    if (before === undefined) database.exec(sql)
    else if (before.sql !== sql) alter(database, table)
    if (before?.sql !== sql || before.prefix !== prefix) save.run(object.name, prefix, sql)
  }
  return prefixes
}

// SQLite's own numbers
const sqliteBusy = 5
const sqliteConstraint = 19
const sqliteNotADatabase = 26

const isOf = (error: unknown, code: number): error is Error =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === code

// each commit walks the dirty pages of a cache, so that a larger one is slower
const cache = "PRAGMA cache_size = -16384"

const close = (database: DatabaseSync) => Effect.sync(() => database.close())

/** Opens a store that is gone with its scope: a temporary file, which SQLite holds in memory while it is small. */
export const make = (objects: ReadonlyArray<ObjectDescribe>): Effect.Effect<Store, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new DatabaseSync("")),
      close
    ),
    (database) => {
      database.exec(`PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; ${cache}`)
      return new Store(database, objects)
    }
  )

const openFile = (directory: string): DatabaseSync => {
  const file = join(directory, "org.sqlite")
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  // it holds a token: for its owner alone
  closeSync(openSync(file, "a", 0o600))
  return new DatabaseSync(file)
}

const reasonOf = (error: unknown): string => {
  if (isOf(error, sqliteBusy)) return "another process, or another org of this one, has it open"
  if (isOf(error, sqliteNotADatabase)) return "its org.sqlite is no SQLite database"
  return error instanceof Error ? error.message : String(error)
}

/**
 * Opens a store that lives in a folder, which is made if need be, and is no
 * other's until the scope closes. What a transaction has written outlives the
 * process however that ends; when the machine ends, the last transactions may
 * be lost.
 */
export const open = (
  objects: ReadonlyArray<ObjectDescribe>,
  directory: string
): Effect.Effect<Store, DataError, Scope.Scope> => {
  const attempt = <A>(run: () => A) =>
    Effect.try({
      try: run,
      catch: (error) => new DataError({ message: `${directory} cannot hold the org: ${reasonOf(error)}` })
    })
  return Effect.flatMap(
    Effect.acquireRelease(
      attempt(() => openFile(directory)),
      close
    ),
    (database) =>
      attempt(() => {
        database.exec(`
        PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${cache};
        BEGIN EXCLUSIVE; COMMIT
      `)
        const store = new Store(database, objects)
        store.dropOrphans()
        return store
      })
  )
}
