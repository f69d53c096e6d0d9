import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schedule, Schema } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { CircuitBreaker, RateLimiter } from "effect/persistence"
import * as Auth from "../../src/connection/Auth.ts"
import * as Connection from "../../src/connection/Connection.ts"
import * as Limits from "../../src/connection/Limits.ts"
import * as IngestJob from "../../src/job/IngestJob.ts"
import { Faults } from "../../src/org/index.ts"
import { inProcess, replacing } from "../support/orgs.ts"
import { serve } from "../support/servers.ts"

describe("Limits.daily", () => {
  it.effect("is what the org has left", () =>
    Effect.gen(function* () {
      const before = yield* Limits.daily
      assert.deepInclude(before, {
        batches: { max: Limits.batchesPerDay, remaining: Limits.batchesPerDay },
        queryJobs: { max: Limits.queryJobsPerDay, remaining: Limits.queryJobsPerDay },
        queryResultMegabytes: { max: 976_562, remaining: 976_562 }
      })
      assert.deepStrictEqual(before.apiCalls, before.all.DailyApiRequests)
      const after = yield* Limits.daily
      assert.strictEqual(after.apiCalls?.remaining, (before.apiCalls?.remaining ?? 0) - 1)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("knows only of API calls without the permission, and says what else is wrong", () =>
    Effect.gen(function* () {
      yield* IngestJob.create({ object: "Account", operation: "insert" })
      const { all, apiCalls, batches } = yield* Limits.daily
      assert.deepStrictEqual([all, apiCalls?.max, batches], [{}, 100_000, undefined])
      const error = yield* Effect.flip(Limits.daily)
      assert.isTrue(error.isLimit)
    }).pipe(
      Effect.provide(
        inProcess({
          faults: [
            Faults.on(
              /\/limits$/,
              Faults.respond(403, { body: '[{"errorCode":"API_DISABLED_FOR_ORG","message":"x"}]' }),
              { nth: 1 }
            ),
            Faults.on(/\/limits$/, Faults.respond(403), { nth: 2 })
          ]
        })
      )
    )
  )

  it.effect("takes what it knows of an answer of another kind", () =>
    Effect.gen(function* () {
      const { all, apiCalls, batches } = yield* Limits.daily
      assert.deepStrictEqual(apiCalls, { max: 9, remaining: 8 })
      assert.isUndefined(batches)
      assert.deepStrictEqual(Object.keys(all), ["DailyApiRequests"])
    }).pipe(
      Effect.provide(
        inProcess({
          tamper: replacing(/\/limits$/, () =>
            Response.json({
              DailyApiRequests: { Max: 9, Remaining: 8, Dataloader: { Max: 0, Remaining: 0 } },
              DailyBulkApiBatches: { Max: "many", Remaining: 1 },
              New: [1]
            })
          )
        })
      )
    )
  )
})

/** A failure of what a client is wrapped in, as one of the client itself. */
const asTransportError = (cause: unknown) =>
  Effect.fail(
    new HttpClientError.HttpClientError({
      reason: new HttpClientError.TransportError({ request: HttpClientRequest.empty, cause })
    })
  )

const get = Connection.Connection.use((connection) => connection.json({ method: "GET", path: "/x" }, Schema.Null))

const connect = (client: Layer.Layer<HttpClient.HttpClient>, port: number) =>
  Effect.provide(
    Connection.layerWith({ retry: Schedule.recurs(0) }).pipe(
      Layer.provide(Auth.layerToken({ instanceUrl: `http://127.0.0.1:${port}`, accessToken: "x" })),
      Layer.provide(client)
    )
  )

describe("a connection", () => {
  it.live("goes through Effect's own rate limiter", () =>
    Effect.gen(function* () {
      let asked = 0
      const port = yield* serve((_, response) => {
        asked++
        response.writeHead(204).end()
      })
      const limited = Layer.effect(
        HttpClient.HttpClient,
        Effect.gen(function* () {
          const limiter = yield* RateLimiter.RateLimiter
          return (yield* HttpClient.HttpClient).pipe(
            HttpClient.withRateLimiter({ limiter, key: "org", limit: 5, window: "1 minute", times: 0 }),
            HttpClient.catchTag("RateLimiterError", asTransportError)
          )
        })
      ).pipe(
        Layer.provide([RateLimiter.layer, NodeHttpClient.layerUndici]),
        Layer.provide(RateLimiter.layerStoreMemory)
      )
      const fiber = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 8 }, () => get),
          { concurrency: "unbounded" }
        ).pipe(connect(limited, port))
      )
      while (asked < 5) yield* Effect.sleep("5 millis")
      yield* Effect.sleep("50 millis")
      assert.strictEqual(asked, 5)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.scoped)
  )

  it.live("goes through Effect's own circuit breaker", () =>
    Effect.gen(function* () {
      let asked = 0
      const port = yield* serve((_, response) => {
        asked++
        response.writeHead(503).end()
      })
      const guarded = Layer.effect(
        HttpClient.HttpClient,
        Effect.gen(function* () {
          const breaker = yield* CircuitBreaker.make({
            tripPolicy: CircuitBreaker.consecutive(3),
            openDuration: "1 minute"
          })
          return (yield* HttpClient.HttpClient).pipe(
            HttpClient.withCircuitBreaker({ breaker, key: "org" }),
            HttpClient.catchTag("CircuitBreakerError", asTransportError)
          )
        })
      ).pipe(Layer.provide([CircuitBreaker.layerStoreMemory(), NodeHttpClient.layerUndici]))
      const errors = yield* Effect.all(Array.from({ length: 6 }, () => Effect.flip(get))).pipe(connect(guarded, port))
      assert.deepStrictEqual(
        errors.map(({ reason }) => reason._tag),
        ["ApiError", "ApiError", "ApiError", "ConnectionLost", "ConnectionLost", "ConnectionLost"]
      )
      assert.match(errors.at(-1)?.message ?? "", /Circuit open/)
      assert.strictEqual(asked, 3)
    }).pipe(Effect.scoped)
  )
})
