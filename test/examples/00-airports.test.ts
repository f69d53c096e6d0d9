import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { runExample } from "./run.ts"

describe("00-airports", () => {
  it.live("loads a published file and shows what became of it", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* runExample("00")
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /^3360 created, 0 updated, 16 refused in [\d.]+ s$/m)
      assert.match(stdout, /^ +YAP +Yap International +INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: .*: NA$/m)
      assert.strictEqual(stdout.match(/INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST/g)?.length, 16)
      assert.match(stdout, /^ +BLI +Bellingham Intl +48\.79 +Bellingham$/m)
      assert.match(stderr, /^airports: 3,376 processed, 16 failed, in \d:\d\d \([\d,]+\/s\)$/m)
    })
  )
})
