/** Bytes of CSV are counted as they go by. */
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Metrics from "../Metrics.ts"
import type { Known } from "./known.ts"

/** Counts what is sent to an org, or received from it. */
export const byteCounter = (
  direction: "transmit" | "receive",
  { org }: Known
): ((pieces: ReadonlyArray<Uint8Array>) => Effect.Effect<void>) => {
  const metric = Metric.withAttributes(Metrics.io, {
    ...Metrics.serverAddress(org),
    "network.io.direction": direction
  })
  return (pieces) => Metric.update(metric, lengthOf(pieces))
}

/** How many bytes there are in all. */
export const lengthOf = (pieces: ReadonlyArray<Uint8Array>): number =>
  pieces.reduce((sum, { length }) => sum + length, 0)
