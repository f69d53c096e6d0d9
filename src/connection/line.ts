/** Requests on their way to the org: with credentials, which are renewed once. */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import type * as BulkError from "../BulkError.ts"
import type * as Auth from "./Auth.ts"
import * as Answer from "./answer.ts"
import { apiError, describe, type Exchange, type HttpRequest, readText, unexpected } from "./exchange.ts"
import { type Known, note } from "./known.ts"
import { countRetry } from "./retry.ts"
import { execute, noAnswer } from "./transport.ts"

/** What carries requests to one org. */
export interface Line {
  readonly session: Auth.Session["Service"]
  readonly client: HttpClient.HttpClient
  readonly known: Known
  /** Run before each request that is sent. */
  readonly onRequest: Effect.Effect<void>
}

/** A line over which a version of the API is spoken. */
export interface Api extends Line {
  readonly apiVersion: string
  readonly clientName: string
}

/** What sends: the line's own client, or one that keeps the connection for as long as a scope. */
type Via<R> = HttpClient.HttpClient.With<HttpClientError.HttpClientError, R>

/** Who speaks, and to which org. */
export const current = ({ known, session }: Line): Effect.Effect<Auth.Credentials, BulkError.BulkError> =>
  Effect.tap(session.current, ({ instanceUrl }) =>
    Effect.sync(() => {
      known.org = instanceUrl
    })
  )

/** Sends a request to an org, `toSend` being all of it, and refuses to be led elsewhere. */
export const ask = <R>(
  { known, onRequest }: Line,
  via: Via<R>,
  url: string,
  request: HttpRequest,
  toSend: HttpRequest
): Effect.Effect<HttpClientResponse.HttpClientResponse, BulkError.BulkError, R> =>
  Effect.andThen(onRequest, execute(via, toSend)).pipe(
    Effect.mapError(({ reason }) =>
      noAnswer({
        request: describe(request),
        url,
        cause: reason.cause ?? reason._tag,
        hasAnswered: known.hasAnswered
      })
    ),
    Effect.tap((response) => note(known, url, request, response)),
    Effect.tap((response) => {
      const target = Answer.redirectTarget(response, url)
      if (target === undefined) return Effect.void
      const problem = `it leads to ${target}, and no token goes there: give the org's own URL, its My Domain`
      return Effect.andThen(Effect.ignore(response.text), Effect.fail(unexpected(request, problem, url)))
    })
  )

/** Sends a request with these credentials. */
export const sendWith = <R>(
  api: Api,
  via: Via<R>,
  request: HttpRequest,
  credentials: Auth.Credentials
): Effect.Effect<Exchange, BulkError.BulkError, R> =>
  Effect.map(
    ask(
      api,
      via,
      credentials.instanceUrl,
      request,
      request.pipe(
        HttpClientRequest.prependUrl(`${credentials.instanceUrl}/services/data/v${api.apiVersion}`),
        HttpClientRequest.bearerToken(credentials.accessToken),
        HttpClientRequest.setHeader("Sforce-Call-Options", `client=${api.clientName}`)
      )
    ),
    (response) => ({ request, credentials, response })
  )

/** Sends, and once more with renewed credentials if the first ones were refused. */
export const send = Effect.fnUntraced(function* <R>(api: Api, via: Via<R>, request: HttpRequest) {
  const credentials = yield* current(api)
  const exchange = yield* sendWith(api, via, request, credentials)
  if (exchange.response.status !== 401) return exchange
  const body = yield* readText(exchange)
  if (Answer.isFinalRefusal(body)) return yield* apiError(exchange, body)
  const renewed = yield* api.session.renew(credentials)
  yield* countRetry(api.known, "401")
  return yield* sendWith(api, via, request, renewed)
})
