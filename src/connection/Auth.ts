/**
 * Who is speaking to which org.
 *
 * @since 0.1.0
 */

import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import * as BulkError from "../BulkError.ts"
import { askCli } from "./cli.ts"
import { jwtSigner } from "./jwt.ts"
import { requestToken } from "./oauth.ts"
import { checkOrigin } from "./origin.ts"

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
 * host, so that a token never crosses a network in the clear. So is a token that
 * cannot be one.
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
      const instanceUrl = yield* Effect.fromResult(checkOrigin("instanceUrl", options.instanceUrl))
      const accessToken = toRedacted(options.accessToken)
      const problem = problemOfToken(Redacted.value(accessToken))
      if (problem !== undefined) {
        return yield* BulkError.make(new BulkError.InvalidOptions({ problem: `accessToken ${problem}` }))
      }
      return Session.of({
        current: Effect.succeed({ instanceUrl, accessToken }),
        renew: () => Effect.fail(BulkError.make(new BulkError.SessionExpired({ instanceUrl }), instanceUrl))
      })
    })
  )

/** What is wrong with an access token, as far as it can be seen. */
const problemOfToken = (token: string): string | undefined => {
  if (token === "") return "is empty"
  if (token.startsWith("[REDACTED]")) {
    return "is a placeholder: the Salesforce CLI gives the token itself by `sf org auth show-access-token`"
  }
  return /^[\x21-\x7e]+$/.test(token) ? undefined : "holds a blank, a line break or the like, which no token does"
}

/**
 * A session of a flow of one's own: `signIn` gives credentials, and is run again
 * when Salesforce refuses them.
 *
 * It is first run when a request needs it. However many requests are refused at
 * once, one of them signs in and the others wait for it, and fail with it; credentials
 * that have been replaced meanwhile are not renewed again.
 *
 * **Example** (Tokens from a vault)
 *
 * ```ts
 * const SessionLive = Auth.layerWith(
 *   Effect.map(Vault.use((vault) => vault.read("salesforce")), ({ token, url }) => ({
 *     instanceUrl: url,
 *     accessToken: Redacted.make(token)
 *   }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWith = <R>(
  signIn: Effect.Effect<Credentials, BulkError.BulkError, R>,
  options: {
    /** Credentials that are there already, to be used until they are refused. */
    readonly credentials?: Credentials | undefined
  } = {}
): Layer.Layer<Session, never, R> =>
  Layer.effect(
    Session,
    Effect.gen(function* () {
      const context = yield* Effect.context<R>()
      const turn = yield* Semaphore.make(1)
      let held = options.credentials
      let failed: { readonly error: BulkError.BulkError } | undefined
      /** The credentials held, or others if they are none or the refused ones. */
      const obtain = (stale?: Credentials) =>
        Effect.suspend(() => {
          const before = failed
          return Effect.suspend(() => {
            if (held !== undefined && !isSame(held, stale)) return Effect.succeed(held)
            // it was refused to another one meanwhile: to ask again for each who waits may lock the user out
            if (failed !== undefined && failed !== before) return Effect.fail(failed.error)
            return signIn.pipe(
              Effect.provideContext(context),
              Effect.tap((credentials) =>
                Effect.sync(() => {
                  held = credentials
                })
              ),
              Effect.tapError((error) =>
                Effect.sync(() => {
                  failed = { error }
                })
              )
            )
          }).pipe(turn.withPermits(1))
        })
      return Session.of({
        current: Effect.suspend(() => (held === undefined ? obtain() : Effect.succeed(held))),
        renew: obtain
      })
    })
  )

const isSame = (a: Credentials, b: Credentials | undefined): boolean =>
  b !== undefined && Redacted.value(a.accessToken) === Redacted.value(b.accessToken)

const toRedacted = (secret: Redacted.Redacted | string): Redacted.Redacted =>
  Redacted.isRedacted(secret) ? secret : Redacted.make(secret)

/**
 * Client credentials: the app signs in as the user that it is set to run as.
 *
 * `loginUrl` is the org's My Domain (`https://acme.my.salesforce.com`): Salesforce
 * refuses this flow on login.salesforce.com.
 *
 * Requests fail with `SignInFailed` when it is refused.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClientCredentials = (options: {
  readonly loginUrl: string
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted | string
}): Layer.Layer<Session, BulkError.BulkError, HttpClient.HttpClient> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const loginUrl = yield* Effect.fromResult(checkOrigin("loginUrl", options.loginUrl))
      return layerWith(
        requestToken(loginUrl, {
          grant_type: "client_credentials",
          client_id: options.clientId,
          client_secret: options.clientSecret
        })
      )
    })
  )

/**
 * JWT bearer: the app signs in as `username`, with the key of the certificate that
 * it was registered with. The user must have been approved for it beforehand.
 *
 * `privateKey` is an RSA key as PEM text, PKCS#8 or PKCS#1 and not encrypted; text
 * around the block does no harm. `loginUrl` is `https://login.salesforce.com` by
 * default, `https://test.salesforce.com` for sandboxes, or the org's My Domain;
 * `audience` is whom the assertion is for, by default `loginUrl`.
 *
 * Building the layer fails with `InvalidOptions` for a key that cannot be read;
 * requests fail with `SignInFailed` when the assertion is refused.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerJwtBearer = (options: {
  readonly clientId: string
  readonly username: string
  readonly privateKey: Redacted.Redacted | string
  readonly loginUrl?: string | undefined
  readonly audience?: string | undefined
}): Layer.Layer<Session, BulkError.BulkError, HttpClient.HttpClient> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const loginUrl = yield* Effect.fromResult(
        checkOrigin("loginUrl", options.loginUrl ?? "https://login.salesforce.com")
      )
      const sign = yield* jwtSigner(toRedacted(options.privateKey))
      return layerWith(
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const assertion = yield* sign({
            iss: options.clientId,
            sub: options.username,
            aud: options.audience ?? loginUrl,
            // Salesforce takes assertions that end soon, and clocks differ
            exp: Math.floor(now / 1000) + 180
          })
          return yield* requestToken(loginUrl, {
            grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
            assertion
          })
        })
      )
    })
  )

/**
 * Refresh token: what the web server flow (`WebLogin`) gave is exchanged for access
 * tokens. `credentials` are those that came with it, to be used first.
 *
 * Where the app rotates refresh tokens, each one works once: the new one is kept in
 * memory, and `onRotate` is told of it, to store it before it is used.
 *
 * Requests fail with `SignInFailed` when it was revoked.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerRefreshToken = (options: {
  readonly loginUrl: string
  readonly clientId: string
  readonly clientSecret?: Redacted.Redacted | string | undefined
  readonly refreshToken: Redacted.Redacted | string
  readonly credentials?: Credentials | undefined
  readonly onRotate?: ((refreshToken: Redacted.Redacted) => Effect.Effect<void>) | undefined
}): Layer.Layer<Session, BulkError.BulkError, HttpClient.HttpClient> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const loginUrl = yield* Effect.fromResult(checkOrigin("loginUrl", options.loginUrl))
      let refreshToken = toRedacted(options.refreshToken)
      return layerWith(
        Effect.gen(function* () {
          const token = yield* requestToken(loginUrl, {
            grant_type: "refresh_token",
            client_id: options.clientId,
            client_secret: options.clientSecret,
            refresh_token: refreshToken
          })
          if (token.refreshToken !== undefined) {
            refreshToken = token.refreshToken
            if (options.onRotate !== undefined) yield* options.onRotate(refreshToken)
          }
          return token
        }).pipe(Effect.uninterruptible), // a spent token whose successor is lost ends the session for good
        { credentials: options.credentials }
      )
    })
  )

/**
 * The Salesforce CLI's own login: `sf` is asked for the credentials of `targetOrg`, a
 * username or alias (by default the CLI's default org), and asked again when they are
 * refused, since it renews them by itself. For programs that a person runs.
 *
 * Requests fail with `SignInFailed` when the CLI is not there or not signed in.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerCli = (
  options: { readonly targetOrg?: string | undefined } = {}
): Layer.Layer<Session, never, ChildProcessSpawner.ChildProcessSpawner> => layerWith(askCli(options.targetOrg))

/**
 * The flow that the configuration describes, by environment variables as a rule. The
 * first of these that is set decides:
 *
 * | set | flow | needs besides |
 * | --- | --- | --- |
 * | `SF_ACCESS_TOKEN` | access token | `SF_INSTANCE_URL` |
 * | `SF_PRIVATE_KEY` (PEM text) | JWT bearer | `SF_CLIENT_ID`, `SF_USERNAME`; `SF_LOGIN_URL` and `SF_AUDIENCE` by choice |
 * | `SF_REFRESH_TOKEN` | refresh token | `SF_CLIENT_ID`, `SF_LOGIN_URL`; `SF_CLIENT_SECRET` by choice |
 * | `SF_CLIENT_SECRET` | client credentials | `SF_CLIENT_ID`, `SF_LOGIN_URL` |
 *
 * Fails with `InvalidOptions` that names what is missing: all four, where none is set.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig: Layer.Layer<Session, BulkError.BulkError, HttpClient.HttpClient> = Layer.unwrap(
  Effect.gen(function* () {
    const secret = yield* Config.all({
      accessToken: Config.option(Config.Redacted("SF_ACCESS_TOKEN")),
      privateKey: Config.option(Config.Redacted("SF_PRIVATE_KEY")),
      refreshToken: Config.option(Config.Redacted("SF_REFRESH_TOKEN")),
      clientSecret: Config.option(Config.Redacted("SF_CLIENT_SECRET"))
    })
    if (Option.isSome(secret.accessToken)) {
      return layerToken({
        instanceUrl: yield* Config.String("SF_INSTANCE_URL"),
        accessToken: secret.accessToken.value
      })
    }
    if (Object.values(secret).every(Option.isNone)) {
      const problem =
        "configuration: to sign in, SF_ACCESS_TOKEN, SF_PRIVATE_KEY, SF_REFRESH_TOKEN or SF_CLIENT_SECRET must be set"
      return yield* BulkError.make(new BulkError.InvalidOptions({ problem }))
    }
    const optional = (name: string) => Effect.map(Config.option(Config.String(name)), Option.getOrUndefined)
    if (Option.isSome(secret.privateKey)) {
      return layerJwtBearer({
        clientId: yield* Config.String("SF_CLIENT_ID"),
        username: yield* Config.String("SF_USERNAME"),
        privateKey: secret.privateKey.value,
        loginUrl: yield* optional("SF_LOGIN_URL"),
        audience: yield* optional("SF_AUDIENCE")
      })
    }
    const clientId = yield* Config.String("SF_CLIENT_ID")
    const loginUrl = yield* Config.String("SF_LOGIN_URL")
    if (Option.isSome(secret.refreshToken)) {
      return layerRefreshToken({
        clientId,
        loginUrl,
        refreshToken: secret.refreshToken.value,
        clientSecret: Option.getOrUndefined(secret.clientSecret)
      })
    }
    return layerClientCredentials({ clientId, loginUrl, clientSecret: yield* Config.Redacted("SF_CLIENT_SECRET") })
  }).pipe(
    Effect.catchTag("ConfigError", (error) =>
      Effect.fail(BulkError.make(new BulkError.InvalidOptions({ problem: `configuration: ${error.message}` })))
    )
  )
)
