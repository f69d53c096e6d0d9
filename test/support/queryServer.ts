// A server that has one finished query job, whose pages answer as a test likes.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Layer, Schedule } from "effect"
import * as Auth from "../../src/connection/Auth.ts"
import * as Connection from "../../src/connection/Connection.ts"

export interface QueryServer {
  /** A connection to it that repeats at once. */
  readonly connection: Layer.Layer<Connection.Connection>
  /** What was asked of it, like `GET /results?locator=a`. */
  readonly requests: ReadonlyArray<string>
}

const job = {
  id: "750000000000001AAA",
  operation: "query",
  state: "JobComplete",
  createdDate: "2026-11-23T20:41:12.000+0000"
}

/** `onPage` answers a request for a page; `count` says the how manieth it is, from 1. */
export const queryServer = (options: {
  readonly onPage: (response: ServerResponse, locator: string | undefined, count: number) => void
  readonly processed?: number
  readonly idleTimeout?: Connection.Options["idleTimeout"]
  /** What its job says besides, or differently. */
  readonly job?: Readonly<Record<string, unknown>>
}) => {
  const requests: Array<string> = []
  let pages = 0
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "", "http://localhost")
    const path = url.pathname.replace(/^.*\/jobs\/query/, "").replace(`/${job.id}`, "")
    requests.push(`${request.method} ${path}${url.search}`)
    request.resume()
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
    if (path === "/results") {
      options.onPage(response, url.searchParams.get("locator") ?? undefined, ++pages)
    } else if (path === "/resultPages") {
      json(404, [{ errorCode: "NOT_FOUND", message: "The requested resource does not exist" }])
    } else {
      json(200, { ...job, numberRecordsProcessed: options.processed, ...options.job })
    }
  }
  return Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
      const server = createServer(onRequest)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ port, close: () => server.closeAllConnections() ?? server.close() }))
      })
    }),
    ({ close }) => Effect.sync(close)
  ).pipe(
    Effect.map(
      ({ port }): QueryServer => ({
        requests,
        connection: Connection.layerWith({
          idleTimeout: options.idleTimeout,
          retry: Schedule.recurs(5)
        }).pipe(
          Layer.provide(Auth.layerToken({ instanceUrl: `http://127.0.0.1:${port}`, accessToken: "00D!x" })),
          Layer.provide(NodeHttpClient.layerUndici),
          Layer.orDie
        )
      })
    )
  )
}

/** The head of a page. */
export const pageHead = (rows: number, next: string | null) => ({
  "content-type": "text/csv",
  "sforce-numberofrecords": String(rows),
  "sforce-locator": next ?? "null"
})
