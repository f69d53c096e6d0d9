// Faults over a real socket, as clients of two kinds see them.
import { createServer } from "node:http"
import * as net from "node:net"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Request from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import * as Faults from "../../src/org/Faults.ts"
import { api, item } from "./support.ts"

const served = Layer.mergeAll(
  EmbeddedOrg.layerWith({ objects: [item], queueDelay: 0 }).pipe(
    Layer.provide(NodeHttpServer.layerServer(() => createServer(), { port: 0, host: "127.0.0.1" }))
  ),
  NodeHttpClient.layerUndici
)

/** All that a socket says until it ends. */
const say = Effect.fnUntraced(function* (method: string, path: string, body: string) {
  const { accessToken, instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
  const head = [
    `${method} /services/data/v68.0${path} HTTP/1.1`,
    "Host: localhost",
    `Authorization: Bearer ${Redacted.value(accessToken)}`,
    `Content-Length: ${body.length}`
  ]
  return yield* Effect.callback<string>((resume) => {
    let said = ""
    const socket = net.connect(Number(new URL(instanceUrl).port), "127.0.0.1")
    socket.on("data", (data) => (said += data))
    socket.on("error", () => {})
    socket.on("close", () => resume(Effect.succeed(said)))
    socket.write(`${head.join("\r\n")}\r\n\r\n${body}`)
  })
})

const complete = (id: string) =>
  Effect.flatMap(api, ({ info }) =>
    Effect.repeat(info(id), { schedule: Schedule.spaced("5 millis"), until: ({ state }) => state === "JobComplete" })
  )

const numbered = (count: number) => `Name\n${Array.from({ length: count }, (_, i) => `n${i}\n`).join("")}`

describe("faults on a socket", () => {
  it.live("end the connection before, in the middle of, and after a request", () =>
    Effect.gen(function* () {
      const { close, create, info, put, send } = yield* api
      const { faults, requests } = yield* EmbeddedOrg.EmbeddedOrg
      const id = yield* create({})

      yield* faults.set([Faults.on("upload", Faults.cutBefore, { times: 1 })])
      assert.strictEqual(yield* say("PUT", `/jobs/ingest/${id}/batches`, "Name\nlost\n"), "")
      yield* faults.set([Faults.on("upload", Faults.cutRequest(200_000), { times: 1 })])
      let sent = 0
      const body = Stream.fromIterable([numbered(10), ...Array.from({ length: 4_000 }, () => "x".repeat(1_000))]).pipe(
        Stream.rechunk(1),
        Stream.tap((piece) => Effect.sync(() => (sent += piece.length))),
        Stream.encodeText
      )
      const error = yield* Effect.flip(send(Request.put(`/jobs/ingest/${id}/batches`).pipe(Request.bodyStream(body))))
      assert.strictEqual(error.reason._tag, "TransportError")
      assert.isTrue(sent >= 200_000, `${sent}`)

      assert.strictEqual((yield* put(id, numbered(3))).status, 201)
      yield* faults.set([Faults.on("changeIngestJob", Faults.cutAfter, { times: 1 })])
      const lost = yield* Effect.flip(close(id))
      assert.strictEqual(lost.reason._tag, "TransportError")
      assert.strictEqual((yield* complete(id)).numberRecordsProcessed, 3)
      assert.strictEqual((yield* info(id)).numberRecordsFailed, 0)
      const cut = (yield* requests).filter((request) => request.faults.length > 0)
      assert.deepStrictEqual(
        cut.map(({ faults: [fault], route, status }) => [route, status, fault]),
        [
          ["upload", undefined, "CutBefore"],
          ["upload", undefined, "CutRequest"],
          ["changeIngestJob", undefined, "CutAfter"]
        ]
      )
    }).pipe(Effect.provide(served))
  )

  it.live("break an answer off after the very byte, however long it is", () =>
    Effect.gen(function* () {
      const { open, submit, successful } = yield* api
      const { faults } = yield* EmbeddedOrg.EmbeddedOrg
      const id = yield* submit({}, numbered(20_000))
      yield* complete(id)
      const { text } = yield* successful(id)
      for (const at of [0, 1, 70_000, text.length - 1, text.length]) {
        yield* faults.set([Faults.on("successfulResults", Faults.cutResponse(at), { times: 1 })])
        const response = yield* open(Request.get(`/jobs/ingest/${id}/successfulResults`))
        assert.strictEqual(response.status, 200)
        let received = 0
        const error = yield* response.stream.pipe(
          Stream.runForEach((part) => Effect.sync(() => (received += part.length))),
          Effect.flip
        )
        assert.strictEqual(error._tag, "HttpClientError", `${at}`)
        assert.strictEqual(received, at)
      }
      // short answers, which have a length of their own, break off too
      yield* faults.set([Faults.on("ingestJob", Faults.cutResponse(10), { times: 1 })])
      const said = yield* say("GET", `/jobs/ingest/${id}`, "")
      assert.match(said, /^HTTP\/1\.1 200 OK\r\n/)
      assert.match(said, /\r\n\r\na\r\n\{"id":"750\r\n$/)
    }).pipe(Effect.provide(served))
  )
})
