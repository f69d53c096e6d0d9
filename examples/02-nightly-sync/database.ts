import { fileURLToPath } from "node:url"
import { PgClient } from "@effect/sql-pg"
import { Config, Effect, FileSystem, Layer, Option, Redacted, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

const databaseUrl = Config.option(Config.Redacted("DATABASE_URL"))

/** Whether the environment describes a database. */
export const isRealDatabase = Effect.map(databaseUrl, Option.isSome)

const main = fileURLToPath(new URL("pglite.ts", import.meta.url))

/** The URL of a database in a process of its own, which is gone with the scope. */
export const embeddedDatabase = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "nightly-sync-" })
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const database = yield* spawner.spawn(
    ChildProcess.make(process.execPath, [main, folder], { stdin: "ignore", stderr: "inherit" })
  )
  const url = yield* database.stdout.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.runHead,
    Effect.flatMap(Effect.fromOption)
  )
  return Redacted.make(url)
})

/** The database that `DATABASE_URL` describes, or one that starts with the program. */
export const DatabaseLive = Layer.unwrap(
  Effect.gen(function* () {
    const given = yield* databaseUrl
    const url = Option.isSome(given) ? given.value : yield* embeddedDatabase
    return PgClient.layer({ url, maxConnections: 4 })
  })
)
