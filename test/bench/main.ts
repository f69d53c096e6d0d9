/**
 * How fast the library is, beside others:
 * `npm run bench [-- --quick] [--huge] [--json] [--svg FILE] [NAME...]`.
 *
 * Every row is a ratio of two contestants: how many records ours moves in the time in
 * which the other moves one. Each contestant has a process of its own; they take turns,
 * and the medians of their rounds are compared. `NAME` is the beginning of a row's name.
 *
 * A row with a server has one in a process of its own, and a new process for each round.
 * With `--huge` it is about 4.2 million records, otherwise about one million; in a
 * quick run about 400,000, of which jsforce moves 100,000, and calls are not compared.
 *
 * `--svg` draws the rows as bars, into a file.
 *
 * A file `*.bench.ts` beside this one exports its rows as `rows`.
 */
import { execFileSync, fork } from "node:child_process"
import { once } from "node:events"
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { type Bar, chart } from "./chart.ts"
import type { Contestant, Extent, Measure, Round, Row } from "./suite.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    huge: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    svg: { type: "string" }
  }
})
const { huge, json, quick, svg } = values
const extent: Extent = quick ? "quick" : huge ? "huge" : "whole"

const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

/** Where Node finds a contestant's code without its types, once a process has run. */
const compiled = mkdtempSync(join(tmpdir(), "bench-"))
process.on("exit", () => rmSync(compiled, { recursive: true }))

/** A contestant in its process: each call is a round. */
const start = async (contestant: Contestant, url = "") => {
  const args = [contestant.module, contestant.name, extent, url]
  const child = fork(join(import.meta.dirname, "child.ts"), args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    // as the examples run; and what strips types is in no process that is measured
    execArgv: ["--max-semi-space-size=16", "--no-incremental-marking", "--heap-growing-percent=20"],
    env: { ...process.env, NODE_COMPILE_CACHE: compiled }
  })
  const exited = once(child, "exit").then(([code]) => {
    throw new Error(`${contestant.name} ended with ${code}`)
  })
  const answer = async (): Promise<Round> => {
    const [round] = await Promise.race([once(child, "message"), exited])
    return round
  }
  await answer()
  return {
    round: () => {
      child.send("round")
      return answer()
    },
    stop: () => {
      exited.catch(() => undefined)
      child.kill()
    }
  }
}

let serving: Promise<string> | undefined
/** The URL of the server, which is started for the first row that has one. */
const server = (): Promise<string> => {
  serving ??= once(fork(join(import.meta.dirname, "server.ts")), "message").then(([url]) => url)
  return serving
}

interface Rounds {
  readonly ours: Array<Round>
  readonly theirs: Array<Round>
}

/**
 * Rounds in turns, in two processes that are there all the time; and again in others, as one of two processors may be
 * slow for a while, and with it all that runs on it.
 */
const inTurns = async (row: Row): Promise<Rounds> => {
  const rounds: Rounds = { ours: [], theirs: [] }
  for (let pair = 0; pair < (quick ? 2 : 3); pair++) {
    const [ours, theirs] = await Promise.all([start(row.ours), start(row.theirs)])
    try {
      // the first rounds are for the compiler of Node, which takes longer than some of them
      for (const side of [ours, theirs]) {
        const start = performance.now()
        for (let i = 0; i < 2 || performance.now() - start < 1_000; i++) await side.round()
      }
      // what else the machine does comes in bursts
      const start = performance.now()
      for (let i = 0; i < 5 || performance.now() - start < 2_000; i++) {
        rounds.ours.push(await ours.round())
        rounds.theirs.push(await theirs.round())
      }
    } finally {
      ours.stop()
      theirs.stop()
    }
  }
  return rounds
}
/** Rounds in turns, each in a new process. */
const inNewProcesses = async (row: Row): Promise<Rounds> => {
  const url = await server()
  const rounds: Rounds = { ours: [], theirs: [] }
  for (const contestant of [row.ours, row.theirs]) (await start(contestant, url)).stop()
  for (let i = 0; i < (huge ? 3 : 5); i++) {
    for (const side of ["ours", "theirs"] as const) {
      const contestant = await start(row[side], url)
      try {
        rounds[side].push(await contestant.round())
      } finally {
        contestant.stop()
      }
    }
  }
  return rounds
}

/** What is measured of rounds, by its unit: more is better for speed alone. */
const measures: Readonly<Record<Measure, (rounds: ReadonlyArray<Round>) => number>> = {
  speed: (rounds) => 1_000 / median(rounds.map(({ millis, records }) => millis / records)),
  memory: (rounds) => Math.max(...rounds.map(({ rss }) => rss)) / 1_048_576,
  calls: (rounds) => median(rounds.map(({ calls = Number.NaN, records }) => (1_000_000 * calls) / records)),
  first: (rounds) => median(rounds.map(({ first = Number.NaN }) => first))
}
const units: Readonly<Record<Measure, string>> = {
  speed: "records/s",
  memory: "MB",
  calls: "calls/million",
  first: "ms to first"
}

const files = globSync("*.bench.ts", { cwd: import.meta.dirname }).toSorted()
const all: Array<Row> = []
for (const file of files) all.push(...(await import(join(import.meta.dirname, file))).rows)
const rows = all.filter(
  ({ name, wholeOnly }) =>
    (positionals.length === 0 || positionals.some((wanted) => name.startsWith(wanted))) && !(quick && wholeOnly)
)

const number = (value: number, digits: number): string =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })

const bars: Array<Bar> = []

const say = (name: string, measure: Measure, rounds: Rounds) => {
  const ours = measures[measure](rounds.ours)
  const theirs = measures[measure](rounds.theirs)
  const ratio = measure === "speed" ? ours / theirs : theirs / ours
  bars.push({ name, ratio })
  const peak = (side: ReadonlyArray<Round>) => number(measures.memory(side), 0)
  console.log(
    json
      ? JSON.stringify({ name, ratio: Number(ratio.toPrecision(4)) })
      : [
          name.padEnd(34),
          number(ratio, 2),
          number(ours, 0).padStart(9),
          number(theirs, 0).padStart(9),
          units[measure].padEnd(13),
          peak(rounds.ours),
          peak(rounds.theirs)
        ].join("\t")
  )
}

const peers = join(import.meta.dirname, "peers")
if (rows.some(({ needsPeers }) => needsPeers) && !existsSync(join(peers, "node_modules"))) {
  execFileSync("npm", ["ci"], { cwd: peers, stdio: ["ignore", "ignore", "inherit"] })
}

const machine = `Node ${process.version} on ${cpus().length} of ${cpus()[0]?.model}`
if (!json) {
  console.log(`${machine}\n`)
  console.log(
    ["row".padEnd(34), "ratio", "ours".padStart(9), "theirs".padStart(9), "of".padEnd(13), "ours MB", "theirs MB"].join(
      "\t"
    )
  )
}
for (const row of rows) {
  const rounds = await (row.isServed ? inNewProcesses(row) : inTurns(row))
  say(row.name, row.of ?? "speed", rounds)
  for (const [name, measure] of Object.entries(row.also ?? {})) {
    if (!(quick && measure === "calls")) say(name, measure, rounds)
  }
}
if (svg !== undefined) {
  writeFileSync(svg, chart(bars, "How many times as fast, or as little", `npm run bench, ${extent}; ${machine}`))
}
process.exit(0)
