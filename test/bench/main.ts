/**
 * How fast the library is, beside others: `npm run bench [-- --quick] [--json] [NAME...]`.
 *
 * Every row is a ratio of two contestants: how many records ours moves in the time in
 * which the other moves one. Each contestant has a process of its own; they take turns,
 * and the medians of their rounds are compared. `NAME` is the beginning of a row's name.
 *
 * A file `*.bench.ts` beside this one exports its rows as `rows`.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { globSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import type { Contestant, Round, Row } from "./suite.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, json: { type: "boolean", default: false } }
})
const { json, quick } = values

const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

/** A contestant in its process: each call is a round. */
const start = async (contestant: Contestant) => {
  const args = [contestant.module, contestant.name, quick ? "quick" : "whole"]
  const child = fork(join(import.meta.dirname, "child.ts"), args, { stdio: ["ignore", "inherit", "inherit", "ipc"] })
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

const perSecond = (rounds: ReadonlyArray<Round>): number =>
  1_000 / median(rounds.map(({ millis, records }) => millis / records))

const measure = async (row: Row) => {
  const [ours, theirs] = await Promise.all([start(row.ours), start(row.theirs)])
  const rounds: { ours: Array<Round>; theirs: Array<Round> } = { ours: [], theirs: [] }
  try {
    // the first rounds are for the compiler of Node
    for (let i = 0; i < 5; i++) {
      await ours.round()
      await theirs.round()
    }
    for (let i = 0; i < (quick ? 5 : 9); i++) {
      rounds.ours.push(await ours.round())
      rounds.theirs.push(await theirs.round())
    }
  } finally {
    ours.stop()
    theirs.stop()
  }
  const speeds = { ours: perSecond(rounds.ours), theirs: perSecond(rounds.theirs) }
  const peak = (rounds: ReadonlyArray<Round>) => Math.max(...rounds.map(({ rss }) => rss)) / 1_048_576
  return {
    ratio: speeds.ours / speeds.theirs,
    ...speeds,
    peak: { ours: peak(rounds.ours), theirs: peak(rounds.theirs) }
  }
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

if (!json) {
  console.log(`Node ${process.version} on ${cpus().length} of ${cpus()[0]?.model}\n`)
  console.log(["row".padEnd(34), "ratio", "ours/s", "theirs/s", "ours MB", "theirs MB"].join("\t"))
}
for (const row of rows) {
  const { ours, peak, ratio, theirs } = await measure(row)
  console.log(
    json
      ? JSON.stringify({ name: row.name, ratio: Number(ratio.toPrecision(4)) })
      : [
          row.name.padEnd(34),
          number(ratio, 2),
          number(ours, 0),
          number(theirs, 0),
          number(peak.ours, 0),
          number(peak.theirs, 0)
        ].join("\t")
  )
}
process.exit(0)
