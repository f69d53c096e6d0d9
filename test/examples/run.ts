import { type ChildProcess, spawn } from "node:child_process"
import { resolve } from "node:path"
import { Effect } from "effect"

const root = resolve(import.meta.dirname, "../..")

/** What a run of an example came to. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** Beside the variables of this process, without those that describe a real org. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Told of all that was printed so far, each time that more is: to act upon a line of a running example. */
  readonly onOutput?: ((printed: Ran, example: ChildProcess) => void) | undefined
}

/**
 * Runs an example by its number, as `npm run example -- NUMBER ...` does, to its end. It
 * is ended with the effect.
 */
export const runExample = (number: string, args: ReadonlyArray<string> = [], options: RunOptions = {}) =>
  Effect.callback<Ran>((resume) => {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("SF_")))
    const example = spawn(process.execPath, ["examples/run.ts", number, ...args], {
      cwd: root,
      env: { ...inherited, NO_COLOR: "1", ...options.env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    const printed = { code: null as number | null, stdout: "", stderr: "" }
    for (const name of ["stdout", "stderr"] as const) {
      example[name].setEncoding("utf8").on("data", (text: string) => {
        printed[name] += text
        options.onOutput?.(printed, example)
      })
    }
    example.on("close", (code) => resume(Effect.succeed({ ...printed, code })))
    return Effect.sync(() => example.kill())
  })
