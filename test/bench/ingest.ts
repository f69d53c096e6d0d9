/**
 * How fast loads are, and how much memory they take:
 * `node test/bench/ingest.ts [--rows N] [--spool memory|files] [--outcomes all|failures]`.
 *
 * The org runs in a process of its own. N records of ten columns are made as they are
 * asked for, upserted by a key, and their outcomes counted as they come; one of ten
 * thousand is refused.
 */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Auth from "../../src/connection/Auth.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import { layerConnection, layerFileSpool } from "../../src/node.ts"

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "4200000" },
    spool: { type: "string", default: "memory" },
    outcomes: { type: "string", default: "all" }
  }
})
const rows = Number(values.rows)
const refusedEvery = 10_000

const text = (name: string, length: number) => ({ name, length, type: "string" })
const object = {
  name: "Load__c",
  fields: [
    { ...text("Name", 80), nillable: false },
    { ...text("Key__c", 40), externalId: true, unique: true },
    text("Street__c", 120),
    text("City__c", 60),
    { name: "Email__c", type: "email", length: 80 },
    { name: "Amount__c", type: "double", precision: 18, scale: 2 },
    { name: "Count__c", type: "int" },
    { name: "Active__c", type: "boolean", nillable: false, defaultedOnCreate: true },
    { name: "Day__c", type: "date" },
    { name: "At__c", type: "datetime" }
  ]
}
const Load = Schema.Struct({
  Name: Schema.String,
  Key__c: Schema.String,
  Street__c: Schema.String,
  City__c: Schema.String,
  Email__c: Schema.String,
  Amount__c: Schema.Finite,
  Count__c: Schema.Int,
  Active__c: Schema.Boolean,
  Day__c: Schema.String,
  At__c: Schema.Date
})
const at = new Date("2024-03-05T12:34:56.000Z")
const record = (i: number): typeof Load.Type => ({
  Name: i % refusedEvery === 0 ? "" : `Name of ${i}`,
  Key__c: `K-${String(i).padStart(9, "0")}`,
  Street__c: `${i} Main Street, Apt. ${i % 100}`,
  City__c: `City ${i % 1000}`,
  Email__c: `someone${i}@example.com`,
  Amount__c: (i % 100_000) + 0.25,
  Count__c: i % 1000,
  Active__c: i % 2 === 0,
  Day__c: `2024-0${1 + (i % 9)}-1${i % 10}`,
  At__c: at
})
const records = Stream.unfold(0, (from) =>
  Effect.succeed(
    from >= rows ? undefined : ([Arr.makeBy(Math.min(500, rows - from), (i) => record(from + i)), from + 500] as const)
  )
).pipe(Stream.flattenArray)

const folder = await mkdtemp(join(tmpdir(), "ingest-bench-"))
const describe = join(folder, "load.json")
await writeFile(describe, JSON.stringify(object))
const main = fileURLToPath(new URL("../../src/org/main.ts", import.meta.url))
const org = spawn(process.execPath, [main, "org", "--objects", describe, "--data", join(folder, "data")], {
  stdio: ["ignore", "pipe", "inherit"]
})
const ready = JSON.parse(
  await new Promise<string>((resolve) => org.stdout.once("data", (said) => resolve(String(said))))
)

const peak = (): number =>
  Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) / 1024)
const say = (line: string) => console.log(line)
say(`before: ${peak()} MB`)

const counts = { Succeeded: 0, Failed: 0, Unprocessed: 0 }
let jobs = 0
let next = 1_000_000
const begun = performance.now()
const load = records.pipe(
  Ingest.upsert({
    object: object.name,
    schema: Load,
    externalId: "Key__c",
    nulls: "clear",
    outcomes: values.outcomes === "failures" ? "failures" : "all",
    progress: (event) =>
      Effect.sync(() => {
        if (event._tag !== "JobDone") return
        jobs++
        counts.Succeeded += event.succeeded
        if (counts.Succeeded < next) return
        next += 1_000_000
        say(`${counts.Succeeded.toLocaleString("en")} loaded, peak ${peak()} MB`)
      })
  }),
  Stream.runForEachArray((outcomes) =>
    Effect.sync(() => {
      for (const { _tag } of outcomes) if (_tag !== "Succeeded") counts[_tag]++
    })
  )
)
const ConnectionLive = layerConnection().pipe(
  Layer.provide(Auth.layerToken({ instanceUrl: ready.instanceUrl, accessToken: Redacted.make(ready.accessToken) }))
)
await Effect.runPromise(
  load.pipe(Effect.provide(Layer.mergeAll(ConnectionLive, values.spool === "files" ? layerFileSpool() : Layer.empty)))
)
const took = (performance.now() - begun) / 1000
say(
  `${rows.toLocaleString("en")} records, ${jobs} jobs, ${counts.Succeeded} succeeded, ${counts.Failed} failed, ${counts.Unprocessed} unprocessed: ` +
    `${Math.round(rows / took).toLocaleString("en")} records/s in ${took.toFixed(1)} s, peak ${peak()} MB`
)
if (counts.Succeeded + counts.Failed !== rows || counts.Failed !== Math.ceil(rows / refusedEvery)) process.exitCode = 1

const ended = new Promise((resolve) => org.once("exit", resolve))
org.kill("SIGTERM")
await ended
await rm(folder, { recursive: true })
