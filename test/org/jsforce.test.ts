// An unmodified client judges the org: jsforce 3, over a socket.
import { createServer } from "node:http"
import { Readable } from "node:stream"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import jsforce from "jsforce"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import { item } from "./support.ts"

// jsforce takes its proxy from the environment, and loopback needs none
for (const name of ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"]) delete process.env[name]

const served = (options: EmbeddedOrg.Options = {}) =>
  EmbeddedOrg.layerWith({ objects: [item], queueDelay: 0, ...options }).pipe(
    Layer.provide(NodeHttpServer.layerServer(() => createServer(), { port: 0, host: "127.0.0.1" }))
  )

type Connection = InstanceType<typeof jsforce.Connection>

/** What a program does with a connection to the org. */
const connected = <A>(use: (connection: Connection, org: EmbeddedOrg.EmbeddedOrg["Service"]) => Promise<A>) =>
  Effect.gen(function* () {
    const org = yield* EmbeddedOrg.EmbeddedOrg
    const connection = new jsforce.Connection({
      instanceUrl: org.instanceUrl,
      accessToken: Redacted.value(org.accessToken),
      version: "68.0"
    })
    connection.bulk2.pollInterval = 5
    connection.bulk2.pollTimeout = 20_000
    return yield* Effect.promise(() => use(connection, org))
  })

/** The error with which something ends. */
const failure = async (
  run: () => Promise<unknown>
): Promise<{ readonly errorCode: unknown; readonly message: string }> => {
  try {
    await run()
  } catch (error) {
    assert(error instanceof Error)
    return { errorCode: "errorCode" in error ? error.errorCode : undefined, message: error.message }
  }
  return assert.fail("it did not fail")
}

/** A cell of a row, whose columns jsforce does not know. */
const cell = (row: object, name: string): unknown => new Map(Object.entries(row)).get(name)

const object = "Item__c"

const items = (count: number) => Array.from({ length: count }, (_, i) => ({ Name: `n${i}`, Sku__c: `s${i}` }))

const insert = (connection: Connection, count: number) =>
  connection.bulk2.loadAndWaitForResults({ object, operation: "insert", input: items(count) })

describe("jsforce, in bulk", () => {
  it.live("inserts, updates, upserts and deletes", () =>
    connected(async ({ bulk2 }) => {
      const input = items(300)
      const inserted = await bulk2.loadAndWaitForResults({ object, operation: "insert", input })
      assert.strictEqual(inserted.successfulResults.length, 300)
      assert.deepStrictEqual(inserted.failedResults, [])
      assert.deepStrictEqual(inserted.unprocessedRecords, [])
      for (const row of inserted.successfulResults) {
        assert.strictEqual(row.sf__Created, "true")
        assert.match(row.sf__Id, /^a00\w{15}$/)
      }
      const ids = inserted.successfulResults.map((row) => row.sf__Id)
      assert.strictEqual(new Set(ids).size, 300)

      const updated = await bulk2.loadAndWaitForResults({
        object,
        operation: "update",
        input: ids.map((Id) => ({ Id, Name: 'a, "b"\nc' })),
        lineEnding: "LF"
      })
      assert.strictEqual(updated.successfulResults.length, 300)
      assert.isTrue(updated.successfulResults.every((row) => row.sf__Created === "false"))

      const upserted = await bulk2.loadAndWaitForResults({
        object,
        operation: "upsert",
        externalIdFieldName: "Sku__c",
        input: [
          { Sku__c: "s1", Name: "known" },
          { Sku__c: "new", Name: "new" }
        ]
      })
      const created = upserted.successfulResults.map((row) => `${cell(row, "Sku__c")} ${row.sf__Created}`)
      assert.deepStrictEqual(created.sort(), ["new true", "s1 false"])

      const deleted = await bulk2.loadAndWaitForResults({
        object,
        operation: "delete",
        input: ids.slice(0, 100).map((Id) => ({ Id }))
      })
      assert.strictEqual(deleted.successfulResults.length, 100)
    }).pipe(Effect.provide(served()))
  )

  it.live("is told why rows failed, and that others did not", () =>
    connected(async ({ bulk2 }) => {
      const { failedResults, successfulResults } = await bulk2.loadAndWaitForResults({
        object,
        operation: "insert",
        input: [...items(200), { Name: "", Sku__c: "bad" }]
      })
      assert.strictEqual(successfulResults.length, 200)
      assert.strictEqual(failedResults.length, 1)
      assert.deepStrictEqual<unknown>(
        { ...failedResults[0] },
        {
          sf__Id: "",
          sf__Error: "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
          Name: "",
          Sku__c: "bad"
        }
      )
    }).pipe(Effect.provide(served()))
  )

  // one page: of several, jsforce ends its stream with the first (its issues 1546 and 1693)
  it.live("queries, and scans the recycle bin", () =>
    connected(async (connection) => {
      const { bulk2 } = connection
      const { successfulResults } = await insert(connection, 25)
      const Id = successfulResults[0]?.sf__Id ?? ""
      await bulk2.loadAndWaitForResults({ object, operation: "delete", input: [{ Id }] })
      const soql = "SELECT Id, Name, IsDeleted FROM Item__c"
      const found = await (await bulk2.query(soql)).toArray()
      assert.strictEqual(found.length, 24)
      assert.deepStrictEqual(Object.keys(found[0] ?? {}), ["Id", "Name", "IsDeleted"])
      const all = await (await bulk2.query(soql, { scanAll: true, columnDelimiter: "COMMA" })).toArray()
      assert.strictEqual(all.length, 25)
      assert.deepStrictEqual(
        all.filter((each) => each.IsDeleted === "true").map((each) => each.Id),
        [Id]
      )
    }).pipe(Effect.provide(served()))
  )

  it.live("hard deletes, past the recycle bin", () =>
    connected(async (connection) => {
      const { bulk2 } = connection
      const { successfulResults } = await insert(connection, 10)
      const input = successfulResults.slice(0, 4).map((row) => ({ Id: row.sf__Id }))
      const deleted = await bulk2.loadAndWaitForResults({ object, operation: "hardDelete", input })
      assert.strictEqual(deleted.successfulResults.length, 4)
      const all = await (await bulk2.query("SELECT Id FROM Item__c", { scanAll: true })).toArray()
      assert.strictEqual(all.length, 6)
    }).pipe(Effect.provide(served({ hardDelete: true })))
  )

  it.live("streams a CSV up, in another dialect, and is given its rows back", () =>
    connected(async ({ bulk2 }) => {
      const lines = ["Name|Sku__c", ...items(1_000).map(({ Name, Sku__c }) => `${Name}|${Sku__c}`), ""]
      const job = bulk2.createJob({ object, operation: "insert", columnDelimiter: "PIPE", lineEnding: "CRLF" })
      await job.open()
      await job.uploadData(Readable.from(lines.map((line, i) => (i === lines.length - 1 ? line : `${line}\r\n`))))
      await job.close()
      await job.poll(5, 20_000)
      const { failedResults, successfulResults } = await job.getAllResults()
      assert.deepStrictEqual(failedResults, [])
      assert.strictEqual(new Set(successfulResults.map((row) => cell(row, "Sku__c"))).size, 1_000)
    }).pipe(Effect.provide(served()))
  )

  it.live("aborts a job", () =>
    connected(async ({ bulk2 }) => {
      const job = bulk2.createJob({ object, operation: "insert" })
      await job.open()
      await job.uploadData("Name\na\n")
      await job.close()
      await job.abort()
      assert.strictEqual((await job.check()).state, "Aborted")
      assert.strictEqual((await failure(() => job.poll())).message, "Job has been aborted")
      assert.deepStrictEqual<unknown>(await job.getUnprocessedRecords(), [{ Name: "a" }])
      assert.deepStrictEqual(await failure(() => job.abort()), {
        errorCode: "INVALIDJOBSTATE",
        message: "Aborting already Aborted Job not allowed"
      })
      await job.delete()
      assert.strictEqual((await failure(() => job.check())).errorCode, "NOT_FOUND")
    }).pipe(Effect.provide(served({ queueDelay: "1 hour" })))
  )

  it.live("is told what is wrong with a job, a query, a token", () =>
    connected(async ({ bulk2 }, { instanceUrl }) => {
      const load = (operation: "insert" | "hardDelete", input: string) =>
        failure(() => bulk2.loadAndWaitForResults({ object, operation, input }))
      assert.match((await load("insert", "Nope\na\n")).message, /InvalidBatch : Field name not found : Nope$/)
      assert.match((await load("insert", "Name\r\na\r\n")).message, /LineEnding is invalid on user data/)
      assert.strictEqual((await load("hardDelete", "Id\n")).errorCode, "FEATURENOTENABLED")
      assert.strictEqual((await failure(() => bulk2.query("SELECT Nope FROM Item__c"))).errorCode, "API_ERROR")
      const stranger = new jsforce.Connection({ instanceUrl, accessToken: "00D!wrong", version: "68.0" })
      assert.strictEqual((await failure(() => insert(stranger, 1))).errorCode, "INVALID_SESSION_ID")
      assert.strictEqual(
        (await failure(async () => await stranger.query("SELECT Id FROM Item__c"))).errorCode,
        "INVALID_SESSION_ID"
      )
    }).pipe(Effect.provide(served()))
  )

  it.live("completes a job of which nothing was uploaded but the header", () =>
    connected(async ({ bulk2 }) => {
      const results = await bulk2.loadAndWaitForResults({ object, operation: "insert", input: "Name\n" })
      assert.deepStrictEqual(results.successfulResults, [])
      assert.deepStrictEqual(results.failedResults, [])
    }).pipe(Effect.provide(served()))
  )
})

describe("jsforce, around it", () => {
  it.live("describes, and knows who it is and what is left", () =>
    connected(async (connection, { instanceUrl, orgId }) => {
      const { fields, name } = await connection.describe(object)
      assert.strictEqual(name, "Item__c")
      assert.deepInclude(
        fields.find((field) => field.name === "Sku__c"),
        { type: "string", externalId: true, unique: true, length: 10 }
      )
      const { sobjects } = await connection.describeGlobal()
      assert.includeMembers(
        sobjects.map((each) => each.name),
        ["Account", "Contact", "Item__c", "User"]
      )
      const limits = await connection.limits()
      assert.deepStrictEqual(limits.DailyBulkV2QueryJobs, { Max: 10_000, Remaining: 10_000 })
      assert.deepInclude(connection.limitInfo, { apiUsage: { used: 3, limit: 100_000 } })
      const identity = await connection.identity()
      assert.strictEqual(identity.organization_id, orgId)
      assert.strictEqual(identity.id, `${instanceUrl}/id/${orgId}/${identity.user_id}`)
      assert.strictEqual((await failure(() => connection.describe("Nope__c"))).errorCode, "NOT_FOUND")
    }).pipe(Effect.provide(served()))
  )

  it.live("queries by REST, and asks for more", () =>
    connected(async (connection) => {
      await insert(connection, 25)
      const soql = "SELECT Id, Name FROM Item__c ORDER BY Id"
      let page = await connection.query(soql)
      const names: Array<unknown> = []
      for (;;) {
        assert.strictEqual(page.totalSize, 25)
        names.push(...page.records.map((record) => record.Name))
        if (page.nextRecordsUrl === undefined) break
        page = await connection.queryMore(page.nextRecordsUrl)
      }
      assert.strictEqual(new Set(names).size, 25)
      assert.isTrue(page.done)
      const fetched = await connection.query(soql).run({ autoFetch: true, maxFetch: 100 })
      assert.strictEqual(fetched.records.length, 25)
      assert.strictEqual(await connection.sobject(object).count({ Name: "n1" }), 1)
      assert.strictEqual(
        (await failure(async () => await connection.query("SELECT Nope FROM Item__c"))).errorCode,
        "INVALID_FIELD"
      )
    }).pipe(Effect.provide(served({ queryPageSize: 10 })))
  )

  it.live("creates, retrieves, updates, upserts and destroys a record", () =>
    connected(async (connection) => {
      const created = await connection.sobject(object).create({ Name: "a", Sku__c: "k" })
      assert.isTrue(created.success)
      const id = created.id ?? ""
      assert.deepInclude(await connection.sobject(object).retrieve(id), { Id: id, Name: "a", Sku__c: "k" })
      assert.isTrue((await connection.sobject(object).update({ Id: id, Name: "b" })).success)
      const upserted = await connection.sobject(object).upsert({ Sku__c: "k", Name: "c" }, "Sku__c")
      assert.deepInclude(upserted, { id, success: true, created: false })
      assert.deepInclude(await connection.sobject(object).retrieve(id), { Name: "c" })
      const refused = await failure(() => connection.sobject(object).create({ Sku__c: "x" }))
      assert.deepStrictEqual(refused, {
        errorCode: "REQUIRED_FIELD_MISSING",
        message: "Required fields are missing: [Name]"
      })
      assert.isTrue((await connection.sobject(object).destroy(id)).success)
      assert.strictEqual((await failure(() => connection.sobject(object).retrieve(id))).errorCode, "ENTITY_IS_DELETED")
    }).pipe(Effect.provide(served()))
  )

  it.live("renews a session that is over, and logs out", () =>
    connected(async (_, { instanceUrl }) => {
      const connection = new jsforce.Connection({
        instanceUrl,
        version: "68.0",
        oauth2: { loginUrl: instanceUrl, clientId: "app", clientSecret: "secret", redirectUri: "http://localhost/" },
        accessToken: "00D!over",
        refreshToken: "refresh"
      })
      assert.deepStrictEqual((await connection.query("SELECT Id FROM Item__c")).records, [])
      const { accessToken } = connection
      await connection.logout()
      const after = new jsforce.Connection({ instanceUrl, accessToken: accessToken ?? "", version: "68.0" })
      assert.strictEqual((await failure(() => after.limits())).errorCode, "INVALID_SESSION_ID")
    }).pipe(
      Effect.provide(
        served({
          oauth: {
            clients: [{ clientId: "app", clientSecret: "secret" }],
            refreshTokens: [{ token: "refresh", clientId: "app" }]
          }
        })
      )
    )
  )
})
