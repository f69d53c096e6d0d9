import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { IngestJob, Query } from "../../src/index.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import { environment, realOrg } from "./realOrg.ts"
import { runExample } from "./run.ts"

/** Visits of every hundred days, the last one today: of three years, a day or so more, eleven or twelve are recent. */
const visits = (count: number) =>
  EmbeddedOrg.EmbeddedOrg.use((org) =>
    org.seed({
      Visit__c: Array.from({ length: count }, (_, i) => ({
        Name: `V${i}`,
        Day__c: new Date(Date.now() - i * 100 * 86_400_000).toISOString().slice(0, 10)
      }))
    })
  )

const left = Query.records({ schema: Schema.Struct({ Name: Schema.String }), from: "Visit__c" }).pipe(
  Stream.map(({ Name }) => Number(Name.slice(1))),
  Stream.runCollect,
  Effect.map((numbers) => numbers.toSorted((a, b) => a - b))
)

const stalled = Faults.onJob(Faults.stall(), { operation: "hardDelete" })

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

// each run starts processes of its own
describe("05-purge", { timeout: 60_000 }, () => {
  it.live("shows what it would delete in the embedded org, and deletes it when told to", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* runExample("05", ["--really", "--rows", "500"])
      assert.strictEqual(code, 0, stderr)
      const [, found = ""] = /^Visit__c where Day__c < \d{4}-\d\d-\d\d: (\d+) of 500$/m.exec(stdout) ?? []
      assert.isAbove(Number(found), 20)
      assert.include(stdout, `\n${found} deleted, 0 refused; `)
      assert.match(stdout, new RegExp(`: 0 of ${500 - Number(found)}$`, "m"))
    })
  )

  it.live("deletes nothing of a real org unless it is told to", () =>
    Effect.gen(function* () {
      yield* visits(300)
      const env = yield* environment
      const shown = yield* runExample("05", [], { env })
      assert.strictEqual(shown.code, 0, shown.stderr)
      assert.match(shown.stdout, /: 289 of 300\n {2}\d{4}-\d\d-\d\d {2}V299\n/)
      assert.match(shown.stdout, /^Nothing was deleted/m)
      assert.deepStrictEqual(yield* left, upTo(300))

      const { orgId } = yield* EmbeddedOrg.EmbeddedOrg
      const { code, stderr } = yield* runExample("05", ["--really"], { env: { ...env, CONFIRM_PRODUCTION: orgId } })
      assert.strictEqual(code, 0, stderr)
      assert.deepStrictEqual(yield* left, upTo(11))
    }).pipe(Effect.provide(realOrg("05-purge", { hardDelete: true, sandbox: false })))
  )

  it.live("deletes nothing of a production org whose id it is not given", () =>
    Effect.gen(function* () {
      yield* visits(300)
      const { code, stderr } = yield* runExample("05", ["--really"], { env: yield* environment })
      assert.strictEqual(code, 1)
      assert.match(stderr, /^BulkError: .*: say that it is meant by confirmProduction/m)
      assert.deepStrictEqual(yield* left, upTo(300))
    }).pipe(Effect.provide(realOrg("05-purge", { hardDelete: true, sandbox: false })))
  )

  it.live("aborts its job when it is interrupted, and says so", () =>
    Effect.gen(function* () {
      yield* visits(300)
      const { code, stderr } = yield* runExample("05", ["--really"], {
        env: yield* environment,
        onOutput: ({ stderr }, example) => {
          if (!example.killed && /uploaded$/m.test(stderr)) example.kill("SIGINT")
        }
      })
      assert.strictEqual(code, 130)
      assert.match(stderr, /^Interrupted: the jobs that were not done are aborted\.$/m)
      const jobs = yield* Stream.runCollect(IngestJob.list)
      assert.deepStrictEqual(
        jobs.map(({ state }) => state),
        ["Aborted"]
      )
      assert.deepStrictEqual(yield* left, upTo(300))
    }).pipe(Effect.provide(realOrg("05-purge", { hardDelete: true, faults: [stalled] })))
  )
})
