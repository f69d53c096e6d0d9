// What loads and queries tell of themselves, and the fold of it.
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Stream } from "effect"
import * as Ingest from "../src/ingest/Ingest.ts"
import { JobInfo } from "../src/job/Job.ts"
import { Faults } from "../src/org/index.ts"
import * as Progress from "../src/Progress.ts"
import * as Query from "../src/query/Query.ts"
import { inProcess, virtually } from "./support/orgs.ts"
import { Widget, widget, widgets } from "./support/widgets.ts"

const listen = () => {
  const events: Array<Progress.Progress> = []
  return { events, progress: (event: Progress.Progress) => Effect.sync(() => void events.push(event)) }
}

/** The events' tags, several alike as one. */
const course = (events: ReadonlyArray<Progress.Progress>) =>
  events.map(({ _tag }) => _tag).filter((tag, i, all) => tag !== all[i - 1])

const fold = (events: ReadonlyArray<Progress.Progress>, total?: number) =>
  events.reduce((state, event) => Progress.add(state, event, 0), Progress.start({ at: 0, total }))

const upsert = { object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear" } as const

describe("Progress of a load", () => {
  it.effect("tells of each step in its order, and adds up", () =>
    Effect.gen(function* () {
      const { events, progress } = listen()
      const records = [...widgets(1200), widget(1201, { Grade__c: "Z" }), widget(1202, { Name: "#N/A" })]
      yield* Stream.fromIterable(records).pipe(Ingest.upsert({ ...upsert, progress }), Stream.runDrain)
      const steps = ["JobCreated", "Uploading", "Encoded", "Submitted", "Processing", "Reading", "JobDone"]
      assert.deepStrictEqual(
        course(events).filter((tag, i, all) => all.indexOf(tag) === i && tag !== "Rejected"),
        steps
      )
      const created = events.find((event) => event._tag === "JobCreated")
      assert.deepInclude(created, {
        kind: "ingest",
        operation: "upsert",
        object: "Widget__c",
        resends: false,
        attempt: 1
      })
      const state = fold(events, records.length)
      const { bytesDown, bytesUp, ...counts } = state.counts
      assert.deepStrictEqual(counts, {
        encoded: 1201,
        uploaded: 1201,
        processed: 1201,
        succeeded: 1200,
        failed: 2,
        unprocessed: 0,
        read: 1201
      })
      assert.isAbove(bytesUp, 64 * 1024)
      assert.isAbove(bytesDown, bytesUp)
      assert.strictEqual(Progress.settled(state), 1202)
      assert.deepInclude(state.jobs[0], {
        phase: "done",
        state: "JobComplete",
        records: 1201,
        succeeded: 1200,
        failed: 1
      })
      assert.strictEqual(state.ended, 1)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("counts once what is uploaded anew to another job", () =>
    Effect.gen(function* () {
      const { events, progress } = listen()
      yield* Stream.fromIterable(widgets(1200)).pipe(Ingest.upsert({ ...upsert, progress }), Stream.runDrain)
      assert.strictEqual(events.filter(({ _tag }) => _tag === "JobCreated").length, 2)
      assert.strictEqual(events.filter(({ _tag }) => _tag === "JobLeft").length, 1)
      const { counts, ended, jobs } = fold(events)
      assert.deepInclude(counts, { encoded: 1200, uploaded: 1200, processed: 1200, succeeded: 1200, failed: 0 })
      assert.deepStrictEqual([jobs.length, ended], [1, 1])
      const uploaded = events.flatMap((event) => (event._tag === "Uploading" ? [event] : []))
      assert.deepInclude(uploaded.at(-1), { records: 1200, bytes: counts.bytesUp })
    }).pipe(
      virtually,
      Effect.provide(inProcess({ faults: [Faults.on("upload", Faults.cutRequest(70_000), { nth: 1 })] }))
    )
  )

  it.effect("counts once what is sent again", () =>
    Effect.gen(function* () {
      const { events, progress } = listen()
      yield* Stream.fromIterable(widgets(30)).pipe(Ingest.upsert({ ...upsert, progress }), Stream.runDrain)
      const jobs = events.flatMap((event) => (event._tag === "JobCreated" ? [event.resends] : []))
      assert.deepStrictEqual(jobs, [false, true])
      const until = events.findIndex((event, i) => event._tag === "Submitted" && i > 10)
      const between = fold(events.slice(0, until + 1))
      assert.deepInclude(between.counts, { uploaded: 30, processed: 30, failed: 0 })
      assert.isBelow(Progress.settled(between), 30)
      assert.deepInclude(fold(events).counts, { uploaded: 30, processed: 30, succeeded: 30, failed: 0 })
    }).pipe(virtually, Effect.provide(inProcess({ faults: [Faults.onJob(Faults.lockRows({ rows: 5 }), { nth: 1 })] })))
  )

  it.effect("tells of parts that are known as a whole before they are sent", () =>
    Effect.gen(function* () {
      const { events, progress } = listen()
      const records = [...widgets(40), widget(7, { Name: "Last" })]
      yield* Stream.fromIterable(records).pipe(
        Ingest.upsert({ ...upsert, duplicates: "last", progress }),
        Stream.runDrain
      )
      assert.deepStrictEqual(course(events).slice(0, 4), ["Encoded", "Rejected", "JobCreated", "Uploading"])
      assert.deepInclude(fold(events).counts, { encoded: 41, uploaded: 40, succeeded: 40, failed: 1 })
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("Progress of a query", () => {
  it.effect("tells of its job and what is read, however the pages come", () =>
    Effect.gen(function* () {
      yield* Stream.fromIterable(widgets(1000)).pipe(Ingest.upsert(upsert), Stream.runDrain)
      for (const how of [{}, { maxRecords: 300 }, { unordered: true }]) {
        const { events, progress } = listen()
        const query = { schema: Widget, from: "Widget__c", progress, ...how } as const
        yield* Stream.runDrain(Query.records(query))
        assert.deepStrictEqual(course(events), ["JobCreated", "Processing", "Reading", "QueryDone"])
        const state = fold(events)
        assert.deepInclude(state.jobs[0], { kind: "query", phase: "done", state: "JobComplete", records: 1000 })
        assert.deepStrictEqual([Progress.settled(state), Progress.expected(state)], [1000, 1000])
        const read = events.flatMap((event) => (event._tag === "Reading" ? [event] : []))
        assert.deepStrictEqual(
          read.map(({ records }) => records),
          read.map(({ records }) => records).toSorted((a, b) => a - b)
        )
        const done = events.at(-1)
        assert.deepInclude(done, { records: 1000, bytes: read.at(-1)?.bytes })
        if (done?._tag === "QueryDone") assert.strictEqual(done.pages, "maxRecords" in how ? 4 : 1)
      }
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("tells that it was left", () =>
    Effect.gen(function* () {
      yield* Stream.fromIterable(widgets(10)).pipe(Ingest.upsert(upsert), Stream.runDrain)
      const { events, progress } = listen()
      const query = Query.records({ schema: Widget, from: "Widget__c", progress })
      yield* Stream.runDrain(Stream.take(query, 1))
      assert.deepInclude(events.at(-1), { _tag: "JobLeft" })
      assert.deepInclude(fold(events).jobs[0], { phase: "left", read: 10 })
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("Progress", () => {
  const job = (jobId: string) =>
    [
      { _tag: "JobCreated", jobId, kind: "ingest", operation: "insert", object: "A", resends: false, attempt: 1 },
      { _tag: "Submitted", jobId, records: 100, bytes: 1000 },
      { _tag: "Processing", jobId, state: "InProgress", processed: 50, failed: 10 }
    ] as const satisfies ReadonlyArray<Progress.Progress>

  it("reckons rates of the last minute, and the time left from them", () => {
    let state = Progress.start({ at: 1_000, total: 1000 })
    assert.isUndefined(Progress.timeLeft(state, 1_000))
    for (let n = 1; n <= 4; n++) for (const event of job(`${n}`)) state = Progress.add(state, event, 1_000 + n * 10_000)
    assert.deepStrictEqual(Progress.settled(state), 200)
    assert.deepInclude(Progress.rates(state, 41_000), { settled: 5, uploaded: 10, bytesUp: 100 })
    assert.deepStrictEqual(Progress.timeLeft(state, 41_000), Duration.seconds(160))
    // nothing has moved for longer than a minute
    assert.isUndefined(Progress.timeLeft(state, 200_000))
    for (let at = 200_000; at < 400_000; at += 100)
      state = Progress.add(state, { _tag: "Encoded", records: 1, bytes: 9 }, at)
    assert.isBelow(state.samples.length, 65)
  })

  it("keeps the hundred jobs that ended last, and the sums of all", () => {
    let state = Progress.start({ at: 0 })
    const done = new JobInfo({ id: "1", operation: "insert", state: "JobComplete" })
    for (let n = 1; n <= 150; n++) {
      for (const event of job(`${n}`)) state = Progress.add(state, event, n)
      if (n === 3) continue
      const counts = { succeeded: 90, created: 90, failed: 10, unprocessed: 0, failures: [], job: done }
      state = Progress.add(state, { _tag: "JobDone", jobId: `${n}`, state: "JobComplete", ...counts }, n)
    }
    assert.strictEqual(state.jobs.length, 101)
    assert.deepStrictEqual([state.jobs[0]?.id, state.jobs[0]?.phase, state.ended], ["3", "processing", 149])
    assert.deepInclude(state.counts, { uploaded: 15_000, succeeded: 149 * 90 + 40, failed: 1500 })
  })
})
