import * as NodeServices from "@effect/platform-node/NodeServices"
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, Schema, Stream } from "effect"
import { embeddedDatabase } from "../../examples/02-nightly-sync/database.ts"
import { IngestJob, Query } from "../../src/index.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import { environment, realOrg } from "./realOrg.ts"
import { runExample } from "./run.ts"

const stored = Query.records({
  schema: Schema.Struct({ Sku__c: Schema.String, OnHand__c: Schema.Finite }),
  from: "Inventory__c"
}).pipe(
  Stream.runCollect,
  Effect.map((items) => new Map(items.map(({ OnHand__c, Sku__c }) => [Sku__c, OnHand__c])))
)

const stalled = Faults.onJob(Faults.stall(), { operation: "upsert" })

// each run starts processes of its own
describe("02-nightly-sync", { timeout: 180_000 }, () => {
  it.live("loads all in the first night, and in the second what changed and what was left over", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* runExample("02", ["--rows", "3000"])
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /^night 1: 3,000 rows done, 0\.17 % of them refused, in \d+\.\d s of processing$/m)
      // three are counted by the dozen, two of them have names that are too long
      assert.match(stdout, /^ +1 +2,995 +5 +0 +1 +0\.17 % .* done$/m)
      assert.match(stdout, /^left over: 3 INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST .*: Dozen$/m)
      // thirty were sold, three of the dozens are packed in boxes by now
      assert.match(stdout, /^ +2 +33 +2 +0 +1 +5\.71 % .* done$/m)
      assert.strictEqual(
        stdout
          .match(/^left over: .*$/gm)
          ?.at(-1)
          ?.slice(0, 28),
        "left over: 2 STRING_TOO_LONG"
      )
      assert.match(stderr, /^night: 35 processed, 2 failed/m)
    })
  )

  it.live("loses no change, whatever becomes of a night", () =>
    Effect.gen(function* () {
      const DATABASE_URL = yield* embeddedDatabase
      const org = yield* Layer.build(realOrg("02-nightly-sync"))
      const { faults } = Context.get(org, EmbeddedOrg.EmbeddedOrg)
      const env = {
        ...(yield* Effect.provideContext(environment, org)),
        DATABASE_URL: Redacted.value(DATABASE_URL)
      }
      const sql = Context.get(yield* Layer.build(PgClient.layer({ url: DATABASE_URL })), PgClient.PgClient)
      const nights = sql<{ status: string; loaded: number; refused: number; not_sent: number }>`
          SELECT status, loaded, refused, not_sent FROM nightly.history ORDER BY night`
      const last = Effect.map(nights, (all) => all.at(-1))
      const watermark = Effect.map(
        sql<{ at: string }>`SELECT changed_in::text AS at FROM nightly.watermark`,
        ([row]) => row?.at
      )

      // the window is over before the night begins
      const late = yield* runExample("02", ["--rows", "1500"], { env: { ...env, NIGHT_WINDOW: "0 seconds" } })
      assert.strictEqual(late.code, 0, late.stderr)
      const { status, ...none } = (yield* last)!
      assert.match(status, /^stopped: .*the hours are over/)
      assert.deepStrictEqual(none, { loaded: 0, refused: 0, not_sent: 1_500 })

      // nothing is new, but nothing was sent: two dozens and a long name are refused
      const first = yield* runExample("02", [], { env })
      assert.strictEqual(first.code, 0, first.stderr)
      assert.deepStrictEqual(yield* last, { status: "done", loaded: 1_497, refused: 3, not_sent: 0 })

      // a night that is interrupted
      const before = yield* watermark
      yield* sql`UPDATE nightly.inventory SET on_hand = 12345 WHERE sku IN ('SKU-0000010', 'SKU-0000011')`
      yield* faults.set([stalled])
      const cut = yield* runExample("02", [], {
        env,
        onOutput: ({ stderr }, example) => {
          if (!example.killed && /5 uploaded/.test(stderr)) example.kill("SIGINT")
        }
      })
      assert.strictEqual(cut.code, 130)
      assert.match(cut.stderr, /^Interrupted: the jobs that were not done are aborted\.$/m)
      assert.strictEqual((yield* last)?.status, "failed: interrupted")
      assert.strictEqual(yield* watermark, before)
      const jobs = yield* Stream.runCollect(IngestJob.list).pipe(Effect.provideContext(org))
      assert.deepStrictEqual(jobs.map(({ state }) => state).sort(), ["Aborted", "JobComplete"])

      // the next one does its work
      yield* faults.clear
      const second = yield* runExample("02", [], { env })
      assert.strictEqual(second.code, 0, second.stderr)
      assert.deepStrictEqual(yield* last, { status: "done", loaded: 2, refused: 3, not_sent: 0 })
      assert.notStrictEqual(yield* watermark, before)
      const items = yield* Effect.provideContext(stored, org)
      assert.strictEqual(items.size, 1_497)
      assert.strictEqual(items.get("SKU-0000011"), 12_345)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
