/** A stream as the body of one request. */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"
import type * as BulkError from "../BulkError.ts"
import { connectionLost, readOk, unexpected } from "./exchange.ts"
import * as Gzip from "./gzip.ts"
import { byteCounter } from "./io.ts"
import { type Api, current, sendWith } from "./line.ts"
import { patience } from "./patience.ts"
import { nothingMoves, watchUpload } from "./stall.ts"

/** Puts a stream of CSV, once: the stream's own failure comes out untouched. */
export const put = Effect.fnUntraced(function* <E, R>(
  api: Api,
  path: string,
  body: Stream.Stream<Uint8Array, E, R>,
  options: { readonly gzip: boolean; readonly idleTimeout: Duration.Duration }
) {
  const { gzip, idleTimeout } = options
  const context = yield* Effect.context<R>()
  const watch = yield* watchUpload(idleTimeout, patience)
  // HTTP clients fold a failing body into errors of their own: keep the original
  let failure: Cause.Cause<E | BulkError.BulkError> | undefined
  let isWhole = false
  const watched = body.pipe(
    Stream.tapCause((cause) =>
      Effect.sync(() => {
        failure = cause
      })
    ),
    Stream.onEnd(
      Effect.sync(() => {
        isWhole = true
      })
    ),
    watch.body,
    Stream.updateContext((_: Context.Context<never>) => context)
  )
  const encoded = gzip ? Gzip.compressed<unknown>(watched, (cause) => cause) : watched
  const count = byteCounter("transmit", api.known)
  const request = HttpClientRequest.put(path).pipe(
    HttpClientRequest.bodyStream(
      Stream.mapArrayEffect(encoded, (pieces) => Effect.as(count(pieces), pieces)),
      { contentType: "text/csv; charset=UTF-8" }
    ),
    gzip ? HttpClientRequest.setHeader("Content-Encoding", "gzip") : (plain) => plain,
    HttpClientRequest.acceptJson
  )
  const tooEarly = (instanceUrl: string) =>
    unexpected(request, "the upload was answered before all of it was sent: what arrived is not whole", instanceUrl)
  yield* current(api).pipe(
    Effect.flatMap((credentials) =>
      sendWith(api, api.client, request, credentials).pipe(
        Effect.flatMap(readOk),
        // what is left of the body would be lost without a word
        Effect.andThen(Effect.suspend(() => (isWhole ? Effect.void : Effect.fail(tooEarly(credentials.instanceUrl))))),
        Effect.raceFirst(
          Effect.andThen(watch.stalled, Effect.fail(connectionLost(request, nothingMoves, credentials.instanceUrl)))
        )
      )
    ),
    Effect.catchCause((cause): Effect.Effect<never, E | BulkError.BulkError> => Effect.failCause(failure ?? cause))
  )
})
