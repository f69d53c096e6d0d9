import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type * as BulkError from "../BulkError.ts"
import { Connection } from "../connection/Connection.ts"
import type * as Job from "../job/Job.ts"
import { measured } from "../measured.ts"
import type { PagesOptions } from "./options.ts"
import type { Page } from "./pages.ts"

/** Somebody is told of the progress. */
export interface Watched {
  readonly progress: NonNullable<PagesOptions["progress"]>
}

/** Options whose progress is measured too. */
export const watched = <O extends Pick<PagesOptions, "progress">>(
  options: O
): Effect.Effect<O & Watched, never, Connection> =>
  Effect.map(Connection, ({ org }) => ({ ...options, progress: measured(org, options.progress) }))

/** Tells how the pages of a job are read, at each piece of them, and how that ends. */
export const watching = (job: Job.JobInfo, { progress }: Watched) => {
  const jobId = job.id
  /** Pages that are being read. */
  const open = new Set<Page>()
  let pages = 0
  let bytes = 0
  /** The records of pages that were read. */
  let records = 0
  const arrived = () => {
    let sum = records
    for (const page of open) sum += page.arrived()
    return sum
  }
  return {
    page: (page: Page): Page => ({
      ...page,
      bytes: Stream.suspend(() => {
        open.add(page)
        pages++
        return page.bytes.pipe(
          Stream.mapArrayEffect((pieces) => {
            for (const piece of pieces) bytes += piece.length
            return Effect.as(progress({ _tag: "Reading", jobId, records: arrived(), bytes }), pieces)
          }),
          Stream.onEnd(
            Effect.sync(() => {
              open.delete(page)
              records += page.size()
            })
          )
        )
      })
    }),
    all: <A, R>(self: Stream.Stream<A, BulkError.BulkError, R>): Stream.Stream<A, BulkError.BulkError, R> =>
      Stream.suspend(() => {
        let isDrained = false
        return self.pipe(
          Stream.onEnd(
            Effect.suspend(() => {
              isDrained = true
              return progress({ _tag: "QueryDone", jobId, records, bytes, pages, job })
            })
          ),
          Stream.onExit((exit) =>
            Exit.isSuccess(exit) && isDrained ? Effect.void : progress({ _tag: "JobLeft", jobId })
          )
        )
      })
  }
}
