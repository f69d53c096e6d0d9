// Every failure that concerns an org names it, whichever room it comes from.
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Layer, Schema, Stream } from "effect"
import { KeyValueStore } from "effect/persistence"
import * as BulkError from "../src/BulkError.ts"
import * as Connection from "../src/connection/Connection.ts"
import * as Guard from "../src/ingest/Guard.ts"
import * as Ingest from "../src/ingest/Ingest.ts"
import * as Run from "../src/ingest/Run.ts"
import * as IngestJob from "../src/job/IngestJob.ts"
import * as QueryJob from "../src/job/QueryJob.ts"
import { EmbeddedOrg, Faults } from "../src/org/index.ts"
import * as Query from "../src/query/Query.ts"
import { inProcess, replacing, type Tamper, virtually } from "./support/orgs.ts"
import { Widget, widget, widgets } from "./support/widgets.ts"

const object = "Widget__c"
const load = { object, schema: Widget } as const
const insert = Ingest.insert(load)
const upsert = Ingest.upsert({ ...load, externalId: "Key__c", nulls: "clear" })
const refused = widget(1, { Grade__c: "Z" })
const Identified = Schema.Struct({ Id: Schema.String })
const Numbered = Schema.Struct({ Count__c: Schema.Finite })
const all = Query.records({ schema: Widget, from: object })
const short = replacing(/successfulResults/, (text) => new Response(text.split("\n").slice(0, -2).join("\n")))
const changing =
  (pattern: RegExp, change: (headers: Headers) => void): Tamper =>
  (request, response) => {
    const headers = new Headers(response.headers as Record<string, string>)
    change(headers)
    return replacing(pattern, (text) => new Response(text, { headers }))(request, response)
  }

interface Case {
  readonly reason: BulkError.Reason["_tag"]
  readonly when?: string
  readonly org?: EmbeddedOrg.Options & { readonly tamper?: Tamper }
  readonly program: Effect.Effect<unknown, BulkError.BulkError, Connection.Connection | KeyValueStore.KeyValueStore>
}

const stored = Stream.runDrain(insert(Stream.fromIterable(widgets(5))))
const found = <A>(query: Stream.Stream<A, BulkError.BulkError, Connection.Connection>) =>
  Effect.andThen(stored, Stream.runDrain(query))
const numbered = Query.pages({ schema: Numbered, from: object })

const cases: ReadonlyArray<Case> = [
  {
    reason: "JobFailed",
    when: "of a load",
    org: { faults: [Faults.onJob(Faults.fail())] },
    program: Stream.runDrain(insert(Stream.fromIterable(widgets(3))))
  },
  {
    reason: "JobFailed",
    when: "of a file",
    org: { faults: [Faults.onJob(Faults.fail())] },
    program: Stream.make(new TextEncoder().encode("Name\na\n")).pipe(Ingest.runCsv({ object, operation: "insert" }))
  },
  {
    reason: "JobFailed",
    when: "of a job that is followed",
    org: { faults: [Faults.onJob(Faults.fail())] },
    program: Effect.flatMap(IngestJob.submitSmall({ object, operation: "insert", csv: "Name\na\n" }), ({ id }) =>
      Stream.runDrain(Ingest.resume(id))
    )
  },
  {
    reason: "JobFailed",
    when: "of a query",
    org: {
      tamper: replacing(/^GET \/jobs\/query\/ID$/, (text) => Response.json({ ...JSON.parse(text), state: "Aborted" }))
    },
    program: Stream.runDrain(all)
  },
  {
    reason: "JobFailed",
    when: "of a part of a run",
    org: { faults: [Faults.onJob(Faults.fail())] },
    program: Stream.fromIterable(widgets(3)).pipe(
      Run.load({ ...load, runId: "a", operation: "upsert", externalId: "Key__c", nulls: "clear" }),
      Stream.runDrain
    )
  },
  {
    reason: "RecordsUnaccounted",
    org: { tamper: short },
    program: Stream.runDrain(insert(Stream.fromIterable(widgets(3))))
  },
  {
    reason: "UnexpectedResponse",
    when: "of a result file",
    org: { tamper: replacing(/successfulResults/, (text) => new Response(text.slice(0, -10))) },
    program: Stream.runDrain(insert(Stream.fromIterable(widgets(3))))
  },
  { reason: "AmbiguousKey", program: Stream.runDrain(upsert(Stream.make(widget(1), widget(1)))) },
  {
    reason: "RowFailed",
    program: Stream.runDrain(Ingest.insert({ ...load, onRowError: "fail" })(Stream.make(refused)))
  },
  {
    reason: "LoadStopped",
    program: Stream.make(refused).pipe(Guard.load({ canary: { rows: 1, maxFailed: 0 } }, upsert), Stream.runDrain)
  },
  {
    reason: "ProductionNotConfirmed",
    org: { sandbox: false },
    program: Stream.runDrain(Ingest.delete({ object, schema: Identified })(Stream.make({ Id: "a00000000000001" })))
  },
  {
    reason: "RunRefused",
    program: Stream.runDrain(
      Stream.make(widget(1)).pipe(Run.load({ ...load, runId: "a", operation: "insert", key: "Key__c", after: "none" }))
    )
  },
  { reason: "WrongOrg", program: Connection.expect({ instance: "NA1" }) },
  {
    reason: "UploadTooLarge",
    program: Effect.flatMap(IngestJob.create({ object, operation: "insert" }), ({ id }) =>
      IngestJob.upload(id, Stream.forever(Stream.make(new Uint8Array(10_000_000))))
    )
  },
  { reason: "RecordInvalid", when: "of a query", program: found(Query.records({ schema: Numbered, from: object })) },
  {
    reason: "RecordInvalid",
    when: "on a page",
    program: found(Stream.flatMap(numbered, ({ records }) => records))
  },
  {
    reason: "RecordInvalid",
    when: "of changes",
    program: Effect.andThen(
      stored,
      Effect.flatMap(Query.since({ schema: Numbered, from: object }), ({ changes }) => Stream.runDrain(changes))
    )
  },
  {
    reason: "IncompletePage",
    org: { tamper: changing(/\/results$/, (headers) => headers.set("sforce-numberofrecords", "6")) },
    program: found(all)
  },
  {
    reason: "UnexpectedResponse",
    when: "of a page",
    org: { tamper: changing(/\/results$/, (headers) => headers.delete("sforce-locator")) },
    program: found(Query.records({ schema: Widget, from: object, maxRecords: 10 }))
  },
  {
    reason: "IncompleteResults",
    org: {
      tamper: replacing(/^GET \/jobs\/query\/ID$/, (text) =>
        Response.json({ ...JSON.parse(text), numberRecordsProcessed: 6 })
      )
    },
    program: found(all)
  },
  {
    reason: "UnexpectedResponse",
    when: "of a list of pages",
    org: {
      pageSize: 1,
      tamper: replacing(/\/resultpages$/i, (text) => Response.json({ ...JSON.parse(text), nextRecordsUrl: undefined }))
    },
    program: Effect.gen(function* () {
      yield* Stream.runDrain(insert(Stream.fromIterable(widgets(10))))
      const { id } = yield* QueryJob.create("SELECT Id FROM Widget__c")
      yield* QueryJob.awaitDone(id)
      yield* Stream.runDrain(QueryJob.resultPages(id))
    })
  },
  {
    reason: "UnexpectedResponse",
    when: "of a list of jobs",
    org: {
      tamper: replacing(/^GET \/jobs\/ingest$/, (text) =>
        Response.json({ ...JSON.parse(text), done: false, nextRecordsUrl: undefined })
      )
    },
    program: Stream.runDrain(IngestJob.list)
  }
]

class SourceBroke extends Data.TaggedError("SourceBroke") {}

describe("A failure", () => {
  for (const { org, program, reason, when } of cases) {
    it.effect(`names its org: ${reason}${when === undefined ? "" : ` ${when}`}`, () =>
      Effect.gen(function* () {
        const { instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
        const error = yield* Effect.flip(program)
        assert.deepStrictEqual([error.reason._tag, error.org], [reason, instanceUrl], error.message)
        assert.include(error.message, instanceUrl)
      }).pipe(virtually, Effect.provide(Layer.merge(inProcess(org), KeyValueStore.layerMemory)))
    )
  }

  it.effect("of a source stays as it is: it may be that of another org", () =>
    Effect.gen(function* () {
      const small = Ingest.insert({ ...load, key: "Key__c", partRows: 1 })
      const run = Run.load({ ...load, runId: "a", operation: "insert", key: "Key__c" })
      const loads = [upsert, small, Guard.load({}, upsert), run]
      const other = BulkError.make(new BulkError.JobFailed({ jobId: "750A", state: "Failed", detail: "x" }))
      for (const load of loads) {
        for (const failure of [other, new SourceBroke()]) {
          const source = Stream.concat(Stream.make(widget(1)), Stream.fail(failure))
          assert.strictEqual<unknown>(yield* Effect.flip(Stream.runDrain(load(source))), failure)
        }
      }
    }).pipe(virtually, Effect.provide(Layer.merge(inProcess(), KeyValueStore.layerMemory)))
  )

  it.effect("that concerns no org names none, whichever is connected", () =>
    Effect.gen(function* () {
      yield* stored
      const options = Ingest.insert({ ...load, partRows: 0 })(Stream.make(widget(1)))
      const file = Ingest.csv({ object, operation: "insert" })(Stream.make(new TextEncoder().encode('a\n"b')))
      const found: Array<unknown> = []
      for (const program of [Stream.runDrain(options), Stream.runDrain(file)]) {
        const { org, reason } = yield* Effect.flip(program)
        found.push([reason._tag, org])
      }
      assert.deepStrictEqual(found, [
        ["InvalidOptions", undefined],
        ["InvalidCsv", undefined]
      ])
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})
