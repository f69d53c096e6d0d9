/** SQLite: the only file that knows where it comes from, how a database is opened, and the numbers of its errors. */
import { closeSync, mkdirSync, openSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export type { DatabaseSync as Database, SQLOutputValue as Output, StatementSync as Statement } from "node:sqlite"

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

// SQLite's own numbers
const sqliteBusy = 5
const sqliteConstraint = 19
const sqliteNotADatabase = 26

/** Whether an error is of that number; what follows its first eight bits says which kind of it. */
const isOf = (error: unknown, code: number): error is Error =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === code

export const isConstraint = (error: unknown): error is Error => isOf(error, sqliteConstraint)

// each commit walks the dirty pages of a cache, so that a larger one is slower
const cache = "PRAGMA cache_size = -16384"

const close = (database: DatabaseSync) => Effect.sync(() => database.close())

/** Opens a database that is gone with its scope: a temporary file, which SQLite holds in memory while it is small. */
export const temporary: Effect.Effect<DatabaseSync, never, Scope.Scope> = Effect.tap(
  Effect.acquireRelease(
    Effect.sync(() => new DatabaseSync("")),
    close
  ),
  (database) => Effect.sync(() => database.exec(`PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; ${cache}`))
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
 * Opens a database that lives in a folder, which is made if need be, and is no
 * other's until the scope closes. What a transaction has written outlives the
 * process however that ends; when the machine ends, the last transactions may
 * be lost. Gives what `begin` makes of it.
 */
export const inFolder = <A>(
  directory: string,
  begin: (database: DatabaseSync) => A
): Effect.Effect<A, DataError, Scope.Scope> => {
  const attempt = <B>(run: () => B) =>
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
        return begin(database)
      })
  )
}
