import type { Result, Stream } from "effect"
import { Context, Effect, Schema } from "effect"
import { describe, expectTypeOf, it } from "vitest"
import type { BulkError, Connection, ErrorCode, Outcome, Summary } from "../src/index.ts"
import { Ingest, LoadOrder, Query, soql } from "../src/index.ts"

class Item extends Schema.Class<Item>("Item")({
  Sku__c: Schema.String,
  Count__c: Schema.NullOr(Schema.Finite),
  Active__c: Schema.Boolean,
  Owner: Schema.Struct({ Email: Schema.String })
}) {}

class Database extends Context.Service<Database, { readonly rows: number }>()("test/Database") {}
declare const items: Stream.Stream<Item, "source failed", Database>
type Failure = BulkError.BulkError
type Needs = Connection.Connection

describe("BulkError", () => {
  it("exports every reason by its name", () => {
    expectTypeOf<Exclude<BulkError.Reason["_tag"], keyof typeof BulkError>>().toEqualTypeOf<never>()
  })
})

describe("Ingest", () => {
  it("keeps the source's errors and needs, and adds its own", () => {
    const outcomes = Ingest.upsert({ object: "Item__c", schema: Item, externalId: "Sku__c", nulls: "clear" })(items)
    expectTypeOf(outcomes).toEqualTypeOf<
      Stream.Stream<Outcome.Outcome<Item>, "source failed" | Failure, Database | Needs>
    >()
  })

  it("gives back the record with a key, and the org's echo without one", () => {
    const keyed = items.pipe(Ingest.insert({ object: "Item__c", schema: Item, key: "Count__c" }))
    expectTypeOf<Stream.Success<typeof keyed>>().toEqualTypeOf<Outcome.Outcome<Item>>()
    const echoed = items.pipe(Ingest.insert({ object: "Item__c", schema: Item }))
    expectTypeOf<Stream.Success<typeof echoed>>().toEqualTypeOf<Outcome.Outcome<Outcome.CsvRow>>()
  })

  it("takes as key only columns that can be one", () => {
    expectTypeOf<Ingest.KeyColumn<typeof Item>>().toEqualTypeOf<"Sku__c" | "Count__c">()
    // @ts-expect-error no such column
    Ingest.upsert({ object: "Item__c", schema: Item, externalId: "Sku", nulls: "clear" })
    // @ts-expect-error a relationship is no key
    Ingest.upsert({ object: "Item__c", schema: Item, externalId: "Owner", nulls: "clear" })
  })

  it("makes an upsert say what a null means", () => {
    // @ts-expect-error nulls are a decision
    Ingest.upsert({ object: "Item__c", schema: Item, externalId: "Sku__c" })
  })

  const Known = Schema.Struct({ Id: Schema.String, Name: Schema.String })
  const known: Stream.Stream<typeof Known.Type> = null as never

  it("updates and deletes only what has an Id, and gives back the whole record", () => {
    const updated = known.pipe(Ingest.update({ object: "Item__c", schema: Known, nulls: "clear" }))
    expectTypeOf<Stream.Success<typeof updated>>().toEqualTypeOf<Outcome.Outcome<typeof Known.Type>>()
    const deleted = known.pipe(Ingest.delete({ object: "Item__c", schema: Known }))
    expectTypeOf<Stream.Success<typeof deleted>>().toEqualTypeOf<Outcome.Outcome<typeof Known.Type>>()
    Ingest.csv({ object: "Item__c", operation: "delete", confirmProduction: "00D5g000004ToyxEAC" })
    // @ts-expect-error only deletes have something to confirm
    Ingest.csv({ object: "Item__c", operation: "update", confirmProduction: "00D5g000004ToyxEAC" })
    // @ts-expect-error nulls are a decision
    Ingest.update({ object: "Item__c", schema: Known })
    // @ts-expect-error the schema has no Id
    Ingest.update({ object: "Item__c", schema: Item, nulls: "clear" })
    // @ts-expect-error the schema has no Id
    Ingest.delete({ object: "Item__c", schema: Item })
    // @ts-expect-error the schema has no Id
    Ingest.hardDelete({ object: "Item__c", schema: Item })
    // @ts-expect-error an Id may not be missing
    Ingest.delete({ object: "Item__c", schema: Schema.Struct({ Id: Schema.optionalKey(Schema.String) }) })
    // @ts-expect-error an Id may not be null
    Ingest.delete({ object: "Item__c", schema: Schema.Struct({ Id: Schema.NullOr(Schema.String) }) })
  })

  it("runs to a summary, with the options of each operation", () => {
    const summary = items.pipe(
      Ingest.run({ operation: "upsert", object: "Item__c", schema: Item, externalId: "Sku__c", nulls: "clear" })
    )
    expectTypeOf(summary).toEqualTypeOf<Effect.Effect<Summary.Summary, "source failed" | Failure, Database | Needs>>()
    // @ts-expect-error an upsert has an external id
    Ingest.run({ operation: "upsert", object: "Item__c", schema: Item, nulls: "clear" })
    // @ts-expect-error the schema has no Id
    Ingest.run({ operation: "delete", object: "Item__c", schema: Item })
    // @ts-expect-error no such operation
    Ingest.run({ operation: "replace", object: "Item__c", schema: Item })
  })

  it("takes CSV as bytes, with what its operation asks for", () => {
    const bytes: Stream.Stream<Uint8Array, "source failed", Database> = null as never
    const outcomes = bytes.pipe(Ingest.csv({ object: "Item__c", operation: "upsert", externalId: "Sku__c" }))
    expectTypeOf(outcomes).toEqualTypeOf<
      Stream.Stream<Outcome.Outcome<Outcome.CsvRow>, "source failed" | Failure, Database | Needs>
    >()
    // @ts-expect-error an upsert has an external id
    Ingest.csv({ object: "Item__c", operation: "upsert" })
    // @ts-expect-error a delete goes by Id
    Ingest.csv({ object: "Item__c", operation: "delete", key: "Sku__c" })
  })

  it("refuses records of another type, and schemas that need services", () => {
    const other: Stream.Stream<{ readonly Name: string }> = null as never
    // @ts-expect-error not what the schema says
    Ingest.insert({ object: "Item__c", schema: Item })(other)
    const Needy: Schema.Codec<{ readonly Sku__c: string }, { readonly Sku__c: string }, Database> = null as never
    // @ts-expect-error it needs a Database to decode
    Ingest.insert({ object: "Item__c", schema: Needy })
  })
})

describe("BulkError", () => {
  const failing: Effect.Effect<number, BulkError.BulkError | "other"> = null as never

  it("is handled by its reasons, each with its own fields", () => {
    const handled = failing.pipe(
      Effect.catchReason("BulkError", "JobFailed", ({ jobId, state }) => Effect.succeed([jobId, state] as const))
    )
    expectTypeOf<Effect.Success<typeof handled>>().toEqualTypeOf<number | readonly [string, "Failed" | "Aborted"]>()
    expectTypeOf<Effect.Error<typeof handled>>().toEqualTypeOf<BulkError.BulkError | "other">()
    const several = failing.pipe(
      Effect.catchReasons("BulkError", {
        SessionExpired: ({ instanceUrl }) => Effect.succeed(instanceUrl),
        DailyLimitReached: ({ max }) => Effect.succeed(max)
      })
    )
    expectTypeOf<Effect.Success<typeof several>>().toEqualTypeOf<number | string>()
    // @ts-expect-error no such reason
    Effect.catchReason(failing, "BulkError", "Explosion", () => Effect.succeed(1))
  })

  it("has codes that are checked", () => {
    const code: ErrorCode.ErrorCode | undefined = null as never as BulkError.BulkError["code"]
    expectTypeOf<"INVALID_JOB_STATE">().toExtend<NonNullable<typeof code>>()
    // @ts-expect-error not how it is spelled here
    expectTypeOf<"INVALIDJOBSTATE">().toExtend<ErrorCode.ErrorCode>()
  })
})

describe("Query", () => {
  it("gives records of its schema", () => {
    const found = Query.records({ schema: Item, from: "Item__c", where: soql`Count__c < ${3}` })
    expectTypeOf(found).toEqualTypeOf<Stream.Stream<Item, Failure, Needs>>()
  })

  it("gives results, rows, bytes and pages", () => {
    const options = { schema: Item, from: "Item__c" } as const
    expectTypeOf(Query.recordsResult(options)).toEqualTypeOf<
      Stream.Stream<Result.Result<Item, BulkError.RecordInvalid>, Failure, Needs>
    >()
    expectTypeOf(Query.rows(soql`SELECT Id FROM Item__c`)).toEqualTypeOf<
      Stream.Stream<Readonly<Record<string, string>>, Failure, Needs>
    >()
    expectTypeOf(Query.csv("SELECT Id FROM Item__c")).toEqualTypeOf<Stream.Stream<Uint8Array, Failure, Needs>>()
    expectTypeOf(Query.pages(options)).toEqualTypeOf<Stream.Stream<Query.Page<Item>, Failure, Needs>>()
    expectTypeOf(Query.resume("750A", undefined, { schema: Item })).toEqualTypeOf<
      Stream.Stream<Query.Page<Item>, Failure, Needs>
    >()
    // @ts-expect-error one CSV has one order
    Query.csv("SELECT Id FROM Item__c", { unordered: true })
    // @ts-expect-error pages are read one after the other
    Query.pages({ ...options, concurrency: 2 })
  })

  it("gives changes as records, and with deletions as what became of them", () => {
    const options = { schema: Item, from: "Item__c" } as const
    expectTypeOf(Query.since(options)).toEqualTypeOf<Effect.Effect<Query.Since<Item>>>()
    expectTypeOf(Query.since({ ...options, deletions: true })).toEqualTypeOf<
      Effect.Effect<Query.Since<Query.Change<Item>>>
    >()
    expectTypeOf<Query.Since<Item>["watermark"]>().toEqualTypeOf<Effect.Effect<Query.Watermark, Failure>>()
  })

  it("refuses schemas that need services", () => {
    const Needy: Schema.Codec<{ readonly Sku__c: string }, { readonly Sku__c: string }, Database> = null as never
    // @ts-expect-error it needs a Database to decode
    Query.records({ schema: Needy, from: "Item__c" })
  })

  it("takes an object or a whole query, and values that SOQL has literals for", () => {
    // @ts-expect-error either from or soql
    Query.records({ schema: Item, from: "Item__c", soql: soql`SELECT Id FROM Item__c` })
    // @ts-expect-error an object is no literal of SOQL
    soql`Id = ${{ Id: 1 }}`
  })
})

describe("LoadOrder", () => {
  it("keeps the errors and needs of all sources, and tells their records apart by the object", () => {
    const Shop = Schema.Struct({ Number__c: Schema.String })
    const shops: Stream.Stream<typeof Shop.Type, "no shops"> = null as never
    const loaded = LoadOrder.load([
      items.pipe(LoadOrder.upsert({ object: "Item__c", schema: Item, externalId: "Sku__c", nulls: "clear" })),
      shops.pipe(LoadOrder.insert({ object: "Shop__c", schema: Shop, key: "Number__c" }))
    ])
    expectTypeOf(loaded).toEqualTypeOf<
      Stream.Stream<
        LoadOrder.Loaded<"Item__c", Item> | LoadOrder.Loaded<"Shop__c", typeof Shop.Type>,
        "source failed" | "no shops" | Failure,
        Database | Needs
      >
    >()
    // @ts-expect-error an insert needs a key: its records are named by their children
    LoadOrder.insert({ object: "Shop__c", schema: Shop })
  })
})
