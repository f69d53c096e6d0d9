import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import * as net from "node:net"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Request from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Describe from "../../src/org/Describe.ts"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import { api, item, json, sortedRows } from "./support.ts"

const note = Describe.make({ name: "Note__c", fields: [{ name: "Text__c", type: "textarea", length: 10_000 }] })

const served = (options: EmbeddedOrg.Options = {}) =>
  Layer.mergeAll(
    EmbeddedOrg.layerWith({ objects: [item], queueDelay: 0, ...options }).pipe(
      Layer.provide(NodeHttpServer.layerServer(() => createServer(), { port: 0, host: "127.0.0.1" }))
    ),
    NodeHttpClient.layerUndici
  )

/** Looks until something is so. */
const until = <E, R>(look: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(look, { schedule: Schedule.spaced("5 millis"), until: (isSo) => isSo })

const isIn = (state: string) =>
  Effect.fnUntraced(function* (id: string) {
    const { info } = yield* api
    return (yield* info(id)).state === state
  })

/** A CSV of any length, made as it is read. */
const csv = (rows: number, onPull: (row: number) => void = () => {}) =>
  Stream.fromIterable(
    (function* () {
      yield "Name,Count__c\n"
      for (let row = 0; row < rows; row += 500) {
        onPull(row)
        let text = ""
        for (let i = row; i < Math.min(rows, row + 500); i++) text += `"name, ${i}",${i}\n`
        yield text
      }
    })(),
    { chunkSize: 1 }
  ).pipe(Stream.encodeText)

const upload = (id: string, body: Stream.Stream<Uint8Array>) =>
  Request.put(`/jobs/ingest/${id}/batches`).pipe(Request.bodyStream(body, { contentType: "text/csv" }))

describe("an org on a socket", () => {
  it.live("takes a streamed upload, and streams everything back", () =>
    Effect.gen(function* () {
      const { close, create, get, page, query, send, successful } = yield* api
      const rows = 20_000
      const id = yield* create({})
      assert.strictEqual((yield* send(upload(id, csv(rows)))).status, 201)
      assert.strictEqual((yield* close(id)).status, 200)
      yield* until(isIn("JobComplete")(id))
      const back = sortedRows(yield* successful(id))
      assert.strictEqual(back.length, rows)
      assert.strictEqual(new Set(back).size, rows)

      const queryId = yield* query("SELECT Count__c FROM Item__c ORDER BY Count__c")
      yield* until(Effect.map(get(`/jobs/query/${queryId}`), (answer) => json(answer).state === "JobComplete"))
      const counts: Array<string> = []
      let locator: string | undefined
      do {
        const answer = yield* page(queryId, `?maxRecords=7000${locator === undefined ? "" : `&locator=${locator}`}`)
        counts.push(...answer.text.trimEnd().split("\n").slice(1))
        locator = answer.headers["sforce-locator"]
      } while (locator !== "null")
      assert.deepStrictEqual(
        counts,
        Array.from({ length: rows }, (_, i) => `"${i}.0"`)
      )
    }).pipe(Effect.provide(served()))
  )

  it.live("serves others while it processes, and moves the counters", () =>
    Effect.gen(function* () {
      const { close, create, info, send } = yield* api
      const id = yield* create({})
      yield* send(upload(id, csv(20_000)))
      yield* close(id)
      const seen = new Set<unknown>()
      yield* until(
        Effect.map(info(id), (job) => {
          seen.add(job.numberRecordsProcessed)
          return job.state === "JobComplete"
        })
      )
      // nothing, something in between, everything
      assert.isTrue(seen.size >= 3, `${[...seen]}`)
      assert.isTrue(seen.has(20_000))
    }).pipe(Effect.provide(served()))
  )

  it.live("stops a job in the middle: what is committed stays, the rest is given back", () =>
    Effect.gen(function* () {
      const { abort, close, create, failed, info, query, get, page, send, successful, unprocessed } = yield* api
      const id = yield* create({})
      yield* send(upload(id, csv(50_000)))
      yield* close(id)
      yield* until(Effect.map(info(id), (job) => Number(job.numberRecordsProcessed) > 0))
      assert.strictEqual((yield* abort(id)).status, 200)
      const { numberRecordsProcessed, state } = yield* info(id)
      assert.strictEqual(state, "Aborted")
      const processed = Number(numberRecordsProcessed)
      assert.isTrue(processed > 0 && processed < 50_000, `${processed}`)
      assert.strictEqual(processed % 200, 0)
      assert.strictEqual(sortedRows(yield* successful(id)).length, processed)
      assert.strictEqual(sortedRows(yield* failed(id)).length, 0)
      assert.strictEqual(sortedRows(yield* unprocessed(id)).length, 50_000 - processed)
      const queryId = yield* query("SELECT Id FROM Item__c")
      yield* until(Effect.map(get(`/jobs/query/${queryId}`), (answer) => json(answer).state === "JobComplete"))
      assert.strictEqual((yield* page(queryId)).headers["sforce-numberofrecords"], String(processed))
      assert.strictEqual((yield* info(id)).numberRecordsProcessed, processed)
    }).pipe(Effect.provide(served()))
  )

  it.live("keeps nothing of a client that hangs up, and serves the next one", () =>
    Effect.gen(function* () {
      const { accessToken, instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
      const { close, create, info, put } = yield* api
      const id = yield* create({})
      const hungUp = yield* Deferred.make<void>()
      const socket = net.connect(Number(new URL(instanceUrl).port), "127.0.0.1")
      socket.on("close", () => Deferred.doneUnsafe(hungUp, Effect.void))
      const head = [
        `PUT /services/data/v68.0/jobs/ingest/${id}/batches HTTP/1.1`,
        "Host: localhost",
        `Authorization: Bearer ${Redacted.value(accessToken)}`,
        "Content-Type: text/csv",
        "Content-Length: 100000000"
      ]
      socket.write(`${head.join("\r\n")}\r\n\r\nName\n${"x\n".repeat(200_000)}`, () => socket.destroy())
      yield* Deferred.await(hungUp)
      assert.strictEqual((yield* info(id)).state, "Open")
      assert.strictEqual((yield* put(id, "Name\nwhole\n")).status, 201)
      assert.strictEqual((yield* close(id)).status, 200)
      yield* until(isIn("JobComplete")(id))
      assert.strictEqual((yield* info(id)).numberRecordsProcessed, 1)
    }).pipe(Effect.provide(served()))
  )

  it.live("ends the connection of a download whose job is deleted meanwhile", () =>
    Effect.gen(function* () {
      const { create, close, open, put, send } = yield* api
      // more than sockets, and what compresses, take at once
      const rows = Array.from({ length: 5_000 }, () => randomBytes(3_000).toString("base64"))
      const id = yield* create({ object: "Note__c" })
      yield* put(id, `Text__c\n${rows.join("\n")}\n`)
      yield* close(id)
      yield* until(isIn("JobComplete")(id))
      const read = (coding: string) =>
        open(Request.get(`/jobs/ingest/${id}/successfulResults`).pipe(Request.setHeader("accept-encoding", coding)))
      const downloads = [yield* read("identity"), yield* read("gzip")]
      assert.strictEqual((yield* send(Request.delete(`/jobs/ingest/${id}`))).status, 204)
      for (const { text } of downloads) {
        const error = yield* Effect.flip(Effect.map(text, ({ length }) => `${length} characters`))
        assert.strictEqual(error.reason._tag, "DecodeError")
      }
    }).pipe(Effect.provide(served({ objects: [note] })))
  )

  it.live("lets two jobs run beside each other", () =>
    Effect.gen(function* () {
      const { close, create, info, send } = yield* api
      const ids = yield* Effect.forEach([1, 2, 3], () => create({}))
      yield* Effect.forEach(ids, (id) => send(upload(id, csv(3_000))), { concurrency: "unbounded" })
      yield* Effect.forEach(ids, close, { concurrency: "unbounded" })
      yield* Effect.forEach(ids, (id) => until(isIn("JobComplete")(id)), { concurrency: "unbounded" })
      for (const id of ids) assert.strictEqual((yield* info(id)).numberRecordsFailed, 0)
    }).pipe(Effect.provide(served()))
  )

  it.live("makes another org for each layer that is provided", () =>
    Effect.gen(function* () {
      // nested, since what is provided once is shared with what is provided within
      const [first, second] = yield* EmbeddedOrg.EmbeddedOrg.use((outer) =>
        Effect.map(Effect.provide(EmbeddedOrg.EmbeddedOrg, EmbeddedOrg.layer), (inner) => [outer, inner] as const)
      ).pipe(
        Effect.provide(EmbeddedOrg.layer),
        Effect.provide(NodeHttpServer.layerServer(() => createServer(), { port: 0, host: "127.0.0.1" }))
      )
      assert.notStrictEqual(first.orgId, second.orgId)
      assert.notStrictEqual(Redacted.value(first.accessToken), Redacted.value(second.accessToken))
      assert.match(first.instanceUrl, /^http:\/\/127\.0\.0\.1:\d+$/)
    })
  )
})
