// Section 3 of the protocol: how rows are processed, as far as a client can see it.
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import * as Faults from "../../src/org/Faults.ts"
import { errors } from "../org/running.ts"
import { json, sortedRows } from "../org/support.ts"
import { api, contract, idsOf, prepared, unique } from "./target.ts"

const rows = (count: number, group: string) =>
  `Name,Group__c\n${Array.from({ length: count }, (_, i) => `n${i},${group}\n`).join("")}`

const upsertBy = (externalIdFieldName: string) => ({ operation: "upsert", externalIdFieldName })

const inGroup = (group: string) => `SELECT Id FROM Contract_Item__c WHERE Group__c = '${group}'`

prepared({ faults: [Faults.onJob(Faults.stall({ after: 400 }))] }, "3 chunks of 200, each a transaction", (it) => {
  it.effect("counters move by chunks while the job is InProgress, and committed chunks are there", () =>
    Effect.gen(function* () {
      const { abort, info, submit } = yield* api
      const org = yield* EmbeddedOrg.EmbeddedOrg
      const id = yield* submit({}, rows(1_000, unique()))
      const seen = new Set<unknown>()
      yield* Effect.repeat(info(id), {
        until: ({ numberRecordsProcessed }) => {
          seen.add(numberRecordsProcessed ?? 0)
          return numberRecordsProcessed === 400
        }
      })
      assert.isTrue([...seen].every((count) => Number(count) % 200 === 0))
      assert.strictEqual((yield* info(id)).state, "InProgress")
      yield* abort(id)
      assert.strictEqual((yield* org.records("Contract_Item__c")).length, 400)
    })
  )
})

prepared(
  { faults: [Faults.onJob(Faults.fail({ after: 200, message: "TooManyLockFailure : x" }))] },
  "3 a batch that is given up",
  (it) => {
    it.effect("Failed, with errorMessage; what is committed stays, the rest is unprocessed", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const org = yield* EmbeddedOrg.EmbeddedOrg
        const { info, successful, unprocessed } = yield* run({}, rows(500, unique()))
        assert.deepInclude(info, {
          state: "Failed",
          errorMessage: "TooManyLockFailure : x",
          numberRecordsProcessed: 200,
          numberRecordsFailed: 0
        })
        assert.deepStrictEqual([sortedRows(successful).length, sortedRows(unprocessed).length], [200, 300])
        assert.strictEqual((yield* org.records("Contract_Item__c")).length, 200)
      })
    )
  }
)

contract("3 processing", (it) => {
  it.effect("some rows failed: JobComplete, with numberRecordsFailed", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const { info } = yield* run({}, "Name,Email__c\na,\nb,nobody\nc,\n")
      assert.deepInclude(info, { state: "JobComplete", numberRecordsProcessed: 3, numberRecordsFailed: 1 })
    })
  )

  it.effect("all rows failed: JobComplete too", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const { info } = yield* run({}, "Email__c\nnobody\n")
      assert.deepInclude(info, { state: "JobComplete", numberRecordsProcessed: 1, numberRecordsFailed: 1 })
    })
  )

  it.effect("query jobs consume no batches, ingest jobs do", () =>
    Effect.gen(function* () {
      const { ask, get, run } = yield* api
      const left = Effect.map(get("/limits"), (answer) => {
        const { DailyBulkApiBatches, DailyBulkV2QueryJobs }: Record<string, { Remaining?: number } | undefined> =
          JSON.parse(answer.text)
        return { batches: DailyBulkApiBatches?.Remaining ?? 0, queries: DailyBulkV2QueryJobs?.Remaining ?? 0 }
      })
      const before = yield* left
      yield* ask("SELECT Id FROM Account LIMIT 1")
      const queried = yield* left
      assert.deepStrictEqual(queried, { batches: before.batches, queries: before.queries - 1 })
      yield* run({}, "Name\na\n")
      assert.deepStrictEqual(yield* left, { batches: queried.batches - 1, queries: queried.queries })
    })
  )

  it.effect("times: createdDate, then systemModstamp, and totalProcessingTime", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const { info } = yield* run({}, "Name\na\n")
      const [created, modified] = [Date.parse(String(info.createdDate)), Date.parse(String(info.systemModstamp))]
      assert.isAtLeast(modified, created)
      assert.isAtLeast(Number(info.totalProcessingTime), 0)
    })
  )
})

contract("3.1 duplicates and keys", (it) => {
  it.effect("the same external id twice in a chunk: DUPLICATE_VALUE", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const key = unique()
      const { failed } = yield* run(upsertBy("Key__c"), `Key__c,Name\n${key},a\n${key.toUpperCase()},b\n`)
      assert.deepStrictEqual(errors(failed), [
        `DUPLICATE_VALUE:Duplicate external id specified: ${key.toUpperCase()}:--`
      ])
    })
  )

  it.effect("the same Id twice in an update: DUPLICATE_VALUE", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const [id] = idsOf((yield* run({}, "Name\na\n")).successful)
      const { failed } = yield* run({ operation: "update" }, `Id,Name\n${id},b\n${id?.slice(0, 15)},c\n`)
      assert.deepStrictEqual(errors(failed), [`DUPLICATE_VALUE:Duplicate id specified: ${id}:--`])
    })
  )

  it.effect("the same external id in two chunks: the later one wins", () =>
    Effect.gen(function* () {
      const { run, select } = yield* api
      const [key, group] = [unique(), unique()]
      const between = Array.from({ length: 199 }, (_, i) => `${group}-${i},x\n`).join("")
      const { info } = yield* run(upsertBy("Key__c"), `Key__c,Name\n${key},first\n${between}${key},second\n`)
      assert.strictEqual(info.numberRecordsFailed, 0)
      assert.deepStrictEqual(yield* select(`SELECT Name FROM Contract_Item__c WHERE Key__c = '${key}'`), ['"second"'])
    })
  )

  it.effect("an external id matches whatever its case", () =>
    Effect.gen(function* () {
      const { run, select } = yield* api
      const [key, group] = [unique(), unique()]
      yield* run(upsertBy("Key__c"), `Key__c,Group__c\n${key},${group}\n`)
      yield* run(upsertBy("Key__c"), `Key__c,Group__c\n${key.toUpperCase()},${group}\n`)
      assert.strictEqual((yield* select(inGroup(group))).length, 1)
    })
  )

  it.effect("unless its field is case-sensitive", () =>
    Effect.gen(function* () {
      const { run, select } = yield* api
      const [key, group] = [unique(), unique()]
      yield* run(upsertBy("Exact__c"), `Exact__c,Group__c\n${key},${group}\n${key.toUpperCase()},${group}\n`)
      assert.strictEqual((yield* select(inGroup(group))).length, 2)
    })
  )

  it.effect("a blank key inserts", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const { failed, successful } = yield* run(upsertBy("Key__c"), "Key__c,Name\n,a\n,b\n")
      assert.deepStrictEqual(errors(failed), [])
      assert.strictEqual(new Set(idsOf(successful)).size, 2)
    })
  )

  it.effect("several matches: a row error", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const group = unique()
      yield* run({}, rows(2, group))
      const { failed } = yield* run(upsertBy("Group__c"), `Group__c,Name\n${group},a\n`)
      assert.match(errors(failed)[0] ?? "", /^DUPLICATE_EXTERNAL_ID:/)
    })
  )

  it.effect("the recycle bin does not match", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const key = unique()
      const [first] = idsOf((yield* run({}, `Key__c\n${key}\n`)).successful)
      yield* run({ operation: "delete" }, `Id\n${first}\n`)
      const { successful } = yield* run(upsertBy("Key__c"), `Key__c\n${key}\n`)
      assert.include(successful.text, '"true"')
      assert.notStrictEqual(idsOf(successful)[0], first)
    })
  )

  for (const field of ["CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"]) {
    it.effect(`audit fields need a permission: ${field}`, () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const value = field.endsWith("Id") ? "005Qx0000000001" : "2001-01-01T00:00:00Z"
        const { failed } = yield* run({}, `Name,${field}\na,${value}\n`)
        assert.match(errors(failed)[0] ?? "", new RegExp(`^INVALID_FIELD_FOR_INSERT_UPDATE:.*${field}`))
      })
    )
  }
})

prepared({ contention: true }, "3.1 locks", (it) => {
  it.effect("batches whose rows share a parent contend: UNABLE_TO_LOCK_ROW, and retries", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const [parent] = idsOf((yield* run({}, "Name\nparent\n")).successful)
      const { failed, info } = yield* run({}, `Parent__c\n${`${parent}\n`.repeat(20_000)}`)
      assert.isAbove(Number(info.retries), 0)
      assert.isAbove(Number(info.numberRecordsFailed), 0)
      const [text, ...others] = new Set(errors(failed))
      assert.deepStrictEqual(others, [])
      assert.match(
        text ?? "",
        new RegExp(
          `^UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or \\d+ records: ${parent}:--$`
        )
      )
    })
  )
})

prepared({ faults: [Faults.onJob(Faults.lagCounters({ rows: 3 }))] }, "3.1 counters", (it) => {
  it.effect("may lag: the result files are the better witness", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const { info, successful } = yield* run({}, rows(10, unique()))
      assert.strictEqual(info.numberRecordsProcessed, 7)
      assert.strictEqual(sortedRows(successful).length, 10)
    })
  )
})

const half = "Name,Count__c\na,1\nb,-1\nc,2\n"

prepared(
  {
    onRow: {
      Contract_Item__c: ({ values }) =>
        Number(values.Count__c) < 0 ? { message: "Count must not be negative", fields: ["Count__c"] } : undefined
    }
  },
  "3.1 rules",
  (it) => {
    it.effect("validation rules cannot be bypassed, and refuse their rows alone", () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const { failed, info } = yield* run({}, half)
        assert.deepInclude(info, { numberRecordsProcessed: 3, numberRecordsFailed: 1 })
        assert.deepStrictEqual(errors(failed), [
          "FIELD_CUSTOM_VALIDATION_EXCEPTION:Count must not be negative:Count__c --"
        ])
      })
    )
  }
)

prepared({}, "3.1 storage", (it) => {
  it.effect("2 KB a record, 8 KB a Campaign", () =>
    Effect.gen(function* () {
      const { get, run } = yield* api
      const used = Effect.map(get("/limits"), (answer) => {
        const { DataStorageMB } = json(answer)
        assert(typeof DataStorageMB === "object" && DataStorageMB !== null && "Max" in DataStorageMB)
        assert("Remaining" in DataStorageMB)
        return Number(DataStorageMB.Max) - Number(DataStorageMB.Remaining)
      })
      assert.strictEqual(yield* used, 1)
      yield* run({ object: "Campaign" }, `Name\n${"a\n".repeat(500)}`)
      assert.strictEqual(yield* used, 5)
    })
  )
})
