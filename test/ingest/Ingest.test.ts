import { assert, describe, it } from "@effect/vitest"
import { Data, Deferred, Effect, Exit, Fiber, Schema, Stream } from "effect"
import * as BulkError from "../../src/BulkError.ts"
import type { Connection } from "../../src/connection/Connection.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import type { Outcome } from "../../src/ingest/Outcome.ts"
import * as Spool from "../../src/ingest/Spool.ts"
import { Faults } from "../../src/org/index.ts"
import type { Progress } from "../../src/Progress.ts"
import * as Query from "../../src/query/Query.ts"
import { inProcess, Requests, replacing, virtually } from "../support/orgs.ts"
import { Widget, widget, widgets } from "../support/widgets.ts"

const upsert = Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear" })
const insert = Ingest.insert({ object: "Widget__c", schema: Widget })

const stored = Query.records({ schema: Widget, from: "Widget__c" }).pipe(
  Stream.runCollect,
  Effect.map((found) => found.toSorted((a, b) => Number(a.Key__c.slice(2)) - Number(b.Key__c.slice(2))))
)

const jobsOf = (events: ReadonlyArray<Progress>) => events.flatMap((event) => ("jobId" in event ? [event.jobId] : []))

/** All outcomes by tag; and the failure of the stream, if it failed. */
const settle = <A, E>(outcomes: Stream.Stream<Outcome<A>, E, Connection>) =>
  Effect.gen(function* () {
    const all: Array<Outcome<A>> = []
    const exit = yield* Effect.exit(Stream.runForEach(outcomes, (outcome) => Effect.sync(() => all.push(outcome))))
    const tagged = <T extends Outcome<A>["_tag"]>(tag: T) =>
      all.filter((outcome): outcome is Extract<Outcome<A>, { readonly _tag: T }> => outcome._tag === tag)
    return {
      all,
      succeeded: tagged("Succeeded"),
      failed: tagged("Failed"),
      unprocessed: tagged("Unprocessed"),
      error: Exit.findErrorOption(exit)
    }
  })

const encoder = new TextEncoder()

class SourceBroke extends Data.TaggedError("SourceBroke") {}

describe("Ingest.upsert", () => {
  it.effect("creates, then updates, and gives an outcome for every record", () =>
    Effect.gen(function* () {
      const first = yield* settle(Stream.fromIterable(widgets(450)).pipe(upsert))
      assert.deepStrictEqual([first.succeeded.length, first.all.length], [450, 450])
      assert.isTrue(first.succeeded.every(({ created, id }) => created && /^\w{18}$/.test(id)))
      assert.strictEqual(new Set(first.succeeded.map(({ row }) => row.Key__c)).size, 450)
      assert.deepStrictEqual(yield* stored, [...widgets(450)])

      const changed = widgets(460).map((w) => new Widget({ ...w, Count__c: null, Name: "New" }))
      const second = yield* settle(Stream.fromIterable(changed).pipe(upsert))
      assert.strictEqual(second.succeeded.filter(({ created }) => created).length, 10)
      assert.strictEqual(second.succeeded.filter(({ created }) => !created).length, 450)
      // `clear` really empties the field
      assert.deepStrictEqual(yield* stored, changed)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("leaves fields alone where nulls are ignored", () =>
    Effect.gen(function* () {
      yield* settle(Stream.make(widget(1)).pipe(upsert))
      const sparse = widget(1, { Name: "New", Count__c: null, Grade__c: null })
      const { succeeded } = yield* settle(
        Stream.make(sparse).pipe(
          Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "ignore" })
        )
      )
      assert.strictEqual(succeeded.length, 1)
      assert.deepStrictEqual(yield* stored, [widget(1, { Name: "New" })])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  for (const lineEnding of ["LF", "CRLF"] as const) {
    it.effect(`knows keys with any line breaks in them, in a job of ${lineEnding}`, () =>
      Effect.gen(function* () {
        const records = ["a\rb", "b\r\nc", "c\nd"].map((key, n) => widget(n, { Key__c: key, Grade__c: "Z" }))
        const { error, failed } = yield* settle(
          Stream.fromIterable(records).pipe(
            Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear", lineEnding })
          )
        )
        assert.isTrue(error._tag === "None")
        assert.deepStrictEqual(new Set(failed.map(({ record }) => record)), new Set(records))
      }).pipe(virtually, Effect.provide(inProcess()))
    )
  }

  it.effect("hands back the records that the org refused, with its reasons", () =>
    Effect.gen(function* () {
      const bad = [widget(2, { Grade__c: "Z" }), widget(5, { Name: "" }), widget(9, { Name: "x".repeat(81) })]
      const records = widgets(10).map((good) => bad.find(({ Key__c }) => Key__c === good.Key__c) ?? good)
      const { error, failed, succeeded } = yield* settle(Stream.fromIterable(records).pipe(upsert))
      assert.strictEqual(succeeded.length, 7)
      assert.isTrue(error._tag === "None")
      const byKey = new Map(failed.map((outcome) => [outcome.record.Key__c, outcome]))
      for (const record of bad) assert.deepStrictEqual(byKey.get(record.Key__c)?.record, record)
      assert.isTrue(
        failed.every(({ id, jobId, origin }) => origin === "org" && id === undefined && jobId !== undefined)
      )
      assert.deepInclude(byKey.get("K-2")?.error, {
        code: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        fields: ["Grade__c"]
      })
      assert.deepInclude(byKey.get("K-5")?.error, { code: "REQUIRED_FIELD_MISSING", fields: ["Name"] })
      assert.deepInclude(byKey.get("K-9")?.error, { code: "STRING_TOO_LONG", fields: ["Name"] })
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("does not send what cannot be written, and says so per record", () =>
    Effect.gen(function* () {
      const bad = [widget(1, { Name: "#N/A" }), widget(2, { Name: "\ud800" }), widget(3, { Key__c: " " })]
      const { failed, succeeded } = yield* settle(Stream.fromIterable([...bad, widget(4)]).pipe(upsert))
      assert.strictEqual(succeeded.length, 1)
      assert.deepStrictEqual(
        failed.map(({ error, jobId, origin, record }) => [record, origin, jobId, error.code, error.fields]),
        bad.map((record, i) => [record, "client", undefined, "INVALID_RECORD", [i === 2 ? "Key__c" : "Name"]])
      )
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("creates no job when nothing can be sent", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* settle(Stream.empty.pipe(upsert))).all, [])
      const { failed } = yield* settle(Stream.make(widget(1, { Name: "#N/A" })).pipe(upsert))
      assert.strictEqual(failed.length, 1)
      assert.deepStrictEqual(yield* Requests, [])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("refuses records that could not be told apart, before anything is submitted", () =>
    Effect.gen(function* () {
      const { all, error } = yield* settle(
        Stream.fromIterable([...widgets(600), widget(7, { Key__c: "K-7 " })]).pipe(upsert)
      )
      assert.deepStrictEqual(all, [])
      assert.deepInclude(error, { _tag: "Some" })
      if (error._tag === "Some")
        assert.deepInclude(error.value.reason, { _tag: "AmbiguousKey", column: "Key__c", key: "K-7" })
      assert.strictEqual((yield* Requests).at(-1), "PATCH /jobs/ingest/ID")
      assert.deepStrictEqual(yield* stored, [])
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("Ingest.insert", () => {
  it.effect("without a key gives the rows as the org echoes them", () =>
    Effect.gen(function* () {
      const records = [widget(1), widget(2, { Grade__c: "Z" }), widget(3, { Name: "#N/A" })]
      const { failed, succeeded } = yield* settle(Stream.fromIterable(records).pipe(insert))
      assert.deepStrictEqual(
        succeeded.map(({ created, row }) => [created, row.Key__c, row.Count__c]),
        [[true, "K-1", "0.25"]]
      )
      assert.deepStrictEqual(
        failed.map(({ origin, record }) => [origin, record.Key__c, record.Grade__c, record.Name]).toSorted(),
        [
          ["client", "K-3", "A", "#N/A"],
          ["org", "K-2", "Z", "Widget 2"]
        ]
      )
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("with a key gives the records that were sent", () =>
    Effect.gen(function* () {
      const refused = widget(2, { Grade__c: "Z" })
      const { failed } = yield* settle(
        Stream.make(widget(1), refused).pipe(Ingest.insert({ object: "Widget__c", schema: Widget, key: "Key__c" }))
      )
      assert.deepStrictEqual(failed[0]?.record, refused)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("finds records by numbers that the org writes in another way", () =>
    Effect.gen(function* () {
      const Big = Schema.Struct({ Count__c: Schema.Finite, Name: Schema.String })
      const refused = { Count__c: 912_260_031, Name: "x".repeat(81) }
      const { failed } = yield* settle(
        Stream.make(refused).pipe(Ingest.insert({ object: "Widget__c", schema: Big, key: "Count__c" }))
      )
      assert.deepStrictEqual(failed[0]?.record, refused)
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

/** Loads widgets, and gives each with its id. */
const identified = (count: number) =>
  Effect.map(settle(Stream.fromIterable(widgets(count)).pipe(upsert)), ({ succeeded }) => {
    const ids = new Map(succeeded.map(({ id, row }) => [row.Key__c, id]))
    return widgets(count).map((w) => ({ Id: ids.get(w.Key__c) ?? "", Name: w.Name }))
  })

const Identified = Schema.Struct({ Id: Schema.String, Name: Schema.String })
const unknown = { Id: "a00000000000001AAA", Name: "nobody" }

describe("records of one column", () => {
  const Named = Schema.Struct({ Name: Schema.NullOr(Schema.String) })
  // the second cell of a text with quotes is no row
  const records = ["a", null, "", 'x\n"\ny', "b"].map((Name) => ({ Name }))

  for (const lineEnding of ["LF", "CRLF"] as const) {
    it.effect(`are not sent if it is empty, since such a row counts as a blank line: ${lineEnding}`, () =>
      Effect.gen(function* () {
        const insert = Ingest.insert({ object: "Widget__c", schema: Named, lineEnding })
        const { error, failed, succeeded } = yield* settle(Stream.fromIterable(records).pipe(insert))
        assert.deepStrictEqual(
          failed.map(({ error, origin, record }) => [origin, error.fields, record]),
          [
            ["client", ["Name"], { Name: "" }],
            ["client", ["Name"], { Name: "" }]
          ]
        )
        assert.match(failed[0]?.error.message ?? "", /blank line/)
        assert.deepStrictEqual([succeeded.length, error._tag], [3, "None"])
      }).pipe(virtually, Effect.provide(inProcess()))
    )
  }

  it.effect("are sent with what clears the field, and are told apart by a key", () =>
    Effect.gen(function* () {
      const nulls = records.filter(({ Name }) => Name === null)
      const cleared = yield* settle(
        Stream.fromIterable(nulls).pipe(Ingest.insert({ object: "Widget__c", schema: Named, nulls: "clear" }))
      )
      // the org has a word on it: it is required
      assert.deepStrictEqual(
        cleared.failed.map(({ origin }) => origin),
        ["org"]
      )
      const Keyed = Schema.Struct({ Key__c: Schema.String })
      const keyed = yield* settle(
        Stream.make({ Key__c: "" }).pipe(
          Ingest.upsert({ object: "Widget__c", schema: Keyed, externalId: "Key__c", nulls: "clear" })
        )
      )
      assert.match(keyed.failed[0]?.error.message ?? "", /the key is empty/)
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("Ingest.update", () => {
  it.effect("changes records by their Id, and gives back the ones that the org refused", () =>
    Effect.gen(function* () {
      const records = (yield* identified(20)).map((w) => ({ ...w, Name: "New" }))
      const tooLong = { Id: records[3]?.Id ?? "", Name: "x".repeat(81) }
      const { all, error, failed, succeeded } = yield* settle(
        Stream.fromIterable([...records.filter(({ Id }) => Id !== tooLong.Id), tooLong, unknown]).pipe(
          Ingest.update({ object: "Widget__c", schema: Identified, nulls: "clear" })
        )
      )
      assert.deepStrictEqual([all.length, succeeded.length, error._tag], [21, 19, "None"])
      assert.isTrue(succeeded.every(({ created }) => !created))
      assert.sameDeepMembers(
        failed.map(({ record }) => record),
        [tooLong, unknown]
      )
      assert.strictEqual((yield* stored).filter(({ Name }) => Name === "New").length, 19)
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("Ingest.delete and Ingest.hardDelete", () => {
  const verbs = { delete: Ingest.delete, hardDelete: Ingest.hardDelete }
  for (const [name, verb] of Object.entries(verbs)) {
    it.effect(`${name} sends only the Id, and gives back the whole record`, () =>
      Effect.gen(function* () {
        const records = yield* identified(10)
        const { error, failed, succeeded } = yield* settle(
          Stream.fromIterable([...records.slice(0, 4), unknown]).pipe(verb({ object: "Widget__c", schema: Identified }))
        )
        assert.deepStrictEqual([succeeded.length, error._tag], [4, "None"])
        assert.deepStrictEqual(Object.keys(succeeded[0]?.row ?? {}), ["Id"])
        assert.deepStrictEqual(failed[0]?.record, unknown)
        assert.strictEqual((yield* stored).length, 6)
      }).pipe(virtually, Effect.provide(inProcess({ hardDelete: true })))
    )
  }

  it.effect("hardDelete fails without the permission, before anything is sent", () =>
    Effect.gen(function* () {
      const { error } = yield* settle(
        Stream.make(unknown).pipe(Ingest.hardDelete({ object: "Widget__c", schema: Identified }))
      )
      assert.isTrue(error._tag === "Some")
      if (error._tag === "Some") assert.deepInclude(error.value.reason, { _tag: "ApiError", code: "FEATURENOTENABLED" })
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("Ingest.run", () => {
  it.effect("counts what a job that failed did not come to", () =>
    Effect.gen(function* () {
      const summary = yield* Stream.fromIterable(widgets(500)).pipe(
        Ingest.run({
          operation: "upsert",
          object: "Widget__c",
          schema: Widget,
          externalId: "Key__c",
          nulls: "clear",
          onJobFailed: "continue"
        })
      )
      assert.deepInclude(summary, { succeeded: 200, created: 200, failed: 0, unprocessed: 300 })
    }).pipe(virtually, Effect.provide(inProcess({ faults: [Faults.onJob(Faults.fail({ after: 200 }))] })))
  )

  it.effect("gives the load in numbers", () =>
    Effect.gen(function* () {
      yield* settle(Stream.fromIterable(widgets(5)).pipe(upsert))
      const requests = yield* Requests
      requests.length = 0
      const records = [
        ...widgets(20),
        widget(21, { Grade__c: "Z" }),
        widget(22, { Grade__c: "Z" }),
        widget(23, { Name: "#N/A" })
      ]
      const events: Array<Progress> = []
      const summary = yield* Stream.fromIterable(records).pipe(
        Ingest.run({
          operation: "upsert",
          object: "Widget__c",
          schema: Widget,
          externalId: "Key__c",
          nulls: "clear",
          progress: (event) => Effect.sync(() => events.push(event))
        })
      )
      assert.deepInclude(summary, { succeeded: 20, created: 15, failed: 3, unprocessed: 0 })
      assert.deepStrictEqual(summary.failures, [
        { code: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", count: 2 },
        { code: "INVALID_RECORD", count: 1 }
      ])
      assert.strictEqual(summary.apiCalls, requests.length)
      const [job] = summary.jobs
      assert.deepInclude(job, { state: "JobComplete", records: 22, succeeded: 20, failed: 2, unprocessed: 0 })
      assert.deepStrictEqual([job?.bytes, job?.id], [summary.bytes, jobsOf(events)[0]])
      // the org leaves a job alone for 20 ms, which is less than the first look is away
      assert.isAtLeast(job?.millis.processing ?? 0, 20)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("takes every operation, each with its own options", () =>
    Effect.gen(function* () {
      const options = { object: "Widget__c", schema: Identified } as const
      const inserted = yield* Stream.make({ Key__c: "1", Name: "x" }).pipe(
        Ingest.run({
          operation: "insert",
          object: "Widget__c",
          schema: Schema.Struct({ Key__c: Schema.String, Name: Schema.String })
        })
      )
      const [{ Id }] = yield* Effect.flatMap(
        Query.records({ schema: Identified, from: "Widget__c" }).pipe(Stream.runCollect),
        (found) => (found.length === 1 ? Effect.succeed(found as [typeof Identified.Type]) : Effect.die(found))
      )
      const one = Stream.make({ Id, Name: "y" })
      const twice = Stream.make({ Key__c: "2", Name: "x" }, { Key__c: "2", Name: "y" }).pipe(
        Ingest.run({
          operation: "insert",
          object: "Widget__c",
          schema: Schema.Struct({ Key__c: Schema.String, Name: Schema.String }),
          key: "Key__c"
        })
      )
      assert.strictEqual((yield* Effect.flip(twice)).reason._tag, "AmbiguousKey")
      const updated = yield* one.pipe(Ingest.run({ operation: "update", ...options, nulls: "ignore" }))
      const deleted = yield* one.pipe(Ingest.run({ operation: "delete", ...options }))
      const gone = yield* one.pipe(Ingest.run({ operation: "hardDelete", ...options }))
      assert.deepStrictEqual(
        [inserted, updated, deleted, gone].map(({ created, failed, succeeded }) => [succeeded, created, failed]),
        [
          [1, 1, 0],
          [1, 0, 0],
          [1, 0, 0],
          [0, 0, 1]
        ]
      )
    }).pipe(virtually, Effect.provide(inProcess({ hardDelete: true })))
  )
})

describe("a load that goes wrong", () => {
  it.effect("aborts the job when the source fails, and gives the source's own error", () =>
    Effect.gen(function* () {
      const source = Stream.concat(Stream.fromIterable(widgets(2000)), Stream.fail(new SourceBroke()))
      const { all, error } = yield* settle(upsert(source))
      assert.deepStrictEqual(all, [])
      assert.isTrue(error._tag === "Some" && error.value instanceof SourceBroke)
      assert.deepStrictEqual(yield* Requests, [
        "POST /jobs/ingest",
        "PUT /jobs/ingest/ID/batches",
        "PATCH /jobs/ingest/ID"
      ])
      assert.deepStrictEqual(yield* stored, [])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("fails with the source's error before any job when it fails at once", () =>
    Effect.gen(function* () {
      const { error } = yield* settle(upsert(Stream.fail(new SourceBroke())))
      assert.isTrue(error._tag === "Some" && error.value instanceof SourceBroke)
      assert.deepStrictEqual(yield* Requests, [])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("aborts the job when it is interrupted while uploading", () =>
    Effect.gen(function* () {
      const uploading = yield* Deferred.make<void>()
      const source = Stream.concat(
        Stream.fromIterable(widgets(1000)),
        Stream.fromEffectDrain(Effect.andThen(Deferred.succeed(uploading, undefined), Effect.never))
      )
      const fiber = yield* Effect.forkChild(Stream.runDrain(upsert(source)))
      yield* Deferred.await(uploading)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* Requests).at(-1), "PATCH /jobs/ingest/ID")
      assert.deepStrictEqual(yield* stored, [])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("does not wait for ever for an abort that is not answered", () =>
    Effect.gen(function* () {
      const source = Stream.concat(Stream.fromIterable(widgets(10)), Stream.fail(new SourceBroke()))
      const { error } = yield* settle(upsert(source))
      assert.isTrue(error._tag === "Some" && error.value instanceof SourceBroke)
    }).pipe(
      virtually,
      Effect.provide(
        inProcess({
          tamper: (request, response) => (request.method === "PATCH" ? Effect.never : Effect.succeed(response))
        })
      )
    )
  )

  it.effect("lets a submitted job run on when it is interrupted", () =>
    Effect.gen(function* () {
      const submitted = yield* Deferred.make<void>()
      const outcomes = Stream.fromIterable(widgets(1000)).pipe(
        Ingest.upsert({
          object: "Widget__c",
          schema: Widget,
          externalId: "Key__c",
          nulls: "clear",
          progress: (event) => (event._tag === "Processing" ? Deferred.succeed(submitted, undefined) : Effect.void)
        })
      )
      const fiber = yield* Effect.forkChild(Stream.runDrain(outcomes))
      yield* Deferred.await(submitted)
      yield* Fiber.interrupt(fiber)
      yield* Effect.sleep("10 minutes")
      assert.strictEqual((yield* stored).length, 1000)
      assert.strictEqual((yield* Requests).filter((name) => name === "PATCH /jobs/ingest/ID").length, 1)
    }).pipe(virtually, Effect.provide(inProcess({ queueDelay: "1 minute" })))
  )

  it.effect("gives the outcomes of a failed job first, then says that it failed", () =>
    Effect.gen(function* () {
      const Odd = Schema.Struct({ Key__c: Schema.String, Colour__c: Schema.String })
      const records = [
        { Key__c: "1", Colour__c: "red" },
        { Key__c: "2", Colour__c: "blue" }
      ]
      const { error, unprocessed } = yield* settle(
        Stream.fromIterable(records).pipe(
          Ingest.upsert({ object: "Widget__c", schema: Odd, externalId: "Key__c", nulls: "clear" })
        )
      )
      assert.sameDeepMembers(
        unprocessed.map(({ record }) => record),
        records
      )
      assert.isTrue(unprocessed.every(({ reason }) => reason === "unprocessed"))
      assert.isTrue(error._tag === "Some")
      if (error._tag === "Some") {
        assert.deepInclude(error.value.reason, {
          _tag: "JobFailed",
          state: "Failed",
          detail: "InvalidBatch : Field name not found : Colour__c"
        })
      }
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  for (const [what, options] of Object.entries({
    "partBytes is 100000001": { partBytes: 100_000_001 },
    "partRows is 0": { partRows: 0 },
    "concurrency is 0": { concurrency: 0 }
  })) {
    it.effect(`refuses what no job can be: ${what}`, () =>
      Effect.gen(function* () {
        const { error } = yield* settle(
          Stream.make(widget(1)).pipe(Ingest.insert({ object: "Widget__c", schema: Widget, ...options }))
        )
        assert.isTrue(error._tag === "Some")
        if (error._tag === "Some") assert.include(error.value.message, what)
        assert.deepStrictEqual(yield* Requests, [])
      }).pipe(virtually, Effect.provide(inProcess()))
    )
  }

  it.effect("leaves a job alone that is not done by the deadline", () =>
    Effect.gen(function* () {
      const { error } = yield* settle(
        Stream.make(widget(1)).pipe(
          Ingest.insert({ object: "Widget__c", schema: Widget, poll: { deadline: "1 minute" } })
        )
      )
      assert.isTrue(error._tag === "Some")
      if (error._tag === "Some") assert.deepInclude(error.value.reason, { _tag: "DeadlinePassed" })
      assert.strictEqual((yield* Requests).filter((name) => name === "PATCH /jobs/ingest/ID").length, 1)
    }).pipe(virtually, Effect.provide(inProcess({ queueDelay: "1 hour" })))
  )

  it.effect("refuses options that cannot work, before anything is sent", () =>
    Effect.gen(function* () {
      const List = Schema.Struct({ Key__c: Schema.String, Tags__c: Schema.Array(Schema.String) })
      const { error } = yield* settle(
        Stream.make({ Key__c: "1", Tags__c: ["a"] }).pipe(
          Ingest.upsert({ object: "Widget__c", schema: List, externalId: "Key__c", nulls: "clear" })
        )
      )
      assert.isTrue(error._tag === "Some")
      if (error._tag === "Some") {
        assert.deepInclude(error.value.reason, {
          _tag: "InvalidOptions",
          problem: "upsert of Widget__c: column Tags__c: its value does not fit in one cell"
        })
      }
      const problem = (more: object) =>
        Effect.map(
          Effect.flip(
            Stream.make(widget(1)).pipe(
              Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear", ...more }),
              Stream.runDrain
            )
          ),
          ({ message }) => message
        )
      assert.match(yield* problem({ externalId: "None__c" }), /^upsert of Widget__c: the key None__c is no column of/)
      assert.strictEqual(yield* problem({ partBytes: 0 }), "upsert of Widget__c: partBytes is 0")
      assert.strictEqual(yield* problem({ partRows: 0 }), "upsert of Widget__c: partRows is 0")
      assert.strictEqual(yield* problem({ concurrency: 0 }), "upsert of Widget__c: concurrency is 0")
      assert.deepStrictEqual(yield* Requests, [])
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("a spool that does not give back what was written", () => {
  const refused = [widget(1), widget(2, { Grade__c: "Z" })]

  for (const [what, slice, problem] of [
    ["fails", () => Effect.fail(BulkError.make(new BulkError.SpoolFailed({ cause: "gone" }))), /gone/],
    ["gives nothing", () => Effect.succeed(new Uint8Array()), /row 1 is not in it/],
    ["gives no CSV", (text: string) => Effect.succeed(encoder.encode(text.replace("Widget 2", 'Widget "2'))), /quote/],
    ["gives other cells", (text: string) => Effect.succeed(encoder.encode(text.replaceAll("0.5", "half"))), /number/]
  ] as const) {
    it.effect(`and ${what} fails the load, after what is known without it`, () =>
      Effect.gen(function* () {
        const memory = Spool.memory()
        const spool: Spool.Kind = {
          ...memory,
          open: (options) =>
            Effect.map(memory.open(options), (spooled) => ({
              ...spooled,
              slice: (from, to) =>
                Effect.flatMap(spooled.slice(from, to), (bytes) => slice(new TextDecoder().decode(bytes)))
            }))
        }
        const { error } = yield* settle(
          Stream.fromIterable(refused).pipe(
            Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear", spool })
          )
        )
        assert.isTrue(error._tag === "Some" && error.value.reason._tag === "SpoolFailed")
        assert.match(error._tag === "Some" ? error.value.message : "", problem)
        assert.strictEqual((yield* stored).length, 1)
      }).pipe(virtually, Effect.provide(inProcess()))
    )
  }
})

describe("results that do not add up", () => {
  const without = (key: string) => (text: string) =>
    new Response(
      text
        .split("\n")
        .filter((line) => !line.includes(`"${key}"`))
        .join("\n")
    )

  it.effect("come out as unaccounted records where there is a key", () =>
    Effect.gen(function* () {
      const lost = widget(3)
      const { error, succeeded, unprocessed } = yield* settle(Stream.make(widget(1), widget(2), lost).pipe(upsert))
      assert.strictEqual(succeeded.length, 2)
      assert.deepStrictEqual(unprocessed[0]?.record, lost)
      assert.strictEqual(unprocessed[0]?.reason, "unaccounted")
      assert.strictEqual(error._tag, "None")
    }).pipe(virtually, Effect.provide(inProcess({ tamper: replacing(/successfulResults/, without("K-3")) })))
  )

  it.effect("fail the load where there is none", () =>
    Effect.gen(function* () {
      const { error, succeeded } = yield* settle(Stream.fromIterable(widgets(3)).pipe(insert))
      assert.strictEqual(succeeded.length, 2)
      assert.isTrue(error._tag === "Some")
      if (error._tag === "Some") {
        assert.deepInclude(error.value.reason, { _tag: "RecordsUnaccounted", sent: 3, accounted: 2 })
      }
    }).pipe(virtually, Effect.provide(inProcess({ tamper: replacing(/successfulResults/, without("K-3")) })))
  )

  it.effect("never join a row to a record with another key", () =>
    Effect.gen(function* () {
      const { error, failed, unprocessed } = yield* settle(Stream.make(widget(1, { Grade__c: "Z" })).pipe(upsert))
      assert.deepStrictEqual(failed, [])
      assert.strictEqual(unprocessed[0]?.record.Key__c, "K-1")
      assert.isTrue(error._tag === "Some")
      if (error._tag === "Some" && error.value.reason._tag === "RecordsUnaccounted") {
        assert.strictEqual(error.value.reason.strangers[0]?.Key__c, "")
        assert.match(error.value.reason.strangers[0]?.sf__Error ?? "", /^INVALID_OR_NULL/)
      } else assert.fail("expected RecordsUnaccounted")
    }).pipe(
      virtually,
      Effect.provide(
        inProcess({ tamper: replacing(/failedResults/, (text) => new Response(text.replace('"K-1"', '""'))) })
      )
    )
  )

  it.effect("fail the load when a file is no CSV", () =>
    Effect.gen(function* () {
      const { error } = yield* settle(Stream.fromIterable(widgets(3)).pipe(upsert))
      assert.isTrue(error._tag === "Some")
      if (error._tag === "Some") assert.deepInclude(error.value.reason, { _tag: "UnexpectedResponse" })
    }).pipe(
      virtually,
      Effect.provide(inProcess({ tamper: replacing(/successfulResults/, (text) => new Response(text.slice(0, -10))) }))
    )
  )
})

describe("progress", () => {
  it.effect("tells of the job, every block and every look", () =>
    Effect.gen(function* () {
      const events: Array<Progress> = []
      yield* Stream.fromIterable(widgets(1200)).pipe(
        Ingest.insert({
          object: "Widget__c",
          schema: Widget,
          progress: (event) => Effect.sync(() => events.push(event))
        }),
        Stream.runDrain
      )
      assert.strictEqual(events[0]?._tag, "JobCreated")
      const uploading = events.flatMap((event) => (event._tag === "Uploading" ? [event.records] : []))
      assert.isAbove(uploading.length, 1)
      assert.deepStrictEqual(
        uploading,
        uploading.toSorted((a, b) => a - b)
      )
      assert.strictEqual(uploading.at(-1), 1200)
      assert.deepInclude(
        events.findLast(({ _tag }) => _tag === "Processing"),
        { state: "JobComplete", processed: 1200, failed: 0 }
      )
      const submitted = events.find((event) => event._tag === "Submitted")
      assert.strictEqual(submitted?.records, 1200)
      assert.deepInclude(events.at(-1), { _tag: "JobDone", state: "JobComplete", succeeded: 1200, created: 1200 })
      assert.strictEqual(new Set(jobsOf(events)).size, 1)
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})
