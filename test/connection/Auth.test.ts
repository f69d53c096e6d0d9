import { generateKeyPairSync, verify } from "node:crypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import {
  ConfigProvider,
  Deferred,
  Duration,
  Effect,
  Fiber,
  FileSystem,
  Layer,
  Path,
  Redacted,
  Result,
  Schema
} from "effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { TestClock } from "effect/testing"
import type * as BulkError from "../../src/BulkError.ts"
import * as Auth from "../../src/connection/Auth.ts"
import * as Connection from "../../src/connection/Connection.ts"
import { virtually } from "../support/orgs.ts"

const loginUrl = "https://acme.my.salesforce.com"

/** What a token endpoint was asked: the fields of the form. */
type Form = Readonly<Record<string, string>>

const formOf = (request: HttpClientRequest.HttpClientRequest): Form =>
  request.body._tag === "Uint8Array"
    ? Object.fromEntries(new URLSearchParams(new TextDecoder().decode(request.body.body)))
    : {}

/** A login host that answers by what it was asked; `forms` keeps that. */
const loginHost = (answer: (form: Form, n: number) => Response) => {
  const forms: Array<Form> = []
  const urls: Array<string> = []
  const client = HttpClient.make((request) =>
    Effect.sync(() => {
      forms.push(formOf(request))
      urls.push(request.url)
      return HttpClientResponse.fromWeb(request, answer(formOf(request), forms.length))
    })
  )
  return { forms, urls, layer: Layer.succeed(HttpClient.HttpClient, client) }
}

const granted = (accessToken: string, more: object = {}) =>
  Response.json({
    access_token: accessToken,
    instance_url: "https://acme.my.salesforce.com",
    token_type: "Bearer",
    ...more
  })

const refused = (error: string, error_description: string) =>
  Response.json({ error, error_description }, { status: 400 })

const current = Effect.flatMap(Auth.Session, (session) => session.current)

const tokenOf = ({ accessToken }: Auth.Credentials) => Redacted.value(accessToken)

const failureOf = <A, R>(self: Effect.Effect<A, BulkError.BulkError, R>) =>
  Effect.map(Effect.flip(self), (error) => error)

describe("Auth.layerWith", () => {
  /** A sign-in that counts, and gives `token 1`, `token 2`, ... */
  const counting = () => {
    let signIns = 0
    const signIn = Effect.map(Effect.yieldNow, () => ({
      instanceUrl: loginUrl,
      accessToken: Redacted.make(`token ${++signIns}`)
    }))
    return { layer: Auth.layerWith(signIn), count: () => signIns }
  }

  it.effect("signs in when it is needed, once for all who wait", () =>
    Effect.gen(function* () {
      const flow = counting()
      yield* Effect.gen(function* () {
        const session = yield* Auth.Session
        assert.strictEqual(flow.count(), 0)
        const tokens = yield* Effect.all(
          Array.from({ length: 50 }, () => session.current),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(new Set(tokens.map(tokenOf)), new Set(["token 1"]))
      }).pipe(Effect.provide(flow.layer))
      assert.strictEqual(flow.count(), 1)
    })
  )

  it.effect("renews once for a hundred requests that meet an expired session", () =>
    Effect.gen(function* () {
      const flow = counting()
      const gate = yield* Deferred.make<void>()
      let waiting = 0
      // refuses the first token, to all hundred requests at once
      const client = HttpClient.make((request) =>
        Effect.gen(function* () {
          if (request.headers.authorization !== "Bearer token 1") {
            return HttpClientResponse.fromWeb(request, Response.json({ ok: true }))
          }
          if (++waiting === 100) yield* Deferred.succeed(gate, undefined)
          yield* Deferred.await(gate)
          return HttpClientResponse.fromWeb(request, new Response("[]", { status: 401 }))
        })
      )
      const request = Connection.Connection.use((connection) =>
        connection.json({ method: "GET", path: "/x" }, Schema.Struct({ ok: Schema.Boolean }))
      )
      yield* Effect.all(
        Array.from({ length: 100 }, () => request),
        { concurrency: "unbounded" }
      ).pipe(
        Effect.provide(Connection.layer.pipe(Layer.provide([flow.layer, Layer.succeed(HttpClient.HttpClient, client)])))
      )
      assert.strictEqual(flow.count(), 2)
    })
  )

  it.effect("does not renew a token that was replaced already", () =>
    Effect.gen(function* () {
      const session = yield* Auth.Session
      const first = yield* session.current
      assert.strictEqual(tokenOf(yield* session.renew(first)), "token 2")
      assert.strictEqual(tokenOf(yield* session.renew(first)), "token 2")
      assert.strictEqual(tokenOf(yield* session.current), "token 2")
    }).pipe(Effect.provide(counting().layer))
  )

  it.effect("asks once for all who wait when it is refused, too", () =>
    Effect.gen(function* () {
      const host = loginHost(() => refused("invalid_grant", "authentication failure"))
      yield* Effect.gen(function* () {
        const session = yield* Auth.Session
        const reasons = yield* Effect.forEach(
          Array.from({ length: 50 }),
          () => Effect.map(failureOf(session.current), ({ reason }) => reason._tag),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(new Set(reasons), new Set(["SignInFailed"]))
      }).pipe(
        Effect.provide(Auth.layerClientCredentials({ loginUrl, clientId: "id", clientSecret: "s" })),
        Effect.provide(host.layer)
      )
      assert.strictEqual(host.forms.length, 1)
    })
  )

  it.effect("tries again after a sign-in that failed", () =>
    Effect.gen(function* () {
      const host = loginHost((_, n) => (n === 1 ? refused("invalid_grant", "x") : granted("two")))
      yield* Effect.gen(function* () {
        const session = yield* Auth.Session
        assert.strictEqual((yield* failureOf(session.current)).reason._tag, "SignInFailed")
        assert.strictEqual(tokenOf(yield* session.current), "two")
      }).pipe(
        Effect.provide(Auth.layerClientCredentials({ loginUrl, clientId: "id", clientSecret: "s" })),
        Effect.provide(host.layer)
      )
    })
  )
})

describe("Auth.layerClientCredentials", () => {
  it.effect("gives a login host a minute to answer", () =>
    Effect.gen(function* () {
      const silent = Layer.succeed(
        HttpClient.HttpClient,
        HttpClient.make(() => Effect.never)
      )
      const session = Auth.layerClientCredentials({ loginUrl, clientId: "id", clientSecret: "s" })
      const asking = yield* Effect.forkChild(
        failureOf(current).pipe(Effect.provide(session.pipe(Layer.provide(silent))))
      )
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(asking)
      assert.deepStrictEqual([error.reason._tag, error.isRetryable], ["ConnectionLost", true])
      assert.include(error.message, "nothing within 1 minute")
    })
  )

  it.effect("asks the org's token endpoint with the app's secret", () =>
    Effect.gen(function* () {
      const host = loginHost(() => granted("00D!abc"))
      const flow = Auth.layerClientCredentials({ loginUrl, clientId: "key", clientSecret: Redacted.make("s&cret") })
      const credentials = yield* current.pipe(Effect.provide(flow), Effect.provide(host.layer))
      assert.strictEqual(tokenOf(credentials), "00D!abc")
      assert.strictEqual(credentials.instanceUrl, "https://acme.my.salesforce.com")
      assert.deepStrictEqual(host.urls, ["https://acme.my.salesforce.com/services/oauth2/token"])
      assert.deepStrictEqual(host.forms, [
        { grant_type: "client_credentials", client_id: "key", client_secret: "s&cret" }
      ])
    })
  )

  it.effect("says why it was refused, and what that usually means, and shows no secret", () =>
    Effect.gen(function* () {
      const host = loginHost(() => refused("invalid_grant", "request not supported on this domain"))
      const flow = Auth.layerClientCredentials({ loginUrl, clientId: "key", clientSecret: "hunter2" })
      const error = yield* failureOf(current.pipe(Effect.provide(flow), Effect.provide(host.layer)))
      assert.deepInclude(error.reason, {
        _tag: "SignInFailed",
        status: 400,
        error: "invalid_grant",
        description: "request not supported on this domain"
      })
      assert.match(error.message, /go to the org's My Domain/)
      assert.isTrue(error.isAuth)
      assert.notInclude(JSON.stringify(error) + String(error), "hunter2")
    })
  )

  it.effect("refuses answers that are no token's, and tokens of orgs that cannot be trusted with one", () =>
    Effect.gen(function* () {
      for (const [answer, tag] of [
        [() => new Response("<html>", { status: 200 }), "SignInFailed"],
        [() => new Response("<html>", { status: 503 }), "SignInFailed"],
        [() => Response.json({ access_token: "x" }), "SignInFailed"],
        [() => granted("x", { instance_url: "http://evil.example" }), "InvalidOptions"]
      ] as const) {
        const flow = Auth.layerClientCredentials({ loginUrl, clientId: "key", clientSecret: "s" })
        const error = yield* failureOf(current.pipe(Effect.provide(flow), Effect.provide(loginHost(answer).layer)))
        assert.strictEqual(error.reason._tag, tag)
      }
    })
  )

  it.effect("is tried again no sooner than the login host asks, and not at all where that is too long", () =>
    Effect.gen(function* () {
      const busy = (retryAfter: string) => new Response("", { status: 503, headers: { "Retry-After": retryAfter } })
      const signIn = (first: Response, options: Connection.Options = {}) => {
        const host = loginHost((form, n) =>
          form.grant_type === undefined ? Response.json({}) : n === 1 ? first : granted("x")
        )
        const session = Auth.layerClientCredentials({ loginUrl, clientId: "key", clientSecret: "s" })
        return Connection.Connection.use(({ json }) => json({ method: "GET", path: "/x" }, Schema.Unknown)).pipe(
          Effect.provide(Connection.layerWith(options).pipe(Layer.provide(session), Layer.provide(host.layer))),
          Effect.result,
          Effect.timed,
          virtually
        )
      }
      const [waited, answer] = yield* signIn(busy("90"))
      assert.isTrue(Result.isSuccess(answer))
      assert.strictEqual(Duration.toSeconds(waited), 90)
      const [atOnce, refusal] = yield* signIn(busy("3600"))
      assert.strictEqual(Duration.toMillis(atOnce), 0)
      const error = Result.isFailure(refusal) ? refusal.failure : undefined
      assert.deepInclude(error?.reason, { _tag: "SignInFailed", status: 503, retryAfter: 3_600_000 })
      assert.include(error?.message, "it asks to be left alone for 1h")
      const [patient] = yield* signIn(busy("3600"), { maxRetryAfter: "1 hour" })
      assert.strictEqual(Duration.toHours(patient), 1)
    })
  )

  it.effect("takes a host and nothing besides it", () =>
    Effect.gen(function* () {
      const host = loginHost(() => granted("x"))
      for (const beside of ["/path", "?q=1", "#part"]) {
        const flow = Auth.layerClientCredentials({ loginUrl: `${loginUrl}${beside}`, clientId: "k", clientSecret: "s" })
        const error = yield* failureOf(current.pipe(Effect.provide(flow), Effect.provide(host.layer)))
        assert.strictEqual(error.message, `loginUrl must be the org's origin alone: ${loginUrl}`)
      }
      assert.deepStrictEqual(host.forms, [])
    })
  )

  it.effect("never sends a secret in the clear", () =>
    Effect.gen(function* () {
      const host = loginHost(() => granted("x"))
      const flow = Auth.layerClientCredentials({
        loginUrl: "http://acme.my.salesforce.com",
        clientId: "k",
        clientSecret: "s"
      })
      const error = yield* failureOf(current.pipe(Effect.provide(flow), Effect.provide(host.layer)))
      assert.strictEqual(error.reason._tag, "InvalidOptions")
      assert.deepStrictEqual(host.forms, [])
    })
  )
})

describe("Auth.layerJwtBearer", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  const pkcs8 = privateKey.export({ type: "pkcs8", format: "pem" }).toString()
  const pkcs1 = privateKey.export({ type: "pkcs1", format: "pem" }).toString()
  const flow = (key: string, more: { readonly loginUrl?: string; readonly audience?: string } = {}) =>
    Auth.layerJwtBearer({ clientId: "key", username: "me@acme.example", privateKey: Redacted.make(key), ...more })

  const decode = (part: string | undefined) => JSON.parse(Buffer.from(part ?? "", "base64url").toString())

  it.effect("signs an assertion that another implementation verifies, with the claims that Salesforce asks for", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_800_000_000_000)
      for (const key of [
        pkcs8,
        pkcs1,
        `Bag Attributes\n    friendlyName: me\n${pkcs8}\ntrailing`,
        pkcs8.replaceAll("\n", "\r\n")
      ]) {
        const host = loginHost(() => granted("00D!jwt"))
        assert.strictEqual(
          tokenOf(yield* current.pipe(Effect.provide(flow(key)), Effect.provide(host.layer))),
          "00D!jwt"
        )
        const [form] = host.forms
        assert.strictEqual(form?.grant_type, "urn:ietf:params:oauth:grant-type:jwt-bearer")
        const [head, claims, signature = ""] = form?.assertion?.split(".") ?? []
        assert.deepStrictEqual(decode(head), { alg: "RS256", typ: "JWT" })
        assert.deepStrictEqual(decode(claims), {
          iss: "key",
          sub: "me@acme.example",
          aud: "https://login.salesforce.com",
          exp: 1_800_000_180
        })
        const signed = Buffer.from(`${head}.${claims}`)
        assert.isTrue(verify("RSA-SHA256", signed, publicKey, Buffer.from(signature, "base64url")))
        assert.deepStrictEqual(host.urls, ["https://login.salesforce.com/services/oauth2/token"])
      }
    })
  )

  it.effect("names the receiver that it is told to", () =>
    Effect.gen(function* () {
      const host = loginHost(() => granted("x"))
      const sandbox = flow(pkcs8, { loginUrl, audience: "https://test.salesforce.com" })
      yield* current.pipe(Effect.provide(sandbox), Effect.provide(host.layer))
      assert.strictEqual(decode(host.forms[0]?.assertion?.split(".")[1]).aud, "https://test.salesforce.com")
      assert.deepStrictEqual(host.urls, [`${loginUrl}/services/oauth2/token`])
    })
  )

  it.effect("explains keys that it cannot use, before anything is asked", () =>
    Effect.gen(function* () {
      const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
      const cipher = { cipher: "aes-256-cbc", passphrase: "hunter2" }
      for (const [key, words] of [
        ["", /holds no PEM block/],
        ["-----BEGIN PRIVATE KEY-----\nMIIE", /holds no PEM block/],
        [privateKey.export({ type: "pkcs8", format: "pem", ...cipher }).toString(), /encrypted: decrypt it first/],
        [privateKey.export({ type: "pkcs1", format: "pem", ...cipher }).toString(), /encrypted: decrypt it first/],
        [ec.export({ type: "sec1", format: "pem" }).toString(), /a EC PRIVATE KEY is no RSA/],
        [ec.export({ type: "pkcs8", format: "pem" }).toString(), /cannot be read as an RSA key/],
        [publicKey.export({ type: "spki", format: "pem" }).toString(), /a PUBLIC KEY is no RSA/],
        ["-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", /cannot be read as an RSA key/]
      ] as const) {
        const host = loginHost(() => granted("x"))
        const error = yield* failureOf(current.pipe(Effect.provide(flow(key)), Effect.provide(host.layer)))
        assert.strictEqual(error.reason._tag, "InvalidOptions")
        assert.match(error.message, words)
        assert.deepStrictEqual(host.forms, [])
        assert.notInclude(JSON.stringify(error), pkcs8.slice(60, 100))
      }
    })
  )
})

describe("Auth.layerRefreshToken", () => {
  it.effect("exchanges the refresh token, and goes on with the new one where they rotate", () =>
    Effect.gen(function* () {
      const host = loginHost((_, n) => granted(`access ${n}`, n === 1 ? { refresh_token: "second" } : {}))
      const rotated: Array<string> = []
      const flow = Auth.layerRefreshToken({
        loginUrl,
        clientId: "key",
        refreshToken: "first",
        onRotate: (token) => Effect.sync(() => rotated.push(Redacted.value(token)))
      })
      yield* Effect.gen(function* () {
        const session = yield* Auth.Session
        const first = yield* session.current
        const second = yield* session.renew(first)
        yield* session.renew(second)
      }).pipe(Effect.provide(flow), Effect.provide(host.layer))
      assert.deepStrictEqual(
        host.forms,
        ["first", "second", "second"].map((refresh_token) => ({
          grant_type: "refresh_token",
          client_id: "key",
          refresh_token
        }))
      )
      assert.deepStrictEqual(rotated, ["second"])
    })
  )
})

describe("Auth.layerConfig", () => {
  const by = (variables: Readonly<Record<string, string>>) => {
    const host = loginHost(() => granted("by oauth"))
    const credentials = current.pipe(
      Effect.provide(Auth.layerConfig),
      Effect.provide(Layer.mergeAll(host.layer, ConfigProvider.layer(ConfigProvider.fromUnknown(variables))))
    )
    return { credentials, form: Effect.map(credentials, () => host.forms[0]) }
  }
  const app = { SF_CLIENT_ID: "key", SF_LOGIN_URL: loginUrl }

  it.effect("picks the flow by what is set", () =>
    Effect.gen(function* () {
      const token = yield* by({ SF_ACCESS_TOKEN: "00D!x", SF_INSTANCE_URL: loginUrl, ...app }).credentials
      assert.deepStrictEqual([tokenOf(token), token.instanceUrl], ["00D!x", loginUrl])

      const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
      const pem = key.export({ type: "pkcs8", format: "pem" }).toString()
      const jwt = yield* by({ ...app, SF_PRIVATE_KEY: pem, SF_USERNAME: "me" }).form
      assert.match(jwt?.grant_type ?? "", /jwt-bearer$/)

      const refresh = yield* by({ ...app, SF_REFRESH_TOKEN: "r", SF_CLIENT_SECRET: "s" }).form
      assert.deepInclude(refresh, { grant_type: "refresh_token", refresh_token: "r", client_secret: "s" })

      const credentials = yield* by({ ...app, SF_CLIENT_SECRET: "s" }).form
      assert.deepInclude(credentials, { grant_type: "client_credentials", client_secret: "s" })
    })
  )

  it.effect("names what is missing", () =>
    Effect.gen(function* () {
      for (const [variables, missing] of [
        [{}, "SF_ACCESS_TOKEN, SF_PRIVATE_KEY, SF_REFRESH_TOKEN or SF_CLIENT_SECRET"],
        [{ SF_INSTANCE_URL: loginUrl, SF_CLIENT_ID: "x" }, "SF_ACCESS_TOKEN"],
        [{ SF_ACCESS_TOKEN: "x" }, "SF_INSTANCE_URL"],
        [{ SF_CLIENT_SECRET: "x" }, "SF_CLIENT_ID"],
        [{ SF_CLIENT_ID: "x", SF_CLIENT_SECRET: "x" }, "SF_LOGIN_URL"],
        [{ ...app, SF_PRIVATE_KEY: "x" }, "SF_USERNAME"]
      ] as const) {
        const error = yield* failureOf(by(variables).credentials)
        assert.strictEqual(error.reason._tag, "InvalidOptions")
        assert.include(error.message, missing)
      }
    })
  )
})

describe("Auth.layerCli", () => {
  /** Runs with a program called `sf` on the path, that prints by its arguments. */
  const withCli = <A, E, R>(script: string, self: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const folder = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(path.join(folder, "sf"), `#!/bin/sh\n${script}`, { mode: 0o755 })
      const { PATH } = process.env
      process.env.PATH = `${folder}${path.sep === "/" ? ":" : ";"}${PATH}`
      return yield* Effect.ensuring(
        self,
        Effect.sync(() => {
          process.env.PATH = PATH
        })
      )
    })
  const credentials = (targetOrg?: string) => current.pipe(Effect.provide(Auth.layerCli({ targetOrg })), Effect.scoped)
  const display = (accessToken: string) =>
    `{"status":0,"result":{"accessToken":"${accessToken}","instanceUrl":"https://acme.my.salesforce.com/","username":"me@acme"}}`

  it.live("takes the token that the CLI shows", () =>
    withCli(
      `[ "$*" = "org display --target-org prod --json" ] && echo '${display("00D!cli")}'`,
      Effect.gen(function* () {
        const { accessToken, instanceUrl } = yield* credentials("prod")
        assert.deepStrictEqual(
          [Redacted.value(accessToken), instanceUrl],
          ["00D!cli", "https://acme.my.salesforce.com"]
        )
      })
    ).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("asks for the token alone where the CLI hides it", () =>
    withCli(
      `case "$*" in
        "org display --json") echo '${display("[REDACTED] use show-access-token")}' ;;
        "org auth show-access-token --no-prompt --target-org me@acme --json") echo '{"status":0,"result":{"accessToken":"00D!shown"}}' ;;
      esac`,
      Effect.gen(function* () {
        assert.strictEqual(tokenOf(yield* credentials()), "00D!shown")
      })
    ).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("explains a token that the CLI hides in every way, and one that it does not know how to show", () =>
    Effect.gen(function* () {
      const always = yield* withCli(
        `case "$*" in
          "org display --json") echo '${display("[REDACTED] x")}' ;;
          *) echo '{"status":0,"result":{"accessToken":"[REDACTED] x"}}' ;;
        esac`,
        failureOf(credentials())
      )
      assert.deepInclude(always.reason, { _tag: "SignInFailed", error: "token_hidden" })
      assert.match(always.message, /update it, or give the token to Auth\.layerToken/)
      const old = yield* withCli(
        `case "$*" in
          "org display --json") echo '${display("[REDACTED] x")}' ;;
          *) echo '{"status":1,"name":"CommandNotFound","message":"sf org auth show-access-token is not a sf command"}'; exit 1 ;;
        esac`,
        failureOf(credentials())
      )
      assert.deepInclude(old.reason, { _tag: "SignInFailed", error: "CommandNotFound" })
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("says why it cannot: not signed in, not installed, not the CLI", () =>
    Effect.gen(function* () {
      const refusal = `echo '{"status":1,"name":"NoDefaultEnvError","message":"No default org"}'; exit 1`
      const unsigned = yield* withCli(refusal, failureOf(credentials()))
      assert.deepInclude(unsigned.reason, { _tag: "SignInFailed", error: "NoDefaultEnvError" })
      const nameless = yield* withCli(`echo '{"status":1,"message":"No"}'; exit 1`, failureOf(credentials()))
      assert.deepInclude(nameless.reason, { _tag: "SignInFailed", error: "refused", description: "No" })
      const odd = yield* withCli("echo hello", failureOf(credentials()))
      assert.deepInclude(odd.reason, { _tag: "SignInFailed", error: "unexpected_output" })
      const { PATH } = process.env
      process.env.PATH = ""
      const absent = yield* Effect.ensuring(
        failureOf(credentials()),
        Effect.sync(() => {
          process.env.PATH = PATH
        })
      )
      assert.deepInclude(absent.reason, { _tag: "SignInFailed", error: "not_run" })
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
