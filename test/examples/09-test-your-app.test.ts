import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { runExample } from "./run.ts"

describe("09-test-your-app", () => {
  it.live(
    "runs the tests of an application, and prints their report",
    () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* runExample("09")
        assert.strictEqual(code, 0, stderr)
        assert.match(stdout, /✓ .*has every price in the org after a session that expires/)
        assert.match(stdout, /✓ .*keeps what a failed job did not come to/)
        assert.match(stdout, /Tests +9 passed \(9\)/)
      }),
    90_000
  )
})
