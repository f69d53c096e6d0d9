import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option, Result, Schema, Stream } from "effect"
import * as UrlParams from "effect/http/UrlParams"
import type * as BulkError from "../../src/BulkError.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import * as QueryJob from "../../src/job/QueryJob.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import { oneHeader } from "../../src/query/oneHeader.ts"
import type { Page } from "../../src/query/pages.ts"
import * as Query from "../../src/query/Query.ts"
import { raw, soql } from "../../src/query/Soql.ts"
import * as Csv from "../../src/record/Csv.ts"
import * as RecordCodec from "../../src/record/RecordCodec.ts"
import { inProcess, Requests, replacing, type Tamper, virtually } from "../support/orgs.ts"
import { pageHead, queryServer } from "../support/queryServer.ts"
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

  it.effect("asks for one page ahead of the one that is read, and no more", () =>
    Effect.gen(function* () {
      yield* store(widgets(10))
      const pages = Effect.map(Requests, (names) => names.filter((name) => name.endsWith("/results")).length)
      // however long the first record is looked at
      const asked = yield* Query.records({ schema: Widget, from: "Widget__c", maxRecords: 4 }).pipe(
        Stream.mapEffect(() => Effect.andThen(Effect.sleep("1 minute"), pages)),
        Stream.runHead
      )
      assert.deepStrictEqual(asked, Option.some(2))
      yield* Stream.runDrain(Query.records({ schema: Widget, from: "Widget__c", maxRecords: 4 }))
      assert.strictEqual(yield* pages, 2 + 3)
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

describe("what a query selects", () => {
  const Parented = Schema.Struct({
    LastName: Schema.String,
    Account: Schema.NullOr(Schema.Struct({ Name: Schema.String, Owner: Schema.Struct({ Username: Schema.String }) }))
  })

  it.effect("is the fields of a schema, those of relationships with dots", () =>
    Effect.gen(function* () {
      const org = yield* EmbeddedOrg.EmbeddedOrg
      const { Account: [accountId = ""] = [] } = yield* org.seed({ Account: [{ Name: "Acme" }] })
      yield* org.seed({ Contact: [{ LastName: "Li", AccountId: accountId }, { LastName: "Ray" }] })
      const found = yield* Stream.runCollect(
        Query.records({ schema: Parented, from: "Contact", orderBy: "LastName DESC", limit: 2 })
      )
      assert.deepStrictEqual(found, [
        { LastName: "Ray", Account: null },
        { LastName: "Li", Account: { Name: "Acme", Owner: { Username: "api@embedded-org.example" } } }
      ])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("includes deleted records if asked to", () =>
    Effect.gen(function* () {
      yield* store(widgets(3))
      const Deleted = Schema.Struct({ Id: Schema.String, IsDeleted: Schema.Boolean })
      const options = { schema: Deleted, from: "Widget__c" } as const
      const [first] = yield* Stream.runCollect(Query.records(options))
      yield* Stream.fromIterable(first === undefined ? [] : [first]).pipe(
        Ingest.delete({ object: "Widget__c", schema: Schema.Struct({ Id: Schema.String }) }),
        Stream.runDrain
      )
      assert.strictEqual((yield* Stream.runCollect(Query.records(options))).length, 2)
      const all = yield* Stream.runCollect(Query.records({ ...options, all: true }))
      assert.deepStrictEqual(
        all.filter(({ IsDeleted }) => IsDeleted).map(({ Id }) => Id),
        [first?.Id]
      )
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("is checked before anything is sent, as far as that goes", () =>
    Effect.gen(function* () {
      const problem = (options: Partial<Query.Options<typeof key>>) =>
        Effect.map(
          reasonOf(Query.records({ schema: key, from: "Widget__c", ...options } as Query.Options<typeof key>)),
          String
        )
      const soql = (text: string) => problem({ from: undefined, soql: text } as never)
      assert.match(yield* soql("select Name, Grade__c from Widget__c"), /column Key__c .* \(Name, Grade__c\)/)
      assert.match(yield* soql("SELECT Widget__c.Name FROM Widget__c WHERE Name = 'x'"), /column Key__c/)
      assert.match(yield* problem({ from: "Widget__c WHERE Name = 'x'" }), /no API name/)
      assert.match(yield* problem({ limit: 1.5 }), /limit 1.5/)
      assert.match(yield* problem({ maxRecords: 0 }), /maxRecords 0/)
      assert.match(yield* problem({ concurrency: -1 }), /concurrency -1/)
      assert.match(yield* problem({ readAhead: Number.NaN }), /readAhead NaN/)
      const odd = Schema.Struct({ "Name FROM User": Schema.String })
      assert.match(String(yield* reasonOf(Query.records({ schema: odd, from: "Widget__c" }))), /no field of SOQL/)
      assert.deepStrictEqual(yield* Requests, [])
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("is left to the org where its select list does not show", () =>
    Effect.gen(function* () {
      yield* store(widgets(1))
      for (const text of [
        "SELECT Widget__c.KEY__C FROM Widget__c",
        "SELECT w.Key__c FROM Widget__c w",
        "SELECT Name,\n key__c FROM Widget__c LIMIT 1"
      ]) {
        assert.deepStrictEqual(yield* Stream.runCollect(Query.records({ schema: key, soql: text })), [
          { Key__c: "K-1" }
        ])
      }
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("Query.recordsResult", () => {
  it.effect("gives a result for each record, and says what is wrong with those that do not fit", () =>
    Effect.gen(function* () {
      yield* store([widget(1), widget(2, { Count__c: null }), widget(3)])
      const Strict = Schema.Struct({ Key__c: Schema.String, Count__c: Schema.Finite })
      const found = yield* Stream.runCollect(
        Query.recordsResult({ schema: Strict, from: "Widget__c", orderBy: "Key__c", maxRecords: 2 })
      )
      const [first, second, third] = found
      assert.deepStrictEqual(first, Result.succeed({ Key__c: "K-1", Count__c: 0.25 }))
      assert.deepStrictEqual(third, Result.succeed({ Key__c: "K-3", Count__c: 0.75 }))
      assert.isTrue(second !== undefined && Result.isFailure(second))
      if (second !== undefined && Result.isFailure(second)) {
        assert.deepInclude(second.failure, { _tag: "RecordInvalid", page: 1, row: 2, column: "Count__c", value: "" })
      }
      const error = yield* reasonOf(
        Query.records({ schema: Strict, from: "Widget__c", orderBy: "Key__c DESC", maxRecords: 1 })
      )
      assert.deepInclude(error, { _tag: "RecordInvalid", page: 2, row: 2, column: "Count__c", value: "" })
      assert.isString((error as BulkError.RecordInvalid).locator)
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("Query.rows and Query.csv", () => {
  const text = soql`SELECT Key__c, Note__c FROM Widget__c ORDER BY Key__c`

  it.effect("give cells by name, and one header for all pages", () =>
    Effect.gen(function* () {
      yield* store([widget(3), widget(4, { Note__c: 'a "quoted",\nnote' }), widget(5)])
      const expected = [
        { Key__c: "K-3", Note__c: "" },
        { Key__c: "K-4", Note__c: 'a "quoted",\nnote' },
        { Key__c: "K-5", Note__c: "" }
      ]
      for (const maxRecords of [undefined, 1, 2, 3]) {
        assert.deepStrictEqual(yield* Stream.runCollect(Query.rows(text, { maxRecords })), expected)
        const csv = yield* Stream.mkString(Stream.decodeText(Query.csv(text, { maxRecords })))
        assert.strictEqual(csv, '"Key__c","Note__c"\n"K-3",""\n"K-4","a ""quoted"",\nnote"\n"K-5",""\n')
      }
      const none = Query.csv("SELECT Key__c FROM Widget__c WHERE Key__c = 'none'")
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(none)), '"Key__c"\n')
      const tabs = Query.csv(text, { columnDelimiter: "TAB", lineEnding: "CRLF", maxRecords: 1 })
      assert.match(yield* Stream.mkString(Stream.decodeText(tabs)), /^"Key__c"\t"Note__c"\r\n"K-3"\t""\r\n"K-4"/)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("ends a row that its page leaves open, and refuses a page with another header", () =>
    Effect.gen(function* () {
      const page = (number: number, csv: string): Page => ({
        jobId: "750A",
        dialect: Csv.standard,
        number,
        locator: undefined,
        next: undefined,
        size: () => 1,
        arrived: () => 1,
        bytes: Stream.fromIterable([...csv].map((char) => new TextEncoder().encode(char)))
      })
      const joined = (...csvs: ReadonlyArray<string>) => {
        const use = oneHeader("\n")
        const pages = csvs.map((csv, i) => page(i, csv))
        return Stream.mkString(Stream.decodeText(Stream.flatMap(Stream.fromIterable(pages), use)))
      }
      assert.strictEqual(yield* joined('"a\nb"\n1', '"a\nb"\n2\n', '"a\nb"\n3'), '"a\nb"\n1\n2\n3')
      const error = yield* Effect.flip(joined('"a"\n1\n', '"b"\n2\n'))
      assert.match(error.message, /one page has the header "b", and the first one "a"/)
    })
  )
})

describe("what a page says", () => {
  const All = Schema.Struct({
    Text__c: Schema.String,
    Nullable__c: Schema.NullOr(Schema.String),
    Optional__c: Schema.optionalKey(Schema.String),
    Flag__c: Schema.Boolean,
    Number__c: Schema.Finite,
    At__c: Schema.Date,
    Parent__r: Schema.NullOr(Schema.Struct({ Name: Schema.String }))
  })
  const header = '"PARENT__R.NAME","at__c","Number__c","Flag__c","Optional__c","Nullable__c","Text__c","Other__c"\r\n'
  const rows = [
    '"Acme","2026-11-23T20:41:12.000Z","9.12260031E8","true","x","a;b;c","two\nlines, ""quoted""","-"\r\n',
    '"","2026-11-23T20:41:12.000+0000","-0.5","false","","","","-"\r\n',
    '"é","1969-12-31T23:59:59.000Z","12","true","y","","nul \0 — 𝒳 🎈","-"\r\n'
  ]
  const records = [
    {
      Parent__r: { Name: "Acme" },
      At__c: new Date("2026-11-23T20:41:12Z"),
      Number__c: 912_260_031,
      Flag__c: true,
      Optional__c: "x",
      Nullable__c: "a;b;c",
      Text__c: 'two\nlines, "quoted"'
    },
    {
      Parent__r: null,
      At__c: new Date("2026-11-23T20:41:12Z"),
      Number__c: -0.5,
      Flag__c: false,
      Nullable__c: null,
      Text__c: ""
    },
    {
      Parent__r: { Name: "é" },
      At__c: new Date(-1000),
      Number__c: 12,
      Flag__c: true,
      Optional__c: "y",
      Nullable__c: null,
      Text__c: "nul \0 — 𝒳 🎈"
    }
  ]

  it.live("is read whole, however its bytes are cut", () =>
    Effect.gen(function* () {
      const csv = new TextEncoder().encode(header + rows.join(""))
      for (const size of [1, 7, 64, 10_000]) {
        const server = yield* queryServer({
          onPage: (response) => {
            response.writeHead(200, pageHead(3, null))
            for (let at = 0; at < csv.length; at += size) response.write(csv.subarray(at, at + size))
            response.end()
          }
        })
        const found = yield* Stream.runCollect(
          Query.records({ schema: All, soql: "SELECT FIELDS(ALL) FROM Widget__c" })
        ).pipe(Effect.provide(server.connection))
        assert.deepStrictEqual(found, records)
      }
    }).pipe(Effect.scoped)
  )
})

describe("Query.pages", () => {
  it.effect("gives pages with their locators, with which another process goes on", () =>
    Effect.gen(function* () {
      yield* store(widgets(7))
      const options = { schema: key, maxRecords: 2 } as const
      const keysOf = (page: Query.Page<typeof key.Type>) =>
        Effect.map(Stream.runCollect(page.records), (records) => records.map(({ Key__c }) => Key__c))
      const whole = yield* Query.pages({ ...options, from: "Widget__c" }).pipe(
        Stream.mapEffect((page) => Effect.map(keysOf(page), (keys) => ({ page, keys }))),
        Stream.runCollect
      )
      assert.deepStrictEqual(
        whole.map(({ page }) => page.numberOfRecords),
        [2, 2, 2, 1]
      )
      assert.sameMembers(
        whole.flatMap(({ keys }) => keys),
        widgets(7).map(({ Key__c }) => Key__c)
      )
      whole.forEach(({ page }, i) => {
        assert.strictEqual(page.next, whole[i + 1]?.page.locator)
      })
      // the first process ends after two pages
      const [, second] = yield* Stream.runCollect(Stream.take(Query.pages({ ...options, from: "Widget__c" }), 2))
      const rest = yield* Query.resume(second?.jobId ?? "", second?.next, { ...options, afterwards: "remove" }).pipe(
        Stream.mapEffect(keysOf),
        Stream.runCollect
      )
      assert.deepStrictEqual(
        rest,
        whole.slice(2).map(({ keys }) => keys)
      )
      const gone = yield* reasonOf(Query.resume(second?.jobId ?? "", second?.next, options))
      assert.strictEqual(gone._tag, "ResultsExpired")
      // what is only not shown may still be there
      const { faults } = yield* EmbeddedOrg.EmbeddedOrg
      yield* faults.set([Faults.on("queryJob", Faults.respond(403))])
      assert.strictEqual((yield* reasonOf(Query.resume(second?.jobId ?? "", undefined, options)))._tag, "ApiError")
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("Query.resume", () => {
  it.effect("reads a job as it was created, whatever is between its cells and ends its rows", () =>
    Effect.gen(function* () {
      const stored = widgets(3).map((each) => new Widget({ ...each, Name: "a,b;c|d\te^f`g" }))
      yield* store(stored)
      const { columns } = Result.getOrThrow(RecordCodec.make(Widget))
      const dialects = [
        ["COMMA", "CRLF"],
        ["SEMICOLON", "LF"],
        ["SEMICOLON", "CRLF"],
        ["TAB", "LF"],
        ["PIPE", "LF"],
        ["CARET", "LF"],
        ["BACKQUOTE", "LF"]
      ] as const
      for (const [columnDelimiter, lineEnding] of dialects) {
        const { id } = yield* QueryJob.create(`SELECT ${columns.join()} FROM Widget__c`, {
          columnDelimiter,
          lineEnding
        })
        const pages = Query.resume(id, undefined, { schema: Widget, maxRecords: 2 })
        const found = yield* Stream.runCollect(Stream.flatMap(pages, ({ records }) => records))
        assert.deepStrictEqual(found.toSorted(byNumber), stored)
      }
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("the job of a query", () => {
  const requested = (pattern: RegExp) =>
    Effect.map(Requests, (names) => names.filter((name) => pattern.test(name)).length)
  const changes = requested(/^(?:PATCH|DELETE)/)
  const removals = requested(/^DELETE/)
  const options = { schema: key, from: "Widget__c", maxRecords: 1 } as const

  it.effect("is left or removed when its records are read, as asked", () =>
    Effect.gen(function* () {
      yield* store(widgets(3))
      const before = yield* changes
      yield* Stream.runDrain(Query.records(options))
      assert.strictEqual((yield* changes) - before, 0)
      yield* Stream.runDrain(Query.records({ ...options, afterwards: "remove" }))
      assert.strictEqual(yield* removals, 1)
      yield* Stream.runDrain(Stream.take(Query.records({ ...options, afterwards: "remove" }), 1))
      assert.strictEqual(yield* removals, 2)
      // of pages that are left there may be need
      yield* Stream.runDrain(Stream.take(Query.pages({ ...options, afterwards: "remove" }), 1))
      assert.strictEqual(yield* removals, 2)
      yield* Stream.runDrain(Query.pages({ ...options, afterwards: "remove" }))
      assert.strictEqual(yield* removals, 3)
      yield* Stream.runDrain(Query.pages({ ...options, afterwards: "keep" }))
      assert.strictEqual(yield* removals, 3)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("is aborted when whoever reads it fails or leaves while it runs, unless it is kept", () =>
    Effect.gen(function* () {
      const cut = (afterwards?: "keep" | "remove") =>
        Stream.runDrain(Query.records({ ...options, afterwards })).pipe(Effect.timeout("10 seconds"), Effect.exit)
      yield* cut()
      assert.strictEqual(yield* changes, 1)
      yield* cut("keep")
      assert.strictEqual(yield* changes, 1)
      yield* cut("remove")
      assert.strictEqual(yield* changes, 3)
      assert.strictEqual(yield* removals, 1)
      // and so are its pages
      yield* Stream.runDrain(Query.pages({ ...options, afterwards: "keep" })).pipe(
        Effect.timeout("10 seconds"),
        Effect.exit
      )
      assert.strictEqual(yield* changes, 3)
    }).pipe(virtually, Effect.provide(inProcess({ queueDelay: "1 minute" })))
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
      const reason = yield* reasonOf(Query.records({ schema: Widget, from: "Widget__c", maxRecords: 10 }))
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

  for (const [what, delay, asked] of [
    [
      "aborts the job when it is interrupted while that is created",
      "3 seconds",
      ["POST /jobs/query", "PATCH /jobs/query/ID"]
    ],
    ["does not wait for long for a job that is to be created", "10 minutes", ["POST /jobs/query"]]
  ] as const) {
    it.effect(what, () =>
      Effect.gen(function* () {
        const running = yield* Effect.forkChild(Stream.runDrain(all))
        yield* Effect.sleep("1 second")
        const [took] = yield* Effect.timed(Fiber.interrupt(running))
        assert.isBelow(Duration.toSeconds(took), 10)
        assert.deepStrictEqual(yield* Requests, [...asked])
      }).pipe(virtually, Effect.provide(inProcess({ faults: [Faults.on("createQueryJob", Faults.delay(delay))] })))
    )
  }

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
