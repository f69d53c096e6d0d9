// Whatever an org answers, an operation fails with a BulkError or gives what it promised: never with a defect.
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Logger, Schedule, Stream } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Auth from "../../src/connection/Auth.ts"
import * as Connection from "../../src/connection/Connection.ts"
import * as Limits from "../../src/connection/Limits.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import * as Describe from "../../src/job/Describe.ts"
import * as IngestJob from "../../src/job/IngestJob.ts"
import * as QueryJob from "../../src/job/QueryJob.ts"
import * as Query from "../../src/query/Query.ts"
import { soql } from "../../src/query/Soql.ts"
import { Widget, widgets } from "../support/widgets.ts"

const id = "750Qx0000000001IAA"
const poll = { first: "1 millis", cap: "1 millis", deadline: "3 millis" } as const

const operations: Readonly<Record<string, Effect.Effect<unknown, unknown, Connection.Connection>>> = {
  "IngestJob.create": IngestJob.create({ object: "Account", operation: "insert" }),
  "IngestJob.upload": IngestJob.upload(id, Stream.make(new Uint8Array(10))),
  "IngestJob.close": IngestJob.close(id),
  "IngestJob.abort": IngestJob.abort(id),
  "IngestJob.get": IngestJob.get(id),
  "IngestJob.awaitDone": IngestJob.awaitDone(id, { poll }),
  "IngestJob.results": Stream.runDrain(IngestJob.results(id, "failedResults")),
  "QueryJob.create": QueryJob.create("SELECT Id FROM Account"),
  "QueryJob.get": QueryJob.get(id),
  "QueryJob.abort": QueryJob.abort(id),
  "QueryJob.remove": QueryJob.remove(id),
  "QueryJob.list": Stream.runDrain(Stream.take(QueryJob.list, 5)),
  "QueryJob.resultPages": Stream.runDrain(Stream.take(QueryJob.resultPages(id), 5)),
  "QueryJob.page": Effect.scoped(Effect.flatMap(QueryJob.page(id, {}), ({ bytes }) => Stream.runDrain(bytes))),
  "Limits.daily": Limits.daily,
  "Describe.object": Describe.object("Account"),
  "Describe.objects": Describe.objects,
  "Connection.expect": Connection.expect({ sandbox: true }),
  "Ingest.upsert": Stream.fromIterable(widgets(3)).pipe(
    Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "clear", poll }),
    Stream.runDrain
  ),
  "Query.records": Stream.runDrain(Query.records({ schema: Widget, from: "Widget__c", poll })),
  "Query.records by SOQL": Stream.runDrain(
    Query.records({
      schema: Widget,
      soql: soql`SELECT Key__c, Name, Count__c, Active__c, Grade__c, Seen__c, Note__c FROM Widget__c`,
      poll
    })
  )
}

const job = {
  id,
  operation: "insert",
  object: "Account",
  state: "JobComplete",
  createdDate: "2026-11-23T20:41:12.000+0000",
  numberRecordsProcessed: 3,
  numberRecordsFailed: 0
}

const bodies: ReadonlyArray<string> = [
  "",
  " ",
  "null",
  "true",
  "0",
  '""',
  "[]",
  "[null]",
  "[[]]",
  "{}",
  "{",
  '[{"errorCode":"INVALIDJOB"',
  '[{"errorCode":7,"message":null}]',
  '[{"errorCode":"","message":""}]',
  '{"errorCode":"NOT_FOUND","message":"no array"}',
  '{"error":"invalid_grant"}',
  "<html><body>Down for maintenance</body></html>",
  "\u0000\u0001\ufeff",
  "Id\n",
  '"Id","Name"\n"1","a',
  '"Id"\n"1","2","3"\n',
  '"sf__Id","sf__Error"\n"","x"\n',
  '"sf__Id","sf__Created",Key__c\n"1","maybe","K-1"\n',
  `${"[".repeat(5_000)}`,
  JSON.stringify(job),
  JSON.stringify({ ...job, id: "../../../secret" }),
  JSON.stringify({ ...job, id: "" }),
  JSON.stringify({ ...job, id: 7 }),
  JSON.stringify({ ...job, state: "Reborn" }),
  JSON.stringify({ ...job, state: null }),
  JSON.stringify({ ...job, numberRecordsProcessed: "3" }),
  JSON.stringify({ ...job, numberRecordsProcessed: null, errorMessage: null }),
  JSON.stringify({ ...job, numberRecordsProcessed: -1 }),
  JSON.stringify({ done: false, records: [] }),
  JSON.stringify({ done: false, records: [job], nextRecordsUrl: "https://evil.example/x?queryLocator=%E0%A4%A" }),
  JSON.stringify({ done: true, records: [null] }),
  JSON.stringify({
    done: false,
    resultPages: [{ resultUrl: "https://evil.example/x?locator=%" }],
    nextRecordsUrl: "%"
  }),
  JSON.stringify({ done: "no", resultPages: {} }),
  JSON.stringify({ records: [{ Id: 1, IsSandbox: "?", InstanceName: null }] })
]

const headers: ReadonlyArray<Readonly<Record<string, string>>> = [
  {},
  { "sforce-locator": "null", "sforce-numberofrecords": "1" },
  { "sforce-locator": "", "sforce-numberofrecords": "many" },
  { "sforce-locator": "%", "sforce-numberofrecords": "-1", "sforce-limit-info": "api-usage=x/y" },
  { "content-encoding": "gzip", "retry-after": "soon", "sforce-limit-info": "api-usage=9/0" },
  { "content-encoding": "br", "retry-after": "-5" },
  { location: "::not a url::" }
]

const statuses = [201, 204, 206, 300, 301, 304, 400, 401, 403, 404, 409, 410, 415, 418, 500, 503, 599]

/** Every body as a success, and some with each other status. */
const answers = [
  ...bodies.map((body) => ({ status: 200, body })),
  ...statuses.flatMap((status, i) =>
    [0, 1, 2].map((n) => ({ status, body: bodies[(3 * i + n) % bodies.length] ?? "" }))
  )
]

describe("an answer that is not the API's", () => {
  for (const [name, operation] of Object.entries(operations)) {
    it.live(`makes no defect of ${name}`, () =>
      Effect.gen(function* () {
        let asked: Array<string> = []
        for (const [i, { body, status }] of answers.entries()) {
          const withHeaders = headers[i % headers.length] ?? {}
          const answer = () =>
            new Response(status === 204 || status === 304 ? null : body, { status, headers: withHeaders })
          const client = HttpClient.make((request, url) => {
            asked.push(url.host)
            return Effect.sync(() => HttpClientResponse.fromWeb(request, answer()))
          })
          const exit = yield* Effect.exit(operation).pipe(
            Effect.provide(
              Connection.layerWith({ retry: Schedule.recurs(0), idleTimeout: "1 second" }).pipe(
                Layer.provide(Auth.layerToken({ instanceUrl: "https://acme.my.salesforce.com", accessToken: "x" })),
                Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
              )
            )
          )
          const what = `${status} ${JSON.stringify(withHeaders)} ${body.slice(0, 100)}`
          if (Exit.isFailure(exit)) {
            const error = Cause.findErrorOption(exit.cause)
            assert.isTrue(error._tag === "Some", `${what}: ${Cause.pretty(exit.cause).slice(0, 2_000)}`)
            if (error._tag === "Some") assert.deepInclude(error.value, { _tag: "BulkError" }, what)
            assert.isFalse(exit.cause.reasons.some(Cause.isDieReason), what)
          }
          // whatever a body said, nobody else was asked
          assert.deepStrictEqual(new Set(asked), new Set(["acme.my.salesforce.com"]), what)
          asked = []
        }
      }).pipe(Effect.provide(Logger.layer([])))
    )
  }
})
