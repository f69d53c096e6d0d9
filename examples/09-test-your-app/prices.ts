import { Context, Effect, Schema, Stream } from "effect"
import { Ingest, type Outcome } from "../../src/index.ts"

/** A price as Salesforce has it. */
export class Price extends Schema.Class<Price>("Price")({
  Sku__c: Schema.String,
  Amount__c: Schema.Finite
}) {}

/** The shop's own list of price changes that Salesforce has not got. */
export class PriceChanges extends Context.Service<
  PriceChanges,
  {
    readonly waiting: Stream.Stream<Price>
    /** Takes changes off the list. */
    readonly done: (skus: ReadonlyArray<string>) => Effect.Effect<void>
    /** Takes a change off the list that Salesforce will not have, for somebody to look at. */
    readonly refused: (sku: string, reason: string) => Effect.Effect<void>
  }
>()("shop/PriceChanges") {}

const upsert = Ingest.upsert({
  object: "Price__c",
  schema: Price,
  externalId: "Sku__c",
  nulls: "clear",
  // what a failed job did not come to stays on the list, for the next run
  onJobFailed: "continue"
})

const settle = Effect.fnUntraced(function* (outcomes: ReadonlyArray<Outcome.Outcome<Price>>) {
  const changes = yield* PriceChanges
  yield* changes.done(outcomes.flatMap((outcome) => (outcome._tag === "Succeeded" ? (outcome.row.Sku__c ?? []) : [])))
  for (const outcome of outcomes) {
    if (outcome._tag === "Failed") yield* changes.refused(outcome.record.Sku__c, outcome.error.message)
  }
})

/** Brings the prices in Salesforce up to date. To be run every hour, say: it may fail, and be run again. */
export const syncPrices = PriceChanges.use(({ waiting }) => waiting.pipe(upsert, Stream.runForEachArray(settle)))
