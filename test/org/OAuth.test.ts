import { createHash, generateKeyPairSync, sign } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Request from "effect/http/HttpClientRequest"
import * as UrlParams from "effect/http/UrlParams"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import type * as OAuth from "../../src/org/OAuth.ts"

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
const other = generateKeyPairSync("rsa", { modulusLength: 2048 })

const secret = "a secret: with % and ü"

const org = (options: OAuth.Options = {}) =>
  EmbeddedOrg.layerHttpClient({
    username: "me@example.com",
    oauth: {
      clients: [
        {
          clientId: "app",
          clientSecret: secret,
          publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
          redirectUris: ["http://localhost:1717/done?x=1"]
        },
        { clientId: "public" },
        { clientId: "nobody", clientSecret: secret, runAsUser: false }
      ],
      refreshTokens: [{ token: "first", clientId: "app" }],
      ...options
    }
  })

interface Answered {
  readonly status: number
  readonly body: Record<string, string>
}

const token = Effect.fnUntraced(function* (form: Record<string, string>, authorization?: string) {
  const { instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
  const client = yield* HttpClient.HttpClient
  const request = Request.post(`${instanceUrl}/services/oauth2/token`).pipe(
    Request.bodyUrlParams(UrlParams.fromInput(form))
  )
  const response = yield* client.execute(
    authorization === undefined ? request : Request.setHeader(request, "authorization", authorization)
  )
  const answer: Answered = { status: response.status, body: JSON.parse(yield* response.text) }
  return answer
})

const granted = (form: Record<string, string>, authorization?: string) =>
  Effect.map(token(form, authorization), ({ body, status }) => {
    assert.strictEqual(status, 200, JSON.stringify(body))
    return body
  })

const refused = (form: Record<string, string>, authorization?: string) =>
  Effect.map(token(form, authorization), ({ body, status }) => `${status} ${body.error}: ${body.error_description}`)

/** The status with which the API answers who has a token. */
const status = Effect.fnUntraced(function* (accessToken: string | undefined) {
  const { instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
  const response = yield* HttpClient.execute(
    Request.get(`${instanceUrl}/services/data/v68.0/limits`).pipe(Request.bearerToken(accessToken ?? ""))
  )
  yield* response.text
  return response.status
})

const app = { client_id: "app", client_secret: secret }
const credentials = { grant_type: "client_credentials" }
const expired = "400 invalid_grant: expired access/refresh token"

describe("client credentials", () => {
  it.effect("give a token that the API accepts, as the fixed one", () =>
    Effect.gen(function* () {
      const { accessToken, instanceUrl, orgId } = yield* EmbeddedOrg.EmbeddedOrg
      yield* TestClock.setTime(1_795_466_472_000)
      const basic = `Basic ${btoa(`app:${encodeURIComponent(secret)}`)}`
      for (const body of [yield* granted({ ...credentials, ...app }), yield* granted(credentials, basic)]) {
        assert.deepStrictEqual(Object.keys(body).sort(), [
          "access_token",
          "id",
          "instance_url",
          "issued_at",
          "scope",
          "signature",
          "token_type"
        ])
        assert.match(body.access_token ?? "", /^00D\w{15}!\w{40}$/)
        assert.deepInclude(body, {
          id: `${instanceUrl}/id/${orgId}/005Qx0000000001IAA`,
          instance_url: instanceUrl,
          issued_at: "1795466472000",
          scope: "api",
          token_type: "Bearer"
        })
        assert.strictEqual(yield* status(body.access_token), 200)
      }
      assert.strictEqual(yield* status(Redacted.value(accessToken)), 200)
    }).pipe(Effect.provide(org()))
  )

  it.effect("are refused to whom they are not meant for", () =>
    Effect.gen(function* () {
      const wrong = "400 invalid_client: invalid client credentials"
      const expected: ReadonlyArray<readonly [form: Record<string, string>, refusal: string]> = [
        [{ client_id: "none", client_secret: secret }, "400 invalid_client_id: client identifier invalid"],
        [{}, "400 invalid_client_id: client identifier invalid"],
        [{ client_id: "app", client_secret: "x" }, wrong],
        [{ client_id: "app" }, wrong],
        [{ client_id: "public" }, wrong],
        [{ client_id: "nobody", client_secret: secret }, "400 invalid_grant: no client credentials user enabled"]
      ]
      for (const [form, text] of expected) assert.strictEqual(yield* refused({ ...credentials, ...form }), text)
      // a header is read as it stands where it is not percent-encoded
      const basic = `Basic ${Buffer.from("app:100%").toString("base64")}`
      assert.strictEqual(yield* refused(credentials, basic), wrong)
      const { instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
      const response = yield* HttpClient.execute(
        Request.post(`${instanceUrl}/services/oauth2/token`).pipe(
          Request.setHeader("host", "login.salesforce.com"),
          Request.bodyUrlParams(UrlParams.fromInput({ ...credentials, ...app }))
        )
      )
      assert.deepStrictEqual(yield* response.json, {
        error: "invalid_grant",
        error_description: "request not supported on this domain"
      })
    }).pipe(Effect.provide(org()))
  )
})

describe("JWT bearer", () => {
  const now = 1_795_466_472
  const claims = { iss: "app", sub: "ME@example.com", aud: "https://login.salesforce.com", exp: now + 180 }

  const assertion = (payload: unknown, key = privateKey, header: unknown = { alg: "RS256" }) => {
    const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString("base64url")
    const text = `${encode(header)}.${encode(payload)}`
    return {
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: `${text}.${sign("RSA-SHA256", Buffer.from(text), key).toString("base64url")}`
    }
  }

  it.effect("gives a token for an assertion that is right", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now * 1_000)
      const { instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
      for (const aud of [
        "https://login.salesforce.com",
        "https://test.salesforce.com/",
        instanceUrl,
        ["x", instanceUrl]
      ]) {
        const body = yield* granted(assertion({ ...claims, aud }))
        assert.notProperty(body, "refresh_token")
        assert.strictEqual(yield* status(body.access_token), 200)
      }
    }).pipe(Effect.provide(org()))
  )

  it.effect("gives none for one that is not", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now * 1_000)
      const invalid = "400 invalid_grant: invalid assertion"
      const expected: ReadonlyArray<readonly [form: Record<string, string>, refusal: string]> = [
        [assertion({ ...claims, iss: "none" }), "400 invalid_client_id: client identifier invalid"],
        [assertion({ ...claims, iss: "public" }), invalid],
        [assertion({ ...claims, sub: "you@example.com" }), "400 invalid_grant: user hasn't approved this consumer"],
        [assertion({ ...claims, aud: "https://evil.example" }), "400 invalid_grant: audience is invalid"],
        [assertion({ ...claims, exp: now }), "400 invalid_grant: expired authorization code"],
        [assertion({ ...claims, exp: now + 181 }), invalid],
        [assertion({ iss: "app" }), invalid],
        [assertion(claims, other.privateKey), invalid],
        [assertion(claims, privateKey, { alg: "none" }), invalid],
        [{ ...assertion(claims), assertion: "a.b.c" }, invalid],
        [{ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer" }, invalid]
      ]
      for (const [form, text] of expected) assert.strictEqual(yield* refused(form), text)
      const { assertion: good = "", grant_type } = assertion(claims)
      const forged = Buffer.from(JSON.stringify({ ...claims, sub: "x" })).toString("base64url")
      const [header, , signature] = good.split(".")
      assert.strictEqual(yield* refused({ grant_type, assertion: `${header}.${forged}.${signature}` }), invalid)
    }).pipe(Effect.provide(org()))
  )

  it.effect("bears a clock that is off, as far as it is told to", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now * 1_000)
      for (const [exp, isGood] of [
        [now - 29, true],
        [now - 30, false],
        [now + 210, true],
        [now + 211, false]
      ] as const) {
        assert.strictEqual((yield* token(assertion({ ...claims, exp }))).status, isGood ? 200 : 400, `${exp - now}`)
      }
    }).pipe(Effect.provide(org({ clockTolerance: "30 seconds" })))
  )
})

describe("refresh tokens", () => {
  const refresh = (refresh_token: string | undefined) => ({
    grant_type: "refresh_token",
    refresh_token: refresh_token ?? "",
    ...app
  })

  it.effect("are good again and again", () =>
    Effect.gen(function* () {
      const first = yield* granted(refresh("first"))
      const second = yield* granted(refresh("first"))
      assert.notProperty(first, "refresh_token")
      assert.notStrictEqual(first.access_token, second.access_token)
      assert.strictEqual(yield* status(first.access_token), 200)
      assert.strictEqual(yield* refused(refresh("second")), expired)
      assert.strictEqual(yield* refused({ grant_type: "refresh_token", ...app }), expired)
      assert.strictEqual(yield* refused({ ...refresh("first"), client_id: "public" }), expired)
      assert.match(yield* refused({ ...refresh("first"), client_secret: "x" }), /invalid_client/)
    }).pipe(Effect.provide(org()))
  )

  it.effect("rotate when they should: each is good once", () =>
    Effect.gen(function* () {
      const first = yield* granted(refresh("first"))
      assert.isString(first.refresh_token)
      assert.strictEqual(yield* refused(refresh("first")), expired)
      const second = yield* granted(refresh(first.refresh_token))
      assert.notStrictEqual(second.refresh_token, first.refresh_token)
      assert.strictEqual(yield* status(first.access_token), 200)
    }).pipe(Effect.provide(org({ rotateRefreshTokens: true })))
  )
})

describe("the web server flow", () => {
  const verifier = "v".repeat(64)
  const challenge = createHash("sha256").update(verifier).digest("base64url")
  const redirect = "http://localhost:1717/done?x=1"

  const authorize = Effect.fnUntraced(function* (query: Record<string, string>) {
    const { instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
    const response = yield* HttpClient.get(`${instanceUrl}/services/oauth2/authorize?${new URLSearchParams(query)}`)
    const text = yield* response.text
    const { location } = response.headers
    return { status: response.status, text, location: location === undefined ? undefined : new URL(location) }
  })
  const asked = {
    response_type: "code",
    client_id: "app",
    redirect_uri: redirect,
    state: "a b&c",
    code_challenge: challenge,
    code_challenge_method: "S256"
  }
  const exchange = (code: string, form: Record<string, string> = {}) => ({
    grant_type: "authorization_code",
    code,
    redirect_uri: redirect,
    code_verifier: verifier,
    ...app,
    ...form
  })
  const newCode = Effect.map(authorize(asked), ({ location }) => location?.searchParams.get("code") ?? "")

  it.effect("redirects with a code at once, and gives tokens for it once", () =>
    Effect.gen(function* () {
      const { location, status: redirected } = yield* authorize(asked)
      assert.strictEqual(redirected, 302)
      assert.strictEqual(location?.origin, "http://localhost:1717")
      assert.strictEqual(location?.searchParams.get("x"), "1")
      assert.strictEqual(location?.searchParams.get("state"), "a b&c")
      const code = location?.searchParams.get("code") ?? ""
      const body = yield* granted(exchange(code))
      assert.strictEqual(yield* status(body.access_token), 200)
      assert.strictEqual(yield* refused(exchange(code)), "400 invalid_grant: expired authorization code")
      const again = yield* granted({ grant_type: "refresh_token", refresh_token: body.refresh_token ?? "", ...app })
      assert.strictEqual(yield* status(again.access_token), 200)
    }).pipe(Effect.provide(org()))
  )

  it.effect("takes a challenge without a method for S256, and none from a client with a secret", () =>
    Effect.gen(function* () {
      const codeOf = (query: Record<string, string>) =>
        Effect.map(authorize(query), ({ location }) => location?.searchParams.get("code") ?? "")
      const { code_challenge_method: _, ...unsaid } = asked
      const { code_verifier: __, ...unverified } = exchange(yield* codeOf(unsaid))
      assert.strictEqual(yield* refused(unverified), "400 invalid_grant: invalid code verifier")
      const verified = yield* granted(exchange(yield* codeOf(unsaid)))
      assert.strictEqual(yield* status(verified.access_token), 200)
      const { code_challenge: ___, ...plain } = unsaid
      const { code_verifier: ____, ...trusted } = exchange(yield* codeOf(plain))
      assert.strictEqual(yield* status((yield* granted(trusted)).access_token), 200)
    }).pipe(Effect.provide(org()))
  )

  it.effect("refuses codes that are late, stolen or made up", () =>
    Effect.gen(function* () {
      const late = "400 invalid_grant: expired authorization code"
      assert.strictEqual(yield* refused(exchange("made up")), late)
      assert.strictEqual(yield* refused({ grant_type: "authorization_code", ...app }), late)
      assert.strictEqual(
        yield* refused(exchange(yield* newCode, { code_verifier: "w" })),
        "400 invalid_grant: invalid code verifier"
      )
      assert.match(yield* refused(exchange(yield* newCode, { redirect_uri: "http://x" })), /^400 redirect_uri_mismatch/)
      assert.strictEqual(yield* refused(exchange(yield* newCode, { client_id: "public" })), late)
      const code = yield* newCode
      yield* TestClock.adjust("15 minutes")
      assert.strictEqual(yield* refused(exchange(code)), late)
    }).pipe(Effect.provide(org()))
  )

  it.effect("sends nobody anywhere it should not", () =>
    Effect.gen(function* () {
      const unknown = yield* authorize({ ...asked, client_id: "none" })
      assert.deepStrictEqual([unknown.status, unknown.location], [400, undefined])
      const elsewhere = yield* authorize({ ...asked, redirect_uri: "http://evil.example" })
      assert.deepStrictEqual([elsewhere.status, elsewhere.location], [400, undefined])
      const implicit = yield* authorize({ ...asked, response_type: "token" })
      assert.strictEqual(implicit.location?.searchParams.get("error"), "unsupported_response_type")
      const { code_challenge: _, ...plain } = asked
      const bare = yield* authorize({ ...plain, client_id: "public" })
      assert.strictEqual(bare.location?.searchParams.get("error"), "invalid_request")
      const plainly = yield* authorize({ ...asked, code_challenge_method: "plain" })
      assert.strictEqual(plainly.location?.searchParams.get("error_description"), "code challenge method not supported")
      const { redirect_uri: __, ...lost } = asked
      assert.deepStrictEqual((yield* authorize(lost)).status, 400)
      const { client_id: ___, ...nobody } = asked
      assert.deepStrictEqual((yield* authorize(nobody)).status, 400)
      const { state: ____, ...stateless } = asked
      assert.isFalse((yield* authorize(stateless)).location?.searchParams.has("state"))
    }).pipe(Effect.provide(org()))
  )
})

describe("tokens", () => {
  it.effect("are refused for passwords, and for grants nobody knows", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* refused({ grant_type: "password", username: "me@example.com", password: "x", ...app }),
        "400 invalid_grant: authentication failure"
      )
      for (const form of [{ grant_type: "device" }, {}]) {
        assert.strictEqual(yield* refused(form), "400 unsupported_grant_type: grant type not supported")
      }
    }).pipe(Effect.provide(org()))
  )

  it.effect("are forgotten once they have expired", () =>
    Effect.gen(function* () {
      const first = yield* granted({ ...app, ...credentials })
      yield* TestClock.adjust("3 hours")
      const second = yield* granted({ ...app, ...credentials })
      assert.deepStrictEqual([yield* status(first.access_token), yield* status(second.access_token)], [401, 200])
    }).pipe(Effect.provide(org({ accessTokenLifetime: "2 hours" })))
  )

  it.effect("expire by the org's clock", () =>
    Effect.gen(function* () {
      const { accessToken } = yield* EmbeddedOrg.EmbeddedOrg
      const { access_token } = yield* granted({ ...credentials, ...app })
      yield* TestClock.adjust("119 minutes")
      assert.strictEqual(yield* status(access_token), 200)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* status(access_token), 401)
      assert.strictEqual(yield* status(Redacted.value(accessToken)), 200)
    }).pipe(Effect.provide(org({ accessTokenLifetime: "2 hours" })))
  )

  it.effect("can be revoked, and a refresh token takes its own along", () =>
    Effect.gen(function* () {
      const { instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
      const send = (form: Record<string, string>) =>
        Effect.flatMap(
          HttpClient.execute(
            Request.post(`${instanceUrl}/services/oauth2/revoke`).pipe(Request.bodyUrlParams(UrlParams.fromInput(form)))
          ),
          (response) => Effect.as(response.text, response.status)
        )
      const revoke = (value: string | undefined) => send({ token: value ?? "" })
      const refresh = { grant_type: "refresh_token", refresh_token: "first", ...app }
      const one = yield* granted(refresh)
      const two = yield* granted(refresh)
      const three = yield* granted({ ...credentials, ...app })
      assert.strictEqual(yield* revoke(one.access_token), 200)
      assert.strictEqual(yield* status(one.access_token), 401)
      assert.strictEqual(yield* status(two.access_token), 200)
      assert.strictEqual(yield* revoke("first"), 200)
      assert.strictEqual(yield* status(two.access_token), 401)
      assert.strictEqual(yield* refused(refresh), expired)
      assert.strictEqual(yield* status(three.access_token), 200)
      assert.strictEqual(yield* revoke("first"), 400)
      assert.strictEqual(yield* send({}), 400)
    }).pipe(Effect.provide(org()))
  )
})

describe("identity", () => {
  it.effect("is told to whom has a token", () =>
    Effect.gen(function* () {
      const { accessToken, instanceUrl, orgId } = yield* EmbeddedOrg.EmbeddedOrg
      const ask = Effect.fnUntraced(function* (path: string, authorization?: string) {
        const request = Request.get(`${instanceUrl}${path}`)
        const response = yield* HttpClient.execute(
          authorization === undefined ? request : Request.setHeader(request, "authorization", authorization)
        )
        return { status: response.status, text: yield* response.text }
      })
      const good = `Bearer ${Redacted.value(accessToken)}`
      const user = "005Qx0000000001IAA"
      const info = yield* ask("/services/oauth2/userinfo", good)
      assert.deepInclude(JSON.parse(info.text), {
        user_id: user,
        organization_id: orgId,
        preferred_username: "me@example.com"
      })
      const who = yield* ask(`/id/${orgId}/${user}?format=json`, good)
      assert.deepInclude(JSON.parse(who.text), { user_id: user, organization_id: orgId, username: "me@example.com" })
      const inQuery = yield* ask(`/id/${orgId}/${user}?oauth_token=${encodeURIComponent(Redacted.value(accessToken))}`)
      assert.strictEqual(inQuery.status, 200)
      for (const [path, authorization, text] of [
        ["/services/oauth2/userinfo", "Bearer x", "Bad_OAuth_Token"],
        ["/services/oauth2/userinfo", undefined, "Missing_OAuth_Token"],
        [`/id/${orgId}/005Qx0000000009IAA`, good, "Wrong_Id"],
        [`/id/${orgId}/${user}`, "Bearer x", "Bad_OAuth_Token"],
        [`/id/00Dxx0000000000/${user}`, good, "Wrong_Org"]
      ] as const) {
        const answer = yield* ask(path, authorization)
        assert.deepStrictEqual([answer.status, answer.text], [403, text])
      }
    }).pipe(Effect.provide(org()))
  )
})
