import { PgClient } from "@effect/sql-pg"
import { Array, Cause, Clock, Console, DateTime, type Duration, Effect, Exit, Schema, Stream } from "effect"
import { Guard, Ingest, type Outcome, type Progress, ProgressView } from "../../src/index.ts"
import { Times } from "./times.ts"

/** A record of the org, and a row of the query below. */
const Item = Schema.Struct({
  Sku__c: Schema.String,
  Name: Schema.String,
  Description__c: Schema.NullOr(Schema.String),
  Unit__c: Schema.String,
  Warehouse__c: Schema.String,
  OnHand__c: Schema.Finite,
  Price__c: Schema.Finite,
  Counted__c: Schema.String
})
type Item = typeof Item.Type

/** What changed between two watermarks, and what the nights before could not load. Rows that were deleted are not seen. */
const changed = (sql: PgClient.PgClient, from: string, to: string) =>
  sql<Item>`
    SELECT sku AS "Sku__c", name AS "Name", description AS "Description__c", unit AS "Unit__c",
      warehouse AS "Warehouse__c", on_hand AS "OnHand__c", price::float8 AS "Price__c", counted::text AS "Counted__c"
    FROM nightly.inventory
    WHERE (changed_in >= ${from}::text::xid8 AND changed_in < ${to}::text::xid8)
      OR sku = ANY (ARRAY(SELECT sku FROM nightly.left_over))`.stream

/**
 * One night: loads what changed since the last one, until `window` is over or more than
 * one of twenty rows fail.
 *
 * The watermark moves when all outcomes are settled, and never before: a night that fails
 * or is killed is done again by the next one, which does an upsert no harm. What was
 * refused, or not sent, is tried again by the next night.
 */
export const night = Effect.fn("night")(function* (window: Duration.Input) {
  const sql = yield* PgClient.PgClient
  const view = yield* ProgressView.make({ label: "night", every: "2 seconds" })
  const times = new Times()
  const rows = { Succeeded: 0, Failed: 0, Unprocessed: 0 }

  const [bounds] = yield* sql<{ from: string; to: string }>`
    SELECT changed_in::text AS "from", pg_snapshot_xmin(pg_current_snapshot())::text AS "to" FROM nightly.watermark`
  const [begun] = yield* sql<{ night: number }>`INSERT INTO nightly.history DEFAULT VALUES RETURNING night`
  if (bounds === undefined || begun === undefined) return yield* Effect.die("nightly: the tables are empty")

  /** Writes down how it goes: who wants to know looks there, while it runs and afterwards. */
  const record = (status: string, loaded: number, refused: number) => sql`
    UPDATE nightly.history SET status = ${status}, loaded = ${loaded}, refused = ${refused},
      not_sent = ${rows.Unprocessed}, jobs = ${times.jobs}, upload_seconds = ${times.millis.upload / 1000},
      queue_seconds = ${times.millis.queue / 1000}, processing_seconds = ${times.millis.processing / 1000},
      seconds = extract(epoch FROM clock_timestamp() - started)
    WHERE night = ${begun.night}`

  const progress = (event: Progress.Progress) =>
    Effect.gen(function* () {
      times.add(event, yield* Clock.currentTimeMillis)
      yield* view.show(event)
      if (event._tag !== "JobDone") return
      const { failed, succeeded } = (yield* view.state).counts
      const rate = ((failed / Math.max(1, failed + succeeded)) * 100).toFixed(2)
      yield* view.above(
        Console.log(
          `night ${begun.night}: ${(succeeded + failed).toLocaleString("en-US")} rows done, ${rate} % of them refused, ` +
            `in ${(times.millis.processing / 1000).toFixed(1)} s of processing`
        )
      )
      yield* Effect.ignore(record("running", succeeded, failed))
    })

  /** Counts, and keeps what was refused, or not sent, for the next night. */
  const settle = (outcomes: ReadonlyArray<Outcome.Outcome<Item>>) => {
    const left = outcomes.flatMap((outcome) => {
      rows[outcome._tag]++
      if (outcome._tag === "Succeeded") return []
      const [code, message] =
        outcome._tag === "Failed" ? [outcome.error.code, outcome.error.message] : [outcome.reason, ""]
      return [{ sku: outcome.record.Sku__c, night: begun.night, code, message }]
    })
    return Effect.forEach(
      Array.chunksOf(left, 1_000),
      (some) => sql`
        INSERT INTO nightly.left_over ${sql.insert(some)}
        ON CONFLICT (sku) DO UPDATE SET night = excluded.night, code = excluded.code, message = excluded.message`,
      { discard: true }
    )
  }

  const end = DateTime.addDuration(yield* DateTime.now, window)
  const state = yield* changed(sql, bounds.from, bounds.to).pipe(
    Guard.load(
      { submitUntil: end, stopWhen: { failureRate: 0.05 } },
      Ingest.upsert({
        object: "Inventory__c",
        schema: Item,
        externalId: "Sku__c",
        nulls: "clear",
        // two batches of Salesforce: a guard sees soon what came of them
        partRows: 20_000,
        onInterrupt: "abort",
        progress
      })
    ),
    Stream.runForEachArray(settle),
    Effect.as("done"),
    // all outcomes came before
    Effect.catchReason("BulkError", "LoadStopped", ({ message }) => Effect.succeed(`stopped: ${message}`)),
    Effect.onExit((exit) =>
      Exit.isSuccess(exit)
        ? Effect.void
        : Effect.ignore(record(`failed: ${reasonOf(exit.cause)}`, rows.Succeeded, rows.Failed))
    )
  )

  yield* Effect.all([
    sql`DELETE FROM nightly.left_over WHERE night < ${begun.night}`,
    sql`UPDATE nightly.watermark SET changed_in = ${bounds.to}::text::xid8`,
    record(state, rows.Succeeded, rows.Failed)
  ]).pipe(sql.withTransaction)
}, Effect.scoped)

const reasonOf = (cause: Cause.Cause<unknown>): string =>
  Cause.hasInterruptsOnly(cause) ? "interrupted" : String(Cause.squash(cause)).slice(0, 500)
