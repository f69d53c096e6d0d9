// The contract of a connection, over sockets, with each HTTP client that Effect has for Node.
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { gunzipSync, gzipSync } from "node:zlib"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted, Schedule, Schema, Stream } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import type * as BulkError from "../../src/BulkError.ts"
import * as Auth from "../../src/connection/Auth.ts"
import * as Connection from "../../src/connection/Connection.ts"
import { type OnRequest, selfSigned, serve, serveTls } from "../support/servers.ts"

const clients: Readonly<Record<string, Layer.Layer<HttpClient.HttpClient>>> = {
  undici: NodeHttpClient.layerUndici,
  "node:http": NodeHttpClient.layerNodeHttp,
  fetch: FetchHttpClient.layer
}

const Answer = Schema.Struct({ ok: Schema.Boolean })
const get = Connection.Connection.use((connection) => connection.json({ method: "GET", path: "/x" }, Answer))
const post = Connection.Connection.use((connection) =>
  connection.json({ method: "POST", path: "/x", body: { text: "é" } }, Answer)
)
const remove = Connection.Connection.use((connection) => connection.json({ method: "DELETE", path: "/x" }, Schema.Null))
const text = Connection.Connection.use((connection) => connection.bytes({ path: "/csv" })).pipe(
  Effect.flatMap(({ bytes }) => Stream.mkString(Stream.decodeText(bytes))),
  Effect.scoped
)
const upload = <E = never>(body: Stream.Stream<Uint8Array, E>, options?: Connection.UploadOptions) =>
  Connection.Connection.use((connection) => connection.upload("/csv", body, options))

const reasonOf = <A, R>(self: Effect.Effect<A, BulkError.BulkError, R>) =>
  Effect.map(Effect.flip(self), (error) => error.reason)

/** All that a request carries. */
const bodyOf = async (request: IncomingMessage): Promise<Buffer> => Buffer.concat(await request.toArray())

const answer = (response: ServerResponse, body: string, headers: Readonly<Record<string, string>> = {}, status = 200) =>
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(body)

const csv = `Id
${Array.from(
  crypto.getRandomValues(new Uint32Array(16_000)),
  (n) => `${n}
`
).join("")}`

for (const [name, client] of Object.entries(clients)) {
  const connect = (
    port: number,
    options: Connection.Options & { readonly session?: Layer.Layer<Auth.Session, BulkError.BulkError> } = {}
  ) =>
    Effect.provide(
      Connection.layerWith({
        idleTimeout: "100 millis",
        gzipDownloads: true,
        retry: Schedule.recurs(0),
        ...options
      }).pipe(
        Layer.provide(
          options.session ?? Auth.layerToken({ instanceUrl: `http://127.0.0.1:${port}`, accessToken: "00D!x" })
        ),
        Layer.provide(client)
      )
    )
  /** Runs against a server that answers like this. */
  const against =
    (onRequest: OnRequest) =>
    <E>(self: Effect.Effect<void, E, Connection.Connection>) =>
      Effect.scoped(Effect.flatMap(serve(onRequest), (port) => self.pipe(connect(port))))

  describe(`a connection over ${name}`, () => {
    it.live("sends JSON, and reads JSON or nothing", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* post, { ok: true })
        assert.isNull(yield* remove)
      }).pipe(
        against(async (request, response) => {
          const body = (await bodyOf(request)).toString()
          if (request.method === "DELETE") response.writeHead(204).end()
          else answer(response, JSON.stringify({ ok: body === '{"text":"é"}' }))
        })
      )
    )

    it.live("gives an error with its body, compressed answers decoded", () =>
      Effect.gen(function* () {
        const reason = yield* reasonOf(text)
        assert.deepInclude(reason, { _tag: "ApiError", status: 400, code: "INVALIDJOBSTATE", detail: "not yet" })
      }).pipe(
        against((_, response) => answer(response, '[{"errorCode":"INVALIDJOBSTATE","message":"not yet"}]', {}, 400))
      )
    )

    it.live("asks for compressed bytes, and gives them as they were", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* text, csv)
      }).pipe(
        against((request, response) => {
          const isAsked = request.headers["accept-encoding"] === "gzip"
          response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(isAsked ? csv : "was not asked"))
        })
      )
    )

    it.live("takes bytes that are not compressed, by choice or because the org does not", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const port = yield* serve((request, response) => {
            response.setHeader("seen", request.headers["accept-encoding"] ?? "").end(csv)
          })
          assert.strictEqual(yield* text.pipe(connect(port)), csv)
          const seen = yield* Connection.Connection.use((connection) => connection.bytes({ path: "/" })).pipe(
            Effect.map(({ headers }) => headers.seen),
            Effect.scoped,
            connect(port, { gzipDownloads: false })
          )
          assert.strictEqual(seen, "identity")
        })
      )
    )

    it.live("fails on bytes that are damaged, or break off, never with a short result", () =>
      Effect.gen(function* () {
        const zipped = gzipSync(csv)
        const damaged = Buffer.from(zipped)
        damaged.fill(0, 20_000, 30_000)
        for (const act of [
          (response: ServerResponse) => response.writeHead(200, { "content-encoding": "gzip" }).end(damaged),
          // a fetch decompresses by itself and takes a short end for the end, as browsers do
          ...(name === "fetch"
            ? []
            : [
                (response: ServerResponse) =>
                  response.writeHead(200, { "content-encoding": "gzip" }).end(zipped.subarray(0, 50_000))
              ]),
          (response: ServerResponse) =>
            response.writeHead(200, { "content-length": "1000" }).write("Id\n1\n", () => response.destroy()),
          (response: ServerResponse) => response.writeHead(200).write("Id\n1\n", () => response.destroy())
        ]) {
          const reason = yield* Effect.scoped(
            Effect.flatMap(
              serve((_, response) => act(response)),
              (port) => reasonOf(text).pipe(connect(port))
            )
          )
          assert.strictEqual(reason._tag, "ConnectionLost")
        }
      })
    )

    it.live("uploads a stream, plain or compressed", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const seen: Array<readonly [string | undefined, string | undefined, boolean]> = []
          const port = yield* serve(async (request, response) => {
            const { "content-encoding": encoding, "content-type": type } = request.headers
            const body = await bodyOf(request)
            seen.push([type, encoding, (encoding === "gzip" ? gunzipSync(body) : body).toString() === csv])
            response.writeHead(201).end()
          })
          const body = Stream.make(csv.slice(0, 100), csv.slice(100)).pipe(Stream.rechunk(1), Stream.encodeText)
          yield* upload(body).pipe(connect(port))
          yield* upload(body, { gzip: true }).pipe(connect(port))
          yield* upload(body).pipe(connect(port, { gzipUploads: true }))
          yield* upload(body, { gzip: false }).pipe(connect(port, { gzipUploads: true }))
          const type = "text/csv; charset=UTF-8"
          assert.deepStrictEqual(seen, [
            [type, undefined, true],
            [type, "gzip", true],
            [type, "gzip", true],
            [type, undefined, true]
          ])
        })
      )
    )

    it.live("explains the refusal of a compressed upload", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(upload(Stream.make(new Uint8Array(10)), { gzip: true }))
        assert.deepInclude(error.reason, { _tag: "ApiError", status: 415 })
        assert.match(error.message, /leave gzip out/)
      }).pipe(
        against(async (request, response) => {
          await bodyOf(request)
          response.writeHead(415).end()
        })
      )
    )

    for (const gzip of [false, true]) {
      it.live(`pulls the source only as the socket takes it${gzip ? ", compressed too" : ""}`, () =>
        Effect.gen(function* () {
          let requested = false
          const port = yield* serve((request) => {
            requested = true
            request.pause() // takes nothing but what the kernel buffers
          })
          // what does not shrink when it is compressed
          const block = crypto.getRandomValues(new Uint8Array(65_536))
          let pulled = 0
          const total = 2_000
          const source = Stream.range(1, total).pipe(
            Stream.rechunk(1),
            Stream.map(() => {
              pulled++
              return block
            })
          )
          const fiber = yield* Effect.forkChild(
            upload(source, { gzip }).pipe(connect(port, { idleTimeout: "1 minute" }))
          )
          // suspended: the request is there, and many turns later nothing more was pulled
          let last = -1
          for (let quiet = 0; quiet < 20; ) {
            yield* Effect.sleep("10 millis")
            quiet = requested && pulled === last ? quiet + 1 : 0
            last = pulled
          }
          assert.isAbove(pulled, 0)
          assert.isBelow(pulled, total / 2)
          yield* Fiber.interrupt(fiber)
        }).pipe(Effect.scoped)
      )

      it.live(`keeps the source's own error${gzip ? ", compressed too" : ""}`, () =>
        Effect.gen(function* () {
          const port = yield* serve((request) => request.resume())
          const broken = Stream.concat(Stream.make(new Uint8Array(10)), Stream.fail("the source broke" as const))
          assert.strictEqual(yield* Effect.flip(upload(broken, { gzip }).pipe(connect(port))), "the source broke")
        }).pipe(Effect.scoped)
      )
    }

    it.live("renews a refused session once, with whatever was sent", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const tokens: Array<string | undefined> = []
          const port = yield* serve(async (request, response) => {
            tokens.push(request.headers.authorization)
            const body = (await bodyOf(request)).toString()
            if (request.headers.authorization === "Bearer one") {
              answer(response, '[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]', {}, 401)
            } else if (request.method === "POST") answer(response, JSON.stringify({ ok: body !== "" }))
            else response.writeHead(200).end("Id\n")
          })
          let signIns = 0
          const session = () =>
            Auth.layerWith(
              Effect.sync(() => ({
                instanceUrl: `http://127.0.0.1:${port}`,
                accessToken: Redacted.make(["one", "two"][signIns++ % 2] ?? "")
              }))
            )
          assert.deepStrictEqual(yield* post.pipe(connect(port, { session: session() })), { ok: true })
          assert.strictEqual(yield* text.pipe(connect(port, { session: session() })), "Id\n")
          assert.deepStrictEqual(tokens, ["Bearer one", "Bearer two", "Bearer one", "Bearer two"])
        })
      )
    )

    it.live("counts a download over which nothing moves as lost", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* reasonOf(text))._tag, "ConnectionLost")
      }).pipe(against((_, response) => response.writeHead(200).write("Id\n1\n")))
    )

    it.live("does not take an upload for done that was answered before its end", () =>
      Effect.gen(function* () {
        const unfinished = Stream.concat(Stream.make(new Uint8Array(10)), Stream.never)
        assert.include(["UnexpectedResponse", "ConnectionLost"], (yield* reasonOf(upload(unfinished)))._tag)
      }).pipe(
        against((request, response) => {
          request.once("data", () => response.writeHead(201).end())
        })
      )
    )

    it.live("counts an upload over which nothing moves as lost", () =>
      Effect.gen(function* () {
        const endless = Stream.make(new Uint8Array(65_536)).pipe(Stream.forever)
        assert.strictEqual((yield* reasonOf(upload(endless)))._tag, "ConnectionLost")
      }).pipe(against((request) => request.pause()))
    )

    it.live("drops the connection of what is interrupted, both ways", () =>
      Effect.gen(function* () {
        for (const act of [upload(Stream.concat(Stream.make(new Uint8Array(10)), Stream.never)), Effect.asVoid(text)]) {
          const closed = Promise.withResolvers<void>()
          const started = Promise.withResolvers<void>()
          const port = yield* serve((request, response) => {
            response.on("close", closed.resolve)
            request.on("data", () => started.resolve())
            if (request.method === "GET") response.writeHead(200).write("Id\n", () => started.resolve())
          })
          const fiber = yield* Effect.forkChild(act.pipe(connect(port, { idleTimeout: "1 minute" })))
          yield* Effect.promise(() => started.promise)
          yield* Fiber.interrupt(fiber)
          yield* Effect.promise(() => closed.promise)
        }
      }).pipe(Effect.scoped)
    )

    it.live("releases the socket of every answer, whatever became of it", () =>
      Effect.gen(function* () {
        const open = new Set<Socket>()
        const port = yield* serve((request, response) => {
          const { socket } = request
          if (!open.has(socket)) socket.on("close", () => open.delete(socket))
          open.add(socket)
          const isSuccess = request.url?.endsWith("/csv")
          answer(response, "x".repeat(1_000_000), {}, isSuccess ? 200 : 400)
        })
        // one that is not read at all, one that is read in part, one whose body is an error's, one that is no JSON
        const unread = Connection.Connection.use((connection) => Effect.scoped(connection.bytes({ path: "/csv" })))
        const partly = Connection.Connection.use((connection) => connection.bytes({ path: "/csv" })).pipe(
          Effect.flatMap(({ bytes }) => Stream.runHead(bytes)),
          Effect.scoped
        )
        const odd = Connection.Connection.use((connection) => connection.json({ method: "GET", path: "/csv" }, Answer))
        yield* Effect.forEach(Array.from({ length: 10 }), () =>
          Effect.all([unread, partly, Effect.flip(get), Effect.flip(odd)])
        ).pipe(
          // while the client lives: its end would close all of them
          Effect.andThen(
            Effect.suspend(() => (open.size > 2 ? Effect.fail(`${open.size} sockets are open`) : Effect.void)).pipe(
              Effect.retry(Schedule.spaced("5 millis").pipe(Schedule.upTo({ times: 200 })))
            )
          ),
          connect(port)
        )
      }).pipe(Effect.scoped)
    )

    it.live("follows no redirect, and sends its token nowhere else", () =>
      Effect.gen(function* () {
        let strangers = 0
        const elsewhere = yield* serve((_, response) => {
          strangers++
          answer(response, '{"ok":true}')
        })
        for (const status of [301, 302, 303, 307, 308]) {
          for (const target of [`http://127.0.0.1:${elsewhere}/x?secret=1`, "http://evil.example/"]) {
            const port = yield* serve((_, response) => answer(response, "", { location: target }, status))
            for (const act of [get, post, text, upload(Stream.make(new Uint8Array(10)))]) {
              const error = yield* Effect.flip(Effect.asVoid(act).pipe(connect(port)))
              assert.strictEqual(error.reason._tag, "UnexpectedResponse")
              assert.include(error.message, `it leads to ${new URL(target).origin}`)
              assert.notInclude(error.message, "secret")
            }
          }
        }
        assert.strictEqual(strangers, 0)
      }).pipe(Effect.scoped)
    )

    it.live("says what is wrong with a host, and asks it once", () =>
      Effect.gen(function* () {
        const tls = (port: number) => Auth.layerToken({ instanceUrl: `https://127.0.0.1:${port}`, accessToken: "x" })
        const again = { retry: Schedule.recurs(3) }
        let asked = 0
        const untrusted = yield* serveTls(selfSigned(), () => asked++)
        const plain = yield* serve(() => asked++)
        for (const [session, words] of [
          [tls(untrusted), /has a certificate that it signed itself/],
          [tls(plain), /does not speak https/],
          [
            Auth.layerToken({ instanceUrl: "https://acme.my.salesforce.invalid", accessToken: "x" }),
            /is no host that is known: check the URL/
          ]
        ] as const) {
          const error = yield* Effect.flip(get.pipe(connect(0, { ...again, session })))
          assert.strictEqual(error.reason._tag, "Unreachable", error.message)
          assert.match(error.message, words)
          assert.isFalse(error.isRetryable)
        }
        assert.strictEqual(asked, 0)
      }).pipe(Effect.scoped)
    )
  })
}

describe("a certificate", () => {
  it.live("that has expired, or is another host's, is refused by name", () =>
    Effect.gen(function* () {
      for (const [certificate, words] of [
        [selfSigned({ until: new Date(Date.now() - 3_600_000) }), /has a certificate that has expired/],
        [selfSigned({ host: "other.example" }), /has a certificate for another host/]
      ] as const) {
        const port = yield* serveTls(certificate, () => {})
        const trusting = NodeHttpClient.layerUndiciOptions({ connect: { ca: certificate.pem } })
        const error = yield* Effect.flip(get).pipe(
          Effect.provide(
            Connection.layer.pipe(
              Layer.provide(Auth.layerToken({ instanceUrl: `https://127.0.0.1:${port}`, accessToken: "x" })),
              Layer.provide(trusting)
            )
          )
        )
        assert.strictEqual(error.reason._tag, "Unreachable")
        assert.match(error.message, words)
      }
    }).pipe(Effect.scoped)
  )
})
