// What may be repeated, is; what may not, is not. Over sockets, with faults of the org.
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Schedule, Stream } from "effect"
import * as Connection from "../../src/connection/Connection.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import * as IngestJob from "../../src/job/IngestJob.ts"
import * as QueryJob from "../../src/job/QueryJob.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import * as Query from "../../src/query/Query.ts"
import { overSocket, Requests, replacing, type Tamper } from "../support/orgs.ts"
import { Widget, widgets } from "../support/widgets.ts"

const poll = { first: "5 millis", cap: "20 millis" } as const
const retry = Schedule.spaced("5 millis").pipe(Schedule.upTo({ times: 5 }))

const records = widgets(30)
const load = Stream.fromIterable(records).pipe(
  Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear", poll }),
  Stream.runCollect
)
const readAll = Stream.runCollect(Query.records({ schema: Widget, from: "Widget__c", maxRecords: 10, poll }))

const orgWith = (...faults: ReadonlyArray<Faults.Fault>) =>
  Effect.provide(overSocket({ faults, connection: { retry, idleTimeout: "2 seconds" } }))

/** What a proxy may give in place of an answer. */
const garbled: Tamper = replacing(/^PATCH/, () => new Response("<html></html>"))

/** How often each request was sent. */
const sent = (name: string) => Effect.map(Requests, (names) => names.filter((each) => each === name).length)

/** The ways in which an answer can fail that may pass. */
const passing: Readonly<Record<string, Faults.RequestEffect>> = {
  "500": Faults.respond(500),
  "503 as HTML": Faults.respondHtml(503),
  "406": Faults.respond(406),
  "420": Faults.respond(420),
  "429": Faults.rateLimit(),
  "a connection cut before the request": Faults.cutBefore,
  "an answer that is lost": Faults.cutAfter,
  "an answer cut off": Faults.cutResponse(3),
  "an expired session": Faults.expireSession
}

describe("a request that may be repeated", () => {
  for (const [what, effect] of Object.entries(passing)) {
    it.live(`is, after ${what}`, () =>
      Effect.gen(function* () {
        const outcomes = yield* load
        assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Succeeded").length, 30)
        assert.strictEqual((yield* readAll).length, 30)
        const stored = yield* Effect.flatMap(EmbeddedOrg.EmbeddedOrg, (org) => org.records("Widget__c"))
        assert.strictEqual(stored.length, 30)
        // whatever was repeated, one upload was made and it was never sent twice
        assert.strictEqual(yield* sent("PUT /jobs/ingest/ID/batches"), 1)
      }).pipe(
        orgWith(
          Faults.on("createIngestJob", effect, { nth: 1 }),
          Faults.on("changeIngestJob", effect, { nth: 1 }),
          Faults.on("ingestJob", effect, { nth: [1, 3] }),
          Faults.on("createQueryJob", effect, { nth: 1 }),
          Faults.on("queryJob", effect, { nth: 1 }),
          Faults.on("failedResults", effect, { nth: 1 }),
          Faults.on("successfulResults", effect, { nth: 1 }),
          Faults.on("queryResults", effect, { nth: 2 })
        )
      )
    )
  }

  it.live("waits at least as long as Retry-After asks", () =>
    Effect.gen(function* () {
      const [elapsed] = yield* Effect.timed(readAll)
      assert.isAtLeast(Duration.toMillis(elapsed), 1000)
    }).pipe(orgWith(Faults.on("createQueryJob", Faults.rateLimit("1 second"), { nth: 1 })))
  )

  it.live("is given up when the policy ends, with the last error", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(readAll)
      assert.deepInclude(error.reason, { _tag: "ApiError", status: 503 })
      assert.strictEqual(yield* sent("POST /jobs/query"), 6)
    }).pipe(orgWith(Faults.on("createQueryJob", Faults.respond(503))))
  )
})

describe("an upload", () => {
  for (const [what, effect] of Object.entries({
    ...passing,
    "a body cut off": Faults.cutRequest(100)
  })) {
    it.live(`is never sent again to the same job after ${what}`, () =>
      Effect.gen(function* () {
        const { id } = yield* IngestJob.create({ object: "Widget__c", operation: "insert" })
        const error = yield* Effect.flip(
          IngestJob.upload(id, Stream.encodeText(Stream.make("Name\n", "x\n".repeat(60))))
        )
        assert.isTrue(error.isRetryable || error.isAuth)
        assert.strictEqual(yield* sent("PUT /jobs/ingest/ID/batches"), 1)
      }).pipe(orgWith(Faults.on("upload", effect, { nth: 1 })))
    )
  }
})

describe("what ends a job", () => {
  const query = "SELECT Name FROM Widget__c"
  for (const [what, effect] of Object.entries(passing)) {
    it.live(`is repeated after ${what}: an abort leaves it aborted, a delete leaves nothing`, () =>
      Effect.gen(function* () {
        const { id } = yield* IngestJob.create({ object: "Widget__c", operation: "insert" })
        assert.strictEqual((yield* IngestJob.abort(id)).state, "Aborted")
        assert.strictEqual((yield* IngestJob.get(id)).state, "Aborted")
        assert.isAtLeast(yield* sent("PATCH /jobs/ingest/ID"), effect._tag === "CutResponse" ? 1 : 2)

        const done = yield* QueryJob.create(query)
        yield* QueryJob.awaitDone(done.id, { poll })
        yield* QueryJob.remove(done.id)
        // the second one is told that there is no such job, where the first was carried out
        assert.strictEqual(yield* sent("DELETE /jobs/query/ID"), 2)
        assert.isTrue((yield* Effect.flip(QueryJob.get(done.id))).isNotFound)
      }).pipe(
        orgWith(
          Faults.on("changeIngestJob", effect, { nth: 1 }),
          Faults.on(/\/jobs\/query\/750/, effect, { method: "DELETE", nth: 1 })
        )
      )
    )
  }

  it.live("counts as done when the job is not there, and fails when it may not end", () =>
    Effect.gen(function* () {
      const { faults } = yield* EmbeddedOrg.EmbeddedOrg
      const done = yield* QueryJob.create(query)
      const early = yield* Effect.flip(QueryJob.remove(done.id))
      assert.match(early.message, /is not terminated.*abort the job, or wait/)
      yield* faults.set([])
      yield* QueryJob.awaitDone(done.id, { poll })
      yield* QueryJob.remove(done.id)
      yield* QueryJob.remove(done.id)
      assert.strictEqual(yield* sent("DELETE /jobs/query/ID"), 3)
    }).pipe(orgWith(Faults.onJob(Faults.stall())))
  )
})

describe("a closing request without a clear answer", () => {
  const close = Effect.gen(function* () {
    const { id } = yield* IngestJob.create({ object: "Widget__c", operation: "insert" })
    yield* IngestJob.upload(id, Stream.encodeText(Stream.make("Name\nx\n")))
    return { id, closed: yield* Effect.result(IngestJob.close(id)) }
  })

  it.live("is settled by the job's state: not sent again when it was carried out", () =>
    Effect.gen(function* () {
      const { closed } = yield* close
      assert.strictEqual(closed._tag, "Success")
      assert.strictEqual(yield* sent("PATCH /jobs/ingest/ID"), 1)
    }).pipe(orgWith(Faults.on("changeIngestJob", Faults.cutAfter, { nth: 1 })))
  )

  it.live("is settled by the job's state: an answer of success that is no JSON is none", () =>
    Effect.gen(function* () {
      const outcomes = yield* load
      assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Succeeded").length, 30)
      // neither closed again, nor aborted
      assert.strictEqual(yield* sent("PATCH /jobs/ingest/ID"), 1)
    }).pipe(Effect.provide(overSocket({ tamper: garbled })))
  )

  it.live("is settled by the job's state: sent again while it is Open", () =>
    Effect.gen(function* () {
      const { closed } = yield* close
      assert.strictEqual(closed._tag, "Success")
      assert.strictEqual(yield* sent("PATCH /jobs/ingest/ID"), 3)
    }).pipe(orgWith(Faults.on("changeIngestJob", Faults.cutBefore, { nth: [1, 2] })))
  )

  it.live("is CommitUnknown when the state cannot be read, or stays Open", () =>
    Effect.gen(function* () {
      const { closed, id } = yield* close
      assert.isTrue(closed._tag === "Failure")
      if (closed._tag === "Failure") assert.deepInclude(closed.failure.reason, { _tag: "CommitUnknown", jobId: id })
    }).pipe(
      orgWith(Faults.on("changeIngestJob", Faults.cutAfter, { nth: 1 }), Faults.on("ingestJob", Faults.respond(503)))
    )
  )

  it.live("is a plain failure when the org refuses it", () =>
    Effect.gen(function* () {
      const { id } = yield* IngestJob.create({ object: "Widget__c", operation: "insert" })
      yield* IngestJob.abort(id)
      const error = yield* Effect.flip(IngestJob.close(id))
      assert.deepInclude(error.reason, { _tag: "ApiError", code: "INVALIDJOBSTATE" })
    }).pipe(orgWith())
  )

  it.live("of an abort counts as done when the job is aborted", () =>
    Effect.gen(function* () {
      const { id } = yield* IngestJob.create({ object: "Widget__c", operation: "insert" })
      assert.strictEqual((yield* IngestJob.abort(id)).state, "Aborted")
    }).pipe(orgWith(Faults.on("changeIngestJob", Faults.cutAfter, { nth: 1 })))
  )
})

describe("a download that breaks off", () => {
  it.live("is a lost connection, never a short result", () =>
    Effect.gen(function* () {
      yield* load
      const error = yield* Effect.flip(readAll)
      assert.strictEqual(error.reason._tag, "ConnectionLost")
    }).pipe(orgWith(Faults.on("queryResults", Faults.cutResponse(100))))
  )
})

describe("Connection.expect", () => {
  it.live("lets pass the org that is meant, and no other", () =>
    Effect.gen(function* () {
      const { orgId } = yield* EmbeddedOrg.EmbeddedOrg
      yield* Connection.expect({ orgId, sandbox: true, instance: "emb1" })
      yield* Connection.expect({ orgId: orgId.slice(0, 15) })
      for (const [expected, what] of [
        [{ orgId: "00Dxx0000000001AAA" }, "orgId"],
        [{ orgId, sandbox: false }, "sandbox"],
        [{ instance: "NA1" }, "instance"]
      ] as const) {
        const error = yield* Effect.flip(Connection.expect(expected))
        assert.deepInclude(error.reason, { _tag: "WrongOrg", what })
      }
    }).pipe(orgWith())
  )
})

describe("Connection.usage", () => {
  it.live("is what the org said last of its API calls", () =>
    Effect.gen(function* () {
      const connection = yield* Connection.Connection
      assert.isUndefined(yield* connection.usage)
      yield* readAll
      const usage = yield* connection.usage
      assert.strictEqual(usage?.max, 100_000)
      assert.isAbove(usage?.used ?? 0, 2)
    }).pipe(orgWith())
  )
})
