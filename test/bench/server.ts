/**
 * An org that takes no time: the endpoints of Bulk API 2.0 that clients call, with
 * answers that are made before. The same for all clients, so that only they differ.
 *
 * Uploads are read to their end and their rows counted; their results are the rows of
 * `load`, from the one that the upload begins with. A query of `Pages4_20 LIMIT 1000`
 * has four pages, each of which takes 20 ms to begin. `/calls` says how many calls there were.
 */
import * as http from "node:http"
import { Result } from "effect"
import { Account, account, codecOf, Load, load, loadCycle } from "./data.ts"

const quoted = (cells: ReadonlyArray<string>) => `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")}\n`

/** CSV rows that go on from the beginning when they are at their end. */
class Cycle {
  readonly header: Buffer
  readonly #bytes: Buffer
  readonly #ends: ReadonlyArray<number>

  constructor(header: ReadonlyArray<string>, size: number, row: (i: number) => ReadonlyArray<string>) {
    this.header = Buffer.from(quoted(header))
    const rows = Array.from({ length: size }, (_, i) => Buffer.from(quoted(row(i))))
    let end = 0
    this.#ends = [0, ...rows.map(({ length }) => (end += length))]
    this.#bytes = Buffer.concat(rows)
  }

  /** So many rows, in pieces of at most 1 MiB: smaller ones make the server what is measured. */
  *pieces(from: number, count: number): Generator<Buffer> {
    const size = this.#ends.length - 1
    for (let at = from % size, left = count; left > 0; at = 0) {
      const rows = Math.min(left, size - at)
      const end = this.#ends[at + rows] ?? 0
      for (let byte = this.#ends[at] ?? 0; byte < end; byte += 1_048_576) {
        yield this.#bytes.subarray(byte, Math.min(end, byte + 1_048_576))
      }
      left -= rows
    }
  }
}

const accountCodec = codecOf(Account)
const queried = new Cycle(accountCodec.columns, 100_000, (i) =>
  Result.getOrThrow(accountCodec.encode(account(i, false), "ignore"))
)
const loadCodec = codecOf(Load)
const loaded = new Cycle(["sf__Id", "sf__Created", ...loadCodec.columns], loadCycle, (i) => [
  `001${(1e9 + i).toString(36).padStart(12, "0")}AAA`,
  "true",
  ...Result.getOrThrow(loadCodec.encode(load(i), "ignore"))
])
const refused = Buffer.from(quoted(["sf__Id", "sf__Error", ...loadCodec.columns]))
const unprocessed = Buffer.from(quoted(loadCodec.columns))

interface Job {
  readonly object: string
  readonly rows: number
  /** The number of its first row. */
  readonly from: number
}
const jobs = new Map<string, Job>()
let calls = 0

const send = async (response: http.ServerResponse, head: Record<string, string>, parts: Iterable<Buffer>) => {
  response.writeHead(200, { "content-type": "text/csv", ...head })
  for (const part of parts) {
    if (!response.write(part)) await new Promise((resolve) => response.once("drain", resolve))
  }
  response.end()
}

/** Reads an upload: its first line that is no header, and how many rows it has. */
const drain = async (request: http.IncomingMessage) => {
  let head = ""
  let lines = 0
  for await (const piece of request) {
    if (head.length < 1_000) head += piece.toString("latin1", 0, 1_000)
    for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, at + 1)) lines++
  }
  return { from: Number(/EXT-(\d+)/.exec(head)?.[1] ?? 0), rows: lines - 1 }
}

const textOf = async (request: http.IncomingMessage) => {
  let text = ""
  for await (const piece of request) text += piece
  return text
}

const answer = async (request: http.IncomingMessage, response: http.ServerResponse) => {
  const url = new URL(request.url ?? "", "http://127.0.0.1")
  const json = (body: unknown) => response.setHeader("content-type", "application/json").end(JSON.stringify(body))
  if (url.pathname === "/calls") return json(calls)
  calls++
  const [, kind = "", id = "", what] = /\/jobs\/(ingest|query)(?:\/(\w+))?(?:\/(\w+))?$/.exec(url.pathname) ?? []
  const job = jobs.get(id)
  const info = (state: string, jobId = id, { object = "", rows = 0 }: Partial<Job> = job ?? {}) =>
    json({
      id: jobId,
      operation: kind === "query" ? "query" : "upsert",
      object,
      state,
      jobType: kind === "query" ? "V2Query" : "V2Ingest",
      apiVersion: 62,
      contentType: "CSV",
      columnDelimiter: "COMMA",
      lineEnding: "LF",
      numberRecordsProcessed: rows,
      numberRecordsFailed: 0
    })

  if (request.method === "POST" && id === "") {
    const { object = "", query = "" } = JSON.parse(await textOf(request))
    const [, from = object, limit = 0] = /FROM (\w+) LIMIT (\d+)/.exec(query) ?? []
    const jobId = `750${String(jobs.size).padStart(15, "0")}`
    const made = { object: from, rows: Number(limit), from: 0 }
    jobs.set(jobId, made)
    return info(kind === "query" ? "UploadComplete" : "Open", jobId, made)
  }
  if (job === undefined) {
    response.statusCode = 404
    return json([{ errorCode: "NOT_FOUND", message: "The requested resource does not exist" }])
  }
  if (kind === "ingest" && what === "batches") {
    jobs.set(id, { ...job, ...(await drain(request)) })
    return response.writeHead(201).end()
  }
  if (request.method === "PATCH") {
    await textOf(request)
    return info("UploadComplete")
  }
  if (request.method === "DELETE") return response.writeHead(204).end()
  const [, pages = 1, latency = 0] = (/^Pages(\d+)_(\d+)$/.exec(job.object) ?? []).map(Number)
  const size = Math.ceil(job.rows / pages)
  switch (what) {
    case undefined:
      return info("JobComplete")
    case "successfulResults":
      return send(response, {}, [loaded.header, ...loaded.pieces(job.from, job.rows)])
    case "failedResults":
      return send(response, {}, [refused])
    case "unprocessedrecords":
      return send(response, {}, [unprocessed])
    case "resultPages":
      return json({
        resultPages: Array.from({ length: pages }, (_, page) => ({
          resultUrl: `${url.pathname.replace("resultPages", "results")}${page === 0 ? "" : `?locator=${page * size}`}`
        })),
        done: true
      })
    default: {
      const from = Number(url.searchParams.get("locator") ?? 0)
      const to = Math.min(job.rows, from + size)
      if (latency > 0) await new Promise((resolve) => setTimeout(resolve, latency))
      const head = {
        "sforce-locator": to < job.rows ? String(to) : "null",
        "sforce-numberofrecords": String(to - from)
      }
      return send(response, head, [queried.header, ...queried.pieces(from, to - from)])
    }
  }
}

const server = http.createServer((request, response) => {
  answer(request, response).catch((error) => response.destroy(error))
})
// a client may think for a while between two calls
server.keepAliveTimeout = 600_000
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  process.send?.(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`)
})
// whoever started it is gone
process.on("disconnect", () => process.exit())
