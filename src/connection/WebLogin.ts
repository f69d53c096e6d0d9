/**
 * Signing a person in by their browser: OAuth's web server flow with PKCE, as two
 * steps around whatever receives the browser when it comes back.
 *
 * **Example** (A program that keeps the refresh token)
 *
 * ```ts
 * const app = { loginUrl: "https://login.salesforce.com", clientId, redirectUri: "http://localhost:1717/done" }
 *
 * const program = Effect.gen(function* () {
 *   const login = yield* WebLogin.begin(app)
 *   yield* Console.log(`Open ${login.url}`)
 *   const callback = yield* firstRequestTo(app.redirectUri)
 *   const { credentials, refreshToken } = yield* WebLogin.finish({ ...app, ...login, callback })
 *   // without one the session ends with its access token
 *   if (refreshToken === undefined) return Auth.layerToken(credentials)
 *   return Auth.layerRefreshToken({ ...app, refreshToken, credentials, onRotate: store })
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as BulkError from "../BulkError.ts"
import type { Credentials } from "./Auth.ts"
import { requestToken } from "./oauth.ts"
import { checkOrigin, isClear } from "./origin.ts"

/**
 * The app that signs people in. `loginUrl` is `https://login.salesforce.com`,
 * `https://test.salesforce.com` for sandboxes, or the org's My Domain; `redirectUri` is
 * one of those that are set in the app, letter by letter.
 *
 * @category models
 * @since 0.1.0
 */
export interface App {
  readonly loginUrl: string
  readonly clientId: string
  readonly redirectUri: string
}

/**
 * A login that has begun: `url` is what the browser is to open. `state` and `verifier`
 * are kept until it comes back; they prove that the answer belongs to this login.
 *
 * @category models
 * @since 0.1.0
 */
export interface Login {
  readonly url: string
  readonly state: Redacted.Redacted
  readonly verifier: Redacted.Redacted
}

/**
 * What a login gives. There is a refresh token if the app may have one and the scopes
 * name `refresh_token`, as they do by default.
 *
 * @category models
 * @since 0.1.0
 */
export interface Grant {
  readonly credentials: Credentials
  readonly refreshToken: Redacted.Redacted | undefined
}

/**
 * Begins a login. `scopes` are `api` and `refresh_token` by default.
 *
 * Fails with `InvalidOptions` for URLs that no secret may go to.
 *
 * @category operations
 * @since 0.1.0
 */
export const begin = Effect.fnUntraced(
  function* (
    options: App & { readonly scopes?: ReadonlyArray<string> | undefined }
  ): Effect.fn.Return<Login, BulkError.BulkError, SecureRandom.SecureRandom | Digest.Digest> {
    const { clientId, redirectUri, scopes = ["api", "refresh_token"] } = options
    const loginUrl = yield* Effect.fromResult(checkOrigin("loginUrl", options.loginUrl))
    if (isClear(redirectUri)) {
      return yield* BulkError.make(
        new BulkError.InvalidOptions({
          problem: `redirectUri ${redirectUri} must be https, http on the loopback host, or a scheme of the app's own: the code in it is a secret`
        })
      )
    }
    const random = yield* SecureRandom.SecureRandom
    const verifier = Base64Url.encode(yield* random.randomBytes(32))
    const state = Base64Url.encode(yield* random.randomBytes(16))
    const digest = yield* Digest.Digest
    const challenge = yield* digest.digest(Digest.sha256, new TextEncoder().encode(verifier))
    const parameters = new URLSearchParams({
      response_type: "code",
      client_id: clientId,
      redirect_uri: redirectUri,
      scope: scopes.join(" "),
      state,
      code_challenge: Base64Url.encode(challenge),
      code_challenge_method: "S256"
    })
    return {
      url: `${loginUrl}/services/oauth2/authorize?${parameters}`,
      state: Redacted.make(state),
      verifier: Redacted.make(verifier)
    }
  },
  Effect.provide(Layer.mergeAll(SecureRandom.layerWebCrypto, Digest.layerWebCrypto))
)

/**
 * Ends a login: `callback` is the URL with which the browser came back, or its path and
 * query string. The code in it is exchanged for a session; it is good once.
 *
 * Fails with `SignInFailed` when the person refused, when the answer is not that of
 * this login, or when the code is refused.
 *
 * @category operations
 * @since 0.1.0
 */
export const finish = Effect.fnUntraced(function* (
  options: App &
    Pick<Login, "state" | "verifier"> & {
      readonly callback: string
      readonly clientSecret?: Redacted.Redacted | string | undefined
    }
): Effect.fn.Return<Grant, BulkError.BulkError, HttpClient.HttpClient> {
  const loginUrl = yield* Effect.fromResult(checkOrigin("loginUrl", options.loginUrl))
  const refused = (error: string, description: string) =>
    BulkError.make(new BulkError.SignInFailed({ loginUrl, status: 0, error, description }))
  const answer = URL.parse(options.callback, "http://localhost")?.searchParams
  if (answer?.get("state") !== Redacted.value(options.state)) {
    return yield* refused("invalid_state", "the browser came back with the answer to another login, or with none")
  }
  const error = answer.get("error")
  if (error !== null) return yield* refused(error, answer.get("error_description") ?? "")
  const { refreshToken, ...credentials } = yield* requestToken(loginUrl, {
    grant_type: "authorization_code",
    client_id: options.clientId,
    client_secret: options.clientSecret,
    redirect_uri: options.redirectUri,
    code: answer.get("code") ?? "",
    code_verifier: options.verifier
  })
  return { credentials, refreshToken }
})
