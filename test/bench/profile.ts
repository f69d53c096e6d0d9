/**
 * Where the time of one contestant goes: `npm run bench:profile MODULE NAME [EXTENT]`, as
 * `ours encode` or `oursServed download whole`.
 *
 * It prints the share of each function that takes 1 % or more, by the sampling profiler
 * of Node, and before them the shares of rooms and packages. What the process waits for
 * is left out; what native code does for a function is counted as the function's.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { Session } from "node:inspector/promises"
import { join } from "node:path"
import type { Extent, Setup } from "./suite.ts"

const [module = "", name = "", extent = "quick"] = process.argv.slice(2)

// from the beginning, since it knows only the code that it saw being compiled
const session = new Session()
session.connect()
await session.post("Profiler.enable")
await session.post("Profiler.setSamplingInterval", { interval: 250 })
await session.post("Profiler.start")

const setup: Setup = (await import(join(import.meta.dirname, "contestants", `${module}.ts`)))[name]
const isServed = module.endsWith("Served")
const url = isServed ? (await once(fork(join(import.meta.dirname, "server.ts")), "message"))[0] : ""
const round = await setup({ quick: extent === "quick", extent: extent as Extent, url })
const rounds = isServed ? 3 : 30
for (let i = 0; i < rounds / 3; i++) await round()

const start = performance.now()
const before = process.cpuUsage()
let records = 0
for (let i = 0; i < rounds; i++) {
  const moved = await round()
  records += typeof moved === "number" ? moved : moved.records
}
const { system, user } = process.cpuUsage(before)
const measured = 1_000 * (performance.now() - start)
const { profile } = await session.post("Profiler.stop")

/** Where a function is from: a room of this library, a package, or Node. */
const placeOf = (functionName: string, file: string): string => {
  if (functionName.startsWith("(")) return functionName
  if (file.startsWith("node:")) return "node"
  if (file.startsWith("wasm:")) return "record (WebAssembly)"
  if (file === "") return "record (generated), and natives"
  const [, room] = /\/src\/(\w+)\/(?:\w+\/)?[\w.]+$/.exec(file) ?? []
  const [, dependency] = /\/node_modules\/((?:@[\w-]+\/)?[\w-]+)\//.exec(file) ?? []
  return dependency ?? room ?? "bench"
}

const places = new Map<string, number>()
const functions = new Map<string, number>()
const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]))
let total = 0
let at = profile.startTime
for (const [i, id] of (profile.samples ?? []).entries()) {
  const { functionName, lineNumber, url } = nodes.get(id) ?? { functionName: "", lineNumber: 0, url: "" }
  const time = profile.timeDeltas?.[i] ?? 0
  at += time
  if (functionName === "(idle)" || at < profile.endTime - measured) continue
  const add = (to: Map<string, number>, key: string) => to.set(key, (to.get(key) ?? 0) + time)
  total += time
  add(places, placeOf(functionName, url))
  add(functions, `${functionName || "(anonymous)"} ${url.split("/").slice(-2).join("/")}:${lineNumber + 1}`)
}
console.log(`${((user + system) / records).toFixed(2)} microseconds a record on all processors\n`)
for (const shares of [places, functions]) {
  for (const [key, time] of [...shares].toSorted(([, a], [, b]) => b - a)) {
    if (time >= total / 100) console.log(`${((100 * time) / total).toFixed(1).padStart(5)} %  ${key}`)
  }
  console.log()
}
process.exit(0)
