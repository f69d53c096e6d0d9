/**
 * Serves the metrics of a running load to Prometheus, and sends its spans to a collector by OTLP.
 *
 *     npm run example -- 08
 *     npm run example -- 08 --stay     # serves on until Ctrl-C
 *     npm run example -- 08 --full     # with 1,000,000 records; --rows N: with so many
 *
 * Prometheus scrapes http://127.0.0.1:9464/metrics, or another port by METRICS_PORT (`prometheus.yml` is a
 * configuration of it); `dashboard.json` shows what it scraped in Grafana (Dashboards, New, Import). Spans go to where
 * OTEL_EXPORTER_OTLP_ENDPOINT says, http://127.0.0.1:4318 for one; without it the example has a collector of its own,
 * and prints what arrived there. What is measured is listed in `docs/measures.md`.
 *
 * The org is an embedded one, or the one that the environment describes (`examples/shared/connection.ts`), which needs
 * the object of `objects/Stock__c.json`.
 */

import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Config, Console, Effect, Layer, Option, Schema, Stream } from "effect"
import { HttpClient } from "effect/http"
import { OtlpSerialization, OtlpTracer, PrometheusMetrics } from "effect/observability"
import { Ingest, ProgressView, Query } from "../../src/index.ts"
import { layerConnection } from "../shared/connection.ts"
import { abortedOnInterrupt } from "../shared/interrupt.ts"
import { runMain } from "../shared/main.ts"
import { isSwitchedOn, rowsOfRun } from "../shared/size.ts"
import { collector, treeOf } from "./collector.ts"
import { serve } from "./serve.ts"

class Stock extends Schema.Class<Stock>("Stock")({
  Sku__c: Schema.String,
  Name: Schema.String,
  Count__c: Schema.Finite,
  Warehouse__c: Schema.String
}) {}

/** A stock list, of which the org refuses one of a hundred: it knows no warehouse in the east. */
const stocks = (count: number) =>
  Stream.range(1, count).pipe(
    Stream.map(
      (n) =>
        new Stock({
          Sku__c: `SKU-${n}`,
          Name: `Article ${n}`,
          Count__c: (n * 37) % 1000,
          Warehouse__c: n % 100 === 0 ? "East" : n % 2 === 0 ? "North" : "South"
        })
    )
  )

const load = (rows: number) =>
  Effect.gen(function* () {
    const view = yield* ProgressView.make({ label: "stocks", total: rows })
    return yield* stocks(rows).pipe(
      Ingest.run({
        operation: "upsert",
        object: "Stock__c",
        schema: Stock,
        externalId: "Sku__c",
        nulls: "clear",
        partRows: Math.ceil(rows / 4),
        onInterrupt: "abort",
        progress: view.show
      })
    )
  }).pipe(Effect.scoped)

const count = Stream.runCount(Query.records({ schema: Stock, from: "Stock__c" }))

/** What Prometheus would get now, without the buckets of histograms. */
const scraped = (url: string) =>
  HttpClient.get(url).pipe(
    Effect.flatMap((response) => response.text),
    Effect.map((text) => text.split("\n").filter((line) => /^salesforce_/.test(line) && !line.includes("_bucket{")))
  )

const program = Effect.gen(function* () {
  const rows = yield* rowsOfRun({ usual: 8_000, full: 1_000_000, switches: ["stay"] })
  const port = yield* Config.Int("METRICS_PORT").pipe(Config.withDefault(9464))
  const metrics = `${yield* serve(PrometheusMetrics.layerHttp(), port)}/metrics`
  yield* Console.log(`Prometheus finds the metrics at ${metrics}`)

  const endpoint = yield* Config.option(Config.String("OTEL_EXPORTER_OTLP_ENDPOINT"))
  const own = Option.isNone(endpoint) ? yield* collector : undefined
  const to = Option.getOrElse(endpoint, () => own?.url ?? "")
  // what it has is sent when it is left
  const Traces = OtlpTracer.layer({
    url: `${to.replace(/\/$/, "")}/v1/traces`,
    resource: { serviceName: "example-08-observe" }
  }).pipe(Layer.provide(OtlpSerialization.layerJson), Layer.provide(NodeHttpClient.layerUndici))

  const [{ failed, succeeded }, found] = yield* Effect.all([load(rows), count]).pipe(Effect.provide(Traces))
  const number = (n: number) => n.toLocaleString("en-US")
  yield* Console.log(`${number(succeeded)} loaded, ${number(failed)} refused, ${number(found)} queried back`)

  yield* Console.log(`\nWhat Prometheus gets:\n\n${(yield* scraped(metrics)).join("\n")}`)
  if (own === undefined) yield* Console.log(`\nThe spans are at ${to}`)
  else yield* Console.log(`\nWhat the collector got:\n\n${treeOf(yield* own.spans).join("\n")}`)

  if (yield* isSwitchedOn("stay")) {
    yield* Console.log("\nServing on until Ctrl-C")
    yield* Effect.never
  }
})

const ConnectionLive = layerConnection({ objects: new URL("objects/", import.meta.url), polls: [1, 2] })

program.pipe(
  abortedOnInterrupt,
  Effect.scoped,
  Effect.provide(Layer.merge(ConnectionLive, NodeHttpClient.layerUndici).pipe(Layer.provideMerge(NodeServices.layer))),
  runMain
)
