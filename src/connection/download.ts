/** Answers that are read as they arrive. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import * as Answer from "./answer.ts"
import { connectionLost, describe, type Exchange, type HttpRequest, readOk } from "./exchange.ts"
import * as Gzip from "./gzip.ts"
import { byteCounter } from "./io.ts"
import type { Known } from "./known.ts"
import { type Api, send } from "./line.ts"
import { timeoutAfterPatience } from "./patience.ts"
import { receive } from "./receive.ts"
import { nothingMoves } from "./stall.ts"

/** Asks for CSV: a success whose body is still to be read, over a connection that is kept for as long as the scope. */
export const beginDownload = (
  api: Api,
  request: HttpRequest,
  gzip: boolean
): Effect.Effect<Exchange, BulkError.BulkError, Scope.Scope> => {
  const toSend = request.pipe(
    HttpClientRequest.accept("text/csv"),
    HttpClientRequest.setHeader("Accept-Encoding", gzip ? "gzip" : "identity")
  )
  return send(api, HttpClient.withScope(api.client), toSend).pipe(
    Effect.tap((exchange) => (Answer.isOk(exchange.response) ? Effect.void : readOk(exchange))),
    timeoutAfterPatience(toSend, api.known)
  )
}

/** The body of an answer, of which some is read before it is asked for. */
export const bodyOf = Effect.fnUntraced(function* (
  { credentials, request, response }: Exchange,
  options: { readonly readAhead: number; readonly idleTimeout: Duration.Duration; readonly known: Known }
): Effect.fn.Return<Stream.Stream<Uint8Array, BulkError.BulkError>, never, Scope.Scope> {
  const { idleTimeout, known, readAhead } = options
  const lost = (cause: unknown) => connectionLost(request, cause, credentials.instanceUrl)
  const received = yield* receive(
    Stream.mapError(response.stream, (error) => lost(error.reason.cause)),
    {
      readAhead,
      idleTimeout,
      stalled: () => lost(nothingMoves),
      left: () => leftBehind(request),
      onArrival: byteCounter("receive", known)
    }
  )
  return response.headers["content-encoding"] === "gzip"
    ? Gzip.decompressed(received, (cause) => (cause instanceof BulkError.BulkError ? cause : lost(cause)))
    : received
})

const leftBehind = (request: HttpRequest): BulkError.BulkError =>
  BulkError.make(
    new BulkError.InvalidOptions({ problem: `${describe(request)}: its answer was read after its scope had ended` })
  )
