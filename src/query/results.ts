import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import { streamInOrg } from "../connection/streamInOrg.ts"
import { dialectOf } from "../job/dialectOf.ts"
import type * as Job from "../job/Job.ts"
import type * as QueryJob from "../job/QueryJob.ts"
import type { RunOptions } from "./options.ts"
import * as Pages from "./pages.ts"
import { checkPages } from "./prepare.ts"
import { run } from "./run.ts"
import { type Watched, watched, watching } from "./watching.ts"

const defaultReadAhead = 8 * 1024 * 1024
const defaultConcurrency = 4

/** What comes of the pages of a new job. `before` counts the records of earlier pages. */
export const queried = <A>(
  soql: string,
  given: RunOptions & QueryJob.CreateOptions,
  use: (page: Pages.Page, before: number) => Stream.Stream<A, BulkError.BulkError>
): Stream.Stream<A, BulkError.BulkError, Connection> =>
  Stream.unwrap(
    Effect.gen(function* () {
      yield* checkPages(given)
      const options = yield* watched(given)
      const { afterwards, all, columnDelimiter, lineEnding, poll, progress } = options
      const job = yield* run(soql, { afterwards, all, columnDelimiter, lineEnding, poll, progress })
      return results(job, options, use)
    })
  ).pipe(streamInOrg, Stream.withSpan("Query.run"))

/** What comes of the pages of a complete job, whose sum is checked at the end. */
export const results = <A>(
  job: Job.JobInfo,
  options: RunOptions & Watched & { readonly isChained?: boolean; readonly locator?: string | undefined },
  use: (page: Pages.Page, before: number) => Stream.Stream<A, BulkError.BulkError>
): Stream.Stream<A, BulkError.BulkError, Connection> =>
  Stream.suspend(() => {
    const { id: jobId, numberRecordsProcessed } = job
    const { isChained = false, locator, maxRecords, unordered = false } = options
    let received = 0
    const watch = watching(job, options)
    return Pages.pagesOf(
      {
        jobId,
        dialect: dialectOf(job),
        locator,
        maxRecords,
        parallel: maxRecords === undefined && !isChained,
        concurrency: options.concurrency ?? defaultConcurrency,
        unordered,
        readAhead: options.readAhead ?? defaultReadAhead
      },
      (page) =>
        Stream.onEnd(
          use(watch.page(page), unordered ? 0 : received),
          Effect.sync(() => {
            received += page.size()
          })
        )
    ).pipe(
      Stream.onEnd(
        // who goes on in the middle cannot know what came before
        Effect.suspend(() => (locator === undefined ? checkSum(jobId, received, numberRecordsProcessed) : Effect.void))
      ),
      watch.all
    )
  })

/** The job's own count may lag behind, so only a larger one means that records are missing. */
const checkSum = (jobId: string, received: number, expected = 0): Effect.Effect<void, BulkError.BulkError> => {
  if (received < expected) {
    return Effect.fail(BulkError.make(new BulkError.IncompleteResults({ jobId, expected, received })))
  }
  return received > expected
    ? Effect.logDebug(`query job ${jobId} counts ${expected} records, and its pages hold ${received}`)
    : Effect.void
}
