/**
 * Upserts what changed in a SQL database since the last night, every night.
 *
 *     npm run example -- 02
 *     npm run example -- 02 --full     # 800,000 articles; --rows N: so many
 *
 * The nights before are known by tables in the database itself: a watermark, which moves once all outcomes of a night are
 * settled; what a night could not load, to be tried again by the next; and a history, written while a night goes on. A
 * night ends with its window (NIGHT_WINDOW, "4 hours" by default), or when more than one of twenty rows fail.
 *
 * Without settings there is a first night, which loads all; a day, in which some articles change; and a second night,
 * which loads those. The database is then PGlite in a process of its own: it takes a while to start, and about a GB.
 *
 * With a PostgreSQL of your own (13 or later) it is one night. All is in the schema `nightly`, made if it is not there:
 *
 *     apt-get install postgresql && service postgresql start
 *     su postgres -c "psql -c \"CREATE USER nightly PASSWORD 'secret'\" -c 'CREATE DATABASE nightly OWNER nightly'"
 *     DATABASE_URL=postgres://nightly:secret@localhost/nightly npm run example -- 02
 *
 * A real org (`examples/shared/connection.ts`) needs the object that `objects/Inventory__c.json` describes.
 */

import * as NodeServices from "@effect/platform-node/NodeServices"
import { PgClient } from "@effect/sql-pg"
import { Config, Console, Duration, Effect, Layer } from "effect"
import { layerConnection } from "../shared/connection.ts"
import { abortedOnInterrupt } from "../shared/interrupt.ts"
import { runMain } from "../shared/main.ts"
import { peakMemory, rowsOfRun } from "../shared/size.ts"
import { DatabaseLive, isRealDatabase } from "./database.ts"
import { night } from "./night.ts"
import { day, makeTables } from "./tables.ts"

const number = (n: number) => Math.round(n).toLocaleString("en-US")

interface Night {
  readonly night: number
  readonly status: string
  readonly loaded: number
  readonly refused: number
  readonly not_sent: number
  readonly failure_rate: number
  readonly jobs: number
  readonly upload_seconds: number
  readonly queue_seconds: number
  readonly processing_seconds: number
  readonly seconds: number
}

/** What the night left over, and all nights so far. */
const report = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient
  const left = yield* sql<{ code: string; message: string; rows: number }>`
    SELECT code, min(message) AS message, count(*)::integer AS rows FROM nightly.left_over GROUP BY code ORDER BY 3 DESC`
  for (const { code, message, rows } of left) yield* Console.log(`left over: ${number(rows)} ${code} ${message}`)
  const nights = yield* sql<Night>`SELECT * FROM nightly.history ORDER BY night`
  const lines = nights.map((each) => [
    String(each.night),
    ...[each.loaded, each.refused, each.not_sent, each.jobs].map(number),
    `${(each.failure_rate * 100).toFixed(2)} %`,
    ...[each.upload_seconds, each.queue_seconds, each.processing_seconds, each.seconds].map((n) => `${n.toFixed(1)} s`),
    `  ${each.status}`
  ])
  const heads = ["night", "loaded", "refused", "not sent", "jobs", "rate", "upload", "queue", "processing", "in all"]
  for (const line of [heads, ...lines]) {
    yield* Console.log(
      line
        .map((cell, i) => cell.padStart(i === 0 ? 5 : 11))
        .join("")
        .trimEnd()
    )
  }
})

const program = Effect.gen(function* () {
  const rows = yield* rowsOfRun({ usual: 5_000, full: 800_000 })
  const window = yield* Config.Duration("NIGHT_WINDOW").pipe(Config.withDefault(Duration.hours(4)))
  yield* makeTables(rows)
  yield* night(window)
  yield* report
  if (!(yield* isRealDatabase)) {
    yield* day
    yield* night(window)
    yield* report
  }
  yield* Console.log(`peak memory ${peakMemory()} MiB`)
})

const ConnectionLive = layerConnection({ objects: new URL("objects/", import.meta.url) })

program.pipe(
  abortedOnInterrupt,
  Effect.provide(Layer.merge(ConnectionLive, DatabaseLive).pipe(Layer.provideMerge(NodeServices.layer))),
  runMain
)
