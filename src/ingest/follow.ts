import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import { Connection } from "../connection/Connection.ts"
import { streamInOrg } from "../connection/streamInOrg.ts"
import { dialectOf } from "../job/dialectOf.ts"
import * as IngestJob from "../job/IngestJob.ts"
import { measured } from "../measured.ts"
import { collect } from "./collect.ts"
import { awaited } from "./jobs.ts"
import type { Join } from "./join.ts"
import type { CsvRow, Outcome } from "./Outcome.ts"
import type { LoadOptions } from "./options.ts"

/** The outcomes of a job that nobody here has uploaded. */
export const follow = (
  jobId: string,
  options: Pick<LoadOptions, "outcomes" | "onJobFailed" | "poll" | "progress">
): Stream.Stream<Outcome<CsvRow>, BulkError.BulkError, Connection> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { onJobFailed = "fail", outcomes = "all", poll } = options
      const progress = measured((yield* Connection).org, options.progress)
      const first = yield* IngestJob.get(jobId)
      if (first.state === "Open") {
        return yield* BulkError.make(
          new BulkError.InvalidOptions({ problem: `job ${jobId} is Open: it was not submitted, and has no outcomes` })
        )
      }
      const { object, operation } = first
      yield* progress({ _tag: "JobCreated", jobId, kind: "ingest", operation, object, resends: false, attempt: 1 })
      const job = yield* awaited(jobId, poll, progress)
      const successes = outcomes === "all"
      return collect(job, joined, {
        dialect: dialectOf(first),
        successes,
        keepSuccesses: undefined,
        again: () => false,
        onJobFailed,
        reading: yield* Semaphore.make(1),
        progress
      })
    })
  ).pipe(streamInOrg, Stream.withSpan("Ingest.resume", { attributes: { "salesforce.job.id": jobId } }))

/** The rows of results are about themselves. */
const joined: Join<CsvRow> = {
  sent: () => undefined,
  settle: () => 0,
  unsettled: () => [],
  batch: 1,
  recordsOf: (settled) => Effect.succeed(settled.map(({ row }) => row))
}
