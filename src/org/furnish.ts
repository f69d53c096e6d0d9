/** Gives a database the tables of an org: those of its own, and those of the objects, as they are today. */
import type { ObjectDescribe } from "./Describe.ts"
import { type Database, DataError, isConstraint } from "./database.ts"
import * as Tables from "./tables.ts"

const { identifier } = Tables

// as a job says itself; of one that is not done, when it was created
export const jobEnd = "ifnull(content ->> 'finished', content ->> 'created')"

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

// changes with the tables that are not those of objects
const format = 1

const columnsOf = (database: Database, table: string): ReadonlyArray<Tables.Column> =>
  database
    .prepare("SELECT name, type, hidden FROM pragma_table_xinfo(?)")
    .all(table)
    .map((row) => ({ name: String(row.name), type: String(row.type), isCalculated: row.hidden !== 0 }))

/** Makes a table that is kept that of today. */
const alter = (database: Database, table: Tables.Table): void => {
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
      if (!isConstraint(error)) throw error
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
export const furnish = (database: Database, objects: ReadonlyArray<ObjectDescribe>): ReadonlyMap<string, string> => {
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
