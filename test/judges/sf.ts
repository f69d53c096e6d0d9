/**
 * The Salesforce CLI, unmodified, judges the org: `npm run judge:sf`. It is
 * installed into a temporary folder, which takes a minute; set `SF_CLI` to the
 * path of an `sf` that is there already. It ends with 1 when a flow went wrong.
 */
import * as assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Describe from "../../src/org/Describe.ts"
import * as Faults from "../../src/org/Faults.ts"
import { folder, ready, start } from "../org/command.ts"

const version = "2.150.6"

const run = promisify(execFile)

const item = {
  name: "Item__c",
  label: "Item",
  fields: [
    { name: "Name", label: "Name", length: 80, nillable: false },
    { name: "Key__c", label: "Key", length: 20, externalId: true, unique: true },
    { name: "Count__c", label: "Count", type: "double", precision: 18, scale: 2 }
  ]
}

/** What the CLI says with `--json`, as far as this looks at it. */
const Said = Schema.fromJsonString(
  Schema.Struct({
    status: Schema.Finite,
    name: Schema.optional(Schema.String),
    message: Schema.optional(Schema.String),
    result: Schema.optional(Schema.Unknown),
    data: Schema.optional(Schema.Unknown),
    warnings: Schema.optional(Schema.Unknown)
  })
)

const Failure = Schema.Struct({ stdout: Schema.String, stderr: Schema.String })

/** Makes what runs a command of the CLI in a home of its own. */
const cli = (sf: string, home: string) => {
  const env = {
    ...process.env,
    HOME: home,
    SF_DISABLE_TELEMETRY: "true",
    SF_AUTOUPDATE_DISABLE: "true",
    SF_SKIP_NEW_VERSION_CHECK: "true",
    NODE_NO_WARNINGS: "1"
  }
  for (const name of ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"]) Reflect.deleteProperty(env, name)

  return async (words: string, more: Readonly<Record<string, string>> = {}) => {
    // a backtick holds words together
    const args = words.match(/`[^`]*`|\S+/g)?.map((word) => word.replaceAll("`", "")) ?? []
    const options = { cwd: home, env: { ...env, ...more }, maxBuffer: 64 * 1024 * 1024 }
    const stdout = await run(process.execPath, [sf, ...args, "--json"], options).then(
      (ended) => ended.stdout,
      (error: unknown) => {
        if (Schema.is(Failure)(error) && error.stdout !== "") return error.stdout
        throw error
      }
    )
    try {
      return Schema.decodeSync(Said)(stdout)
    } catch {
      throw new Error(`sf ${words} said: ${stdout}`)
    }
  }
}

/** The members of an object, to look into. */
const members = (value: unknown): Readonly<Record<string, unknown>> => {
  assert.ok(typeof value === "object" && value !== null, `no object: ${JSON.stringify(value)}`)
  return Object.fromEntries(Object.entries(value))
}

const list = (value: unknown): ReadonlyArray<unknown> => {
  assert.ok(Array.isArray(value), `no list: ${JSON.stringify(value)}`)
  return value
}

const lines = async (path: string) => (await readFile(path, "utf8")).trimEnd().split(/\r?\n/)

/** Everything the CLI is asked to do, in order. */
const flows = async (
  org: { readonly instanceUrl: string; readonly accessToken: string; readonly orgId: string },
  home: string,
  sf: string
) => {
  const say = cli(sf, home)
  const at = (name: string) => join(home, name)

  /** A command that goes well, and its result. */
  const good = async (words: string, more?: Readonly<Record<string, string>>) => {
    const said = await say(words, more)
    assert.equal(said.status, 0, `sf ${words}: ${said.name} ${said.message}`)
    return members(said.result)
  }

  const faults = async (all: ReadonlyArray<Faults.Fault>) => {
    const answer = await fetch(`${org.instanceUrl}/__org/faults`, {
      method: "PUT",
      headers: { authorization: `Bearer ${org.accessToken}` },
      body: JSON.stringify(all)
    })
    assert.equal(answer.ok, true, await answer.text())
  }

  const passed: Array<string> = []
  let failed = 0
  const flow = async (name: string, judge: () => Promise<void>) => {
    const from = Date.now()
    try {
      await judge()
      passed.push(name)
      console.log(`ok   ${name} (${((Date.now() - from) / 1000).toFixed(1)} s)`)
    } catch (error) {
      failed++
      console.log(`FAIL ${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  const rows = Array.from({ length: 500 }, (_, i) => `name ${i},k${i},${i}`)
  await writeFile(at("items.csv"), `Name,Key__c,Count__c\n${rows.join("\n")}\n`)
  await writeFile(at("more.csv"), "Name,Key__c\nknown,k1\nnew,new\n")
  await writeFile(at("bad.csv"), "Name,Count__c\ngood,1\n,2\nbad,many\n")
  await writeFile(at("header.csv"), "Name,Nope__c\na,b\n")

  let ids: ReadonlyArray<string> = []
  let badJob = ""

  await flow("org login access-token", async () => {
    const result = await good(`org login access-token --instance-url ${org.instanceUrl} --no-prompt --alias judge`, {
      SF_ACCESS_TOKEN: org.accessToken
    })
    assert.equal(result.orgId, org.orgId)
  })

  await flow("org display", async () => {
    const result = await good("org display -o judge")
    assert.equal(result.id, org.orgId)
    assert.equal(String(result.instanceUrl).replace(/\/$/, ""), org.instanceUrl)
    assert.equal(result.apiVersion, "68.0")
    assert.equal(result.connectedStatus ?? "Connected", "Connected")
  })

  await flow("org list", async () => {
    const result = await good("org list")
    const all = [...list(result.nonScratchOrgs ?? []), ...list(result.other ?? [])].map(members)
    const found = all.find((each) => each.orgId === org.orgId)
    assert.equal(found?.connectedStatus, "Connected")
  })

  await flow("data import bulk --wait", async () => {
    const result = await good("data import bulk -o judge -s Item__c -f items.csv --line-ending LF --wait 5")
    assert.equal(result.processedRecords, 500)
    assert.equal(result.successfulRecords, 500)
    assert.equal(result.failedRecords, 0)
    assert.match(String(result.jobId), /^750/)
  })

  await flow("data import bulk, then resume", async () => {
    const { jobId } = await good("data import bulk -o judge -s Account -f accounts.csv --line-ending LF")
    const result = await good(`data import resume -i ${jobId} --wait 5`)
    assert.deepEqual([result.jobId, result.processedRecords], [jobId, 3])
  })

  await flow("data import bulk of which rows fail", async () => {
    const said = await say("data import bulk -o judge -s Item__c -f bad.csv --line-ending LF --wait 5")
    assert.equal(said.status, 1)
    badJob = String(members(said.data).jobId)
    assert.match(badJob, /^750/)
  })

  await flow("data bulk results", async () => {
    const result = await good(`data bulk results -o judge -i ${badJob}`)
    assert.deepEqual([result.processedRecords, result.successfulRecords, result.failedRecords], [3, 1, 2])
    assert.equal((await lines(at(String(result.successFilePath)))).length, 2)
    const refused = await lines(at(String(result.failedFilePath)))
    assert.equal(refused.length, 3)
    assert.match(refused.join("\n"), /REQUIRED_FIELD_MISSING:Required fields are missing: \[Name\]:Name --/)
  })

  await flow("data import bulk whose job fails", async () => {
    const said = await say("data import bulk -o judge -s Item__c -f header.csv --line-ending LF --wait 5")
    assert.equal(said.status, 1)
    assert.match(String(said.message), /InvalidBatch : Field name not found : Nope__c/)
  })

  await flow("data query", async () => {
    const result = await good(
      "data query -o judge -q `SELECT Id, Name FROM Item__c WHERE Count__c < 3 ORDER BY Count__c, Name DESC`"
    )
    assert.equal(result.totalSize, 4)
    assert.deepEqual(
      list(result.records).map((each) => members(each).Name),
      ["name 0", "name 1", "good", "name 2"]
    )
  })

  await flow("data query --query with COUNT()", async () => {
    assert.equal((await good("data query -o judge -q `SELECT COUNT() FROM Item__c`")).totalSize, 501)
  })

  await flow("data query that is wrong", async () => {
    const said = await say("data query -o judge -q `SELECT Nope FROM Item__c`")
    assert.equal(said.status, 1)
    assert.match(String(said.message), /No such column 'Nope'/)
  })

  await flow("data export bulk, of several pages, as CSV", async () => {
    await faults([Faults.onJob(Faults.smallPages({ rows: 120 }))])
    const result = await good(
      "data export bulk -o judge -q `SELECT Id, Name, Key__c FROM Item__c WHERE Key__c != null` --output-file items-out.csv --result-format csv --wait 5"
    )
    assert.equal(result.totalSize, 500)
    const [header, ...exported] = await lines(at("items-out.csv"))
    assert.equal(header?.replaceAll('"', ""), "Id,Name,Key__c")
    assert.equal(exported.length, 500)
    assert.equal(new Set(exported).size, 500)
    ids = exported.map((row) => row.replaceAll('"', "").split(",")[0] ?? "")
  })

  await flow("data export bulk as JSON", async () => {
    await faults([])
    await good(
      "data export bulk -o judge -q `SELECT Id, Name FROM Item__c` --output-file items-out.json --result-format json --wait 5"
    )
    assert.equal(list(JSON.parse(await readFile(at("items-out.json"), "utf8"))).length, 501)
  })

  await flow("data export bulk, then resume, of several pages", async () => {
    await faults([Faults.onJob(Faults.smallPages({ rows: 200 }))])
    const { jobId } = await good(
      "data export bulk -o judge -q `SELECT Name FROM Item__c` --output-file resumed.csv --result-format csv"
    )
    const result = await good(`data export resume -i ${jobId}`)
    assert.equal(result.totalSize, 501)
    assert.equal((await lines(at("resumed.csv"))).length, 502)
    await faults([])
  })

  await flow("data export bulk of SOQL that Bulk refuses", async () => {
    const said = await say(
      "data export bulk -o judge -q `SELECT BillingAddress FROM Account` --output-file x.csv --result-format csv --wait 1"
    )
    assert.equal(said.status, 1)
    assert.match(String(said.message), /Selecting compound data not supported in Bulk Query/)
  })

  await flow("data update bulk", async () => {
    await writeFile(at("update.csv"), `Id,Name\n${ids.map((id) => `${id},again`).join("\n")}\n`)
    const result = await good("data update bulk -o judge -s Item__c -f update.csv --line-ending LF --wait 5")
    assert.deepEqual([result.successfulRecords, result.failedRecords], [500, 0])
  })

  await flow("data update bulk, then resume", async () => {
    const { jobId } = await good("data update bulk -o judge -s Item__c -f update.csv --line-ending LF")
    assert.equal((await good(`data update resume -i ${jobId} --wait 5`)).successfulRecords, 500)
  })

  await flow("data upsert bulk", async () => {
    const result = await good("data upsert bulk -o judge -s Item__c -f more.csv -i Key__c --line-ending LF --wait 5")
    const { jobInfo, records } = { jobInfo: members(result.jobInfo), records: members(result.records) }
    assert.equal(jobInfo.state, "JobComplete")
    const successful = list(records.successfulResults).map(members)
    assert.deepEqual(successful.map((each) => `${each.Key__c} ${each.sf__Created}`).sort(), ["k1 false", "new true"])
    assert.deepEqual(list(records.failedResults), [])
    assert.deepEqual(list(records.unprocessedRecords), [])
  })

  await flow("data delete bulk", async () => {
    await writeFile(at("delete.csv"), `Id\n${ids.slice(0, 100).join("\n")}\n`)
    const result = await good("data delete bulk -o judge -s Item__c -f delete.csv --line-ending LF --wait 5")
    assert.equal(list(members(result.records).successfulResults).length, 100)
  })

  await flow("data delete bulk --hard-delete without its permission", async () => {
    const said = await say("data delete bulk -o judge -s Item__c -f delete.csv --line-ending LF --hard-delete --wait 5")
    assert.equal(said.status, 1)
    assert.match(String(said.message), /You must have the "Bulk API Hard Delete" system permission/)
  })

  await flow("data create, get, update and delete record", async () => {
    const { id } = await good("data create record -o judge -s Item__c -v `Name=one Key__c=single`")
    assert.equal((await good(`data get record -o judge -s Item__c -i ${id}`)).Key__c, "single")
    await good(`data update record -o judge -s Item__c -i ${id} -v Name=two`)
    assert.equal((await good("data get record -o judge -s Item__c -w Key__c=single")).Name, "two")
    await good(`data delete record -o judge -s Item__c -i ${id}`)
  })

  await flow("org list limits", async () => {
    const said = await say("org list limits -o judge")
    assert.equal(said.status, 0, said.message)
    const limit = list(said.result)
      .map(members)
      .find((each) => each.name === "DailyBulkV2QueryJobs")
    assert.equal(limit?.max, 10_000)
  })

  await flow("sobject describe, which the org itself can read", async () => {
    const said = await say("sobject describe -o judge -s Item__c")
    const described = await Effect.runPromise(Describe.fromJson(said))
    assert.equal(described.name, "Item__c")
    const key = described.fields.find((field) => field.name === "Key__c")
    assert.deepEqual([key?.externalId, key?.unique, key?.length], [true, true, 20])
  })

  await flow("api request rest", async () => {
    const said = await say("api request rest /services/data/v68.0/limits -o judge")
    assert.equal(said.status, 0, said.message)
  })

  await flow("sobject list", async () => {
    const said = await say("sobject list -o judge --sobject custom")
    assert.deepEqual(said.result, ["Item__c"])
  })

  await flow("a token as target org, without a login", async () => {
    const said = await say(`data query -o ${org.accessToken} -q \`SELECT Id FROM Account\``, {
      SF_ORG_INSTANCE_URL: org.instanceUrl
    })
    assert.equal(said.status, 0, said.message)
    assert.equal(members(said.result).totalSize, 3)
  })

  await flow("a token that is wrong", async () => {
    const said = await say("data query -o 00D000000000001!wrong -q `SELECT Id FROM Account`", {
      SF_ORG_INSTANCE_URL: org.instanceUrl
    })
    assert.equal(said.status, 1)
  })

  await flow("a million rows in two jobs, and the calls that takes", async () => {
    const asked = async (): Promise<ReadonlyArray<unknown>> => {
      const headers = { authorization: `Bearer ${org.accessToken}` }
      return list(members(await (await fetch(`${org.instanceUrl}/__org/requests`, { headers })).json()).requests)
    }
    const before = (await asked()).length
    for (const part of [0, 1]) {
      const half = Array.from({ length: 500_000 }, (_, i) => `name ${i},m${part}-${i},${i}`)
      await writeFile(at("half.csv"), `Name,Key__c,Count__c\n${half.join("\n")}\n`)
      const result = await good("data import bulk -o judge -s Item__c -f half.csv --line-ending LF --wait 10")
      assert.deepEqual([result.successfulRecords, result.failedRecords], [500_000, 0])
    }
    console.log(`     ${(await asked()).length - before} calls, without results`)
  })

  console.log(`${passed.length} flows went well, ${failed} did not`)
  return failed
}

const installed = async (home: string) => {
  if (process.env.SF_CLI !== undefined) return process.env.SF_CLI
  const prefix = join(home, "cli")
  await mkdir(prefix)
  console.log(`installing @salesforce/cli ${version}`)
  const options = ["--prefix", prefix, "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]
  await run("npm", ["install", ...options, `@salesforce/cli@${version}`], { maxBuffer: 64 * 1024 * 1024 })
  return join(prefix, "node_modules/@salesforce/cli/bin/run.js")
}

const Ready = Schema.Struct({ instanceUrl: Schema.String, accessToken: Schema.String, orgId: Schema.String })

const judge = Effect.gen(function* () {
  const home = yield* folder
  yield* Effect.promise(() => writeFile(join(home, "item.json"), JSON.stringify(item)))
  yield* Effect.promise(() => writeFile(join(home, "accounts.csv"), "Name\nAcme\nBrix\nCorp\n"))
  const org = Schema.decodeUnknownSync(Ready)(
    yield* ready(yield* start("org", "--port", "0", "--objects", join(home, "item.json")))
  )
  return yield* Effect.promise(async () => flows(org, home, await installed(home)))
})

process.exitCode = (await Effect.runPromise(Effect.scoped(judge))) === 0 ? 0 : 1
