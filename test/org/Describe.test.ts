import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Describe from "../../src/org/Describe.ts"

const json = { name: "Item__c", fields: [{ name: "Name", length: 80 }], urls: { describe: "/x" } }

describe("Describe.fromJson", () => {
  it.effect("reads a describe, bare or as the Salesforce CLI writes it", () =>
    Effect.gen(function* () {
      const bare = yield* Describe.fromJson(json)
      assert.deepStrictEqual(yield* Describe.fromJson({ status: 0, result: json }), bare)
      assert.deepStrictEqual(bare, Describe.make({ name: "Item__c", fields: [{ name: "Name", length: 80 }] }))
    })
  )

  it.effect("says where it is wrong", () =>
    Effect.gen(function* () {
      for (const [wrong, message] of [
        [{ name: "Item__c" }, /Missing key\n? +at \["fields"\]/],
        [{ result: { ...json, name: "1" } }, /at \["result"\]\["name"\]/],
        [{ ...json, fields: [{ name: "A" }, { name: "a" }] }, /fields with different names, not two a/],
        [[], /Expected object/]
      ] as const) {
        assert.match((yield* Effect.flip(Describe.fromJson(wrong))).message, message)
      }
    })
  )
})
