/** What a connection learns of its org by the way. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Metrics from "../Metrics.ts"
import * as Answer from "./answer.ts"
import type { HttpRequest } from "./exchange.ts"

export interface Known {
  /** The URL of the org, once the session was asked for it. */
  org: string | undefined
  /** What the org last said of its daily API calls, and when. */
  usage: { readonly used: number; readonly max: number; readonly at: number } | undefined
  /** Whether it ever answered, and whether with a success. */
  hasAnswered: boolean
  hasSucceeded: boolean
}

export const nothingYet = (): Known => ({
  org: undefined,
  usage: undefined,
  hasAnswered: false,
  hasSucceeded: false
})

/** Notes what an answer says besides what was asked for. */
export const note = Effect.fnUntraced(function* (
  known: Known,
  url: string,
  { method }: HttpRequest,
  answer: Answer.Head
) {
  known.hasAnswered = true
  known.hasSucceeded ||= Answer.isOk(answer)
  const at = Metrics.serverAddress(url)
  const what = { "http.request.method": method, "http.response.status_code": String(answer.status) }
  yield* Metric.update(Metric.withAttributes(Metrics.requests, { ...at, ...what }), 1)
  const said = Answer.readUsage(answer)
  if (said === undefined) return
  known.usage = { ...said, at: yield* Clock.currentTimeMillis }
  yield* Metric.update(Metric.withAttributes(Metrics.apiCallsUsed, at), said.used)
  yield* Metric.update(Metric.withAttributes(Metrics.apiCallsLimit, at), said.max)
  yield* Metric.update(Metric.withAttributes(Metrics.apiCallsRemaining, at), said.max - said.used)
})
