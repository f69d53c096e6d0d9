import { assert, describe, it } from "@effect/vitest"
import { Clock, Data, DateTime, Effect, Exit, Schedule, Stream } from "effect"
import type * as BulkError from "../../src/BulkError.ts"
import type { Connection } from "../../src/connection/Connection.ts"
import * as Guard from "../../src/ingest/Guard.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import type { Loads, Outcome } from "../../src/ingest/Outcome.ts"
import { Faults } from "../../src/org/index.ts"
import { inProcess, Requests, virtually } from "../support/orgs.ts"
import { Widget, widget, widgets } from "../support/widgets.ts"

const upsert = Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear" })

/** A load of many small jobs, one after the other. */
const inHundreds = <E, R>(records: Stream.Stream<Widget, E, R>) =>
  records.pipe(
    Stream.grouped(100),
    Stream.flatMap((group) => upsert(Stream.fromArray(group)))
  )

const jobs = Effect.map(Requests, (requests) => requests.filter((each) => each === "POST /jobs/ingest").length)

const settle = <E>(outcomes: Stream.Stream<Outcome<Widget>, E, Connection>) =>
  Effect.gen(function* () {
    const all: Array<Outcome<Widget>> = []
    const exit = yield* Effect.exit(Stream.runForEach(outcomes, (outcome) => Effect.sync(() => all.push(outcome))))
    const count = (is: (outcome: Outcome<Widget>) => boolean) => all.filter(is).length
    const keys = all.flatMap((outcome) => (outcome._tag === "Succeeded" ? outcome.row.Key__c : outcome.record.Key__c))
    return {
      succeeded: count(({ _tag }) => _tag === "Succeeded"),
      failed: count(({ _tag }) => _tag === "Failed"),
      notSubmitted: count((outcome) => outcome._tag === "Unprocessed" && outcome.reason === "not submitted"),
      /** Whether each record has one outcome. */
      isWhole: (records: number) => all.length === records && new Set(keys).size === records,
      error: Exit.findErrorOption(exit)
    }
  })

const guardOf = (error: { readonly _tag: string; readonly value?: unknown }): string => {
  const { reason } = error.value as BulkError.BulkError
  return reason._tag === "LoadStopped" ? reason.guard : reason._tag
}

/** Widgets that are refused from the nth on. */
const badFrom = (n: number, count: number) =>
  widgets(count).map((w, i) => (i < n ? w : widget(i + 1, { Grade__c: "Z" })))

const messageOf = (error: { readonly _tag: string; readonly value?: unknown }): string =>
  (error.value as BulkError.BulkError).message

/** Two thousand widgets, of which one in twenty is refused. */
const twentieth = widgets(2_000).map((w, i) => (i % 20 === 0 ? widget(i + 1, { Grade__c: "Z" }) : w))

class SourceBroke extends Data.TaggedError("SourceBroke") {}

describe("Guard.load", () => {
  it.effect("sends the rest when the canary comes back good", () =>
    Effect.gen(function* () {
      const guarded = Guard.load({ canary: { rows: 20, maxFailed: 1 } }, upsert)
      const records = widgets(2_000).map((w, i) => (i === 5 ? widget(6, { Grade__c: "Z" }) : w))
      const settled = yield* settle(Stream.fromIterable(records).pipe(guarded))
      assert.deepStrictEqual([settled.succeeded, settled.failed, settled.notSubmitted], [1_999, 1, 0])
      assert.isTrue(settled.isWhole(2_000))
      assert.deepStrictEqual([settled.error._tag, yield* jobs], ["None", 2])
      // a source that ends with the canary makes no second job
      const few = yield* settle(Stream.fromIterable(widgets(20)).pipe(guarded))
      assert.deepStrictEqual([few.succeeded, yield* jobs], [20, 3])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("sends no more when the canary does not, and every record has an outcome", () =>
    Effect.gen(function* () {
      const guarded = Guard.load({ canary: { rows: 20, maxFailed: 1 } }, upsert)
      const settled = yield* settle(Stream.fromIterable(badFrom(18, 2_000)).pipe(guarded))
      assert.deepStrictEqual([settled.succeeded, settled.failed, settled.notSubmitted], [18, 2, 1_980])
      assert.isTrue(settled.isWhole(2_000))
      assert.deepStrictEqual([guardOf(settled.error), yield* jobs], ["canary", 1])
      const tolerant = Guard.load({ canary: { rows: 20, maxFailed: 1 }, onStop: "continue" }, upsert)
      const again = yield* settle(Stream.fromIterable(badFrom(18, 200)).pipe(tolerant))
      assert.deepStrictEqual([again.error._tag, again.notSubmitted], ["None", 180])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("sends no more when the job of the canary fails", () =>
    Effect.gen(function* () {
      const patient = Ingest.upsert({
        object: "Widget__c",
        schema: Widget,
        externalId: "Key__c",
        nulls: "clear",
        onJobFailed: "continue"
      })
      const guarded = Guard.load({ canary: { rows: 20, maxFailed: 1 } }, patient)
      const settled = yield* settle(Stream.fromIterable(widgets(200)).pipe(guarded))
      assert.deepStrictEqual([settled.succeeded, settled.notSubmitted], [0, 180])
      assert.isTrue(settled.isWhole(200))
      assert.deepStrictEqual([guardOf(settled.error), yield* jobs], ["canary", 1])
    }).pipe(virtually, Effect.provide(inProcess({ faults: [Faults.onJob(Faults.fail(), { nth: 1 })] })))
  )

  it.effect("sends no canary either when the hours are over", () =>
    Effect.gen(function* () {
      const submitUntil = yield* DateTime.now
      const guarded = Guard.load({ canary: { rows: 20, maxFailed: 1 }, submitUntil }, upsert)
      const settled = yield* settle(Stream.fromIterable(widgets(200)).pipe(guarded))
      assert.strictEqual(settled.notSubmitted, 200)
      assert.deepStrictEqual([guardOf(settled.error), yield* jobs], ["submitUntil", 0])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("stops at a failure rate, or when one error comes too often", () =>
    Effect.gen(function* () {
      const run = (stopWhen: Guard.StopWhen, records: ReadonlyArray<Widget>) =>
        settle(Stream.fromIterable(records).pipe(Guard.load({ stopWhen }, inHundreds)))
      const rate = yield* run({ failureRate: 0.1, after: 200 }, badFrom(300, 2_000))
      assert.strictEqual(guardOf(rate.error), "stopWhen")
      assert.isTrue(rate.isWhole(2_000))
      assert.isAbove(rate.failed, 20)
      assert.isAbove(rate.notSubmitted, 1_000)

      const same = yield* run({ sameError: 150 }, badFrom(300, 2_000))
      assert.strictEqual(guardOf(same.error), "stopWhen")
      assert.isAtLeast(same.failed, 150)
      assert.isAbove(same.notSubmitted, 1_000)

      // of several errors the most frequent one is named
      const longNames = badFrom(300, 2_000).map((w, i) =>
        i >= 300 && i % 3 === 0 ? widget(i + 1, { Name: "x".repeat(81) }) : w
      )
      const several = yield* run({ failureRate: 0.1, after: 200 }, longNames)
      const problem = several.error._tag === "Some" ? several.error.value.message : ""
      assert.match(problem, /most of all INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST, \d+ times/)

      const few = yield* run({ failureRate: 0.1, sameError: 500 }, badFrom(1_850, 2_000))
      assert.deepStrictEqual([few.failed, few.notSubmitted, few.error._tag], [150, 0, "None"])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("knows how many succeeded, also where only failures come out", () =>
    Effect.gen(function* () {
      const failures = Ingest.upsert({
        object: "Widget__c",
        schema: Widget,
        externalId: "Key__c",
        nulls: "clear",
        outcomes: "failures"
      })
      const run = (failureRate: number, load: Loads<Widget, Widget>) =>
        settle(Stream.fromIterable(twentieth).pipe(Guard.load({ stopWhen: { failureRate, after: 20 } }, load)))
      const inParts: Loads<Widget, Widget> = (records) =>
        records.pipe(
          Stream.grouped(100),
          Stream.flatMap((group) => failures(Stream.fromArray(group)))
        )
      // 5 of 100 fail in each job
      const below = yield* run(0.051, inParts)
      assert.deepStrictEqual([below.error._tag, below.failed, below.notSubmitted], ["None", 100, 0])
      const above = yield* run(0.049, inParts)
      assert.strictEqual(guardOf(above.error), "stopWhen")
      assert.match(messageOf(above.error), / (\d+) of (?!\1 )\d+ records failed/)
      assert.isAbove(above.notSubmitted, 1_000)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("does not take the failures of a job, which come first, for all of it", () =>
    Effect.gen(function* () {
      const one = Ingest.upsert({
        object: "Widget__c",
        schema: Widget,
        externalId: "Key__c",
        nulls: "clear",
        partRows: 500,
        concurrency: 1
      })
      const outcomes = Stream.fromIterable(twentieth).pipe(
        Guard.load({ stopWhen: { failureRate: 0.051, after: 20 } }, one),
        // as slow as a consumer may be
        Stream.rechunk(1),
        Stream.tap(() => Effect.sleep("1 second"))
      )
      const { error, failed, notSubmitted } = yield* settle(outcomes)
      assert.deepStrictEqual([error._tag, failed, notSubmitted], ["None", 100, 0])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("begins nothing after the hours in which may be loaded", () =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const submitUntil = DateTime.makeUnsafe(now + 600_000)
      // ten records every hundred seconds
      const slow = Stream.fromIterable(widgets(200)).pipe(
        Stream.rechunk(10),
        Stream.chunks,
        Stream.schedule(Schedule.spaced("100 seconds")),
        Stream.flatMap((some) => Stream.fromArray(some))
      )
      const settled = yield* settle(slow.pipe(Guard.load({ submitUntil }, upsert)))
      assert.strictEqual(guardOf(settled.error), "submitUntil")
      assert.isTrue(settled.isWhole(200))
      assert.isAtMost(settled.succeeded, 60)
      assert.isAtLeast(settled.succeeded, 40)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("passes on how the source fails, and refuses options that make no sense", () =>
    Effect.gen(function* () {
      const source = Stream.concat(Stream.fromIterable(widgets(50)), Stream.fail(new SourceBroke()))
      const canary = Guard.load({ canary: { rows: 20, maxFailed: 0 } }, upsert)
      assert.deepStrictEqual(yield* source.pipe(canary, Stream.runDrain, Effect.flip), new SourceBroke())
      for (const [options, problem] of [
        [{ stopWhen: { failureRate: 5 } }, "the failureRate is 5, not from 0 to 1"],
        [{ canary: { rows: 0, maxFailed: 0 } }, "a canary of 0 rows"]
      ] as const) {
        const wrong = Guard.load(options, upsert)
        const error = yield* Stream.fromIterable(widgets(1)).pipe(wrong, Stream.runDrain, Effect.flip)
        assert.deepInclude(error.reason, { _tag: "InvalidOptions", problem: `Guard: ${problem}` })
      }
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})
