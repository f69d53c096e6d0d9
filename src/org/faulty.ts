/** An API with faults: what they do to requests and answers, on a socket and without one. */
import { Socket } from "node:net"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { RequestEffect } from "./Faults.ts"
import { errorResponse, invalidSession } from "./Wire.ts"

/** A connection that ended. Where there is a socket it is destroyed instead, and nobody learns of this. */
class Cut extends Data.TaggedError("Cut") {}

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** What answers a request, or lets the connection end. */
export type FaultyApp = Effect.Effect<Response, Cut, Request | Scope.Scope>

const socketOf = ({ source }: Request): Socket | undefined =>
  Predicate.hasProperty(source, "socket") && source.socket instanceof Socket ? source.socket : undefined

/** Ends the connection of a request, for good. With a socket the fiber of the request is interrupted by that. */
const hangUp = (request: Request, end: (socket: Socket) => void): Effect.Effect<never, Cut> =>
  Effect.suspend(() => {
    const socket = socketOf(request)
    if (socket === undefined) return Effect.fail(new Cut())
    end(socket)
    return Effect.never
  })

const hangUpNow = (request: Request) => hangUp(request, (socket) => socket.destroy())

/** Lets the socket send first what was written to it. */
const hangUpAfterwards = (request: Request) => hangUp(request, (socket) => socket.destroySoon())

/** The first `count` bytes of a stream. */
const firstBytes = <E>(self: Stream.Stream<Uint8Array, E>, count: number): Stream.Stream<Uint8Array, E> => {
  if (count === 0) return Stream.empty
  return Stream.suspend(() => {
    let left = count
    return self.pipe(
      Stream.map((piece) => {
        const bytes = piece.subarray(0, left)
        left -= bytes.length
        return { bytes, isLast: left === 0 && bytes.length > 0 }
      }),
      Stream.takeUntil(({ isLast }) => isLast),
      Stream.map(({ bytes }) => bytes)
    )
  })
}

/** The same request with another body. */
const withBody = (request: Request, stream: Request["stream"]): Request =>
  Object.create(request, { stream: { value: stream }, text: { value: Stream.mkString(Stream.decodeText(stream)) } })

const hasBody = ({ method }: Request): boolean => method === "POST" || method === "PUT" || method === "PATCH"

/** Carries a request out whose body breaks off after `at` bytes. */
const cutRequest = (app: FaultyApp, request: Request, at: number): FaultyApp =>
  Effect.gen(function* () {
    const isCut = yield* Deferred.make<void>()
    const body = Stream.concat(
      firstBytes(request.stream, at),
      Stream.fromEffectDrain(Effect.andThen(Deferred.succeed(isCut, undefined), Effect.never))
    )
    // whoever reads the body never gets to its end
    const reading = Effect.provideService(app, HttpServerRequest.HttpServerRequest, withBody(request, body))
    yield* Effect.raceFirst(reading, Deferred.await(isCut))
    return yield* hangUpNow(request)
  })

const bytesOf = ({ body }: Response): Stream.Stream<Uint8Array, unknown> => {
  switch (body._tag) {
    case "Stream":
      return body.stream
    case "Uint8Array":
      return Stream.succeed(body.body)
    default:
      return Stream.empty
  }
}

const cutResponse = (response: Response, request: Request, at: number): Response => {
  const { "content-length": _, ...headers } = response.headers
  // a piece, be it empty, sends the head
  const bytes = at === 0 ? Stream.succeed(new Uint8Array()) : firstBytes(bytesOf(response), at)
  return HttpServerResponse.stream(
    Stream.concat(bytes, Stream.fromEffectDrain(hangUpAfterwards(request))),
    // an answer without a body has no place in which to break off
    { status: response.status === 204 ? 200 : response.status, headers, contentType: headers["content-type"] }
  )
}

const bodies: Readonly<Record<number, readonly [errorCode: string, message: string]>> = {
  400: ["API_ERROR", "The request could not be processed"],
  401: ["INVALID_SESSION_ID", "Session expired or invalid"],
  403: ["REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."],
  404: ["NOT_FOUND", "The requested resource does not exist"],
  500: ["UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support"],
  503: ["SERVER_UNAVAILABLE", "The server is unavailable"]
}

const respond = ({ body, headers = {}, status }: RequestEffect & { readonly _tag: "Respond" }): Response => {
  const error = bodies[status]
  if (body === undefined && error !== undefined) {
    const [errorCode, message] = error
    return HttpServerResponse.text(JSON.stringify([{ errorCode, message }]), {
      status,
      headers: { "content-type": "application/json;charset=UTF-8", ...headers }
    })
  }
  return body === undefined
    ? HttpServerResponse.empty({ status, headers })
    : HttpServerResponse.text(body, { status, headers: { "content-type": "text/plain", ...headers } })
}

/** Answers a request of `app` with what befalls it. `expire` ends its session. */
export const strike = (
  app: FaultyApp,
  request: Request,
  effects: ReadonlyArray<RequestEffect>,
  expire: (request: Request) => void
): FaultyApp => {
  const befall = (next: FaultyApp, effect: RequestEffect): FaultyApp => {
    switch (effect._tag) {
      case "Respond":
        return Effect.succeed(respond(effect))
      case "Delay":
        return Effect.delay(next, effect.millis)
      case "CutBefore":
        return hangUpNow(request)
      case "CutRequest":
        return hasBody(request) ? cutRequest(next, request, effect.at) : hangUpNow(request)
      case "CutAfter":
        return Effect.andThen(next, hangUpNow(request))
      case "CutResponse":
        return Effect.map(next, (response) => cutResponse(response, request, effect.at))
      case "ExpireSession":
        return Effect.sync(() => {
          expire(request)
          return errorResponse(invalidSession)
        })
    }
  }
  // servers run their app such that nothing interrupts it, but for what allows it
  return Effect.interruptible(effects.reduceRight(befall, app))
}
