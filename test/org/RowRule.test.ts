import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import type { RowChange } from "../../src/org/RowRule.ts"
import { errors, run, select } from "./running.ts"
import { item, sortedRows } from "./support.ts"

describe("rules in code", () => {
  it.effect("refuse rows, with one error or several", () =>
    Effect.gen(function* () {
      const { failed, successful } = yield* run({}, "Name,Count__c\nfine,1\nless,-1\nbad,-2\n,-3\n")
      assert.deepStrictEqual(sortedRows(successful), ['"a00Qx0000000001IAA","true","fine","1.0"'])
      assert.deepStrictEqual(errors(failed), [
        "FIELD_CUSTOM_VALIDATION_EXCEPTION:Count must not be negative:Count__c --",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION:Count must not be negative:Count__c --INSUFFICIENT_ACCESS_OR_READONLY:bad is not allowed:--",
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
      ])
    }).pipe(
      Effect.provide(
        EmbeddedOrg.layerHttpClient({
          objects: [item],
          queueDelay: "1 second",
          onRow: {
            item__C: ({ values }) => [
              ...(Number(values.Count__c) < 0 ? [{ message: "Count must not be negative", fields: ["Count__c"] }] : []),
              ...(values.Name === "bad"
                ? [{ code: "INSUFFICIENT_ACCESS_OR_READONLY", message: "bad is not allowed" }]
                : [])
            ]
          }
        })
      )
    )
  )

  it.effect("that throw refuse the row, whatever they throw", () =>
    Effect.gen(function* () {
      const { onRow } = yield* EmbeddedOrg.EmbeddedOrg
      for (const thrown of [new Error("a bug"), "a text"]) {
        yield* onRow("Item__c", () => {
          throw thrown
        })
      }
      const { failed } = yield* run({}, "Name\na\n")
      assert.deepStrictEqual(errors(failed), [
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:a bug:--CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:a text:--"
      ])
    }).pipe(Effect.provide(EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 second" })))
  )

  it.effect("see what a row does, and the record as it is", () =>
    Effect.gen(function* () {
      const org = yield* EmbeddedOrg.EmbeddedOrg
      const changes: Array<RowChange> = []
      yield* org.onRow("Item__c", (change) => {
        changes.push(change)
        return change.operation === "delete" ? { message: "stays" } : undefined
      })
      yield* run({ object: "Account" }, "Name\nAcme\n")
      yield* run({ operation: "upsert", externalIdFieldName: "Sku__c" }, "Sku__c,Name\nA,one\n")
      yield* run({ operation: "upsert", externalIdFieldName: "Sku__c" }, "Sku__c,Name,Size__c\na,#N/A,\nA,two,3\n")
      yield* run({ operation: "update" }, "Id,Active__c,Size__c,Name\na00Qx0000000001,true,#N/A,\n")
      const { failed } = yield* run({ operation: "delete" }, "Id\na00Qx0000000001\n")
      assert.deepStrictEqual(
        changes.map(({ operation, values }) => ({ operation, values })),
        [
          { operation: "insert", values: { Active__c: false, Sku__c: "A", Name: "one" } },
          { operation: "update", values: { Active__c: true, Size__c: null } },
          { operation: "delete", values: {} }
        ]
      )
      assert.isUndefined(changes[0]?.stored)
      assert.strictEqual(changes[1]?.stored?.Name, "one")
      assert.strictEqual(changes[1]?.stored?.Active__c, false)
      assert.strictEqual(changes[2]?.stored?.Active__c, true)
      assert.deepStrictEqual(errors(failed), ["FIELD_CUSTOM_VALIDATION_EXCEPTION:stays:--"])
      assert.deepStrictEqual(yield* select("SELECT Name FROM Item__c"), ['"one"'])
    }).pipe(Effect.provide(EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 second" })))
  )

  it.effect("refuse as a failing trigger does when they throw", () =>
    Effect.gen(function* () {
      const org = yield* EmbeddedOrg.EmbeddedOrg
      yield* org.onRow("item__c", () => {
        throw new Error("ItemTrigger: execution of BeforeInsert")
      })
      const { failed, info } = yield* run({}, "Name\nx\n")
      assert.strictEqual(info.state, "JobComplete")
      assert.deepStrictEqual(errors(failed), [
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:ItemTrigger: execution of BeforeInsert:--"
      ])
    }).pipe(Effect.provide(EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 second" })))
  )
})
