// One stream, many jobs: nothing lost, nothing twice. Over sockets, with faults of the org.
import { mkdtemp, readdir, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Data,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Option,
  Pull,
  Queue,
  Result,
  Schedule,
  Schema,
  SchemaGetter,
  Stream
} from "effect"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { BulkError, make, SpoolFailed } from "../../src/BulkError.ts"
import type { Connection } from "../../src/connection/Connection.ts"
import * as FileSpool from "../../src/fileSpool.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import * as Inlet from "../../src/ingest/inlet.ts"
import * as Join from "../../src/ingest/join.ts"
import type { CsvRow, Outcome, RowError } from "../../src/ingest/Outcome.ts"
import * as Parts from "../../src/ingest/parts.ts"
import { recordBlocks } from "../../src/ingest/recordBlocks.ts"
import * as Spool from "../../src/ingest/Spool.ts"
import * as IngestJob from "../../src/job/IngestJob.ts"
import { layerFileSpool } from "../../src/node.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import type { Progress } from "../../src/Progress.ts"
import * as RecordCodec from "../../src/record/RecordCodec.ts"
import { inProcess, overSocket, Requests, virtually } from "../support/orgs.ts"
import { Rounded, Widget, widget, widgets } from "../support/widgets.ts"

const poll = { first: "5 millis", cap: "20 millis" } as const
const retry = Schedule.spaced("5 millis").pipe(Schedule.upTo({ times: 5 }))

const base = { object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear", poll } as const
type More = Partial<Ingest.UpsertOptions<typeof Widget>>
const upsert = (more: More) => Ingest.upsert({ ...base, ...more })

const orgWith = (...faults: ReadonlyArray<Faults.Fault>) =>
  Effect.provide(overSocket({ faults, connection: { retry, idleTimeout: "2 seconds" } }))

const org = EmbeddedOrg.EmbeddedOrg
const stored = Effect.flatMap(org, (org) => org.records("Widget__c"))
const sent = (name: string) => Effect.map(Requests, (names) => names.filter((each) => each === name).length)
const uploads = sent("PUT /jobs/ingest/ID/batches")

/** How many jobs the org has in each state. */
const jobs = Effect.map(Stream.runCollect(IngestJob.list), (all) => {
  const states: Record<string, number> = {}
  for (const { state } of all) states[state] = (states[state] ?? 0) + 1
  return states
})

class SourceBroke extends Data.TaggedError("SourceBroke") {}

/** All outcomes by tag, in the order in which they came; and what the stream failed with, if it did. */
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
      exit,
      error: Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    }
  })

/** A source that counts how often each record was pulled. */
const counted = (records: ReadonlyArray<Widget>) => {
  const pulls = { count: 0 }
  const source = Stream.fromIterable(records).pipe(
    Stream.rechunk(3),
    Stream.mapArray((records) => {
      pulls.count += records.length
      return records
    })
  )
  return { pulls, source }
}

const events = () => {
  const all: Array<Progress> = []
  const of = <T extends Progress["_tag"]>(tag: T) =>
    all.filter((event): event is Extract<Progress, { readonly _tag: T }> => event._tag === tag)
  return { all, of, progress: (event: Progress) => Effect.sync(() => void all.push(event)) }
}

/** The spools that every promise holds for. */
const spools: ReadonlyArray<readonly [name: string, layer: Layer.Layer<never, unknown>]> = [
  ["in memory", Layer.empty],
  ["in files", layerFileSpool()]
]

describe("parts", () => {
  it.live("have no more records than they may, and every record one outcome", () =>
    Effect.gen(function* () {
      const { of, progress } = events()
      const { all, error } = yield* settle(Stream.fromIterable(widgets(105)).pipe(upsert({ partRows: 20, progress })))
      assert.isUndefined(error)
      assert.deepStrictEqual(
        of("Submitted").map(({ records }) => records),
        [20, 20, 20, 20, 20, 5]
      )
      const keys = all.map((outcome) => (outcome._tag === "Succeeded" ? outcome.row.Key__c : outcome._tag))
      assert.sameMembers(
        keys,
        widgets(105).map(({ Key__c }) => Key__c)
      )
      assert.strictEqual((yield* stored).length, 105)
    }).pipe(orgWith())
  )

  it.live("have no more bytes than they may, and no row is cut", () =>
    Effect.gen(function* () {
      const { of, progress } = events()
      const { error, succeeded } = yield* settle(
        Stream.fromIterable(widgets(200)).pipe(upsert({ partBytes: 4000, progress }))
      )
      assert.isUndefined(error)
      const bytes = of("Submitted").map(({ bytes }) => bytes)
      assert.isAtLeast(bytes.length, 4)
      assert.isTrue(bytes.every((bytes) => bytes <= 4000))
      // full but for less than a block
      assert.isTrue(bytes.slice(0, -1).every((bytes) => bytes >= 2500))
      assert.strictEqual(succeeded.length, 200)
      assert.strictEqual((yield* stored).length, 200)
    }).pipe(orgWith())
  )

  it.live("have no more bytes than they may in the spool either, where more is kept than is sent", () =>
    Effect.gen(function* () {
      const Named = Schema.Struct({ Id: Schema.String, Name: Schema.String })
      const records = Array.from({ length: 40 }, (_, n) => ({
        Id: `a0000000000${String(n).padStart(4, "0")}AAA`,
        Name: "x".repeat(500)
      }))
      const sizes: Array<number> = []
      const memory = Spool.memory({ partBytes: 4000 })
      const spool: Spool.Kind = {
        ...memory,
        open: (options) =>
          Effect.map(memory.open(options), (spooled) => {
            const own = sizes.push(0) - 1
            return {
              ...spooled,
              write: (bytes) => {
                sizes[own] = (sizes[own] ?? 0) + bytes.length
                return spooled.write(bytes)
              }
            }
          })
      }
      const { failed } = yield* settle(
        Stream.fromIterable(records).pipe(Ingest.delete({ object: "Widget__c", schema: Named, poll, spool }))
      )
      assert.strictEqual(failed.length, 40)
      assert.isAtMost(Math.max(...sizes), 4000)
    }).pipe(orgWith())
  )

  it.live("leave out a record whose row alone is more than a part may have", () =>
    Effect.gen(function* () {
      const big = widget(2, { Note__c: "x".repeat(3000) })
      const { failed, succeeded } = yield* settle(
        Stream.make(widget(1), big, widget(3)).pipe(upsert({ partBytes: 2000 }))
      )
      assert.strictEqual(succeeded.length, 2)
      assert.deepInclude(failed[0], { record: big, origin: "client" })
      assert.match(failed[0]?.error.message ?? "", /more than a part may have/)
    }).pipe(orgWith())
  )

  it.effect("are closed in time, however slow the source", () =>
    Effect.gen(function* () {
      const { of, progress } = events()
      const slow = Stream.fromIterable(widgets(12)).pipe(
        Stream.rechunk(1),
        Stream.mapEffect((w) => Effect.delay(Effect.succeed(w), "1 minute"))
      )
      const { error, succeeded } = yield* settle(slow.pipe(upsert({ partWithin: "5 minutes", progress })))
      assert.isUndefined(error)
      assert.strictEqual(succeeded.length, 12)
      const records = of("Submitted").map(({ records }) => records)
      assert.isAtLeast(records.length, 2)
      assert.isTrue(records.every((records) => records <= 6))
      assert.strictEqual(
        records.reduce((sum, records) => sum + records),
        12
      )
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("are closed in time, however slow the upload", () =>
    Effect.gen(function* () {
      const { of, progress } = events()
      const slowly = (event: Progress) =>
        Effect.andThen(progress(event), event._tag === "Uploading" ? Effect.sleep("2 minutes") : Effect.void)
      const { error, succeeded } = yield* settle(
        Stream.fromIterable(widgets(5_000)).pipe(upsert({ partWithin: "5 minutes", progress: slowly }))
      )
      assert.isUndefined(error)
      assert.strictEqual(succeeded.length, 5_000)
      assert.isAtLeast(of("Submitted").length, 2)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("let go of their source when it has ended, and not only when they are settled", () =>
    Effect.gen(function* () {
      const { all, progress } = events()
      let seen: number | undefined
      const source = Stream.unwrap(
        Effect.as(
          Effect.acquireRelease(Effect.void, () =>
            Effect.sync(() => {
              seen = all.findIndex(({ _tag }) => _tag === "Processing")
            })
          ),
          Stream.fromIterable(widgets(10))
        )
      )
      yield* settle(source.pipe(upsert({ progress })))
      assert.strictEqual(seen, -1)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.live("are uploaded one at a time, and no more are unread than may be", () =>
    Effect.gen(function* () {
      const { all, progress } = events()
      yield* Stream.fromIterable(widgets(60)).pipe(upsert({ partRows: 5, concurrency: 3, progress }), Stream.runDrain)
      let uploading = 0
      let unread = 0
      const most = { uploading: 0, unread: 0 }
      for (const { _tag } of all) {
        if (_tag === "JobCreated") most.uploading = Math.max(most.uploading, ++uploading)
        if (_tag === "Submitted") uploading--
        if (_tag === "JobCreated") most.unread = Math.max(most.unread, ++unread)
        if (_tag === "JobDone") unread--
      }
      assert.deepStrictEqual(most, { uploading: 1, unread: 3 })
    }).pipe(orgWith())
  )

  it.live("are not begun, nor the source asked, while nobody takes the outcomes", () =>
    Effect.gen(function* () {
      const { pulls, source } = counted(widgets(300))
      const taken = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const fiber = yield* source.pipe(
        upsert({ partRows: 10, concurrency: 2 }),
        Stream.runForEachArray(() => Effect.andThen(Deferred.succeed(taken, undefined), Deferred.await(goOn))),
        Effect.forkChild
      )
      yield* Deferred.await(taken)
      // still at two looks that many round trips lie between
      let last = -1
      for (let quiet = 0; quiet < 10; quiet = pulls.count === last ? quiet + 1 : 0) {
        last = pulls.count
        yield* Effect.sleep("20 millis")
      }
      assert.isBelow(pulls.count, 80)
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual([pulls.count, (yield* stored).length], [300, 300])
    }).pipe(orgWith())
  )

  it.live("give their failures as soon as they are done, whatever the others do", () =>
    Effect.gen(function* () {
      const { all } = yield* settle(
        Stream.fromIterable(widgets(40)).pipe(
          Stream.map((w) => (w.Key__c === "K-3" ? widget(3, { Grade__c: "Z" }) : w)),
          Stream.concat(Stream.fromEffect(Effect.delay(Effect.succeed(widget(41)), "600 millis"))),
          upsert({ partRows: 10 })
        )
      )
      const [failed] = all.filter(({ _tag }) => _tag === "Failed")
      assert.strictEqual(all.filter(({ jobId }) => jobId === failed?.jobId).indexOf(failed!), 0)
      // the job of the record that comes late is the last one
      assert.notStrictEqual(failed?.jobId, all.at(-1)?.jobId)
      assert.strictEqual(all.length, 41)
    }).pipe(orgWith())
  )
})

for (const [name, spool] of spools) {
  describe(`an upload that breaks, with a spool ${name}`, () => {
    const breaks: Readonly<Record<string, Faults.RequestEffect>> = {
      "at its first byte": Faults.cutRequest(0),
      "within the header": Faults.cutRequest(7),
      "in the middle": Faults.cutRequest(1500),
      "at its last byte": Faults.cutRequest(1_000_000),
      "before it begins": Faults.cutBefore,
      "with its answer lost": Faults.cutAfter,
      "with 503": Faults.respond(503),
      "with 429": Faults.rateLimit(),
      "with a session that expires": Faults.expireSession
    }
    for (const [how, effect] of Object.entries(breaks)) {
      it.live(`${how} is repeated with another job, and the source pulled once`, () =>
        Effect.gen(function* () {
          const { pulls, source } = counted(widgets(90))
          const { of, progress } = events()
          const { error, succeeded } = yield* settle(source.pipe(upsert({ partRows: 30, progress })))
          assert.isUndefined(error)
          assert.deepStrictEqual([succeeded.length, pulls.count, (yield* stored).length], [90, 90, 90])
          assert.isTrue(succeeded.every(({ created }) => created))
          // of five jobs two hold nothing and are aborted
          assert.strictEqual(of("JobCreated").length, 5)
          assert.strictEqual(of("Submitted").length, 3)
          assert.deepStrictEqual(yield* jobs, { JobComplete: 3, Aborted: 2 })
        }).pipe(orgWith(Faults.on("upload", effect, { nth: [2, 3] })), Effect.provide(spool))
      )
    }

    it.live("is given up when the policy ends, with nothing submitted", () =>
      Effect.gen(function* () {
        const { all, error } = yield* settle(Stream.fromIterable(widgets(10)).pipe(upsert({})))
        assert.deepInclude((error as { reason: unknown }).reason, { _tag: "ApiError", status: 503 })
        assert.deepStrictEqual([all, yield* stored, yield* uploads], [[], [], 6])
        assert.deepStrictEqual(yield* jobs, { Aborted: 6 })
      }).pipe(orgWith(Faults.on("upload", Faults.respond(503))), Effect.provide(spool))
    )
  })

  describe(`refused records, with a spool ${name}`, () => {
    it.live("come back as they were sent, from many jobs", () =>
      Effect.gen(function* () {
        const bad = new Set([2, 19, 20, 21, 59])
        const records = widgets(60).map((w, i) => (bad.has(i + 1) ? widget(i + 1, { Grade__c: "Z" }) : w))
        const { error, failed, succeeded } = yield* settle(Stream.fromIterable(records).pipe(upsert({ partRows: 20 })))
        assert.isUndefined(error)
        assert.deepStrictEqual([failed.length, succeeded.length], [5, 55])
        const byKey = (a: Widget, b: Widget) => (a.Key__c < b.Key__c ? -1 : 1)
        assert.deepStrictEqual(
          failed.map(({ record }) => record).toSorted(byKey),
          records.filter((_, i) => bad.has(i + 1)).toSorted(byKey)
        )
      }).pipe(orgWith(), Effect.provide(spool))
    )

    it.live("come back whole when only their Id was sent", () =>
      Effect.gen(function* () {
        const Named = Schema.Struct({
          Id: Schema.String,
          Name: Schema.NullOr(Schema.String),
          Count__c: Schema.NullOr(Schema.Finite)
        })
        const records = [
          { Id: "a00000000000001AAA", Name: 'nobody, "really"\n', Count__c: null },
          { Id: "a00000000000002AAA", Name: null, Count__c: 2.5 }
        ]
        const { failed } = yield* settle(
          Stream.fromIterable(records).pipe(Ingest.delete({ object: "Widget__c", schema: Named, poll }))
        )
        assert.deepStrictEqual(
          failed.map(({ record }) => record).toSorted((a, b) => (a.Id < b.Id ? -1 : 1)),
          records
        )
        const updated = yield* settle(
          Stream.fromIterable(records).pipe(
            Ingest.update({ object: "Widget__c", schema: Named, poll, nulls: "ignore" })
          )
        )
        assert.sameDeepMembers(
          updated.failed.map(({ record }) => record),
          records
        )
      }).pipe(orgWith(), Effect.provide(spool))
    )

    for (const lineEnding of ["LF", "CRLF"] as const) {
      it.live(`come back equal, whatever their texts hold, with ${lineEnding}`, () =>
        Effect.gen(function* () {
          const texts = ["", "a\nb", "a\r\nb", "\r", 'x,"y"\n', " a ", null]
          const records = texts.map((Note__c, i) => widget(i, { Note__c, Count__c: null, Grade__c: "Z" }))
          for (const partRows of [1, 100]) {
            const { failed } = yield* settle(Stream.fromIterable(records).pipe(upsert({ partRows, lineEnding })))
            assert.sameDeepMembers(
              failed.map(({ record }) => record),
              records
            )
          }
        }).pipe(orgWith(), Effect.provide(spool))
      )
    }

    it.live("come back as nulls where nulls and empty texts are sent alike", () =>
      Effect.gen(function* () {
        const Sparse = Schema.Struct({
          Key__c: Schema.String,
          Name: Schema.NullOr(Schema.String),
          Note__c: Schema.optionalKey(Schema.String),
          Grade__c: Schema.String
        })
        const sparse = { Key__c: "K-1", Name: "", Note__c: "", Grade__c: "Z" }
        const { failed } = yield* settle(
          Stream.make(sparse).pipe(Ingest.upsert({ ...base, schema: Sparse, nulls: "ignore" }))
        )
        assert.deepStrictEqual(
          failed.map(({ record }) => record),
          [{ Key__c: "K-1", Name: null, Grade__c: "Z" }]
        )
      }).pipe(orgWith(), Effect.provide(spool))
    )

    it.live("come back as the very records where their schema cannot read what it wrote", () =>
      Effect.gen(function* () {
        const OneWay = Schema.Struct({
          Key__c: Schema.String,
          Grade__c: Schema.String.pipe(
            Schema.decodeTo(Schema.String, {
              decode: SchemaGetter.forbidden(() => "it is only written"),
              encode: SchemaGetter.passthrough()
            })
          )
        })
        const record = { Key__c: "K-1", Grade__c: "Z" }
        const { error, failed } = yield* settle(Stream.make(record).pipe(Ingest.upsert({ ...base, schema: OneWay })))
        assert.isUndefined(error)
        assert.strictEqual(failed[0]?.record, record)
      }).pipe(orgWith(), Effect.provide(spool))
    )

    it.live("come back as the very records where a field of theirs, not of others, is lost as it is written", () =>
      Effect.gen(function* () {
        const records = [1.5, 0.001, 2.255].map((Count__c, i) => ({
          Key__c: `K-${i}`,
          Name: "x",
          Grade__c: "Z",
          Count__c
        }))
        const { error, failed } = yield* settle(
          Stream.fromIterable(records).pipe(Ingest.upsert({ ...base, schema: Rounded }))
        )
        assert.isUndefined(error)
        assert.sameDeepMembers(
          failed.map(({ record }) => record),
          records
        )
      }).pipe(orgWith(), Effect.provide(spool))
    )

    it.live("that are to be deleted are sent though their other columns cannot be written", () =>
      Effect.gen(function* () {
        const Named = Schema.Struct({ Id: Schema.String, Name: Schema.NullOr(Schema.String) })
        const records = [
          { Id: "a00000000000001AAA", Name: null },
          { Id: "a00000000000002AAA", Name: "\ud800" },
          { Id: "a00000000000003AAA", Name: "c" }
        ]
        const { failed } = yield* settle(
          Stream.fromIterable(records).pipe(Ingest.delete({ object: "Widget__c", schema: Named, poll }))
        )
        assert.isTrue(failed.every(({ origin }) => origin === "org"))
        assert.sameDeepMembers(
          failed.map(({ record }) => record),
          records
        )
      }).pipe(orgWith(), Effect.provide(spool))
    )

    it.live("come back as unaccounted when they are in no file", () =>
      Effect.gen(function* () {
        const { error, succeeded, unprocessed } = yield* settle(
          Stream.fromIterable(widgets(40)).pipe(upsert({ partRows: 20 }))
        )
        assert.isUndefined(error)
        assert.deepStrictEqual([succeeded.length, unprocessed.length], [37, 3])
        assert.isTrue(unprocessed.every(({ reason }) => reason === "unaccounted"))
        const keys = new Set([
          ...succeeded.map(({ row }) => row.Key__c),
          ...unprocessed.map(({ record }) => record.Key__c)
        ])
        assert.strictEqual(keys.size, 40)
      }).pipe(orgWith(Faults.onJob(Faults.loseRows({ rows: 3 }), { nth: 2 })), Effect.provide(spool))
    )
  })

  describe(`records with the same key, with a spool ${name}`, () => {
    const twice = [widget(1), widget(2), widget(1, { Name: "again" }), widget(3), widget(1, { Name: "last" })]

    it.live("fail the load before their job is submitted", () =>
      Effect.gen(function* () {
        const { all, error } = yield* settle(Stream.fromIterable(twice).pipe(upsert({})))
        assert.deepInclude((error as { reason: unknown }).reason, {
          _tag: "AmbiguousKey",
          column: "Key__c",
          key: "K-1"
        })
        assert.deepStrictEqual([all, yield* stored], [[], []])
        assert.deepStrictEqual(yield* jobs, { Aborted: 1 })
      }).pipe(orgWith(), Effect.provide(spool))
    )

    for (const [duplicates, name, left] of [
      ["first", "Widget 1", ["again", "last"]],
      ["last", "last", ["Widget 1", "again"]]
    ] as const) {
      it.live(`are sent once, the ${duplicates} one of them, if asked for`, () =>
        Effect.gen(function* () {
          const { error, failed, succeeded } = yield* settle(Stream.fromIterable(twice).pipe(upsert({ duplicates })))
          assert.isUndefined(error)
          assert.strictEqual(succeeded.length, 3)
          assert.deepStrictEqual(failed.map(({ record }) => record.Name).toSorted(), [...left].toSorted())
          assert.isTrue(failed.every(({ error, origin }) => error.code === "DUPLICATE_KEY" && origin === "client"))
          const names = (yield* stored).flatMap((record) => (record.Key__c === "K-1" ? [record.Name] : []))
          assert.deepStrictEqual(names, [name])
        }).pipe(orgWith(), Effect.provide(spool))
      )
    }
  })
}

describe("a load that fails", () => {
  const reasonOf = (error: unknown) => (error instanceof BulkError ? error.reason : error)

  it.live("for its source settles what was submitted first, and gives the source's own error", () =>
    Effect.gen(function* () {
      const source = Stream.concat(Stream.fromIterable(widgets(25)), Stream.fail(new SourceBroke()))
      const { error, succeeded } = yield* settle(source.pipe(upsert({ partRows: 10 })))
      assert.isTrue(error instanceof SourceBroke)
      assert.deepStrictEqual([succeeded.length, (yield* stored).length], [20, 20])
      assert.deepStrictEqual(yield* jobs, { JobComplete: 2, Aborted: 1 })
    }).pipe(orgWith())
  )

  it.live("for a source that dies, gives its defect", () =>
    Effect.gen(function* () {
      const source = Stream.concat(Stream.fromIterable(widgets(25)), Stream.die("a bug"))
      const { error, succeeded } = yield* settle(source.pipe(upsert({ partRows: 10 })))
      assert.strictEqual(error, "a bug")
      assert.strictEqual(succeeded.length, 20)
    }).pipe(orgWith())
  )

  for (const count of [0, 20, 25]) {
    it.live(`for a source that is interrupted, after ${count} records, is interrupted too`, () =>
      Effect.gen(function* () {
        const submitted = Math.min(20, count)
        const queue = yield* Queue.unbounded<Widget, Cause.Done>()
        yield* Queue.offerAll(queue, widgets(count))
        const source = Stream.fromQueue(queue)
        const fiber = yield* settle(source.pipe(upsert({ partRows: 10 }))).pipe(Effect.forkChild)
        while ((yield* stored).length < submitted) yield* Effect.sleep("5 millis")
        yield* Queue.shutdown(queue)
        const { all, exit } = yield* Fiber.join(fiber)
        assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
        assert.strictEqual(all.length, submitted)
        assert.notProperty(yield* jobs, "Open")
      }).pipe(orgWith())
    )
  }

  it.live("for a failed job begins no other, and gives all outcomes first", () =>
    Effect.gen(function* () {
      const { pulls, source } = counted(widgets(3000))
      const slowly = Stream.mapArrayEffect(source, (records) => Effect.delay(Effect.succeed(records), "5 millis"))
      const { all, error, succeeded, unprocessed } = yield* settle(slowly.pipe(upsert({ partRows: 30 })))
      assert.deepInclude(reasonOf(error), { _tag: "JobFailed", state: "Failed" })
      assert.isBelow(pulls.count, 3000)
      assert.isAtLeast(unprocessed.length, 1)
      assert.strictEqual(succeeded.length, (yield* stored).length)
      const { Aborted: aborted = 0, ...settled } = yield* jobs
      assert.isAtMost(aborted, 1)
      assert.hasAllKeys(settled, ["JobComplete", "Failed"])
      assert.strictEqual(all.length, 30 * ((settled.JobComplete ?? 0) + (settled.Failed ?? 0)))
    }).pipe(orgWith(Faults.onJob(Faults.fail(), { nth: 2 })))
  )

  it.effect("reads no more of its source, though a part must be whole before it is sent", () =>
    Effect.gen(function* () {
      const rest = Stream.fromIterable(widgets(1_000)).pipe(
        Stream.rechunk(1),
        Stream.mapEffect((w) => Effect.delay(Effect.succeed(widget(0, { ...w, Key__c: `R-${w.Key__c}` })), "1 second"))
      )
      const [took, { error }] = yield* Stream.fromIterable(widgets(100)).pipe(
        Stream.concat(rest),
        upsert({ partRows: 100, duplicates: "last" }),
        (outcomes) => Effect.timed(settle(outcomes))
      )
      assert.deepInclude(reasonOf(error), { _tag: "JobFailed" })
      assert.isBelow(Duration.toSeconds(took), 60)
    }).pipe(
      virtually,
      Effect.provide(inProcess({ queueDelay: "10 seconds", faults: [Faults.onJob(Faults.fail(), { nth: 1 })] }))
    )
  )

  it.live("goes on after a failed job, if it is told to", () =>
    Effect.gen(function* () {
      const { error, succeeded, unprocessed } = yield* settle(
        Stream.fromIterable(widgets(100)).pipe(upsert({ partRows: 20, onJobFailed: "continue" }))
      )
      assert.isUndefined(error)
      assert.strictEqual(succeeded.length + unprocessed.length, 100)
      assert.isAtLeast(unprocessed.length, 1)
      assert.deepStrictEqual(yield* jobs, { JobComplete: 4, Failed: 1 })
    }).pipe(orgWith(Faults.onJob(Faults.fail(), { nth: 2 })))
  )

  it.live("for a refused record, if it is told to, gives the outcomes of all that were submitted first", () =>
    Effect.gen(function* () {
      const records = Stream.fromIterable(widgets(15)).pipe(
        Stream.map((w) => (w.Key__c === "K-3" ? widget(3, { Grade__c: "Z" }) : w)),
        Stream.concat(Stream.never)
      )
      const { all, error } = yield* settle(records.pipe(upsert({ partRows: 10, onRowError: "fail" })))
      assert.deepInclude(reasonOf(error), { _tag: "RowFailed", code: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" })
      assert.strictEqual(all.length, 10)
      assert.deepStrictEqual(yield* jobs, { JobComplete: 1, Aborted: 1 })
    }).pipe(orgWith())
  )

  it.live("for a job that cannot be created, submits nothing", () =>
    Effect.gen(function* () {
      const { all, error } = yield* settle(Stream.fromIterable(widgets(15)).pipe(upsert({})))
      assert.deepInclude(reasonOf(error), { _tag: "ApiError", status: 400 })
      assert.deepStrictEqual([all, yield* uploads], [[], 0])
    }).pipe(orgWith(Faults.on("createIngestJob", Faults.respond(400))))
  )

  it.live("for a job whose closing has no answer never sends its records again, and settles the others", () =>
    Effect.gen(function* () {
      const { error, succeeded } = yield* settle(Stream.fromIterable(widgets(30)).pipe(upsert({ partRows: 10 })))
      const reason = reasonOf(error)
      assert.deepInclude(reason, { _tag: "CommitUnknown" })
      assert.strictEqual(succeeded.length, 10)
      assert.strictEqual(yield* uploads, 2)
      assert.deepStrictEqual(yield* jobs, { JobComplete: 1, Open: 1 })
    }).pipe(
      // the job stays Open, however often it is closed
      orgWith(Faults.on("changeIngestJob", Faults.cutBefore, { nth: [2, 3, 4, 5, 6, 7] }))
    )
  )
})

describe("the CSV of a part that is asked for anew", () => {
  it.effect("gets all of the source, though an earlier run still holds on", () =>
    Effect.gen(function* () {
      const codec = Result.getOrThrow(RecordCodec.make(Widget))
      const blocks = recordBlocks<Widget, CsvRow>({
        codec,
        encoder: { nulls: "clear", columns: codec.columns, key: undefined },
        readable: undefined,
        shown: codec.show,
        holds: "none",
        readsBack: () => true,
        mayBeRefused: undefined,
        loses: undefined,
        maxBytes: 400
      })
      const part = yield* Parts.make({
        inlet: yield* Inlet.open(Stream.fromIterable(widgets(30)).pipe(Stream.rechunk(1)), blocks),
        limits: { bytes: 1e6, rows: 1000, within: "1 day" },
        join: Join.byEcho((row) => row),
        spooled: yield* Spool.memory().open({ bytes: 1e6 }),
        readable: undefined,
        keep: () => {},
        emit: () => Effect.void,
        whole: false,
        onRows: () => Effect.void
      })
      const pull = (csv: Pull.Pull<ReadonlyArray<Uint8Array>, BulkError>) =>
        csv.pipe(
          Effect.map((pieces) => pieces.map((piece) => new TextDecoder().decode(piece)).join("")),
          Pull.catchDone(() => Effect.undefined)
        )
      const first = yield* Stream.toPull(part.csv)
      for (let i = 0; i < 3; i++) yield* pull(first)
      // one breaks while it is still given what the first one was, and goes on beside the next
      const second = yield* Stream.toPull(part.csv)
      yield* pull(second)
      const third = yield* Stream.toPull(part.csv)
      let csv = yield* pull(third)
      for (let i = 0; i < 5; i++) yield* pull(second)
      for (let more = yield* pull(third); more !== undefined; more = yield* pull(third)) csv += more
      assert.deepStrictEqual(
        csv?.match(/K-\d+/g),
        widgets(30).map(({ Key__c }) => Key__c)
      )
    })
  )
})

describe("a spool in files", () => {
  const inFolder = <A, E, R>(use: (folder: string) => Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "spool-test-"))),
      use,
      (folder) => Effect.promise(() => rm(folder, { recursive: true }))
    )
  const filesIn = (folder: string) => Effect.promise(() => readdir(folder, { recursive: true }))

  it.live("is readable by its user alone, and gone when the parts are settled", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const seen = yield* Effect.gen(function* () {
          const modes: Array<number> = []
          yield* Stream.fromIterable(widgets(30)).pipe(
            upsert({
              partRows: 10,
              progress: (event) =>
                event._tag === "Submitted"
                  ? Effect.gen(function* () {
                      for (const name of yield* filesIn(folder)) {
                        if (!name.endsWith(".csv")) continue
                        // the file of a part before may go just now
                        const found = yield* Effect.option(Effect.tryPromise(() => stat(join(folder, name))))
                        modes.push(...Option.toArray(Option.map(found, ({ mode }) => mode & 0o777)))
                      }
                    })
                  : Effect.void
            }),
            Stream.runDrain
          )
          return { modes, left: (yield* filesIn(folder)).filter((name) => name.endsWith(".csv")) }
        }).pipe(Effect.provide(layerFileSpool({ directory: folder })))
        assert.isAtLeast(seen.modes.length, 3)
        assert.isTrue(seen.modes.every((mode) => mode === 0o600))
        assert.deepStrictEqual(seen.left, [])
        assert.deepStrictEqual(yield* filesIn(folder), [])
      })
    ).pipe(orgWith())
  )

  it.live("fails the load before anything is submitted when there is too little space", () =>
    Effect.gen(function* () {
      const kind = yield* Spool.Spool
      const { all, error } = yield* settle(
        Stream.fromIterable(widgets(30)).pipe(upsert({ spool: { ...kind, open: () => kind.open({ bytes: 1e18 }) } }))
      )
      assert.isTrue(error instanceof BulkError)
      assert.match(String(error), /bytes left, and a part may take/)
      assert.deepStrictEqual([all, yield* Requests], [[], []])
    }).pipe(orgWith(), Effect.provide(layerFileSpool()))
  )

  it.live("fails for a folder that is not there", () =>
    Effect.gen(function* () {
      const error = yield* settle(Stream.fromIterable(widgets(30)).pipe(upsert({}))).pipe(
        Effect.provide(layerFileSpool({ directory: "/nowhere/at/all" })),
        Effect.flip
      )
      assert.strictEqual(error.reason._tag, "SpoolFailed")
      assert.include(error.message, "ENOENT")
      assert.deepStrictEqual(yield* Requests, [])
    }).pipe(orgWith())
  )

  for (const [when, breaking] of [
    ["while a part is written", "write"],
    ["at the end of a part", "flush"]
  ] as const) {
    it.live(`that breaks ${when} aborts its job`, () =>
      Effect.gen(function* () {
        const { all, error } = yield* settle(Stream.fromIterable(widgets(30)).pipe(upsert({ partRows: 20 })))
        assert.match(String(error), /ENOSPC/)
        assert.deepStrictEqual(all, [])
        assert.deepStrictEqual(yield* jobs, { Aborted: 1 })
      }).pipe(
        orgWith(),
        Effect.provideService(Spool.Spool, {
          ...Spool.memory(),
          open: () => {
            const full = Effect.fail(make(new SpoolFailed({ cause: new Error("ENOSPC: full") })))
            return Effect.succeed({
              write: (bytes) => (bytes.length < 500 || breaking === "flush" ? Effect.void : full),
              flush: breaking === "flush" ? full : Effect.void,
              read: Stream.encodeText(Stream.make("Key__c,Name,Count__c,Active__c,Grade__c,Seen__c,Note__c\n")),
              slice: () => Effect.die("nothing was kept")
            })
          }
        })
      )
    )
  }

  /** A file that takes only some of what it is given, and nothing beyond its size. */
  const slowFile = (size: number) => {
    const stored = new Uint8Array(size)
    const writes: Array<number> = []
    return {
      stored,
      writes,
      writev: async (pieces: ReadonlyArray<Uint8Array>, position: number) => {
        await new Promise((resolve) => setImmediate(resolve))
        const wanted = Math.ceil(pieces.reduce((sum, { length }) => sum + length, 0) / 2)
        if (position + wanted > size) throw new Error("ENOSPC: full")
        let at = position
        for (const piece of pieces) {
          const taken = piece.subarray(0, position + wanted - at)
          stored.set(taken, at)
          at += taken.length
        }
        writes.push(wanted)
        return { bytesWritten: wanted, buffers: pieces }
      },
      read: async (into: Uint8Array, offset: number, length: number, position: number) => {
        into.set(stored.subarray(position, position + Math.min(length, 1_000)), offset)
        return { bytesRead: Math.min(length, 1_000), buffer: into }
      }
    }
  }
  const spooledIn = (file: object) => FileSpool.spooledIn(file as Parameters<typeof FileSpool.spooledIn>[0])

  it.live("is written in pieces of a megabyte, and reads as it was written", () =>
    Effect.gen(function* () {
      const file = slowFile(8_000_000)
      const { flush, read, slice, write } = spooledIn(file)
      const bytes = Uint8Array.from({ length: 5_000_000 }, (_, i) => (i * i) >> 7)
      let at = 0
      for (let size = 1; at < 4_000_000; size = (size * 7 + 3) % 90_001) {
        yield* write(bytes.subarray(at, at + size))
        at += size
      }
      assert.deepStrictEqual(yield* slice(at - 5, at), bytes.slice(at - 5, at))
      assert.isBelow(file.writes.length, 100)
      const reading = yield* Stream.toPull(read)
      const first = yield* reading
      // what is written now is not part of it
      yield* write(bytes.subarray(at, at + 10))
      const rest = yield* Stream.runCollect(Stream.fromPull(Effect.succeed(reading)))
      assert.deepStrictEqual(Buffer.concat([...first, ...rest]), Buffer.from(bytes.subarray(0, at)))
      yield* flush
      assert.deepStrictEqual(file.stored.slice(0, at + 10), bytes.slice(0, at + 10))
    })
  )

  it.live("that is full says so soon, and from then on", () =>
    Effect.gen(function* () {
      const { flush, read, slice, write } = spooledIn(slowFile(2_000_000))
      const megabyte = Uint8Array.from({ length: 1024 * 1024 })
      let written = 0
      const full = yield* Effect.flip(
        Effect.forever(
          Effect.tap(write(megabyte), () =>
            Effect.sync(() => {
              written++
            })
          )
        )
      )
      assert.match(full.message, /ENOSPC/)
      assert.isBelow(written, 5)
      for (const effect of [flush, write(megabyte), slice(0, 10), Stream.runDrain(read)]) {
        assert.strictEqual((yield* Effect.flip<unknown, BulkError, never>(effect)).reason._tag, "SpoolFailed")
      }
    })
  )
})

describe("records that cannot be told from their rows", () => {
  const NullNote = Schema.makeFilter(({ Note__c }: typeof Widget.Type) => Note__c !== null || "a note is missing")
  const isRead = Schema.makeFilter(({ Note__c }: { readonly Note__c?: string }) => Note__c !== undefined)
  const { fields } = Widget
  const schemas = {
    "a check of the record": { schema: Schema.Struct(fields).check(NullNote), nulls: "ignore" },
    "a check of an optional field": {
      schema: Schema.Struct({ ...fields, Note__c: Schema.optionalKey(Schema.String) }).check(isRead),
      nulls: "clear"
    }
  } as const

  for (const [what, { nulls, schema }] of Object.entries(schemas)) {
    for (const [name, spool] of spools) {
      it.live(`for ${what} come back as they were sent, with a spool ${name}`, () =>
        Effect.gen(function* () {
          const records = widgets(40).map(({ Note__c, ...each }, i) => ({
            ...each,
            Note__c: i % 4 === 1 ? "" : "there",
            Grade__c: i % 3 === 0 ? "Z" : "A"
          }))
          const { all, error, failed } = yield* settle<unknown, unknown>(
            Stream.fromIterable(records).pipe(
              Ingest.upsert({ ...base, schema: schema as Schema.Struct<typeof fields>, nulls, partRows: 15 })
            )
          )
          assert.isUndefined(error)
          assert.strictEqual(all.length, 40)
          const byKey = (a: unknown, b: unknown) => number(a) - number(b)
          const number = (record: unknown) => Number((record as Widget).Key__c.slice(2))
          assert.deepStrictEqual(
            failed.map(({ record }) => record).toSorted(byKey),
            records.filter(({ Grade__c }) => Grade__c === "Z")
          )
        }).pipe(orgWith(), Effect.provide(spool))
      )
    }
  }
})

describe("a spool in memory that keeps records", () => {
  it.live("gives back the very objects, from many blocks and jobs", () =>
    Effect.gen(function* () {
      const records = widgets(50).map((w, i) => (i % 3 === 0 ? widget(i + 1, { Grade__c: "Z" }) : w))
      const { failed } = yield* settle(
        Stream.fromIterable(records).pipe(upsert({ partRows: 20, spool: Spool.memory({ keepsRecords: true }) }))
      )
      assert.strictEqual(failed.length, 17)
      assert.isTrue(failed.every(({ record }) => records.includes(record)))
    }).pipe(orgWith())
  )
})

describe("a stream that is left", () => {
  const takeOne = <A, E, R>(self: Stream.Stream<A, E, R>) => Stream.runDrain(Stream.take(self, 1))

  it.live("early aborts the Open job, and lets the submitted ones run on", () =>
    Effect.gen(function* () {
      const source = Stream.concat(Stream.fromIterable(widgets(25)), Stream.never)
      yield* takeOne(source.pipe(upsert({ partRows: 10 })))
      yield* settled
      assert.strictEqual((yield* stored).length, 20)
      assert.deepStrictEqual(yield* jobs, { JobComplete: 2, Aborted: 1 })
    }).pipe(orgWith())
  )

  for (const [onInterrupt, state] of [
    ["leave", "InProgress"],
    ["abort", "Aborted"]
  ] as const) {
    it.live(`with submitted jobs: "${onInterrupt}"`, () =>
      Effect.gen(function* () {
        const submitted = yield* Deferred.make<void>()
        const progress = (event: Progress) =>
          event._tag === "Processing" && event.state === "InProgress"
            ? Deferred.succeed(submitted, undefined)
            : Effect.void
        const fiber = yield* Stream.fromIterable(widgets(10)).pipe(
          upsert({ onInterrupt, progress }),
          Stream.runDrain,
          Effect.forkChild
        )
        yield* Deferred.await(submitted)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* jobs, { [state]: 1 })
      }).pipe(orgWith(Faults.onJob(Faults.stall())))
    )
  }

  it.effect("when its job has just ended, says so, and not that it could not be aborted", () =>
    Effect.gen(function* () {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ cause, logLevel, message }) => {
        logged.push([logLevel, message, cause.reasons.length])
      })
      const fiber = yield* Stream.fromIterable(widgets(10)).pipe(
        // looks once, and not again for an hour
        upsert({ onInterrupt: "abort", poll: { first: "1 hour", cap: "1 hour" } }),
        Stream.runDrain,
        Effect.provide(Logger.layer([logger])),
        Effect.forkChild
      )
      yield* Effect.sleep("10 minutes")
      yield* Fiber.interrupt(fiber)
      const [job] = yield* Stream.runCollect(IngestJob.list)
      assert.strictEqual(job?.state, "JobComplete")
      assert.deepStrictEqual(logged, [["Info", [`job ${job?.id} had ended already when it was to be aborted`], 0]])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  /** Interrupts the load as soon as this request arrives, which is held up for a while. */
  const interruptAt = (route: Faults.Route, nth: number) =>
    Effect.gen(function* () {
      const fiber = yield* Stream.fromIterable(widgets(10)).pipe(upsert({}), Stream.runDrain, Effect.forkChild)
      const arrived = Effect.map(
        Effect.flatMap(org, (org) => org.requests),
        (requests) => requests.filter((request) => request.route === route).length >= nth
      )
      while (!(yield* arrived)) yield* Effect.sleep("2 millis")
      yield* Fiber.interrupt(fiber)
      yield* settled
    })
  const held = (route: Faults.Route, nth = 1) => orgWith(Faults.on(route, Faults.delay("150 millis"), { nth }))

  it.live("while a job is created leaves none Open", () =>
    Effect.gen(function* () {
      yield* interruptAt("createIngestJob", 1)
      assert.deepStrictEqual([yield* jobs, yield* stored], [{ Aborted: 1 }, []])
    }).pipe(held("createIngestJob"))
  )

  it.live("while a part is uploaded aborts its job", () =>
    Effect.gen(function* () {
      yield* interruptAt("upload", 1)
      assert.deepStrictEqual([yield* jobs, yield* stored], [{ Aborted: 1 }, []])
    }).pipe(held("upload"))
  )

  it.live("while a job is closed lets it run on, and does not abort it", () =>
    Effect.gen(function* () {
      yield* interruptAt("changeIngestJob", 1)
      assert.deepStrictEqual([yield* jobs, (yield* stored).length], [{ JobComplete: 1 }, 10])
      assert.strictEqual(yield* sent("PATCH /jobs/ingest/ID"), 1)
    }).pipe(held("changeIngestJob"))
  )

  it.live("while results are read leaves the job alone", () =>
    Effect.gen(function* () {
      yield* interruptAt("successfulResults", 1)
      assert.deepStrictEqual([yield* jobs, (yield* stored).length], [{ JobComplete: 1 }, 10])
    }).pipe(held("successfulResults"))
  )

  it.effect("while one job is read, and others wait for their turn, ends", () =>
    Effect.gen(function* () {
      const { of, progress } = events()
      const fiber = yield* Stream.fromIterable(widgets(40)).pipe(
        upsert({ partRows: 10, progress }),
        Stream.runForEachArray(() => Effect.never),
        Effect.forkChild
      )
      yield* Effect.sleep("1 minute")
      const seenDone = of("Processing").filter(({ state }) => state === "JobComplete")
      assert.isAtLeast(seenDone.length - of("JobDone").length, 2)
      yield* Fiber.interrupt(fiber)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  /** When no job is on its way any more. */
  const settled = Effect.gen(function* () {
    const onTheWay = ["UploadComplete", "InProgress"]
    while (Object.keys(yield* jobs).some((state) => onTheWay.includes(state))) yield* Effect.sleep("5 millis")
  })
})

describe("refused for what may pass", () => {
  const retryRows = Schedule.spaced("5 millis").pipe(Schedule.upTo({ times: 3 }))
  const locked = (times: number) => orgWith(Faults.onJob(Faults.lockRows({ rows: 3 }), { times }))

  for (const [name, spool] of spools) {
    it.live(`records are sent again, in jobs of their own, with a spool ${name}`, () =>
      Effect.gen(function* () {
        const { of, progress } = events()
        const { all, error, succeeded } = yield* settle(
          Stream.fromIterable(widgets(30)).pipe(upsert({ partRows: 15, retryRows, progress }))
        )
        assert.isUndefined(error)
        assert.deepStrictEqual([all.length, succeeded.length, (yield* stored).length], [30, 30, 30])
        assert.deepStrictEqual(
          of("Submitted").map(({ records }) => records),
          [15, 15, 3, 3]
        )
      }).pipe(locked(2), Effect.provide(spool))
    )
  }

  it.live("too often, they come out as failed, each once", () =>
    Effect.gen(function* () {
      const { all, error, failed } = yield* settle(Stream.fromIterable(widgets(30)).pipe(upsert({ retryRows })))
      assert.isUndefined(error)
      assert.deepStrictEqual([all.length, failed.length], [30, 3])
      assert.isTrue(failed.every(({ error }) => error.code === "UNABLE_TO_LOCK_ROW"))
      assert.strictEqual(yield* uploads, 4)
    }).pipe(locked(4))
  )

  it.live("they are outcomes at once if they are not to be sent again", () =>
    Effect.gen(function* () {
      const { failed } = yield* settle(Stream.fromIterable(widgets(30)).pipe(upsert({ retryRows: "never" })))
      assert.deepStrictEqual([failed.length, yield* uploads], [3, 1])
    }).pipe(locked(1))
  )

  it.live("without a key nobody knows what to send again: they are outcomes at once", () =>
    Effect.gen(function* () {
      const insert = Ingest.insert({ object: "Widget__c", schema: Widget, poll, retryRows })
      const { all, failed } = yield* settle(insert(Stream.fromIterable(widgets(30))))
      assert.deepStrictEqual([all.length, failed.length, yield* uploads], [30, 3, 1])
    }).pipe(locked(1))
  )

  it.live("what may pass is for the caller to say", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const isTransient = ({ code }: RowError) => {
        asked.push(code)
        return false
      }
      const { failed } = yield* settle(Stream.fromIterable(widgets(30)).pipe(upsert({ retryRows, isTransient })))
      assert.strictEqual(failed.length, 3)
      assert.deepStrictEqual(asked, ["UNABLE_TO_LOCK_ROW", "UNABLE_TO_LOCK_ROW", "UNABLE_TO_LOCK_ROW"])
      assert.strictEqual(yield* uploads, 1)
    }).pipe(locked(1))
  )

  for (const [what, error] of Object.entries({
    "a lock that a trigger met": {
      code: "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
      message: "T: execution of AfterInsert caused by: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access"
    },
    "a race for a new key": {
      code: "DUPLICATE_VALUE",
      message: "duplicate value found: Key__c duplicates value on record with id: a00000000000001AAA"
    }
  })) {
    it.live(`records are sent again after ${what}`, () =>
      Effect.gen(function* () {
        let refused = 0
        yield* Effect.flatMap(org, (org) =>
          org.onRow("Widget__c", ({ values }) => (values.Key__c === "K-2" && refused++ === 0 ? [error] : []))
        )
        const { all, succeeded } = yield* settle(Stream.fromIterable(widgets(5)).pipe(upsert({ retryRows })))
        assert.deepStrictEqual([all.length, succeeded.length, yield* uploads, refused], [5, 5, 2, 2])
      }).pipe(orgWith())
    )
  }

  it.live("unprocessed records are never sent again", () =>
    Effect.gen(function* () {
      const { unprocessed } = yield* settle(
        Stream.fromIterable(widgets(30)).pipe(upsert({ retryRows, isTransient: () => true, onJobFailed: "continue" }))
      )
      assert.deepStrictEqual([unprocessed.length, yield* uploads, yield* stored], [30, 1, []])
    }).pipe(orgWith(Faults.onJob(Faults.fail())))
  )

  it.live("what was known of them comes out when they cannot be kept to be sent again, nor be submitted", () =>
    Effect.gen(function* () {
      const { faults } = yield* org
      const memory = Spool.memory()
      let opened = 0
      const spool: Spool.Kind = {
        ...memory,
        open: (options) =>
          ++opened === 2 ? Effect.fail(make(new SpoolFailed({ cause: "full" }))) : memory.open(options)
      }
      const one = Stream.fromIterable(widgets(30)).pipe(upsert({ retryRows, spool }))
      const kept = yield* settle(one)
      assert.deepStrictEqual([kept.all.length, kept.failed.length], [30, 3])
      yield* faults.set([
        Faults.onJob(Faults.lockRows({ rows: 3 }), { times: 1 }),
        Faults.on("changeIngestJob", Faults.respond(400), { nth: 2 })
      ])
      const closed = yield* settle(one)
      assert.deepStrictEqual([closed.all.length, closed.failed.length], [30, 3])
      assert.isTrue([kept, closed].every(({ error }) => error instanceof BulkError))
    }).pipe(locked(1))
  )

  it.live("what was known of them comes out when they cannot be sent again", () =>
    Effect.gen(function* () {
      const { all, error, failed } = yield* settle(Stream.fromIterable(widgets(30)).pipe(upsert({ retryRows })))
      assert.isTrue(error instanceof BulkError)
      assert.deepStrictEqual([all.length, failed.length], [30, 3])
    }).pipe(
      orgWith(
        Faults.onJob(Faults.lockRows({ rows: 3 }), { times: 1 }),
        Faults.on("createIngestJob", Faults.respond(400), { nth: 2 })
      )
    )
  )
})

describe("result files", () => {
  const asked = Effect.map(Requests, (names) =>
    names.flatMap((name) => /^GET \/jobs\/ingest\/ID\/(\w+)$/.exec(name)?.[1] ?? [])
  )

  it.live("are not asked for where they can name no row any more", () =>
    Effect.gen(function* () {
      yield* settle(Stream.fromIterable(widgets(20)).pipe(upsert({})))
      assert.deepStrictEqual(yield* asked, ["successfulResults"])
      yield* settle(Stream.make(widget(1), widget(2, { Grade__c: "Z" })).pipe(upsert({})))
      assert.deepStrictEqual(yield* asked, ["successfulResults", "failedResults", "successfulResults"])
    }).pipe(orgWith())
  )

  it.live("are asked for all the same where the job's counters hide failures", () =>
    Effect.gen(function* () {
      const { error, failed, succeeded } = yield* settle(
        Stream.make(widget(1), widget(2, { Grade__c: "Z" })).pipe(upsert({}))
      )
      assert.isUndefined(error)
      assert.deepStrictEqual([failed.length, succeeded.length], [1, 1])
      assert.deepStrictEqual(yield* asked, ["successfulResults", "failedResults"])
    }).pipe(
      Effect.provide(
        overSocket({
          connection: { retry },
          tamper: (request, response) =>
            request.method !== "GET" || !/\/jobs\/ingest\/\w+$/.test(request.url)
              ? Effect.succeed(response)
              : Effect.map(Effect.orDie(response.text), (text) =>
                  HttpClientResponse.fromWeb(
                    request,
                    new Response(text.replace(/"numberRecordsFailed":\d+/, '"numberRecordsFailed":0'))
                  )
                )
        })
      )
    )
  )
})

describe("outcomes: failures", () => {
  it.live("leave successes out: they are counted, and not downloaded", () =>
    Effect.gen(function* () {
      const records = widgets(40).map((w) => (w.Key__c === "K-7" ? widget(7, { Grade__c: "Z" }) : w))
      const { of, progress } = events()
      const { all, error } = yield* settle(
        Stream.fromIterable(records).pipe(upsert({ partRows: 20, outcomes: "failures", progress }))
      )
      assert.isUndefined(error)
      assert.deepStrictEqual(
        all.map(({ _tag }) => _tag),
        ["Failed"]
      )
      assert.strictEqual(
        of("JobDone").reduce((sum, { succeeded }) => sum + succeeded, 0),
        39
      )
      assert.strictEqual(yield* sent("GET /jobs/ingest/ID/successfulResults"), 0)
    }).pipe(orgWith())
  )

  it.live("hand on the file of the successes, with their ids, if asked for", () =>
    Effect.gen(function* () {
      const files: Array<string> = []
      const { all, error } = yield* settle(
        Stream.fromIterable(widgets(40)).pipe(
          upsert({
            partRows: 20,
            outcomes: "failures",
            keepSuccesses: (csv) => Effect.map(Stream.mkString(Stream.decodeText(csv)), (text) => void files.push(text))
          })
        )
      )
      assert.deepStrictEqual([all, error], [[], undefined])
      const ids = files.flatMap((text) => [...text.matchAll(/^"(a\w{17})","true","(K-\d+)"/gm)].map(([, id]) => id))
      assert.deepStrictEqual(ids.toSorted(), (yield* stored).map(({ Id }) => Id).toSorted())
      assert.strictEqual(ids.length, 40)
    }).pipe(orgWith(Faults.on("successfulResults", Faults.cutResponse(900), { nth: 1 })))
  )

  it.live("read the successes after all where the counters do not add up", () =>
    Effect.gen(function* () {
      const { all, error, unprocessed } = yield* settle(
        Stream.fromIterable(widgets(40)).pipe(upsert({ partRows: 20, outcomes: "failures" }))
      )
      assert.isUndefined(error)
      assert.deepStrictEqual([all.length, unprocessed.length], [2, 2])
      assert.strictEqual(yield* sent("GET /jobs/ingest/ID/successfulResults"), 2)
    }).pipe(
      orgWith(
        Faults.onJob(Faults.loseRows({ rows: 2 }), { nth: 1 }),
        Faults.onJob(Faults.lagCounters({ rows: 3 }), { nth: 2 })
      )
    )
  )
})

describe("uploads that are compressed", () => {
  it.live("by an option of the load, whatever the connection says", () => {
    const encodings: Array<string | undefined> = []
    return Effect.gen(function* () {
      for (const gzip of [true, false]) {
        const { succeeded } = yield* settle(Stream.fromIterable(widgets(50)).pipe(upsert({ gzip })))
        assert.strictEqual(succeeded.length, 50)
      }
      assert.deepStrictEqual(encodings, ["gzip", undefined])
    }).pipe(
      Effect.provide(
        overSocket({
          tamper: (request, response) => {
            if (request.method === "PUT") encodings.push(request.headers["content-encoding"])
            return Effect.succeed(response)
          }
        })
      )
    )
  })
})
