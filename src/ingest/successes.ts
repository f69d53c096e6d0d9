import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * Who hears how many records of a job succeeded, before its outcomes come out, which
 * need not have them all: what the job counts, and then what its results say.
 */
export const Successes = Context.Reference<(jobId: string, succeeded: number) => void>(
  "effect-salesforce-bulk/ingest/Successes",
  { defaultValue: () => () => undefined }
)

/** Tells how many records of a job succeeded. */
export const tellSuccesses = (jobId: string, succeeded: number): Effect.Effect<void> =>
  Effect.map(Successes, (hear) => hear(jobId, succeeded))
