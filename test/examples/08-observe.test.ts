import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { collector, treeOf } from "../../examples/08-observe/collector.ts"
import { Faults } from "../../src/org/index.ts"
import { environment, realOrg } from "./realOrg.ts"
import { runExample } from "./run.ts"

const dashboard: {
  readonly panels: ReadonlyArray<{ readonly title: string; readonly targets: ReadonlyArray<{ readonly expr: string }> }>
} = JSON.parse(readFileSync(join(resolve(import.meta.dirname, "../.."), "examples/08-observe/dashboard.json"), "utf8"))

/** The metrics that a query of Prometheus is about. */
const metricsIn = (expr: string) => expr.replaceAll(/\bby \([^)]*\)|\{[^}]*\}/g, "").match(/salesforce_\w+/g) ?? []

const names = (tree: ReadonlyArray<string>) => tree.map((line) => line.replace(/ +\d+ ms$/, ""))

describe("08-observe", () => {
  it.live(
    "serves the metrics of a load, and prints the spans that its collector got",
    () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* runExample("08", ["--rows", "800"], { env: { METRICS_PORT: "0" } })
        assert.strictEqual(code, 0, stderr)
        assert.match(stderr, /^stocks: 800 of 800 processed, 8 failed, in /m)
        assert.match(stdout, /^Prometheus finds the metrics at http:\/\/127\.0\.0\.1:\d+\/metrics$/m)
        assert.match(stdout, /^792 loaded, 8 refused, 792 queried back$/m)
        const value = (name: string, ...labels: ReadonlyArray<string>) => {
          const line = stdout
            .split("\n")
            .find((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)))
          return Number(line?.split(" ").at(-1))
        }
        assert.strictEqual(value("salesforce_bulk_records", 'salesforce_outcome="succeeded"'), 792)
        assert.strictEqual(value("salesforce_bulk_records", 'salesforce_outcome="failed"'), 8)
        assert.strictEqual(value("salesforce_bulk_records", 'salesforce_operation="query"'), 792)
        assert.strictEqual(value("salesforce_bulk_job_duration_count", 'salesforce_operation="upsert"'), 4)
        const used = value("salesforce_api_calls_used")
        assert.strictEqual(used + value("salesforce_api_calls_remaining"), value("salesforce_api_calls_limit"))
        const tree = names(stdout.slice(stdout.indexOf("What the collector got:\n\n")).split("\n").slice(2))
        assert.deepStrictEqual(tree.slice(0, 12), [
          "Ingest.load",
          "  Ingest.part (4)",
          "    IngestJob.create (4)",
          "      POST (4)",
          "    IngestJob.upload (4)",
          "      PUT (4)",
          "    IngestJob.close (4)",
          "      PATCH (4)",
          "    IngestJob.awaitDone (4)",
          "      GET (16)",
          "    IngestJob.results (8)",
          "      GET (8)"
        ])
        assert.strictEqual(tree[12], "Query.run")
      }),
    120_000
  )

  it.live(
    "exports what its dashboard asks for while it serves on, and sends spans to where it is told",
    () =>
      Effect.gen(function* () {
        const { spans, url } = yield* collector
        let scraped: Promise<string> | undefined
        const { code, stderr } = yield* runExample("08", ["--rows", "800", "--stay"], {
          env: { ...(yield* environment), METRICS_PORT: "0", OTEL_EXPORTER_OTLP_ENDPOINT: url },
          onOutput: ({ stdout }, example) => {
            const metrics = /at (http:\S+\/metrics)$/m.exec(stdout)?.[1]
            if (scraped !== undefined || metrics === undefined || !stdout.includes("Serving on")) return
            scraped = fetch(metrics)
              .then((response) => response.text())
              .finally(() => example.kill("SIGINT"))
          }
        })
        assert.strictEqual(code, 130, stderr)
        const text = yield* Effect.promise(async () => (await scraped) ?? "")
        const exported = new Set(text.match(/^salesforce_\w+/gm))
        for (const { targets, title } of dashboard.panels) {
          for (const { expr } of targets) {
            const asked = metricsIn(expr)
            assert.isNotEmpty(asked, expr)
            assert.deepStrictEqual(
              asked.filter((name) => !exported.has(name)),
              [],
              title
            )
          }
        }
        // and there is no metric that it does not show
        const shown = new Set(dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsIn(expr))))
        const families = [...text.matchAll(/^# TYPE (salesforce_\w+)/gm)].map(([, name = ""]) => name)
        assert.deepStrictEqual(
          families.filter((name) => ![...shown].some((each) => each.replace(/_(sum|count|bucket)$/, "") === name)),
          []
        )
        assert.include(names(treeOf(yield* spans)), "    Ingest.resend")
      }).pipe(
        Effect.provide(
          realOrg("08-observe", {
            faults: [
              Faults.on("upload", Faults.respond(503), { nth: 1 }),
              Faults.onJob(Faults.lockRows({ rows: 3 }), { nth: 2 })
            ]
          })
        )
      ),
    120_000
  )
})
