import { readdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Describe from "../../src/org/Describe.ts"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import * as Faults from "../../src/org/Faults.ts"
import * as Store from "../../src/org/Store.ts"
import { end, folder, ready, start } from "./command.ts"
import { run as runJob, select } from "./running.ts"
import { api, item, json, sortedRows } from "./support.ts"

/** Runs an effect in an org that lives in a folder, and is closed after it. */
const inOrg =
  (data: string, options: EmbeddedOrg.Options = {}) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.provide(
      self,
      Layer.fresh(EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 second", ...options, data }))
    )

/** Why an org cannot be started. */
const refusal = (data: string, objects: ReadonlyArray<Describe.ObjectDescribe>) =>
  Effect.map(Effect.flip(Effect.scoped(Layer.build(EmbeddedOrg.layerHttpClient({ objects, data })))), (error) => {
    assert.strictEqual(error._tag, "DataError")
    return error.message
  })

/** The same object with other fields: of `changes` those that it has, changed, and those that it has not, added. */
const changed = (changes: ReadonlyArray<(typeof Describe.Field)["Encoded"]>): Describe.ObjectDescribe => {
  const names = new Set(changes.map(({ name }) => name))
  return Describe.make({ ...item, fields: [...item.fields.filter(({ name }) => !names.has(name)), ...changes] })
}

describe("an org in a folder", () => {
  it.effect("is the sandbox or the production org that it was, or is told to be", () =>
    Effect.gen(function* () {
      const data = yield* folder
      const says = (options: EmbeddedOrg.Options) =>
        Effect.map(select("SELECT IsSandbox FROM Organization"), ([row]) => row).pipe(inOrg(data, options))
      assert.strictEqual(yield* says({ sandbox: false }), '"false"')
      assert.strictEqual(yield* says({}), '"false"')
      assert.strictEqual(yield* says({ sandbox: true }), '"true"')
    })
  )

  it.effect("has the same id, token, records, jobs and results when it is started again", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const data = join(path, "made", "if need be")
      const look = Effect.gen(function* () {
        const { accessToken, orgId, records } = yield* EmbeddedOrg.EmbeddedOrg
        return { token: Redacted.value(accessToken), orgId, records: yield* records("Item__c") }
      })
      const before = yield* Effect.gen(function* () {
        const { create, put } = yield* api
        const done = yield* runJob({}, `Name\na\n${"x".repeat(30)}\n`)
        const open = yield* create({})
        yield* put(open, "Name\nb\n")
        return { done, open, ...(yield* look) }
      }).pipe(inOrg(data))
      assert.strictEqual(before.records.length, 1)
      const after = yield* Effect.gen(function* () {
        const { close, failed, info, successful } = yield* api
        const seen = yield* look
        assert.deepStrictEqual(seen, { token: before.token, orgId: before.orgId, records: before.records })
        const id = String(before.done.info.id)
        assert.deepStrictEqual(yield* info(id), before.done.info)
        assert.strictEqual((yield* successful(id)).text, before.done.successful.text)
        assert.strictEqual((yield* failed(id)).text, before.done.failed.text)
        // what was uploaded waits to be handed over
        assert.strictEqual((yield* close(before.open)).status, 200)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* info(before.open)).state, "JobComplete")
        return yield* runJob({}, "Name\nc\n")
      }).pipe(inOrg(data))
      assert.isAbove(String(after.info.id).localeCompare(before.open), 0)
      const { records } = yield* look.pipe(inOrg(data, { accessToken: "another" }))
      assert.deepStrictEqual(
        records.map(({ Name }) => Name),
        ["a", "b", "c"]
      )
      assert.strictEqual(new Set(records.map(({ Id }) => Id)).size, 3)
      assert.strictEqual((yield* look.pipe(inOrg(data))).token, "another")
    })
  )

  it.effect("goes on with jobs that were not done, from behind what they had committed", () =>
    Effect.gen(function* () {
      const data = yield* folder
      const rows = Array.from({ length: 25_000 }, (_, i) => `n${i}\n`)
      const stalled = { faults: [Faults.onJob(Faults.stall({ after: 3_000 }))] }
      const { ingest, query } = yield* Effect.gen(function* () {
        const { info, query, submit } = yield* api
        const ingest = yield* submit({}, `Name\n${rows.join("")}`)
        yield* TestClock.adjust("1 second")
        yield* Effect.repeat(Effect.tap(info(ingest), Effect.yieldNow), {
          until: ({ numberRecordsProcessed }) => numberRecordsProcessed === 3_000
        })
        return { ingest, query: yield* query("SELECT Name FROM Item__c") }
      }).pipe(inOrg(data, stalled))
      yield* Effect.gen(function* () {
        const { get, info, page, successful } = yield* api
        assert.deepStrictEqual(
          [yield* info(ingest)].map(({ numberRecordsProcessed, state }) => [state, numberRecordsProcessed]),
          [["InProgress", 3_000]]
        )
        yield* TestClock.adjust("1 second")
        const job = yield* Effect.repeat(Effect.tap(info(ingest), Effect.yieldNow), {
          until: ({ state }) => state !== "InProgress"
        })
        assert.strictEqual(job.state, "JobComplete")
        assert.deepStrictEqual([job.numberRecordsProcessed, job.numberRecordsFailed], [25_000, 0])
        assert.strictEqual(new Set(sortedRows(yield* successful(ingest))).size, 25_000)
        const { records } = yield* EmbeddedOrg.EmbeddedOrg
        assert.strictEqual((yield* records("Item__c")).length, 25_000)
        assert.strictEqual(json(yield* get(`/jobs/query/${query}`)).state, "JobComplete")
        assert.isAtLeast(sortedRows(yield* page(query)).length, 3_000)
      }).pipe(inOrg(data))
    })
  )

  it.effect("takes objects and fields that are new, and keeps those that are no more", () =>
    Effect.gen(function* () {
      const data = yield* folder
      yield* runJob({}, "Name,Size__c\na,1\n").pipe(inOrg(data))
      const more = changed([
        { name: "Note__c", type: "textarea" },
        { name: "Ready__c", type: "boolean", defaultValue: true },
        { name: "Group__c", label: "Group", length: 5, externalId: true, unique: true },
        { name: "Parent__c", type: "reference", referenceTo: ["Item__c"], relationshipName: "Parent__r" }
      ])
      const other = Describe.make({ name: "Other__c", fields: [{ name: "Name" }] })
      const fewer = Describe.make({ ...item, fields: item.fields.filter(({ name }) => name !== "Size__c") })
      const prefixOf = Effect.map(select("SELECT Id FROM Other__c"), ([row]) => row?.slice(1, 4))
      const prefix = yield* Effect.gen(function* () {
        const { records } = yield* EmbeddedOrg.EmbeddedOrg
        const { failed, successful } = yield* runJob({}, "Name,Note__c,Group__c\nb,hello,g\nc,,g\n")
        assert.deepStrictEqual([sortedRows(successful).length, sortedRows(failed).length], [1, 1])
        assert.deepStrictEqual(
          (yield* records("Item__c")).map((record) => [record.Name, record.Note__c, record.Ready__c, record.Size__c]),
          [
            ["a", null, true, 1],
            ["b", "hello", true, null]
          ]
        )
        yield* runJob({ object: "Other__c" }, "Name\no\n")
        return yield* prefixOf
      }).pipe(inOrg(data, { objects: [more, other] }))
      // neither the order of the objects nor those that come before change its ids
      const before = Describe.make({ name: "Before__c", fields: [{ name: "Name" }] })
      yield* Effect.gen(function* () {
        yield* runJob({ object: "Before__c" }, "Name\nx\n")
        assert.strictEqual(yield* prefixOf, prefix)
        const [row] = yield* select("SELECT Id FROM Before__c")
        assert.notStrictEqual(row?.slice(1, 4), prefix)
      }).pipe(inOrg(data, { objects: [before, other, fewer] }))
      // a field that is back has its values
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* select("SELECT Size__c FROM Item__c WHERE Name = 'a'"), ['"1"'])
      }).pipe(inOrg(data))
    })
  )

  it.effect("calculates names anew when their parts are others", () =>
    Effect.gen(function* () {
      const data = yield* folder
      const { contact } = Describe
      const fewer = { ...contact, fields: contact.fields.filter(({ name }) => name !== "FirstName") }
      yield* runJob({ object: "Contact" }, "LastName\nB\n").pipe(inOrg(data, { objects: [fewer] }))
      yield* Effect.gen(function* () {
        yield* runJob({ object: "Contact" }, "FirstName,LastName\nA,C\n")
        assert.deepStrictEqual(yield* select("SELECT Name FROM Contact ORDER BY Name"), ['"A C"', '"B"'])
        yield* runJob(
          { object: "Contact", operation: "update" },
          `Id,FirstName\n${(yield* select("SELECT Id FROM Contact WHERE LastName = 'B'"))[0]},D\n`
        )
        assert.deepStrictEqual(yield* select("SELECT Name FROM Contact ORDER BY Name"), ['"A C"', '"D B"'])
      }).pipe(inOrg(data, { objects: [] }))
    })
  )

  it.effect("refuses fields that no longer fit what is kept, and leaves that as it is", () =>
    Effect.gen(function* () {
      const data = yield* folder
      yield* runJob({}, "Name,Day__c,Group__c\na,2026-01-01,g\nb,,g\n").pipe(inOrg(data))
      const expected: ReadonlyArray<readonly [object: Describe.ObjectDescribe, message: string]> = [
        [
          changed([{ name: "Day__c", type: "datetime" }]),
          "Item__c.Day__c is kept as DATE TEXT, and its type asks for DATETIME TEXT now"
        ],
        [
          changed([{ name: "Note__c" }, { name: "Name", type: "double" }]),
          "Item__c.Name is kept as NOCASE TEXT, and its type asks for REAL now"
        ],
        [
          changed([{ name: "Group__c", length: 5, unique: true }]),
          "a field of Item__c is unique now, but its values are not: UNIQUE constraint failed: Item__c.Group__c"
        ],
        [
          Describe.make({ ...item, keyPrefix: "a5x" }),
          "the ids of Item__c begin with a00, and its keyPrefix is a5x now"
        ]
      ]
      for (const [object, message] of expected) {
        assert.strictEqual(yield* refusal(data, [object]), `${data} cannot hold the org: ${message}`)
      }
      assert.deepStrictEqual(yield* select("SELECT Name FROM Item__c ORDER BY Name").pipe(inOrg(data)), ['"a"', '"b"'])
    })
  )

  it.effect("takes another key prefix for an object without records", () =>
    Effect.gen(function* () {
      const data = yield* folder
      yield* Effect.void.pipe(inOrg(data))
      const { successful } = yield* runJob({}, "Name\na\n").pipe(
        inOrg(data, { objects: [Describe.make({ ...item, keyPrefix: "a5x" })] })
      )
      assert.match(sortedRows(successful)[0] ?? "", /^"a5x\w{15}"/)
    })
  )

  it.effect("is no other's meanwhile, and only its owner's", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const data = join(path, "org")
      yield* Effect.gen(function* () {
        assert.strictEqual(
          yield* refusal(data, []),
          `${data} cannot hold the org: another process, or another org of this one, has it open`
        )
        for (const file of readdirSync(data)) assert.strictEqual(statSync(join(data, file)).mode & 0o077, 0, file)
        assert.strictEqual(statSync(data).mode & 0o077, 0)
      }).pipe(inOrg(data))
      writeFileSync(join(path, "file"), "")
      assert.match(yield* refusal(join(path, "file"), []), /file cannot hold the org: EEXIST/)
      const database = new DatabaseSync(join(data, "org.sqlite"))
      database.exec("PRAGMA user_version = 99")
      database.close()
      assert.match(
        yield* refusal(data, []),
        /cannot hold the org: it was written by another version of this program \(format 99, not \d+\)$/
      )
      writeFileSync(join(path, "org.sqlite"), "no database".repeat(100))
      assert.strictEqual(yield* refusal(path, []), `${path} cannot hold the org: its org.sqlite is no SQLite database`)
    })
  )

  it.live("is refused to a second process, with one line", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const first = yield* start("org", "--data", path)
      yield* ready(first)
      const { code, stderr, stdout } = yield* end("org", "--data", path)
      assert.deepStrictEqual([code, stdout], [1, ""])
      assert.strictEqual(
        stderr,
        `effect-salesforce-bulk: --data ${path} cannot hold the org: another process, or another org of this one, has it open\n`
      )
    })
  )
})

describe("a store in a folder", () => {
  const objects = [Describe.withSystemFields(Describe.account)]

  it.effect("drops what an upload left that broke off, and no more", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const block = { seq: 0, rows: 1, bytes: new Uint8Array([1]) }
      const job = {
        kind: "ingest",
        id: "a",
        object: "Account",
        operation: "insert",
        state: "UploadComplete",
        apiVersion: "68.0",
        columnDelimiter: "COMMA",
        lineEnding: "LF",
        createdById: "005",
        created: 0,
        modified: 0,
        processed: 0,
        failed: 0,
        uploads: 1,
        upload: "upload-1"
      } as const
      yield* Effect.scoped(
        Effect.map(Store.open(objects, path), (store) => {
          store.saveJob(job)
          for (const part of ["upload-1", "upload-2", "successful"]) store.addBlock("a", part, block)
          store.addBlock("gone", "successful", block)
        })
      )
      const store = yield* Store.open(objects, path)
      assert.isTrue(store.hasBlock("a", "upload-1", 0))
      assert.isTrue(store.hasBlock("a", "successful", 0))
      assert.isFalse(store.hasBlock("a", "upload-2", 0))
      assert.isFalse(store.hasBlock("gone", "successful", 0))
      assert.deepStrictEqual(store.unfinishedJobs(), [job])
    })
  )
})
