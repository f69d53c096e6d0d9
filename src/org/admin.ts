/**
 * What an org lets be done over HTTP beside its API, below `/__org/`. All of
 * it asks for the token the org was started with, from wherever it is asked: a
 * page in a browser on the same machine reaches a loopback address too.
 */
import * as ByteSize from "effect/ByteSize"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Blocks from "./blocks.ts"
import { type Control, readRecords } from "./control.ts"
import { Fault } from "./Faults.ts"
import { pathOf } from "./routeNames.ts"
import type { Objects } from "./Soql.ts"
import type { Store } from "./Store.ts"
import { tokenOf } from "./sessions.ts"
import { type ApiError, badRequest, errorResponse, invalidSession, jsonResponse, notFound } from "./Wire.ts"

const maxBytes = ByteSize.mebibytes(64)

const Records = Schema.Record(
  Schema.String,
  Schema.Array(
    Schema.Record(Schema.String, Schema.NullOr(Schema.Union([Schema.String, Schema.Finite, Schema.Boolean])))
  )
)

const parserError = (message: string) => badRequest("JSON_PARSER_ERROR", message)

/** The body of a request, which is JSON, as a schema wants it. */
const body = <A>(schema: Schema.ConstraintCodec<A, unknown>) => {
  const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(schema))
  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const bytes = yield* request.stream.pipe(
      Stream.mapError(() => parserError("The body could not be read")),
      Stream.limitBytes(maxBytes, () => Stream.fail(parserError("The body is longer than 64 MiB"))),
      Stream.mkUint8Array
    )
    return yield* Effect.mapError(decode(new TextDecoder().decode(bytes), { onExcessProperty: "error" }), (error) =>
      parserError(error.message.replace(/\s*\n\s*/g, " "))
    )
  })
}

const encoder = new TextEncoder()

/** All records as JSON, by object; of objects that have any. */
const dump = function* (store: Store, objects: Objects): Generator<Uint8Array> {
  yield encoder.encode("{")
  let before = ""
  for (const object of objects.values()) {
    let beforeRecord = `${before}${JSON.stringify(object.name)}:[`
    let isEmpty = true
    for (const record of readRecords(store, object)) {
      yield encoder.encode(beforeRecord + JSON.stringify(record))
      beforeRecord = ","
      isEmpty = false
    }
    if (isEmpty) continue
    yield encoder.encode("]")
    before = ","
  }
  yield encoder.encode("}")
}

/** How far, or to when, the clock is to be moved. */
const Advance = Schema.Struct({ advance: Schema.Union([Schema.Finite, Schema.DurationFromString]) })
const Time = Schema.Struct({ now: Schema.DateTimeUtcFromString })

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Polls = Schema.Struct({ uploadComplete: Schema.optionalKey(Count), inProgress: Schema.optionalKey(Count) })

const done = HttpServerResponse.empty({ status: 204 })

/** Whether a request is for these paths. */
export const isAdmin = (url: string): boolean => /^\/+__org(?:\/|\?|$)/i.test(url)

/** Answers a request for these paths. */
export const make = (options: {
  readonly control: Control
  readonly store: Store
  readonly objects: Objects
  readonly accessToken: Redacted.Redacted
}): Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest> => {
  const { accessToken, control, objects, store } = options

  const time = Effect.map(control.clock.now, (now) => jsonResponse({ now: DateTime.formatIso(now) }))

  /** Moves the clock, and says what time it is then. */
  const moved = (move: Effect.Effect<void>) =>
    Effect.andThen(move, time).pipe(
      Effect.catchDefect((defect) =>
        defect instanceof RangeError ? Effect.fail(badRequest("API_ERROR", defect.message)) : Effect.die(defect)
      )
    )

  const handlers: Readonly<
    Record<string, Effect.Effect<HttpServerResponse.HttpServerResponse, ApiError, HttpServerRequest.HttpServerRequest>>
  > = {
    "POST /__org/reset": Effect.as(control.reset, done),
    "POST /__org/seed": Effect.flatMap(body(Records), (records) =>
      Effect.mapBoth(control.seed(records), {
        onSuccess: (ids) => jsonResponse(ids),
        onFailure: (error) => badRequest("API_ERROR", error.message)
      })
    ),
    "GET /__org/dump": Effect.sync(() =>
      HttpServerResponse.stream(
        Blocks.stream(() => dump(store, objects)),
        { contentType: "application/json;charset=UTF-8" }
      )
    ),
    "GET /__org/requests": Effect.map(control.requests, (requests) => jsonResponse({ requests })),
    "GET /__org/faults": Effect.map(control.faults.tallies, (faults) => jsonResponse({ faults })),
    "PUT /__org/faults": Effect.flatMap(body(Schema.Array(Fault)), (faults) =>
      Effect.as(control.faults.set(faults), done)
    ),
    "DELETE /__org/faults": Effect.as(control.faults.clear, done),
    "GET /__org/clock": time,
    "POST /__org/clock": Effect.flatMap(body(Advance), ({ advance }) => moved(control.clock.advance(advance))),
    "PUT /__org/clock": Effect.flatMap(body(Time), ({ now }) => moved(control.clock.set(now))),
    "DELETE /__org/clock": moved(control.clock.restore),
    "PUT /__org/polls": Effect.flatMap(body(Polls), (polls) => Effect.as(control.polls.set(polls), done)),
    "DELETE /__org/polls": Effect.as(control.polls.clear, done),
    "POST /__org/session": Effect.map(control.newToken, (token) => jsonResponse({ accessToken: Redacted.value(token) }))
  }
  return Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers, method, url }) => {
    if (tokenOf(headers.authorization) !== Redacted.value(accessToken)) {
      return Effect.succeed(errorResponse(invalidSession))
    }
    const key = `${method} ${pathOf(url).toLowerCase()}`
    const handler = Object.hasOwn(handlers, key) ? handlers[key] : undefined
    return Effect.catchTag(handler ?? Effect.fail(notFound), "ApiError", (error) =>
      Effect.succeed(errorResponse(error))
    )
  })
}
