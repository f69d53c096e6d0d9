/** What requests say: their path, their parameters, their body. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { fromPath, isRetired } from "./versions.ts"
import { type ApiError, badRequest, notFound, retired, unsupportedMedia } from "./Wire.ts"

/** What the router knows of a request. */
export type Request =
  | HttpServerRequest.HttpServerRequest
  | HttpServerRequest.ParsedSearchParams
  | HttpRouter.RouteContext

/** What answers a request. */
export type Handler<E = ApiError> = Effect.Effect<HttpServerResponse.HttpServerResponse, E, Request>

/** What a path does for each verb that it knows. */
export type Verbs = Partial<Record<"GET" | "POST" | "PUT" | "PATCH" | "DELETE", Handler>>

/** The paths of a part of the API, below `/services/data/vNN.0`. */
export type Paths = Readonly<Partial<Record<`/${string}` | "", Verbs>>>

const maxJsonBytes = ByteSize.mebibytes(1)

const parserError = (message: string): ApiError => badRequest("JSON_PARSER_ERROR", message)

/** The refusal of a body that breaks off. */
export const unreadable = parserError("The body could not be read")

/** The text of a body that has 1 MiB at most. */
export const text: Effect.Effect<string, ApiError, HttpServerRequest.HttpServerRequest> = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const bytes = yield* request.stream.pipe(
    Stream.mapError(() => unreadable),
    Stream.limitBytes(maxJsonBytes, () => Stream.fail(parserError("The body is longer than 1 MiB"))),
    Stream.mkUint8Array
  )
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
})

/** Parsed JSON, from text with or without a BOM. */
export const parseJson = (json: string): Result.Result<unknown, ApiError> =>
  Result.try({
    try: (): unknown => JSON.parse(json.replace(/^\uFEFF/, "")),
    catch: (cause) => parserError(cause instanceof Error ? cause.message : String(cause))
  })

/** Decodes the JSON of a request by a schema, to which a member that is null counts as absent. */
export const decodeJson = <A>(
  schema: Schema.ConstraintCodec<A, unknown>,
  refusal: (message: string) => ApiError = parserError
): ((json: string) => Result.Result<A, ApiError>) => {
  const decode = Schema.decodeUnknownResult(schema)
  return (json) =>
    Result.flatMap(parseJson(json), (value) =>
      Result.mapError(decode(withoutNulls(value), { onExcessProperty: "error" }), (error) =>
        refusal(error.message.replace(/\s*\n\s*/g, " "))
      )
    )
}

const withoutNulls = (value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null))
    : value

/** The text of a body that says it is JSON, or says nothing. */
export const jsonText = Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) => {
  const contentType = headers["content-type"]
  return contentType === undefined || /^\s*application\/json\s*(?:;|$)/i.test(contentType)
    ? text
    : Effect.fail(unsupportedMedia(`The entity is in a format that is not supported: ${contentType}`))
})

/** The JSON of a request as a schema wants it. */
export const body = <A>(
  schema: Schema.ConstraintCodec<A, unknown>,
  refusal?: (message: string) => ApiError
): Effect.Effect<A, ApiError, HttpServerRequest.HttpServerRequest> => {
  const decode = decodeJson(schema, refusal)
  return Effect.flatMap(jsonText, (json) => Effect.fromResult(decode(json)))
}

/** A parameter of the path. */
export const param = (name: string) => Effect.map(HttpRouter.params, (params) => params[name] ?? "")

/** `68.0` from `v68.0` in the path, for a version that the org serves. */
export const apiVersion = Effect.flatMap(param("version"), (segment) => {
  const version = fromPath(segment)
  if (version !== undefined) return Effect.succeed(version)
  return Effect.fail(isRetired(segment) ? retired(segment.slice(1)) : notFound)
})

/** The first value of a parameter of the query string. */
export const search = (name: string) =>
  Effect.map(HttpServerRequest.ParsedSearchParams, (params): string | undefined => {
    const value = params[name]
    return typeof value === "string" ? value : value?.[0]
  })
