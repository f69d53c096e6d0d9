import { writeFile } from "node:fs/promises"
import * as net from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { folder, ready, start } from "./command.ts"

const rows = 12_000
const isBad = (i: number) => i % 97 === 0
const names = (prefix: string) => Array.from({ length: rows }, (_, i) => `${prefix}${i}`)
/** Rows of which some are refused for a text that is too long. */
const csv = (prefix: string) =>
  `Name,Code__c\n${names(prefix)
    .map((name, i) => `${name},${isBad(i) ? "too long for this" : i}\n`)
    .join("")}`

/** The org in a folder, and how it is asked. */
const run = Effect.fnUntraced(function* (path: string) {
  const org = yield* start("org", "--data", path, "--objects", join(path, "objects.json"))
  const said = yield* ready(org)
  const headers = { authorization: `Bearer ${said.accessToken}` }
  const url = (path: string) => `${said.instanceUrl}/services/data/v68.0${path}`
  const text = (path: string, method = "GET", body?: string, contentType = "text/csv") =>
    Effect.promise(async () => {
      const response = await fetch(url(path), {
        method,
        headers: { ...headers, "content-type": contentType },
        ...(body !== undefined && { body })
      })
      const text = await response.text()
      assert.isTrue(response.ok, `${path} ${response.status} ${text}`)
      return text
    })
  const json = (path: string, method = "GET", body?: unknown) =>
    Effect.map(
      text(path, method, body === undefined ? undefined : JSON.stringify(body), "application/json"),
      (text): Record<string, unknown> => JSON.parse(text)
    )
  const job = Effect.fnUntraced(function* (path: string) {
    const job = yield* json(path)
    assert.isUndefined(job.errorMessage)
    return job
  })
  const jobUntil = (path: string, isEnough: (job: Record<string, unknown>) => boolean) =>
    Effect.repeat(job(path), { until: isEnough })
  /** Ends the process at once, without a chance to do anything more. */
  const kill = Effect.suspend(() => {
    org.child.kill("SIGKILL")
    return org.ended
  })
  const dump = Effect.promise(
    async (): Promise<Record<string, ReadonlyArray<Record<string, unknown>>>> =>
      (await fetch(`${said.instanceUrl}/__org/dump`, { headers })).json()
  )
  return { said, url, headers, text, json, jobUntil, kill, dump }
})

const processed = (job: Record<string, unknown>) => Number(job.numberRecordsProcessed)

const cells = (text: string) => text.trimEnd().split("\n").slice(1)

describe("an org that is killed", () => {
  it.live(
    "goes on where it was: every row once, nothing lost",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        yield* Effect.promise(() =>
          writeFile(
            join(path, "objects.json"),
            JSON.stringify({ name: "Load__c", fields: [{ name: "Name" }, { name: "Code__c", length: 5 }] })
          )
        )
        const jobOf = (id: unknown) => `/jobs/ingest/${id}`
        const newJob = { object: "Load__c", operation: "insert" }

        // in the middle of a load, and of another's upload
        const first = yield* run(path)
        const { id: one } = yield* first.json("/jobs/ingest", "POST", newJob)
        const { id: other } = yield* first.json("/jobs/ingest", "POST", newJob)
        yield* first.text(`${jobOf(one)}/batches`, "PUT", csv("a"))
        const socket = net.connect(Number(new URL(String(first.said.instanceUrl)).port), "127.0.0.1")
        socket.on("error", () => {})
        yield* Effect.promise(
          () =>
            new Promise<void>((resolve) => {
              const head = `PUT ${new URL(first.url(jobOf(other))).pathname}/batches HTTP/1.1\r\nHost: x\r\nAuthorization: ${first.headers.authorization}\r\nContent-Length: 9000000\r\n\r\n`
              socket.write(head + csv("b").slice(0, 300_000), () => resolve())
            })
        )
        yield* first.json(jobOf(one), "PATCH", { state: "UploadComplete" })
        const atFirst = yield* first.jobUntil(jobOf(one), (job) => processed(job) > 0)
        assert.strictEqual(atFirst.state, "InProgress")
        yield* first.kill

        // as soon as it goes on, while the other upload is made anew
        const second = yield* run(path)
        assert.deepStrictEqual([second.said.orgId, second.said.accessToken], [first.said.orgId, first.said.accessToken])
        assert.strictEqual((yield* second.json(jobOf(other))).state, "Open")
        yield* second.text(`${jobOf(other)}/batches`, "PUT", csv("b"))
        yield* second.json(jobOf(other), "PATCH", { state: "UploadComplete" })
        yield* second.jobUntil(jobOf(other), (job) => processed(job) > 0)
        const then = yield* second.json(jobOf(one))
        assert.isAtLeast(processed(then), processed(atFirst))
        yield* second.kill

        // once it is through, with a query under way
        const third = yield* run(path)
        assert.isAtLeast(processed(yield* third.json(jobOf(one))), processed(then))
        yield* third.jobUntil(jobOf(one), ({ state }) => state === "JobComplete")
        const { id: query } = yield* third.json("/jobs/query", "POST", {
          operation: "query",
          query: "SELECT Id, Name FROM Load__c WHERE Name LIKE 'a%'"
        })
        yield* third.jobUntil(`/jobs/query/${query}`, (job) => processed(job) > 0 || job.state === "JobComplete")
        yield* third.kill

        const last = yield* run(path)
        const refused = names("").filter((_, i) => isBad(i)).length
        const ids = new Set<string>()
        for (const [id, prefix] of [
          [one, "a"],
          [other, "b"]
        ] as const) {
          const job = yield* last.jobUntil(
            jobOf(id),
            ({ state }) => state !== "InProgress" && state !== "UploadComplete"
          )
          assert.strictEqual(job.state, "JobComplete")
          assert.deepStrictEqual([processed(job), job.numberRecordsFailed], [rows, refused])
          const successful = cells(yield* last.text(`${jobOf(id)}/successfulResults`))
          const failed = cells(yield* last.text(`${jobOf(id)}/failedResults`))
          assert.deepStrictEqual([successful.length, failed.length], [rows - refused, refused])
          const nameOf = (row: string) => row.split('","').at(-2)
          assert.deepStrictEqual([...successful, ...failed].map(nameOf).sort(), names(prefix).sort())
          for (const row of successful) ids.add(row.slice(1, 19))
          assert.strictEqual(yield* last.text(`${jobOf(id)}/unprocessedrecords`), "Name,Code__c\n")
        }
        assert.strictEqual(ids.size, 2 * (rows - refused))
        const records = (yield* last.dump).Load__c ?? []
        assert.deepStrictEqual(new Set(records.map(({ Id }) => Id)), ids)
        assert.strictEqual(records.length, ids.size)
        yield* last.jobUntil(`/jobs/query/${query}`, ({ state }) => state === "JobComplete")
        const selected = cells(yield* last.text(`/jobs/query/${query}/results`))
        assert.strictEqual(selected.length, rows - refused)
        assert.strictEqual(new Set(selected).size, selected.length)
      }),
    60_000
  )
})
