import type * as Effect from "effect/Effect"
import type * as BulkError from "../BulkError.ts"
import { Connection } from "../connection/Connection.ts"
import * as Job from "./Job.ts"
import * as Poll from "./Poll.ts"

/** What `awaitDone` of either kind of job takes. */
export interface AwaitOptions<R> {
  readonly poll?: Poll.Poll | undefined
  readonly onLook?: ((job: Job.JobInfo) => Effect.Effect<void, never, R>) | undefined
}

/** The operations that ingest and query jobs share, each at its own path. */
export const endpointAt = (base: "/jobs/ingest" | "/jobs/query") => {
  const path = (jobId: string): string => `${base}/${encodeURIComponent(jobId)}`

  const create = (body: object): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
    Connection.use((connection) =>
      connection.json(
        {
          method: "POST",
          path: base,
          body: { ...body, contentType: "CSV", columnDelimiter: "COMMA", lineEnding: "LF" }
        },
        Job.JobInfo
      )
    )

  const get = (jobId: string): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
    Connection.use((connection) => connection.json({ method: "GET", path: path(jobId) }, Job.JobInfo))

  const patchState = (
    jobId: string,
    state: "UploadComplete" | "Aborted"
  ): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection> =>
    Connection.use((connection) =>
      connection.json({ method: "PATCH", path: path(jobId), body: { state } }, Job.JobInfo)
    )

  const awaitDone = <R = never>(
    jobId: string,
    options?: AwaitOptions<R>
  ): Effect.Effect<Job.JobInfo, BulkError.BulkError, Connection | R> =>
    Poll.untilDone(get(jobId), { ...options, jobId })

  return { path, create, get, patchState, awaitDone }
}
