import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { runExample } from "./run.ts"

describe("10-web-login", () => {
  it.live("signs in by the browser, over a receiver on a loopback port", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* runExample("10")
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /^The browser shows: You may close this window/m)
      assert.match(stdout, /^Signed in at http:\/\/127\.0\.0\.1:\d+$/m)
      assert.match(stdout, /^The org knows api@embedded-org\.example$/m)
    })
  )
})
