/** A shell in which commands are typed, one after the other, as a person would. */
import { spawn } from "node:child_process"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"

/** What npm tells the programs it runs: not for those that a person starts. */
const isOfNpm = (name: string): boolean => /^(npm_(package|lifecycle|config_local_prefix|command)|INIT_CWD)/i.test(name)

/** A shell that is gone with the scope, and all that was started in it. */
export const openSession = (cwd: string, env: Readonly<Record<string, string>> = {}) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() =>
        spawn("bash", ["--norc"], {
          cwd,
          detached: true,
          env: {
            ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOfNpm(name))),
            PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
            ...env
          }
        })
      ),
      (shell) =>
        Effect.sync(() => {
          try {
            // the whole group
            if (shell.pid !== undefined) process.kill(-shell.pid, "SIGKILL")
          } catch {
            // all gone by themselves
          }
        })
    ),
    (shell) => {
      let typed = 0
      let out = ""
      let told = () => {}
      const hear = (data: Buffer) => {
        out += data
        told()
      }
      shell.stdout.on("data", hear)
      shell.stderr.on("data", hear)
      /** Waits until the shell has said what is looked for: what it said before that is given. */
      const until = (pattern: RegExp) =>
        Effect.callback<string>((resume) => {
          told = () => {
            const found = pattern.exec(out)
            if (found === null) return
            const said = out.slice(0, found.index)
            told = () => {}
            resume(Effect.succeed(said))
          }
          told()
        })
      /** Runs a command, and gives what it printed. Dies if it fails. */
      const run = (command: string) =>
        Effect.gen(function* () {
          out = ""
          const mark = `done-${++typed}`
          shell.stdin.write(`${command}\necho "${mark}=$?"\n`)
          const said = yield* until(new RegExp(`${mark}=\\d+\\n`))
          if (!out.includes(`${mark}=0\n`)) return yield* Effect.die(new Error(`$ ${command}\n${out}`))
          return said
        })
      return { run, until }
    }
  )
