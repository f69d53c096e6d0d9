import { execFile } from "node:child_process"
import { writeFile } from "node:fs/promises"
import * as net from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { end, folder, ready, start } from "./command.ts"

const isOneLine = (text: string, pattern: RegExp) => {
  assert.match(text, pattern)
  assert.strictEqual(text.trimEnd().split("\n").length, 1, text)
}

/** The command as it is installed, on a Node that says it has this version. */
const installed = (version: string) =>
  Effect.callback<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }>((resume) => {
    const bin = fileURLToPath(new URL("../../src/org/bin.ts", import.meta.url))
    const says = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`
    const args = ["--import", `data:text/javascript,${encodeURIComponent(says)}`, bin, "--help"]
    execFile(process.execPath, args, (error, stdout, stderr) =>
      resume(Effect.succeed({ code: error?.code ?? 0, stdout, stderr }))
    )
  })

describe("the command", () => {
  it.live("says on an old Node what it takes, and runs on others", () =>
    Effect.gen(function* () {
      for (const version of ["20.20.2", "22.18.0"]) {
        const { code, stderr, stdout } = yield* installed(version)
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.strictEqual(stderr, `effect-salesforce-bulk: Node ${version} is too old: it takes 22.19 or later\n`)
      }
      for (const version of ["22.19.0", process.versions.node]) {
        const { code, stdout } = yield* installed(version)
        assert.strictEqual(code, 0)
        assert.match(stdout, /^Usage: effect-salesforce-bulk org/)
      }
    })
  )

  it.live("prints one line when it is ready, serves, and ends with 0 on SIGTERM", () =>
    Effect.gen(function* () {
      const org = yield* start("org", "--port", "0")
      const said = yield* ready(org)
      assert.deepStrictEqual(Object.keys(said), ["ready", "instanceUrl", "accessToken", "orgId"])
      assert.strictEqual(said.ready, true)
      assert.match(String(said.instanceUrl), /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.match(String(said.orgId), /^00D[0-9A-Za-z]{15}$/)
      assert.match(String(said.accessToken), /^00D[0-9A-Za-z]{15}!\w+$/)
      const response = yield* Effect.promise(() =>
        fetch(`${said.instanceUrl}/services/data/v68.0/jobs/ingest`, {
          method: "POST",
          headers: { authorization: `Bearer ${said.accessToken}`, "content-type": "application/json" },
          body: '{"object":"Account","operation":"insert"}'
        })
      )
      assert.strictEqual(response.status, 200)
      org.child.kill("SIGTERM")
      const { code, stderr, stdout } = yield* org.ended
      assert.strictEqual(code, 0)
      assert.strictEqual(stdout.split("\n").length, 2)
      assert.strictEqual(stderr, "")
    })
  )

  it.live("ends with 0 on SIGINT, even while an upload hangs", () =>
    Effect.gen(function* () {
      const org = yield* start("org", "--token", "secret")
      const { accessToken, instanceUrl } = yield* ready(org)
      assert.strictEqual(accessToken, "secret")
      const jobs = `${instanceUrl}/services/data/v68.0/jobs/ingest`
      const headers = { authorization: "Bearer secret", "content-type": "application/json" }
      const created = yield* Effect.promise(() =>
        fetch(jobs, { method: "POST", headers, body: '{"object":"Account","operation":"insert"}' }).then((r) =>
          r.json()
        )
      )
      const socket = net.connect(Number(new URL(String(instanceUrl)).port), "127.0.0.1")
      socket.on("error", () => {})
      yield* Effect.promise(
        () =>
          new Promise<void>((resolve) => {
            socket.write(
              `PUT ${new URL(jobs).pathname}/${created.id}/batches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\nContent-Length: 99\r\n\r\nName\n`,
              () => resolve()
            )
          })
      )
      // and one that has not even asked yet
      const silent = net.connect(Number(new URL(String(instanceUrl)).port), "127.0.0.1")
      silent.on("error", () => {})
      yield* Effect.promise(() => new Promise<void>((resolve) => silent.write("GET / HTTP/1.1\r\nHo", () => resolve())))
      org.child.kill("SIGINT")
      assert.strictEqual((yield* org.ended).code, 0)
    })
  )

  it.live("loads the objects of a file, or of a folder", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const describes = [
        { name: "One__c", fields: [{ name: "Name" }] },
        {
          status: 0,
          result: { name: "Two__c", keyPrefix: "a5x", fields: [{ name: "Name", type: "string" }], urls: {} }
        }
      ]
      for (const [i, describe] of describes.entries()) {
        yield* Effect.promise(() => writeFile(join(path, `${i}.json`), JSON.stringify(describe)))
      }
      const create = (said: Record<string, unknown>, object: string) =>
        Effect.promise(() =>
          fetch(`${said.instanceUrl}/services/data/v68.0/jobs/ingest`, {
            method: "POST",
            headers: { authorization: `Bearer ${said.accessToken}`, "content-type": "application/json" },
            body: JSON.stringify({ object, operation: "insert" })
          }).then((response) => response.status)
        )
      const both = yield* Effect.flatMap(start("org", "--objects", path), ready)
      assert.deepStrictEqual([yield* create(both, "One__c"), yield* create(both, "Two__c")], [200, 200])
      const one = yield* Effect.flatMap(start("org", "--objects", join(path, "0.json")), ready)
      assert.deepStrictEqual([yield* create(one, "One__c"), yield* create(one, "Two__c")], [200, 400])
    })
  )

  it.live("makes an object of the header of a CSV file", () =>
    Effect.gen(function* () {
      const csv = join(yield* folder, "my customers.csv")
      yield* Effect.promise(() => writeFile(csv, '\uFEFFName;"City__c"\r\n'))
      const org = yield* start("org", "--objects", csv)
      const { accessToken, instanceUrl } = yield* ready(org)
      const url = `${instanceUrl}/services/data/v68.0/sobjects/My_customers__c/describe`
      const describe = yield* Effect.promise(() =>
        fetch(url, { headers: { authorization: `Bearer ${accessToken}` } }).then((response) => response.json())
      )
      const fields: ReadonlyArray<{ readonly name: string; readonly length: number; readonly nillable: boolean }> =
        describe.fields
      assert.deepStrictEqual(
        fields.slice(-2).map(({ length, name, nillable }) => [name, length, nillable]),
        [
          ["Name", 80, false],
          ["City__c", 255, true]
        ]
      )
      isOneLine(org.out.stderr, /my customers\.csv may be loaded into My_customers__c$/m)
    })
  )

  it.live("says in one line what is wrong, and ends with 1", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const file = join(path, "bad.json")
      yield* Effect.promise(() => writeFile(file, '{"name":"X__c"}'))
      const taken = yield* Effect.acquireRelease(
        Effect.promise(
          () =>
            new Promise<net.Server>((resolve) => {
              const server = net.createServer().listen(0, "127.0.0.1", () => resolve(server))
            })
        ),
        (server) => Effect.sync(() => server.close())
      )
      const address = taken.address()
      assert(typeof address === "object" && address !== null)
      const expected: ReadonlyArray<readonly [args: ReadonlyArray<string>, stderr: RegExp]> = [
        [["org", "--prot", "1"], /Unknown option '--prot'; see --help$/m],
        [["org", "--objects", join(path, "none")], /none: ENOENT/],
        [["org", "--objects", file], /bad\.json: Missing key at \["fields"\]/],
        [["org", "--port", String(address.port)], new RegExp(`port ${address.port} is taken`)]
      ]
      const ends = yield* Effect.forEach(expected, ([args]) => end(...args), { concurrency: 2 })
      for (const [i, [args, pattern]] of expected.entries()) {
        const { code, stderr, stdout } = ends[i]!
        isOneLine(stderr, /^effect-salesforce-bulk: /)
        assert.match(stderr, pattern, args.join(" "))
        assert.deepStrictEqual([code, stdout], [1, ""])
      }
    })
  )

  it.live("prints its help, and ends with 0", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* end("--help")
      assert.deepStrictEqual([code, stderr], [0, ""])
      for (const option of [
        "--port",
        "--token",
        "--objects",
        "--data",
        "--polls",
        "--hard-delete",
        "--production",
        "--sandbox",
        "--help"
      ])
        assert.include(stdout, option)
    })
  )
})
