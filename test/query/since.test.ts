import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema, Stream } from "effect"
import * as Ingest from "../../src/ingest/Ingest.ts"
import { EmbeddedOrg } from "../../src/org/index.ts"
import * as Query from "../../src/query/Query.ts"
import { inProcess, virtually } from "../support/orgs.ts"
import { pageHead, queryServer } from "../support/queryServer.ts"
import { Widget, widget, widgets } from "../support/widgets.ts"

const key = Schema.Struct({ Key__c: Schema.String, Name: Schema.String })

const upsert = (records: ReadonlyArray<Widget>) =>
  Stream.fromIterable(records).pipe(
    Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear" }),
    Stream.runDrain
  )

const remove = (keys: ReadonlyArray<string>) =>
  Query.records({ schema: Schema.Struct({ Id: Schema.String, Key__c: Schema.String }), from: "Widget__c" }).pipe(
    Stream.filter(({ Key__c }) => keys.includes(Key__c)),
    Ingest.delete({ object: "Widget__c", schema: Schema.Struct({ Id: Schema.String }) }),
    Stream.runDrain
  )

const options = { schema: key, from: "Widget__c", maxRecords: 3 } as const

/** The keys of what changed, in order of the alphabet, and the new watermark. */
const run = (watermark?: Query.Watermark, more: Partial<Query.SinceOptions<typeof key>> = {}) =>
  Effect.gen(function* () {
    const since = yield* Query.since({ ...options, ...more, watermark })
    const changes = yield* Stream.runCollect(since.changes)
    return { keys: changes.map(({ Key__c }) => Key__c).sort(), watermark: yield* since.watermark }
  })

const org = Effect.provide(inProcess())

describe("Query.since", () => {
  it.effect("gives all records first, and then what changed, once", () =>
    Effect.gen(function* () {
      yield* upsert(widgets(5))
      const first = yield* run()
      assert.deepStrictEqual(first.keys, ["K-1", "K-2", "K-3", "K-4", "K-5"])
      const second = yield* run(first.watermark)
      assert.deepStrictEqual(second.keys, [])
      yield* upsert([widget(2, { Name: "changed" }), widget(6)])
      const third = yield* run(second.watermark)
      assert.deepStrictEqual(third.keys, ["K-2", "K-6"])
      assert.deepStrictEqual((yield* run(third.watermark)).keys, [])
      // of what is long past nothing need be remembered
      yield* Effect.sleep("1 hour")
      const later = yield* run(third.watermark)
      assert.deepStrictEqual(later.keys, [])
      assert.deepStrictEqual(later.watermark.seen, [])
      yield* upsert([widget(3)])
      assert.deepStrictEqual((yield* run(later.watermark)).keys, ["K-3"])
    }).pipe(virtually, org)
  )

  it.effect("gives what was committed late, and without an overlap does not", () =>
    Effect.gen(function* () {
      yield* upsert(widgets(3))
      const { watermark } = yield* run()
      // as if one of them had not been visible yet
      const late = { ...watermark, seen: watermark.seen.slice(1) }
      assert.strictEqual((yield* run(late)).keys.length, 1)
      assert.strictEqual((yield* run(late, { overlap: 0 })).keys.length, 0)
    }).pipe(virtually, org)
  )

  it.effect("leaves what changes while it runs to the next run", () =>
    Effect.gen(function* () {
      yield* upsert(widgets(3))
      const running = yield* Effect.forkChild(run())
      yield* Effect.sleep("10 seconds")
      // committed before the job looks, and after it was created
      const embedded = yield* EmbeddedOrg.EmbeddedOrg
      yield* embedded.seed({ Widget__c: [{ Key__c: "K-4", Name: "new" }] })
      const first = yield* Fiber.join(running)
      assert.deepStrictEqual(first.keys, ["K-1", "K-2", "K-3"])
      const second = yield* run(first.watermark)
      assert.deepStrictEqual(second.keys, ["K-4"])
    }).pipe(virtually, Effect.provide(inProcess({ queueDelay: "1 minute" })))
  )

  it.effect("has no new watermark before the changes are read to their end", () =>
    Effect.gen(function* () {
      yield* upsert(widgets(5))
      const { changes, watermark } = yield* Query.since(options)
      assert.strictEqual((yield* Effect.flip(watermark)).reason._tag, "NotDrained")
      yield* Stream.runDrain(Stream.take(changes, 2))
      assert.strictEqual((yield* Effect.flip(watermark)).reason._tag, "NotDrained")
      yield* Stream.runDrain(changes)
      yield* watermark
    }).pipe(virtually, org)
  )

  it.effect("gives deletions if asked to, but not those before the first run", () =>
    Effect.gen(function* () {
      yield* upsert(widgets(4))
      yield* remove(["K-4"])
      const deletions = (watermark?: Query.Watermark) =>
        Effect.gen(function* () {
          const since = yield* Query.since({ ...options, watermark, deletions: true })
          const changes = yield* Stream.runCollect(since.changes)
          return { changes, watermark: yield* since.watermark }
        })
      const first = yield* deletions()
      assert.strictEqual(first.changes.length, 3)
      yield* remove(["K-1"])
      yield* upsert([widget(2, { Name: "changed" })])
      const second = yield* deletions(first.watermark)
      assert.deepStrictEqual(second.changes.map(({ _tag }) => _tag).sort(), ["Changed", "Deleted"])
      const idOf = first.changes.find((change) => change._tag === "Changed" && change.record.Key__c === "K-1")?.id
      assert.strictEqual(second.changes.find(({ _tag }) => _tag === "Deleted")?.id, idOf)
      assert.deepStrictEqual((yield* deletions(second.watermark)).changes, [])
    }).pipe(virtually, org)
  )

  it.effect("keeps a further condition whole, and a watermark as JSON", () =>
    Effect.gen(function* () {
      yield* upsert(widgets(4))
      const where = "Key__c = 'K-1' OR Key__c = 'K-2'"
      const first = yield* run(undefined, { where })
      assert.deepStrictEqual(first.keys, ["K-1", "K-2"])
      const Json = Schema.fromJsonString(Query.Watermark)
      const kept = yield* Schema.decodeUnknownEffect(Json)(yield* Schema.encodeEffect(Json)(first.watermark))
      assert.deepStrictEqual((yield* run(kept, { where })).keys, [])
      yield* upsert([widget(1), widget(3)])
      assert.deepStrictEqual((yield* run(kept, { where })).keys, ["K-1"])
    }).pipe(virtually, org)
  )
})

describe("an answer to Query.since", () => {
  const id = "001000000000001AAA"
  const header = "Key__c,Name,Id,SystemModstamp"
  const modstamp = "2026-11-23T20:00:00.000Z"

  /** How it fails where its one page holds these lines. */
  const failure = (lines: ReadonlyArray<string>, job: Readonly<Record<string, unknown>> = {}) =>
    Effect.gen(function* () {
      const server = yield* queryServer({
        job,
        onPage: (response) =>
          response.writeHead(200, pageHead(lines.length - 1, null)).end(lines.map((line) => `${line}\n`).join(""))
      })
      const since = yield* Query.since({ schema: key, from: "Widget__c" })
      const error = yield* Effect.flip(Stream.runDrain(since.changes)).pipe(Effect.provide(server.connection))
      assert.strictEqual((yield* Effect.flip(since.watermark)).reason._tag, "NotDrained")
      return error.reason
    }).pipe(Effect.scoped)

  it.live("without what tells of changes is an error, and reaches no watermark", () =>
    Effect.gen(function* () {
      const good = `K-1,one,${id},${modstamp}`
      const invalid = (row: number, column: string, value: string | undefined) =>
        ({ _tag: "RecordInvalid", page: 1, row, column, value }) as const
      const noId = yield* failure([header, good, `K-2,two,,${modstamp}`])
      assert.deepInclude(noId, invalid(2, "Id", ""))
      const noTime = yield* failure([header, good, `K-2,two,${id},soon`])
      assert.deepInclude(noTime, invalid(2, "SystemModstamp", "soon"))
      const noModstamps = yield* failure(["Key__c,Name,Id", `K-1,one,${id}`])
      assert.deepInclude(noModstamps, invalid(1, "SystemModstamp", undefined))
      const noIds = yield* failure(["Key__c,Name,SystemModstamp", `K-1,one,${modstamp}`])
      assert.deepInclude(noIds, invalid(1, "Id", ""))
      assert.match(
        (yield* failure([header.replace("Name", "Title"), good])).message,
        /column Name of the schema is not among the columns \(Key__c, Title, Id, SystemModstamp\)/
      )
      assert.match((yield* failure([header, "K-1"])).message, /a row has 1 cell under 4 columns/)
      assert.match((yield* failure([header, good], { createdDate: undefined })).message, /it has no createdDate/)
    })
  )

  it.live("whose record does not fit the schema says which one", () =>
    Effect.gen(function* () {
      const server = yield* queryServer({
        onPage: (response) =>
          response
            .writeHead(200, pageHead(2, null))
            .end(`Count__c,Id,SystemModstamp\n1,${id},${modstamp}\nmany,${id},${modstamp}\n`)
      })
      const Counted = Schema.Struct({ Count__c: Schema.Finite })
      const since = yield* Query.since({ schema: Counted, from: "Widget__c" })
      const error = yield* Effect.flip(Stream.runDrain(since.changes)).pipe(Effect.provide(server.connection))
      assert.deepInclude(error.reason, { _tag: "RecordInvalid", row: 2, column: "Count__c", value: "many" })
    }).pipe(Effect.scoped)
  )
})
