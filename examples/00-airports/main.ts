/**
 * Loads the airports of the United States into an org, shows the rows it refuses
 * and why, and queries some of them back.
 *
 *     npm start
 *
 * The data is `airports.csv` of the npm package `vega-datasets`, as it was
 * published: 3,376 rows, some with commas and quotes in them, some without a state
 * or with one that the post office does not know. The org runs in a process of its
 * own and is spoken to over HTTP.
 */

import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Duration, Effect, FileSystem, Layer, Schema, Stream } from "effect"
import { Csv } from "effect/encoding"
import { Ingest, type Outcome, ProgressView, Query, soql } from "../../src/index.ts"
import { layerConnection } from "../shared/connection.ts"
import { runMain } from "../shared/main.ts"

/** A line of the published file. */
const Line = Schema.Struct({
  iata: Schema.String,
  name: Schema.String,
  city: Schema.String,
  state: Schema.String,
  country: Schema.String,
  latitude: Schema.Finite,
  longitude: Schema.Finite
})

/** A record of the org. */
class Airport extends Schema.Class<Airport>("Airport")({
  Iata__c: Schema.String,
  Name: Schema.String,
  City__c: Schema.NullOr(Schema.String),
  State__c: Schema.NullOr(Schema.String),
  Country__c: Schema.String,
  Latitude__c: Schema.Finite,
  Longitude__c: Schema.Finite
}) {}

const file = fileURLToPath(new URL("../data/airports.csv", import.meta.resolve("vega-datasets")))

const airports = Stream.unwrap(Effect.map(FileSystem.FileSystem, (fs) => fs.stream(file))).pipe(
  Stream.pipeThroughChannel(Csv.decodeSchema(Line)({ headers: true })),
  Stream.map(
    ({ city, country, iata, latitude, longitude, name, state }) =>
      new Airport({
        Iata__c: iata,
        Name: name,
        City__c: city,
        State__c: state,
        Country__c: country,
        Latitude__c: latitude,
        Longitude__c: longitude
      })
  )
)

const load = Effect.gen(function* () {
  const view = yield* ProgressView.make({ label: "airports" })
  const counts = { created: 0, updated: 0 }
  const rest: Array<Outcome.Failed<Airport> | Outcome.Unprocessed<Airport>> = []
  const [elapsed] = yield* airports.pipe(
    Ingest.upsert({
      object: "Airport__c",
      schema: Airport,
      externalId: "Iata__c",
      nulls: "clear",
      progress: view.show
    }),
    Stream.runForEachArray((outcomes) =>
      Effect.sync(() => {
        for (const outcome of outcomes) {
          if (outcome._tag === "Succeeded") counts[outcome.created ? "created" : "updated"]++
          else rest.push(outcome)
        }
      })
    ),
    Effect.timed
  )
  yield* view.above(
    Console.log(
      `${counts.created} created, ${counts.updated} updated, ${rest.length} refused ` +
        `in ${(Duration.toMillis(elapsed) / 1000).toFixed(1)} s`
    )
  )
  return rest
}).pipe(Effect.scoped)

const showRefused = (rest: ReadonlyArray<Outcome.Failed<Airport> | Outcome.Unprocessed<Airport>>) =>
  Effect.forEach(rest, (outcome) => {
    const { Iata__c, Name } = outcome.record
    const reason = outcome._tag === "Failed" ? `${outcome.error.code}: ${outcome.error.message}` : outcome.reason
    return Console.log(`  ${Iata__c.padEnd(4)}  ${Name.padEnd(28)}  ${reason}`)
  })

/** The airports of a state that lie north of a latitude, decoded to records. */
const northernmost = (state: string, latitude: number) =>
  Query.records({
    schema: Airport,
    from: "Airport__c",
    where: soql`State__c = ${state} AND Latitude__c > ${latitude}`
  })

const program = Effect.gen(function* () {
  yield* Console.log(`Loading ${file.slice(file.indexOf("vega-datasets"))} into Airport__c, by Iata__c`)
  const refused = yield* load
  yield* Console.log("\nRefused, with the org's reasons:")
  yield* showRefused(refused)
  yield* Console.log("\nQueried back: airports in Washington north of 48.5 degrees")
  yield* northernmost("WA", 48.5).pipe(
    Stream.runForEach(({ City__c, Iata__c, Latitude__c, Name }) =>
      Console.log(`  ${Iata__c.padEnd(4)}  ${Name.padEnd(28)}  ${Latitude__c.toFixed(2)}  ${City__c}`)
    )
  )
})

const ConnectionLive = layerConnection({ objects: new URL("Airport__c.json", import.meta.url) })

program.pipe(Effect.provide(ConnectionLive.pipe(Layer.provideMerge(NodeServices.layer))), runMain)
