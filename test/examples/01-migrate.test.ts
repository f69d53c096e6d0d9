import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Ledger } from "../../examples/01-migrate/Ledger.ts"
import { IngestJob } from "../../src/index.ts"
import { Faults } from "../../src/org/index.ts"
import { environment, realOrg } from "./realOrg.ts"
import { runExample } from "./run.ts"

/** Three processes start, and load what takes a second on a machine that has nothing else to do. */
const timeout = 120_000

describe("01-migrate", () => {
  it.live(
    "plans, loads, corrects what the org refuses, and accounts for every customer",
    () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* runExample("01", ["--rows", "6000"])
        assert.strictEqual(code, 0, stderr)
        assert.match(stdout, /^error +Status__c: .*\[NOT_IN_PICKLIST, 20 records\]/m)
        assert.match(stdout, /^error +Name: .*\[TOO_LONG, 10 records\]/m)
        assert.match(stdout, /^loaded 6,000 customers in [\d.]+ s, [\d,]+ a second; peak memory \d+ MiB$/m)
        assert.match(stdout, /^5,940 succeeded, 60 failed$/m)
        assert.match(stdout, /^ +20 +INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST \(Status__c\): .*ruhend$/m)
        assert.match(stdout, /^ +10 +FIELD_CUSTOM_VALIDATION_EXCEPTION \(CreditLimit__c\): The credit limit must not/m)
        assert.match(stdout, /^ +10 +FIELD_CUSTOM_VALIDATION_EXCEPTION \(BlockedFor__c\): Say what the customer is/m)
        assert.match(stdout, /^ +10 +STRING_TOO_LONG \(Name\): /m)
        assert.match(stdout, /^ +10 +INVALID_FIELD: Foreign key external ID: NL-901 not found/m)
        assert.match(stdout, /^6,000 succeeded, 0 failed$/m)
        assert.match(stdout, /^Accounted for: 6,000 of 6,000 customers are in the org$/m)
      }),
    timeout
  )

  it.live(
    "fails where a customer is not in the org at the end",
    () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* runExample("01", ["--rows", "120"], { env: yield* environment })
        assert.strictEqual(code, 1)
        assert.match(stdout, /^119 succeeded, 1 failed\n +1 +FIELD_CUSTOM_VALIDATION_EXCEPTION: We do not like you$/m)
        assert.match(stdout, /^Accounted for: 119 of 120 customers are in the org$/m)
        assert.match(stderr, /^Unaccounted: 1 of 120 customers are not in the org, such as K-00000077$/m)
      }).pipe(
        Effect.provide(
          realOrg("01-migrate", {
            onRow: {
              Customer__c: ({ values }) =>
                values.Number__c === "K-00000077" ? { message: "We do not like you" } : undefined
            }
          })
        )
      ),
    timeout
  )

  it.live(
    "aborts its jobs when it is interrupted, and says so",
    () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* runExample("01", ["--rows", "600"], {
          env: yield* environment,
          onOutput: ({ stderr }, example) => {
            if (!example.killed && /600 uploaded$/m.test(stderr)) example.kill("SIGINT")
          }
        })
        assert.strictEqual(code, 130)
        assert.match(stderr, /^Interrupted: the jobs that were not done are aborted\.$/m)
        assert.notMatch(stdout, /Accounted for/)
        const jobs = yield* Stream.runCollect(IngestJob.list)
        assert.deepStrictEqual(jobs.map(({ object, state }) => `${object} ${state}`).sort(), [
          "Branch__c JobComplete",
          "Customer__c Aborted"
        ])
      }).pipe(
        Effect.provide(realOrg("01-migrate", { faults: [Faults.onJob(Faults.stall(), { object: "Customer__c" })] }))
      ),
    timeout
  )

  it.effect("tells which customers are missing", () =>
    Effect.gen(function* () {
      const ledger = new Ledger()
      const customers = Array.from({ length: 100_000 }, (_, n) => ({ Number__c: `K-${String(n).padStart(8, "0")}` }))
      yield* Stream.runDrain(ledger.expecting(Stream.fromArray(customers)))
      const found = customers.filter(({ Number__c }) => !/^K-000(00042|77777)$/.test(Number__c))
      ledger.find([...found, ...found, { Number__c: "K-00200000" }])
      assert.deepInclude(ledger, { expected: 100_000, found: 99_998 })
      assert.strictEqual(
        ledger.unaccounted?.message,
        "2 of 100,000 customers are not in the org, such as K-00000042, K-00077777"
      )
      ledger.find(customers)
      assert.isUndefined(ledger.unaccounted)
    })
  )
})
