/**
 * Where an org keeps everything: records, jobs, uploads and results, in one
 * SQLite database.
 *
 * All of it is synchronous, and a transaction never outlives one call: who
 * calls takes small steps and lets others run in between.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ObjectDescribe } from "./Describe.ts"
import {
  type Database,
  type DataError,
  inFolder,
  isConstraint,
  type Output,
  type Statement,
  temporary
} from "./database.ts"
import { furnish, jobEnd } from "./furnish.ts"
import * as ids from "./ids.ts"
import { Job } from "./job.ts"
import { identifier } from "./tables.ts"

export { DataError } from "./database.ts"
export { isStored } from "./tables.ts"

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

/** A row of a statement that returns arrays, which its types do not know. */
const toCells = (row: unknown): ReadonlyArray<Value> => {
  if (!Array.isArray(row)) throw new Error("a row is no array")
  return row
}

const toBlock = (row: Record<string, Output> | undefined): Block | undefined => {
  if (row === undefined) return undefined
  if (!(row.bytes instanceof Uint8Array)) throw new Error("a stored block has no bytes")
  return { seq: Number(row.seq), rows: Number(row.rows), bytes: row.bytes }
}

const JobJson = Schema.fromJsonString(Job)
const encodeJob = Schema.encodeSync(JobJson)
const decodeJob = Schema.decodeUnknownSync(JobJson)

export class Store {
  private readonly database: Database
  private readonly statements = new Map<string, Statement>()
  private readonly prefixes: ReadonlyMap<string, string>

  constructor(database: Database, objects: ReadonlyArray<ObjectDescribe>) {
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
    const statements: Array<Statement> = []
    const prepare = (count: number): Statement => {
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
        if (isConstraint(error)) return false
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

  private statement(sql: string): Statement {
    let statement = this.statements.get(sql)
    if (statement === undefined) {
      statement = this.database.prepare(sql)
      this.statements.set(sql, statement)
    }
    return statement
  }
}

/** Opens a store that is gone with its scope. */
export const make = (objects: ReadonlyArray<ObjectDescribe>): Effect.Effect<Store, never, Scope.Scope> =>
  Effect.map(temporary, (database) => new Store(database, objects))

/** Opens a store that lives in a folder. */
export const open = (
  objects: ReadonlyArray<ObjectDescribe>,
  directory: string
): Effect.Effect<Store, DataError, Scope.Scope> =>
  inFolder(directory, (database) => {
    const store = new Store(database, objects)
    store.dropOrphans()
    return store
  })
