// The tests of an application that uses this library: against an org in memory, under a
// clock that the tests move. In an application the imports of "../../src" are those of
// "effect-salesforce-bulk" and "effect-salesforce-bulk/org".
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Auth, Connection } from "../../src/index.ts"
import { Describe, EmbeddedOrg, Faults, type RowRule } from "../../src/org/index.ts"
import { Price, PriceChanges, syncPrices } from "./prices.ts"

// --- the org ----------------------------------------------------------------

/** What the application needs of the org: written here, or read from `sf sobject describe --json`. */
const priceDescribe = Describe.make({
  name: "Price__c",
  fields: [
    { name: "Sku__c", length: 20, nillable: false, externalId: true, unique: true },
    { name: "Amount__c", type: "currency", precision: 10, scale: 2, nillable: false }
  ]
})

/** A validation rule of the production org, in code. */
const noGiveaways: RowRule.RowRule = ({ stored, values }) =>
  stored !== undefined && Number(values.Amount__c) < Number(stored.Amount__c) / 2
    ? { message: "Ask the sales manager before you halve a price", fields: ["Amount__c"] }
    : undefined

/** A session as the application has one: it signs in again when its token has expired. */
const SessionLive = Layer.unwrap(
  EmbeddedOrg.EmbeddedOrg.use(({ instanceUrl, newToken }) =>
    Effect.succeed(Auth.layerWith(Effect.map(newToken, (accessToken) => ({ instanceUrl, accessToken }))))
  )
)

const withOrg = (...faults: ReadonlyArray<Faults.Fault>) =>
  Effect.provide(
    Connection.layer.pipe(
      Layer.provide(SessionLive),
      Layer.provideMerge(
        EmbeddedOrg.layerHttpClient({ objects: [priceDescribe], onRow: { Price__c: noGiveaways }, faults })
      )
    )
  )

/** The prices that are in the org, by product. */
const pricesInOrg = EmbeddedOrg.EmbeddedOrg.use(({ records }) => records("Price__c")).pipe(
  Effect.map((records) => Object.fromEntries(records.map(({ Amount__c, Sku__c }) => [Sku__c, Amount__c])))
)

// --- the application ----------------------------------------------------------

/** A list of changes in memory, and the application with it. */
const shop = (prices: Readonly<Record<string, number>>) => {
  const waiting = new Map(Object.entries(prices))
  const refused: Record<string, string> = {}
  const changes = PriceChanges.of({
    waiting: Stream.suspend(() =>
      Stream.fromIterable(Array.from(waiting, ([Sku__c, Amount__c]) => new Price({ Sku__c, Amount__c })))
    ),
    done: (skus) =>
      Effect.sync(() => {
        for (const sku of skus) waiting.delete(sku)
      }),
    refused: (sku, reason) =>
      Effect.sync(() => {
        waiting.delete(sku)
        refused[sku] = reason
      })
  })
  return { waiting, refused, sync: inNoTime(Effect.provideService(syncPrices, PriceChanges, changes)) }
}

/** Moves the clock on, a second at a time, until an effect ends: minutes of polls and pauses take milliseconds. */
const inNoTime = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(self)
    while (fiber.pollUnsafe() === undefined) {
      yield* TestClock.adjust("1 second")
      // what is no fiber goes on too, such as the unpacking of answers
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    return yield* Fiber.join(fiber)
  })

const org = EmbeddedOrg.EmbeddedOrg

describe("the sync of prices", () => {
  it.effect("creates prices, changes those that there are, and takes them off the list", () =>
    Effect.gen(function* () {
      yield* org.use(({ seed }) => seed({ Price__c: [{ Sku__c: "A", Amount__c: 10 }] }))
      const { sync, waiting } = shop({ A: 12, B: 5.5 })
      yield* sync
      assert.deepStrictEqual(yield* pricesInOrg, { A: 12, B: 5.5 })
      assert.strictEqual(waiting.size, 0)
    }).pipe(withOrg())
  )

  it.effect("hands over what the org refuses, with its reason, and does not send it again", () =>
    Effect.gen(function* () {
      yield* org.use(({ seed }) => seed({ Price__c: [{ Sku__c: "A", Amount__c: 10 }] }))
      const { refused, sync, waiting } = shop({ A: 3, B: 5.5, "a number that is far too long": 1 })
      yield* sync
      assert.deepStrictEqual(yield* pricesInOrg, { A: 10, B: 5.5 })
      assert.deepStrictEqual(refused, {
        A: "Ask the sales manager before you halve a price",
        "a number that is far too long": "Sku__c: data value too large: a number that is far too long (max length=20)"
      })
      assert.strictEqual(waiting.size, 0)
    }).pipe(withOrg())
  )

  /** What may pass is passed over by the library: the application has nothing to do with it. */
  for (const [what, fault] of Object.entries({
    "an upload that breaks off": Faults.on("upload", Faults.cutRequest(10), { nth: 1 }),
    "a server that is down for a moment": Faults.onAny(Faults.respond(503), { nth: [1, 2, 5] }),
    "a session that expires": Faults.sessionExpiresAfter(2),
    "an answer that is lost": Faults.on("changeIngestJob", Faults.cutAfter, { nth: 1 }),
    "rows that are locked": Faults.onJob(Faults.lockRows({ rows: 2 }), { nth: 1 })
  })) {
    it.effect(`has every price in the org after ${what}`, () =>
      Effect.gen(function* () {
        const { refused, sync, waiting } = shop({ A: 1, B: 2, C: 3 })
        yield* sync
        assert.deepStrictEqual(yield* pricesInOrg, { A: 1, B: 2, C: 3 })
        assert.deepStrictEqual([waiting.size, refused], [0, {}])
        // and the fault did happen
        const [tally] = yield* org.use(({ faults }) => faults.tallies)
        assert.isAbove(tally?.struck ?? 0, 0)
      }).pipe(withOrg(fault))
    )
  }

  it.effect("keeps what a failed job did not come to, and sends it with the next run", () =>
    Effect.gen(function* () {
      const prices = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`P-${n}`, n + 0.5]))
      const { sync, waiting } = shop(prices)
      yield* sync
      assert.strictEqual(Object.keys(yield* pricesInOrg).length, 200)
      assert.strictEqual(waiting.size, 300)
      yield* org.use(({ faults }) => faults.clear)
      yield* sync
      assert.deepStrictEqual(yield* pricesInOrg, prices)
      assert.strictEqual(waiting.size, 0)
    }).pipe(withOrg(Faults.onJob(Faults.fail({ after: 200 }))))
  )

  it.effect("waits as long as Salesforce asks, and gives up after two minutes, with nothing lost", () =>
    Effect.gen(function* () {
      const { sync, waiting } = shop({ A: 1 })
      const patient = yield* Effect.timed(sync)
      assert.isAtLeast(Duration.toSeconds(patient[0]), 45)
      assert.deepStrictEqual(yield* pricesInOrg, { A: 1 })
      yield* org.use(({ faults }) => faults.set([Faults.onAny(Faults.respond(503))]))
      waiting.set("B", 2)
      const error = yield* Effect.flip(sync)
      assert.isTrue(error.isRetryable)
      assert.deepStrictEqual([...waiting.keys()], ["B"])
    }).pipe(withOrg(Faults.on("createIngestJob", Faults.rateLimit("45 seconds"), { nth: 1 })))
  )
})
