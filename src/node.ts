/**
 * Layers for Node.
 *
 * @since 0.1.0
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Layer from "effect/Layer"
import type * as BulkError from "./BulkError.ts"
import type * as Auth from "./connection/Auth.ts"
import * as Connection from "./connection/Connection.ts"

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
  Connection.layerWith(options).pipe(Layer.provide(NodeHttpClient.layerUndici))
