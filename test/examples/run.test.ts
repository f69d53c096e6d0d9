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

  // 07 says first what it tries, and Node runs 09 and 10
  for (const number of ["00", "01", "02", "03", "04", "05", "06", "08"]) {
    it.live(`says on stderr why it failed: ${number}`, () =>
      Effect.gen(function* () {
        const env = { SF_INSTANCE_URL: "http://nowhere.invalid", SF_ACCESS_TOKEN: "none" }
        assert.deepStrictEqual(yield* runExample(number, [], { env }), {
          code: 1,
          stdout: "",
          stderr: "BulkError: instanceUrl must be https: no secret goes to http://nowhere.invalid in the clear\n"
        })
      })
    )
  }
})
