import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Metric, Redacted, Result, Schedule, Schema, Stream } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { TestClock } from "effect/testing"
import type * as BulkError from "../../src/BulkError.ts"
import * as Auth from "../../src/connection/Auth.ts"
import * as Connection from "../../src/connection/Connection.ts"
import { virtually } from "../support/orgs.ts"
import { observed, valuesOf } from "../support/tracing.ts"

const host = "https://acme.my.salesforce.com"

/** An HTTP client that answers from a list, and keeps what it was asked. */
const scripted = (answers: ReadonlyArray<() => Response | Error>) => {
  const requests: Array<HttpClientRequest.HttpClientRequest> = []
  const client = HttpClient.make((request) =>
    Effect.suspend(() => {
      const answer = answers[requests.length]?.() ?? new Error("no more answers")
      requests.push(request)
      return answer instanceof Error
        ? Effect.fail(
            new HttpClientError.HttpClientError({
              reason: new HttpClientError.TransportError({ request, cause: answer })
            })
          )
        : Effect.succeed(HttpClientResponse.fromWeb(request, answer))
    })
  )
  return { requests, layer: Layer.succeed(HttpClient.HttpClient, client) }
}

const json =
  (body: unknown, status = 200) =>
  () =>
    Response.json(body, { status })
const expired = json([{ errorCode: "INVALID_SESSION_ID", message: "Session expired or invalid" }], 401)
const lost = () => new Error("socket hang up")

const token = Auth.layerToken({ instanceUrl: host, accessToken: "00D!one" })
const Answer = Schema.Struct({ ok: Schema.Boolean })
const get = Connection.Connection.use((connection) => connection.json({ method: "GET", path: "/x" }, Answer))
const post = Connection.Connection.use((connection) =>
  connection.json({ method: "POST", path: "/x", body: { a: 1 } }, Answer)
)

const over = (org: { readonly layer: Layer.Layer<HttpClient.HttpClient> }, session = token) =>
  Effect.provide(Connection.layer.pipe(Layer.provide([session, org.layer])))

const reasonOf = <A, R>(self: Effect.Effect<A, BulkError.BulkError, R>) =>
  Effect.map(Effect.flip(self), (error) => error.reason)

describe("Connection", () => {
  it.effect("asks the session's org, with its token, under the API version", () =>
    Effect.gen(function* () {
      const org = scripted([json({ ok: true })])
      assert.deepStrictEqual(yield* get.pipe(over(org)), { ok: true })
      const [request] = org.requests
      assert.strictEqual(request?.url, `${host}/services/data/v62.0/x`)
      assert.strictEqual(request?.headers.authorization, "Bearer 00D!one")
    })
  )

  it.effect("gives Salesforce's error with its code, words and body", () =>
    Effect.gen(function* () {
      const body = [{ errorCode: "INVALIDENTITY", message: "Unable to find object: Foo" }]
      const error = yield* Effect.flip(post.pipe(over(scripted([json(body, 400)]))))
      assert.deepInclude(error.reason, {
        _tag: "ApiError",
        status: 400,
        code: "INVALIDENTITY",
        detail: "Unable to find object: Foo",
        body: JSON.stringify(body)
      })
      assert.match(
        error.message,
        /^https:\/\/acme\.my\.salesforce\.com: POST \/x: 400 INVALIDENTITY: Unable to find object: Foo \(the object.s API name is misspelled/
      )
      assert.isFalse(error.isRetryable)
    })
  )

  it.effect("names errors that are not Salesforce's, and answers that are not the API's", () =>
    Effect.gen(function* () {
      const html = scripted([() => new Response("<html>Bad gateway</html>", { status: 502 })])
      assert.deepInclude(yield* reasonOf(post.pipe(over(html))), {
        _tag: "ApiError",
        code: "HTTP_502",
        body: "<html>Bad gateway</html>"
      })
      for (const body of ["", "<html>", '{"ok":"yes"}', '{"ok":']) {
        const odd = scripted([() => new Response(body)])
        assert.strictEqual((yield* reasonOf(post.pipe(over(odd))))._tag, "UnexpectedResponse")
      }
    })
  )

  it.effect("repeats a GET while it may pass, and no POST", () =>
    Effect.gen(function* () {
      const org = scripted([lost, json([], 503), json([], 429), json({ ok: true })])
      const fiber = yield* Effect.forkChild(get.pipe(over(org)))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { ok: true })
      assert.strictEqual(org.requests.length, 4)

      for (const answer of [lost, json([], 503)]) {
        const other = scripted([answer, json({ ok: true })])
        assert.isTrue((yield* Effect.flip(post.pipe(over(other)))).isRetryable)
        assert.strictEqual(other.requests.length, 1)
      }
    })
  )

  it.effect("stops repeating after five times, and at once where it cannot help", () =>
    Effect.gen(function* () {
      const org = scripted(Array.from({ length: 20 }, () => json([], 503)))
      const fiber = yield* Effect.forkChild(reasonOf(get.pipe(over(org))))
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(yield* Fiber.join(fiber), { _tag: "ApiError", status: 503 })
      assert.strictEqual(org.requests.length, 6)

      const gone = scripted([json({ ok: true }), json([{ errorCode: "NOT_FOUND", message: "gone" }], 404)])
      assert.deepInclude(yield* reasonOf(Effect.andThen(get, get).pipe(over(gone))), {
        _tag: "ApiError",
        code: "NOT_FOUND"
      })
      assert.strictEqual(gone.requests.length, 2)
    })
  )

  const busy = (retryAfter: string) => () =>
    Response.json([{ errorCode: "SERVER_UNAVAILABLE", message: "Busy" }], {
      status: 503,
      headers: { "Retry-After": retryAfter }
    })

  it.effect("waits as long as it is asked to, up to two minutes, and fails at once where it is longer", () =>
    Effect.gen(function* () {
      for (const [retryAfter, milliseconds, words] of [
        ["121", 121_000, /: Busy; it asks to be left alone for 2m 1s/],
        ["86400", 86_400_000, /: Busy; it asks to be left alone for 1d/],
        // the test clock begins with 1970
        ["Thu, 01 Jan 1970 02:00:00 GMT", 7_200_000, /: Busy; it asks to be left alone for 2h/]
      ] as const) {
        const later = scripted([busy(retryAfter), json({ ok: true })])
        const [elapsed, error] = yield* Effect.timed(Effect.flip(get.pipe(over(later))))
        assert.strictEqual(Duration.toMillis(elapsed), 0)
        assert.deepInclude(error.reason, { _tag: "ApiError", retryAfter: milliseconds })
        assert.match(error.message, words)
        assert.isTrue(error.isRetryable)
        assert.strictEqual(later.requests.length, 1)
      }

      const soon = scripted([busy("120"), json({ ok: true })])
      const [waited] = yield* virtually(Effect.timed(get.pipe(over(soon))))
      assert.strictEqual(Duration.toSeconds(waited), 120)
    })
  )

  it.effect("counts silence as a lost connection", () =>
    Effect.gen(function* () {
      const silent = {
        layer: Layer.succeed(
          HttpClient.HttpClient,
          HttpClient.make(() => Effect.never)
        )
      }
      const fiber = yield* Effect.forkChild(reasonOf(post.pipe(over(silent))))
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "ConnectionLost")
    })
  )

  it.effect("counts a download that stands still as lost, and one whose reader takes its time as none", () =>
    Effect.gen(function* () {
      const stalling = scripted([
        () => new Response(new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode("Id\n1\n")) }))
      ])
      const read = Connection.Connection.use((connection) => connection.bytes({ path: "/csv" })).pipe(
        Effect.flatMap(({ bytes }) => Stream.runForEach(bytes, () => Effect.sleep("10 minutes"))),
        Effect.scoped,
        over(stalling)
      )
      const fiber = yield* Effect.forkChild(reasonOf(read))
      yield* TestClock.adjust("10 minutes")
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "ConnectionLost")
    })
  )

  /** A client whose socket takes `blocks` of a body and then no more. */
  const takingOnly = (blocks: number) => ({
    layer: Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make((request) =>
        request.body._tag === "Stream"
          ? Effect.andThen(Effect.orDie(Stream.runDrain(Stream.take(request.body.stream, blocks))), Effect.never)
          : Effect.never
      )
    )
  })
  const uploading = (body: Stream.Stream<Uint8Array>) =>
    Connection.Connection.use((connection) => connection.upload("/csv", body))

  it.effect("counts an upload that stands still as lost", () =>
    Effect.gen(function* () {
      const blocks = Stream.forever(Stream.make(new Uint8Array(10))).pipe(Stream.rechunk(1))
      const reason = yield* virtually(reasonOf(uploading(blocks).pipe(over(takingOnly(3)))))
      assert.strictEqual(reason._tag, "ConnectionLost")
    })
  )

  it.effect("waits for a source that takes its time", () =>
    Effect.gen(function* () {
      const slow = Stream.concat(Stream.make(new Uint8Array(10)), Stream.never)
      const fiber = yield* Effect.forkChild(uploading(slow).pipe(over(takingOnly(3))))
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(fiber.pollUnsafe())
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("renews a refused session once, and asks again", () =>
    Effect.gen(function* () {
      const stale: Array<string> = []
      const renewing = Layer.succeed(Auth.Session, {
        current: Effect.succeed({ instanceUrl: host, accessToken: Redacted.make("one") }),
        renew: ({ accessToken }) =>
          Effect.sync(() => {
            stale.push(Redacted.value(accessToken))
            return { instanceUrl: host, accessToken: Redacted.make("two") }
          })
      })
      const org = scripted([expired, json({ ok: true })])
      assert.deepStrictEqual(yield* post.pipe(over(org, renewing)), { ok: true })
      assert.deepStrictEqual(stale, ["one"])
      assert.deepStrictEqual(
        org.requests.map((request) => request.headers.authorization),
        ["Bearer one", "Bearer two"]
      )
      // a refusal that no other token would change is not tried again
      const final = json([{ errorCode: "X", message: "This session is not valid for use with the REST API" }], 401)
      assert.deepInclude(yield* reasonOf(get.pipe(over(scripted([final, json({ ok: true })]), renewing))), {
        _tag: "ApiError",
        status: 401
      })
      // refused again: no loop
      const stubborn = scripted([expired, expired, json({ ok: true })])
      const error = yield* Effect.flip(get.pipe(over(stubborn, renewing)))
      assert.isTrue(error.isAuth)
      assert.strictEqual(stubborn.requests.length, 2)
      // it counts as done again
      const { metrics } = yield* observed(post.pipe(over(scripted([expired, json({ ok: true })]), renewing)))
      assert.strictEqual(valuesOf(metrics)["api.retries{error.type=401}"], 1)
    })
  )

  it.effect("fails with SessionExpired when a fixed token is refused", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(get.pipe(over(scripted([expired]))))
      assert.deepInclude(error.reason, { _tag: "SessionExpired", instanceUrl: host })
      assert.isTrue(error.isAuth)
      assert.notInclude(JSON.stringify(error), "00D!one")
    })
  )

  it.effect("gives the answer's error for bytes too, before anything is read", () =>
    Effect.gen(function* () {
      const bytes = Effect.scoped(Connection.Connection.use((connection) => connection.bytes({ path: "/csv" })))
      const org = scripted([json([{ errorCode: "INVALIDJOBSTATE", message: "not yet" }], 400)])
      assert.deepInclude(yield* reasonOf(bytes.pipe(over(org))), { _tag: "ApiError", code: "INVALIDJOBSTATE" })
    })
  )

  it.effect("repeats the request for bytes while it may pass", () =>
    Effect.gen(function* () {
      const org = scripted([lost, json([], 503), () => new Response("Id\n", { headers: { "Sforce-Locator": "null" } })])
      const read = Connection.Connection.use((connection) => connection.bytes({ path: "/csv" })).pipe(
        Effect.flatMap(({ bytes, headers }) =>
          Effect.map(Stream.mkString(Stream.decodeText(bytes)), (text) => [headers["sforce-locator"], text])
        ),
        Effect.scoped
      )
      const fiber = yield* Effect.forkChild(read.pipe(over(org)))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Fiber.join(fiber), ["null", "Id\n"])
    })
  )

  it.effect("keeps the caller's trace to itself", () =>
    Effect.gen(function* () {
      const org = scripted([json({ ok: true })])
      yield* get.pipe(over(org), Effect.withSpan("caller"))
      const names = Object.keys(org.requests[0]?.headers ?? {})
      assert.sameMembers(names, ["accept", "authorization", "sforce-call-options"])
    })
  )

  it.effect("is handled by reason", () =>
    Effect.gen(function* () {
      const handled = yield* get.pipe(
        over(scripted([expired])),
        Effect.catchReason("BulkError", "SessionExpired", (reason) => Effect.succeed(reason.instanceUrl))
      )
      assert.strictEqual(handled, host)
    })
  )
})

describe("Connection.layerWith", () => {
  const connect = (org: { readonly layer: Layer.Layer<HttpClient.HttpClient> }, options: Connection.Options) =>
    Effect.provide(
      Connection.layerWith({ retry: Schedule.recurs(0), ...options }).pipe(Layer.provide([token, org.layer]))
    )
  const urls = (org: ReturnType<typeof scripted>) => org.requests.map(({ url }) => url.slice(host.length))
  const known = json([{ version: "9.0" }, { version: "100.0" }, { version: "62.0" }])
  const notFound = json([{ errorCode: "NOT_FOUND", message: "The requested resource does not exist" }], 404)

  it.effect("takes the newest version by number, asks for it once and without the token", () =>
    Effect.gen(function* () {
      const org = scripted([known, json({ ok: true }), json({ ok: true })])
      const version = Effect.map(Connection.Connection, ({ apiVersion }) => apiVersion)
      assert.strictEqual(
        yield* Effect.andThen(Effect.andThen(get, get), version).pipe(connect(org, { apiVersion: "latest" })),
        "100.0"
      )
      assert.deepStrictEqual(urls(org), ["/services/data", "/services/data/v100.0/x", "/services/data/v100.0/x"])
      assert.isUndefined(org.requests[0]?.headers.authorization)
    })
  )

  it.effect("says that the org does not have a version, and which it has", () =>
    Effect.gen(function* () {
      for (const gone of [notFound, json([{ errorCode: "UNSUPPORTED_API_VERSION", message: "x" }], 410)]) {
        const error = yield* Effect.flip(get.pipe(connect(scripted([gone, known]), { apiVersion: "99.0" })))
        assert.deepInclude(error.reason, { _tag: "VersionUnavailable", apiVersion: "99.0" })
        assert.match(error.message, /has no API version 99\.0: it has 9\.0 to 100\.0/)
      }
      // what is not there under a version that is: the answer speaks for itself
      const missing = scripted([notFound, known])
      assert.deepInclude(yield* reasonOf(get.pipe(connect(missing, { apiVersion: "62.0" }))), { code: "NOT_FOUND" })
      const mute = scripted([notFound, lost])
      assert.deepInclude(yield* reasonOf(get.pipe(connect(mute, { apiVersion: "62.0" }))), { code: "NOT_FOUND" })
    })
  )

  it.effect("refuses options that cannot work, before anything is sent", () =>
    Effect.gen(function* () {
      for (const options of [
        { apiVersion: "62" },
        { apiVersion: "v62.0" },
        { apiVersion: "46.0" },
        { apiVersion: "newest" },
        { dailyLimit: 0 },
        { dailyLimit: 1.01 },
        { dailyLimit: Number.NaN },
        { clientName: "a b" },
        { clientName: "a,client=b" },
        { clientName: "a\r\nx: y" },
        { clientName: "" }
      ]) {
        const org = scripted([json({ ok: true })])
        assert.strictEqual((yield* reasonOf(get.pipe(connect(org, options))))._tag, "InvalidOptions")
        assert.strictEqual(org.requests.length, 0)
      }
    })
  )

  const using =
    (used: number, body: unknown = { ok: true }) =>
    () =>
      Response.json(body, {
        headers: { "Sforce-Limit-Info": `api-usage=${used}/1000; per-app-api-usage=1/250(appName=x)` }
      })

  it.effect("waits no longer than it is told to wait at most", () =>
    Effect.gen(function* () {
      const retry = Schedule.recurs(1)
      const ask = (retryAfter: string, options: Connection.Options) => {
        const busy = new Response("", { status: 429, headers: { "Retry-After": retryAfter } })
        return virtually(
          Effect.timed(Effect.result(get.pipe(connect(scripted([() => busy, json({ ok: true })]), options))))
        )
      }
      const [patient, answer] = yield* ask("3600", { retry, maxRetryAfter: "1 hour" })
      assert.strictEqual(Duration.toHours(patient), 1)
      assert.isTrue(Result.isSuccess(answer))
      const [hasty, refusal] = yield* ask("2", { retry, maxRetryAfter: "1 second" })
      assert.strictEqual(Duration.toMillis(hasty), 0)
      assert.isTrue(Result.isFailure(refusal))
    })
  )

  it.effect("creates no more jobs from the daily limit on, and goes on reading", () =>
    Effect.gen(function* () {
      const org = scripted([using(799), using(800), using(801), using(700), using(701)])
      yield* Effect.gen(function* () {
        // what the org has made is asked for first, and known from every answer
        yield* post
        assert.deepStrictEqual(urls(org), ["/services/data/v62.0/", "/services/data/v62.0/x"])
        const error = yield* Effect.flip(post)
        assert.deepInclude(error.reason, { _tag: "DailyLimitReached", used: 800, max: 1000, share: 0.8 })
        assert.isTrue(error.isLimit)
        assert.strictEqual(org.requests.length, 2)
        yield* get
        assert.strictEqual((yield* reasonOf(post))._tag, "DailyLimitReached")
        assert.strictEqual(org.requests.length, 3)
        // after a while it may be less
        yield* TestClock.adjust("61 seconds")
        yield* post
        assert.strictEqual(org.requests.length, 5)
      }).pipe(connect(org, { dailyLimit: 0.8 }))
    })
  )

  it.effect("keeps the org's usage as metrics, with a count of requests", () =>
    Effect.gen(function* () {
      const org = scripted([using(17), json([], 503)])
      yield* Effect.andThen(get, Effect.flip(get)).pipe(connect(org, {}))
      const at = { "server.address": new URL(host).hostname }
      const method = { "http.request.method": "GET" }
      const snapshot = yield* Metric.snapshot
      const values = snapshot.flatMap(({ attributes, id, state }) =>
        id.startsWith("salesforce.")
          ? [[id, attributes, "value" in state ? state.value : "count" in state && state.count]]
          : []
      )
      assert.sameDeepMembers(values, [
        ["salesforce.api.calls.used", { ...at, unit: "{call}" }, 17],
        ["salesforce.api.calls.limit", { ...at, unit: "{call}" }, 1000],
        ["salesforce.api.calls.remaining", { ...at, unit: "{call}" }, 983],
        ["salesforce.api.requests", { ...at, unit: "{request}", ...method, "http.response.status_code": "200" }, 1],
        ["salesforce.api.requests", { ...at, unit: "{request}", ...method, "http.response.status_code": "503" }, 1]
      ])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )

  it.effect("takes the token out of an answer that echoes it", () =>
    Effect.gen(function* () {
      const echo = scripted([() => new Response("<pre>Authorization: Bearer 00D!one</pre>", { status: 400 })])
      const error = yield* Effect.flip(get.pipe(connect(echo, {})))
      assert.deepInclude(error.reason, { body: "<pre>Authorization: Bearer <redacted></pre>" })
    })
  )

  it.effect("reads an answer without a body as nothing, where nothing is expected", () =>
    Effect.gen(function* () {
      const remove = Connection.Connection.use((connection) =>
        connection.json({ method: "DELETE", path: "/x" }, Schema.Null)
      )
      assert.isNull(yield* remove.pipe(connect(scripted([() => new Response(null, { status: 204 })]), {})))
    })
  )
})

describe("Auth.layerToken", () => {
  const sessionFor = (instanceUrl: string) =>
    Auth.Session.use((session) => session.current).pipe(
      Effect.provide(Auth.layerToken({ instanceUrl, accessToken: Redacted.make("secret") }))
    )

  it.effect("takes https, and http to the loopback host", () =>
    Effect.gen(function* () {
      for (const [given, url] of [
        ["https://acme.my.salesforce.com/", "https://acme.my.salesforce.com"],
        ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
        ["http://localhost:80", "http://localhost"],
        ["http://[::1]:1234", "http://[::1]:1234"]
      ] as const) {
        assert.strictEqual((yield* sessionFor(given)).instanceUrl, url)
      }
    })
  )

  it.effect("refuses everything else, and shows no credentials of it", () =>
    Effect.gen(function* () {
      for (const url of [
        "acme.my.salesforce.com",
        "",
        "http://acme.my.salesforce.com",
        "http://127.0.0.1.evil.example",
        "ftp://acme.my.salesforce.com",
        "https://acme.my.salesforce.com/services/data",
        "https://me:hunter2@acme.my.salesforce.com"
      ]) {
        const error = yield* Effect.flip(sessionFor(url))
        assert.strictEqual(error.reason._tag, "InvalidOptions")
        assert.notInclude(error.message, "hunter2")
      }
    })
  )

  it.effect("explains tokens that are none, and shows nothing of them", () =>
    Effect.gen(function* () {
      for (const [accessToken, words] of [
        ["", /accessToken is empty/],
        ["hunter2\n", /blank/],
        ["Bearer hunter2", /blank/],
        ["huntér2", /blank/],
        ["[REDACTED] hunter2", /sf org auth show-access-token/]
      ] as const) {
        const error = yield* Effect.flip(
          Effect.provide(Auth.Session, Auth.layerToken({ instanceUrl: host, accessToken: Redacted.make(accessToken) }))
        )
        assert.strictEqual(error.reason._tag, "InvalidOptions")
        assert.match(error.message, words)
        assert.notInclude(error.message, "hunt")
      }
    })
  )
})

describe("two connections", () => {
  /** Both orgs answer with their own name. */
  const whoAmI = Connection.Connection.use((connection) =>
    connection.json({ method: "GET", path: "/me" }, Schema.Struct({ name: Schema.String }))
  ).pipe(Effect.map(({ name }) => name))
  const client = Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request, url) =>
      Effect.succeed(HttpClientResponse.fromWeb(request, Response.json({ name: url.hostname.split(".")[0] })))
    )
  )
  const org = (name: string) =>
    Connection.layer.pipe(
      Layer.provide(Auth.layerToken({ instanceUrl: `https://${name}.my.salesforce.com`, accessToken: name }))
    )

  it.effect("nested in one program keep their sessions apart", () =>
    Effect.gen(function* () {
      const inner = whoAmI.pipe(Effect.provide(org("inner")))
      const names = yield* Effect.all([whoAmI, inner, whoAmI, inner]).pipe(Effect.provide(org("outer")))
      assert.deepStrictEqual(names, ["outer", "inner", "outer", "inner"])
    }).pipe(Effect.provide(client))
  )

  it.effect("in one stream keep their sessions apart", () =>
    Effect.gen(function* () {
      const names = yield* Stream.fromEffect(whoAmI).pipe(
        Stream.provide(org("source")),
        Stream.mapEffect((source) => Effect.map(whoAmI, (target) => `${source} to ${target}`)),
        Stream.provide(org("target")),
        Stream.runCollect
      )
      assert.deepStrictEqual(names, ["source to target"])
    }).pipe(Effect.provide(client))
  )
})
