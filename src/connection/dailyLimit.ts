/** The share of the org's daily API calls that is left to others. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as BulkError from "../BulkError.ts"
import type { Known } from "./known.ts"

/** How long what the org said of its API calls counts, where a limit depends on it. */
const usageLifetime = 60_000

/** Asks the org how many API calls it has made, unless that is known well enough, and stops where they are too many. */
export const checkDailyLimit = Effect.fnUntraced(function* (
  share: number,
  known: Known,
  askOrg: Effect.Effect<unknown, BulkError.BulkError>
) {
  if (known.usage === undefined || known.usage.at + usageLifetime <= (yield* Clock.currentTimeMillis)) yield* askOrg
  const { org, usage } = known
  if (usage !== undefined && usage.used >= usage.max * share) {
    const { max, used } = usage
    return yield* BulkError.make(new BulkError.DailyLimitReached({ used, max, share }), org)
  }
})
