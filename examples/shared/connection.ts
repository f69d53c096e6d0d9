import { NodeHttpClient } from "@effect/platform-node"
import { Config, Effect, Layer, Option } from "effect"
import type { HttpClient } from "effect/http"
import type { ChildProcessSpawner } from "effect/process"
import { Auth, Connection } from "../../src/index.ts"
import { layerEmbeddedOrg } from "./embeddedOrg.ts"

const described = Effect.map(
  Effect.all(["SF_INSTANCE_URL", "SF_CLIENT_ID"].map((name) => Effect.option(Config.String(name)))),
  (given) => given.some(Option.isSome)
)

/**
 * A session with the org that the environment describes (`SF_ACCESS_TOKEN` with
 * `SF_INSTANCE_URL`, `SF_CLIENT_ID` with `SF_LOGIN_URL` and a secret, ...: see
 * `Auth.layerConfig`), or with an embedded org that starts with the program, where the
 * environment describes none.
 */
const layerSession = (embedded: { readonly objects: URL }) =>
  Layer.unwrap(
    Effect.map(
      described,
      (
        real
      ): Layer.Layer<
        Auth.Session,
        Layer.Error<typeof Auth.layerConfig> | Layer.Error<ReturnType<typeof layerEmbeddedOrg>>,
        HttpClient.HttpClient | ChildProcessSpawner.ChildProcessSpawner
      > => (real ? Auth.layerConfig : layerEmbeddedOrg(embedded))
    )
  )

/** A connection over `layerSession`. */
export const layerConnection = (embedded: { readonly objects: URL }) =>
  Connection.layer.pipe(Layer.provide(layerSession(embedded)), Layer.provide(NodeHttpClient.layerUndici))
