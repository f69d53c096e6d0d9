import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Layer } from "effect"
import { HttpRouter, HttpServer } from "effect/http"

/** Serves routes on a loopback port, 0 for a free one, as long as the scope lasts; gives the URL. */
export const serve = <E, R>(routes: Layer.Layer<never, E, R>, port: number) =>
  HttpRouter.serve(routes, { disableListenLog: true, disableLogger: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port, host: "127.0.0.1" })),
    Layer.build,
    Effect.map((server) => HttpServer.formatAddress(Context.get(server, HttpServer.HttpServer).address))
  )
