/**
 * Signs a person in by their browser, and keeps them signed in: OAuth's web server
 * flow with PKCE, with a receiver on a loopback port for the browser's way back.
 *
 *     node examples/10-web-login/main.ts
 *
 * It runs against an embedded org, which says yes to whoever asks, so the program
 * opens the page by itself. Against Salesforce a person does: set SF_CLIENT_ID to the
 * consumer key of an external client app whose callback URL is
 * http://localhost:1717/done, and SF_LOGIN_URL to where they sign in.
 */

import { createServer } from "node:http"
import { NodeHttpClient, NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Config, Console, Context, Deferred, Effect, Layer, Option, Schema, Stream } from "effect"
import { HttpClient, HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { Auth, Connection, Query, WebLogin } from "../../src/index.ts"
import { EmbeddedOrg } from "../../src/org/index.ts"

const User = Schema.Struct({ Username: Schema.String })

/** Waits at a port for the browser to come back, once; closed with the scope. */
const receiver = Effect.fn(function* (port: number) {
  const callback = yield* Deferred.make<string>()
  const done = HttpRouter.add(
    "GET",
    "/done",
    Effect.gen(function* () {
      const { url } = yield* HttpServerRequest.HttpServerRequest
      yield* Deferred.succeed(callback, url)
      return HttpServerResponse.text("You may close this window and go back to the program.")
    })
  )
  const server = yield* HttpRouter.serve(done, { disableListenLog: true, disableLogger: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port, host: "localhost" })),
    Layer.build
  )
  const { address } = Context.get(server, HttpServer.HttpServer)
  const actual = "port" in address ? address.port : port
  return { redirectUri: `http://localhost:${actual}/done`, callback: Deferred.await(callback) }
})

interface Where {
  readonly loginUrl: string
  readonly clientId: string
  readonly port: number
  readonly open: (url: string) => Effect.Effect<void>
}

const signIn = Effect.fn(function* ({ clientId, loginUrl, open, port }: Where) {
  const { callback, redirectUri } = yield* receiver(port)
  const app = { loginUrl, clientId, redirectUri }
  const login = yield* WebLogin.begin(app)
  yield* open(login.url)
  return yield* WebLogin.finish({ ...app, ...login, callback: yield* callback })
}, Effect.scoped)

/** An embedded org, and a browser whose person says yes. */
const embedded = Effect.gen(function* () {
  const org = yield* EmbeddedOrg.layerWith({
    oauth: { clients: [{ clientId: "example" }], rotateRefreshTokens: true }
  }).pipe(Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" })), Layer.build)
  const browser = HttpClient.followRedirects(yield* HttpClient.HttpClient)
  return {
    loginUrl: Context.get(org, EmbeddedOrg.EmbeddedOrg).instanceUrl,
    clientId: "example",
    port: 0,
    open: (url: string) =>
      browser.get(url).pipe(
        Effect.flatMap((response) => response.text),
        Effect.flatMap((text) => Console.log(`The browser shows: ${text}`)),
        Effect.orDie
      )
  }
})

/** Salesforce, and the person's own browser. */
const salesforce = (clientId: string) =>
  Effect.map(Config.String("SF_LOGIN_URL").pipe(Config.withDefault("https://login.salesforce.com")), (loginUrl) => ({
    loginUrl,
    clientId,
    port: 1717,
    open: (url: string) => Console.log(`Open this page, and sign in:\n${url}`)
  }))

const program = Effect.gen(function* () {
  const clientId = yield* Config.option(Config.String("SF_CLIENT_ID"))
  const where: Where = yield* Option.match(clientId, { onNone: () => embedded, onSome: salesforce })

  const { credentials, refreshToken } = yield* signIn(where)
  yield* Console.log(`Signed in at ${credentials.instanceUrl}`)

  // the session of the login first, others by the refresh token once it has expired
  const SessionLive =
    refreshToken === undefined
      ? Auth.layerToken(credentials)
      : Auth.layerRefreshToken({
          ...where,
          refreshToken,
          credentials,
          // a program that is to run again tomorrow stores it here, where secrets are kept
          onRotate: (next) => Console.log(`The refresh token was replaced by ${next}`)
        })

  yield* Query.records({ schema: User, from: "User" }).pipe(
    Stream.runForEach(({ Username }) => Console.log(`The org knows ${Username}`)),
    Effect.provide(Connection.layer.pipe(Layer.provide(SessionLive)))
  )
})

program.pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici), NodeRuntime.runMain)
