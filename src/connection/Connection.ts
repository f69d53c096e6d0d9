/**
 * The line to one org: requests in, typed answers and bytes out.
 *
 * The only module that sends anything. Whatever HTTP client the application
 * provides carries it; none of that client's types shows in what is public.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import type * as Schedule from "effect/Schedule"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import * as Auth from "./Auth.ts"
import { checkDailyLimit } from "./dailyLimit.ts"
import { beginDownload, bodyOf } from "./download.ts"
import { decode, type HttpRequest, readOk } from "./exchange.ts"
import {
  type Identity,
  identityRequest,
  type Organization,
  Organizations,
  organizationRequest,
  Resources,
  readIdentity,
  readOrganization,
  remembered
} from "./identity.ts"
import { nothingYet } from "./known.ts"
import { type Api, current, type Line, send } from "./line.ts"
import { staysHere } from "./origin.ts"
import { timeoutAfterPatience } from "./patience.ts"
import { defaultMaxRetryAfter, defaultRetry, retrying } from "./retry.ts"
import { put } from "./upload.ts"
import { askVersions, blamingVersion, checkVersion, newest } from "./versions.ts"

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
 *   no sooner than a `Retry-After` asks, and not at all where that is longer than `maxRetryAfter`;
 *   every request is sent once more with renewed credentials after a 401.
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
  /**
   * The longest `Retry-After` that is waited for. Where Salesforce asks for more, the request fails at once, with an
   * `ApiError`, or a `SignInFailed` of the login host, that holds it as `retryAfter`. Default 2 minutes.
   */
  readonly maxRetryAfter?: Duration.Input | undefined
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

const defaultReadAhead = 256 * 1024

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
  const idleTimeout = Duration.fromInputUnsafe(options.idleTimeout ?? "30 seconds")
  const known = nothingYet()
  const maxRetryAfter = Duration.fromInputUnsafe(options.maxRetryAfter ?? defaultMaxRetryAfter)
  const retry = retrying(options.retry ?? defaultRetry, maxRetryAfter, known)
  const line: Line = { session, client, known, onRequest: countCall }
  const apiVersion =
    options.apiVersion === "latest"
      ? newest(yield* retry(askVersions(line)))
      : yield* Effect.fromResult(checkVersion(options.apiVersion ?? defaultApiVersion))
  const api: Api = { ...line, apiVersion, clientName }
  const explained = blamingVersion(line, apiVersion)

  /** A request and the whole of the answer to it, asked for again where that does no harm. */
  const answerTo = (request: HttpRequest, repeatable: boolean) =>
    send(api, client, request).pipe(
      Effect.flatMap((exchange) => Effect.map(readOk(exchange), (text) => ({ exchange, text }))),
      timeoutAfterPatience(request, known),
      (once) => (repeatable ? retry(once) : once),
      explained
    )

  const belowDailyLimit =
    dailyLimit === undefined
      ? Effect.void
      : checkDailyLimit(
          dailyLimit,
          known,
          answerTo(HttpClientRequest.get("/").pipe(HttpClientRequest.acceptJson), true)
        )

  const json = Effect.fnUntraced(function* <S extends Schema.ConstraintDecoder<unknown>>(request: Request, schema: S) {
    yield* checkJobId(request.path)
    if (request.method === "POST") yield* belowDailyLimit
    const toSend = toHttp(request).pipe(HttpClientRequest.acceptJson)
    const { exchange, text } = yield* answerTo(toSend, request.repeatable ?? request.method === "GET")
    return yield* decode(exchange, text, schema)
  })

  const bytes = Effect.fnUntraced(function* (
    request: Omit<Request, "method" | "body">,
    { readAhead = defaultReadAhead }: DownloadOptions = {}
  ) {
    yield* checkJobId(request.path)
    const { instanceUrl } = yield* retry(current(line))
    const gzip = options.gzipDownloads ?? !staysHere(instanceUrl)
    const begun = yield* beginDownload(api, toHttp({ ...request, method: "GET" }), gzip).pipe(retry, explained)
    const bytes = yield* bodyOf(begun, { readAhead, idleTimeout, known })
    return { headers: begun.response.headers, bytes }
  })

  const upload = <E, R>(
    path: string,
    body: Stream.Stream<Uint8Array, E, R>,
    { gzip = options.gzipUploads ?? false }: UploadOptions = {}
  ) => Effect.andThen(checkJobId(path), put(api, path, body, { gzip, idleTimeout }))

  return Connection.of({
    apiVersion,
    org: Effect.sync(() => known.org),
    usage: Effect.sync(() => known.usage && { used: known.usage.used, max: known.usage.max }),
    identity: remembered(Effect.map(json(identityRequest, Resources), readIdentity)),
    organization: remembered(Effect.map(json(organizationRequest, Organizations), readOrganization)),
    retry,
    json,
    bytes,
    upload
  })
})

const countCall = Effect.map(Calls, (calls) => {
  if (calls !== undefined) calls.count++
})

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
