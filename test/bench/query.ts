/**
 * How fast queries are, and how much memory they take: `node test/bench/query.ts
 * [--rows N] [--page N] [--chained]`.
 *
 * A server in a process of its own sends records of ten columns, some 150 bytes each. They
 * are read twice, a twelfth of them and then all, each time in a fresh process, so that
 * the memory of both can be compared.
 */
import { spawn } from "node:child_process"
import * as http from "node:http"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Auth from "../../src/connection/Auth.ts"
import * as Connection from "../../src/connection/Connection.ts"
import * as Query from "../../src/query/Query.ts"

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1200000" },
    page: { type: "string", default: "250000" },
    chained: { type: "boolean", default: false },
    role: { type: "string", default: "all" },
    port: { type: "string", default: "0" }
  }
})
const rows = Number(values.rows)
const pageSize = Number(values.page)

const header = '"Id","Name","Street__c","City__c","Email__c","Amount__c","Count__c","Active__c","Day__c","At__c"\n'
const rowsPerBlock = 400
const block = (from: number, count: number) => {
  let text = ""
  for (let i = from; i < from + count; i++) {
    text += `"a0B${String(i).padStart(15, "0")}","Name of ${i}","${i} Main Street","City ${i % 1000}","someone${i}@example.com","${i % 100_000}.25","${i % 1000}","${i % 2 === 0}","2026-11-23","2026-11-23T20:41:12.000Z"\n`
  }
  return text
}

/** A finished job of as many records as its SOQL limits it to. */
const serve = () => {
  const base = "/services/data/v62.0/jobs/query"
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://127.0.0.1")
    const json = (body: unknown) => response.setHeader("content-type", "application/json").end(JSON.stringify(body))
    const path = url.pathname.slice(base.length)
    const [, id = ""] = path.split("/")
    const total = Number(id.slice(3) || rows)
    const from = Number(url.searchParams.get("locator") ?? 0)
    if (path === "") {
      let body = ""
      request.on("data", (data) => {
        body += data
      })
      request.on("end", () => {
        const limit = /LIMIT (\d+)/.exec(body)?.[1] ?? rows
        json({ id: `750${String(limit).padStart(12, "0")}`, operation: "query", state: "UploadComplete" })
      })
    } else if (path.endsWith("/resultPages")) {
      const starts = Array.from({ length: 5 }, (_, i) => from + i * pageSize).filter((start) => start < total)
      const next = from + 5 * pageSize
      json({
        resultPages: starts.map((start) => ({ resultUrl: `${base}/${id}/results?locator=${start}` })),
        ...(next < total ? { nextRecordsUrl: `${base}/${id}/resultPages?locator=${next}` } : {}),
        done: next >= total
      })
    } else if (path.endsWith("/results")) {
      const to = Math.min(total, from + Number(url.searchParams.get("maxRecords") ?? pageSize))
      response.writeHead(200, {
        "content-type": "text/csv",
        "sforce-numberofrecords": String(to - from),
        "sforce-locator": to < total ? String(to) : "null"
      })
      response.write(header)
      let at = from
      const push = () => {
        while (at < to) {
          const count = Math.min(rowsPerBlock, to - at)
          const more = response.write(block(at, count))
          at += count
          if (!more) return void response.once("drain", push)
        }
        response.end()
      }
      push()
    } else {
      json({ id, operation: "query", state: "JobComplete", numberRecordsProcessed: total })
    }
  })
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    console.log(typeof address === "object" && address !== null ? address.port : 0)
  })
}

const Row = Schema.Struct({
  Id: Schema.String,
  Name: Schema.String,
  Street__c: Schema.NullOr(Schema.String),
  City__c: Schema.NullOr(Schema.String),
  Email__c: Schema.NullOr(Schema.String),
  Amount__c: Schema.NullOr(Schema.Finite),
  Count__c: Schema.NullOr(Schema.Finite),
  Active__c: Schema.Boolean,
  Day__c: Schema.NullOr(Schema.String),
  At__c: Schema.NullOr(Schema.Date)
})

/** Reads all records once, and says what that took. */
const read = async () => {
  const ConnectionLive = Connection.layer.pipe(
    Layer.provide(Auth.layerToken({ instanceUrl: `http://127.0.0.1:${values.port}`, accessToken: "00D!x" })),
    Layer.provide(NodeHttpClient.layerUndici)
  )
  const from = performance.now()
  let count = 0
  let firstAfter = 0
  let sum = 0
  const query = Query.records({
    schema: Row,
    from: "Load__c",
    limit: rows,
    maxRecords: values.chained ? pageSize : undefined,
    poll: { first: "5 millis" }
  })
  await Effect.runPromise(
    Stream.runForEachArray(query, (records) =>
      Effect.sync(() => {
        if (count === 0) firstAfter = performance.now() - from
        count += records.length
        for (const record of records) sum += record.Count__c ?? 0
      })
    ).pipe(Effect.provide(ConnectionLive))
  )
  const seconds = (performance.now() - from) / 1000
  const expected =
    Array.from({ length: rows % 1000 }, (_, i) => i).reduce((a, b) => a + b, 0) + Math.floor(rows / 1000) * 499_500
  if (count !== rows || sum !== expected) throw new Error(`${count} records of ${rows}, which add up to ${sum}`)
  console.log(
    `${rows} records: ${seconds.toFixed(2)} s, ${Math.round(rows / seconds / 1000)},000 a second, ` +
      `the first after ${Math.round(firstAfter)} ms, max RSS ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`
  )
}

if (values.role === "server") {
  serve()
} else if (values.role === "client") {
  await read()
} else {
  const self = fileURLToPath(import.meta.url)
  const common = ["--page", values.page, ...(values.chained ? ["--chained"] : [])]
  const server = spawn(process.execPath, [self, "--role", "server", "--rows", values.rows, ...common], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const port = await new Promise<string>((resolve) =>
    server.stdout.once("data", (said) => resolve(String(said).trim()))
  )
  try {
    for (const count of [Math.round(rows / 12), rows]) {
      await new Promise((resolve) =>
        spawn(process.execPath, [self, "--role", "client", "--port", port, "--rows", String(count), ...common], {
          stdio: "inherit"
        }).once("exit", resolve)
      )
    }
  } finally {
    server.kill()
  }
}
