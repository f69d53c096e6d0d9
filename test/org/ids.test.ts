import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as ids from "../../src/org/ids.ts"

describe("ids", () => {
  it("carries the case of 15 characters in 3 more", () => {
    // pairs that Salesforce's own documentation and orgs show
    assert.strictEqual(ids.normalize("001A0000006Vm9r"), "001A0000006Vm9rIAC")
    assert.strictEqual(ids.normalize("00D000000000062"), "00D000000000062EAA")
    assert.strictEqual(ids.normalize("001A0000006Vm9rIAC"), "001A0000006Vm9rIAC")
  })

  it("refuses what is no id", () => {
    for (const text of ["", "001", "001A0000006Vm9", "001A0000006Vm9rIAB", "001A0000006Vm9-", "001a0000006vm9riac"]) {
      assert.isUndefined(ids.normalize(text), text)
    }
  })

  it("makes ids that sort in the order they were made, and normalize to themselves", () => {
    const made = [1, 2, 9, 10, 61, 62, 63, 3843, 3844, 10 ** 9].map((n) => ids.make("001", n))
    assert.deepStrictEqual([...made].sort(), made)
    for (const id of made) {
      assert.match(id, /^001[0-9A-Za-z]{15}$/)
      assert.strictEqual(ids.normalize(ids.short(id)), id)
    }
  })

  it.prop(
    "makes the id of any number, and tells the number again",
    {
      n: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
      length: Schema.Literals([1, 2, 3, 4, 5, 6, 7, 8])
    },
    ({ length, n }) => {
      for (const number of [n % 62 ** length, 62 ** length - 1, 62 ** length]) {
        const id = ids.make("a0B", number)
        assert.strictEqual(ids.serial(id), number)
        assert.strictEqual(ids.normalize(ids.short(id)), id)
      }
    },
    { arbitrary: { runs: 200 } }
  )
})
