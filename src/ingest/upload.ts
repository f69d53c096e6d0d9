import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as BulkError from "../BulkError.ts"
import { Connection } from "../connection/Connection.ts"
import * as IngestJob from "../job/IngestJob.ts"
import type { Progress } from "../Progress.ts"
import type * as Csv from "../record/Csv.ts"
import type { Jobs } from "./jobs.ts"
import type { Part } from "./parts.ts"

/** What the jobs of a load are, and how their CSV is sent. */
export interface Uploading {
  readonly job: IngestJob.CreateOptions
  readonly gzip: boolean | undefined
}

/** Uploads a part: to one job, or another if the upload breaks. Gives its id; undefined if the part has failed. */
export const upload = <E>(
  part: Part<E>,
  dialect: Csv.Dialect,
  options: Uploading & {
    readonly resends: boolean
    readonly jobs: Jobs
    readonly progress: (event: Progress) => Effect.Effect<void>
    /** Jobs that broke are aborted in the background of it. */
    readonly scope: Scope.Scope
  }
): Effect.Effect<string | undefined, BulkError.BulkError, Connection> =>
  Connection.use((connection) => {
    const { gzip, job, jobs, progress, resends, scope } = options
    const { object, operation } = job
    let attempt = 0
    const once = Effect.gen(function* () {
      const { id } = yield* jobs.create({ ...job, ...dialect })
      attempt++
      yield* progress({ _tag: "JobCreated", jobId: id, kind: "ingest", operation, object, resends, attempt })
      return yield* IngestJob.upload(id, told(id, part, progress), { gzip }).pipe(
        Effect.as(id),
        Effect.onInterrupt(() => jobs.abandon(id)),
        Effect.catchCause((cause): Effect.Effect<string | undefined, BulkError.BulkError> => {
          if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
          // the job may hold data: never to be used again
          return Effect.andThen(
            Effect.asVoid(Effect.forkIn(Effect.provideService(jobs.abandon(id), Connection, connection), scope)),
            part.failure() === undefined
              ? Effect.failCause(cause as Cause.Cause<BulkError.BulkError>)
              : Effect.succeed(undefined)
          )
        })
      )
    })
    // the next job is created with a session that is renewed
    return connection.retry(Effect.retry(once, { times: 2, while: isRefusedSession }))
  })

/** The CSV of a part, with word of each block that goes to the socket. */
const told = <E>(jobId: string, part: Part<E>, progress: (event: Progress) => Effect.Effect<void>) =>
  Stream.suspend(() => {
    let sent = 0
    return Stream.mapArrayEffect(part.csv, (blocks) => {
      for (const block of blocks) sent += block.length
      // a block that the spool gives again may hold any number of rows
      const records = Math.floor((part.rows() * sent) / part.bytes())
      return Effect.as(progress({ _tag: "Uploading", jobId, records, bytes: sent }), blocks)
    })
  })

const isRefusedSession = ({ reason }: BulkError.BulkError): boolean =>
  reason._tag === "ApiError" && reason.status === 401
