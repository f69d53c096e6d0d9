import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema, Stream } from "effect"
import { KeyValueStore } from "effect/persistence"
import type * as BulkError from "../../src/BulkError.ts"
import { Connection } from "../../src/connection/Connection.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import * as Run from "../../src/ingest/Run.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import { inProcess, Requests, replacing, type Tamper, virtually } from "../support/orgs.ts"
import { Widget, widgets } from "../support/widgets.ts"

const Identified = Schema.Struct({ Id: Schema.String })

const insert = Ingest.insert({ object: "Widget__c", schema: Widget })

/** Inserts widgets, and gives what is needed to delete them. */
const stored = (count: number) =>
  Stream.fromIterable(widgets(count)).pipe(
    insert,
    Stream.runCollect,
    Effect.map((outcomes) => outcomes.map((outcome) => ({ Id: outcome._tag === "Succeeded" ? outcome.id : "" })))
  )

/** Every way to delete a record, with the word and without it. */
const deletions = (record: typeof Identified.Type, confirmProduction?: string) => {
  const options = { object: "Widget__c", schema: Identified, confirmProduction } as const
  const records = Stream.make(record)
  const bytes = Stream.make(new TextEncoder().encode(`Id\n${record.Id}\n`))
  return [
    Stream.runDrain(records.pipe(Ingest.delete(options))),
    Stream.runDrain(records.pipe(Ingest.hardDelete(options))),
    records.pipe(Ingest.run({ operation: "delete", ...options })),
    records.pipe(Ingest.run({ operation: "hardDelete", ...options })),
    Stream.runDrain(bytes.pipe(Ingest.csv({ object: "Widget__c", operation: "delete", confirmProduction }))),
    Stream.runDrain(bytes.pipe(Ingest.csv({ object: "Widget__c", operation: "hardDelete", confirmProduction }))),
    Stream.runDrain(records.pipe(Run.load({ runId: `${confirmProduction}`, operation: "delete", ...options })))
  ]
}

const jobs = Effect.map(Requests, (requests) => requests.filter((each) => each === "POST /jobs/ingest").length)

const refusalOf = <A, R>(self: Effect.Effect<A, BulkError.BulkError, R>) =>
  Effect.map(Effect.flip(self), ({ reason }) =>
    reason._tag === "ProductionNotConfirmed" ? [reason.orgId, reason.confirmed] : [reason._tag]
  )

const org = (options: EmbeddedOrg.Options & { readonly tamper?: Tamper } = {}) =>
  Layer.merge(inProcess({ hardDelete: true, ...options }), KeyValueStore.layerMemory)

/** An org whose Organization record says something of its own. */
const saying = (fields: Readonly<Record<string, unknown>>) =>
  org({
    sandbox: false,
    tamper: replacing(/^GET \/query$/, (text) => {
      const { records, ...rest } = JSON.parse(text)
      return Response.json({ ...rest, records: [{ ...records[0], ...fields }] })
    })
  })

const isProduction = Connection.use(({ organization }) => Effect.map(organization, (org) => org.isProduction))

describe("deleting in a production org", () => {
  it.effect("takes the id of the org, before a job is created", () =>
    Effect.gen(function* () {
      const { orgId } = yield* EmbeddedOrg.EmbeddedOrg
      const [record = { Id: "" }] = yield* stored(1)
      const before = yield* jobs
      for (const [i, one] of deletions(record).entries()) {
        assert.deepStrictEqual(yield* refusalOf(one), [orgId, undefined], String(i))
      }
      for (const other of ["00Dxx0000000001AAA", "00D", "true"]) {
        const [one] = deletions(record, other)
        if (one !== undefined) assert.deepStrictEqual(yield* refusalOf(one), [orgId, other])
      }
      assert.strictEqual(yield* jobs, before)
      const error = yield* Stream.make(record).pipe(
        Ingest.delete({ object: "Widget__c", schema: Identified }),
        Stream.runDrain,
        Effect.flip
      )
      assert.include(error.message, `delete of Widget__c in the production org ${orgId}`)
      assert.include(error.message, `confirmProduction: "${orgId}"; no job`)
      const other = yield* Stream.make(record).pipe(
        Ingest.delete({ object: "Widget__c", schema: Identified, confirmProduction: "00D000000000009EAA" }),
        Stream.runDrain,
        Effect.flip
      )
      assert.include(other.message, `confirmProduction: "${orgId}", and not "00D000000000009EAA"; no job`)

      const deleted = yield* Stream.make(record).pipe(
        Ingest.run({
          operation: "delete",
          object: "Widget__c",
          schema: Identified,
          confirmProduction: orgId.slice(0, 15)
        })
      )
      assert.strictEqual(deleted.succeeded, 1)
      for (const one of deletions(record, orgId)) yield* one
      // it was asked for once
      assert.strictEqual((yield* Requests).filter((each) => each === "GET /query").length, 1)
    }).pipe(virtually, Effect.provide(org({ sandbox: false })))
  )

  it.effect("takes no word in a sandbox, nor for what is no deletion", () =>
    Effect.gen(function* () {
      assert.isFalse(yield* isProduction)
      const [record = { Id: "" }] = yield* stored(1)
      for (const one of deletions(record)) yield* one
      // of another org, where the same program deletes too
      for (const one of deletions(record, "00Dxx0000000001AAA")) yield* one
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("is not what happens in a Developer Edition, a trial or a scratch org", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* isProduction.pipe(Effect.provide(saying({}))))
      const developer = saying({ OrganizationType: "Developer Edition" })
      assert.isFalse(yield* isProduction.pipe(Effect.provide(developer)))
      const trial = saying({ TrialExpirationDate: "2026-12-31T00:00:00.000+0000" })
      assert.isFalse(yield* isProduction.pipe(Effect.provide(trial)))
      const scratch = saying({ IsSandbox: true, TrialExpirationDate: "2026-12-31T00:00:00.000+0000" })
      assert.isFalse(yield* isProduction.pipe(Effect.provide(scratch)))
    })
  )

  it.effect("is assumed of an org that does not let itself be looked at", () =>
    Effect.gen(function* () {
      const { orgId } = yield* EmbeddedOrg.EmbeddedOrg
      const [record = { Id: "" }] = yield* stored(1)
      for (const one of deletions(record)) assert.deepStrictEqual(yield* refusalOf(one), [orgId, undefined])
      for (const one of deletions(record, orgId)) yield* one
    }).pipe(
      virtually,
      Effect.provide(
        org({
          faults: [
            Faults.on(
              "query",
              Faults.respond(400, { body: '[{"errorCode":"INVALID_TYPE","message":"Organization is not supported"}]' })
            )
          ]
        })
      )
    )
  )

  it.effect("fails as the connection does where that is what is wrong", () =>
    Effect.gen(function* () {
      const [record = { Id: "" }] = yield* stored(1)
      const [one = Effect.die("none")] = deletions(record)
      assert.deepStrictEqual(yield* refusalOf(one as Effect.Effect<void, BulkError.BulkError, Connection>), [
        "ApiError"
      ])
    }).pipe(virtually, Effect.provide(org({ faults: [Faults.on("query", Faults.respond(503))] })))
  )
})
