// The whole way over real sockets and in real time.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import * as Auth from "../src/connection/Auth.ts"
import * as Connection from "../src/connection/Connection.ts"
import * as Ingest from "../src/ingest/Ingest.ts"
import * as IngestJob from "../src/job/IngestJob.ts"
import { EmbeddedOrg } from "../src/org/index.ts"
import * as Query from "../src/query/Query.ts"
import { overSocket } from "./support/orgs.ts"
import { Widget, widget, widgets } from "./support/widgets.ts"

const poll = { first: "5 millis", cap: "20 millis" } as const
const upsert = Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear", poll })
const all = Query.records({ schema: Widget, from: "Widget__c", maxRecords: 2_000, poll })

const byKey = (a: Widget, b: Widget) => Number(a.Key__c.slice(2)) - Number(b.Key__c.slice(2))

/** A connection to a server of the test's own. */
const connectTo = (port: number) =>
  Connection.layer.pipe(
    Layer.provide(Auth.layerToken({ instanceUrl: `http://127.0.0.1:${port}`, accessToken: "00D!x" })),
    Layer.provide(NodeHttpClient.layerUndici)
  )

/** A server on a free port, for as long as the scope lasts. */
const serve = (onRequest: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
      const server = createServer(onRequest)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ port, close: () => server.closeAllConnections() ?? server.close() }))
      })
    }),
    ({ close }) => Effect.sync(close)
  ).pipe(Effect.map(({ port }) => port))

describe("over sockets", () => {
  it.live("loads thousands of records and gives them all back, refusals included", () =>
    Effect.gen(function* () {
      const refused = [widget(17, { Grade__c: "Z" }), widget(4_000, { Name: "" })]
      const records = widgets(5_000).map((good) => refused.find(({ Key__c }) => Key__c === good.Key__c) ?? good)
      const outcomes = yield* Stream.runCollect(upsert(Stream.fromIterable(records)))
      assert.strictEqual(outcomes.length, 5_000)
      const failed = outcomes.flatMap((outcome) => (outcome._tag === "Failed" ? [outcome.record] : []))
      assert.sameDeepMembers(failed, refused)
      const found = yield* Stream.runCollect(all)
      assert.deepStrictEqual(
        found.toSorted(byKey),
        records.filter((record) => !refused.includes(record))
      )
    }).pipe(Effect.provide(overSocket()))
  )

  it.live("moves records from one org to another in one stream, each with its own session", () =>
    Effect.gen(function* () {
      const source = yield* Layer.build(Layer.fresh(overSocket()))
      const target = yield* Layer.build(Layer.fresh(overSocket()))
      yield* Stream.runDrain(upsert(Stream.fromIterable(widgets(300)))).pipe(Effect.provideContext(source))
      const moved = yield* all.pipe(
        Stream.provideContext(source),
        Stream.map((record) => new Widget({ ...record, Name: "moved" })),
        upsert,
        Stream.runCollect,
        Effect.provideContext(target)
      )
      assert.strictEqual(moved.length, 300)
      const names = (org: typeof source) =>
        Effect.map(
          Stream.runCollect(all).pipe(Effect.provideContext(org)),
          (found) => new Set(found.map((r) => r.Name))
        )
      assert.deepStrictEqual(yield* names(target), new Set(["moved"]))
      assert.notInclude([...(yield* names(source))], "moved")
    }).pipe(Effect.scoped)
  )

  it.live("pulls the source only as the socket takes it", () =>
    Effect.gen(function* () {
      let requested = false
      const port = yield* serve((request) => {
        requested = true
        request.pause() // takes nothing but what the kernel buffers
      })
      const block = new Uint8Array(65_536)
      let pulled = 0
      const total = 2_000
      const source = Stream.range(1, total).pipe(
        Stream.rechunk(1),
        Stream.map(() => {
          pulled++
          return block
        })
      )
      const upload = yield* Effect.forkChild(IngestJob.upload("750A", source).pipe(Effect.provide(connectTo(port))))
      // suspended: the request is there, and many turns later nothing more was pulled
      let last = -1
      for (let quiet = 0; quiet < 20; ) {
        yield* Effect.sleep("10 millis")
        quiet = requested && pulled === last ? quiet + 1 : 0
        last = pulled
      }
      assert.isAbove(pulled, 0)
      assert.isBelow(pulled, total / 2)
      yield* Fiber.interrupt(upload)
    }).pipe(Effect.scoped)
  )

  it.live("drops the connection when an upload is interrupted", () =>
    Effect.gen(function* () {
      const closed = Promise.withResolvers<void>()
      const started = Promise.withResolvers<void>()
      const port = yield* serve((request) => {
        request.on("close", closed.resolve).on("data", () => started.resolve())
      })
      const source = Stream.concat(Stream.make(new Uint8Array(10)), Stream.never)
      const upload = yield* Effect.forkChild(IngestJob.upload("750A", source).pipe(Effect.provide(connectTo(port))))
      yield* Effect.promise(() => started.promise)
      yield* Fiber.interrupt(upload)
      yield* Effect.promise(() => closed.promise)
    }).pipe(Effect.scoped)
  )

  it.live("gives the source's own error, though the HTTP client folds it into one of its own", () =>
    Effect.gen(function* () {
      const port = yield* serve((request) => request.resume())
      const broken = Stream.concat(Stream.make(new Uint8Array(10)), Stream.fail("the source broke" as const))
      const error = yield* Effect.flip(IngestJob.upload("750A", broken).pipe(Effect.provide(connectTo(port))))
      assert.strictEqual(error, "the source broke")
    }).pipe(Effect.scoped)
  )

  it.live("gives Salesforce's error when it answers before the upload is over", () =>
    Effect.gen(function* () {
      const port = yield* serve((_, response) => {
        response.writeHead(400, { "content-type": "application/json", connection: "close" })
        response.end('[{"errorCode":"INVALIDJOBSTATE","message":"The job takes no data"}]')
      })
      const endless = Stream.make(new Uint8Array(65_536)).pipe(Stream.forever)
      const error = yield* Effect.flip(IngestJob.upload("750A", endless).pipe(Effect.provide(connectTo(port))))
      // a socket that breaks before the answer is read is all that some systems show
      assert.include(["ApiError", "ConnectionLost"], error.reason._tag)
    }).pipe(Effect.scoped)
  )

  it.live("drops the connection of an answer that nobody reads", () =>
    Effect.gen(function* () {
      const closed = Promise.withResolvers<void>()
      const port = yield* serve((_, response) => {
        response.on("close", closed.resolve).writeHead(200, { "content-type": "text/csv" })
        response.write("Id\n")
      })
      yield* Connection.Connection.use((connection) => connection.bytes({ path: "/csv" })).pipe(
        Effect.scoped,
        // at once, not when the garbage is collected
        Effect.andThen(
          Effect.timeout(
            Effect.promise(() => closed.promise),
            "3 seconds"
          )
        ),
        Effect.provide(connectTo(port))
      )
    }).pipe(Effect.scoped)
  )

  it.live("says that the connection was lost, and in which request", () =>
    Effect.gen(function* () {
      const port = yield* serve((request) => request.socket.destroy())
      const upload = IngestJob.upload("750A", Stream.make(new Uint8Array(10)))
      const error = yield* Effect.flip(upload.pipe(Effect.provide(connectTo(port))))
      assert.deepInclude(error.reason, { _tag: "ConnectionLost", request: "PUT /jobs/ingest/750A/batches" })

      const nobody = IngestJob.create({ object: "Account", operation: "insert" }).pipe(Effect.provide(connectTo(1)))
      assert.strictEqual((yield* Effect.flip(nobody)).reason._tag, "ConnectionLost")
    }).pipe(Effect.scoped)
  )

  it.live("fails on results that break off, never with a short result", () =>
    Effect.gen(function* () {
      const port = yield* serve((_, response) => {
        response.writeHead(200, { "content-type": "text/csv", "content-length": "1000" })
        response.write('"sf__Id"\n"1"\n', () => response.destroy())
      })
      const read = IngestJob.results("750A", "successfulResults").pipe(Stream.runDrain, Effect.provide(connectTo(port)))
      assert.strictEqual((yield* Effect.flip(read)).reason._tag, "ConnectionLost")
    }).pipe(Effect.scoped)
  )

  it.live("is refused with a wrong token", () =>
    Effect.gen(function* () {
      const { instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
      const error = yield* Stream.runDrain(upsert(Stream.make(widget(1)))).pipe(
        Effect.provide(connectTo(Number(new URL(instanceUrl).port))),
        Effect.flip
      )
      assert.isTrue(error.isAuth)
      assert.notInclude(error.message, "00D!x")
    }).pipe(Effect.provide(overSocket()))
  )
})
