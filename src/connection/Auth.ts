/**
 * Who is speaking to which org.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as BulkError from "../BulkError.ts"

/**
 * What a request needs: a token, and the org it belongs to. `instanceUrl` has
 * no trailing slash.
 *
 * @category models
 * @since 0.1.0
 */
export interface Credentials {
  readonly instanceUrl: string
  readonly accessToken: Redacted.Redacted
}

/**
 * A signed-in session.
 *
 * `current` is what to send now; `renew` is called with the credentials that
 * Salesforce refused, and gives others or fails.
 *
 * @category services
 * @since 0.1.0
 */
export class Session extends Context.Service<
  Session,
  {
    readonly current: Effect.Effect<Credentials, BulkError.BulkError>
    readonly renew: (stale: Credentials) => Effect.Effect<Credentials, BulkError.BulkError>
  }
>()("effect-salesforce-bulk/Session") {}

/**
 * A session with an access token that something else obtained. It cannot be
 * renewed: when Salesforce refuses it, requests fail with `SessionExpired`.
 *
 * `instanceUrl` is the org's own URL (`https://acme.my.salesforce.com`);
 * anything but https is refused with `InvalidOptions`, except on the loopback
 * host, so that a token never crosses a network in the clear.
 *
 * **Example** (Connecting with a token)
 *
 * ```ts
 * const ConnectionLive = Connection.layer.pipe(
 *   Layer.provide(Auth.layerToken({ instanceUrl: "https://acme.my.salesforce.com", accessToken })),
 *   Layer.provide(NodeHttpClient.layerUndici)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerToken = (options: {
  readonly instanceUrl: string
  readonly accessToken: Redacted.Redacted | string
}): Layer.Layer<Session, BulkError.BulkError> =>
  Layer.effect(
    Session,
    Effect.gen(function* () {
      const instanceUrl = yield* checkInstanceUrl(options.instanceUrl)
      const accessToken = Redacted.isRedacted(options.accessToken)
        ? options.accessToken
        : Redacted.make(options.accessToken)
      return Session.of({
        current: Effect.succeed({ instanceUrl, accessToken }),
        renew: () => Effect.fail(BulkError.make(new BulkError.SessionExpired({ instanceUrl })))
      })
    })
  )

const checkInstanceUrl = Effect.fnUntraced(function* (instanceUrl: string) {
  const url = URL.parse(instanceUrl)
  const refuse = (problem: string) =>
    BulkError.make(new BulkError.InvalidOptions({ problem: `instanceUrl ${problem}` }))
  if (url === null) {
    return yield* refuse("is not a URL: give the org's own, like https://acme.my.salesforce.com")
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    return yield* refuse(`must be https: a token never goes to ${url.protocol}//${url.host} in the clear`)
  }
  if (url.href !== `${url.origin}/`) {
    return yield* refuse(`must be the org's origin alone: ${url.origin}`)
  }
  return url.origin
})

const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname)
