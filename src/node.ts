/**
 * Layers for Node.
 *
 * @since 0.1.0
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as BulkError from "./BulkError.ts"
import type * as Auth from "./connection/Auth.ts"
import * as Connection from "./connection/Connection.ts"

/** How much undici collects of an answer while nobody asks for it, in bytes. */
const highWaterMark = 256 * 1024

/**
 * undici as `NodeHttpClient.layerUndici` has it, but for answers, which are read in pieces of
 * up to 256 KiB: a download takes a fifth less of the processor.
 *
 * **Example** (A connection whose session signs in by the same client)
 *
 * ```ts
 * const ConnectionLive = Connection.layer.pipe(Layer.provide(Auth.layerConfig), Layer.provide(layerHttpClient))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(
    HttpClient.HttpClient,
    HttpClient.transform((response) =>
      Effect.updateService(response, NodeHttpClient.UndiciOptions, (options) => ({ highWaterMark, ...options }))
    )
  )
).pipe(Layer.provide(NodeHttpClient.layerUndici))

/**
 * A connection over undici, Node's fastest HTTP client, for the session that is
 * provided to it. Every call makes a connection of its own.
 *
 * **Example** (Connecting from Node)
 *
 * ```ts
 * import { Auth } from "effect-salesforce-bulk"
 * import { layerConnection } from "effect-salesforce-bulk/node"
 *
 * const ConnectionLive = layerConnection().pipe(Layer.provide(Auth.layerToken({ instanceUrl, accessToken })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConnection = (
  options: Connection.Options = {}
): Layer.Layer<Connection.Connection, BulkError.BulkError, Auth.Session> =>
  Connection.layerWith(options).pipe(Layer.provide(layerHttpClient))

export { layerFileSpool } from "./fileSpool.ts"
