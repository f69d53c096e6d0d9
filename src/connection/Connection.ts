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
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import * as Metrics from "../Metrics.ts"
import * as Auth from "./Auth.ts"
import * as Answer from "./answer.ts"
import * as Gzip from "./gzip.ts"
import {
  type Identity,
  identityRequest,
  type Organization,
  Organizations,
  organizationRequest,
  Resources,
  readIdentity,
  readOrganization
} from "./identity.ts"
import { staysHere } from "./origin.ts"
import { lengthOf, receive } from "./receive.ts"
import { watchUpload } from "./stall.ts"
import { execute, noAnswer } from "./transport.ts"
import { checkVersion, newest, Versions } from "./versions.ts"

/**
 * A request to the org's REST API. `path` follows `/services/data/vNN.N`;
 * `body` is sent as JSON; `text` as it is, with a content type of its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined
  readonly body?: unknown
  readonly text?: { readonly content: string; readonly contentType: string } | undefined
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

export type { Identity, Organization } from "./identity.ts"

/**
 * What an upload can be told.
 *
 * @category models
 * @since 0.1.0
 */
export interface UploadOptions {
  /** Whether it is compressed on the way. Default: what the connection's `gzipUploads` says. */
  readonly gzip?: boolean | undefined
}

/**
 * What a download can be told.
 *
 * @category models
 * @since 0.1.0
 */
export interface DownloadOptions {
  /** How many bytes are read before they are asked for, at most. Default 256 KiB. */
  readonly readAhead?: number | undefined
}

/**
 * A connection to one org.
 *
 * - `json` sends a request and decodes its JSON answer, `null` where it has no body. One that is repeatable is
 *   sent again while it fails in ways that may pass, as the retry policy says, and
 *   no sooner than a `Retry-After` asks; every request is sent once more with renewed
 *   credentials after a 401.
 * - `bytes` sends a GET for CSV, repeated like any other, and gives its body as a
 *   stream, to be read once within the scope: closing it drops the connection. A few
 *   bytes are read before they are asked for.
 * - `upload` sends a stream of CSV as the body of a PUT, pulled only as fast as
 *   the socket takes it. It is never repeated, since a stream cannot be asked
 *   twice; the stream's own failure comes out untouched.
 * - `retry` repeats an operation of one's own as the connection repeats requests.
 * - `usage` is what the org last said of its daily API calls; it is a metric too, see
 *   `Metrics.apiCallsUsed`.
 * - `org` is the URL of the org, once the session was asked for it.
 * - `identity` is who speaks to which org, and `organization` what the org says of
 *   itself. Each is asked for once, and costs one API call then.
 * - `apiVersion` is the version that is used, like `"62.0"`; versions compare as numbers.
 *
 * A connection over which nothing moves fails with `ConnectionLost`, never silently. An
 * answer that leads elsewhere is not followed: a token goes to the org's own host alone.
 *
 * @category services
 * @since 0.1.0
 */
export class Connection extends Context.Service<
  Connection,
  {
    readonly apiVersion: string
    readonly org: Effect.Effect<string | undefined>
    readonly usage: Effect.Effect<Usage | undefined>
    readonly identity: Effect.Effect<Identity, BulkError.BulkError>
    readonly organization: Effect.Effect<Organization, BulkError.BulkError>
    readonly retry: <A, R>(self: Effect.Effect<A, BulkError.BulkError, R>) => Effect.Effect<A, BulkError.BulkError, R>
    readonly json: <S extends Schema.ConstraintDecoder<unknown>>(
      request: Request,
      schema: S
    ) => Effect.Effect<S["Type"], BulkError.BulkError>
    readonly bytes: (
      request: Omit<Request, "method" | "body">,
      options?: DownloadOptions
    ) => Effect.Effect<Download, BulkError.BulkError, Scope.Scope>
    readonly upload: <E, R>(
      path: string,
      body: Stream.Stream<Uint8Array, E, R>,
      options?: UploadOptions
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
  /** The API version, like `"62.0"`, or `"latest"`: the newest that the org has, which it is asked once. Default `"62.0"`. */
  readonly apiVersion?: string | undefined
  /** What the org's logs call this client. Default `"effect-salesforce-bulk"`. */
  readonly clientName?: string | undefined
  /** When what may be repeated is. Default: after half a second, doubling, with jitter; five times within two minutes. */
  readonly retry?: Schedule.Schedule<unknown, BulkError.BulkError> | undefined
  /** How long a connection may carry nothing before it counts as lost. Default 30 seconds. */
  readonly idleTimeout?: Duration.Input | undefined
  /** Whether results are compressed on the way. Default true, except on the loopback host, which has nothing to gain. */
  readonly gzipDownloads?: boolean | undefined
  /** Whether uploads are compressed on the way, which Salesforce does not document for Bulk API 2.0. Default false. */
  readonly gzipUploads?: boolean | undefined
  /**
   * The share of the org's daily API calls, above 0 and up to 1, from which on no job is
   * created any more: that fails with `DailyLimitReached`, and leaves the rest to
   * others. Jobs that are there are followed to their end. Default: no such limit.
   */
  readonly dailyLimit?: number | undefined
}

/**
 * A connection with options of one's own. Every call makes another connection,
 * so two orgs in one program are two layers.
 *
 * Fails with `InvalidOptions` for options that cannot work; with `"latest"` also with
 * what the org's answer can fail with. A version that the org does not have fails
 * the first request with `VersionUnavailable`.
 *
 * **Example** (Leaving a tenth of the day's API calls to others)
 *
 * ```ts
 * const ConnectionLive = Connection.layerWith({ apiVersion: "latest", dailyLimit: 0.9 }).pipe(
 *   Layer.provide([SessionLive, NodeHttpClient.layerUndici])
 * )
 * ```
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
 * Fails with `WrongOrg`. Costs one API call, the first time.
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
export const expect = (expected: Expectation): Effect.Effect<void, BulkError.BulkError, Connection> =>
  inOrg(demand(expected))

const demand = Effect.fnUntraced(function* (
  expected: Expectation
): Effect.fn.Return<void, BulkError.BulkError, Connection> {
  const org = yield* Connection.use(({ organization }) => organization)
  const wrong = (what: "orgId" | "sandbox" | "instance", expected: string, actual: string) =>
    BulkError.make(new BulkError.WrongOrg({ what, expected, actual }))
  // the 15 characters are the id, the other three a checksum
  if (expected.orgId !== undefined && expected.orgId.slice(0, 15) !== org.id.slice(0, 15)) {
    return yield* wrong("orgId", expected.orgId, org.id)
  }
  if (expected.sandbox !== undefined && expected.sandbox !== org.isSandbox) {
    return yield* wrong("sandbox", String(expected.sandbox), String(org.isSandbox))
  }
  if (expected.instance !== undefined && expected.instance.toLowerCase() !== org.instance.toLowerCase()) {
    return yield* wrong("instance", expected.instance, org.instance)
  }
})

/**
 * Adds to the failures of an effect which org they concern, where they do not say so.
 *
 * @category combinators
 * @since 0.1.0
 */
export const inOrg = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Connection> =>
  Effect.catch(self, (error) =>
    error instanceof BulkError.BulkError
      ? Effect.flatMap(
          Connection.use(({ org }) => org),
          (org) => Effect.fail(error.org === undefined ? (BulkError.inOrg(error, org) as typeof error) : error)
        )
      : Effect.fail(error)
  )

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

const defaultReadAhead = 256 * 1024

/** How long the head of an answer, or a whole JSON answer, may take before it counts as lost. */
const patience = "2 minutes"

/** How long what the org said of its API calls counts, where a limit depends on it. */
const usageLifetime = 60_000

type HttpRequest = HttpClientRequest.HttpClientRequest

/** An answer, and what was asked by whom for it. */
interface Exchange {
  readonly request: HttpRequest
  readonly credentials: Auth.Credentials
  readonly response: HttpClientResponse.HttpClientResponse
}

const make = Effect.fnUntraced(function* (options: Options) {
  const session = yield* Auth.Session
  const client = yield* HttpClient.HttpClient
  const { dailyLimit } = options
  if (dailyLimit !== undefined && !(dailyLimit > 0 && dailyLimit <= 1)) {
    return yield* invalid(`dailyLimit ${dailyLimit} is no share of the org's daily API calls: above 0 and up to 1`)
  }
  const clientName = options.clientName ?? "effect-salesforce-bulk"
  if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(clientName)) {
    return yield* invalid(`clientName ${JSON.stringify(clientName)} cannot be sent: it holds a blank or a comma`)
  }
  const scopedClient = HttpClient.withScope(client)
  const idleTimeout = Duration.fromInputUnsafe(options.idleTimeout ?? "30 seconds")
  const schedule = respectfully(options.retry ?? defaultRetry)
  const retry = <A, R>(self: Effect.Effect<A, BulkError.BulkError, R>) =>
    Effect.suspend(() => {
      let last: BulkError.BulkError | undefined
      const attempt = Effect.suspend(() => (last === undefined ? self : Effect.andThen(noteRetry(last), self)))
      const noted = Effect.tapError(attempt, (error) =>
        Effect.sync(() => {
          last = error
        })
      )
      return Effect.retry(noted, { schedule, while: (error) => error.isRetryable })
    })
  let usage: (Usage & { readonly at: number }) | undefined
  let org: string | undefined
  let hasAnswered = false
  let hasSucceeded = false

  const noteRetry = ({ reason }: BulkError.BulkError) =>
    Metric.update(
      Metric.withAttributes(Metrics.retries, {
        ...Metrics.serverAddress(org),
        "error.type": reason._tag === "ApiError" ? String(reason.status) : reason._tag
      }),
      1
    )

  /** Counts bytes of CSV as they go by. */
  const counter = (direction: "transmit" | "receive") => {
    const metric = Metric.withAttributes(Metrics.io, {
      ...Metrics.serverAddress(org),
      "network.io.direction": direction
    })
    return (pieces: ReadonlyArray<Uint8Array>) => Metric.update(metric, lengthOf(pieces))
  }
  const counted = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>) => {
    const count = counter("transmit")
    return Stream.mapArrayEffect(bytes, (pieces) => Effect.as(count(pieces), pieces))
  }

  /** Notes what an answer says besides what was asked for. */
  const note = (url: string, request: HttpRequest, response: HttpClientResponse.HttpClientResponse) =>
    Effect.gen(function* () {
      hasAnswered = true
      hasSucceeded ||= Answer.isOk(response)
      const at = Metrics.serverAddress(url)
      const what = { "http.request.method": request.method, "http.response.status_code": String(response.status) }
      yield* Metric.update(Metric.withAttributes(Metrics.requests, { ...at, ...what }), 1)
      const said = Answer.readUsage(response)
      if (said === undefined) return
      usage = { ...said, at: yield* Clock.currentTimeMillis }
      yield* Metric.update(Metric.withAttributes(Metrics.apiCallsUsed, at), said.used)
      yield* Metric.update(Metric.withAttributes(Metrics.apiCallsLimit, at), said.max)
      yield* Metric.update(Metric.withAttributes(Metrics.apiCallsRemaining, at), said.max - said.used)
    })

  /** Sends a request to an org, and refuses to be led elsewhere. */
  const ask = <R>(
    via: HttpClient.HttpClient.With<HttpClientError.HttpClientError, R>,
    url: string,
    request: HttpRequest,
    toSend: HttpRequest
  ) =>
    Effect.flatMap(Calls, (calls) => {
      if (calls !== undefined) calls.count++
      return execute(via, toSend)
    }).pipe(
      Effect.mapError(({ reason }) =>
        noAnswer({ request: describe(request), url, cause: reason.cause ?? reason._tag, hasAnswered })
      ),
      Effect.tap((response) => note(url, request, response)),
      Effect.tap((response) => {
        const target = Answer.redirectTarget(response, url)
        if (target === undefined) return Effect.void
        const problem = `it leads to ${target}, and no token goes there: give the org's own URL, its My Domain`
        return Effect.andThen(
          Effect.ignore(response.text),
          Effect.fail(BulkError.make(new BulkError.UnexpectedResponse({ request: describe(request), problem }), url))
        )
      })
    )

  const timeoutAfterPatience = (request: HttpRequest) =>
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.suspend(() => Effect.fail(connectionLost(request, `nothing within ${patience}`, org)))
    })

  const current = Effect.tap(session.current, ({ instanceUrl }) =>
    Effect.sync(() => {
      org = instanceUrl
    })
  )

  const sendWith = <R>(
    via: HttpClient.HttpClient.With<HttpClientError.HttpClientError, R>,
    request: HttpRequest,
    credentials: Auth.Credentials
  ): Effect.Effect<Exchange, BulkError.BulkError, R> =>
    Effect.map(
      ask(
        via,
        credentials.instanceUrl,
        request,
        request.pipe(
          HttpClientRequest.prependUrl(`${credentials.instanceUrl}/services/data/v${apiVersion}`),
          HttpClientRequest.bearerToken(credentials.accessToken),
          HttpClientRequest.setHeader("Sforce-Call-Options", `client=${clientName}`)
        )
      ),
      (response) => ({ request, credentials, response })
    )

  /** Sends, and once more with renewed credentials if the first ones were refused. */
  const send = Effect.fnUntraced(function* <R>(
    via: HttpClient.HttpClient.With<HttpClientError.HttpClientError, R>,
    request: HttpRequest
  ) {
    const credentials = yield* current
    const exchange = yield* sendWith(via, request, credentials)
    if (exchange.response.status !== 401) return exchange
    const body = yield* readText(exchange)
    if (Answer.isFinalRefusal(body)) return yield* apiError(exchange, body)
    const renewed = yield* session.renew(credentials)
    yield* Metric.update(
      Metric.withAttributes(Metrics.retries, { ...Metrics.serverAddress(org), "error.type": "401" }),
      1
    )
    return yield* sendWith(via, request, renewed)
  })

  /** The versions that the org has, which it tells anybody. */
  const versions = Effect.gen(function* () {
    const { instanceUrl } = yield* current
    const request = HttpClientRequest.get("/services/data").pipe(HttpClientRequest.acceptJson)
    const text = yield* ask(client, instanceUrl, request, HttpClientRequest.prependUrl(request, instanceUrl)).pipe(
      Effect.flatMap((response) =>
        readOk({ request, response, credentials: { instanceUrl, accessToken: Redacted.make("") } })
      ),
      timeoutAfterPatience(request)
    )
    return yield* decode(request, text, Versions, instanceUrl)
  })

  /** A version that the org does not have makes a stranger of every path. */
  const blamingVersion = <A, R>(self: Effect.Effect<A, BulkError.BulkError, R>) =>
    Effect.catch(self, (error) => {
      const isSuspect = error.reason._tag === "ApiError" && (error.reason.status === 404 || error.reason.status === 410)
      if (hasSucceeded || !isSuspect) return Effect.fail(error)
      return Effect.flatMap(
        Effect.orElseSucceed(versions, () => undefined),
        (known) =>
          Effect.fail(
            known === undefined || known.some(({ version }) => version === apiVersion)
              ? error
              : BulkError.make(
                  new BulkError.VersionUnavailable({ apiVersion, available: known.map(({ version }) => version) }),
                  error.org
                )
          )
      )
    })

  const json = Effect.fnUntraced(function* <S extends Schema.ConstraintDecoder<unknown>>(request: Request, schema: S) {
    yield* checkJobId(request.path)
    if (request.method === "POST") yield* belowDailyLimit
    const toSend = toHttp(request).pipe(HttpClientRequest.acceptJson)
    const { text, url } = yield* send(client, toSend).pipe(
      Effect.flatMap((exchange) =>
        Effect.map(readOk(exchange), (text) => ({ text, url: exchange.credentials.instanceUrl }))
      ),
      timeoutAfterPatience(toSend),
      (once) => ((request.repeatable ?? request.method === "GET") ? retry(once) : once),
      blamingVersion
    )
    return yield* decode(toSend, text, schema, url)
  })

  /** Asks the org how many API calls it has made, unless that is known well enough, and stops where they are too many. */
  const belowDailyLimit = Effect.gen(function* () {
    if (dailyLimit === undefined) return
    if (usage === undefined || usage.at + usageLifetime <= (yield* Clock.currentTimeMillis)) {
      const request = HttpClientRequest.get("/").pipe(HttpClientRequest.acceptJson)
      yield* send(client, request).pipe(Effect.flatMap(readOk), timeoutAfterPatience(request), retry, blamingVersion)
    }
    if (usage !== undefined && usage.used >= usage.max * dailyLimit) {
      const { max, used } = usage
      return yield* BulkError.make(new BulkError.DailyLimitReached({ used, max, share: dailyLimit }), org)
    }
  })

  const bytes = Effect.fnUntraced(function* (
    request: Omit<Request, "method" | "body">,
    { readAhead = defaultReadAhead }: DownloadOptions = {}
  ) {
    yield* checkJobId(request.path)
    const { instanceUrl } = yield* retry(current)
    const gzip = options.gzipDownloads ?? !staysHere(instanceUrl)
    const toSend = toHttp({ ...request, method: "GET" }).pipe(
      HttpClientRequest.accept("text/csv"),
      HttpClientRequest.setHeader("Accept-Encoding", gzip ? "gzip" : "identity")
    )
    const { credentials, response } = yield* send(scopedClient, toSend).pipe(
      Effect.tap((exchange) => (Answer.isOk(exchange.response) ? Effect.void : readOk(exchange))),
      timeoutAfterPatience(toSend),
      retry,
      blamingVersion
    )
    const lost = (cause: unknown) => connectionLost(toSend, cause, credentials.instanceUrl)
    const received = yield* receive(
      Stream.mapError(response.stream, (error) => lost(error.reason.cause)),
      {
        readAhead,
        idleTimeout,
        stalled: () => lost(nothingMoves),
        left: () => leftBehind(toSend),
        onArrival: counter("receive")
      }
    )
    return {
      headers: response.headers,
      bytes:
        response.headers["content-encoding"] === "gzip"
          ? Gzip.decompressed(received, (cause) => (cause instanceof BulkError.BulkError ? cause : lost(cause)))
          : received
    }
  })

  const upload = Effect.fnUntraced(function* <E, R>(
    path: string,
    body: Stream.Stream<Uint8Array, E, R>,
    { gzip = options.gzipUploads ?? false }: UploadOptions = {}
  ) {
    yield* checkJobId(path)
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
      Stream.provideContext(context)
    )
    const request = HttpClientRequest.put(path).pipe(
      HttpClientRequest.bodyStream(counted(gzip ? Gzip.compressed<unknown>(watched, (cause) => cause) : watched), {
        contentType: "text/csv; charset=UTF-8"
      }),
      gzip ? HttpClientRequest.setHeader("Content-Encoding", "gzip") : (plain) => plain,
      HttpClientRequest.acceptJson
    )
    yield* current.pipe(
      Effect.flatMap((credentials) =>
        sendWith(client, request, credentials).pipe(
          Effect.flatMap(readOk),
          // what is left of the body would be lost without a word
          Effect.andThen(Effect.suspend(() => (isWhole ? Effect.void : Effect.fail(tooEarly(request, credentials))))),
          Effect.raceFirst(
            Effect.andThen(watch.stalled, Effect.fail(connectionLost(request, nothingMoves, credentials.instanceUrl)))
          )
        )
      ),
      Effect.catchCause((cause): Effect.Effect<never, E | BulkError.BulkError> => Effect.failCause(failure ?? cause))
    )
  })

  const apiVersion =
    options.apiVersion === "latest"
      ? newest(yield* retry(versions))
      : yield* Effect.fromResult(checkVersion(options.apiVersion ?? defaultApiVersion))

  return Connection.of({
    apiVersion,
    org: Effect.sync(() => org),
    usage: Effect.sync(() => (usage === undefined ? undefined : { used: usage.used, max: usage.max })),
    identity: remembered(Effect.map(json(identityRequest, Resources), readIdentity)),
    organization: remembered(Effect.map(json(organizationRequest, Organizations), readOrganization)),
    retry,
    json,
    bytes,
    upload
  })
})

/** Remembers what it gave; a failure is no answer. */
const remembered = <A, E>(self: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  let known: { readonly value: A } | undefined
  return Effect.suspend(() =>
    known !== undefined
      ? Effect.succeed(known.value)
      : Effect.tap(self, (value) =>
          Effect.sync(() => {
            known = { value }
          })
        )
  )
}

const invalid = (problem: string) => BulkError.make(new BulkError.InvalidOptions({ problem }))

/** What cannot be a job is not asked for: an empty id would be the list of all jobs. */
const checkJobId = (path: string): Effect.Effect<void, BulkError.BulkError> => {
  const jobId = /^\/jobs\/(?:ingest|query)\/([^/]*)/.exec(path)?.[1]
  return jobId === undefined || /^750[A-Za-z0-9]{1,15}$/.test(jobId)
    ? Effect.void
    : Effect.fail(invalid(`${JSON.stringify(jobId)} is no id of a job: those begin with 750, like 750Qx00000A1b2cIAB`))
}

const toHttp = (request: Request): HttpRequest =>
  HttpClientRequest.make(request.method)(request.path, {
    ...(request.query === undefined ? undefined : { urlParams: request.query }),
    ...(request.body === undefined ? undefined : { body: HttpBody.jsonUnsafe(request.body) }),
    ...(request.text === undefined
      ? undefined
      : { body: HttpBody.text(request.text.content, request.text.contentType) })
  })

const describe = (request: HttpRequest): string => `${request.method} ${request.url}`

const nothingMoves = "nothing moved any more"

const connectionLost = (request: HttpRequest, cause: unknown, org?: string): BulkError.BulkError =>
  BulkError.make(new BulkError.ConnectionLost({ request: describe(request), cause }), org)

const leftBehind = (request: HttpRequest): BulkError.BulkError =>
  BulkError.make(
    new BulkError.InvalidOptions({ problem: `${describe(request)}: its answer was read after its scope had ended` })
  )

const tooEarly = (request: HttpRequest, { instanceUrl }: Auth.Credentials): BulkError.BulkError =>
  BulkError.make(
    new BulkError.UnexpectedResponse({
      request: describe(request),
      problem: "the upload was answered before all of it was sent: what arrived is not whole"
    }),
    instanceUrl
  )

const readText = ({ credentials, request, response }: Exchange): Effect.Effect<string, BulkError.BulkError> =>
  Effect.mapError(response.text, (error) => connectionLost(request, error.reason.cause, credentials.instanceUrl))

/** The body of a success; anything else fails as the error that Salesforce describes in it. */
const readOk = Effect.fnUntraced(function* (exchange: Exchange) {
  const body = yield* readText(exchange)
  if (Answer.isOk(exchange.response)) return body
  return yield* apiError(exchange, body)
})

/** What an answer describes; should it echo the token, that is taken out. */
const apiError = ({ credentials, request, response }: Exchange, body: string) => {
  const token = Redacted.value(credentials.accessToken)
  const safe = token === "" ? body : body.replaceAll(token, "<redacted>")
  return Effect.flatMap(Answer.apiError(describe(request), response, safe), (reason) =>
    Effect.fail(BulkError.make(reason, credentials.instanceUrl))
  )
}

const decode = <S extends Schema.ConstraintDecoder<unknown>>(
  request: HttpRequest,
  text: string,
  schema: S,
  org: string
): Effect.Effect<S["Type"], BulkError.BulkError> => {
  // an answer without a body, as to a DELETE, is a null
  const decoded = Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text === "" ? "null" : text)
  return Effect.mapError(decoded, (error) =>
    BulkError.make(
      new BulkError.UnexpectedResponse({
        request: describe(request),
        problem: `the answer is not what the API documents: ${text === "" ? "it is empty" : error.message}`
      }),
      org
    )
  )
}
