/** How long an answer is waited for. */
import * as Effect from "effect/Effect"
import { connectionLost, type HttpRequest } from "./exchange.ts"
import type { Known } from "./known.ts"

/** How long the head of an answer, or a whole JSON answer, may take before it counts as lost. */
export const patience = "2 minutes"

export const timeoutAfterPatience = (request: HttpRequest, known: Known) =>
  Effect.timeoutOrElse({
    duration: patience,
    orElse: () => Effect.suspend(() => Effect.fail(connectionLost(request, `nothing within ${patience}`, known.org)))
  })
