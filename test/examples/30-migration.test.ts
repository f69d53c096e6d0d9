import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { runExample } from "./run.ts"

describe("30-migration", () => {
  it.live("plans, finds, fixes and loads 1,200 failures", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* runExample("30")
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /^error +Status__c: .*\[NOT_IN_PICKLIST, 500 records\]/m)
      assert.match(stdout, /^error +Name: .*\[TOO_LONG, 400 records\]/m)
      assert.match(stdout, /^4,800 succeeded, 1,200 failed$/m)
      assert.match(stdout, /^ +300 +INVALID_FIELD: Foreign key external ID: OVERSEAS not found/m)
      assert.match(stdout, /^6,000 succeeded, 0 failed$/m)
    })
  )
})
