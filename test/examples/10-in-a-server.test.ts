import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, ManagedRuntime, Schedule, Stream } from "effect"
import { accountsServer } from "../../examples/10-in-a-server/server.ts"
import type { Connection } from "../../src/connection/Connection.ts"
import * as QueryJob from "../../src/job/QueryJob.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import { overSocket } from "../support/orgs.ts"
import { pageHead, queryServer } from "../support/queryServer.ts"
import { runExample } from "./run.ts"

/** The example's server in front of a connection, with what it logs. */
const served = (connection: Layer.Layer<Connection, unknown>) =>
  Effect.gen(function* () {
    const log: Array<string> = []
    const runtime = ManagedRuntime.make(connection)
    const server = accountsServer(runtime, (line) => log.push(line))
    const url = yield* Effect.acquireRelease(
      Effect.promise(() => server.listen(0)),
      () => Effect.promise(() => server.close().then(() => runtime.dispose()))
    )
    return { log, url, close: server.close }
  })

/** The same in front of an org that has so many accounts. */
const servedOrg = (accounts: number, ...faults: ReadonlyArray<Faults.Fault>) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(overSocket({ connection: { retry: Schedule.recurs(0) } }))
    const org = Context.get(context, EmbeddedOrg.EmbeddedOrg)
    yield* org.seed({
      Account: Array.from({ length: accounts }, (_, n) => ({ Name: `Account ${n}, "${n % 2}"`, Industry: "Energy" }))
    })
    yield* org.faults.set(faults)
    return { context, org, ...(yield* served(Layer.succeedContext(context))) }
  })

const until = (is: Effect.Effect<boolean>) =>
  Effect.repeat(is, { until: (done) => done, schedule: Schedule.spaced("2 millis") })

const get = (url: string) => Effect.promise((signal) => fetch(url, { signal }))
const textOf = (response: Response) => Effect.promise(() => response.text())

describe("a server that streams a query to the browser", () => {
  it.live("sends all of it as CSV, and of what the browser asks no more than it says", () =>
    Effect.gen(function* () {
      const { log, url } = yield* servedOrg(30)
      const response = yield* get(`${url}?industry=Energy`)
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.headers.get("content-disposition"), 'attachment; filename="accounts.csv"')
      const lines = (yield* textOf(response)).split("\n")
      assert.strictEqual(lines[0], '"Id","Name","Industry","BillingCity","AnnualRevenue"')
      assert.strictEqual(lines.length, 32)
      const injected = yield* get(`${url}?industry=${encodeURIComponent("x' OR Name != '")}`)
      assert.strictEqual((yield* textOf(injected)).trimEnd(), lines[0])
      assert.strictEqual((yield* get(new URL("/", url).href)).status, 404)
      assert.deepStrictEqual(log, [])
    })
  )

  for (const [what, fault, status] of [
    ["503 where it may pass", Faults.on("createQueryJob", Faults.respond(503)), 503],
    ["502 where the job fails", Faults.onJob(Faults.fail({ message: "secret" })), 502],
    ["502 where the session has ended", Faults.onAny(Faults.expireSession), 502]
  ] as const) {
    it.live(`answers ${what}, and keeps the reason to itself`, () =>
      Effect.gen(function* () {
        const { log, url } = yield* servedOrg(30, fault)
        const response = yield* get(url)
        assert.strictEqual(response.status, status)
        assert.isNull(response.headers.get("content-disposition"))
        assert.strictEqual(yield* textOf(response), "The accounts cannot be had now.\n")
        assert.strictEqual(log.length, 1)
      })
    )
  }

  it.live("breaks off where it fails after the first byte, so that nobody takes a part for the whole", () =>
    Effect.gen(function* () {
      const { log, url } = yield* servedOrg(5_000, Faults.on("queryResults", Faults.cutResponse(8_000)))
      const response = yield* get(url)
      assert.strictEqual(response.status, 200)
      yield* Effect.flip(Effect.tryPromise(() => response.text()))
      assert.match(log[0] ?? "", /no complete answer/)
    })
  )

  for (const what of ["the browser goes away", "the server closes"]) {
    it.live(`aborts the job that runs when ${what}`, () =>
      Effect.gen(function* () {
        const served = yield* servedOrg(30, Faults.onJob(Faults.stall()))
        const browser = new AbortController()
        const answer = fetch(served.url, { signal: browser.signal }).catch(() => "gone")
        yield* until(Effect.map(served.org.requests, (all) => all.some(({ route }) => route === "queryJob")))
        if (what === "the server closes") yield* Effect.promise(served.close)
        else browser.abort()
        assert.strictEqual(yield* Effect.promise(() => answer), "gone")
        yield* until(Effect.sync(() => served.log.length > 0))
        const jobs = yield* Stream.runCollect(QueryJob.list).pipe(Effect.provideContext(served.context))
        assert.deepStrictEqual(
          jobs.map(({ state }) => state),
          ["Aborted"]
        )
      })
    )
  }

  it.live("reads only as fast as the browser does, and no more once it has gone", () =>
    Effect.gen(function* () {
      const rows = 60_000
      const block = `"${"x".repeat(1_000)}"\n`.repeat(60)
      let sent = 0
      const { promise: left, resolve: leave } = Promise.withResolvers<void>()
      const source = yield* queryServer({
        onPage: (response) => {
          response.once("close", leave)
          response.writeHead(200, pageHead(rows, null)).write('"Name"\n')
          const push = () => {
            while (sent < rows) {
              sent += 60
              if (!response.write(block)) return response.once("drain", push)
            }
            return response.end()
          }
          push()
        }
      })
      const { url } = yield* served(source.connection)
      const browser = new AbortController()
      const response = yield* Effect.promise(() => fetch(url, { signal: browser.signal }))
      yield* Effect.promise(() => response.body!.getReader().read())
      let last = -1
      for (let quiet = 0; quiet < 20; ) {
        yield* Effect.sleep("10 millis")
        quiet = sent === last ? quiet + 1 : 0
        last = sent
      }
      assert.isBelow(sent, rows)
      browser.abort()
      yield* Effect.promise(() => left)
      assert.isBelow(sent, rows)
    })
  )

  it.live(
    "is shown: one browser downloads it all, and the job of one that goes away is aborted",
    () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* runExample("10")
        assert.strictEqual(code, 0, stderr)
        assert.match(stdout, /^ +200, 20,000 records, [\d,]+ bytes$/m)
        const [, id] = /^ +job (\w+) is UploadComplete, and the browser goes away$/m.exec(stdout) ?? []
        assert.include(stdout, `job ${id} is Aborted\n`)
      }),
    90_000
  )

  it.live(
    "stays with --serve until it is interrupted, and says what becomes of its jobs",
    () =>
      Effect.gen(function* () {
        const { code, stdout } = yield* runExample("10", ["--serve"], {
          onOutput: ({ stdout }, example) => {
            if (!example.killed && /^Open http:\/\/127\.0\.0\.1:\d+\/accounts\.csv/m.test(stdout)) {
              example.kill("SIGINT")
            }
          }
        })
        assert.strictEqual(code, 130)
        assert.match(stdout, /^Stopped: .* the jobs that ran are aborted\.$/m)
      }),
    90_000
  )
})
