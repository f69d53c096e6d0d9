/**
 * Runs the example whose folder begins with the given number, with what follows as its
 * arguments. Without a number it lists them.
 *
 *     npm run example -- 00
 */
import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { constants } from "node:os"
import { join } from "node:path"

const folder = import.meta.dirname
const [number, ...rest] = process.argv.slice(2)
const examples = readdirSync(folder).filter((name) => /^\d\d-/.test(name))
const main = (name: string) => join(folder, name, "main.ts")

/** The first sentence of an example's header. */
const purpose = (name: string) =>
  /^\/\*\*[\s*]*([\s\S]*?[.:])\s/
    .exec(readFileSync(main(name), "utf8"))?.[1]
    ?.replaceAll(/\s+\*\s+/g, " ")
    .replace(/:$/, ".")

const chosen = number === undefined ? undefined : examples.find((name) => name.startsWith(`${number}-`))
if (chosen === undefined) {
  if (number !== undefined) console.error(`There is no example ${number}.\n`)
  console.log("npm run example -- NUMBER\n")
  for (const name of examples) console.log(`  ${name}  ${purpose(name) ?? ""}`)
  process.exit(number === undefined ? 0 : 1)
}
// a process of its own, so that signals and the memory that it prints are the example's alone
// what is streamed is soon garbage: with more room than this for what is new the process grows; with less, much of it
// gets old before it is gone. What gets old nevertheless is collected early and at once: it would pile up for a long time
const memory = ["--max-semi-space-size=16", "--no-incremental-marking", "--heap-growing-percent=20"]
const example = spawn(process.execPath, [...memory, main(chosen), ...rest], { stdio: "inherit" })
// an example that is interrupted ends what it has begun: this process waits for it
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => example.kill(signal))
example.on("exit", (code, signal) => process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
