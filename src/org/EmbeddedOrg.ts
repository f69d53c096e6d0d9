/**
 * An embedded org: Salesforce Bulk API 2.0, stateful and on SQLite, in this
 * process. Programs, examples and tests run against it without an account.
 *
 * `layer` serves an org on whatever `HttpServer` it is given;
 * `layerHttpClient` has no socket at all and hands out an `HttpClient` that
 * runs the same routes, so that tests can run it under `TestClock`.
 *
 * **Example** (A test without a socket)
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const org = yield* EmbeddedOrg.EmbeddedOrg
 *   const client = yield* HttpClient.HttpClient
 *   return yield* client.get(`${org.instanceUrl}/services/data`)
 * })
 * program.pipe(Effect.provide(EmbeddedOrg.layerHttpClient()))
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Admin from "./admin.ts"
import { OrgClock } from "./clock.ts"
import * as Control from "./control.ts"
import * as Describe from "./Describe.ts"
import type { Fault } from "./Faults.ts"
import { FaultState } from "./faultState.ts"
import * as Faulty from "./faulty.ts"
import { userId } from "./identity.ts"
import * as ids from "./ids.ts"
import * as JobEngine from "./JobEngine.ts"
import * as NewOrg from "./newOrg.ts"
import * as OAuth from "./OAuth.ts"
import { Pace, type Polls } from "./polls.ts"
import * as Routes from "./Routes.ts"
import type { RowRule } from "./RowRule.ts"
import { Recorder } from "./recorder.ts"
import * as Store from "./Store.ts"
import { Sessions, tokenOf } from "./sessions.ts"
import { errorResponse, invalidSession } from "./Wire.ts"

/**
 * What a program needs to know about the org it runs against, and what tests
 * do with it: faults, records to begin with, and what was asked of it.
 *
 * @category services
 * @since 0.1.0
 */
export class EmbeddedOrg extends Context.Service<
  EmbeddedOrg,
  {
    /** Where the org is, such as `http://127.0.0.1:38669`. */
    readonly instanceUrl: string
    /** The token that its API accepts, and no other. */
    readonly accessToken: Redacted.Redacted
    /** Its id, of 18 characters. */
    readonly orgId: string
    /**
     * Adds a rule in code for the rows of an object, beside those it has. It
     * is asked from the next chunk on.
     */
    readonly onRow: (object: string, rule: RowRule) => Effect.Effect<void>
  } & Control.Control
>()("effect-salesforce-bulk/org/EmbeddedOrg") {}

/**
 * What may differ between orgs.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Objects beside the standard ones, or in place of them; none by default. */
  readonly objects?: ReadonlyArray<Describe.ObjectDescribe> | undefined
  /** The token its API accepts; by default a new one, or the one it had when it was started in the same `data` before. */
  readonly accessToken?: string | undefined
  /** How long a job stays `UploadComplete` before it is processed; 20 milliseconds by default. */
  readonly queueDelay?: Duration.Input | undefined
  /**
   * Lets the states of a job follow polls instead of time: so many times a
   * client that asks for the job is told `UploadComplete`, then so many times
   * `InProgress`, with counters that move by equal steps, and the next time that
   * it is done. It is the same in each run, however fast the machine is. Jobs
   * follow time, after `queueDelay`, by default.
   */
  readonly polls?: Polls | undefined
  /** The rows of a page of query results, when the client does not say; 50,000 by default. */
  readonly pageSize?: number | undefined
  /** The jobs of a page when jobs are listed; 1,000 by default, as in every org. */
  readonly listSize?: number | undefined
  /** The records of a page of a REST query, when the client does not say; 2,000 by default, as in every org. */
  readonly queryPageSize?: number | undefined
  /**
   * Whether it is a sandbox, as its Organization record says, or a production org; a
   * sandbox by default, or what it was in the same `data` before.
   */
  readonly sandbox?: boolean | undefined
  /** What its one user is called; `api@embedded-org.example` by default. */
  readonly username?: string | undefined
  /** The clients that may get further tokens, and how; none by default. */
  readonly oauth?: OAuth.Options | undefined
  /** The requests a day that it tells clients they may make; 100,000 by default. It counts them, and refuses none. */
  readonly dailyRequests?: number | undefined
  /** The query jobs that may be created within 24 hours; 10,000 by default, as in every org. More are refused. */
  readonly dailyQueryJobs?: number | undefined
  /** Whether its user may hard delete; not by default, as in a new org. */
  readonly hardDelete?: boolean | undefined
  /** Rules in code, by object: what its validation rules and triggers say about a row. */
  readonly onRow?: Readonly<Record<string, RowRule>> | undefined
  /** What goes wrong in it; nothing by default. */
  readonly faults?: ReadonlyArray<Fault> | undefined
  /**
   * Whether batches that run beside each other contend for the parents of
   * their rows, as they do in a real org: some rows then fail with
   * `UNABLE_TO_LOCK_ROW`, the same ones in each run. Not by default.
   */
  readonly contention?: boolean | undefined
  /**
   * The folder in which it lives, made if need be: an org that is started there
   * again has the same id, token, records and jobs, and goes on with those jobs
   * that were not done, even after the process was killed. By default it is
   * gone with its scope.
   */
  readonly data?: string | undefined
  /** Where its chance begins: the same seed makes the same ids, tokens and faults. Ids and tokens differ from run to run by default. */
  readonly seed?: number | undefined
}

export { DataError } from "./Store.ts"

/** An org that runs: what is known about it, and what answers its requests. */
interface Running {
  readonly org: Omit<EmbeddedOrg["Service"], "instanceUrl">
  readonly app: Faulty.FaultyApp
}

const objectsOf = (options: Options): ReadonlyArray<Describe.ObjectDescribe> => {
  const all = [...Describe.standardObjects, ...(options.objects ?? [])]
  const byName = new Map(all.map((object) => [object.name.toLowerCase(), Describe.withSystemFields(object)]))
  return Array.from(byName.values())
}

/** The API with everything that surrounds it: sessions that end, faults, what is recorded, and the paths for tests. */
const surrounded = (options: {
  readonly app: Routes.App
  readonly admin: Routes.App
  readonly accessToken: Redacted.Redacted
  readonly faults: FaultState
  readonly recorder: Recorder
  readonly sessions: Sessions
}): Faulty.FaultyApp => {
  const { accessToken, admin, app, faults, recorder, sessions } = options

  const withSession = (request: HttpServerRequest.HttpServerRequest): Faulty.FaultyApp =>
    Effect.suspend(() => {
      const token = tokenOf(request.headers.authorization)
      if (token === undefined) return app
      if (sessions.isExpired(token)) return Effect.succeed(errorResponse(invalidSession))
      if (!sessions.isIssued(token)) return app
      // the API knows one token: who has another one that is valid comes with that
      const headers = Headers.set(request.headers, "authorization", `Bearer ${Redacted.value(accessToken)}`)
      const renamed: HttpServerRequest.HttpServerRequest = Object.create(request, { headers: { value: headers } })
      return Effect.provideService(app, HttpServerRequest.HttpServerRequest, renamed)
    })

  const expire = ({ headers }: HttpServerRequest.HttpServerRequest) => {
    const token = tokenOf(headers.authorization)
    if (token !== undefined) sessions.expire(token)
  }

  return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request): Faulty.FaultyApp => {
    const { method, url } = request
    if (Admin.isAdmin(url)) return admin
    const effects = faults.ofRequest(method, url)
    const answered = recorder.add(
      method,
      url,
      effects.map(({ _tag }) => _tag)
    )
    // read anew, since a fault may hand on another request than it was given
    const api = Effect.flatMap(HttpServerRequest.HttpServerRequest, withSession)
    return Effect.tap(Faulty.strike(api, request, effects, expire), ({ status }) => Effect.sync(() => answered(status)))
  })
}

/** What an org knew before, or a new one gets; kept with its data. */
const remembered = Effect.fnUntraced(function* (store: Store.Store, name: string, make: Effect.Effect<string>) {
  const known = store.fact(name)
  if (known !== undefined) return known
  const value = yield* make
  store.setFact(name, value)
  return value
})

const newOrgId = Effect.map(Random.nextIntBetween(1, 62 ** 8), (n) => ids.make("00D", n))

const make = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<Running, Store.DataError, Scope.Scope> {
  const objects = objectsOf(options)
  const store = yield* options.data === undefined ? Store.make(objects) : Store.open(objects, options.data)
  const clock = new OrgClock(yield* Clock.Clock, Number(store.fact("clockMoved") ?? 0))
  const orgId = yield* remembered(store, "orgId", newOrgId)
  if (options.accessToken !== undefined) store.setFact("accessToken", options.accessToken)
  const newToken = Effect.map(OAuth.randomToken, (random) => `${orgId}!${random}`)
  const accessToken = Redacted.make(yield* remembered(store, "accessToken", newToken))
  const identity = { orgId, userId, username: options.username ?? "api@embedded-org.example" }
  const rules = new Map<string, ReadonlyArray<RowRule>>()
  const addRule = (object: string, rule: RowRule) => {
    const name = object.toLowerCase()
    rules.set(name, [...(rules.get(name) ?? []), rule])
  }
  for (const [object, rule] of Object.entries(options.onRow ?? {})) addRule(object, rule)
  const faults = new FaultState(options.seed ?? 0, options.faults ?? [])
  const sessions = new Sessions()
  const recorder = new Recorder()
  const pace = new Pace(options.polls)
  const dailyQueryJobs = options.dailyQueryJobs ?? 10_000
  const common = {
    store,
    objects: new Map(objects.map((object) => [object.name.toLowerCase(), object])),
    rules,
    userId,
    faults
  }
  const populate = (now: number) =>
    NewOrg.populate(store, common.objects, { ...identity, now, sandbox: options.sandbox })
  populate(clock.currentTimeMillisUnsafe())
  const api = yield* Effect.gen(function* () {
    const engine = yield* JobEngine.make({
      ...common,
      hardDelete: options.hardDelete ?? false,
      delay: options.queueDelay ?? "20 millis",
      pace,
      contention: options.contention ?? false,
      dailyQueryJobs
    })
    return yield* Routes.make({
      ...common,
      engine,
      identity,
      oauth: yield* OAuth.make({ ...options.oauth, accessToken, identity }),
      pageSize: options.pageSize ?? 50_000,
      listSize: options.listSize ?? 1_000,
      queryPageSize: options.queryPageSize ?? 2_000,
      dailyRequests: options.dailyRequests ?? 100_000,
      dailyQueryJobs
    })
  }).pipe(Effect.provideService(Clock.Clock, clock))
  const newSession = Effect.map(newToken, (token) => {
    sessions.issue(token)
    return Redacted.make(token)
  })
  const control = Control.make({ ...common, recorder, clock, pace, newToken: newSession, populate })
  const admin = Admin.make({ ...common, control, accessToken })
  const onRow = (object: string, rule: RowRule) => Effect.sync(() => addRule(object, rule))
  return {
    org: { accessToken, orgId, onRow, ...control },
    app: surrounded({
      app: Effect.provideService(api, Clock.Clock, clock),
      admin,
      accessToken,
      faults,
      recorder,
      sessions
    })
  }
})

const run = (options: Options) =>
  options.seed === undefined ? make(options) : Random.withSeed(make(options), options.seed)

/** Options of an org that is gone with its scope. */
type Temporary = Options & { readonly data?: undefined }

/**
 * Serves an org on the `HttpServer` of the environment. Every call makes an org
 * of its own, which is gone with its scope unless it has a folder for its data;
 * fails with a `DataError` when that cannot be had.
 *
 * @category layers
 * @since 0.1.0
 */
export function layerWith(options: Temporary): Layer.Layer<EmbeddedOrg, never, HttpServer.HttpServer>
export function layerWith(options: Options): Layer.Layer<EmbeddedOrg, Store.DataError, HttpServer.HttpServer>
export function layerWith(options: Options): Layer.Layer<EmbeddedOrg, Store.DataError, HttpServer.HttpServer> {
  return Layer.effect(
    EmbeddedOrg,
    Effect.gen(function* () {
      const { app, org } = yield* run(options)
      // on a socket a cut ends the socket
      yield* HttpServer.serveEffect(Effect.orDie(app))
      const instanceUrl = yield* HttpServer.addressFormattedWith(Effect.succeed)
      return EmbeddedOrg.of({ instanceUrl, ...org })
    })
  )
}

/**
 * `layerWith` of the default options. It is fresh: each `provide` makes another
 * org.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<EmbeddedOrg, never, HttpServer.HttpServer> = Layer.fresh(layerWith({}))

const instanceUrl = "http://127.0.0.1"

/** The same request, whose body is made under the client's clock, even where the org reads it under its own. */
const underClock = (request: HttpClientRequest.HttpClientRequest, clock: Clock.Clock) => {
  const { body } = request
  if (body._tag !== "Stream") return request
  const stream = Stream.provideService(body.stream, Clock.Clock, clock)
  return HttpClientRequest.setBody(request, HttpBody.stream(stream, body.contentType, body.contentLength))
}

/** A client that runs the app in the fiber of the request. */
const clientOf = (app: Faulty.FaultyApp): HttpClient.HttpClient =>
  HttpClient.make((request) =>
    Effect.flatMap(Clock.Clock, (clock) =>
      Effect.provideService(
        app,
        HttpServerRequest.HttpServerRequest,
        HttpServerRequest.fromClientRequest(underClock(request, clock))
      )
    ).pipe(
      Effect.mapBoth({
        onSuccess: (response) => HttpServerResponse.toClientResponse(response, { request }),
        onFailure: (cause) =>
          new HttpClientError.HttpClientError({
            reason: new HttpClientError.TransportError({ request, cause, description: "The connection was cut" })
          })
      }),
      Effect.scoped
    )
  )

/**
 * An org without a socket, and the `HttpClient` that reaches it: requests run
 * its routes in this process, bodies are streamed both ways. Every call makes
 * an org of its own, which is gone with its scope unless it has a folder for
 * its data; fails with a `DataError` when that cannot be had.
 *
 * @category layers
 * @since 0.1.0
 */
export function layerHttpClient(options?: Temporary): Layer.Layer<EmbeddedOrg | HttpClient.HttpClient>
export function layerHttpClient(options: Options): Layer.Layer<EmbeddedOrg | HttpClient.HttpClient, Store.DataError>
export function layerHttpClient(
  options: Options = {}
): Layer.Layer<EmbeddedOrg | HttpClient.HttpClient, Store.DataError> {
  return Layer.effectContext(
    Effect.map(run(options), ({ app, org }) =>
      Context.make(EmbeddedOrg, { instanceUrl, ...org }).pipe(Context.add(HttpClient.HttpClient, clientOf(app)))
    )
  )
}
