/**
 * Contacts with their engagement history, by one bulk query job into DuckDB and Parquet:
 * segmented there by engagement score, industry and region, as a table and as a chart.
 *
 *     npm run example -- 03             # 60,000 contacts
 *     npm run example -- 03 --full      # 3 million
 *     npm run example -- 03 --rows N
 *
 * The CSV of the job is never whole anywhere: DuckDB turns each 32 MB of it into Parquet
 * while the next ones arrive. What is printed as peak memory is this process with DuckDB,
 * which runs within it (one thread, `memory_limit` 100 MB). The embedded org, and the
 * program that fills it with contacts first (`fill.ts`), are processes of their own.
 *
 * The Parquet files and `segments.svg` go to a folder `segments` among the temporary files,
 * or to the one that OUT names. Of the org that the environment describes (see
 * `examples/shared/connection.ts`) the contacts are only read: they need the custom fields
 * of `objects/Contact.json`. Ctrl-C aborts the job.
 */

import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Config, Console, Data, Effect, FileSystem, Layer } from "effect"
import { ChildProcess } from "effect/process"
import { Auth, Connection, ProgressView, Query, QueryJob } from "../../src/index.ts"
import { layerHttpClient } from "../../src/node.ts"
import { isRealOrg, layerSession } from "../shared/connection.ts"
import { abortedOnInterrupt } from "../shared/interrupt.ts"
import { runMain } from "../shared/main.ts"
import { peakMemory, rowsOfRun, speedOf } from "../shared/size.ts"
import { chart } from "./chart.ts"
import { segmentsIn, table } from "./segments.ts"
import { type DuckDb, duckDb, toParquet } from "./warehouse.ts"

class RowsAreMissing extends Data.TaggedError("RowsAreMissing")<{ readonly message: string }> {}

/** The columns of the query, and what they are to be in Parquet. */
const columns = {
  Id: "VARCHAR",
  FirstName: "VARCHAR",
  LastName: "VARCHAR",
  Email: "VARCHAR",
  MailingCity: "VARCHAR",
  MailingCountry: "VARCHAR",
  Region__c: "VARCHAR",
  Industry__c: "VARCHAR",
  Emails_Opened__c: "DOUBLE",
  Links_Clicked__c: "DOUBLE",
  Site_Visits__c: "DOUBLE",
  Events_Attended__c: "DOUBLE",
  Last_Engaged__c: "DATE"
} as const

const count = (n: number) => n.toLocaleString("en-US")

/** Fills the org of this session with contacts, by a process of its own. */
const fill = Effect.fn(function* (rows: number) {
  const { accessToken, instanceUrl } = yield* Effect.flatMap(Auth.Session, ({ current }) => current)
  const filling = yield* ChildProcess.make(
    process.execPath,
    [...process.execArgv, fileURLToPath(new URL("fill.ts", import.meta.url)), String(rows)],
    {
      env: { SF_INSTANCE_URL: instanceUrl, SF_ACCESS_TOKEN: accessToken },
      extendEnv: true,
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit"
    }
  )
  const code = yield* filling.exitCode
  if (code !== 0) return yield* new RowsAreMissing({ message: "the org could not be filled with contacts" })
}, Effect.scoped)

/** One query job into Parquet files; gives how many rows they hold, and how many contacts the job says it found. */
const download = Effect.fn(function* (db: DuckDb, folder: string) {
  const view = yield* ProgressView.make({ label: "contacts", every: "2 seconds" })
  const [elapsed, stored] = yield* Query.csv(`SELECT ${Object.keys(columns).join(", ")} FROM Contact`, {
    progress: view.show
  }).pipe(toParquet({ duckDb: db, folder, columns }), Effect.timed)
  yield* Console.log(`one query job became ${count(stored)} rows of Parquet ${speedOf(stored, elapsed)}`)
  const { jobs } = yield* view.state
  const found = yield* Effect.forEach(jobs, ({ id }) => QueryJob.get(id))
  return { stored, found: found.reduce((sum, { numberRecordsProcessed = 0 }) => sum + numberRecordsProcessed, 0) }
}, Effect.scoped)

const program = Effect.gen(function* () {
  const rows = yield* rowsOfRun({ usual: 60_000, full: 3_000_000 })
  if (!(yield* isRealOrg)) yield* fill(rows)

  const fs = yield* FileSystem.FileSystem
  const out = yield* Config.String("OUT").pipe(Config.withDefault(join(tmpdir(), "segments")))
  const folder = `${out}/contacts`
  yield* fs.remove(folder, { recursive: true, force: true })
  yield* fs.makeDirectory(folder, { recursive: true })

  const db = yield* duckDb
  const { found, stored } = yield* download(db, folder)

  const segments = yield* segmentsIn(db, folder)
  yield* Console.log(`\n${table(segments)}\n`)
  yield* fs.writeFileString(`${out}/segments.svg`, chart(segments))
  yield* Console.log(`the chart is in ${out}/segments.svg`)

  const segmented = segments.reduce((sum, { contacts }) => sum + contacts, 0)
  const counts = `${count(found)} in the job, ${count(stored)} in Parquet, ${count(segmented)} in segments`
  if (found !== stored || stored !== segmented) return yield* new RowsAreMissing({ message: counts })
  yield* Console.log(`contacts: ${counts}; peak memory ${peakMemory()} MiB`)
}).pipe(Effect.scoped, abortedOnInterrupt)

const ConnectionLive = Connection.layer.pipe(
  Layer.provideMerge(layerSession({ objects: new URL("objects/", import.meta.url) })),
  Layer.provide(layerHttpClient)
)

program.pipe(Effect.provide(ConnectionLive.pipe(Layer.provideMerge(NodeServices.layer))), runMain)
