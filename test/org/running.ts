/** Jobs from begin to end, against an org whose `queueDelay` is a second of the test clock. */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { api } from "./support.ts"

/** Lets the fibers of the org run until a job is at an end. */
export const ended = (id: string) =>
  Effect.flatMap(api, ({ info }) =>
    Effect.repeat(Effect.tap(info(id), Effect.yieldNow), {
      until: ({ state }) => state !== "UploadComplete" && state !== "InProgress"
    })
  )

/** Runs a job to its end. */
export const run = Effect.fnUntraced(function* (job: Record<string, unknown>, csv: string) {
  const { failed, submit, successful, unprocessed } = yield* api
  const id = yield* submit(job, csv)
  yield* TestClock.adjust("1 second")
  return {
    // the test clock does not wait as long as many rows take
    info: yield* ended(id),
    successful: yield* successful(id),
    failed: yield* failed(id),
    unprocessed: yield* unprocessed(id)
  }
})

/** The rows of a query, once it has run. */
export const select = Effect.fnUntraced(function* (soql: string, operation = "query") {
  const { page, query } = yield* api
  const id = yield* query(soql, { operation })
  yield* TestClock.adjust("1 second")
  return (yield* page(id)).text.trimEnd().split("\n").slice(1)
})

/** The errors of a file of failed rows. */
export const errors = (answer: { readonly text: string }) =>
  answer.text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split('","')[1])
