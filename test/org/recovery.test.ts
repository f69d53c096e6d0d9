// What an org does after it was ended, wherever that was: a kill of the process, write by write.
import { DatabaseSync, StatementSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import { folder } from "./command.ts"
import { ended } from "./running.ts"
import { api, item, sortedRows } from "./support.ts"

/** Lets so many writes succeed: all others fail, as if the process were gone. Gives how many there were. */
const dying = (after: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { exec } = DatabaseSync.prototype
      const { get, run } = StatementSync.prototype
      let count = 0
      const write = (sql: string) => {
        if (/^(?:INSERT|UPDATE|DELETE|BEGIN|COMMIT)/.test(sql) && ++count > after) throw new Error("killed")
      }
      const watched = (original: typeof get | typeof run) =>
        function (this: StatementSync, ...parameters: ReadonlyArray<unknown>): unknown {
          write(this.sourceSQL)
          return Reflect.apply(original, this, parameters)
        }
      Object.assign(StatementSync.prototype, { get: watched(get), run: watched(run) })
      DatabaseSync.prototype.exec = function (sql) {
        write(sql)
        exec.call(this, sql)
      }
      const restore = Effect.sync(() => {
        Object.assign(StatementSync.prototype, { get, run })
        DatabaseSync.prototype.exec = exec
      })
      return { restore, writes: () => count }
    }),
    ({ restore }) => restore
  )

const inOrg = (data: string) =>
  Effect.provide(Layer.fresh(EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 second", data })))

// three chunks, with a row in each that is refused
const rows = 500
const csv = `Sku__c,Name\n${Array.from({ length: rows }, (_, i) => `${i},${i % 200 === 7 ? "x".repeat(21) : `n${i}`}\n`).join("")}`

/** Loads the rows and queries them, as long as the org lives: what it said by then. */
const work = Effect.fnUntraced(function* (after: number) {
  const { close, create, put, query } = yield* api
  const { writes } = yield* dying(after)
  const told = { id: "", isUploaded: false, isClosed: false, query: "", isOver: false }
  yield* Effect.gen(function* () {
    told.id = yield* create({ operation: "upsert", externalIdFieldName: "Sku__c" })
    told.isUploaded = (yield* put(told.id, csv)).status === 201
    told.isClosed = (yield* close(told.id)).status === 200
    yield* TestClock.adjust("1 second")
    told.query = yield* query("SELECT Id, Name FROM Item__c")
    yield* TestClock.adjust("1 second")
  }).pipe(Effect.exit)
  return { ...told, isOver: writes() <= after }
}, Effect.scoped)

/** Goes on with what was begun, and looks whether each row was written once. */
const goOn = Effect.fnUntraced(function* (told: Effect.Success<ReturnType<typeof work>>) {
  const { close, failed, info, page, put, successful, unprocessed } = yield* api
  const { records } = yield* EmbeddedOrg.EmbeddedOrg
  yield* TestClock.adjust("1 second")
  if (told.id === "") return
  if ((yield* info(told.id)).state === "Open") {
    assert.isFalse(told.isClosed)
    if (!told.isUploaded) assert.strictEqual((yield* put(told.id, csv)).status, 201)
    assert.strictEqual((yield* close(told.id)).status, 200)
    yield* TestClock.adjust("1 second")
  }
  const job = yield* ended(told.id)
  assert.deepStrictEqual([job.state, job.numberRecordsProcessed, job.numberRecordsFailed], ["JobComplete", rows, 3])
  const written = sortedRows(yield* successful(told.id))
  assert.strictEqual(written.filter((row) => row.includes('"true"')).length, rows - 3)
  assert.strictEqual(sortedRows(yield* failed(told.id)).length, 3)
  assert.deepStrictEqual(sortedRows(yield* unprocessed(told.id)), [])
  const ids = (yield* records("Item__c")).map(({ Id }) => String(Id))
  assert.deepStrictEqual(
    written.map((row) => row.slice(1, 19)),
    ids
  )
  if (told.query !== "") assert.deepStrictEqual(sortedRows(yield* page(told.query)).length, rows - 3)
})

describe("an org that was ended", () => {
  it.effect(
    "goes on from wherever that was",
    () =>
      Effect.gen(function* () {
        const endedAt = Effect.fnUntraced(function* (after: number) {
          const data = yield* folder
          const told = yield* inOrg(data)(work(after))
          yield* inOrg(data)(goOn(told))
          return told.isOver
        }, Effect.scoped)
        let writes = 0
        while (!(yield* endedAt(writes))) writes++
        assert.isAbove(writes, 50)
      }).pipe(Effect.provide(Logger.layer([]))),
    30_000
  )
})
