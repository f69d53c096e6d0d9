import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Result, Schema, Stream } from "effect"
import * as Checked from "../../src/ingest/Checked.ts"
import * as Failures from "../../src/ingest/Failures.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import { Describe, EmbeddedOrg, Faults } from "../../src/org/index.ts"
import * as Names from "../../src/query/Names.ts"
import * as Query from "../../src/query/Query.ts"
import { inProcess, Requests, virtually } from "../support/orgs.ts"
import { Widget, widget, widgetDescribe, widgets } from "../support/widgets.ts"

const upsert = Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear" })

const queries = Effect.map(Requests, (requests) => requests.filter((each) => each === "POST /jobs/query").length)

/** What became of a record, as text. */
const shown = (result: Result.Result<Query.Resolved<string>, Query.Unresolved<string>>): string =>
  Result.match(result, {
    onSuccess: ({ record }) => `${record} found`,
    onFailure: ({ code, record }) => `${record} ${code}`
  })

class SourceBroke extends Data.TaggedError("SourceBroke") {}

describe("Query.resolveIds", () => {
  it.effect("finds ids by keys in few queries, in order, and tells what has none or several", () =>
    Effect.gen(function* () {
      yield* Stream.fromIterable([...widgets(4_500), widget(4_501, { Name: "WIDGET 1" })]).pipe(upsert, Stream.runDrain)
      const before = yield* queries
      const keys = widgets(4_500).map(({ Key__c }, i) =>
        i === 3_000 ? "gone" : i === 4_000 ? " " : ` ${Key__c.toLowerCase()} `
      )
      const byKey = Query.resolveIds({ object: "Widget__c", key: "Key__c", keyOf: (key: string) => key })
      const results = yield* Stream.fromIterable(keys).pipe(byKey, Stream.runCollect)
      assert.strictEqual((yield* queries) - before, 3)
      assert.deepStrictEqual(
        results.map(shown),
        keys.map((key) => `${key} ${key === "gone" ? "KEY_NOT_FOUND" : key === " " ? "KEY_BLANK" : "found"}`)
      )

      const byName = Query.resolveIds({ object: "Widget__c", key: "Name", keyOf: (name: string) => name })
      const [one, two] = yield* Stream.make("Widget 1", 'Widget "3", large').pipe(byName, Stream.runCollect)
      assert.deepStrictEqual(one && shown(one), "Widget 1 KEY_AMBIGUOUS")
      assert.strictEqual(one && Result.isFailure(one) ? one.failure.ids.length : 0, 2)
      assert.deepStrictEqual(two && shown(two), 'Widget "3", large found')

      // of very many that have it some are named
      const many = widgets(15).map((w) => new Widget({ ...w, Name: "same" }))
      yield* Stream.fromIterable(many).pipe(upsert, Stream.runDrain)
      const [same] = yield* Stream.make("same").pipe(byName, Stream.runCollect)
      assert.strictEqual(same && Result.isFailure(same) ? same.failure.ids.length : 0, 10)

      // numbers are compared as numbers
      const byCount = Query.resolveIds({ object: "Widget__c", key: "Count__c", keyOf: (count: string) => count })
      yield* Stream.make(widget(4_502, { Count__c: 0 })).pipe(upsert, Stream.runDrain)
      const counts = yield* Stream.make("0.250", "1e3", "many", "0", " ").pipe(byCount, Stream.runCollect)
      assert.deepStrictEqual(counts.map(shown), [
        "0.250 found",
        "1e3 KEY_NOT_FOUND",
        "many KEY_NOT_FOUND",
        "0 found",
        "  KEY_BLANK"
      ])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("cuts queries that would be too long", () =>
    Effect.gen(function* () {
      const long = widgets(1_500).map((w) => new Widget({ ...w, Name: `${w.Key__c} '`.padEnd(80, "\\") }))
      yield* Stream.fromIterable(long).pipe(upsert, Stream.runDrain)
      const byName = Query.resolveIds({ object: "Widget__c", key: "Name", keyOf: ({ Name }: Widget) => Name })
      const results = yield* Stream.fromIterable(long).pipe(byName, Stream.runCollect)
      assert.strictEqual(results.filter(Result.isSuccess).length, 1_500)
      assert.strictEqual(yield* queries, 3)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("feeds updates, and what is not found is a failed outcome", () =>
    Effect.gen(function* () {
      yield* Stream.fromIterable(widgets(10)).pipe(upsert, Stream.runDrain)
      const Named = Schema.Struct({ Id: Schema.String, Name: Schema.String })
      const failures = yield* Stream.fromIterable(widgets(12)).pipe(
        Query.resolveIds({ object: "Widget__c", key: "Key__c", keyOf: ({ Key__c }: Widget) => Key__c }),
        Stream.map(Result.map(({ id, record }) => ({ Id: id, Name: `new ${record.Name}` }))),
        Checked.load(Ingest.update({ object: "Widget__c", schema: Named, nulls: "ignore" })),
        Failures.group()
      )
      assert.deepStrictEqual([failures.succeeded, failures.failed], [10, 2])
      const [group] = failures.groups
      assert.deepStrictEqual([group?.code, group?.fields], ["KEY_NOT_FOUND", ["Key__c"]])
      assert.deepStrictEqual(
        group?.samples.map(({ origin, record }) => [origin, "Key__c" in record ? record.Key__c : ""]),
        [
          ["client", "K-11"],
          ["client", "K-12"]
        ]
      )
      const stored = yield* Query.records({ schema: Named, from: "Widget__c" }).pipe(Stream.runCollect)
      assert.isTrue(stored.every(({ Name }) => Name.startsWith("new ")))
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("tells cases apart where the field does, and takes what is null for no key", () =>
    Effect.gen(function* () {
      const { seed } = yield* EmbeddedOrg.EmbeddedOrg
      yield* seed({ Exact__c: [{ Code__c: "a" }, { Code__c: "A" }] })
      const byCode = Query.resolveIds({ object: "Exact__c", key: "Code__c", keyOf: (key: string | null) => key })
      const results = yield* Stream.make("a", "A", "b", null).pipe(byCode, Stream.runCollect)
      assert.deepStrictEqual(
        results.map((result) => (Result.isSuccess(result) ? "found" : result.failure.code)),
        ["found", "found", "KEY_NOT_FOUND", "KEY_BLANK"]
      )
      const ids = results.map((result) => (Result.isSuccess(result) ? result.success.id : ""))
      assert.notStrictEqual(ids[0], ids[1])
    }).pipe(
      virtually,
      Effect.provide(
        inProcess({
          objects: [
            Describe.make({
              name: "Exact__c",
              fields: [{ name: "Code__c", length: 10, externalId: true, unique: true, caseSensitive: true }]
            })
          ]
        })
      )
    )
  )

  it.effect("says that there is no such field, and passes on how the source fails", () =>
    Effect.gen(function* () {
      const by = (key: string) => Query.resolveIds({ object: "Widget__c", key, keyOf: (each: string) => each })
      const wrong = yield* Stream.make("a").pipe(by("key__c"), Stream.runDrain, Effect.flip)
      assert.strictEqual(wrong.message, "resolveIds: Widget__c has no field key__c, or not for this user: it is Key__c")
      const none = yield* Stream.make("a").pipe(by("Nothing__c"), Stream.runDrain, Effect.flip)
      assert.strictEqual(none.message, "resolveIds: Widget__c has no field Nothing__c, or not for this user")
      const broken = yield* Stream.fail(new SourceBroke()).pipe(by("Key__c"), Stream.runDrain, Effect.flip)
      assert.deepStrictEqual(broken, new SourceBroke())
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("Checked.load", () => {
  const check = Checked.map((w: Widget) =>
    w.Count__c === null
      ? Result.fail({ code: "NO_COUNT", message: "no count", fields: ["Count__c"] })
      : Result.succeed(w)
  )

  it.effect("holds back what fails its check, however much that is", () =>
    Effect.gen(function* () {
      const none = widgets(5_000).map((w) => new Widget({ ...w, Count__c: null }))
      const all = yield* Stream.fromIterable(none).pipe(check, Checked.load(upsert), Stream.runCollect)
      assert.strictEqual(all.length, 5_000)
      assert.isTrue(all.every((outcome) => outcome._tag === "Failed" && outcome.error.code === "NO_COUNT"))
      assert.notInclude(yield* Requests, "POST /jobs/ingest")
      const some = yield* Stream.fromIterable(widgets(50)).pipe(check, Checked.load(upsert), Failures.group())
      assert.deepStrictEqual([some.succeeded, some.failed], [40, 10])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("gives all that was refused before the load's own failure", () =>
    Effect.gen(function* () {
      const source = Stream.concat(Stream.fromIterable(widgets(50)), Stream.fail(new SourceBroke()))
      const seen: Array<string> = []
      const error = yield* source.pipe(
        check,
        Checked.load(upsert),
        Stream.runForEach((outcome) => Effect.sync(() => seen.push(outcome._tag))),
        Effect.flip
      )
      assert.deepStrictEqual(error, new SourceBroke())
      assert.strictEqual(seen.filter((tag) => tag === "Failed").length, 10)
      const invalid = Ingest.upsert({
        object: "Widget__c",
        schema: Schema.Struct({ Key__c: Schema.String, List: Schema.Array(Schema.String) }),
        externalId: "Key__c",
        nulls: "clear"
      })
      const refused = yield* Stream.make(Result.succeed({ Key__c: "a", List: [] })).pipe(
        Checked.load(invalid),
        Stream.runDrain,
        Effect.flip
      )
      assert.strictEqual(refused.reason._tag, "InvalidOptions")
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("Names", () => {
  const group = Describe.make({
    name: "Group",
    fields: [{ name: "Name" }, { name: "DeveloperName" }, { name: "Type", type: "picklist" }]
  })
  const priceBook = Describe.make({
    name: "Pricebook2",
    fields: [{ name: "Name" }, { name: "IsActive", type: "boolean" }]
  })

  it.effect("are read once, and unknown or ambiguous ones are told apart", () =>
    Effect.gen(function* () {
      const Group = Schema.Struct({ Name: Schema.String, DeveloperName: Schema.String, Type: Schema.String })
      yield* Stream.make(
        { Name: "Support", DeveloperName: "Support_Queue", Type: "Queue" },
        { Name: "All", DeveloperName: "All_Users", Type: "Regular" }
      ).pipe(Ingest.insert({ object: "Group", schema: Group }), Stream.runDrain)
      const Book = Schema.Struct({ Name: Schema.String, IsActive: Schema.Boolean })
      yield* Stream.make(
        { Name: "Standard", IsActive: true },
        { Name: "Twice", IsActive: true },
        { Name: "twice", IsActive: true },
        { Name: "Old", IsActive: false }
      ).pipe(Ingest.insert({ object: "Pricebook2", schema: Book }), Stream.runDrain)

      const queues = yield* Names.queues
      assert.strictEqual(queues.size, 1)
      assert.match(Result.getOrThrow(queues.id(" support_queue ")), /^\w{18}$/)
      const unknown = queues.id("All_Users")
      assert.deepStrictEqual(unknown, Result.fail({ code: "NAME_NOT_FOUND", message: "no queue is called All_Users" }))

      const books = yield* Names.priceBooks
      assert.isTrue(Result.isSuccess(books.id("Standard")))
      assert.isTrue(Result.isFailure(books.id("Old")))
      const twice = books.id("Twice")
      assert.strictEqual(Result.isFailure(twice) ? twice.failure.code : "", "NAME_AMBIGUOUS")

      const owners = Names.either([yield* Names.users(), queues])
      assert.isTrue(Result.isSuccess(owners.id("Support_Queue")))
      assert.isTrue(Result.isFailure(owners.id("nobody@example.com")))
      assert.deepStrictEqual(
        Names.either([]).id("x"),
        Result.fail({ code: "NAME_NOT_FOUND", message: "nothing is called x" })
      )
      const types = yield* Names.recordTypes("Account")
      assert.strictEqual(Result.getOrThrow(types.id("master")), "012000000000000AAA")
      const widgetNames = yield* Names.of({ object: "Widget__c", name: "Key__c" })
      assert.strictEqual(widgetNames.size, 0)
    }).pipe(virtually, Effect.provide(inProcess({ objects: [widgetDescribe, group, priceBook] })))
  )

  it.effect("fail when they cannot be read", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Names.queues)
      assert.strictEqual(error.reason._tag, "ApiError")
    }).pipe(virtually, Effect.provide(inProcess({ faults: [Faults.on("createQueryJob", Faults.respond(503))] })))
  )
})
