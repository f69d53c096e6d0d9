import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Stream } from "effect"
import { watchUpload } from "../../src/connection/stall.ts"

describe("an upload", () => {
  it.live("lets timers and signals have their turn, where neither source nor socket ever waits", () =>
    Effect.gen(function* () {
      const { body } = yield* watchUpload(Duration.seconds(30), "30 seconds")
      const blocks = Stream.fromArray(new Array(100).fill(new Uint8Array(10)))
      let turns = 0
      let goesOn = true
      const turn = () => {
        turns++
        if (goesOn) setImmediate(turn)
      }
      setImmediate(turn)
      yield* Stream.runDrain(body(Stream.rechunk(blocks, 1)))
      goesOn = false
      assert.isAtLeast(turns, 20)
    })
  )
})
