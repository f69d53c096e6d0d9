/**
 * A migration of 6,000 stores, 1,200 of which the org would refuse: planned, found,
 * fixed and loaded.
 *
 *     node examples/30-migration/main.ts
 *
 * The old system wrote other words for a status, and names that are too long: the plan
 * finds both before anything is sent. That some regions do not exist shows only in the
 * load. The failures are grouped by cause, corrected, and loaded again.
 */

import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Layer, Schema, Sink, Stream } from "effect"
import { Failures, Ingest, type Outcome, Plan } from "../../src/index.ts"
import { layerConnection } from "../shared/connection.ts"

class Region extends Schema.Class<Region>("Region")({
  Code__c: Schema.String,
  Name: Schema.String
}) {}

class Store extends Schema.Class<Store>("Store")({
  Number__c: Schema.String,
  Name: Schema.String,
  Status__c: Schema.String,
  Region__r: Schema.Struct({ Code__c: Schema.String })
}) {}

const regions = ["N", "S", "E", "W", "NONE"].map((code) => new Region({ Code__c: code, Name: `Region ${code}` }))

/** What the old system gives: of twenty stores four have something wrong with them. */
const stores = Stream.range(1, 6_000).pipe(
  Stream.map((n) => {
    const oddity = n % 60
    return new Store({
      Number__c: `S-${n}`,
      Name: oddity >= 5 && oddity < 9 ? `Store ${n}, `.padEnd(90, "formerly known otherwise ") : `Store ${n}`,
      Status__c: oddity < 5 ? "In operation" : n % 7 === 0 ? "Closed" : "Open",
      Region__r: { Code__c: oddity >= 9 && oddity < 12 ? "OVERSEAS" : (["N", "S", "E", "W"][n % 4] ?? "N") }
    })
  })
)

const load = {
  operation: "upsert",
  object: "Store__c",
  schema: Store,
  externalId: "Number__c",
  nulls: "ignore"
} as const

/** What becomes of a failure: a corrected store, or nothing where nobody knows better. */
const fix = ({ error, record }: Outcome.Failed<Store>) =>
  Effect.succeed(
    error.code === "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
      ? new Store({ ...record, Status__c: "Open" })
      : error.code === "STRING_TOO_LONG"
        ? new Store({ ...record, Name: record.Name.slice(0, 80) })
        : error.code === "INVALID_FIELD"
          ? new Store({ ...record, Region__r: { Code__c: "NONE" } })
          : undefined
  )

const program = Effect.gen(function* () {
  yield* Stream.fromIterable(regions).pipe(
    Ingest.run({ operation: "upsert", object: "Region__c", schema: Region, externalId: "Code__c", nulls: "ignore" })
  )

  yield* Console.log("Planned:\n")
  yield* Console.log(Plan.render(yield* stores.pipe(Plan.make(load))))

  let found: Failures.Failures<Store> | undefined
  const left = yield* stores.pipe(
    Ingest.upsert(load),
    // as they were found, before they are corrected
    Stream.tapSink(
      Sink.map(Failures.sink<Store>(), (failures) => {
        found = failures
      })
    ),
    Ingest.remediate({ schema: Store, fix, load: Ingest.upsert(load) }),
    Failures.group()
  )
  if (found !== undefined) yield* Console.log(`\nFound:\n\n${Failures.render(found, ({ Number__c }) => Number__c)}`)
  yield* Console.log(`\nFixed and loaded:\n\n${Failures.render(left)}`)
})

const ConnectionLive = layerConnection({ objects: new URL("objects/", import.meta.url) })

program.pipe(Effect.provide(ConnectionLive.pipe(Layer.provideMerge(NodeServices.layer))), NodeRuntime.runMain)
