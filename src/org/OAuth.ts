/**
 * Who may come in: the clients an org knows, the flows by which they get
 * tokens, and the tokens that are good.
 *
 * @since 0.1.0
 */
import { createHash, createHmac, createPublicKey, verify } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Identity } from "./identity.ts"

/**
 * A connected app, or an external client app.
 *
 * @category options
 * @since 0.1.0
 */
export interface Client {
  readonly clientId: string
  /** What it must know for every flow but JWT bearer; a client without one is public. */
  readonly clientSecret?: string | undefined
  /** The key, or certificate, in PEM, with which its assertions are verified; without one it may not use JWT bearer. */
  readonly publicKey?: string | undefined
  /** Where a code may be sent; anywhere by default. */
  readonly redirectUris?: ReadonlyArray<string> | undefined
  /** Whether a user is set for client credentials; true by default. */
  readonly runAsUser?: boolean | undefined
}

/**
 * What an org knows of OAuth.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  readonly clients?: ReadonlyArray<Client> | undefined
  /** Refresh tokens that were handed out before the org began. */
  readonly refreshTokens?: ReadonlyArray<{ readonly token: string; readonly clientId: string }> | undefined
  /** Whether a refresh token is good for one use, and gives the next; false by default. */
  readonly rotateRefreshTokens?: boolean | undefined
  /** How long a token that was issued is good; for ever by default. Clients are not told, as by Salesforce. */
  readonly accessTokenLifetime?: Duration.Input | undefined
  /** How far the clock of a client may be off when it signs an assertion; nothing by default. */
  readonly clockTolerance?: Duration.Input | undefined
}

/** A refusal, as the token endpoint words it. */
export class OAuthError extends Data.TaggedError("OAuthError")<{
  readonly error: string
  readonly description: string
}> {}

const refuse = (error: string, description: string) => new OAuthError({ error, description })

const invalidGrant = (description: string) => refuse("invalid_grant", description)

const unknownClient = refuse("invalid_client_id", "client identifier invalid")
const wrongSecret = refuse("invalid_client", "invalid client credentials")
const notApproved = invalidGrant("user hasn't approved this consumer")
const invalidAssertion = invalidGrant("invalid assertion")
const expiredCode = invalidGrant("expired authorization code")
const expiredToken = invalidGrant("expired access/refresh token")
const wrongRedirect = refuse("redirect_uri_mismatch", "redirect_uri must match configuration")

/** An access token's random part. */
export const randomToken = Effect.map(Effect.replicateEffect(Random.nextIntBetween(0, 36 ** 5), 8), (parts) =>
  parts.map((part) => part.toString(36).padStart(5, "0")).join("")
)

interface Grant {
  readonly clientId: string
  readonly redirectUri: string
  readonly challenge: string | undefined
  readonly expires: number
}

const codeLifetime = 15 * 60_000
/** How far ahead an assertion may expire. */
const assertionLifetime = 3 * 60_000

const audiences = ["https://login.salesforce.com", "https://test.salesforce.com"]

const Header = Schema.fromJsonString(Schema.Struct({ alg: Schema.String }))
const Claims = Schema.fromJsonString(
  Schema.Struct({
    iss: Schema.String,
    sub: Schema.String,
    aud: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
    exp: Schema.Union([Schema.Finite, Schema.FiniteFromString])
  })
)
const decodeHeader = Schema.decodeUnknownResult(Header)
const decodeClaims = Schema.decodeUnknownResult(Claims)

const base64Url = (text: string): string => Buffer.from(text, "base64url").toString("utf8")

/** The client id and secret that a request brings, in its header or in its body. */
const credentials = (form: URLSearchParams, authorization: string | undefined) => {
  const [, basic] = /^Basic ([\w+/=-]+)$/i.exec(authorization ?? "") ?? []
  if (basic === undefined) return { id: form.get("client_id"), secret: form.get("client_secret") }
  const [id = "", ...secret] = Buffer.from(basic, "base64").toString("utf8").split(":")
  const plain = (part: string) =>
    Result.getOrElse(
      Result.try(() => decodeURIComponent(part)),
      () => part
    )
  return { id: plain(id), secret: plain(secret.join(":")) }
}

/** A form of the token endpoint, and what stands around it. */
export interface TokenRequest {
  readonly form: URLSearchParams
  readonly authorization: string | undefined
  /** Where the org is, as the client sees it. */
  readonly base: string
}

/** What decides who may come in. */
export interface OAuth {
  /** Whether an access token is good now. */
  readonly accepts: (token: string) => Effect.Effect<boolean>
  /** Answers a request of the token endpoint. */
  readonly token: (request: TokenRequest) => Effect.Effect<Readonly<Record<string, string>>, OAuthError>
  /** Answers who wants a code: where to go, with it or with what is wrong. */
  readonly authorize: (query: URLSearchParams) => Effect.Effect<string, OAuthError>
  /** Makes a token worthless; a refresh token takes its access tokens along. False when there was none. */
  readonly revoke: (token: string) => Effect.Effect<boolean>
}

/** Makes the OAuth of an org, whose API accepts `accessToken` as well. */
export const make = Effect.fnUntraced(function* (
  options: Options & { readonly accessToken: Redacted.Redacted; readonly identity: Identity }
): Effect.fn.Return<OAuth> {
  const { identity } = options
  const clients = new Map(
    options.clients?.map((client) => [
      client.clientId,
      { ...client, key: client.publicKey === undefined ? undefined : createPublicKey(client.publicKey) }
    ])
  )
  const accessTokens = new Map<string, { readonly expires: number; readonly refreshToken: string | undefined }>()
  accessTokens.set(Redacted.value(options.accessToken), { expires: Number.POSITIVE_INFINITY, refreshToken: undefined })
  const refreshTokens = new Map(options.refreshTokens?.map(({ clientId, token }) => [token, clientId]))
  const grants = new Map<string, Grant>()
  const lifetime =
    options.accessTokenLifetime === undefined
      ? Number.POSITIVE_INFINITY
      : Duration.toMillis(options.accessTokenLifetime)
  const tolerance = Duration.toMillis(options.clockTolerance ?? 0)
  const signingKey = yield* randomToken

  const clientOf = Effect.fnUntraced(function* ({ authorization, form }: TokenRequest) {
    const { id, secret } = credentials(form, authorization)
    const client = clients.get(id ?? "")
    if (client === undefined) return yield* unknownClient
    if (client.clientSecret !== undefined && client.clientSecret !== secret) return yield* wrongSecret
    return client
  })

  const issue = Effect.fnUntraced(function* (base: string, refreshToken?: string) {
    const now = yield* Clock.currentTimeMillis
    for (const [token, { expires }] of accessTokens) if (expires <= now) accessTokens.delete(token)
    const accessToken = `${identity.orgId}!${yield* randomToken}`
    accessTokens.set(accessToken, { expires: now + lifetime, refreshToken })
    const id = `${base}/id/${identity.orgId}/${identity.userId}`
    return {
      access_token: accessToken,
      signature: createHmac("sha256", signingKey).update(`${id}${now}`).digest("base64"),
      scope: refreshToken === undefined ? "api" : "refresh_token api",
      instance_url: base,
      id,
      token_type: "Bearer",
      issued_at: String(now)
    }
  })

  const newRefreshToken = Effect.fnUntraced(function* (clientId: string) {
    const token = `5Aep${yield* randomToken}`
    refreshTokens.set(token, clientId)
    return token
  })

  const clientCredentials = Effect.fnUntraced(function* (request: TokenRequest) {
    if (/^https?:\/\/(?:login|test)\./.test(request.base)) {
      return yield* invalidGrant("request not supported on this domain")
    }
    const client = yield* clientOf(request)
    if (client.clientSecret === undefined) return yield* wrongSecret
    if (client.runAsUser === false) return yield* invalidGrant("no client credentials user enabled")
    return yield* issue(request.base)
  })

  const jwtBearer = Effect.fnUntraced(function* ({ base, form }: TokenRequest) {
    const parts = (form.get("assertion") ?? "").split(".")
    const [header = "", payload = "", signature = ""] = parts
    const algorithm = decodeHeader(base64Url(header))
    const claims = decodeClaims(base64Url(payload))
    if (parts.length !== 3 || Result.isFailure(algorithm) || Result.isFailure(claims)) return yield* invalidAssertion
    const { aud, exp, iss, sub } = claims.success
    const client = clients.get(iss)
    if (client === undefined) return yield* unknownClient
    const { key } = client
    const isSigned =
      algorithm.success.alg === "RS256" &&
      key !== undefined &&
      key.asymmetricKeyType === "rsa" &&
      verify("RSA-SHA256", Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url"))
    if (!isSigned) return yield* invalidAssertion
    const allowed = [...audiences, base]
    if (![aud].flat().some((each) => allowed.includes(each.replace(/\/$/, "")))) {
      return yield* invalidGrant("audience is invalid")
    }
    const ahead = exp * 1_000 - (yield* Clock.currentTimeMillis)
    if (ahead + tolerance <= 0) return yield* expiredCode
    if (ahead - tolerance > assertionLifetime) return yield* invalidAssertion
    if (sub.toLowerCase() !== identity.username.toLowerCase()) return yield* notApproved
    return yield* issue(base)
  })

  const refresh = Effect.fnUntraced(function* (request: TokenRequest) {
    const client = yield* clientOf(request)
    const token = request.form.get("refresh_token") ?? ""
    if (refreshTokens.get(token) !== client.clientId) return yield* expiredToken
    if (options.rotateRefreshTokens !== true) return yield* issue(request.base, token)
    refreshTokens.delete(token)
    const next = yield* newRefreshToken(client.clientId)
    return { ...(yield* issue(request.base, next)), refresh_token: next }
  })

  const authorizationCode = Effect.fnUntraced(function* (request: TokenRequest) {
    const { form } = request
    const client = yield* clientOf(request)
    const code = form.get("code") ?? ""
    const grant = grants.get(code)
    if (grant === undefined || grant.clientId !== client.clientId) return yield* expiredCode
    // whatever comes of it, a code is good for one attempt
    grants.delete(code)
    if (grant.expires <= (yield* Clock.currentTimeMillis)) return yield* expiredCode
    if (form.get("redirect_uri") !== grant.redirectUri) return yield* wrongRedirect
    const verifier = form.get("code_verifier") ?? ""
    if (grant.challenge !== undefined) {
      const challenge = createHash("sha256").update(verifier).digest("base64url")
      if (challenge !== grant.challenge) return yield* invalidGrant("invalid code verifier")
    }
    const refreshToken = yield* newRefreshToken(client.clientId)
    return { ...(yield* issue(request.base, refreshToken)), refresh_token: refreshToken }
  })

  return {
    accepts: (token) =>
      Effect.map(
        Clock.currentTimeMillis,
        (now) => (accessTokens.get(token)?.expires ?? Number.NEGATIVE_INFINITY) > now
      ),

    token: (request) =>
      Effect.suspend((): Effect.Effect<Readonly<Record<string, string>>, OAuthError> => {
        switch (request.form.get("grant_type")) {
          case "client_credentials":
            return clientCredentials(request)
          case "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return jwtBearer(request)
          case "refresh_token":
            return refresh(request)
          case "authorization_code":
            return authorizationCode(request)
          case "password":
            // off in new orgs, whoever asks
            return Effect.fail(invalidGrant("authentication failure"))
          default:
            return Effect.fail(refuse("unsupported_grant_type", "grant type not supported"))
        }
      }),

    authorize: Effect.fnUntraced(function* (query) {
      const client = clients.get(query.get("client_id") ?? "")
      if (client === undefined) return yield* unknownClient
      const redirectUri = query.get("redirect_uri") ?? ""
      const allowed = client.redirectUris ?? [redirectUri]
      if (!allowed.includes(redirectUri) || !URL.canParse(redirectUri)) return yield* wrongRedirect
      const target = new URL(redirectUri)
      const state = query.get("state")
      if (state !== null) target.searchParams.set("state", state)
      const challenge = query.get("code_challenge")
      const back = (error: string, description: string) => {
        target.searchParams.set("error", error)
        target.searchParams.set("error_description", description)
        return target.href
      }
      if (query.get("response_type") !== "code") {
        return back("unsupported_response_type", "response type not supported")
      }
      const method = query.get("code_challenge_method") ?? "S256"
      if (challenge !== null && method !== "S256") return back("invalid_request", "code challenge method not supported")
      if (challenge === null && client.clientSecret === undefined) {
        return back("invalid_request", "missing required code challenge")
      }
      const code = `aPrx${yield* randomToken}`
      const expires = (yield* Clock.currentTimeMillis) + codeLifetime
      grants.set(code, { clientId: client.clientId, redirectUri, challenge: challenge ?? undefined, expires })
      target.searchParams.set("code", code)
      return target.href
    }),

    revoke: (token) =>
      Effect.sync(() => {
        if (!refreshTokens.delete(token)) return accessTokens.delete(token)
        for (const [access, { refreshToken }] of accessTokens) if (refreshToken === token) accessTokens.delete(access)
        return true
      })
  }
})
