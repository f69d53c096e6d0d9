import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as Backlog from "../../src/ingest/backlog.ts"

describe("the backlog of jobs whose results are not read", () => {
  it.effect("is short below so many, also when the reading of one has failed", () =>
    Effect.gen(function* () {
      const backlog = yield* Backlog.make(2)
      const [first, second] = [yield* Deferred.make<void, string>(), yield* Deferred.make<void, string>()]
      const one = yield* Effect.forkChild(backlog.reading(Deferred.await(first)), { startImmediately: true })
      yield* backlog.isShort
      const other = yield* Effect.forkChild(backlog.reading(Deferred.await(second)), { startImmediately: true })
      const waiting = yield* Effect.forkChild(backlog.isShort, { startImmediately: true })
      yield* Effect.yieldNow
      assert.isUndefined(waiting.pollUnsafe())
      yield* Deferred.fail(first, "broken")
      assert.strictEqual(yield* Effect.flip(Fiber.join(one)), "broken")
      yield* Fiber.join(waiting)
      yield* Fiber.interrupt(other)
      yield* backlog.isShort
    })
  )
})
