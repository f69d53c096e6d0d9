import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { delimiter, join } from "node:path"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { EmbeddedOrg } from "../../src/org/index.ts"
import { runExample } from "./run.ts"

const OrgLive = EmbeddedOrg.layerWith({ username: "me@acme.example" }).pipe(
  Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
)

/** A folder with a program `sf` that answers as the Salesforce CLI does. */
const cliWith = (answer: { readonly instanceUrl: string; readonly accessToken: string }) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(join(import.meta.dirname, ".cli-"))
      const json = JSON.stringify({ status: 0, result: { ...answer, username: "me@acme.example" } })
      writeFileSync(join(folder, "sf"), `#!/bin/sh\necho '${json}'\n`)
      chmodSync(join(folder, "sf"), 0o755)
      return folder
    }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  )

const who = /^ {2}sync@embedded-org\.example of 00D\w{15}, at http:\/\/127\.0\.0\.1:\d+$/gm

// each run starts processes of its own
describe("07-sign-in", { timeout: 60_000 }, () => {
  it.live("signs in by each flow, and never prints a secret", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* runExample("07")
      assert.strictEqual(code, 0, stderr)
      const flows = stdout.match(/^\S+$/gm)
      assert.deepStrictEqual(flows, ["token", "client-credentials", "jwt", "refresh", "web"])
      assert.strictEqual(stdout.match(who)?.length, 5)
      assert.strictEqual(stdout.match(/signs in again by itself/g)?.length, 4)
      assert.match(stdout, /^token\n.*\n {2}once the token is refused: it needs another one$/m)
      assert.match(stdout, /^refresh\n {2}the refresh token was replaced by another one\n/m)
      assert.match(stdout, /^ {2}the browser shows: You may close this window/m)
      assert.notMatch(stdout + stderr, /00D\w{15}!|5Aep|aPrx|known to the app/)
    })
  )

  it.live("signs in by the one flow that is asked for", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* runExample("07", ["jwt"])
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(stdout.match(who)?.length, 1)
      assert.match(stdout, /^jwt\n/)
      const unknown = yield* runExample("07", ["password"])
      assert.strictEqual(unknown.code, 1)
      assert.match(unknown.stderr, /^Choose one of token, client-credentials, jwt, refresh, web, cli/m)
    })
  )

  it.live("asks the environment, and the Salesforce CLI, for a real org", () =>
    Effect.gen(function* () {
      const org = yield* EmbeddedOrg.EmbeddedOrg
      const [instanceUrl, accessToken] = [org.instanceUrl, Redacted.value(org.accessToken)]
      const expected = `  me@acme.example of ${org.orgId}, at ${instanceUrl}`

      const byToken = yield* runExample("07", ["token"], {
        env: { SF_INSTANCE_URL: instanceUrl, SF_ACCESS_TOKEN: accessToken }
      })
      assert.include(byToken.stdout, expected, byToken.stderr)

      const folder = yield* cliWith({ instanceUrl, accessToken })
      const byCli = yield* runExample("07", ["cli"], {
        env: { PATH: `${folder}${delimiter}${process.env.PATH}` }
      })
      assert.include(byCli.stdout, expected, byCli.stderr)
      assert.notInclude(byCli.stdout + byCli.stderr, accessToken)
    }).pipe(Effect.provide(OrgLive))
  )
})
