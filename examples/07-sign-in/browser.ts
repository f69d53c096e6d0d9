import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Deferred, Effect, Layer } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"

/** A person's browser: the port at which it comes back, 0 for any, and how a page is opened in it. */
export interface Browser {
  readonly port: number
  readonly open: (url: string) => Effect.Effect<void>
}

/** Waits on the loopback host for the browser to come back, once; closed with the scope. */
export const receiver = Effect.fn(function* (port: number) {
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
