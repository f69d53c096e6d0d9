/**
 * The line to one org: requests in, typed answers and bytes out.
 *
 * The only module that sends anything. Whatever HTTP client the application
 * provides carries it; none of that client's types shows in what is public.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import * as Auth from "./Auth.ts"

/**
 * A request to the org's REST API. `path` follows `/services/data/vNN.N`;
 * `body` is sent as JSON.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined
  readonly body?: unknown
  /** Whether it does no harm to be sent again when its answer is lost. Default: only a GET. */
  readonly repeatable?: boolean | undefined
}

/**
 * An answer whose body is still to be read. `headers` have lower-case names.
 *
 * @category models
 * @since 0.1.0
 */
export interface Download {
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly bytes: Stream.Stream<Uint8Array, BulkError.BulkError>
}

/**
 * How many API calls the org has made within a day, and how many it may make.
 *
 * @category models
 * @since 0.1.0
 */
export interface Usage {
  readonly used: number
  readonly max: number
}

/**
 * A connection to one org.
 *
 * - `json` sends a request and decodes its JSON answer, `null` where it has no body. One that is repeatable is
 *   sent again while it fails in ways that may pass, as the retry policy says, and
 *   no sooner than a `Retry-After` asks; every request is sent once more with renewed
 *   credentials after a 401.
 * - `bytes` sends a GET for CSV, repeated like any other, and gives its body as a
 *   stream, to be read within the scope: closing it drops the connection.
 * - `upload` sends a stream of CSV as the body of a PUT, pulled only as fast as
 *   the socket takes it. It is never repeated, since a stream cannot be asked
 *   twice; the stream's own failure comes out untouched.
 * - `retry` repeats an operation of one's own as the connection repeats requests.
 * - `usage` is what the org last said of its daily API calls.
 *
 * A connection over which nothing moves fails with `ConnectionLost`, never silently.
 *
 * @category services
 * @since 0.1.0
 */
export class Connection extends Context.Service<
  Connection,
  {
    readonly apiVersion: string
    readonly usage: Effect.Effect<Usage | undefined>
    readonly retry: <A, R>(self: Effect.Effect<A, BulkError.BulkError, R>) => Effect.Effect<A, BulkError.BulkError, R>
    readonly json: <S extends Schema.ConstraintDecoder<unknown>>(
      request: Request,
      schema: S
    ) => Effect.Effect<S["Type"], BulkError.BulkError>
    readonly bytes: (
      request: Omit<Request, "method" | "body">
    ) => Effect.Effect<Download, BulkError.BulkError, Scope.Scope>
    readonly upload: <E, R>(
      path: string,
      body: Stream.Stream<Uint8Array, E, R>
    ) => Effect.Effect<void, E | BulkError.BulkError, R>
  }
>()("effect-salesforce-bulk/Connection") {}

/**
 * What a connection can be told.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The API version, like `"62.0"`. Default `"62.0"`. */
  readonly apiVersion?: string | undefined
  /** What the org's logs call this client. Default `"effect-salesforce-bulk"`. */
  readonly clientName?: string | undefined
  /** When what may be repeated is. Default: after half a second, doubling, with jitter; five times within two minutes. */
  readonly retry?: Schedule.Schedule<unknown, BulkError.BulkError> | undefined
  /** How long a connection may carry nothing before it counts as lost. Default 30 seconds. */
  readonly idleTimeout?: Duration.Input | undefined
}

/**
 * A connection with options of one's own. Every call makes another connection,
 * so two orgs in one program are two layers.
 *
 * Fails with `InvalidOptions` when the API version is none.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWith = (
  options: Options
): Layer.Layer<Connection, BulkError.BulkError, Auth.Session | HttpClient.HttpClient> =>
  // Effect builds one layer value once per program, however often it is provided:
  // without `fresh` a second org would silently get the first one's session
  Layer.fresh(
    Layer.effect(
      Connection,
      Effect.suspend(() => make(options))
    )
  )

/**
 * A connection for the `Session` and the `HttpClient` that are provided to it.
 *
 * **Example** (Two orgs in one program)
 *
 * ```ts
 * const copy = Query.records({ schema: Item, from: "Item__c" }).pipe(
 *   Stream.provide(Connection.layer.pipe(Layer.provide(sourceOrg))),
 *   Ingest.upsert({ object: "Item__c", schema: Item, externalId: "Sku__c", nulls: "clear" }),
 *   Stream.provide(Connection.layer.pipe(Layer.provide(targetOrg)))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Connection, BulkError.BulkError, Auth.Session | HttpClient.HttpClient> = layerWith({})

/**
 * What an org is expected to be. `orgId` has 15 or 18 characters; `instance` is its
 * `InstanceName`, like `NA123`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Expectation {
  readonly orgId?: string | undefined
  readonly sandbox?: boolean | undefined
  readonly instance?: string | undefined
}

/**
 * Checks that the connection leads to the org that is meant, by its Organization
 * record: a program pointed at production by mistake fails before it harms.
 *
 * Fails with `WrongOrg`. Costs one API call.
 *
 * **Example** (Only ever a sandbox)
 *
 * ```ts
 * const guarded = Connection.expect({ sandbox: true }).pipe(Effect.andThen(load))
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const expect = Effect.fnUntraced(function* (
  expected: Expectation
): Effect.fn.Return<void, BulkError.BulkError, Connection> {
  const connection = yield* Connection
  const { records } = yield* connection.json(
    { method: "GET", path: "/query", query: { q: "SELECT Id, IsSandbox, InstanceName FROM Organization" } },
    Organizations
  )
  const [org] = records
  const wrong = (what: "orgId" | "sandbox" | "instance", expected: string, actual: string) =>
    BulkError.make(new BulkError.WrongOrg({ what, expected, actual }))
  // the 15 characters are the id, the other three a checksum
  if (expected.orgId !== undefined && expected.orgId.slice(0, 15) !== org.Id.slice(0, 15)) {
    return yield* wrong("orgId", expected.orgId, org.Id)
  }
  if (expected.sandbox !== undefined && expected.sandbox !== org.IsSandbox) {
    return yield* wrong("sandbox", String(expected.sandbox), String(org.IsSandbox))
  }
  if (expected.instance !== undefined && expected.instance.toLowerCase() !== org.InstanceName.toLowerCase()) {
    return yield* wrong("instance", expected.instance, org.InstanceName)
  }
})

const Organizations = Schema.Struct({
  records: Schema.NonEmptyArray(
    Schema.Struct({ Id: Schema.String, IsSandbox: Schema.Boolean, InstanceName: Schema.String })
  )
})

/**
 * Counts the requests that are sent where it is provided, repeats included.
 * Default: nobody counts.
 *
 * @category references
 * @since 0.1.0
 */
export const Calls: Context.Reference<{ count: number } | undefined> = Context.Reference<{ count: number } | undefined>(
  "effect-salesforce-bulk/Connection/Calls",
  { defaultValue: () => undefined }
)

const defaultApiVersion = "62.0"

const defaultRetry = Schedule.exponential("500 millis", 2).pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 5, duration: "2 minutes" })
)

/** A schedule that never repeats sooner than Salesforce asks. */
const respectfully = (
  schedule: Schedule.Schedule<unknown, BulkError.BulkError>
): Schedule.Schedule<unknown, BulkError.BulkError> =>
  Schedule.modifyDelay(schedule, ({ duration, input: { reason } }) =>
    Effect.succeed(
      reason._tag === "ApiError" && reason.retryAfter !== undefined
        ? Duration.max(duration, Duration.millis(reason.retryAfter))
        : duration
    )
  )

/** How long the head of an answer, or a whole JSON answer, may take before it counts as lost. */
const patience = "2 minutes"

const make = Effect.fnUntraced(function* (options: Options) {
  const session = yield* Auth.Session
  const client = yield* HttpClient.HttpClient
  const apiVersion = options.apiVersion ?? defaultApiVersion
  if (!/^\d{2,}\.\d$/.test(apiVersion)) {
    return yield* BulkError.make(
      new BulkError.InvalidOptions({ problem: `apiVersion ${JSON.stringify(apiVersion)} is not like "62.0"` })
    )
  }
  const scopedClient = HttpClient.withScope(client)
  const clientName = options.clientName ?? "effect-salesforce-bulk"
  const idleTimeout = Duration.fromInputUnsafe(options.idleTimeout ?? "30 seconds")
  const schedule = respectfully(options.retry ?? defaultRetry)
  const retry = <A, R>(self: Effect.Effect<A, BulkError.BulkError, R>) =>
    Effect.retry(self, { schedule, while: (error) => error.isRetryable })
  let usage: Usage | undefined

  const sendWith = <R>(
    via: HttpClient.HttpClient.With<HttpClientError.HttpClientError, R>,
    request: HttpClientRequest.HttpClientRequest,
    credentials: Auth.Credentials
  ) =>
    Effect.flatMap(Calls, (calls) => {
      if (calls !== undefined) calls.count++
      return via.execute(
        request.pipe(
          HttpClientRequest.prependUrl(`${credentials.instanceUrl}/services/data/v${apiVersion}`),
          HttpClientRequest.bearerToken(credentials.accessToken),
          HttpClientRequest.setHeader("Sforce-Call-Options", `client=${clientName}`)
        )
      )
    }).pipe(
      Effect.tap((response) =>
        Effect.sync(() => {
          usage = readUsage(response.headers["sforce-limit-info"]) ?? usage
        })
      ),
      // the org has no part in the caller's trace: its ids stay at home
      Effect.provideService(HttpClient.TracerPropagationEnabled, false),
      Effect.mapError((error) => connectionLost(request, error.reason.cause ?? error.reason._tag))
    )

  /** Sends, and once more with renewed credentials if the first ones were refused. */
  const send = Effect.fnUntraced(function* <R>(
    via: HttpClient.HttpClient.With<HttpClientError.HttpClientError, R>,
    request: HttpClientRequest.HttpClientRequest
  ) {
    const credentials = yield* session.current
    const response = yield* sendWith(via, request, credentials)
    if (response.status !== 401) return response
    const body = yield* readText(request, response)
    if (finalRefusals.some((words) => body.includes(words))) return yield* apiError(request, response, body)
    return yield* sendWith(via, request, yield* session.renew(credentials))
  })

  const json = Effect.fnUntraced(function* <S extends Schema.ConstraintDecoder<unknown>>(request: Request, schema: S) {
    const toSend = toHttp(request).pipe(HttpClientRequest.acceptJson)
    const text = yield* send(client, toSend).pipe(
      Effect.flatMap((response) => readOk(toSend, response)),
      timeoutAfterPatience(toSend),
      (once) => ((request.repeatable ?? request.method === "GET") ? retry(once) : once)
    )
    // an answer without a body, as to a DELETE, is a null
    return yield* Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text === "" ? "null" : text).pipe(
      Effect.mapError((error) =>
        BulkError.make(
          new BulkError.UnexpectedResponse({
            request: describe(toSend),
            problem: `the answer is not what the API documents: ${error.message}`
          })
        )
      )
    )
  })

  const bytes = Effect.fnUntraced(function* (request: Omit<Request, "method" | "body">) {
    const toSend = toHttp({ ...request, method: "GET" }).pipe(HttpClientRequest.accept("text/csv"))
    const response = yield* send(scopedClient, toSend).pipe(
      Effect.tap((response) => (isOk(response) ? Effect.void : readOk(toSend, response))),
      timeoutAfterPatience(toSend),
      retry
    )
    return {
      headers: response.headers,
      // a reader may take its time: only waiting for bytes is timed
      bytes: Stream.transformPull(
        Stream.mapError(response.stream, (error) => connectionLost(toSend, error.reason.cause)),
        (pull) =>
          Effect.succeed(Effect.timeoutOrElse(pull, { duration: idleTimeout, orElse: () => Effect.fail(idle(toSend)) }))
      )
    }
  })

  const upload = Effect.fnUntraced(function* <E, R>(path: string, body: Stream.Stream<Uint8Array, E, R>) {
    const context = yield* Effect.context<R>()
    const watch = yield* watchUpload(idleTimeout)
    // HTTP clients fold a failing body into errors of their own: keep the original
    let failure: Cause.Cause<E | BulkError.BulkError> | undefined
    const watched = body.pipe(
      Stream.tapCause((cause) =>
        Effect.sync(() => {
          failure = cause
        })
      ),
      watch.body,
      Stream.provideContext(context)
    )
    const request = HttpClientRequest.put(path).pipe(
      HttpClientRequest.bodyStream(watched, { contentType: "text/csv; charset=UTF-8" }),
      HttpClientRequest.acceptJson
    )
    yield* session.current.pipe(
      Effect.flatMap((credentials) => sendWith(client, request, credentials)),
      Effect.flatMap((response) => readOk(request, response)),
      Effect.raceFirst(Effect.andThen(watch.stalled, Effect.fail(idle(request)))),
      Effect.catchCause((cause): Effect.Effect<never, E | BulkError.BulkError> => Effect.failCause(failure ?? cause))
    )
  })

  return Connection.of({ apiVersion, usage: Effect.sync(() => usage), retry, json, bytes, upload })
})

const toHttp = (request: Request): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.make(request.method)(request.path, {
    ...(request.query === undefined ? undefined : { urlParams: request.query }),
    ...(request.body === undefined ? undefined : { body: HttpBody.jsonUnsafe(request.body) })
  })

const isOk = (response: HttpClientResponse.HttpClientResponse): boolean =>
  response.status >= 200 && response.status < 300

const describe = (request: HttpClientRequest.HttpClientRequest): string => `${request.method} ${request.url}`

const connectionLost = (request: HttpClientRequest.HttpClientRequest, cause: unknown): BulkError.BulkError =>
  BulkError.make(new BulkError.ConnectionLost({ request: describe(request), cause }))

const idle = (request: HttpClientRequest.HttpClientRequest): BulkError.BulkError =>
  connectionLost(request, "nothing moved any more")

/**
 * Watches whether an upload moves: `body` notes what the socket takes, and `stalled`
 * ends when it has taken nothing for the idle timeout, or given no answer for as long
 * as an answer may take. A source that takes its time is no stall.
 */
const watchUpload = (idleTimeout: Duration.Duration) =>
  Effect.map(Effect.clockWith(Effect.succeed), (clock) => {
    /** Since when the socket is at work, and until when it may be. */
    let busyUntil = Number.POSITIVE_INFINITY
    const isBusyFor = (limit: Duration.Input) =>
      Effect.sync(() => {
        busyUntil = clock.currentTimeMillisUnsafe() + Duration.toMillis(limit)
      })
    const body = <E, R>(self: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E, R> =>
      Stream.transformPull(self, (pull) =>
        Effect.succeed(
          Effect.suspend(() => {
            busyUntil = Number.POSITIVE_INFINITY
            return Effect.tap(pull, () => isBusyFor(idleTimeout))
          })
        )
      ).pipe(Stream.onEnd(isBusyFor(patience)))
    const stalled = Effect.repeat(Effect.sleep(idleTimeout), {
      until: () => clock.currentTimeMillisUnsafe() >= busyUntil
    })
    return { body, stalled }
  })

const timeoutAfterPatience = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.timeoutOrElse({
    duration: patience,
    orElse: () => Effect.fail(connectionLost(request, `nothing within ${patience}`))
  })

const readText = (
  request: HttpClientRequest.HttpClientRequest,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<string, BulkError.BulkError> =>
  Effect.mapError(response.text, (error) => connectionLost(request, error.reason.cause))

/** Refusals that no other token would change. */
const finalRefusals = ["Connected app is not attached to Agent", "This session is not valid for use with the REST API"]

/** The body of a success; anything else fails as the error that Salesforce describes in it. */
const readOk = Effect.fnUntraced(function* (
  request: HttpClientRequest.HttpClientRequest,
  response: HttpClientResponse.HttpClientResponse
) {
  const body = yield* readText(request, response)
  if (isOk(response)) return body
  return yield* apiError(request, response, body)
})

const apiError = Effect.fnUntraced(function* (
  request: HttpClientRequest.HttpClientRequest,
  { headers, status }: HttpClientResponse.HttpClientResponse,
  body: string
) {
  const [error] = Option.getOrElse(decodeErrors(body), () => [undefined])
  return yield* BulkError.make(
    new BulkError.ApiError({
      request: describe(request),
      status,
      code: error?.errorCode ?? `HTTP_${status}`,
      detail: error?.message ?? "the answer is not Salesforce's JSON; a proxy or the network's edge may have given it",
      body,
      retryAfter: readRetryAfter(headers["retry-after"], yield* Clock.currentTimeMillis)
    })
  )
})

/** Milliseconds of a `Retry-After` header: seconds, or a date. */
const readRetryAfter = (header: string | undefined, now: number): number | undefined => {
  if (header === undefined) return undefined
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isNaN(wait) ? undefined : Math.max(0, wait)
}

const readUsage = (header: string | undefined): Usage | undefined => {
  const [, used, max] = /api-usage=(\d+)\/(\d+)/.exec(header ?? "") ?? []
  return used === undefined ? undefined : { used: Number(used), max: Number(max) }
}

const decodeErrors = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.NonEmptyArray(Schema.Struct({ errorCode: Schema.String, message: Schema.String })))
)
