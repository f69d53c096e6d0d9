// What loads and queries leave in metrics and traces, exactly; and the page that lists it.
import { globSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Metric, Stream } from "effect"
import * as Ingest from "../src/ingest/Ingest.ts"
import * as Metrics from "../src/Metrics.ts"
import { Faults } from "../src/org/index.ts"
import * as Query from "../src/query/Query.ts"
import { inProcess, replacing, virtually } from "./support/orgs.ts"
import { observed, treeOf, valuesOf } from "./support/tracing.ts"
import { Widget, widget, widgets } from "./support/widgets.ts"

const upsert = { object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear" } as const
const records = [...widgets(1200), widget(1201, { Grade__c: "Z" }), widget(1202, { Name: "#N/A" })]
const load = Stream.fromIterable(records).pipe(Ingest.upsert(upsert), Stream.runDrain)

/** How often a job is looked at is the same in each run. */
const polls = { uploadComplete: 1, inProgress: 1 }

/** An upload that breaks, a throttled look, and five rows that are locked once. */
const faults = [
  Faults.on("upload", Faults.cutRequest(70_000), { nth: 1 }),
  Faults.on("ingestJob", Faults.respond(503), { nth: 1 }),
  Faults.onJob(Faults.lockRows({ rows: 5 }), { nth: 2 })
]

describe("Metrics", () => {
  it.effect("count a load with all that went wrong", () =>
    Effect.gen(function* () {
      const { exit, metrics } = yield* observed(load)
      assert.isTrue(Exit.isSuccess(exit))
      const { "bulk.io{network.io.direction=transmit}": sent = 0, ...values } = valuesOf(metrics)
      // a job of 1,201 rows, the beginning of it twice, and one of five rows
      assert.isAbove(sent, 70_000 + 80_000)
      const job = "job.state=JobComplete,object=Widget__c,operation=upsert"
      const of = "object=Widget__c,operation=upsert"
      assert.deepStrictEqual(values, {
        "api.calls.limit{}": 100_000,
        "api.calls.remaining{}": 100_000 - 18,
        "api.calls.used{}": 18,
        "api.requests{http.request.method=GET,http.response.status_code=200}": 9,
        "api.requests{http.request.method=GET,http.response.status_code=503}": 1,
        "api.requests{http.request.method=PATCH,http.response.status_code=200}": 3,
        "api.requests{http.request.method=POST,http.response.status_code=200}": 3,
        "api.requests{http.request.method=PUT,http.response.status_code=201}": 2,
        "api.retries{error.type=503}": 1,
        "api.retries{error.type=ConnectionLost}": 1,
        "bulk.io{network.io.direction=receive}": 130_231,
        [`bulk.job.apex.duration{${job}}`]: 2,
        [`bulk.job.api.duration{${job}}`]: 2,
        [`bulk.job.duration{${job}}`]: 2,
        [`bulk.job.processing.duration{${job}}`]: 2,
        [`bulk.job.queue.duration{${job}}`]: 2,
        [`bulk.records{${of},outcome=failed}`]: 6,
        [`bulk.records{${of},outcome=rejected}`]: 1,
        [`bulk.records{${of},outcome=succeeded}`]: 1200,
        [`bulk.row.errors{error.type=INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST,${of}}`]: 1,
        [`bulk.row.errors{error.type=UNABLE_TO_LOCK_ROW,${of}}`]: 5,
        [`bulk.row.retries{${of}}`]: 5,
        [`bulk.upload.retries{${of}}`]: 1
      })
    }).pipe(virtually, Effect.provide(inProcess({ faults, polls })))
  )

  it.effect("count a query", () =>
    Effect.gen(function* () {
      yield* load
      const { metrics } = yield* observed(Stream.runDrain(Query.records({ schema: Widget, from: "Widget__c" })))
      const job = "job.state=JobComplete,object=Widget__c,operation=query"
      const values = valuesOf(metrics)
      assert.isAbove(values["bulk.io{network.io.direction=receive}"] ?? 0, 80_000)
      assert.deepInclude(values, {
        "api.requests{http.request.method=POST,http.response.status_code=200}": 1,
        [`bulk.job.duration{${job}}`]: 1,
        [`bulk.job.processing.duration{${job}}`]: 1,
        [`bulk.job.queue.duration{${job}}`]: 1,
        "bulk.records{object=Widget__c,operation=query,outcome=read}": 1200
      })
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("tell waiting in the queue from being processed, by the times of the job", () =>
    Effect.gen(function* () {
      const { metrics } = yield* observed(load)
      const sumOf = (name: string) =>
        metrics.flatMap(({ id, state }) => (id === `salesforce.bulk.job.${name}` && "sum" in state ? [state.sum] : []))
      assert.deepStrictEqual(["processing.duration", "api.duration", "apex.duration"].map(sumOf), [[90], [60], [30]])
      const [queued = 0] = sumOf("queue.duration")
      // less its upload
      assert.isAtMost(queued, 37.5)
      assert.isAtLeast(queued, 35)
      const [total = 0] = sumOf("duration")
      assert.isAtLeast(total, 5)
    }).pipe(
      virtually,
      Effect.provide(
        inProcess({
          queueDelay: "5 seconds",
          faults: [Faults.on("upload", Faults.delay("3 seconds"), { nth: 1 })],
          tamper: replacing(/^GET .jobs.ingest.ID$/, (text) =>
            Response.json({
              ...JSON.parse(text),
              createdDate: "2026-11-25T10:00:00.000+0000",
              systemModstamp: "2026-11-25T10:02:10.500+0000",
              totalProcessingTime: 90_000,
              apiActiveProcessingTime: 60_000,
              apexProcessingTime: 30_000
            })
          )
        })
      )
    )
  )

  it.effect("have no series for a job", () =>
    Effect.gen(function* () {
      const { metrics } = yield* observed(Effect.andThen(load, load))
      const attributes = JSON.stringify(metrics.map((metric) => metric.attributes))
      assert.notMatch(attributes, /750/)
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("Spans", () => {
  it.effect("are a tree of a load's steps", () =>
    Effect.gen(function* () {
      const { spans } = yield* observed(load)
      const tree = treeOf(spans)
      // it is not waited for
      assert.strictEqual(tree.filter((line) => line === "    IngestJob.abort").length, 1)
      assert.deepStrictEqual(
        tree.filter((line) => !line.includes("abort")),
        [
          "Ingest.load",
          "  Ingest.part",
          "    IngestJob.create",
          "    IngestJob.upload",
          "    IngestJob.create",
          "    IngestJob.upload",
          "    IngestJob.close",
          "    IngestJob.awaitDone",
          "    IngestJob.results",
          "    IngestJob.results",
          "    Ingest.resend",
          "      IngestJob.create",
          "      IngestJob.upload",
          "      IngestJob.close",
          "      IngestJob.awaitDone",
          "      IngestJob.results"
        ]
      )
      const uploads = spans.filter(({ name }) => name === "IngestJob.upload")
      assert.deepStrictEqual(
        uploads.map(({ status }) => status._tag === "Ended" && Exit.isSuccess(status.exit)),
        [false, true, true]
      )
      const done = spans.find(({ name }) => name === "IngestJob.awaitDone")?.attributes
      const { "salesforce.job.id": id, ...attributes } = Object.fromEntries(done ?? [])
      assert.match(String(id), /^750/)
      assert.deepStrictEqual(attributes, {
        "salesforce.job.state": "JobComplete",
        "salesforce.object": "Widget__c",
        "salesforce.operation": "upsert",
        "salesforce.records.failed": 6,
        "salesforce.records.processed": 1201
      })
      // each request is one of a step's, and says where it went
      const requests = spans.filter(({ kind }) => kind === "client")
      assert.strictEqual(requests.length, 19)
      for (const { attributes, parent } of requests) {
        assert.strictEqual(parent._tag, "Some")
        assert.strictEqual(attributes.get("server.address"), "127.0.0.1")
      }
      assert.isTrue(spans.every(({ status }) => status._tag === "Ended"))
    }).pipe(virtually, Effect.provide(inProcess({ faults, polls })))
  )

  it.effect("are a tree of a query's steps", () =>
    Effect.gen(function* () {
      yield* load
      const query = { schema: Widget, from: "Widget__c" } as const
      const chained = yield* observed(Stream.runDrain(Query.records({ ...query, maxRecords: 500 })))
      const pages = ["  QueryJob.page", "  QueryJob.page", "  QueryJob.page"]
      assert.deepStrictEqual(treeOf(chained.spans), [
        "Query.run",
        "  QueryJob.create",
        "  QueryJob.awaitDone",
        ...pages
      ])
      const sizes = chained.spans.flatMap(({ attributes }) => attributes.get("salesforce.page.records") ?? [])
      assert.deepStrictEqual(sizes, [500, 500, 200])
      const linked = yield* observed(Stream.runDrain(Query.records(query)))
      assert.deepStrictEqual(treeOf(linked.spans).slice(3), ["  QueryJob.resultPages", "  QueryJob.page"])
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("docs/measures.md", () => {
  const root = resolve(import.meta.dirname, "..")
  const page = readFileSync(join(root, "docs/measures.md"), "utf8")

  it("lists every metric, with its type, unit and meaning", () => {
    const listed = [...page.matchAll(/^\| `(salesforce\.[\w.]+)` \| (\w+) \| `(.+?)` \| (.+?) \|/gm)].map(
      ([, ...cells]) => cells
    )
    const isMetric = (
      value: object
    ): value is Extract<(typeof Metrics)[keyof typeof Metrics], { readonly type: string }> => Metric.isMetric(value)
    const metrics = Object.values(Metrics).filter(isMetric)
    assert.deepStrictEqual(
      listed.toSorted(),
      metrics
        .map(({ attributes, description, id, type }) => [id, type.toLowerCase(), attributes?.unit, description])
        .toSorted()
    )
  })

  it("lists every span", () => {
    const listed = [...page.matchAll(/^\| `((?:Ingest|Query)\w*\.\w+)` \|/gm)].map(([, name]) => name)
    const source = (file: string) => readFileSync(join(root, "src", file), "utf8")
    const named = globSync("{ingest,query,job}/**/*.ts", { cwd: join(root, "src") }).flatMap((file) =>
      [...source(file).matchAll(/(?:withSpan|makeSpanScoped)\("(\w+\.\w+)"/g)].map(([, name]) => name)
    )
    const steps = [...source("job/endpoint.ts").matchAll(/span\("(\w+)"/g)].map(([, step]) => step)
    const ofJobs = steps.flatMap((step) =>
      step === "submitSmall" || step === "close" ? [`IngestJob.${step}`] : [`IngestJob.${step}`, `QueryJob.${step}`]
    )
    assert.deepStrictEqual(listed.toSorted(), [...new Set([...named, ...ofJobs, "IngestJob.upload"])].toSorted())
  })
})
