import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Ref, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Connection from "../../src/connection/Connection.ts"
import * as IngestJob from "../../src/job/IngestJob.ts"
import * as Job from "../../src/job/Job.ts"
import * as Poll from "../../src/job/Poll.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import { inProcess, Requests, virtually } from "../support/orgs.ts"

const job = (state: string) => new Job.JobInfo({ id: "750A", operation: "insert", state })

/** A job that ends in a state at the nth look. */
const endingAt = (n: number, state: string) =>
  Effect.map(Ref.make(0), (looks) => ({
    looks,
    look: Effect.map(
      Ref.updateAndGet(looks, (k) => k + 1),
      (k) => job(k < n ? "InProgress" : state)
    )
  }))

describe("Poll", () => {
  it.effect("looks at once, and not again when the job is done, however it ended", () =>
    Effect.gen(function* () {
      for (const state of ["JobComplete", "Failed", "Aborted"]) {
        const { look, looks } = yield* endingAt(1, state)
        assert.strictEqual((yield* Poll.untilDone(look, { jobId: "750A" })).state, state)
        assert.strictEqual(yield* Ref.get(looks), 1)
      }
    })
  )

  it.effect("tells of every look", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const { look } = yield* endingAt(3, "JobComplete")
      const fiber = yield* Effect.forkChild(
        Poll.untilDone(look, { jobId: "750A", onLook: ({ state }) => Effect.sync(() => seen.push(state)) })
      )
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(seen, ["InProgress", "InProgress", "JobComplete"])
    })
  )

  it.effect("grows its delays up to the cap", () =>
    Effect.gen(function* () {
      const { look, looks } = yield* endingAt(Number.POSITIVE_INFINITY, "never")
      const fiber = yield* Effect.forkChild(Poll.untilDone(look, { jobId: "750A" }))
      yield* TestClock.adjust("1 hour")
      const n = yield* Ref.get(looks)
      assert.isTrue(n > 100 && n < 170, `${n} looks in an hour`)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("stops at the deadline and says which job, in which state", () =>
    Effect.gen(function* () {
      const { look } = yield* endingAt(Number.POSITIVE_INFINITY, "never")
      const fiber = yield* Effect.forkChild(
        Effect.flip(Poll.untilDone(look, { jobId: "750A", poll: { deadline: "1 minute" } }))
      )
      yield* TestClock.adjust("61 seconds")
      const { reason } = yield* Fiber.join(fiber)
      assert.deepInclude(reason, { _tag: "DeadlinePassed", jobId: "750A", state: "InProgress" })
    })
  )

  it.effect("looks fast first, never later than the cap, and at no fixed beat", () =>
    Effect.gen(function* () {
      const at: Array<number> = []
      const look = Effect.map(Clock.currentTimeMillis, (now) => {
        at.push(now)
        return job("InProgress")
      })
      const poll = { first: "100 millis", factor: 3, cap: "10 seconds" } as const
      const fiber = yield* Effect.forkChild(Poll.untilDone(look, { jobId: "750A", poll }))
      yield* TestClock.adjust("5 minutes")
      yield* Fiber.interrupt(fiber)
      const delays = at.slice(1).map((time, i) => time - (at[i] ?? 0))
      for (const [i, delay] of delays.entries()) {
        const longest = Math.min(100 * 3 ** i, 10_000)
        assert.isTrue(delay <= longest && delay >= longest * 0.79, `delay ${i} is ${delay} ms`)
      }
      assert.isAbove(new Set(delays.slice(6)).size, 10)
    })
  )

  it.effect("refuses a policy that would look without a pause", () =>
    Effect.gen(function* () {
      for (const poll of [{ first: 0 }, { cap: 0 }, { factor: 0.5 }, { factor: Number.NaN }, { first: -1 }]) {
        const { look, looks } = yield* endingAt(1, "JobComplete")
        const { reason } = yield* Effect.flip(Poll.untilDone(look, { jobId: "750A", poll }))
        assert.strictEqual(reason._tag, "InvalidOptions")
        assert.strictEqual(yield* Ref.get(looks), 0)
      }
    })
  )

  it.effect("leaves the job alone at the deadline: it can be awaited again, and every call counts", () =>
    Effect.gen(function* () {
      const { faults } = yield* EmbeddedOrg.EmbeddedOrg
      const { id } = yield* IngestJob.create({ object: "Widget__c", operation: "insert" })
      yield* IngestJob.upload(id, Stream.encodeText(Stream.make("Name\nx\n")))
      yield* IngestJob.close(id)
      const requests = yield* Requests
      const before = requests.length
      const calls = { count: 0 }
      const poll = { first: "1 second", cap: "10 seconds", deadline: "5 minutes" } as const
      const error = yield* Effect.flip(IngestJob.awaitDone(id, { poll })).pipe(
        Effect.provideService(Connection.Calls, calls)
      )
      assert.deepInclude(error.reason, { _tag: "DeadlinePassed", jobId: id, state: "InProgress" })
      assert.deepStrictEqual([error.jobId, error.org], [id, "http://127.0.0.1"])
      const looks = requests.slice(before)
      assert.deepStrictEqual(new Set(looks), new Set(["GET /jobs/ingest/ID"]))
      assert.strictEqual(calls.count, looks.length)
      assert.isTrue(looks.length > 30 && looks.length < 45, `${looks.length} looks`)
      yield* faults.set([])
      assert.strictEqual((yield* IngestJob.awaitDone(id, { poll })).state, "JobComplete")
    }).pipe(virtually, Effect.provide(inProcess({ faults: [Faults.onJob(Faults.stall())] })))
  )
})
