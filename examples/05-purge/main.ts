/**
 * Forgets what is older than may be kept, by a query that is streamed into hard deletes.
 *
 *     npm run example -- 05              # shows what would be deleted, and deletes nothing
 *     npm run example -- 05 --really     # deletes it, past the recycle bin
 *     npm run example -- 05 --full       # of 1,000,000 visits; --rows N: of so many
 *
 * Only ids go through the program, as fast as they are deleted: its memory does not depend on how many there are. The
 * first 200 must all be deleted before more are sent, and it stops once more than one of a hundred is refused.
 *
 * The embedded org gets its visits first. A real one (`examples/shared/connection.ts` says how to name it) needs the
 * object of `objects/Visit__c.json`, or another one in place of the lines that say which records are too old; its user
 * the permission "Bulk API Hard Delete", which nobody has by default; and a production org its id in CONFIRM_PRODUCTION.
 */

import * as NodeServices from "@effect/platform-node/NodeServices"
import { Config, Console, DateTime, Effect, Layer, Option, Schema, Stream } from "effect"
import { Guard, Ingest, ProgressView, Query, Soql, soql } from "../../src/index.ts"
import { isRealOrg, layerConnection } from "../shared/connection.ts"
import { abortedOnInterrupt } from "../shared/interrupt.ts"
import { runMain } from "../shared/main.ts"
import { isSwitchedOn, peakMemory, rowsOfRun } from "../shared/size.ts"
import { fill } from "./visits.ts"

/** What is too old: visits of more than three years ago. */
const object = "Visit__c"
const Visit = Schema.Struct({ Id: Schema.String })
const tooOld = Effect.map(DateTime.now, (now) => soql`Day__c < ${Soql.date(DateTime.subtract(now, { years: 3 }))}`)

const count = (where?: Soql.Soql) => Stream.runCount(Query.records({ schema: Visit, from: object, where }))

const number = (n: number) => n.toLocaleString("en-US")

const show = (where: Soql.Soql) =>
  Effect.gen(function* () {
    yield* Console.log(`${object} where ${where.text}: ${number(yield* count(where))} of ${number(yield* count())}`)
    yield* Query.rows(soql`SELECT Name, Day__c FROM Visit__c WHERE ${where} ORDER BY Day__c LIMIT 3`).pipe(
      Stream.runForEach(({ Day__c, Name }) => Console.log(`  ${Day__c}  ${Name}`))
    )
  })

const purge = (where: Soql.Soql) =>
  Effect.gen(function* () {
    const confirmed = yield* Config.option(Config.String("CONFIRM_PRODUCTION"))
    const view = yield* ProgressView.make({ label: "purge", every: "1 second" })
    const counts = { Succeeded: 0, Failed: 0, Unprocessed: 0 }
    yield* Query.records({ schema: Visit, from: object, where }).pipe(
      Guard.load(
        { canary: { rows: 200, maxFailed: 0 }, stopWhen: { failureRate: 0.01 } },
        Ingest.hardDelete({
          object,
          schema: Visit,
          confirmProduction: Option.getOrUndefined(confirmed),
          onInterrupt: "abort",
          progress: view.show
        })
      ),
      Stream.runForEachArray((outcomes) =>
        Effect.sync(() => {
          for (const { _tag } of outcomes) counts[_tag]++
        })
      )
    )
    return counts
  }).pipe(Effect.scoped)

const purgeAndShow = (where: Soql.Soql) =>
  Effect.gen(function* () {
    const counts = yield* purge(where)
    yield* Console.log(
      `${number(counts.Succeeded)} deleted, ${number(counts.Failed)} refused; peak memory ${peakMemory()} MiB`
    )
    yield* show(where)
  })

const program = Effect.gen(function* () {
  const rows = yield* rowsOfRun({ usual: 2_000, full: 1_000_000, switches: ["really"] })
  if (!(yield* isRealOrg)) yield* fill(rows)
  const where = yield* tooOld
  yield* show(where)
  if (yield* isSwitchedOn("really")) yield* purgeAndShow(where)
  else yield* Console.log("Nothing was deleted: --really deletes them, for good.")
})

const ConnectionLive = layerConnection({ objects: new URL("objects/", import.meta.url), hardDelete: true })

program.pipe(abortedOnInterrupt, Effect.provide(ConnectionLive.pipe(Layer.provideMerge(NodeServices.layer))), runMain)
