import { Effect, Schema } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { serve } from "./serve.ts"

/** As much of a span as is shown here. */
const Span = Schema.Struct({
  spanId: Schema.String,
  parentSpanId: Schema.optionalKey(Schema.NullOr(Schema.String)),
  name: Schema.String,
  startTimeUnixNano: Schema.String,
  endTimeUnixNano: Schema.String
})
type Span = typeof Span.Type

const Traces = Schema.Struct({
  resourceSpans: Schema.Array(Schema.Struct({ scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })) }))
})

/** A collector of traces by OTLP over HTTP with JSON, as small as one can be. */
export const collector = Effect.gen(function* () {
  const received: Array<Span> = []
  const traces = HttpRouter.add(
    "POST",
    "/v1/traces",
    Effect.gen(function* () {
      const { resourceSpans } = yield* HttpServerRequest.schemaBodyJson(Traces)
      for (const { scopeSpans } of resourceSpans) for (const { spans } of scopeSpans) received.push(...spans)
      return yield* HttpServerResponse.json({})
    })
  )
  return { url: yield* serve(traces, 0), spans: Effect.sync(() => received.slice()) }
})

/** The spans as lines, each below its parent with its milliseconds; those that are alike beside each other in one. */
export const treeOf = (spans: ReadonlyArray<Span>): ReadonlyArray<string> => {
  const known = new Set(spans.map(({ spanId }) => spanId))
  const children = Map.groupBy(spans, ({ parentSpanId }) =>
    parentSpanId != null && known.has(parentSpanId) ? parentSpanId : undefined
  )
  const millis = (own: ReadonlyArray<Span>) =>
    own.reduce((sum, span) => sum + Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)), 0) / 1e6
  const below = (parents: ReadonlyArray<string | undefined>, depth: number): ReadonlyArray<string> => {
    const own = parents
      .flatMap((parent) => children.get(parent) ?? [])
      .toSorted((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))
    return [...Map.groupBy(own, ({ name }) => name)].flatMap(([name, alike]) => [
      `${`${"  ".repeat(depth)}${name}${alike.length > 1 ? ` (${alike.length})` : ""}`.padEnd(40)} ${millis(alike).toFixed(0).padStart(7)} ms`,
      ...below(
        alike.map(({ spanId }) => spanId),
        depth + 1
      )
    ])
  }
  return below([undefined], 0)
}
