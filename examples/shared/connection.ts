import { Config, Effect, Layer, Option } from "effect"
import type { HttpClient } from "effect/http"
import type { ChildProcessSpawner } from "effect/process"
import { Auth, Connection } from "../../src/index.ts"
import { layerHttpClient } from "../../src/node.ts"
import { type EmbeddedOrgOptions, layerEmbeddedOrg } from "./embeddedOrg.ts"

/** Whether the environment describes an org. */
export const isRealOrg: Effect.Effect<boolean> = Effect.map(
  Effect.all(["SF_INSTANCE_URL", "SF_CLIENT_ID"].map((name) => Effect.option(Config.String(name)))),
  (given) => given.some(Option.isSome)
)

/**
 * A session with the org that the environment describes (`SF_ACCESS_TOKEN` with
 * `SF_INSTANCE_URL`, `SF_CLIENT_ID` with `SF_LOGIN_URL` and a secret, ...: see
 * `Auth.layerConfig`), or with an embedded org that starts with the program, where the
 * environment describes none.
 */
export const layerSession = (embedded: EmbeddedOrgOptions) =>
  Layer.unwrap(
    Effect.map(
      isRealOrg,
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
export const layerConnection = (embedded: EmbeddedOrgOptions) =>
  Connection.layer.pipe(Layer.provide(layerSession(embedded)), Layer.provide(layerHttpClient))
