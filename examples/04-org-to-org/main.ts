/**
 * Copies accounts with their contacts from one org into another, and checks that every relationship came along.
 *
 *     npm run example -- 04
 *     npm run example -- 04 --full     # 400,000 contacts of 100,000 accounts; --rows N: so many contacts
 *
 * Records are streamed from a query of the one org into an upsert of the other, over two connections. They refer to
 * each other by external ids: an id of one org means nothing in the other, and none is read. Parents come before
 * children, and what refers to its own object is set once all of it is there, so that no order within it matters. A copy
 * that was cut short is simply started again.
 *
 * Without settings both orgs are embedded, in a process each, and the first one is filled. For real ones set
 * SF_INSTANCE_URL and SF_ACCESS_TOKEN, or the like, for the org to copy from (`examples/shared/connection.ts`), and
 * TARGET_SF_INSTANCE_URL and so on for the other. Both need Number__c, a unique external id, on Account and Contact.
 */

import * as NodeServices from "@effect/platform-node/NodeServices"
import { ConfigProvider, Console, Data, Effect, Layer, Stream } from "effect"
import { type BulkError, type Connection, Ingest, ProgressView, Query, type Summary, soql } from "../../src/index.ts"
import { isRealOrg, layerConnection } from "../shared/connection.ts"
import { abortedOnInterrupt } from "../shared/interrupt.ts"
import { runMain } from "../shared/main.ts"
import { measured, rowsOfRun } from "../shared/size.ts"
import { areEqual, type Org, render, structureOf } from "./compare.ts"
import { fill } from "./fill.ts"
import { Account, AccountParent, Contact, ContactReportsTo } from "./schemas.ts"

class Different extends Data.TaggedError("Different")<{ readonly message: string }> {}

const copy = (source: Org, target: Org) =>
  Effect.gen(function* () {
    const { above, show } = yield* ProgressView.make({ label: "copy", every: "1 second" })
    const upsert = {
      operation: "upsert",
      externalId: "Number__c",
      nulls: "clear",
      // a line for each that was copied is not needed, nor downloaded
      outcomes: "failures",
      onInterrupt: "abort",
      progress: show
    } as const

    const move = <A>(
      what: string,
      records: Stream.Stream<A, BulkError.BulkError, Connection.Connection>,
      load: (
        records: Stream.Stream<A, BulkError.BulkError>
      ) => Effect.Effect<Summary.Summary, BulkError.BulkError, Connection.Connection>
    ) =>
      Effect.gen(function* () {
        const summary = yield* records.pipe(Stream.provideContext(source), load, Effect.provideContext(target))
        const refused = summary.failures.map(({ code, count }) => `, ${count.toLocaleString("en-US")} ${code}`)
        yield* above(Console.log(`${what}: ${summary.succeeded.toLocaleString("en-US")} copied${refused.join("")}`))
      })

    yield* move(
      "accounts",
      Query.records({ schema: Account, from: "Account" }),
      Ingest.run({ ...upsert, object: "Account", schema: Account })
    )
    yield* move(
      "parents of accounts",
      Query.records({ schema: AccountParent, from: "Account", where: soql`ParentId != ${null}` }),
      Ingest.run({ ...upsert, object: "Account", schema: AccountParent })
    )
    yield* move(
      "contacts",
      Query.records({ schema: Contact, from: "Contact" }),
      Ingest.run({ ...upsert, object: "Contact", schema: Contact })
    )
    yield* move(
      "whom contacts report to",
      Query.records({ schema: ContactReportsTo, from: "Contact", where: soql`ReportsToId != ${null}` }),
      Ingest.run({ ...upsert, object: "Contact", schema: ContactReportsTo })
    )
  }).pipe(Effect.scoped)

const embedded = { objects: new URL("objects/", import.meta.url) }
/** The target is described by the same variables, with another beginning. */
const ofTarget = ConfigProvider.layer(Effect.map(ConfigProvider.ConfigProvider, ConfigProvider.nested("TARGET")))

const program = Effect.gen(function* () {
  const contacts = yield* rowsOfRun({ usual: 2_000, full: 400_000 })
  const source = yield* Layer.build(layerConnection(embedded))
  const target = yield* Layer.build(layerConnection(embedded).pipe(Layer.provide(ofTarget)))
  if (!(yield* isRealOrg)) yield* fill(contacts).pipe(Effect.provideContext(source))

  yield* copy(source, target).pipe(measured(`${contacts.toLocaleString("en-US")} contacts copied`, contacts))

  const [ours, theirs] = yield* Effect.all([structureOf(source), structureOf(target)])
  yield* Console.log(`\n${render(ours, theirs)}`)
  if (!areEqual(ours, theirs)) {
    return yield* new Different({ message: "The orgs differ: start the copy again, and look at what was refused." })
  }
})

program.pipe(abortedOnInterrupt, Effect.scoped, Effect.provide(NodeServices.layer), runMain)
