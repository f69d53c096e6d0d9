/**
 * Inside another program: a plain `node:http` server that streams a query to the browser
 * as CSV, and stops the job when the browser goes away.
 *
 *     npm run example -- 10             # two browsers: one downloads it all, one goes away
 *     npm run example -- 10 --serve     # stays, with a URL to open
 *
 * `server.ts` is what matters: backpressure, statuses before the first byte, a broken
 * answer after it. The program around it has no Effect at its heart either: it makes a
 * `ManagedRuntime`, and disposes of it when it ends. An embedded org is filled with 20,000
 * accounts, and takes its time over a query as a real one does; of the org that the
 * environment describes (see `examples/shared/connection.ts`) the accounts are only read.
 * Ctrl-C breaks off what is being sent, and aborts its jobs.
 */

import { once } from "node:events"
import { parseArgs } from "node:util"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, ManagedRuntime, Stream } from "effect"
import { type Job, QueryJob } from "../../src/index.ts"
import { isRealOrg, layerConnection } from "../shared/connection.ts"
import { fill } from "./accounts.ts"
import { accountsServer } from "./server.ts"

const count = (n: number) => n.toLocaleString("en-US")

/** A browser that downloads all of it. */
const downloadAll = async (url: string, signal: AbortSignal) => {
  const response = await fetch(url, { signal })
  let bytes = 0
  let lines = 0
  for await (const piece of response.body ?? []) {
    bytes += piece.length
    for (const byte of piece) if (byte === 10) lines++
  }
  console.log(`  ${response.status}, ${count(lines - 1)} records, ${count(bytes)} bytes`)
}

const queryJobs = Stream.runCollect(QueryJob.list)

/** The job that was not among these. */
const newJob = Effect.fn(function* (before: ReadonlyArray<Job.JobInfo>) {
  for (;;) {
    const job = (yield* queryJobs).find(({ id }) => !before.some((job) => job.id === id))
    if (job !== undefined) return job
    yield* Effect.sleep("50 millis")
  }
})

/** A browser that goes away as soon as its query runs in the org. */
const goAway = (url: string) =>
  Effect.gen(function* () {
    const before = yield* queryJobs
    const browser = new AbortController()
    const answer = fetch(url, { signal: browser.signal }).catch(() => undefined)
    const { id, state } = yield* newJob(before)
    console.log(`  job ${id} is ${state}, and the browser goes away`)
    browser.abort()
    yield* Effect.promise(() => answer)
    const job = yield* QueryJob.awaitDone(id)
    console.log(`  job ${id} is ${job.state}`)
  })

const { values } = parseArgs({ options: { serve: { type: "boolean", default: false } } })
const ConnectionLive = layerConnection({ polls: [1, 1] }).pipe(Layer.provide(NodeServices.layer))
const runtime = ManagedRuntime.make(ConnectionLive)
const server = accountsServer(runtime, (line) => console.log(`  (log of the server) ${line}`))

const stopped = new AbortController()
const { signal } = stopped
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stopped.abort())

try {
  if (!(await runtime.runPromise(isRealOrg))) {
    console.log(`The org has ${count(await runtime.runPromise(fill(20_000), { signal }))} accounts.`)
  }
  const url = await server.listen(0)
  if (values.serve) {
    console.log(`Open ${url}, or ${url}?industry=Energy; Ctrl-C ends it.`)
    await once(signal, "abort")
  } else {
    console.log(`\nA browser downloads ${url}`)
    await downloadAll(url, signal)
    console.log("\nA browser goes away while its query runs")
    await runtime.runPromise(goAway(url), { signal })
  }
} catch (error) {
  if (!signal.aborted) throw error
} finally {
  await server.close()
  await runtime.dispose()
  if (signal.aborted) {
    console.log("Stopped: what was being sent is broken off, and the jobs that ran are aborted.")
    process.exitCode = 130
  }
}
