/** The command `effect-salesforce-bulk org`, as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"

const main = fileURLToPath(new URL("../../src/org/main.ts", import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The command, as a process of its own that is gone with the scope. */
export const start = (...args: ReadonlyArray<string>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    ),
    (child) => {
      const out = { stdout: "", stderr: "" }
      child.stdout.on("data", (data) => (out.stdout += data))
      child.stderr.on("data", (data) => (out.stderr += data))
      const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, ...out })))
      return { child, out, ended: Effect.promise(() => ended) }
    }
  )

export const end = (...args: ReadonlyArray<string>) => Effect.flatMap(start(...args), ({ ended }) => ended)

/** What the command says when it is ready. */
export const ready = (process: { readonly child: ChildProcess; readonly out: { readonly stdout: string } }) =>
  Effect.map(
    Effect.callback<string>((resume) => {
      const look = () => {
        if (process.out.stdout.includes("\n")) resume(Effect.succeed(process.out.stdout))
      }
      process.child.stdout?.on("data", look)
      look()
    }),
    (line): Record<string, unknown> => JSON.parse(line)
  )

/** A folder that is gone with the scope. */
export const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "embedded-org-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

/** How many blocks of uploads and results a folder holds. */
export const blocksIn = (data: string): number => {
  const database = new DatabaseSync(join(data, "org.sqlite"))
  const row = database.prepare("SELECT count(*) AS blocks FROM _block").get()
  database.close()
  return Number(row?.blocks)
}
