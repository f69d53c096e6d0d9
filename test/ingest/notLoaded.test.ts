import { assert, it } from "@effect/vitest"
import { NotLoaded } from "../../src/ingest/order/notLoaded.ts"
import type * as Describe from "../../src/job/Describe.ts"

it("compares names as the org does: without blanks around them, whatever ends their lines, and in any case if that is so", () => {
  const field = (name: string, caseSensitive: boolean) => ({ name, caseSensitive }) as Describe.Field
  const names = new NotLoaded([])
  for (const isExact of [true, false]) {
    const key = field(isExact ? "Exact__c" : "Key__c", isExact)
    names.watch("Region__c", key)
    names.add("Region__c", { [key.name]: " North\r\nWest " })
    assert.isTrue(names.has("Region__c", key, "North\nWest"))
    assert.isTrue(names.has("Region__c", key, "North\rWest"))
    assert.strictEqual(names.has("Region__c", key, "NORTH\nWEST"), !isExact)
    assert.isFalse(names.has("Region__c", key, "NorthWest"))
    assert.isFalse(names.has("Region__c", key, undefined))
  }
})
