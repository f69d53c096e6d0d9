// What the README's comparison says of jsforce, and of this library beside it: the same org, the same trouble.
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schedule, Schema, Stream } from "effect"
import jsforce from "jsforce"
import * as Ingest from "../../src/ingest/Ingest.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import * as Query from "../../src/query/Query.ts"
import { overSocket } from "../support/orgs.ts"

for (const name of ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"]) delete process.env[name]

const poll = { first: "5 millis", cap: "20 millis" } as const
const object = "Widget__c"

const Row = Schema.Struct({ Key__c: Schema.String, Name: Schema.String, Note__c: Schema.NullOr(Schema.String) })
type Row = typeof Row.Type

const insert = Ingest.insert({ object, schema: Row, key: "Key__c", poll })
const stored = Stream.runCollect(Query.records({ schema: Row, from: object, poll }))

/** What came of something that jsforce was asked: its result, or the error it threw. */
const asked = <A>(use: (bulk2: InstanceType<typeof jsforce.Connection>["bulk2"]) => Promise<A>) =>
  EmbeddedOrg.EmbeddedOrg.use(({ accessToken, instanceUrl }) =>
    Effect.promise(() => {
      const { bulk2 } = new jsforce.Connection({
        instanceUrl,
        accessToken: Redacted.value(accessToken),
        version: "62.0"
      })
      bulk2.pollInterval = 5
      bulk2.pollTimeout = 20_000
      return use(bulk2).then(
        (value) => ({ value, error: undefined }),
        (error: unknown) => ({ value: undefined, error: error instanceof Error ? error : new Error(String(error)) })
      )
    })
  )

const struck = (...faults: ReadonlyArray<Faults.Fault>) => EmbeddedOrg.EmbeddedOrg.use((org) => org.faults.set(faults))

const rows: ReadonlyArray<Row> = [
  { Key__c: "1", Name: "without a note", Note__c: null },
  { Key__c: "2", Name: "with one", Note__c: "kept" }
]
/** As programs have them: the first one lacks what the second has. */
const sparse = rows.map(({ Note__c, ...rest }) => (Note__c === null ? rest : { ...rest, Note__c }))

const load = (input: ReadonlyArray<Record<string, string>>) =>
  asked((bulk2) => bulk2.loadAndWaitForResults({ object, operation: "insert", input: [...input] }))

describe("compared with jsforce 3.10", () => {
  it.live("columns are those of the schema, not of the first record", () =>
    Effect.gen(function* () {
      const { value } = yield* load(sparse)
      assert.strictEqual(value?.successfulResults.length, 2)
      assert.deepStrictEqual(
        (yield* stored).map(({ Note__c }) => Note__c),
        [null, null],
        "jsforce lost the note, and said nothing"
      )
      yield* EmbeddedOrg.EmbeddedOrg.use((org) => org.reset)
      yield* Stream.runDrain(insert(Stream.fromIterable(rows)))
      assert.sameDeepMembers(yield* stored, rows.slice())
    }).pipe(Effect.provide(overSocket()))
  )

  for (const [what, fault] of [
    ["503", Faults.respond(503)],
    ["an expired session", Faults.expireSession]
  ] as const) {
    it.live(`${what} in the middle of an upload is survived`, () =>
      Effect.gen(function* () {
        yield* struck(Faults.on("upload", fault, { nth: 1 }))
        const { error } = yield* load(sparse)
        assert.isDefined(error)
        assert.deepStrictEqual(yield* stored, [])
        yield* struck(Faults.on("upload", fault, { nth: 1 }))
        const outcomes = yield* Stream.runCollect(insert(Stream.fromIterable(rows)))
        assert.deepStrictEqual(
          outcomes.map(({ _tag }) => _tag),
          ["Succeeded", "Succeeded"]
        )
      }).pipe(Effect.provide(overSocket()))
    )
  }

  it.live("a client that has waited long enough leaves the job alone", () =>
    Effect.gen(function* () {
      const org = yield* EmbeddedOrg.EmbeddedOrg
      const deleted = Effect.map(org.requests, (all) => all.filter(({ method }) => method === "DELETE").length)
      const { error } = yield* asked((bulk2) =>
        bulk2.loadAndWaitForResults({
          object,
          operation: "insert",
          input: sparse.slice(),
          pollTimeout: 100,
          pollInterval: 20
        })
      )
      assert.match(String(error), /Polling timed out/)
      // jsforce does not wait for its last request
      yield* deleted.pipe(Effect.repeat({ until: (count) => count === 1, schedule: Schedule.spaced("5 millis") }))

      const failure = yield* Stream.runDrain(
        Stream.fromIterable(rows).pipe(
          Ingest.insert({ object, schema: Row, key: "Key__c", poll: { ...poll, deadline: "100 millis" } })
        )
      ).pipe(Effect.flip)
      assert.strictEqual(failure.reason._tag, "DeadlinePassed")
      assert.strictEqual(yield* deleted, 1)
    }).pipe(Effect.provide(overSocket({ queueDelay: "1 hour" })))
  )

  it.live("a page that breaks off is read on", () =>
    Effect.gen(function* () {
      const org = yield* EmbeddedOrg.EmbeddedOrg
      yield* org.seed({ [object]: Array.from({ length: 5_000 }, (_, i) => ({ Name: `W ${i}`, Key__c: `K-${i}` })) })
      const soql = `SELECT Key__c FROM ${object}`
      const broken = struck(Faults.on("queryResults", Faults.cutResponse(20_000), { nth: 1 }))
      yield* broken
      const keys = yield* Stream.runCollect(
        Query.records({ schema: Schema.Struct({ Key__c: Schema.String }), soql, poll })
      )
      assert.strictEqual(new Set(keys.map(({ Key__c }) => Key__c)).size, 5_000)
      yield* broken
      const script = fileURLToPath(new URL("../support/jsforceCount.ts", import.meta.url))
      const code = yield* Effect.callback<number | string | null | undefined>((resume) => {
        const child = execFile(
          process.execPath,
          [script, org.instanceUrl, Redacted.value(org.accessToken), soql],
          { timeout: 25_000 },
          (error) => resume(Effect.succeed(error?.code ?? 0))
        )
        return Effect.sync(() => child.kill())
      })
      assert.notStrictEqual(code, 0, "jsforce ended the process")
    }).pipe(Effect.provide(overSocket()))
  )

  it.live("a row that failed comes with the record that was sent", () =>
    Effect.gen(function* () {
      const Counted = Schema.Struct({ Key__c: Schema.String, Name: Schema.String, Count__c: Schema.Finite })
      const sent = { Key__c: "1", Name: "x".repeat(90), Count__c: 912_260_031 }
      const { value } = yield* asked((bulk2) =>
        bulk2.loadAndWaitForResults({ object, operation: "insert", input: [{ ...sent }] })
      )
      const echoed = new Map(Object.entries(value?.failedResults[0] ?? {}))
      assert.strictEqual(echoed.get("Count__c"), "9.12260031E8", "jsforce gives the org's echo")
      const [outcome] = yield* Stream.make(sent).pipe(
        Ingest.insert({ object, schema: Counted, key: "Key__c", poll }),
        Stream.runCollect
      )
      assert(outcome?._tag === "Failed")
      assert.deepStrictEqual(outcome.record, sent)
    }).pipe(Effect.provide(overSocket()))
  )
})
