// One contestant in a process of its own; see main.ts.

import type { Round, Setup } from "./suite.ts"

const [module = "", name = "", extent] = process.argv.slice(2)
const setup: Setup = (await import(module))[name]
const round = await setup({ quick: extent === "quick" })

const send = (message: Round | "ready"): void => {
  process.send?.(message)
}

process.on("message", async () => {
  const start = performance.now()
  const records = await round()
  send({ records, millis: performance.now() - start, rss: process.resourceUsage().maxRSS * 1_024 })
})
// whoever started it is gone
process.on("disconnect", () => process.exit())
send("ready")
