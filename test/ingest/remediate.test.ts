import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Stream } from "effect"
import * as Failures from "../../src/ingest/Failures.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import type { Failed, Outcome } from "../../src/ingest/Outcome.ts"
import * as RejectFile from "../../src/ingest/RejectFile.ts"
import * as Spool from "../../src/ingest/Spool.ts"
import { Faults } from "../../src/org/index.ts"
import * as Progress from "../../src/Progress.ts"
import * as Query from "../../src/query/Query.ts"
import { inProcess, Requests, virtually } from "../support/orgs.ts"
import { Rounded, Widget, widget, widgets } from "../support/widgets.ts"

const options = { object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear" } as const
const upsert = Ingest.upsert(options)

/** A service that corrections need. */
class Grades extends Context.Service<Grades, { readonly best: string }>()("test/Grades") {}

/** Of 60 widgets six are refused: two for their grades, two for long names, two for no name at all. */
const flawed = widgets(60).map((w, i) =>
  i % 10 !== 0
    ? w
    : i % 30 === 0
      ? widget(i + 1, { Grade__c: "Z" })
      : i % 20 === 0
        ? widget(i + 1, { Name: "x".repeat(81) })
        : widget(i + 1, { Name: "" })
)

const fix = ({ error, record }: Failed<Widget>) =>
  Effect.map(Grades, ({ best }) =>
    error.code === "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
      ? // the second time it is right
        new Widget({ ...record, Grade__c: record.Grade__c === "Z" ? "Y" : best })
      : error.code === "STRING_TOO_LONG"
        ? new Widget({ ...record, Name: record.Name.slice(0, 80) })
        : undefined
  )

const tally = (outcomes: ReadonlyArray<Outcome<Widget>>) =>
  Object.fromEntries(
    ["Succeeded", "Failed", "Unprocessed"].map((tag) => [tag, outcomes.filter(({ _tag }) => _tag === tag).length])
  )

describe("Ingest.remediate", () => {
  it.effect("gives a failure as it was whose record could not be read again, and corrects the others", () =>
    Effect.gen(function* () {
      const load = Ingest.upsert({ ...options, schema: Rounded })
      const outcomes = yield* Stream.make(2, 0.001, 1.5).pipe(
        Stream.map((Count__c, i) => ({ Key__c: `K-${i}`, Name: "x", Grade__c: "Z", Count__c })),
        load,
        Ingest.remediate({ schema: Rounded, fix: ({ record }) => Effect.succeed({ ...record, Grade__c: "A" }), load }),
        Stream.runCollect
      )
      assert.deepStrictEqual(
        outcomes.map((outcome) => (outcome._tag === "Succeeded" ? outcome.row.Key__c : outcome.record)).toSorted(),
        ["K-0", "K-2", { Key__c: "K-1", Name: "x", Grade__c: "Z", Count__c: 0.001 }]
      )
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("loads what was corrected, and gives what was not as it was", () =>
    Effect.gen(function* () {
      const outcomes = yield* Stream.fromIterable(flawed).pipe(
        upsert,
        Ingest.remediate({ schema: Widget, fix, load: upsert }),
        Stream.runCollect
      )
      assert.deepStrictEqual(tally(outcomes), { Succeeded: 56, Failed: 4, Unprocessed: 0 })
      const failed = outcomes.filter((outcome) => outcome._tag === "Failed")
      const nameless = failed.find(({ error }) => error.code === "REQUIRED_FIELD_MISSING")
      assert.deepStrictEqual(
        nameless?.record,
        flawed.find(({ Key__c }) => Key__c === nameless?.record.Key__c)
      )
      assert.match(nameless?.jobId ?? "", /^750/)
      // corrected, and refused again
      assert.deepStrictEqual(
        failed
          .map(({ record }) => record.Grade__c)
          .toSorted()
          .slice(-2),
        ["Y", "Y"]
      )
      const jobs = (yield* Requests).filter((each) => each === "POST /jobs/ingest")
      assert.strictEqual(jobs.length, 2)
    }).pipe(virtually, Effect.provideService(Grades, { best: "A" }), Effect.provide(inProcess()))
  )

  it.effect("goes as many rounds as it is told", () =>
    Effect.gen(function* () {
      const failures = yield* Stream.fromIterable(flawed).pipe(
        upsert,
        Ingest.remediate({ schema: Widget, fix, load: upsert, rounds: 3 }),
        Failures.group()
      )
      assert.deepStrictEqual([failures.succeeded, failures.failed], [58, 2])
      assert.deepStrictEqual(
        failures.groups.map(({ code }) => code),
        ["REQUIRED_FIELD_MISSING"]
      )
      const stored = yield* Query.records({ schema: Widget, from: "Widget__c" }).pipe(Stream.runCollect)
      assert.strictEqual(stored.find(({ Key__c }) => Key__c === "K-31")?.Grade__c, "A")
    }).pipe(virtually, Effect.provideService(Grades, { best: "A" }), Effect.provide(inProcess()))
  )

  it.effect("counts each record once in its progress, however often it is sent", () =>
    Effect.gen(function* () {
      let state = Progress.start({ at: 0 })
      const events: Array<Progress.Progress> = []
      const progress = (event: Progress.Progress) =>
        Effect.sync(() => {
          events.push(event)
          state = Progress.add(state, event, 0)
        })
      const watched = Ingest.upsert({ ...options, progress })
      // one is corrected that the client refused, and the correction of another one is refused by it
      const records = [...flawed, widget(61, { Note__c: "#N/A" }), widget(71, { Grade__c: "N" })]
      const correct = (failed: Failed<Widget>) => {
        const { Grade__c, Note__c } = failed.record
        if (Note__c === "#N/A") return Effect.succeed(new Widget({ ...failed.record, Note__c: null }))
        if (Grade__c === "N") return Effect.succeed(new Widget({ ...failed.record, Note__c: "#N/A" }))
        return fix(failed)
      }
      const outcomes = yield* Stream.fromIterable(records).pipe(
        watched,
        Ingest.remediate({ schema: Widget, fix: correct, load: watched, rounds: 3 }),
        Stream.runCollect
      )
      assert.deepStrictEqual(tally(outcomes), { Succeeded: 59, Failed: 3, Unprocessed: 0 })
      const { encoded, failed, succeeded, unprocessed } = state.counts
      // of one the first attempt was no block of CSV
      assert.deepStrictEqual(
        { encoded, failed, succeeded, unprocessed },
        { encoded: 61, failed: 3, succeeded: 59, unprocessed: 0 }
      )
      assert.strictEqual(Progress.settled(state), 62)
      assert.deepStrictEqual(
        events.flatMap((event) => (event._tag === "JobCreated" ? [event.resends] : [])),
        [false, true, true]
      )
    }).pipe(virtually, Effect.provideService(Grades, { best: "A" }), Effect.provide(inProcess()))
  )

  it.effect("keeps failures in the spool", () =>
    Effect.gen(function* () {
      const { open, ...memory } = Spool.memory()
      let written = 0
      const counting: Spool.Kind = {
        ...memory,
        open: (options) =>
          Effect.map(open(options), (spooled) => ({
            ...spooled,
            write: (bytes) =>
              Effect.suspend(() => {
                written += bytes.length
                return spooled.write(bytes)
              })
          }))
      }
      const remedy = Ingest.remediate({ schema: Widget, fix, load: upsert, spool: counting })
      yield* Stream.fromIterable(flawed).pipe(upsert, remedy, Stream.runDrain)
      assert.isAbove(written, 6 * 100)
      // without a failure nothing waits, and no job is made
      written = 0
      const before = (yield* Requests).length
      yield* Stream.fromIterable([widget(1)]).pipe(upsert, remedy, Stream.runDrain)
      assert.strictEqual(written, 0)
      assert.isBelow((yield* Requests).length - before, 10)
    }).pipe(virtually, Effect.provideService(Grades, { best: "A" }), Effect.provide(inProcess()))
  )

  it.effect("gives the failures that wait before the load's own failure", () =>
    Effect.gen(function* () {
      const seen: Array<Outcome<Widget>> = []
      const exit = yield* Stream.fromIterable(flawed).pipe(
        upsert,
        Ingest.remediate({ schema: Widget, fix, load: upsert }),
        Stream.runForEach((outcome) => Effect.sync(() => seen.push(outcome))),
        Effect.exit
      )
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(tally(seen).Failed, 6)
      assert.strictEqual(seen.length, 60)
    }).pipe(
      virtually,
      Effect.provideService(Grades, { best: "A" }),
      Effect.provide(inProcess({ faults: [Faults.onJob(Faults.fail({ after: 30 }), { nth: 1 })] }))
    )
  )

  it.effect("corrects rows, and a reject file is loaded as it is", () =>
    Effect.gen(function* () {
      const text = "Key__c,Name,Grade__c\na,one,A\nb,two,Z\nc,,A\n"
      const load = (text: string) =>
        Stream.make(new TextEncoder().encode(text)).pipe(
          Ingest.csv({ object: "Widget__c", operation: "upsert", externalId: "Key__c" })
        )
      const rejects = yield* load(text).pipe(RejectFile.encodeRows(), Stream.decodeText, Stream.mkString)
      assert.match(rejects, /^Key__c,Name,Grade__c,_error_code,_error_message,_cause,_hint\n/)
      const again = yield* load(rejects.replace("two,Z", "two,B")).pipe(Failures.group())
      assert.deepStrictEqual([again.succeeded, again.failed], [1, 1])
      assert.deepStrictEqual(again.groups[0]?.samples[0]?.record, { Key__c: "c", Name: "", Grade__c: "A" })

      const Row = Ingest.csv({ object: "Widget__c", operation: "upsert", externalId: "Key__c" })
      const remedied = yield* load(text).pipe(
        Ingest.remediate({
          fix: ({ record }) => Effect.succeed(record.Name === "" ? undefined : { ...record, Grade__c: "B" }),
          load: (rows) =>
            rows.pipe(
              Stream.map((row) => [row.Key__c ?? "", row.Name ?? "", row.Grade__c ?? ""].join(",")),
              (lines) => Stream.concat(Stream.make("Key__c,Name,Grade__c"), lines),
              Stream.map((line) => new TextEncoder().encode(`${line}\n`)),
              Row
            )
        }),
        Failures.group()
      )
      assert.deepStrictEqual([remedied.succeeded, remedied.failed], [2, 1])
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})
