// Every example is run as a person runs it, and says what it is meant to say.
import { execFile } from "node:child_process"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

const root = resolve(import.meta.dirname, "..")

const run = (example: string) =>
  Effect.callback<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }>((resume) => {
    const child = execFile(
      process.execPath,
      [join(root, "examples", example, "main.ts")],
      { cwd: root },
      (error, stdout, stderr) => resume(Effect.succeed({ code: error?.code ?? 0, stdout, stderr }))
    )
    return Effect.sync(() => child.kill())
  })

describe("examples", () => {
  it.live("00-airports loads a published file and shows what became of it", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("00-airports")
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /^3360 created, 0 updated, 16 refused in [\d.]+ s$/m)
      assert.match(stdout, /^ +YAP +Yap International +INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: .*: NA$/m)
      assert.strictEqual(stdout.match(/INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST/g)?.length, 16)
      assert.match(stdout, /^ +BLI +Bellingham Intl +48\.79 +Bellingham$/m)
      assert.match(stderr, /^uploading: 3,376 records, [\d,]+ bytes$/m)
      assert.match(stderr, /^JobComplete: 3,376 processed, 16 failed$/m)
    })
  )

  it.live("10-web-login signs in by the browser, over a receiver on a loopback port", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("10-web-login")
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /^The browser shows: You may close this window/m)
      assert.match(stdout, /^Signed in at http:\/\/127\.0\.0\.1:\d+$/m)
      assert.match(stdout, /^The org knows api@embedded-org\.example$/m)
    })
  )

  it.live("30-migration plans, finds, fixes and loads 1,200 failures", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("30-migration")
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /^error +Status__c: .*\[NOT_IN_PICKLIST, 500 records\]/m)
      assert.match(stdout, /^error +Name: .*\[TOO_LONG, 400 records\]/m)
      assert.match(stdout, /^4,800 succeeded, 1,200 failed$/m)
      assert.match(stdout, /^ +300 +INVALID_FIELD: Foreign key external ID: OVERSEAS not found/m)
      assert.match(stdout, /^6,000 succeeded, 0 failed$/m)
    })
  )
})
