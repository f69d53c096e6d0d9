// Connections to embedded orgs, without a socket for virtual time and with one for real time.
import { createServer } from "node:http"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Fiber, Layer } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { TestClock } from "effect/testing"
import * as Auth from "../../src/connection/Auth.ts"
import * as Connection from "../../src/connection/Connection.ts"
import { EmbeddedOrg } from "../../src/org/index.ts"
import { widgetDescribe } from "./widgets.ts"

/** What was asked of an org, like `POST /jobs/ingest`, in order. */
export class Requests extends Context.Service<Requests, Array<string>>()("test/Requests") {}

/** Changes an answer on its way to the client. */
export type Tamper = (
  request: HttpClientRequest.HttpClientRequest,
  response: HttpClientResponse.HttpClientResponse
) => Effect.Effect<HttpClientResponse.HttpClientResponse>

const options = (given: EmbeddedOrg.Options): EmbeddedOrg.Options => ({ objects: [widgetDescribe], ...given })

/** The request as the tests name it: without the host, the version and the job's id. */
const nameOf = (request: HttpClientRequest.HttpClientRequest): string =>
  `${request.method} ${new URL(request.url).pathname.replace(/^\/services\/data\/v[\d.]+/, "").replace(/\/750\w+/, "/ID")}`

const watched = (tamper: Tamper | undefined) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const requests: Array<string> = []
      return Layer.mergeAll(
        Layer.succeed(Requests, requests),
        Layer.succeed(
          HttpClient.HttpClient,
          HttpClient.transform(client, (send, request) =>
            Effect.suspend(() => {
              requests.push(nameOf(request))
              return tamper === undefined ? send : Effect.flatMap(send, (response) => tamper(request, response))
            })
          )
        )
      )
    })
  )

const session = Layer.unwrap(
  Effect.map(EmbeddedOrg.EmbeddedOrg, ({ accessToken, instanceUrl }) => Auth.layerToken({ accessToken, instanceUrl }))
)

/** A connection to a new org without a socket. */
export const inProcess = (given: EmbeddedOrg.Options & { readonly tamper?: Tamper } = {}) =>
  Connection.layer.pipe(
    Layer.provide(session),
    Layer.provideMerge(watched(given.tamper)),
    Layer.provideMerge(EmbeddedOrg.layerHttpClient(options(given)))
  )

/** A session that asks the org for another token when its own is refused. */
const renewing = Layer.unwrap(
  Effect.map(EmbeddedOrg.EmbeddedOrg, ({ instanceUrl, newToken }) =>
    Auth.layerWith(Effect.map(newToken, (accessToken) => ({ instanceUrl, accessToken })))
  )
)

/** A connection to a new org over a loopback socket. */
export const overSocket = (
  given: EmbeddedOrg.Options & { readonly tamper?: Tamper; readonly connection?: Connection.Options } = {}
) =>
  Connection.layerWith(given.connection ?? {}).pipe(
    Layer.provide(renewing),
    Layer.provideMerge(watched(given.tamper)),
    Layer.provideMerge(
      EmbeddedOrg.layerWith(options(given)).pipe(
        Layer.provide(Layer.fresh(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" })))
      )
    ),
    Layer.provide(NodeHttpClient.layerUndici)
  )

/** Replaces the answers to requests whose name matches. */
export const replacing =
  (pattern: RegExp, answer: (text: string) => Response): Tamper =>
  (request, response) =>
    pattern.test(nameOf(request))
      ? Effect.map(Effect.orDie(response.text), (text) => HttpClientResponse.fromWeb(request, answer(text)))
      : Effect.succeed(response)

/** Runs an effect under the test clock, a second at a time, until it ends. */
export const virtually = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(self)
    for (let second = 0; fiber.pollUnsafe() === undefined; second++) {
      if (second === 10_000) return yield* Effect.die(new Error("still running after 10,000 virtual seconds"))
      yield* TestClock.adjust("1 second")
      // lets what is no fiber of ours finish: promises, timers of the platform
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    return yield* Fiber.join(fiber)
  })
