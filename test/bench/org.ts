/**
 * How fast the org is: `node test/bench/org.ts [--rows N] [--cpu-prof DIR]`.
 *
 * The org runs in a process of its own. N rows of ten columns go in over HTTP,
 * in jobs of at most 100 MB, and come back as result files and as a query.
 */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import * as http from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    "cpu-prof": { type: "string" },
    data: { type: "string" }
  }
})
const rows = Number(values.rows)
const maxJobBytes = 100_000_000

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
const header = object.fields.map(({ name }) => name).join(",")
const day = (i: number) => `20${10 + (i % 15)}-0${1 + (i % 9)}-1${i % 10}`
const row = (i: number) =>
  `Name of ${i},K-${String(i).padStart(9, "0")},"${i} Main Street, Apt. ${i % 100}",City ${i % 1000},someone${i}@example.com,${i % 100_000}.25,${i % 1000},${i % 2 === 0},${day(i)},${day(i)}T12:34:56.000Z\n`

const folder = await mkdtemp(join(tmpdir(), "org-bench-"))
const describe = join(folder, "load.json")
await writeFile(describe, JSON.stringify(object))
const main = fileURLToPath(new URL("../../src/org/main.ts", import.meta.url))
const profile = values["cpu-prof"] === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${values["cpu-prof"]}`]
const data = values.data === undefined ? [] : ["--data", values.data]
const org = spawn(process.execPath, [...profile, main, "org", "--objects", describe, ...data], {
  stdio: ["ignore", "pipe", "inherit"]
})
const ready = JSON.parse(
  await new Promise<string>((resolve) => org.stdout.once("data", (said) => resolve(String(said))))
)
const base = new URL(ready.instanceUrl)
const agent = new http.Agent({ keepAlive: true })

const send = (method: string, path: string, body?: AsyncIterable<string> | string) =>
  new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = http.request(
      {
        agent,
        host: base.hostname,
        port: base.port,
        method,
        path: `/services/data/v68.0${path}`,
        headers: { authorization: `Bearer ${ready.accessToken}` }
      },
      resolve
    )
    request.on("error", reject)
    const write = async () => {
      if (typeof body === "string") request.write(body)
      else if (body !== undefined) {
        for await (const piece of body) {
          if (!request.write(piece)) await new Promise((drained) => request.once("drain", drained))
        }
      }
      request.end()
    }
    write().catch(reject)
  })

const json = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
  const response = await send(method, path, body === undefined ? undefined : JSON.stringify(body))
  let said = ""
  for await (const piece of response) said += piece
  if ((response.statusCode ?? 500) >= 400) throw new Error(`${method} ${path}: ${response.statusCode} ${said}`)
  return said === "" ? {} : JSON.parse(said)
}

/** Reads a body to its end, and counts its lines, none of which is within a cell. */
const lines = async (response: http.IncomingMessage): Promise<number> => {
  let count = 0
  for await (const piece of response) {
    for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, at + 1)) count++
  }
  return count
}

const memory = (): { readonly now: number; readonly peak: number } => {
  const status = readFileSync(`/proc/${org.pid}/status`, "utf8")
  const of = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024)
  return { now: of("VmRSS"), peak: of("VmHWM") }
}

/** The seconds of processor time that the org has used so far, which other programs disturb less than the clock. */
const cpu = (): number => {
  const stat = readFileSync(`/proc/${org.pid}/stat`, "utf8")
  const [user, system] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(12, 14).map(Number)
  // in ticks, of which Linux has 100 a second
  return ((user ?? 0) + (system ?? 0)) / 100
}

/** Asks for something small, over and over, until it is told to stop; gives the times it took. */
const ping = (path: string) => {
  let isOn = true
  const times: Array<number> = []
  const pinged = (async () => {
    while (isOn) {
      const begun = performance.now()
      await json("GET", path)
      times.push(performance.now() - begun)
      await new Promise((waited) => setTimeout(waited, 5))
    }
    return times.sort((a, b) => a - b)
  })()
  return () => {
    isOn = false
    return pinged
  }
}

const seconds = (begun: number) => (performance.now() - begun) / 1000
let used = cpu()
const say = (what: string, count: number, took: number) => {
  const before = used
  used = cpu()
  console.log(
    `${what}: ${Math.round(count / took).toLocaleString("en")} rows/s (${count} in ${took.toFixed(2)} s, ${(used - before).toFixed(2)} s of processor time), memory ${JSON.stringify(memory())}`
  )
}

const loaded = performance.now()
const jobs: Array<string> = []
let uploading = 0
let stop = async (): Promise<ReadonlyArray<number>> => []
for (let next = 0; next < rows; ) {
  const { id } = await json("POST", "/jobs/ingest", { object: object.name, operation: "insert" })
  const path = `/jobs/ingest/${id}`
  const begun = performance.now()
  const response = await send(
    "PUT",
    `${path}/batches`,
    (async function* () {
      let size = 0
      let piece = `${header}\n`
      while (next < rows && size + piece.length < maxJobBytes - 200) {
        piece += row(next++)
        if (piece.length > 65_536) {
          yield piece
          size += piece.length
          piece = ""
        }
      }
      yield piece
    })()
  )
  await lines(response)
  uploading += seconds(begun)
  await json("PATCH", path, { state: "UploadComplete" })
  jobs.push(String(id))
  if (jobs.length === 1) stop = ping(path)
}
for (const id of jobs) {
  for (;;) {
    const job = await json("GET", `/jobs/ingest/${id}`)
    if (job.state === "JobComplete") break
    if (job.state === "Failed") throw new Error(JSON.stringify(job))
    await new Promise((waited) => setTimeout(waited, 20))
  }
}
const took = seconds(loaded)
say(`in, ${jobs.length} jobs, of which uploading ${uploading.toFixed(2)} s`, rows, took)
const times = await stop()
const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]?.toFixed(1)
console.log(`a small GET meanwhile: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, worst ${at(1)} ms, of ${times.length}`)

const downloaded = performance.now()
let back = 0
for (const id of jobs) back += (await lines(await send("GET", `/jobs/ingest/${id}/successfulResults`))) - 1
say("out, result files", back, seconds(downloaded))
if (back !== rows) throw new Error(`${back} rows came back of ${rows}`)

const queried = performance.now()
const { id } = await json("POST", "/jobs/query", {
  operation: "query",
  query: `SELECT Id,${header} FROM ${object.name}`
})
const stopQuery = ping(`/jobs/query/${id}`)
while ((await json("GET", `/jobs/query/${id}`)).state !== "JobComplete") {
  await new Promise((waited) => setTimeout(waited, 20))
}
const queryTimes = await stopQuery()
say("query, processing", rows, seconds(queried))
let selected = 0
const paged = performance.now()
for (let locator: string | undefined = ""; locator !== "null"; ) {
  const response: http.IncomingMessage = await send(
    "GET",
    `/jobs/query/${id}/results?maxRecords=250000${locator === "" ? "" : `&locator=${locator}`}`
  )
  selected += (await lines(response)) - 1
  locator = String(response.headers["sforce-locator"])
}
console.log(`a small GET meanwhile: worst ${queryTimes.at(-1)?.toFixed(1)} ms, of ${queryTimes.length}`)
say("out, query pages", selected, seconds(paged))
if (selected !== rows) throw new Error(`${selected} rows were selected of ${rows}`)

const ended = new Promise((resolve) => org.once("exit", resolve))
org.kill("SIGTERM")
await ended
agent.destroy()
await rm(folder, { recursive: true })
