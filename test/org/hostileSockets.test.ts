// Thousands of hostile requests over sockets, to an org in a process of its own, which must not mind.
import { readFile } from "node:fs/promises"
import * as net from "node:net"
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ready, start } from "./command.ts"

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
const seeded = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What is put on a socket, piece by piece, and how it ends. */
interface Attack {
  readonly name: string
  readonly pieces: ReadonlyArray<string | Uint8Array>
  /** How long the client waits between two pieces, in milliseconds. */
  readonly pause?: number
  /** Its writing side is closed behind the last piece, or all of it, without waiting for an answer. */
  readonly ending?: "half" | "hang up"
  /** It is no HTTP, or no end of a request: the org may close the socket without a word. */
  readonly broken?: boolean
}

/** What came back: nothing when the socket was closed without a word. */
type Reply = { readonly status: number; readonly contentType: string; readonly body: string } | undefined

const dechunked = (text: string): string => {
  let body = ""
  for (let at = 0; ; ) {
    const [, size = "0"] = /^([0-9a-f]+)\r\n/i.exec(text.slice(at, at + 20)) ?? []
    const length = Number.parseInt(size, 16)
    if (length === 0) return body
    const from = at + size.length + 2
    body += text.slice(from, from + length)
    at = from + length + 2
  }
}

const replyOf = (text: string): Reply => {
  const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(text) ?? []
  if (status === undefined) return undefined
  const at = text.indexOf("\r\n\r\n")
  const head = text.slice(0, at)
  const rest = text.slice(at + 4)
  const [, contentType = ""] = /^content-type: *(.*)$/im.exec(head) ?? []
  return {
    status: Number(status),
    contentType,
    body: /^transfer-encoding: *chunked/im.test(head) ? dechunked(rest) : rest
  }
}

const send = (port: number, attack: Attack) =>
  Effect.callback<Reply, Error>((resume) => {
    const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true })
    const timer = setTimeout(() => {
      socket.destroy()
      resume(Effect.fail(new Error(`no answer within 20 seconds to: ${attack.name}`)))
    }, 20_000)
    let text = ""
    socket.setEncoding("latin1")
    socket.on("data", (data) => (text += data))
    socket.on("error", () => {})
    socket.on("end", () => socket.destroy())
    socket.on("close", () => {
      clearTimeout(timer)
      resume(Effect.succeed(replyOf(text)))
    })
    const write = (i: number): void => {
      const piece = attack.pieces[i]
      if (piece === undefined) {
        if (attack.ending === "half") socket.end()
        if (attack.ending === "hang up") socket.destroy()
        return
      }
      socket.write(piece, () => {
        if (attack.pause === undefined) write(i + 1)
        else setTimeout(write, attack.pause, i + 1)
      })
    }
    write(0)
  })

/** Whether a refusal reads as Salesforce writes it: as the API, or as its OAuth endpoints. */
const isRefusal = (body: string): boolean => {
  try {
    const json: unknown = JSON.parse(body)
    if (Array.isArray(json)) return json.every((each) => typeof each.errorCode === "string" && "message" in each)
    return typeof json === "object" && json !== null && "error" in json
  } catch {
    return body.startsWith("Bad_OAuth_Token") || body.startsWith("Missing_OAuth_Token")
  }
}

/** What is wrong with a reply, if anything. */
const complaint = (attack: Attack, reply: Reply): string | undefined => {
  const said = `${attack.name}: ${JSON.stringify(reply)?.slice(0, 300)}`
  if (reply === undefined) return attack.broken || attack.ending === "hang up" ? undefined : `no answer to ${said}`
  if (reply.status >= 500) return said
  if (reply.status < 400) return undefined
  // what is no HTTP is refused by Node, before the org sees it
  const isUnread = reply.body === "" && [400, 408, 413, 414, 417, 431].includes(reply.status)
  return isUnread || isRefusal(reply.body) ? undefined : said
}

type Job = Readonly<Record<string, unknown>>

describe("an org that is attacked over sockets", () => {
  it.live(
    "answers, closes or ignores thousands of requests, stays up and right, and does not grow",
    () =>
      Effect.gen(function* () {
        const org = yield* start("org", "--port", "0")
        const { accessToken, instanceUrl } = yield* ready(org)
        const port = Number(new URL(String(instanceUrl)).port)
        const api = "/services/data/v68.0"
        const random = seeded(20_261_123)
        const below = (n: number) => Math.floor(random() * n)
        const pick = <A>(all: ReadonlyArray<A>): A => all[below(all.length)]!
        const bytes = (length: number) => Uint8Array.from({ length }, () => below(256))
        const text = (length: number) => String.fromCharCode(...Array.from({ length }, () => 32 + below(95)))

        const head = (method: string, path: string, lines: ReadonlyArray<string> = []) =>
          `${[`${method} ${path} HTTP/1.1`, "Host: x", "Connection: close", ...lines].join("\r\n")}\r\n`
        const authorized = (method: string, path: string, lines: ReadonlyArray<string> = []) =>
          head(method, path, [`Authorization: Bearer ${accessToken}`, ...lines])

        /** A whole request with a body. */
        const request = (
          method: string,
          path: string,
          body: string | Uint8Array,
          lines: ReadonlyArray<string> = []
        ) => {
          const content = typeof body === "string" ? new TextEncoder().encode(body) : body
          return [`${authorized(method, path, [...lines, `Content-Length: ${content.length}`])}\r\n`, content]
        }
        const json = "Content-Type: application/json"
        const csv = "Content-Type: text/csv"

        const call = Effect.fnUntraced(function* (method: string, path: string, body = "", type = json) {
          const reply = yield* send(port, { name: path, pieces: request(method, `${api}${path}`, body, [type]) })
          assert(reply !== undefined && reply.status < 300, `${path}: ${JSON.stringify(reply)}`)
          return reply.body
        })
        const created = Effect.map(
          call("POST", "/jobs/ingest", '{"object":"Account","operation":"insert"}'),
          (body): string => JSON.parse(body).id
        )

        /** A load from begin to end, and what a client can tell of it. */
        const load = Effect.gen(function* () {
          const id = yield* created
          const names = Array.from({ length: 300 }, (_, i) => `name ${i},${i}\n`)
          yield* call("PUT", `/jobs/ingest/${id}/batches`, `Name,NumberOfEmployees\n${names.join("")},1\nx,y\n`, csv)
          yield* call("PATCH", `/jobs/ingest/${id}`, '{"state":"UploadComplete"}')
          const job = yield* Effect.repeat(
            Effect.map(call("GET", `/jobs/ingest/${id}`), (body): Job => JSON.parse(body)),
            { until: ({ state }) => state !== "UploadComplete" && state !== "InProgress" }
          )
          const cells = (body: string) =>
            body
              .replace(/"001\w{15}"/g, '"001"')
              .split("\n")
              .sort()
          return {
            counts: [job.state, job.numberRecordsProcessed, job.numberRecordsFailed],
            successful: cells(yield* call("GET", `/jobs/ingest/${id}/successfulResults`)),
            failed: cells(yield* call("GET", `/jobs/ingest/${id}/failedResults`))
          }
        })
        const before = yield* load
        assert.deepStrictEqual(before.counts, ["JobComplete", 302, 2])

        const open = yield* Effect.replicateEffect(created, 20)
        const jobPath = () => `${api}/jobs/ingest/${pick(open)}`
        const queryId: string = JSON.parse(
          yield* call("POST", "/jobs/query", '{"operation":"query","query":"SELECT Id FROM Account"}')
        ).id

        const bomb = gzipSync(Buffer.alloc(120 * 2 ** 20, "Name\n"))
        const words =
          "SELECT,FROM,WHERE,Id,Name,Account,AND,OR,NOT,IN,LIKE,(,),',=,<,null,TODAY,LIMIT,ORDER BY,\\,1e9,:x,.,%".split(
            ","
          )
        const values = [
          "null",
          "0",
          '""',
          "[]",
          "{}",
          '"\\u0000"',
          '"\\ud800"',
          "1e999",
          '"__proto__"',
          '"constructor"'
        ]
        const keys = ["object", "operation", "externalIdFieldName", "lineEnding", "state", "query", "__proto__", "Name"]
        const paths = [
          "/jobs/ingest",
          "/jobs/query",
          "/sobjects/Account",
          "/sobjects",
          "/query?q=SELECT+Id+FROM+Account",
          "/limits",
          "/jobs/ingest/x/successfulResults",
          `/jobs/query/${queryId}/results`,
          `/jobs/query/${queryId}/resultPages`
        ] as const

        /** The kinds of attacks, and how many there are of each. */
        const kinds: ReadonlyArray<readonly [count: number, make: (name: string) => Omit<Attack, "name">]> = [
          // bodies
          [400, () => ({ pieces: request("PUT", `${jobPath()}/batches`, bytes(below(3_000)), [csv]) })],
          [
            100,
            () => ({
              pieces: request("PUT", `${jobPath()}/batches`, bytes(below(300)), [csv, "Content-Encoding: gzip"])
            })
          ],
          [2, () => ({ pieces: request("PUT", `${jobPath()}/batches`, bomb, [csv, "Content-Encoding: gzip"]) })],
          [
            400,
            () => ({
              pieces: request(
                pick(["POST", "PATCH", "PUT"]),
                `${api}${pick(paths)}`,
                `{${Array.from({ length: below(5) }, () => `"${pick(keys)}":${pick(values)}`).join()}}`,
                [json]
              )
            })
          ],
          [
            60,
            () => {
              const depth = 10 ** (1 + below(5))
              const [left, right] = pick([
                ["[", "]"],
                ['{"a":', "}"],
                ['{"object":[', "]}"]
              ])
              return {
                pieces: request(
                  "POST",
                  `${api}/jobs/${pick(["ingest", "query"])}`,
                  `${left.repeat(depth)}1${right.repeat(depth)}`,
                  [json]
                )
              }
            }
          ],
          [
            20,
            () => ({ pieces: request("POST", `${api}/jobs/ingest`, `{"object":"${"x".repeat(2 ** 20)}"}`, [json]) })
          ],
          [
            100,
            () => ({
              pieces: request("POST", `${api}/jobs/ingest`, text(500), [
                `Content-Type: multipart/form-data; boundary=${text(5)}`
              ])
            })
          ],
          [
            300,
            () => ({
              pieces: request(
                "POST",
                `${api}/jobs/query`,
                JSON.stringify({
                  operation: "query",
                  query: `SELECT Id FROM Account WHERE ${Array.from({ length: below(30) }, () => pick(words)).join(" ")}`
                }),
                [json]
              )
            })
          ],
          [
            100,
            () => ({
              pieces: request("POST", "/services/oauth2/token", text(200), [
                "Content-Type: application/x-www-form-urlencoded"
              ])
            })
          ],
          // who, and where
          [
            200,
            () => ({
              pieces: [
                `${head(pick(["GET", "POST", "DELETE"]), `${api}${pick(paths)}`, [`Authorization: ${pick(["", "Bearer ", "Basic ", "OAuth "])}${text(below(40))}`])}\r\n`
              ]
            })
          ],
          [
            200,
            () => ({
              pieces: [
                `${authorized("GET", `${api}/jobs/query/${queryId}/results?${pick(["locator", "maxRecords", "x"])}=${encodeURIComponent(text(below(30)))}`)}\r\n`
              ]
            })
          ],
          [
            200,
            () => ({
              pieces: [
                `${authorized(pick(["GET", "DELETE"]), `${api}/${pick(["jobs/ingest", "sobjects/Account", "jobs/query", ""])}/${pick(["%00", "%F0%28", "..%2f..", "%2e%2e", "'", "x".repeat(3_000), encodeURIComponent(text(20)), "constructor"])}`)}\r\n`
              ]
            })
          ],
          [40, () => ({ pieces: [`${authorized("GET", `/${"x/".repeat(below(20_000))}`)}\r\n`], broken: true })],
          [
            60,
            () => ({
              pieces: [
                `${authorized("GET", `${api}/limits`, [`X-${text(3).replace(/\W/g, "a")}: ${"y".repeat(below(60_000))}`])}\r\n`
              ]
            })
          ],
          [
            20,
            () => ({
              pieces: [
                `${authorized(
                  "GET",
                  `${api}/limits`,
                  Array.from({ length: 3_000 }, (_, i) => `X-${i}: y`)
                )}\r\n`
              ]
            })
          ],
          [
            100,
            () => ({
              pieces: [
                `${authorized(pick(["PROPFIND", "TRACE", "OPTIONS", "PUT", "DELETE"]), `${api}${pick(paths)}`)}\r\n`
              ]
            })
          ],
          [
            60,
            () => ({
              pieces: request(
                pick(["PUT", "POST"]),
                `/__org/${pick(["faults", "seed", "reset", "x", "%00"])}`,
                text(100),
                ["Authorization: Bearer x"]
              )
            })
          ],
          // lengths that lie, and chunks that are none
          [
            100,
            () => ({
              pieces: [
                `${authorized("PUT", `${jobPath()}/batches`, [csv, `Content-Length: ${pick([10_737_418_240, 1e15, 5_000])}`])}\r\n`,
                "Name\nx"
              ],
              ending: "half",
              broken: true
            })
          ],
          [
            60,
            () => ({
              pieces: [
                `${authorized("PATCH", jobPath(), [json, `Content-Length: ${pick(["-1", "x", "1e3", "99999999999999999999"])}`])}\r\n`,
                "{}"
              ],
              ending: "half",
              broken: true
            })
          ],
          [
            100,
            () => ({
              pieces: [
                `${authorized("PUT", `${jobPath()}/batches`, [csv, "Transfer-Encoding: chunked"])}\r\n`,
                pick(["ZZ\r\nName", "5\r\nName\n\r\n", "FFFFFFFF\r\nName\r\n", "\r\n\r\n", "4\r\nName"])
              ],
              ending: "half",
              broken: true
            })
          ],
          [
            60,
            () => ({
              pieces: [
                `${authorized("PUT", `${jobPath()}/batches`, [csv, "Transfer-Encoding: chunked", "Content-Length: 5"])}\r\n`,
                "5\r\nName\n\r\n0\r\n\r\n"
              ],
              broken: true
            })
          ],
          // sockets
          [
            100,
            () => ({
              pieces: [
                `${authorized("PUT", `${jobPath()}/batches`, [csv, "Content-Length: 200000"])}\r\n`,
                "Name\n".repeat(below(20_000))
              ],
              ending: "hang up"
            })
          ],
          [100, () => ({ pieces: request("GET", `${api}${pick(paths)}`, ""), ending: "half" })],
          [
            60,
            () => ({
              pieces: [
                `${authorized("PUT", `${jobPath()}/batches`, [csv, "Content-Length: 7"])}\r\n`,
                "Na",
                "me\n",
                "x\n"
              ],
              pause: 20
            })
          ],
          [100, () => ({ pieces: [bytes(200)], ending: "half", broken: true })],
          [
            60,
            () => ({
              pieces: [`${pick(["GARBAGE", "GET / HTTP/9.9", "GET", "\0\0", "GET /\r\n\r\nGET / HTTP/1.1"])}\r\n\r\n`],
              ending: "half",
              broken: true
            })
          ],
          [
            40,
            () => ({
              pieces: [
                `GET ${api}/limits HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${accessToken}\r\n\r\n`.repeat(20)
              ],
              ending: "half"
            })
          ],
          // states
          [
            200,
            () => ({
              pieces: request(
                "PATCH",
                jobPath(),
                pick(['{"state":"Aborted"}', '{"state":"UploadComplete"}', '{"state":"JobComplete"}']),
                [json]
              )
            })
          ],
          [60, () => ({ pieces: request("DELETE", jobPath(), "") })]
        ]
        const attacks = kinds.flatMap(([count, make], kind) =>
          Array.from({ length: count }, (_, i): Attack => ({ name: `kind ${kind}, number ${i}`, ...make(`${kind}`) }))
        )
        assert.isAbove(attacks.length, 3_000)
        // in an order that mixes the kinds
        const mixed = attacks.map((attack) => ({ attack, at: random() })).sort((a, b) => a.at - b.at)

        const complaints = yield* Effect.forEach(
          mixed,
          ({ attack }) => Effect.map(send(port, attack), (reply) => complaint(attack, reply) ?? []),
          { concurrency: 16 }
        )
        assert.deepStrictEqual(complaints.flat().slice(0, 5), [])

        assert.isNull(org.child.exitCode, "the org ended")
        const after = yield* load
        assert.deepStrictEqual(after, before)
        const peak = yield* Effect.promise(() => readFile(`/proc/${org.child.pid}/status`, "utf8").catch(() => ""))
        const [, kilobytes] = /^VmHWM:\s*(\d+) kB/m.exec(peak) ?? []
        if (kilobytes !== undefined) assert.isBelow(Number(kilobytes) / 1_024, 400, "MiB at most")
      }),
    60_000
  )
})
