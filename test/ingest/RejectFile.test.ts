import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Data, Deferred, Effect, Fiber, Result, Schema, Stream } from "effect"
import * as Failures from "../../src/ingest/Failures.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import type { CsvRow, Failed, Outcome } from "../../src/ingest/Outcome.ts"
import * as Plan from "../../src/ingest/Plan.ts"
import * as RejectFile from "../../src/ingest/RejectFile.ts"
import * as RecordCodec from "../../src/record/RecordCodec.ts"
import { inProcess, Requests, virtually } from "../support/orgs.ts"
import { Widget, widget, widgets } from "../support/widgets.ts"

const upsert = Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear" })

const codec = Result.getOrThrow(RecordCodec.make(Widget))

const text = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>) => Stream.mkString(Stream.decodeText(bytes))

/** Widgets of which every tenth is refused, in one of three ways. */
const flawed = widgets(60).map((w, i) =>
  i % 10 !== 0
    ? w
    : i % 30 === 0
      ? widget(i + 1, { Grade__c: "Z" })
      : i % 20 === 0
        ? widget(i + 1, { Name: "x".repeat(81) })
        : widget(i + 1, { Name: "" })
)

const failure = <A>(record: A, error: Partial<Failed<A>["error"]>): Failed<A> => ({
  _tag: "Failed",
  jobId: "750",
  id: undefined,
  record,
  origin: "org",
  error: { code: "UNKNOWN", message: "", fields: [], raw: "", ...error }
})

class SourceBroke extends Data.TaggedError("SourceBroke") {}

describe("RejectFile.encode", () => {
  it.effect("writes the cells that were sent, what was said of them and what to do, and loads again", () =>
    Effect.gen(function* () {
      const bytes = yield* Stream.fromIterable(flawed).pipe(
        upsert,
        RejectFile.encode({ schema: Widget, nulls: "clear" }),
        Stream.runCollect
      )
      const file = Stream.fromIterable(bytes)
      const lines = (yield* text(file)).split("\n")
      assert.strictEqual(
        lines[0],
        "Key__c,Name,Count__c,Active__c,Grade__c,Seen__c,Note__c,_error_code,_error_message,_cause,_hint"
      )
      assert.strictEqual(lines.length, 1 + 6 + 1)
      assert.include(
        lines,
        "K-31,Widget 31,7.75,false,Z,2023-11-14T22:13:51.000Z,#N/A,INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST," +
          "bad value for restricted picklist field: Z,invalid: Grade__c," +
          '"use one of the picklist\'s values, or have it added to the picklist"'
      )

      // it can be planned as it is: its own columns are none of the load's
      const plan = yield* file.pipe(Plan.csv({ operation: "upsert", object: "Widget__c", externalId: "Key__c" }))
      assert.deepStrictEqual([...new Set(plan.findings.map(({ code }) => code))].sort(), [
        "CLEARS_FIELD",
        "NOT_IN_PICKLIST",
        "REQUIRED_BLANK",
        "TOO_LONG"
      ])
      // corrected and loaded again
      const reloaded = yield* file.pipe(
        Stream.decodeText,
        Stream.map((text) => text.replaceAll("#N/A", "")),
        Stream.encodeText,
        RecordCodec.decode(codec),
        Stream.map((w) => new Widget({ ...w, Name: "corrected", Grade__c: "A" })),
        upsert,
        Failures.group()
      )
      assert.deepStrictEqual([reloaded.succeeded, reloaded.failed], [6, 0])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("writes records that could not be sent, and those that were not processed", () =>
    Effect.gen(function* () {
      const outcomes: ReadonlyArray<Outcome<Widget>> = [
        { ...failure(widget(1, { Name: "#N/A" }), { code: "INVALID_RECORD", message: "no" }), origin: "client" },
        { _tag: "Succeeded", jobId: "750", id: "a01", created: true, row: {} },
        { _tag: "Unprocessed", jobId: "750", record: widget(2), reason: "unaccounted" },
        {
          _tag: "Unprocessed",
          jobId: undefined,
          record: widget(4),
          reason: "blocked",
          blockedBy: { column: "Parent__r.Code__c", value: "P-1" }
        }
      ]
      const written = yield* text(Stream.fromArray(outcomes).pipe(RejectFile.encode({ schema: Widget })))
      const [, first = "", second = ""] = written.split("\n")
      assert.match(written, /,UNPROCESSED,blocked,parent: Parent__r\.Code__c,load P-1 first\n$/)
      assert.match(first, /^K-1,#N\/A,.*,INVALID_RECORD,no,invalid,/)
      assert.match(second, /^K-2,.*,UNPROCESSED,unaccounted,transient,load it again$/)
    })
  )

  it.effect("writes no byte where nothing failed, and passes on how the load failed", () =>
    Effect.gen(function* () {
      const fine = Stream.fromIterable(widgets(3)).pipe(upsert, RejectFile.encode({ schema: Widget }))
      assert.strictEqual(yield* text(fine), "")
      const broken = Stream.fail(new SourceBroke()).pipe(RejectFile.encodeRows())
      assert.deepStrictEqual(yield* Effect.flip(Stream.runDrain(broken)), new SourceBroke())
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("fails for a schema that is none of records", () =>
    Effect.gen(function* () {
      const schema = Schema.Struct({ Tags__c: Schema.Array(Schema.Unknown) })
      const error = yield* Stream.empty.pipe(RejectFile.encode({ schema }), Stream.runDrain, Effect.flip)
      assert.strictEqual(error.reason._tag, "InvalidOptions")
      assert.match(error.message, /^reject file: column Tags__c/)
    })
  )

  it.effect("escapes formulas if asked to, and no numbers", () =>
    Effect.gen(function* () {
      const rows = [
        { A: "=1+1", B: "-1.5", C: "@x" },
        { A: "-a", B: "+1", C: "a=b" }
      ].map((row) => failure(row, { code: "X", message: "=cmd" }))
      const write = (formulas: "keep" | "escape") =>
        text(Stream.fromArray(rows).pipe(RejectFile.encodeRows({ formulas })))
      assert.strictEqual(
        yield* write("escape"),
        "A,B,C,_error_code,_error_message,_cause,_hint\n'=1+1,-1.5,'@x,X,'=cmd,unknown,\n'-a,+1,a=b,X,'=cmd,unknown,\n"
      )
      assert.include(yield* write("keep"), "\n=1+1,-1.5,@x,X,=cmd,unknown,\n")
    })
  )

  it.effect("writes one header, whatever comes later and with whatever columns", () =>
    Effect.gen(function* () {
      const of = (row: CsvRow) => failure(row, { code: "X", message: "no" })
      const rows = Stream.rechunk(Stream.make(of({ A: "1", B: "2" }), of({ B: "3" }), of({ A: "4", C: "5" })), 1)
      assert.strictEqual(
        yield* text(rows.pipe(RejectFile.encodeRows())),
        "A,B,_error_code,_error_message,_cause,_hint\n1,2,X,no,unknown,\n,3,X,no,unknown,\n4,,X,no,unknown,\n"
      )
    })
  )
})

describe("Failures", () => {
  it.effect("are grouped by code and field, the most frequent first, with samples", () =>
    Effect.gen(function* () {
      const failures = yield* Stream.fromIterable(flawed).pipe(upsert, Failures.group({ samples: 1 }))
      assert.deepStrictEqual([failures.succeeded, failures.failed, failures.others], [54, 6, 0])
      assert.sameDeepMembers(
        failures.groups.map(({ category, code, count, fields, samples }) => ({
          code,
          category,
          fields,
          count,
          samples: samples.length
        })),
        [
          { code: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", fields: ["Grade__c"] },
          { code: "REQUIRED_FIELD_MISSING", fields: ["Name"] },
          { code: "STRING_TOO_LONG", fields: ["Name"] }
        ].map((group) => ({ ...group, category: "invalid" as const, count: 2, samples: 1 }))
      )
      const shown = Failures.render(failures, ({ Key__c }) => Key__c)
      assert.match(shown, /^54 succeeded, 6 failed\n {2}2 {2}/)
      assert.include(shown, "such as K-")
      // no values where nobody asks for them
      assert.notInclude(Failures.render(failures), ": Z")
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("without fields are told apart by their words, and there are only so many groups", () =>
    Effect.gen(function* () {
      const messages = [
        ...Array.from({ length: 50 }, (_, n) => `Foreign key external ID: Parent Number ${n} not found for field K`),
        ...Array.from({ length: 20 }, (_, n) => `Discount of ${n} % needs an approval`),
        "Close date is in the past"
      ]
      const outcomes = messages.map((message) =>
        failure(
          {},
          { code: message.startsWith("Foreign") ? "INVALID_FIELD" : "FIELD_CUSTOM_VALIDATION_EXCEPTION", message }
        )
      )
      const all = yield* Stream.fromArray(outcomes).pipe(Failures.group())
      assert.deepStrictEqual(
        all.groups.map(({ count }) => count),
        [50, 20, 1]
      )
      const few = yield* Stream.fromArray(outcomes).pipe(Failures.group({ groups: 2 }))
      assert.deepStrictEqual([few.groups.length, few.others, few.failed], [2, 1, 71])
      assert.include(Failures.render(few), "and 1 of other causes")
    })
  )

  it.effect("are shown as far as a person reads, with those that were not processed", () =>
    Effect.gen(function* () {
      const outcomes: ReadonlyArray<Outcome<string>> = [
        ...Array.from({ length: 10 }, (_, n) => failure(`r${n}`, { code: `CODE_${n}`, message: `m${n}` })),
        { _tag: "Unprocessed", jobId: "750", record: "u", reason: "unaccounted" }
      ]
      const lines = Failures.render(yield* Stream.fromArray(outcomes).pipe(Failures.group()), (r) => r).split("\n")
      assert.strictEqual(lines[0], "0 succeeded, 10 failed, 1 were not processed")
      assert.strictEqual(lines.at(-1), "  and 2 of other causes")
      // a code that nobody knows has no hint
      assert.deepStrictEqual(lines.slice(1, 3), ["  1  CODE_0: m0", "     such as r0"])
    })
  )

  it.effect("know a lock for one, whatever it is wrapped in", () =>
    Effect.gen(function* () {
      const message = "T: execution of AfterInsert caused by UNABLE_TO_LOCK_ROW, unable to obtain exclusive access"
      const code = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
      const hintOf = Effect.fnUntraced(function* (text: string) {
        const outcome = failure({}, { code, message: text, raw: `${code}:${text}:--` })
        return (yield* Stream.make(outcome).pipe(Failures.group())).groups[0]?.hint
      })
      assert.match((yield* hintOf(message)) ?? "", /sort/)
      assert.notStrictEqual(yield* hintOf("T: a trigger failed"), yield* hintOf(message))
    })
  )
})

describe("RejectFile.toFile", () => {
  const load = (records: ReadonlyArray<Widget>) =>
    Stream.fromIterable(records).pipe(upsert, RejectFile.encode({ schema: Widget }))
  const inFolder = <A, E, R>(use: (folder: string) => Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "rejects-test-"))),
      use,
      (folder) => Effect.promise(() => rm(folder, { recursive: true }))
    ).pipe(Effect.provide(NodeServices.layer))
  const filesIn = (folder: string) => Effect.promise(() => readdir(folder))

  it.live("leaves a file where there are failures, in place of an older one, and otherwise none", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const file = join(folder, "rejects.csv")
        yield* Stream.run(load(flawed), RejectFile.toFile(file))
        assert.strictEqual((yield* Effect.promise(() => readFile(file, "utf8"))).split("\n").length, 1 + 6 + 1)
        yield* Stream.run(load([]), RejectFile.toFile(file))
        assert.deepStrictEqual(yield* filesIn(folder), [])
      })
    ).pipe(Effect.provide(inProcess()))
  )

  it.live("leaves none after a load that failed before any outcome came, or was interrupted", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const file = join(folder, "rejects.csv")
        const broken = Stream.concat(load([]), Stream.fail(new SourceBroke()))
        const error = yield* Effect.flip(Stream.run(broken, RejectFile.toFile(file)))
        assert.strictEqual(error._tag, "SourceBroke")
        const opened = yield* Deferred.make<void>()
        const waiting = Stream.fromEffect(Effect.andThen(Deferred.succeed(opened, undefined), Effect.never))
        const fiber = yield* Effect.forkChild(Stream.run(waiting, RejectFile.toFile(file)))
        yield* Deferred.await(opened)
        assert.deepStrictEqual(yield* filesIn(folder), ["rejects.csv"])
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* filesIn(folder), [])
      })
    ).pipe(Effect.provide(inProcess()))
  )

  it.live("fails before anything is loaded where nothing can be written", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Stream.run(load(flawed), RejectFile.toFile(folder)))
        assert.strictEqual(error._tag, "PlatformError")
        assert.deepStrictEqual([yield* Requests, yield* filesIn(folder)], [[], []])
      })
    ).pipe(Effect.provide(inProcess()))
  )
})
