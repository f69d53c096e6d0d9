// What a run leaves in traces and metrics, in a form to compare.
import { Effect, Metric, Option, Tracer } from "effect"

/** Keeps all spans of an effect, and its metrics apart from those of others. */
export const observed = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const spans: Array<Tracer.Span> = []
    const tracer = Tracer.make({
      span(options) {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    return Effect.gen(function* () {
      const exit = yield* Effect.exit(self)
      return { exit, spans, metrics: yield* Metric.snapshot }
    }).pipe(Effect.provideService(Tracer.Tracer, tracer), Effect.provideService(Metric.MetricRegistry, new Map()))
  })

/** The spans as lines, those of the HTTP client left out, each below its parent. */
export const treeOf = (spans: ReadonlyArray<Tracer.Span>): ReadonlyArray<string> => {
  const own = spans.filter(({ kind }) => kind !== "client")
  const parentOf = (span: Tracer.Span) => Option.getOrUndefined(span.parent)?.spanId
  const below = (parent: string | undefined, depth: number): ReadonlyArray<string> =>
    own
      .filter((span) =>
        parent === undefined ? !own.some(({ spanId }) => spanId === parentOf(span)) : parentOf(span) === parent
      )
      .flatMap((span) => [`${"  ".repeat(depth)}${span.name}`, ...below(span.spanId, depth + 1)])
  return below(undefined, 0)
}

/** The metrics of this library: `name{attribute=value,...}` and what they came to; of histograms how many values. */
export const valuesOf = (metrics: ReadonlyArray<Metric.Metric.Snapshot>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    metrics
      .filter(({ id }) => id.startsWith("salesforce."))
      .map(({ attributes = {}, id, state }) => {
        const own = Object.entries(attributes).filter(([name]) => name !== "unit" && !name.startsWith("server."))
        const shown = own.map(([name, value]) => `${name.replace(/^salesforce\./, "")}=${value}`).toSorted()
        const value = "value" in state ? state.value : "count" in state ? state.count : Number.NaN
        return [`${id.replace(/^salesforce\./, "")}{${shown.join(",")}}`, Number(value)]
      })
      .toSorted()
  )
