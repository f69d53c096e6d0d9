/** Jobs from begin to end, against an org whose `queueDelay` is a second of the test clock. */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { api } from "./support.ts"

/** Runs a job to its end. */
export const run = Effect.fnUntraced(function* (job: Record<string, unknown>, csv: string) {
  const { failed, info, submit, successful, unprocessed } = yield* api
  const id = yield* submit(job, csv)
  yield* TestClock.adjust("1 second")
  return {
    info: yield* info(id),
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
