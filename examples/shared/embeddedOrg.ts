import { fileURLToPath } from "node:url"
import { Effect, Layer, Redacted, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { Auth } from "../../src/index.ts"

/** What the org command prints when it is ready. */
const Ready = Schema.fromJsonString(
  Schema.Struct({ ready: Schema.Literal(true), instanceUrl: Schema.String, accessToken: Schema.String })
)

const main = fileURLToPath(new URL("../../src/org/main.ts", import.meta.url))

export interface EmbeddedOrgOptions {
  /** A program that runs `serveOrg`, for what the org's command cannot be told; it has the other options itself. */
  readonly program?: URL | undefined
  /** A describe file, or a folder of them. Default: the standard objects alone. */
  readonly objects?: URL | undefined
  /** Whether its user may hard delete. Default: not, as in a new org. */
  readonly hardDelete?: boolean | undefined
  /** How many polls find a job waiting, and then running, so that it takes its time. Default: it is done as soon as it can be. */
  readonly polls?: readonly [waiting: number, running: number] | undefined
}

const argumentsOf = ({ hardDelete = false, objects, polls, program }: EmbeddedOrgOptions): ReadonlyArray<string> =>
  program !== undefined
    ? [fileURLToPath(program)]
    : [
        ...[main, "org", "--port", "0"],
        ...(objects === undefined ? [] : ["--objects", fileURLToPath(objects)]),
        ...(hardDelete ? ["--hard-delete"] : []),
        ...(polls === undefined ? [] : ["--polls", polls.join(",")])
      ]

/**
 * A session in an embedded org that runs in a process of its own, on a loopback
 * port, for as long as the layer lives.
 */
export const layerEmbeddedOrg = (options: EmbeddedOrgOptions) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
      const process_ = yield* spawner.spawn(
        ChildProcess.make(process.execPath, argumentsOf(options), { stdin: "ignore", stderr: "inherit" })
      )
      const ready = yield* process_.stdout.pipe(
        Stream.decodeText,
        Stream.splitLines,
        Stream.mapEffect((line) => Schema.decodeEffect(Ready)(line)),
        Stream.runHead,
        Effect.flatMap(Effect.fromOption)
      )
      return Auth.layerToken({ instanceUrl: ready.instanceUrl, accessToken: Redacted.make(ready.accessToken) })
    })
  )
