import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { runExample } from "./run.ts"

describe("npm run example", () => {
  it.live("refuses a number that no example has, and lists those there are", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* runExample("77")
      assert.strictEqual(code, 1)
      assert.strictEqual(stderr, "There is no example 77.\n\n")
      assert.match(stdout, /^ +00-airports +Loads the airports/m)
    })
  )
})
