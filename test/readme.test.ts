// The README's program is type-checked and run against an org, so that it cannot go stale.
import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { join, resolve } from "node:path"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema, Stream } from "effect"
import { Auth, Ingest, Query } from "../src/index.ts"
import { layerConnection } from "../src/node.ts"
import { Describe, EmbeddedOrg } from "../src/org/index.ts"

const root = resolve(import.meta.dirname, "..")

const inventory = Describe.make({
  name: "Inventory__c",
  fields: [
    { name: "Sku__c", length: 40, externalId: true, unique: true },
    { name: "Name", length: 80, nillable: false },
    { name: "Count__c", type: "double", precision: 18 }
  ]
})

const OrgLive = EmbeddedOrg.layerWith({ objects: [inventory] }).pipe(
  Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
)

const node = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) =>
  Effect.callback<string>((resume) => {
    execFile(process.execPath, args, { cwd: root, env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resume(error ? Effect.die(new Error(`${error.message}\n${stdout}\n${stderr}`)) : Effect.succeed(stdout))
    )
  })

/** The README's first program, in a folder of its own below the repository, where its imports resolve. */
const program = Effect.acquireRelease(
  Effect.sync(() => {
    const [, code = ""] = /```ts\n(.*?)```/s.exec(readFileSync(join(root, "README.md"), "utf8")) ?? []
    const folder = mkdtempSync(join(root, "test", ".readme-"))
    writeFileSync(join(folder, "program.ts"), code.replace('"effect-salesforce-bulk"', '"../../src/index.ts"'))
    writeFileSync(join(folder, "tsconfig.json"), '{ "extends": "../../tsconfig.json", "include": ["program.ts"] }')
    return folder
  }),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const Item = Schema.Struct({ Sku__c: Schema.String, Name: Schema.String, Count__c: Schema.NullOr(Schema.Finite) })

describe("README", () => {
  it.live("shows a program that compiles and does what it says", () =>
    Effect.gen(function* () {
      const folder = yield* program
      yield* node(["node_modules/typescript/bin/tsc", "-p", folder])

      const { accessToken, instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
      const low = { Sku__c: "low", Name: "Bolt", Count__c: 3 }
      const high = { Sku__c: "high", Name: "Nut", Count__c: 30 }
      const connected = Effect.provide(
        layerConnection().pipe(Layer.provide(Auth.layerToken({ accessToken, instanceUrl })))
      )
      const insert = Stream.make(low, high).pipe(Ingest.insert({ object: "Inventory__c", schema: Item }))
      yield* connected(Stream.runDrain(insert))

      const printed = yield* node([join(folder, "program.ts")], {
        SF_URL: instanceUrl,
        SF_TOKEN: Redacted.value(accessToken)
      })
      assert.strictEqual(printed, "")
      const found = yield* connected(Stream.runCollect(Query.records({ schema: Item, from: "Inventory__c" })))
      assert.sameDeepMembers(found, [{ ...low, Count__c: 100 }, high])
    }).pipe(Effect.provide(OrgLive))
  )
})
