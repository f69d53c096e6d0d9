import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Ref } from "effect"
import { TestClock } from "effect/testing"
import * as Job from "../../src/job/Job.ts"
import * as Poll from "../../src/job/Poll.ts"

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
})
