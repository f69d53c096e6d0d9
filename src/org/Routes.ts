/** The API of an org: who may ask, which path knows which verb, and how everything is answered. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import * as Gzip from "./gzip.ts"
import type { Identity } from "./identity.ts"
import type { JobEngine } from "./JobEngine.ts"
import * as JobRoutes from "./jobRoutes.ts"
import type { OAuth } from "./OAuth.ts"
import * as OAuthRoutes from "./oauthRoutes.ts"
import { apiVersion, type Paths, type Verbs } from "./requests.ts"
import * as RestRoutes from "./restRoutes.ts"
import type { RowRules } from "./ruling.ts"
import type { Objects } from "./Soql.ts"
import type { Store } from "./Store.ts"
import { tokenOf } from "./sessions.ts"
import { Rolling } from "./usage.ts"
import { versions } from "./versions.ts"
import { ApiError, errorResponse, invalidAuthHeader, invalidSession, jsonResponse, notFound } from "./Wire.ts"

/** An org's API, as what answers one request. */
export type App = Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  never,
  HttpServerRequest.HttpServerRequest | Scope.Scope
>

const notAllowed = (method: string, verbs: Verbs): ApiError =>
  new ApiError({
    status: 405,
    errorCode: "METHOD_NOT_ALLOWED",
    message: `HTTP Method '${method}' not allowed. Allowed are ${Object.keys(verbs).join(",")}`
  })

const fault = new ApiError({
  status: 500,
  errorCode: "UNKNOWN_EXCEPTION",
  message: "The embedded org could not answer: its log says why"
})

const isUnknownPath = (error: unknown): boolean =>
  HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"

/** What answers a method; a HEAD as a GET, without its body. */
const handlerOf = (method: string, verbs: Verbs) => {
  const verb = method === "HEAD" ? "GET" : method
  return isVerb(verb, verbs) ? verbs[verb] : undefined
}

const isVerb = (method: string, verbs: Verbs): method is keyof Verbs => Object.hasOwn(verbs, method)

/**
 * Makes the API of an org. `pageSize` is how many rows a page of query results
 * has when a client does not say, `listSize` how many jobs a page of a list has,
 * `queryPageSize` how many records a page of a REST query has.
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly engine: JobEngine
  readonly store: Store
  readonly objects: Objects
  readonly identity: Identity
  readonly rules: RowRules
  readonly oauth: OAuth
  readonly pageSize: number
  readonly listSize: number
  readonly queryPageSize: number
  /** How many requests a day are allowed; that is said to clients, and no more. */
  readonly dailyRequests: number
  readonly dailyQueryJobs: number
}): Effect.fn.Return<App> {
  const { dailyRequests, oauth } = options
  const router = yield* HttpRouter.make
  const requests = new Rolling()

  const session = Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) => {
    const { authorization = "" } = headers
    const token = tokenOf(authorization)
    if (token === undefined || /\s/.test(token)) {
      return Effect.fail(authorization === "" ? invalidSession : invalidAuthHeader)
    }
    return Effect.flatMap(oauth.accepts(token), (isGood) => (isGood ? Effect.void : Effect.fail(invalidSession)))
  })

  const answer = <R>(handler: Effect.Effect<HttpServerResponse.HttpServerResponse, ApiError, R>) =>
    Effect.catchTag(handler, "ApiError", (error) => Effect.succeed(errorResponse(error)))

  /** Answers who has a session, and counts that. */
  const counted = <R>(handler: Effect.Effect<HttpServerResponse.HttpServerResponse, ApiError, R>) =>
    session.pipe(
      Effect.andThen(Clock.currentTimeMillis),
      Effect.flatMap((now) => {
        requests.add(now, 1)
        const used = `api-usage=${requests.total(now)}/${dailyRequests}`
        return Effect.map(answer(handler), HttpServerResponse.setHeader("sforce-limit-info", used))
      }),
      answer
    )

  const addPaths = (paths: Paths) =>
    Effect.forEach(
      Object.entries(paths),
      ([path, verbs = {}]) =>
        router.add("*", `/services/data/:version${path}`, (request) =>
          counted(
            Effect.andThen(
              apiVersion,
              handlerOf(request.method, verbs) ?? Effect.fail(notAllowed(request.method, verbs))
            )
          )
        ),
      { discard: true }
    )

  yield* router.add("GET", "/services/data", jsonResponse(versions))
  const modified = new Date(yield* Clock.currentTimeMillis).toISOString().replace(/\.\d+Z$/, "Z")
  yield* OAuthRoutes.add(router, { oauth, identity: options.identity, modified })
  yield* addPaths(JobRoutes.make(options))
  yield* addPaths(yield* RestRoutes.make({ ...options, requests: (now) => requests.total(now) }))

  const unknownPath = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    /^\/+services\/+data\/+v\d/i.test(request.url) ? counted(Effect.fail(notFound)) : answer(Effect.fail(notFound))
  )
  const app = router.asHttpEffect().pipe(
    Effect.catchIf(isUnknownPath, () => unknownPath),
    Effect.catchCause((cause) =>
      Cause.hasInterrupts(cause)
        ? Effect.interrupt
        : Effect.as(Effect.logError("a request ended in a fault of the org", cause), errorResponse(fault))
    )
  )
  return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    Gzip.isAccepted(request.headers["accept-encoding"]) ? Effect.map(app, Gzip.compress) : app
  )
})
