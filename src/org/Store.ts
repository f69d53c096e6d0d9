/**
 * Where an org keeps everything: records, jobs, uploads and results, in one
 * SQLite database. The only file that knows SQLite.
 *
 * All of it is synchronous, and a transaction never outlives one call: who
 * calls takes small steps and lets others run in between.
 */
import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Field, ObjectDescribe } from "./Describe.ts"
import { formula } from "./formulas.ts"
import * as ids from "./ids.ts"
import { Job } from "./job.ts"

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

const identifier = (name: string): string => `"${name}"`

const columnType = (field: Field): string | undefined => {
  switch (field.type) {
    case "address":
    case "location":
    case "base64":
      return undefined
    case "boolean":
    case "int":
    case "long":
      return "INTEGER"
    case "double":
    case "currency":
    case "percent":
      return "REAL"
    case "id":
    case "reference":
    case "date":
    case "datetime":
    case "time":
      return "TEXT"
    default:
      return field.caseSensitive ? "TEXT" : "TEXT COLLATE NOCASE"
  }
}

/** Whether a field has a value of its own, as compound fields have not. */
export const isStored = (field: Field): boolean => columnType(field) !== undefined

const generated = (object: ObjectDescribe, field: Field): string => {
  const sql = formula(object, field)
  return sql === undefined ? "" : ` GENERATED ALWAYS AS (${sql}) VIRTUAL`
}

const schema = `
  CREATE TABLE _job (id TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE _block (
    job TEXT NOT NULL, part TEXT NOT NULL, seq INTEGER NOT NULL, rows INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (job, part, seq)
  );
  CREATE TABLE _serial (prefix TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
`

const tableOf = (object: ObjectDescribe): string => {
  const table = identifier(object.name)
  const columns: Array<string> = []
  const indexes: Array<string> = []
  for (const field of object.fields) {
    const type = columnType(field)
    if (type === undefined) continue
    const column = identifier(field.name)
    if (field.name === "Id") {
      columns.push(`${column} TEXT PRIMARY KEY NOT NULL`)
      continue
    }
    columns.push(`${column} ${type}${generated(object, field)}`)
    if (field.unique || field.externalId || field.idLookup) {
      // the recycle bin does not count
      const index = identifier(`${object.name}.${field.name}`)
      const unique = field.unique ? "UNIQUE " : ""
      indexes.push(`CREATE ${unique}INDEX ${index} ON ${table} (${column}) WHERE "IsDeleted" = 0;`)
    } else if (field.type === "reference" && !field.defaultedOnCreate) {
      // a record without a parent costs nothing
      const index = identifier(`${object.name}.${field.name}`)
      indexes.push(`CREATE INDEX ${index} ON ${table} (${column}) WHERE ${column} IS NOT NULL;`)
    }
  }
  return `CREATE TABLE ${table} (${columns.join(", ")}); ${indexes.join(" ")}`
}

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

  constructor(database: DatabaseSync, objects: ReadonlyArray<ObjectDescribe>, prefixes: ReadonlyMap<string, string>) {
    this.database = database
    this.prefixes = prefixes
    // each commit walks the dirty pages of a cache, so that a larger one is slower
    database.exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384")
    database.exec(schema)
    for (const object of objects) database.exec(tableOf(object))
  }

  /** Runs `write` whole or not at all. */
  transaction<A>(write: () => A): A {
    this.database.exec("BEGIN")
    try {
      const result = write()
      this.database.exec("COMMIT")
      return result
    } catch (error) {
      this.database.exec("ROLLBACK")
      throw error
    }
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
    return this.prefixes.get(object) ?? "000"
  }

  /** Reserves serials, and gives the first of them. */
  private takeSerials(prefix: string, count: number): number {
    const row = this.statement(
      "INSERT INTO _serial VALUES (?1, ?2) ON CONFLICT DO UPDATE SET last = last + ?2 RETURNING last"
    ).get(prefix, count)
    return Number(row?.last) - count + 1
  }

  /** Forgets all jobs and records. */
  clear(): void {
    this.transaction(() => {
      const tables = this.statement(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_serial'"
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
      "SELECT content FROM _job WHERE ?1 IS NULL OR content ->> 'kind' = ?1 ORDER BY id LIMIT ?2 OFFSET ?3"
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

  saveJob(job: Job): void {
    this.statement("INSERT INTO _job VALUES (?1, ?2) ON CONFLICT DO UPDATE SET content = ?2").run(
      job.id,
      encodeJob(job)
    )
  }

  /** Forgets a job with all its blocks. */
  deleteJob(id: string): void {
    this.statement("DELETE FROM _block WHERE job = ?").run(id)
    this.statement("DELETE FROM _job WHERE id = ?").run(id)
  }

  // --- blocks -------------------------------------------------------------

  addBlock(job: string, part: string, block: Block): void {
    this.statement("INSERT INTO _block VALUES (?, ?, ?, ?, ?)").run(job, part, block.seq, block.rows, block.bytes)
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

/** Key prefixes: those of the describes, and `a00`, `a01`, ... for objects that name none. */
const keyPrefixes = (objects: ReadonlyArray<ObjectDescribe>): ReadonlyMap<string, string> => {
  let next = 0
  return new Map(
    objects.map((object) => [object.name, object.keyPrefix ?? `a${(next++).toString(36).padStart(2, "0")}`])
  )
}

/** Opens a store that is gone with its scope: a temporary file, which SQLite holds in memory while it is small. */
export const make = (objects: ReadonlyArray<ObjectDescribe>): Effect.Effect<Store, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new DatabaseSync("")),
      (database) => Effect.sync(() => database.close())
    ),
    (database) => new Store(database, objects, keyPrefixes(objects))
  )
