/** Paths and verbs of the API, and what their requests must look like. */
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpMethod from "effect/http/HttpMethod"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { JobEngine } from "./JobEngine.ts"
import { ColumnDelimiter, LineEnding, Operation, QueryOperation } from "./job.ts"
import type { ResultFile } from "./results.ts"
import {
  ApiError,
  badRequest,
  changedJob,
  createdJob,
  errorResponse,
  invalidSession,
  jobInfo,
  jsonResponse,
  notFound
} from "./Wire.ts"

/** An org's API, as what answers one request. */
export type App = Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  never,
  HttpServerRequest.HttpServerRequest | Scope.Scope
>

/** What the router knows of a request. */
type Request = HttpServerRequest.HttpServerRequest | HttpServerRequest.ParsedSearchParams | HttpRouter.RouteContext

type Handler = Effect.Effect<HttpServerResponse.HttpServerResponse, ApiError, Request>

type Verbs = Partial<Record<HttpMethod.HttpMethod, Handler>>

const oldestVersion = 41
const newestVersion = 68

const seasons = ["Winter", "Spring", "Summer"]

/** Version 41 was Winter '18, and three follow each year. */
const versions = Array.from({ length: newestVersion - oldestVersion + 1 }, (_, i) => {
  const version = `${oldestVersion + i}.0`
  return { label: `${seasons[i % 3]} '${18 + Math.floor(i / 3)}`, url: `/services/data/v${version}`, version }
})

// --- what requests say --------------------------------------------------------

const format = {
  contentType: Schema.optionalKey(Schema.Literal("CSV")),
  columnDelimiter: ColumnDelimiter.pipe(Schema.withDecodingDefaultKey(Effect.succeed("COMMA"))),
  lineEnding: LineEnding.pipe(Schema.withDecodingDefaultKey(Effect.succeed("LF")))
}

const NewIngestJob = Schema.Struct({
  object: Schema.NonEmptyString,
  operation: Operation,
  externalIdFieldName: Schema.optionalKey(Schema.NonEmptyString),
  assignmentRuleId: Schema.optionalKey(Schema.String),
  ...format
})

const NewQueryJob = Schema.Struct({ operation: QueryOperation, query: Schema.NonEmptyString, ...format })

const NewState = Schema.Struct({ state: Schema.Literals(["UploadComplete", "Aborted"]) })

const maxJsonBytes = ByteSize.mebibytes(1)

const parserError = (message: string): ApiError => badRequest("JSON_PARSER_ERROR", message)

const unreadable = parserError("The body could not be read")

/** The JSON of a request; a body that breaks off, is too long or is no JSON is refused. */
const json: Effect.Effect<unknown, ApiError, HttpServerRequest.HttpServerRequest> = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const bytes = yield* request.stream.pipe(
    Stream.mapError(() => unreadable),
    Stream.limitBytes(maxJsonBytes, () => Stream.fail(parserError("The body is longer than 1 MiB"))),
    Stream.mkUint8Array
  )
  return yield* Effect.try({
    // a member that is null counts as absent
    try: (): unknown => JSON.parse(new TextDecoder().decode(bytes), (_, value) => value ?? undefined),
    catch: (cause) => parserError(cause instanceof Error ? cause.message : String(cause))
  })
})

const body = <A>(
  schema: Schema.ConstraintCodec<A, unknown>,
  refusal: (message: string) => ApiError = parserError
): Effect.Effect<A, ApiError, HttpServerRequest.HttpServerRequest> => {
  const decode = Schema.decodeUnknownResult(schema)
  return Effect.flatMap(json, (value) =>
    Effect.fromResult(
      Result.mapError(decode(value, { onExcessProperty: "error" }), (error) =>
        refusal(error.message.replace(/\s*\n\s*/g, " "))
      )
    )
  )
}

const newState = body(NewState, (message) => badRequest("INVALIDJOBSTATE", message))

const param = (name: string) => Effect.map(HttpRouter.params, (params) => params[name] ?? "")

/** `68.0` from `v68.0` in the path, for a version that the org serves. */
const apiVersion = Effect.flatMap(param("version"), (text) => {
  const version = text.slice(1)
  return /^v/i.test(text) && versions.some((each) => each.version === version)
    ? Effect.succeed(version)
    : Effect.fail(notFound)
})

const id = param("id")

const search = (name: string) =>
  Effect.map(HttpServerRequest.ParsedSearchParams, (params): string | undefined => {
    const value = params[name]
    return typeof value === "string" ? value : value?.[0]
  })

const pageSize = (most: number) =>
  Effect.flatMap(search("maxRecords"), (text) => {
    if (text === undefined) return Effect.succeed(most)
    return /^\d{1,15}$/.test(text) && Number(text) > 0
      ? Effect.succeed(Number(text))
      : Effect.fail(badRequest("API_ERROR", `maxRecords must be a positive number: ${text}`))
  })

// locators are opaque to clients: here, the number of the first row
const toLocator = (row: number): string => btoa(String(row)).replace(/=+$/, "")

const firstRow = Effect.flatMap(search("locator"), (locator) => {
  if (locator === undefined) return Effect.succeed(0)
  const row = Result.try(() => atob(locator))
  return Result.isSuccess(row) && /^\d{1,15}$/.test(row.success)
    ? Effect.succeed(Number(row.success))
    : Effect.fail(badRequest("INVALID_QUERY_LOCATOR", "invalid query locator"))
})

// --- what they are answered ---------------------------------------------------

const ok = (body: unknown) => jsonResponse(body)

const csvResponse = (bytes: Stream.Stream<Uint8Array>, headers: Record<string, string> = {}) =>
  HttpServerResponse.stream(bytes, { contentType: "text/csv; charset=UTF-8", headers })

const notAllowed = (method: string, verbs: Verbs): ApiError =>
  new ApiError({
    status: 405,
    errorCode: "METHOD_NOT_ALLOWED",
    message: `HTTP Method '${method}' not allowed. Allowed are ${Object.keys(verbs).join(",")}`
  })

const unsupportedEncoding = (encoding: string): ApiError =>
  new ApiError({
    status: 415,
    errorCode: "UNSUPPORTED_MEDIA_TYPE",
    message: `Content-Encoding '${encoding}' is not supported by the embedded org: send the CSV as it is`
  })

const otherVersion = (version: string): ApiError =>
  new ApiError({
    status: 409,
    errorCode: "API_ERROR",
    message: `The API version differs from that of the job, which is ${version}`
  })

const fault = new ApiError({
  status: 500,
  errorCode: "UNKNOWN_EXCEPTION",
  message: "The embedded org could not answer: its log says why"
})

const isUnknownPath = (error: unknown): boolean =>
  HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"

/**
 * Makes the API of an org. `pageSize` is how many rows a page of query results
 * has when a client does not say.
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly engine: JobEngine
  readonly accessToken: Redacted.Redacted
  readonly pageSize: number
}): Effect.fn.Return<App> {
  const { accessToken, engine } = options
  const router = yield* HttpRouter.make

  const session = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const [, token] = /^(?:Bearer|OAuth) (.+)$/i.exec(request.headers.authorization ?? "") ?? []
    return token === Redacted.value(accessToken) ? Effect.void : Effect.fail(invalidSession)
  })

  const answer = <R>(handler: Effect.Effect<HttpServerResponse.HttpServerResponse, ApiError, R>) =>
    Effect.catchTag(handler, "ApiError", (error) => Effect.succeed(errorResponse(error)))

  /** Adds a path below `/services/data/vNN.0`, with the verbs it knows. */
  const add = (path: HttpRouter.PathInput, verbs: Verbs) =>
    router.add("*", `/services/data/:version${path}`, (request) => {
      const handler = HttpMethod.isHttpMethod(request.method) ? verbs[request.method] : undefined
      return session.pipe(
        Effect.andThen(apiVersion),
        Effect.andThen(handler ?? Effect.fail(notAllowed(request.method, verbs))),
        answer
      )
    })

  yield* router.add("GET", "/services/data", jsonResponse(versions))

  yield* add("/jobs/ingest", {
    POST: Effect.gen(function* () {
      const { contentType: _, ...job } = yield* body(NewIngestJob)
      return ok(createdJob(yield* engine.createIngest({ ...job, apiVersion: yield* apiVersion })))
    })
  })

  yield* add("/jobs/ingest/:id", {
    GET: Effect.gen(function* () {
      return ok(jobInfo(yield* engine.ingestJob(yield* id)))
    }),
    PATCH: Effect.gen(function* () {
      const { state } = yield* newState
      const jobId = yield* id
      return ok(changedJob(yield* state === "Aborted" ? engine.abort("ingest", jobId) : engine.close(jobId)))
    }),
    DELETE: Effect.gen(function* () {
      yield* engine.remove("ingest", yield* id)
      return HttpServerResponse.empty({ status: 204 })
    })
  })

  yield* add("/jobs/ingest/:id/batches", {
    PUT: Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const encoding = request.headers["content-encoding"] ?? "identity"
      if (encoding !== "identity") return yield* unsupportedEncoding(encoding)
      yield* engine
        .upload(yield* id, request.stream)
        .pipe(Effect.catchTag("HttpServerError", () => Effect.fail(unreadable)))
      return HttpServerResponse.empty({ status: 201 })
    })
  })

  const resultFile = (file: ResultFile): Verbs => ({
    GET: Effect.gen(function* () {
      return csvResponse(yield* engine.resultFile(yield* engine.ingestJob(yield* id), file))
    })
  })
  yield* add("/jobs/ingest/:id/successfulResults", resultFile("successful"))
  yield* add("/jobs/ingest/:id/failedResults", resultFile("failed"))
  yield* add("/jobs/ingest/:id/unprocessedrecords", resultFile("unprocessed"))

  yield* add("/jobs/query", {
    POST: Effect.gen(function* () {
      const { contentType: _, ...job } = yield* body(NewQueryJob)
      return ok(createdJob(yield* engine.createQuery({ ...job, apiVersion: yield* apiVersion })))
    })
  })

  yield* add("/jobs/query/:id", {
    GET: Effect.gen(function* () {
      return ok(jobInfo(yield* engine.queryJob(yield* id)))
    }),
    PATCH: Effect.gen(function* () {
      const { state } = yield* newState
      if (state !== "Aborted") return yield* badRequest("INVALIDJOBSTATE", "A query job can only be Aborted")
      return ok(changedJob(yield* engine.abort("query", yield* id)))
    }),
    DELETE: Effect.gen(function* () {
      yield* engine.remove("query", yield* id)
      return HttpServerResponse.empty({ status: 204 })
    })
  })

  yield* add("/jobs/query/:id/results", {
    GET: Effect.gen(function* () {
      const job = yield* engine.queryJob(yield* id)
      const version = yield* apiVersion
      if (version !== job.apiVersion) return yield* otherVersion(job.apiVersion)
      const page = yield* engine.page(job, yield* firstRow, yield* pageSize(options.pageSize))
      return csvResponse(page.body, {
        "sforce-numberofrecords": String(page.rows),
        // the last page says so with this very word
        "sforce-locator": page.next === undefined ? "null" : toLocator(page.next)
      })
    })
  })

  const unknownPath = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    answer(
      Effect.andThen(/^\/+services\/+data\/+v\d/i.test(request.url) ? session : Effect.void, Effect.fail(notFound))
    )
  )
  return router.asHttpEffect().pipe(
    Effect.catchIf(isUnknownPath, () => unknownPath),
    Effect.catchCause((cause) =>
      Cause.hasInterrupts(cause)
        ? Effect.interrupt
        : Effect.as(Effect.logError("a request ended in a fault of the org", cause), errorResponse(fault))
    )
  )
})
