/**
 * Migrates the customers of a legacy CRM into one org, and accounts for each of them:
 * they are read from its CSV, planned, loaded in one go; those that the org refuses are
 * shown by their causes, corrected and loaded again.
 *
 *     npm run example -- 01             # 20,000 customers
 *     npm run example -- 01 --full      # 4,200,000 customers, 1,200 of them refused
 *     npm run example -- 01 --rows N
 *
 * The org runs in a process of its own. With the environment of `Auth.layerConfig`
 * (SF_INSTANCE_URL and SF_ACCESS_TOKEN, say) it is a real one, which needs the objects of
 * `objects/` and the validation rules of `org.ts`. Ctrl-C aborts the jobs that run. The
 * program fails unless every customer is in the org at the end.
 */

import * as NodeServices from "@effect/platform-node/NodeServices"
import { Array, Console, Effect, Layer, Sink, Stream } from "effect"
import { Failures, Ingest, Plan, ProgressView, Query } from "../../src/index.ts"
import { layerFileSpool } from "../../src/node.ts"
import { layerConnection } from "../shared/connection.ts"
import { abortedOnInterrupt } from "../shared/interrupt.ts"
import { runMain } from "../shared/main.ts"
import { measured, rowsOfRun } from "../shared/size.ts"
import { Branch, Customer, customerOf, fix, load } from "./customer.ts"
import { Ledger } from "./Ledger.ts"
import { branches, exported, read } from "./legacy.ts"

const number = (n: number) => n.toLocaleString("en-US")

const loadBranches = Stream.fromArray(branches).pipe(
  Stream.map((code) => ({ Code__c: code, Name: `Niederlassung ${code}` })),
  Ingest.run({ operation: "upsert", object: "Branch__c", schema: Branch, externalId: "Code__c", nulls: "ignore" })
)

/** The customers of the old CRM, as the new org has them: read anew each time they are asked for. */
const customersOf = (rows: number) => exported(rows).pipe(read, Stream.mapArray(Array.map(customerOf)))

const plan = (rows: number) => {
  const sample = Math.min(rows, 20_000)
  return customersOf(rows).pipe(
    Plan.make({ ...load, sample, total: rows }),
    measured(`planned by ${number(sample)} customers`, sample)
  )
}

/** Loads all customers; gives what was refused at first, and what was in the end. */
const migrate = (rows: number, ledger: Ledger) =>
  Effect.gen(function* () {
    const view = yield* ProgressView.make({ label: "customers", total: rows, every: "2 seconds" })
    // of millions that go well nothing is downloaded: the org counts them
    const upsert = Ingest.upsert({ ...load, outcomes: "failures", onInterrupt: "abort", progress: view.show })
    const counted = (failures: Failures.Failures<Customer>) =>
      Effect.map(view.state, ({ counts }) => ({ ...failures, succeeded: counts.succeeded }))

    let refused: Failures.Failures<Customer> | undefined
    const left = yield* customersOf(rows).pipe(
      ledger.expecting,
      upsert,
      // as they were refused, before they are corrected
      Stream.tapSink(
        Sink.mapEffect(Failures.sink<Customer>(), (failures) =>
          Effect.map(counted(failures), (failures) => {
            refused = failures
          })
        )
      ),
      Ingest.remediate({ schema: Customer, fix, load: upsert }),
      Failures.group(),
      Effect.flatMap(counted)
    )
    return { refused: refused ?? left, left }
  }).pipe(Effect.scoped, measured(`loaded ${number(rows)} customers`, rows))

const findInOrg = (rows: number, ledger: Ledger) =>
  Query.records({ schema: Customer.mapFields(({ Number__c }) => ({ Number__c })), from: load.object }).pipe(
    Stream.runForEachArray((customers) => Effect.sync(() => ledger.find(customers))),
    measured(`read back ${number(rows)} customers`, rows)
  )

const show = (failures: Failures.Failures<Customer>) => Failures.render(failures, ({ Number__c }) => Number__c)

const program = Effect.gen(function* () {
  const rows = yield* rowsOfRun({ usual: 20_000, full: 4_200_000 })
  const ledger = new Ledger()
  yield* loadBranches
  yield* Console.log(`\n${Plan.render(yield* plan(rows))}\n`)
  const { left, refused } = yield* migrate(rows, ledger)
  yield* Console.log(`\nRefused:\n\n${show(refused)}\n\nCorrected, and loaded again:\n\n${show(left)}\n`)
  yield* findInOrg(rows, ledger)
  yield* Console.log(`Accounted for: ${number(ledger.found)} of ${number(ledger.expected)} customers are in the org`)
  if (ledger.unaccounted !== undefined) return yield* ledger.unaccounted
})

const ConnectionLive = layerConnection({ program: new URL("org.ts", import.meta.url) })

// what is on its way to the org waits in files rather than in memory
const SpoolLive = layerFileSpool({ partBytes: 16 * 1024 * 1024 })

program.pipe(
  abortedOnInterrupt,
  Effect.provide(Layer.mergeAll(ConnectionLive, SpoolLive).pipe(Layer.provideMerge(NodeServices.layer))),
  runMain
)
