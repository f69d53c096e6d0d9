import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Schema, Stream } from "effect"
import * as UrlParams from "effect/http/UrlParams"
import type * as BulkError from "../../src/BulkError.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import * as Query from "../../src/query/Query.ts"
import { raw, soql } from "../../src/query/Soql.ts"
import { inProcess, Requests, replacing, type Tamper, virtually } from "../support/orgs.ts"
import { Widget, widget, widgets } from "../support/widgets.ts"

const store = (records: ReadonlyArray<Widget>) =>
  Stream.fromIterable(records).pipe(Ingest.insert({ object: "Widget__c", schema: Widget }), Stream.runDrain)

const all = Query.records({ schema: Widget, from: "Widget__c" })
const key = Schema.Struct({ Key__c: Schema.String })

const byNumber = (a: { readonly Key__c: string }, b: { readonly Key__c: string }) =>
  Number(a.Key__c.slice(2)) - Number(b.Key__c.slice(2))

const reasonOf = <A, R>(self: Stream.Stream<A, BulkError.BulkError, R>) =>
  Effect.map(Effect.flip(Stream.runDrain(self)), (error) => error.reason)

describe("Query.records", () => {
  it.effect("gives every stored record once, typed, whatever the size of the pages", () =>
    Effect.gen(function* () {
      const records = widgets(23)
      yield* store(records)
      for (const maxRecords of [undefined, 1, 7, 23, 100]) {
        const found = yield* Stream.runCollect(Query.records({ schema: Widget, from: "Widget__c", maxRecords }))
        assert.deepStrictEqual(found.toSorted(byNumber), records)
        assert.instanceOf(found[0], Widget)
      }
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("asks for a page only when the one before it is read", () =>
    Effect.gen(function* () {
      yield* store(widgets(10))
      const pages = Effect.map(Requests, (names) => names.filter((name) => name.endsWith("/results")).length)
      yield* Stream.runDrain(Stream.take(Query.records({ schema: Widget, from: "Widget__c", maxRecords: 4 }), 3))
      assert.strictEqual(yield* pages, 1)
      yield* Stream.runDrain(Query.records({ schema: Widget, from: "Widget__c", maxRecords: 4 }))
      assert.strictEqual(yield* pages, 4)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("gives nothing when there is nothing", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Stream.runCollect(all), [])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("takes conditions, limits and whole queries", () =>
    Effect.gen(function* () {
      yield* store(widgets(20))
      const keys = (options: Query.Options<typeof key>) =>
        Effect.map(Stream.runCollect(Query.records(options)), (found) =>
          found.toSorted(byNumber).map((found) => found.Key__c)
        )
      const where = soql`Name = ${'Widget "3", large'} OR (Count__c >= ${4.5} AND Active__c = ${true})`
      assert.deepStrictEqual(yield* keys({ schema: key, from: "Widget__c", where }), ["K-3", "K-18"])
      assert.strictEqual((yield* keys({ schema: key, from: "Widget__c", limit: 5 })).length, 5)
      const whole = soql`SELECT Name, KEY__C FROM Widget__c WHERE Key__c IN ${["K-1", "K-2"]}`
      assert.deepStrictEqual(yield* keys({ schema: key, soql: whole }), ["K-1", "K-2"])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("keeps input from changing the query", () =>
    Effect.gen(function* () {
      yield* store(widgets(3))
      const where = soql`Name = ${"x' OR Name != '"}`
      assert.deepStrictEqual(yield* Stream.runCollect(Query.records({ schema: key, from: "Widget__c", where })), [])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("gives Salesforce's words for a query that it refuses", () =>
    Effect.gen(function* () {
      const unknown = yield* reasonOf(Query.records({ schema: key, from: "Nothing__c" }))
      assert.deepInclude(unknown, { _tag: "SoqlRefused", request: "POST /jobs/query" })
      const grouped = yield* reasonOf(
        Query.records({ schema: key, soql: raw("SELECT Key__c FROM Widget__c GROUP BY Key__c") })
      )
      assert.deepInclude(grouped, { _tag: "SoqlRefused", code: "API_ERROR", position: { row: 1, column: 30 } })
      const misspelt = yield* reasonOf(
        Query.records({ schema: key, soql: raw("SELECT Key__c FROM Widget__c WHERE Nmae = 'x'") })
      )
      assert.deepInclude(misspelt, { _tag: "SoqlRefused", position: { row: 1, column: 36 } })
      assert.match(misspelt.message, /No such column 'Nmae'/)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("refuses a schema without columns, before anything is sent", () =>
    Effect.gen(function* () {
      const reason = yield* reasonOf(
        Query.records({ schema: Schema.Record(Schema.String, Schema.String), from: "Widget__c" })
      )
      assert.strictEqual(reason._tag, "InvalidOptions")
      assert.deepStrictEqual(yield* Requests, [])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("says which column a query lacks", () =>
    Effect.gen(function* () {
      yield* store(widgets(1))
      const reason = yield* reasonOf(Query.records({ schema: key, soql: raw("SELECT Name FROM Widget__c") }))
      assert.strictEqual(reason._tag, "InvalidOptions")
      assert.strictEqual(reason.message, "query: column Key__c of the schema is not among the columns (Name)")
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("says which record does not fit the schema, and where", () =>
    Effect.gen(function* () {
      yield* store([widget(1), widget(2), widget(3, { Count__c: null }), widget(4)])
      const Strict = Schema.Struct({ Key__c: Schema.String, Count__c: Schema.Finite })
      const found: Array<string> = []
      const error = yield* Query.records({ schema: Strict, from: "Widget__c", maxRecords: 1 }).pipe(
        Stream.runForEach((record) => Effect.sync(() => found.push(record.Key__c))),
        Effect.flip
      )
      assert.deepInclude(error.reason, { _tag: "RecordInvalid", column: "Count__c", value: "", row: found.length + 1 })
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("a query that goes wrong", () => {
  const tampered = (tamper: Tamper) => Effect.provide(inProcess({ tamper }))
  const changingHeaders = (change: (headers: Headers) => void): Tamper => {
    return (request, response) =>
      replacing(/\/results$/, (text) => {
        const headers = new Headers(response.headers)
        change(headers)
        return new Response(text, { headers })
      })(request, response)
  }

  it.effect("fails on a page that cannot be told from a truncated one", () =>
    Effect.gen(function* () {
      yield* store(widgets(5))
      const reason = yield* reasonOf(all)
      assert.strictEqual(reason._tag, "UnexpectedResponse")
      assert.match(reason.message, /cannot be told from a truncated one/)
    }).pipe(virtually, tampered(changingHeaders((headers) => headers.delete("sforce-locator"))))
  )

  it.effect("fails on a page with another number of records than it promised", () =>
    Effect.gen(function* () {
      yield* store(widgets(5))
      assert.deepInclude(yield* reasonOf(all), { _tag: "IncompletePage", expected: 6, received: 5 })
    }).pipe(virtually, tampered(changingHeaders((headers) => headers.set("sforce-numberofrecords", "6"))))
  )

  it.effect("fails on a page that is cut off, after the records that are whole", () =>
    Effect.gen(function* () {
      yield* store(widgets(5))
      const found: Array<Widget> = []
      const error = yield* Effect.flip(Stream.runForEach(all, (record) => Effect.sync(() => found.push(record))))
      assert.include(["IncompletePage", "UnexpectedResponse"], error.reason._tag)
      assert.isBelow(found.length, 5)
    }).pipe(
      virtually,
      tampered((request, response) =>
        replacing(/\/results$/, (text) => new Response(text.slice(0, -15), { headers: response.headers }))(
          request,
          response
        )
      )
    )
  )

  it.effect("fails on a page that leads to itself", () =>
    Effect.gen(function* () {
      yield* store(widgets(5))
      const reason = yield* reasonOf(Query.records({ schema: Widget, from: "Widget__c", maxRecords: 2 }))
      assert.strictEqual(reason._tag, "UnexpectedResponse")
      assert.match(reason.message, /leads to itself/)
    }).pipe(
      virtually,
      tampered((request, response) => {
        const locator = Option.getOrUndefined(UrlParams.getFirst(request.urlParams, "locator"))
        return locator === undefined
          ? Effect.succeed(response)
          : changingHeaders((headers) => headers.set("sforce-locator", locator))(request, response)
      })
    )
  )

  it.effect("aborts the job when it is interrupted while it runs, and not afterwards", () =>
    Effect.gen(function* () {
      const running = yield* Effect.forkChild(Stream.runDrain(all))
      yield* Effect.sleep("10 seconds")
      yield* Fiber.interrupt(running)
      const names = yield* Requests
      assert.strictEqual(names.at(-1), "PATCH /jobs/query/ID")

      names.length = 0
      const read = yield* Effect.forkChild(Stream.runDrain(all))
      yield* Fiber.join(read)
      assert.notInclude(names, "PATCH /jobs/query/ID")
    }).pipe(virtually, Effect.provide(inProcess({ queueDelay: "1 minute" })))
  )

  it.effect("says that a job was aborted by somebody else", () =>
    Effect.gen(function* () {
      yield* store(widgets(5))
      assert.deepInclude(yield* reasonOf(all), { _tag: "JobFailed", state: "Aborted" })
    }).pipe(
      virtually,
      tampered(replacing(/^GET \/jobs\/query\/ID$/, (text) => Response.json({ ...JSON.parse(text), state: "Aborted" })))
    )
  )

  it.effect("leaves a job alone that is not done by the deadline", () =>
    Effect.gen(function* () {
      const reason = yield* reasonOf(
        Query.records({ schema: key, from: "Widget__c", poll: { deadline: "30 seconds" } })
      )
      assert.strictEqual(reason._tag, "DeadlinePassed")
      assert.notInclude(yield* Requests, "PATCH /jobs/query/ID")
    }).pipe(virtually, Effect.provide(inProcess({ queueDelay: "1 hour" })))
  )
})
