// One contestant in a process of its own; see main.ts.

import { flushCompileCache } from "node:module"
import type { Extent, Moved, Round, Setup } from "./suite.ts"

const [module = "", name = "", extent = "whole", url = ""] = process.argv.slice(2)
const setup: Setup = (await import(module))[name]
const round = await setup({ quick: extent === "quick", extent: extent as Extent, url })

const send = (message: Round | "ready"): void => {
  process.send?.(message)
}

process.on("message", async () => {
  const start = performance.now()
  const moved = await round()
  const millis = performance.now() - start
  const { calls, firstAt, records }: Moved = typeof moved === "number" ? { records: moved } : moved
  const first = firstAt === undefined ? undefined : firstAt - start
  send({ records, millis, first, calls, rss: process.resourceUsage().maxRSS * 1_024 })
})
// whoever started it is gone
process.on("disconnect", () => process.exit())
// for the processes to come
flushCompileCache()
send("ready")
