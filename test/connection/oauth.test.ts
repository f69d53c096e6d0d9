// Every flow against the OAuth of an org, over sockets, with what it is refused for.
import { generateKeyPairSync } from "node:crypto"
import { createServer } from "node:http"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Redacted, Schema } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import { jwtVerify } from "jose"
import type * as BulkError from "../../src/BulkError.ts"
import * as Auth from "../../src/connection/Auth.ts"
import * as Connection from "../../src/connection/Connection.ts"
import * as WebLogin from "../../src/connection/WebLogin.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import type * as OAuth from "../../src/org/OAuth.ts"
import { serve } from "../support/servers.ts"

const keys = generateKeyPairSync("rsa", { modulusLength: 2048 })
const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 })
const pem = (key: typeof keys.privateKey) => key.export({ type: "pkcs8", format: "pem" }).toString()
const username = "me@acme.example"

const orgWith = (oauth: OAuth.Options = {}, faults: ReadonlyArray<Faults.Fault> = []) =>
  Effect.provide(
    EmbeddedOrg.layerWith({
      username,
      faults,
      oauth: {
        clients: [
          {
            clientId: "app",
            clientSecret: "s&cret=",
            publicKey: keys.publicKey.export({ type: "spki", format: "pem" }).toString()
          },
          { clientId: "public", redirectUris: ["http://localhost:1717/done"] },
          { clientId: "nobody", clientSecret: "s", runAsUser: false }
        ],
        refreshTokens: [{ token: "first", clientId: "app" }],
        ...oauth
      }
    }).pipe(
      Layer.provide(Layer.fresh(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))),
      Layer.provideMerge(NodeHttpClient.layerUndici)
    )
  )

type Flow = Layer.Layer<Auth.Session, BulkError.BulkError, HttpClient.HttpClient>

/** Asks the org for who it is, with a session of this flow. */
const whoAmI = Connection.Connection.use((connection) =>
  connection.json(
    { method: "GET", path: "/query", query: { q: "SELECT Id FROM Organization" } },
    Schema.Struct({ records: Schema.Array(Schema.Struct({ Id: Schema.String })) })
  )
).pipe(Effect.map(({ records }) => records[0]?.Id))

const by = (flow: Flow) => Effect.provide(Connection.layer.pipe(Layer.provide(flow)))

const succeeds = (flow: Flow) =>
  Effect.gen(function* () {
    const { orgId } = yield* EmbeddedOrg.EmbeddedOrg
    assert.strictEqual(yield* whoAmI.pipe(by(flow)), orgId)
  })

const isRefused = (flow: Flow, error: string, message: RegExp) =>
  Effect.gen(function* () {
    const failure = yield* Effect.flip(whoAmI.pipe(by(flow)))
    assert.deepInclude(failure.reason, { _tag: "SignInFailed", error }, failure.message)
    assert.match(failure.message, message)
    assert.isTrue(failure.isAuth)
    assert.isFalse(failure.isRetryable)
    assert.notInclude(failure.message, "s&cret=")
  })

const loginUrl = Effect.map(EmbeddedOrg.EmbeddedOrg, ({ instanceUrl }) => instanceUrl)

describe("client credentials at an org", () => {
  const flow = (url: string, more: { readonly clientId?: string; readonly clientSecret?: string } = {}) =>
    Auth.layerClientCredentials({ loginUrl: url, clientId: "app", clientSecret: "s&cret=", ...more })

  it.live("sign in, and are refused by name", () =>
    Effect.gen(function* () {
      const url = yield* loginUrl
      yield* succeeds(flow(url))
      yield* isRefused(flow(url, { clientSecret: "wrong" }), "invalid_client", /consumer secret does not belong/)
      yield* isRefused(flow(url, { clientId: "none" }), "invalid_client_id", /consumer key is unknown/)
      yield* isRefused(
        flow(url, { clientId: "nobody", clientSecret: "s" }),
        "invalid_grant",
        /set the user that the app runs as/
      )
    }).pipe(orgWith())
  )

  it.live("say it when the user is locked out, or not active", () =>
    Effect.gen(function* () {
      const url = yield* loginUrl
      yield* isRefused(flow(url), "invalid_grant", /user is locked.*unlock it/)
      yield* isRefused(flow(url), "invalid_grant", /user is inactive.*activate/)
      // nor is it bound to say more
      yield* isRefused(flow(url), "invalid_grant", /invalid_grant/)
    }).pipe(
      orgWith(
        {},
        ["user is locked", "user is inactive", undefined].map((error_description, i) =>
          Faults.on(
            /oauth2\/token/,
            Faults.respond(400, { body: JSON.stringify({ error: "invalid_grant", error_description }) }),
            { nth: i + 1 }
          )
        )
      )
    )
  )

  it.live("sign in again after a login host that could not, for a while", () =>
    Effect.gen(function* () {
      yield* succeeds(flow(yield* loginUrl))
    }).pipe(
      orgWith({}, [
        Faults.on(/oauth2\/token/, Faults.respondHtml(503), { nth: 1 }),
        Faults.on(/oauth2\/token/, Faults.cutBefore, { nth: 2 })
      ])
    )
  )

  it.live("sign in again, once, when the token has expired", () =>
    Effect.gen(function* () {
      const { requests } = yield* EmbeddedOrg.EmbeddedOrg
      const ten = Effect.all(
        Array.from({ length: 10 }, () => whoAmI),
        { concurrency: "unbounded" }
      )
      yield* Effect.andThen(whoAmI, ten).pipe(by(flow(yield* loginUrl)))
      const asked = yield* requests
      assert.strictEqual(asked.filter(({ path }) => path.includes("oauth2/token")).length, 2)
    }).pipe(orgWith({}, [Faults.on(/query/, Faults.expireSession, { nth: 2 })]))
  )

  it.live("send no secret where a login host leads", () =>
    Effect.gen(function* () {
      let strangers = 0
      const elsewhere = yield* serve((_, response) => {
        strangers++
        response.end()
      })
      const leading = yield* serve((_, response) =>
        response.writeHead(307, { location: `http://127.0.0.1:${elsewhere}/` }).end()
      )
      for (const client of [NodeHttpClient.layerUndici, NodeHttpClient.layerNodeHttp, NodeHttpClient.layerFetch]) {
        const failure = yield* Effect.flip(
          whoAmI.pipe(by(flow(`http://127.0.0.1:${leading}`).pipe(Layer.provide(client))))
        )
        assert.match(failure.message, /it leads to http:\/\/127\.0\.0\.1:\d+, and no secret goes there/)
      }
      assert.strictEqual(strangers, 0)
      const nowhere = yield* serve((_, response) => response.writeHead(302).end())
      const lost = yield* Effect.flip(whoAmI.pipe(by(flow(`http://127.0.0.1:${nowhere}`))))
      assert.match(lost.message, /it leads to nowhere, and no secret goes there/)
    }).pipe(orgWith(), Effect.scoped)
  )
})

describe("JWT bearer at an org", () => {
  const flow = (
    url: string,
    more: Partial<Parameters<typeof Auth.layerJwtBearer>[0]> & { readonly key?: string } = {}
  ) =>
    Auth.layerJwtBearer({
      loginUrl: url,
      audience: "https://login.salesforce.com",
      clientId: "app",
      username,
      privateKey: more.key ?? pem(keys.privateKey),
      ...more
    })

  /** A clock that is off by so much. */
  const skewed =
    (millis: number) =>
    <E, R>(self: Effect.Effect<void, E, R>) =>
      Effect.flatMap(Effect.clockWith(Effect.succeed), (clock) =>
        Effect.provideService(self, Clock.Clock, {
          ...clock,
          sleep: (duration) => clock.sleep(duration),
          currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + millis,
          currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe() + millis),
          currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
          currentTimeNanos: clock.currentTimeNanos
        })
      )

  it.live("signs in for any audience that the org takes, by a clock that is nearly right", () =>
    Effect.gen(function* () {
      const url = yield* loginUrl
      yield* succeeds(flow(url))
      yield* succeeds(flow(url, { audience: "https://test.salesforce.com" }))
      yield* succeeds(flow(url, { audience: url }))
      yield* succeeds(flow(url, { audience: undefined }))
      yield* succeeds(flow(url)).pipe(skewed(-120_000))
    }).pipe(orgWith())
  )

  it.live("is refused by name", () =>
    Effect.gen(function* () {
      const url = yield* loginUrl
      const check = /certificate of the app, and this machine's clock/
      yield* isRefused(flow(url, { key: pem(stranger.privateKey) }), "invalid_grant", check)
      yield* isRefused(flow(url, { clientId: "public" }), "invalid_grant", check)
      yield* isRefused(flow(url, { clientId: "none" }), "invalid_client_id", /consumer key is unknown/)
      yield* isRefused(flow(url, { audience: "https://example.com" }), "invalid_grant", /sandboxes https:\/\/test/)
      yield* isRefused(flow(url, { username: "you@acme.example" }), "invalid_grant", /must be pre-authorised/)
      yield* isRefused(flow(url), "invalid_grant", /this machine's clock/).pipe(skewed(-200_000))
      yield* isRefused(flow(url), "invalid_grant", /this machine's clock/).pipe(skewed(200_000))
    }).pipe(orgWith())
  )

  it.live("signs what jose verifies", () =>
    Effect.gen(function* () {
      const forms: Array<URLSearchParams> = []
      const port = yield* serve(async (request, response) => {
        forms.push(new URLSearchParams(Buffer.concat(await request.toArray()).toString()))
        response.end(JSON.stringify({ access_token: "x", instance_url: "http://127.0.0.1" }))
      })
      yield* Auth.Session.use((session) => session.current).pipe(
        Effect.provide(flow(`http://127.0.0.1:${port}`)),
        Effect.provide(NodeHttpClient.layerUndici)
      )
      const [form] = forms
      assert.deepStrictEqual([...(form?.keys() ?? [])].sort(), ["assertion", "grant_type"])
      const { payload } = yield* Effect.promise(() =>
        jwtVerify(form?.get("assertion") ?? "", keys.publicKey, {
          algorithms: ["RS256"],
          issuer: "app",
          subject: username,
          audience: "https://login.salesforce.com",
          requiredClaims: ["exp"]
        })
      )
      const ahead = (payload.exp ?? 0) - Date.now() / 1000
      assert.isTrue(ahead > 150 && ahead <= 180, `${ahead} s`)
    }).pipe(Effect.scoped)
  )
})

describe("a refresh token at an org", () => {
  const flow = (url: string, more: Partial<Parameters<typeof Auth.layerRefreshToken>[0]> = {}) =>
    Auth.layerRefreshToken({
      loginUrl: url,
      clientId: "app",
      clientSecret: "s&cret=",
      refreshToken: "first",
      ...more
    })
  const renewing = [Faults.on(/query/, Faults.expireSession, { nth: [1, 3] })]

  it.live("is used again and again where it does not rotate", () =>
    Effect.gen(function* () {
      const url = yield* loginUrl
      yield* Effect.andThen(whoAmI, whoAmI).pipe(by(flow(url)))
      yield* succeeds(flow(url))
      yield* isRefused(flow(url, { refreshToken: "other" }), "invalid_grant", /revoked, rotated or has expired/)
      yield* isRefused(flow(url, { clientSecret: "x" }), "invalid_client", /consumer secret/)
    }).pipe(orgWith({}, renewing))
  )

  it.live("is followed by the next one where they rotate, and worth nothing itself", () =>
    Effect.gen(function* () {
      const url = yield* loginUrl
      const stored: Array<string> = []
      const rotating = flow(url, { onRotate: (token) => Effect.sync(() => stored.push(Redacted.value(token))) })
      yield* Effect.andThen(whoAmI, whoAmI).pipe(by(rotating))
      assert.strictEqual(new Set(stored).size, 3)
      yield* isRefused(flow(url), "invalid_grant", /revoked, rotated or has expired/)
      yield* succeeds(flow(url, { refreshToken: stored.at(-1) ?? "" }))
    }).pipe(orgWith({ rotateRefreshTokens: true }, renewing))
  )

  it.live("that was revoked ends the session", () =>
    Effect.gen(function* () {
      const url = yield* loginUrl
      const revoke = HttpClient.get(`${url}/services/oauth2/revoke?token=first`)
      const failure = yield* whoAmI.pipe(Effect.andThen(revoke), Effect.andThen(whoAmI), by(flow(url)), Effect.flip)
      assert.deepInclude(failure, { _tag: "BulkError" })
      assert.match(failure.message, /revoked, rotated or has expired/)
    }).pipe(orgWith())
  )
})

describe("a login by browser", () => {
  const redirectUri = "http://localhost:1717/done"
  /** Where the browser is led, which says yes to everything. */
  const browse = (url: string) =>
    Effect.map(HttpClient.get(url), ({ headers, status }) => {
      assert.strictEqual(status, 302)
      return headers.location ?? ""
    })

  it.live("gives a session, and a refresh token that renews it", () =>
    Effect.gen(function* () {
      const app = { loginUrl: yield* loginUrl, clientId: "public", redirectUri }
      const { orgId, requests } = yield* EmbeddedOrg.EmbeddedOrg
      const login = yield* WebLogin.begin(app)
      const parameters = new URL(login.url).searchParams
      assert.deepInclude(Object.fromEntries(parameters), {
        response_type: "code",
        client_id: "public",
        redirect_uri: redirectUri,
        scope: "api refresh_token",
        code_challenge_method: "S256"
      })
      assert.notInclude(login.url, Redacted.value(login.verifier))
      assert.match(Redacted.value(login.verifier), /^[\w-]{43}$/)
      const { credentials, refreshToken = "" } = yield* WebLogin.finish({
        ...app,
        ...login,
        callback: yield* browse(login.url)
      })
      const session = Auth.layerRefreshToken({ ...app, refreshToken, credentials })
      const tokens = () => Effect.map(requests, (all) => all.filter(({ path }) => path.includes("oauth2/token")).length)
      assert.strictEqual(yield* whoAmI.pipe(by(session)), orgId)
      // the first session is that of the login: no other was asked for
      assert.strictEqual(yield* tokens(), 1)
      assert.strictEqual(yield* Effect.andThen(whoAmI, whoAmI).pipe(by(session)), orgId)
      assert.strictEqual(yield* tokens(), 2)
    }).pipe(orgWith({}, [Faults.on(/query/, Faults.expireSession, { nth: 3 })]))
  )

  it.live("is refused for what is not the answer to it", () =>
    Effect.gen(function* () {
      const app = { loginUrl: yield* loginUrl, clientId: "public", redirectUri }
      const login = yield* WebLogin.begin(app)
      const other = yield* WebLogin.begin(app)
      const callback = yield* browse(login.url)
      const finish = (more: Partial<Parameters<typeof WebLogin.finish>[0]>) =>
        Effect.map(
          Effect.flip(WebLogin.finish({ ...app, ...login, callback, ...more })),
          ({ message, reason }) => [reason._tag === "SignInFailed" ? reason.error : reason._tag, message] as const
        )
      for (const [more, error, words] of [
        [{ callback: yield* browse(other.url) }, "invalid_state", /another login/],
        [{ callback: "/done" }, "invalid_state", /another login/],
        [
          {
            callback: `/done?state=${Redacted.value(login.state)}&error=access_denied&error_description=end-user+denied`
          },
          "access_denied",
          /end-user denied/
        ],
        [
          { callback: `/done?state=${Redacted.value(login.state)}&error=server_error` },
          "server_error",
          /server_error$/
        ],
        [{ callback: `/done?state=${Redacted.value(login.state)}` }, "invalid_grant", /authorization code/],
        [{ redirectUri: "http://localhost:1718/" }, "redirect_uri_mismatch", /letter by letter/],
        // a code is good for one attempt, even a wrong one
        [{}, "invalid_grant", /expired authorization code.*good once/]
      ] as const) {
        const [tag, message] = yield* finish(more)
        assert.strictEqual(tag, error)
        assert.match(message, words)
        assert.notInclude(message, new URL(callback).searchParams.get("code") ?? "none")
      }
      const again = yield* browse(login.url)
      const [, message] = yield* finish({ callback: again, verifier: other.verifier })
      assert.match(message, /invalid code verifier/)
    }).pipe(orgWith())
  )

  it.live("begins at no URL that lets a code cross a network in the clear", () =>
    Effect.gen(function* () {
      const app = { loginUrl: "https://login.salesforce.com", clientId: "a" }
      for (const redirectUri of ["http://acme.example/done", "done", ""]) {
        const error = yield* Effect.flip(WebLogin.begin({ ...app, redirectUri }))
        assert.strictEqual(error.reason._tag, "InvalidOptions")
      }
      for (const redirectUri of ["https://acme.example/done", "http://[::1]:1/", "acme://done"]) {
        assert.include((yield* WebLogin.begin({ ...app, redirectUri })).url, encodeURIComponent(redirectUri))
      }
    })
  )
})
