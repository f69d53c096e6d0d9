import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Blocks from "../../src/org/blocks.ts"
import * as Describe from "../../src/org/Describe.ts"
import * as RestQuery from "../../src/org/restQuery.ts"
import * as Store from "../../src/org/Store.ts"

const objects = [Describe.withSystemFields(Describe.account)]

describe("Store", () => {
  it.effect("writes a transaction whole or not at all", () =>
    Effect.gen(function* () {
      const store = yield* Store.make(objects)
      const insert = store.inserter("Account", ["Name"])
      assert.throws(
        () =>
          store.transaction(() => {
            insert("001", ["x"])
            throw new Error("half-way")
          }),
        "half-way"
      )
      assert.isUndefined(store.finderById("Account", [])("001"))
      store.transaction(() => insert("001", ["x"]))
      assert.deepStrictEqual(store.finderById("Account", ["Name"])("001"), { id: "001", deleted: false, values: ["x"] })
    })
  )

  it.effect("is not held by who stops reading halfway", () =>
    Effect.gen(function* () {
      const database = new DatabaseSync("")
      const store = new Store.Store(database, objects)
      const insert = store.inserter("Account", ["Name"])
      for (let i = 0; i < 50; i++) insert(`${i}`, ["x"])
      const isHeld = Effect.sync(() => {
        try {
          database.exec("VACUUM")
          return false
        } catch {
          return true
        }
      })

      const pieces = function* () {
        for (const _ of store.select("SELECT Id FROM Account", [])) yield new Uint8Array(20_000)
      }
      const helds = yield* Blocks.stream(pieces).pipe(
        Stream.mapEffect(() => isHeld),
        Stream.take(1),
        Stream.runCollect
      )
      assert.deepStrictEqual([helds, yield* isHeld], [[true], false])

      const byName = new Map(objects.map((object) => [object.name.toLowerCase(), object]))
      const queries = RestQuery.make({ objects: byName, store })
      const first = queries.first("SELECT Id FROM Account", { path: "query", version: "68.0", size: 1 })
      const asking = yield* Effect.forkChild(first)
      yield* Effect.repeat(Effect.andThen(Effect.yieldNow, isHeld), { until: (held) => held })
      yield* Fiber.interrupt(asking)
      assert.isFalse(yield* isHeld)
      database.close()
    })
  )

  it("says why a transaction was rolled back when SQLite has done that itself", () => {
    const database = new DatabaseSync("")
    const store = new Store.Store(database, objects)
    const { page_count: pages } = database.prepare("PRAGMA page_count").get() ?? {}
    database.exec(`PRAGMA max_page_count = ${pages}`)
    const fill = () => store.addBlock("a", "part", { seq: 0, rows: 1, bytes: new Uint8Array(100_000) })
    assert.throws(() => store.transaction(fill), "database or disk is full")
    // it is none of the next one
    store.transaction(() => store.setFact("is", "well"))
    assert.strictEqual(store.fact("is"), "well")
    database.close()
  })

  it.effect("drops the blocks of a job, and no other's", () =>
    Effect.gen(function* () {
      const store = yield* Store.make(objects)
      const bytes = new Uint8Array([1, 2, 3])
      for (const job of ["a", "b"]) {
        for (const seq of [0, 5]) store.addBlock(job, "part", { seq, rows: 1, bytes })
      }
      assert.isTrue(store.dropSomeBlocks("a"))
      assert.isFalse(store.dropSomeBlocks("a"))
      assert.isUndefined(store.blockFrom("a", "part", 0))
      assert.deepStrictEqual(store.blockFrom("b", "part", 1), { seq: 5, rows: 1, bytes })
      assert.deepStrictEqual(store.blockUpTo("b", "part", 4), { seq: 0, rows: 1, bytes })
      assert.isUndefined(store.blockFrom("b", "part", 6))
      assert.isUndefined(store.blockFrom("b", "other", 0))
    })
  )

  it.effect("reads a selection while it writes", () =>
    Effect.gen(function* () {
      const store = yield* Store.make(objects)
      const insert = store.inserter("Account", ["Name"])
      for (let i = 0; i < 10; i++) insert(`00${i}`, [`n${i}`])
      const names: Array<unknown> = []
      for (const [name] of store.select(`SELECT "Name" FROM "Account" WHERE "Id" < ?`, ["005"])) {
        names.push(name)
        store.transaction(() => insert(`1${name}`, [null]))
      }
      assert.deepStrictEqual(names.slice(0, 5), ["n0", "n1", "n2", "n3", "n4"])
    })
  )
})
