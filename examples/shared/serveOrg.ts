import { readdirSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Console, Effect, Layer, Redacted } from "effect"
import { Describe, EmbeddedOrg } from "../../src/org/index.ts"
import { runMain } from "./main.ts"

/**
 * Runs an embedded org as the command `effect-salesforce-bulk org` does, for what only
 * code can say, such as rules: a program of its own that says where it is by a line of
 * JSON. `objects` is a folder of describe files.
 */
export const serveOrg = ({
  objects,
  ...options
}: Omit<EmbeddedOrg.Options, "objects" | "data"> & { readonly objects: URL }): void => {
  const describes = readdirSync(objects)
    .sort()
    .map((name) => JSON.parse(readFileSync(new URL(name, objects), "utf8")))
  const server = createServer({ requestTimeout: 0 })
  const program = Effect.gen(function* () {
    yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
    const org = yield* EmbeddedOrg.EmbeddedOrg
    const { accessToken, instanceUrl } = org
    yield* Console.log(JSON.stringify({ ready: true, instanceUrl, accessToken: Redacted.value(accessToken) }))
    return yield* Effect.never
  })
  const OrgLive = Layer.unwrap(
    Effect.map(Effect.forEach(describes, Describe.fromJson), (objects) =>
      EmbeddedOrg.layerWith({ ...options, objects })
    )
  ).pipe(
    Layer.provide(
      NodeHttpServer.layerServer(() => server, { port: 0, host: "127.0.0.1", gracefulShutdownTimeout: "1 second" })
    )
  )
  program.pipe(Effect.scoped, Effect.provide(OrgLive), runMain)
}
