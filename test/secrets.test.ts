// No secret that a run uses is in its logs, its spans, its metrics, its errors or its URLs; nor is what it loads.
import { generateKeyPairSync } from "node:crypto"
import { createServer } from "node:http"
import { inspect } from "node:util"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Metric, Redacted, References, Schedule, Stream, Tracer } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Auth from "../src/connection/Auth.ts"
import * as Connection from "../src/connection/Connection.ts"
import * as WebLogin from "../src/connection/WebLogin.ts"
import * as Ingest from "../src/ingest/Ingest.ts"
import { EmbeddedOrg, Faults } from "../src/org/index.ts"
import * as Query from "../src/query/Query.ts"
import { Widget, widget, widgetDescribe } from "./support/widgets.ts"

const keys = generateKeyPairSync("rsa", { modulusLength: 2048 })
const pem = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString()
const poll = { first: "5 millis", cap: "20 millis" } as const

/** All that a thing shows of itself, to whoever prints it in whatever way. */
const shown = (thing: unknown): string => {
  const json = (() => {
    try {
      return JSON.stringify(thing)
    } catch {
      return ""
    }
  })()
  return `${String(thing)}\n${json}\n${inspect(thing, { depth: 12, showHidden: true, getters: true, maxStringLength: null, maxArrayLength: null })}`
}

const redirectUri = "http://localhost:1717/done"

const OrgLive = EmbeddedOrg.layerWith({
  objects: [widgetDescribe],
  username: "me@acme.example",
  oauth: {
    clients: [
      {
        clientId: "app",
        clientSecret: "client-secret-1",
        publicKey: keys.publicKey.export({ type: "spki", format: "pem" }).toString()
      },
      { clientId: "public" }
    ],
    refreshTokens: [{ token: "refresh-token-1", clientId: "app" }],
    rotateRefreshTokens: true
  }
}).pipe(Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" })))

describe("secrets", () => {
  for (const [name, client] of Object.entries({
    undici: NodeHttpClient.layerUndici,
    "node:http": NodeHttpClient.layerNodeHttp,
    fetch: NodeHttpClient.layerFetch
  })) {
    it.live(`are nowhere in what a run over ${name} leaves behind`, () =>
      Effect.gen(function* () {
        const output: Array<string> = []
        const secrets = new Set(["client-secret-1", "refresh-token-1", "hunter2", "the-cell-that-is-private"])
        for (const line of pem.split("\n").slice(1, -2)) secrets.add(line)

        const logger = Logger.make((options) => {
          output.push(shown(options.message), shown(options.cause), Logger.formatJson.log(options))
        })
        const spans: Array<Tracer.Span> = []
        const tracer = Tracer.make({
          span(options) {
            const span = new Tracer.NativeSpan(options)
            spans.push(span)
            return span
          }
        })
        /** Notes every secret that goes over the wire, and every URL. */
        const watched = Layer.effect(
          HttpClient.HttpClient,
          Effect.map(HttpClient.HttpClient, (inner) =>
            HttpClient.transform(inner, (send, request) => {
              const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? "") ?? []
              if (token !== undefined) secrets.add(token)
              if (request.body._tag === "Uint8Array" && request.url.includes("oauth2")) {
                const form = new URLSearchParams(new TextDecoder().decode(request.body.body))
                for (const field of ["assertion", "code", "code_verifier", "refresh_token", "client_secret"]) {
                  const value = form.get(field)
                  if (value !== null) secrets.add(value)
                }
              }
              output.push(`${request.url} ${shown(request.urlParams)}`)
              return send
            })
          )
        ).pipe(Layer.provide(client))

        const { accessToken, faults, instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
        const app = { loginUrl: instanceUrl, clientId: "app" }
        const jwt = { ...app, username: "me@acme.example", privateKey: pem }
        const browser = { ...app, clientId: "public", redirectUri }

        const record = widget(1, { Note__c: "the-cell-that-is-private" })
        const work = Effect.gen(function* () {
          yield* Stream.make(record).pipe(
            Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear", poll }),
            Stream.runDrain
          )
          yield* Stream.runDrain(Query.records({ schema: Widget, from: "Widget__c", poll }))
        })
        const run = (session: Layer.Layer<Auth.Session, unknown, HttpClient.HttpClient>) =>
          Effect.gen(function* () {
            const exit = yield* Effect.exit(work).pipe(
              Effect.provide(Connection.layerWith({ retry: Schedule.recurs(1) }).pipe(Layer.provide(session))),
              Effect.exit
            )
            output.push(shown(exit), shown(session))
            yield* Effect.log("a run ended", exit._tag === "Failure" ? exit.cause : exit.value._tag)
          })

        const everything = Effect.gen(function* () {
          const flows = [
            Auth.layerToken({ instanceUrl, accessToken }),
            Auth.layerClientCredentials({ ...app, clientSecret: "client-secret-1" }),
            Auth.layerJwtBearer(jwt),
            Auth.layerRefreshToken({ ...app, clientSecret: "client-secret-1", refreshToken: "refresh-token-1" }),
            Effect.gen(function* () {
              const login = yield* WebLogin.begin(browser)
              secrets.add(Redacted.value(login.verifier))
              const { headers } = yield* Effect.withTracerEnabled(HttpClient.get(login.url), false)
              const grant = yield* WebLogin.finish({ ...browser, ...login, callback: headers.location ?? "" })
              output.push(shown(login), shown(grant))
              return Auth.layerRefreshToken({ ...browser, ...grant, refreshToken: grant.refreshToken ?? "" })
            }).pipe(Layer.unwrap),
            // and what is refused
            Auth.layerToken({ instanceUrl, accessToken: "hunter2" }),
            Auth.layerClientCredentials({ ...app, clientSecret: "hunter2" }),
            Auth.layerRefreshToken({ ...app, clientSecret: "hunter2", refreshToken: "hunter2" }),
            Auth.layerJwtBearer({ ...jwt, privateKey: pem.slice(0, -100) }),
            Auth.layerJwtBearer({ ...jwt, privateKey: pem.replace(/\n.{64}\n/, "\n") })
          ]
          for (const flow of flows) yield* run(flow)
          // and what goes wrong on the way
          for (const fault of [
            Faults.onAny(Faults.cutBefore),
            Faults.on(["upload", "queryResults"], Faults.cutAfter),
            Faults.on("createIngestJob", Faults.respond(400, { body: "Authorization: Bearer, and no JSON" })),
            Faults.on("ingestJob", Faults.respondHtml(500)),
            Faults.on("successfulResults", Faults.cutResponse(20)),
            Faults.onAny(Faults.expireSession)
          ]) {
            yield* faults.set([fault])
            yield* run(Auth.layerClientCredentials({ ...app, clientSecret: "client-secret-1" }))
          }
        }).pipe(
          Effect.withSpan("everything"),
          Effect.provide(watched),
          Effect.provideService(Tracer.Tracer, tracer),
          Effect.provideService(References.MinimumLogLevel, "All"),
          Effect.provideService(Metric.MetricRegistry, new Map()),
          Effect.tap(Effect.flatMap(Metric.snapshot, (snapshot) => Effect.sync(() => output.push(shown(snapshot))))),
          Effect.provide(Logger.layer([logger]))
        )
        yield* everything

        for (const span of spans) output.push(shown([span.name, [...span.attributes], span.status, span.parent]))
        // there was something to find, and something in which to find it
        assert.isAbove(secrets.size, 35)
        assert.isAbove(spans.length, 50)
        assert.isAbove(output.length, 200)
        const leaks = [...secrets].flatMap((secret) => {
          const where = output.find((text) => text.includes(secret))
          return where === undefined
            ? []
            : [`${secret} in ${where.slice(Math.max(0, where.indexOf(secret) - 300)).slice(0, 700)}`]
        })
        assert.deepStrictEqual(leaks, [])
      }).pipe(Effect.provide(Layer.fresh(OrgLive)))
    )
  }
})
