/** A request with the answer to it, and what comes of that: a text, a value, or an error that names both. */
import * as Effect from "effect/Effect"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as BulkError from "../BulkError.ts"
import type { Credentials } from "./Auth.ts"
import * as Answer from "./answer.ts"

export type HttpRequest = HttpClientRequest.HttpClientRequest

/** An answer, and what was asked by whom for it. */
export interface Exchange {
  readonly request: HttpRequest
  readonly credentials: Credentials
  readonly response: HttpClientResponse.HttpClientResponse
}

/** What errors call a request. */
export const describe = (request: HttpRequest): string => `${request.method} ${request.url}`

export const connectionLost = (request: HttpRequest, cause: unknown, org?: string): BulkError.BulkError =>
  BulkError.make(new BulkError.ConnectionLost({ request: describe(request), cause }), org)

export const unexpected = (request: HttpRequest, problem: string, org: string): BulkError.BulkError =>
  BulkError.make(new BulkError.UnexpectedResponse({ request: describe(request), problem }), org)

export const readText = ({ credentials, request, response }: Exchange): Effect.Effect<string, BulkError.BulkError> =>
  Effect.mapError(response.text, (error) => connectionLost(request, error.reason.cause, credentials.instanceUrl))

/** The body of a success; anything else fails as the error that Salesforce describes in it. */
export const readOk = Effect.fnUntraced(function* (exchange: Exchange) {
  const body = yield* readText(exchange)
  if (Answer.isOk(exchange.response)) return body
  return yield* apiError(exchange, body)
})

/** What an answer describes; should it echo the token, that is taken out. */
export const apiError = ({ credentials, request, response }: Exchange, body: string) => {
  const token = Redacted.value(credentials.accessToken)
  const safe = token === "" ? body : body.replaceAll(token, "<redacted>")
  return Effect.flatMap(Answer.apiError(describe(request), response, safe), (reason) =>
    Effect.fail(BulkError.make(reason, credentials.instanceUrl))
  )
}

/** The value that the text of an answer stands for. */
export const decode = <S extends Schema.ConstraintDecoder<unknown>>(
  { credentials, request }: Pick<Exchange, "credentials" | "request">,
  text: string,
  schema: S
): Effect.Effect<S["Type"], BulkError.BulkError> => {
  // an answer without a body, as to a DELETE, is a null
  const decoded = Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text === "" ? "null" : text)
  return Effect.mapError(decoded, (error) =>
    unexpected(
      request,
      `the answer is not what the API documents: ${text === "" ? "it is empty" : error.message}`,
      credentials.instanceUrl
    )
  )
}
