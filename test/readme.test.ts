// What README.md and docs/ show is compiled, run, or compared with what is printed: it cannot go stale.
import { execFile } from "node:child_process"
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:http"
import { createServer as createTcpServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema, Stream } from "effect"
import { Auth, Ingest, Query } from "../src/index.ts"
import { layerConnection } from "../src/node.ts"
import { Describe, EmbeddedOrg } from "../src/org/index.ts"
import { end, ready, start } from "./org/command.ts"
import { type Block, blocksOf, documents, root, textOf } from "./support/documents.ts"
import { openSession } from "./support/session.ts"
import { allBlocks, isExported, isModule, moduleOf, source, withLocalImports } from "./support/snippets.ts"

/** The describe file that the guide of the embedded org shows. */
const describeFile = blocksOf("docs/embedded-org.md").find(({ language }) => language === "json")?.text ?? ""
const inventory = Describe.make(JSON.parse(describeFile))

const OrgLive = EmbeddedOrg.layerWith({ objects: [inventory] }).pipe(
  Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
)

const node = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) =>
  Effect.callback<string>((resume) => {
    execFile(process.execPath, args, { cwd: root, env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resume(error ? Effect.die(new Error(`${error.message}\n${stdout}\n${stderr}`)) : Effect.succeed(stdout))
    )
  })

/** A folder below the repository, where its packages resolve. */
const insideFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(root, "test", ".readme-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** A folder where nothing is. */
const emptyFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "newcomer-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

const freePort = Effect.callback<number>((resume) => {
  const server = createTcpServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

const place = ({ file, line }: Block): string => `${file}:${line}`

const isCode = ({ language }: Block): boolean => language === "ts" || language === "js"

/** Commands without what is said about them. */
const commandsOf = (block: Block): ReadonlyArray<string> =>
  block.text
    .split("\n")
    .flatMap((line) => line.replace(/\s+#.*$/, "").split(" && "))
    .filter((command) => command !== "")

/** What is printed, as a document shows it: times differ, and `...` is any number of lines. */
const shapeOf = (shown: string): RegExp =>
  new RegExp(
    `^${shown
      .replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")
      .replaceAll(/^ *\\\.\\\.\\\.\n/gm, "(?:.*\\n)*")
      .replaceAll(/\d+\\\.\d+ s\b/g, "\\d+\\.\\d+ s")}`,
    "m"
  )

/** The guide that a newcomer follows: its blocks are typed into a shell as they are. */
const guide = "docs/first-load.md"

/** How the commands of other documents are known to work. */
const checks: ReadonlyArray<readonly [command: RegExp, check: (command: string) => Effect.Effect<unknown, unknown>]> = [
  [/^npm (ci|test)$/, (command) => Effect.sync(() => assert.include(textOf(".ci/run"), command))],
  [
    /^npm start$/,
    () =>
      Effect.gen(function* () {
        const printed = yield* node(["examples/00-airports/main.ts"])
        assert.include(textOf("package.json"), '"start": "node examples/00-airports/main.ts"')
        const shown = blocksOf("README.md").find(({ text }) => text.startsWith("Loading "))
        assert.match(printed, shapeOf(shown?.text ?? "the block that shows it"))
      })
  ],
  [/^npm install effect-salesforce-bulk /, (command) => Effect.sync(() => assert.include(textOf(guide), command))],
  [
    /^npm run example -- \d\d/,
    (command) =>
      Effect.sync(() => assert.lengthOf(globSync(`test/examples/${/\d\d/.exec(command)}-*.test.ts`, { cwd: root }), 1))
  ],
  [
    /^npm run bench -- /,
    (command) =>
      Effect.sync(() => {
        const rows = globSync("test/bench/*.bench.ts", { cwd: root }).map(textOf).join("")
        for (const word of command.split(" ").slice(4)) {
          if (word.startsWith("--"))
            assert.include(textOf("test/bench/main.ts"), ` ${word.slice(2)}: { type: "boolean"`)
          else assert.include(rows, `name: "${word}`)
        }
      })
  ],
  [
    /^npm run bench:fields$/,
    () =>
      Effect.gen(function* () {
        assert.match(yield* node(["test/bench/fields.ts", "Field.Boolean"]), /^Field\.Boolean *\t-?\d+\t-?\d+$/m)
      })
  ],
  [
    /^npx effect-salesforce-bulk org /,
    (command) =>
      Effect.gen(function* () {
        const folder = yield* insideFolder
        writeFileSync(join(folder, "Inventory__c.json"), describeFile)
        const args = command.replace("8080", "0").replace("describes/", folder).split(" ").slice(2)
        const org = yield* start(...args)
        yield* ready(org)
        org.child.kill("SIGTERM")
        assert.strictEqual((yield* org.ended).code, 0)
      }).pipe(Effect.scoped)
  ],
  [
    /^curl /,
    (command) =>
      Effect.gen(function* () {
        const org = yield* start("org", "--token", "secret")
        const { instanceUrl } = yield* ready(org)
        const session = yield* openSession(tmpdir(), { ORG: String(instanceUrl), TOKEN: "secret" })
        yield* session.run(command.replace("curl ", "curl --silent --show-error --fail "))
      }).pipe(Effect.scoped)
  ]
]

describe("README and guides", () => {
  it("have no block but those that are looked at here", () => {
    const outputs = ["Loading ", "        your Stream"]
    for (const block of allBlocks) {
      if (isCode(block) || block.file === guide) continue
      const isKnown =
        block.language === "sh" ||
        block.text === describeFile ||
        (block.language === "" && outputs.some((start) => block.text.startsWith(start)))
      assert.isTrue(isKnown, `${place(block)}: no test looks at this block`)
    }
    assert.isAbove(allBlocks.length, 20)
  })

  it.live("show code that compiles", () =>
    Effect.gen(function* () {
      const folder = yield* insideFolder
      for (const block of allBlocks.filter(isCode)) {
        const name = `${place(block).replaceAll(/\W/g, "-")}.ts`
        writeFileSync(join(folder, name), withLocalImports(moduleOf(block)))
      }
      const tsconfig = { extends: "../../tsconfig.json", compilerOptions: { noUnusedLocals: false }, include: ["*.ts"] }
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
      yield* node(["node_modules/typescript/bin/tsc", "-p", folder])
    })
  )

  it.live("show a program that does what it says", () =>
    Effect.gen(function* () {
      const folder = yield* insideFolder
      const [program] = blocksOf("README.md").filter(isCode)
      writeFileSync(join(folder, "program.ts"), withLocalImports(program?.text ?? ""))
      const { accessToken, instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
      const Item = Schema.Struct({ Sku__c: Schema.String, Name: Schema.String, Count__c: Schema.NullOr(Schema.Finite) })
      const low = { Sku__c: "low", Name: "Bolt", Count__c: 3 }
      const high = { Sku__c: "high", Name: "Nut", Count__c: 30 }
      const connected = Effect.provide(
        layerConnection().pipe(Layer.provide(Auth.layerToken({ accessToken, instanceUrl })))
      )
      const insert = Stream.make(low, high).pipe(Ingest.insert({ object: "Inventory__c", schema: Item }))
      yield* connected(Stream.runDrain(insert))

      const printed = yield* node([join(folder, "program.ts")], {
        SF_INSTANCE_URL: instanceUrl,
        SF_ACCESS_TOKEN: Redacted.value(accessToken)
      })
      assert.strictEqual(printed, "")
      const found = yield* connected(Stream.runCollect(Query.records({ schema: Item, from: "Inventory__c" })))
      assert.sameDeepMembers(found, [{ ...low, Count__c: 100 }, high])
    }).pipe(Effect.provide(OrgLive))
  )

  it.live(
    "show commands that work, and what they print",
    () =>
      Effect.gen(function* () {
        const shown = allBlocks.filter(({ file, language }) => language === "sh" && file !== guide)
        const done = new Set<string>()
        for (const block of shown) {
          for (const command of commandsOf(block)) {
            const check = checks.find(([pattern]) => pattern.test(command))
            assert(check !== undefined, `${place(block)}: nothing checks "${command}"`)
            if (!done.has(command)) yield* check[1](command)
            done.add(command)
          }
        }
      }),
    120_000
  )

  it.live(
    "take a newcomer from a CSV file to an org, in an empty folder with the packed package",
    () =>
      Effect.gen(function* () {
        const folder = yield* emptyFolder
        const port = yield* freePort
        const version = (name: string): string => JSON.parse(textOf("package.json")).devDependencies[name]
        const packing = yield* openSession(root)
        const tarball = (yield* packing.run(`npm pack --silent --pack-destination ${folder}`)).trim().split("\n").at(-1)
        const session = yield* openSession(folder, {
          npm_config_prefer_offline: "true",
          npm_config_audit: "false",
          npm_config_fund: "false"
        })
        let printed = ""
        for (const block of blocksOf(guide)) {
          const text = block.text.replaceAll("8080", String(port))
          if (block.language === "csv") writeFileSync(join(folder, "customers.csv"), text)
          else if (block.language === "ts") writeFileSync(join(folder, "load.mts"), text)
          else if (block.language === "") assert.match(printed, shapeOf(text), place(block))
          else {
            assert.strictEqual(block.language, "sh", place(block))
            for (const line of text.trimEnd().split("\n")) {
              const command = line.replace(
                "effect-salesforce-bulk effect @effect/platform-node",
                `./${tarball} effect@${version("effect")} @effect/platform-node@${version("@effect/platform-node")}`
              )
              printed = yield* session.run(command)
              if (line.endsWith("&")) yield* session.until(/^\{"ready":true,.*\}$/m)
              if (line.startsWith("curl")) assert.match(printed, /"totalSize":2,/)
            }
          }
        }
        // the org has ended, and its port is free again
        assert.match((yield* end("org", "--port", String(port), "--objects", "none")).stderr, /none: ENOENT/)
      }),
    120_000
  )

  it("name files, scripts and exports that are there", () => {
    for (const file of [...documents, "CONTRIBUTING.md", "SECURITY.md", "src/org/README.md"]) {
      const text = textOf(file)
      for (const [, link = ""] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        assert.isTrue(existsSync(join(root, dirname(file), link)), `${file} links to ${link}`)
      }
      for (const [, path = ""] of text.matchAll(/`(?:node )?((?:test|src|examples)\/[\w./-]+)/g)) {
        assert.isTrue(existsSync(join(root, path)), `${file} names ${path}`)
      }
      for (const [, script = ""] of text.matchAll(/npm run ([\w:]+)/g)) {
        assert.property(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts, script, file)
      }
      for (const [, module = "", name = ""] of text.matchAll(/`([A-Z]\w+)\.(?!ts\b|test\b)(\w+)/g)) {
        if (!isModule(module)) continue
        const isKnown =
          isExported(module, name) ||
          // a type, a member, or the name of a span
          new RegExp(`(?:interface|type|readonly) ${name}\\b|"${module}\\.${name}"`).test(source)
        assert.isTrue(isKnown, `${file} names ${module}.${name}`)
      }
    }
  })
})
