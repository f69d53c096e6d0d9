import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Progress } from "../Progress.ts"

/** Whether what is loaded was loaded before, and is corrected. */
export const AreCorrections = Context.Reference<boolean>("effect-salesforce-bulk/ingest/AreCorrections", {
  defaultValue: () => false
})

type Tell = ((event: Progress) => Effect.Effect<void>) | undefined

/** What a load tells: of corrections only that their jobs send again, since they were counted before. */
export const countedOnce = (tell: Tell): Effect.Effect<Tell> =>
  Effect.map(AreCorrections, (areCorrections) => {
    if (tell === undefined || !areCorrections) return tell
    return (event) => {
      switch (event._tag) {
        case "Encoded":
        case "Rejected":
          return Effect.void
        case "JobCreated":
          return tell({ ...event, resends: true })
        default:
          return tell(event)
      }
    }
  })
