// Pages over real sockets: whatever breaks, each record comes once.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schedule, Schema, Stream } from "effect"
import type { BulkError } from "../../src/BulkError.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import * as Query from "../../src/query/Query.ts"
import { overSocket } from "../support/orgs.ts"
import { pageHead, queryServer } from "../support/queryServer.ts"

const Key = Schema.Struct({ Key__c: Schema.String, Note__c: Schema.NullOr(Schema.String) })
const poll = { first: "5 millis", cap: "20 millis" } as const
const from = { schema: Key, from: "Widget__c", poll } as const

/** Stores widgets; some of their notes need quoting, and span lines. */
const seed = (count: number) =>
  Effect.flatMap(EmbeddedOrg.EmbeddedOrg, (org) =>
    org.seed({
      Widget__c: Array.from({ length: count }, (_, i) => ({
        Name: `Widget ${i}`,
        Key__c: `K-${i}`,
        Note__c: i % 3 === 0 ? `"${i}",\nsecond — line` : null
      }))
    })
  )

const keysOf = (records: ReadonlyArray<typeof Key.Type>) => records.map(({ Key__c }) => Key__c)

const sockets = (options: Parameters<typeof overSocket>[0] = {}) =>
  Effect.provide(overSocket({ ...options, connection: { retry: Schedule.recurs(5), ...options.connection } }))

const strike = (...faults: ReadonlyArray<Faults.Fault>) =>
  Effect.flatMap(EmbeddedOrg.EmbeddedOrg, (org) => org.faults.set(faults))

/** Faults that befall each request for a page once, so that its repetition succeeds. */
const kinds: Readonly<Record<string, Faults.RequestEffect>> = {
  "cut within the header": Faults.cutResponse(7),
  "cut within the rows": Faults.cutResponse(40),
  "cut at its end": Faults.cutResponse(1_000_000),
  "cut before": Faults.cutBefore,
  "cut after": Faults.cutAfter,
  "a 503": Faults.respond(503),
  "a page without headers": Faults.respond(200, {
    headers: { "content-type": "text/csv" },
    body: '"Key__c","Note__c"\n'
  })
}

describe("pages over sockets", () => {
  it.live("give each stored record once and in order, for one, two and all pages", () =>
    Effect.gen(function* () {
      yield* seed(150)
      const expected = keysOf(yield* Stream.runCollect(Query.records(from)))
      assert.strictEqual(new Set(expected).size, 150)
      for (const maxRecords of [1, 7, 75, 149, 150, 151]) {
        const found = yield* Stream.runCollect(Query.records({ ...from, maxRecords }))
        assert.deepStrictEqual(keysOf(found), expected)
      }
    }).pipe(sockets())
  )

  for (const [name, effect] of Object.entries(kinds)) {
    it.live(`give each record once after ${name}, at every page`, () =>
      Effect.gen(function* () {
        yield* seed(24)
        const expected = yield* Stream.runCollect(Query.records(from))
        for (const options of [{ maxRecords: 24 }, { maxRecords: 7 }, { maxRecords: 1 }, {}]) {
          // every first request of a page is struck
          yield* strike(Faults.on("queryResults", effect, { every: 2 }))
          assert.deepStrictEqual(yield* Stream.runCollect(Query.records({ ...from, ...options })), expected)
          yield* strike(Faults.on("queryResults", effect, { nth: [1, 3, 5, 7] }))
          assert.deepStrictEqual(yield* Stream.runCollect(Query.records({ ...from, ...options })), expected)
        }
      }).pipe(sockets({ pageSize: 9 }))
    )
  }

  it.live("are read beside each other by their links, in order or as they come", () =>
    Effect.gen(function* () {
      yield* seed(100)
      const org = yield* EmbeddedOrg.EmbeddedOrg
      const expected = keysOf(yield* Stream.runCollect(Query.records({ ...from, maxRecords: 100 })))
      // odd pages are late
      yield* strike(Faults.on("queryResults", Faults.delay("30 millis"), { every: 2 }))
      const found = keysOf(yield* Stream.runCollect(Query.records(from)))
      assert.deepStrictEqual(found, expected)
      assert.strictEqual((yield* org.requests).filter(({ route }) => route === "resultPages").length, 4)
      const unordered = keysOf(yield* Stream.runCollect(Query.records({ ...from, unordered: true })))
      assert.notDeepEqual(unordered, expected)
      assert.deepStrictEqual(unordered.toSorted(), expected.toSorted())
    }).pipe(sockets({ pageSize: 5 }))
  )

  it.live("are chained where an org has no links to them", () =>
    Effect.gen(function* () {
      yield* seed(20)
      assert.strictEqual((yield* Stream.runCollect(Query.records(from))).length, 20)
      const org = yield* EmbeddedOrg.EmbeddedOrg
      const routes = (yield* org.requests).map(({ route }) => route)
      assert.notInclude(routes, "resultPages")
      assert.strictEqual(routes.filter((route) => route === "queryResults").length, 4)
    }).pipe(sockets({ pageSize: 5, connection: { apiVersion: "57.0" } }))
  )

  it.live("are chained where links are not found", () =>
    Effect.gen(function* () {
      yield* seed(20)
      for (const status of [404, 400, 405, 501]) {
        yield* strike(Faults.on("resultPages", Faults.respond(status)))
        assert.strictEqual((yield* Stream.runCollect(Query.records(from))).length, 20)
      }
    }).pipe(sockets({ pageSize: 5 }))
  )

  it.live("fail when a page never comes whole, after the records before it", () =>
    Effect.gen(function* () {
      yield* seed(20)
      const expected = keysOf(yield* Stream.runCollect(Query.records(from)))
      yield* strike(Faults.on(/locator=.*maxRecords=8/, Faults.cutResponse(30)))
      const found: Array<string> = []
      const error = yield* Query.records({ ...from, maxRecords: 8 }).pipe(
        Stream.runForEach(({ Key__c }) => Effect.sync(() => found.push(Key__c))),
        Effect.flip
      )
      assert.strictEqual(error.reason._tag, "ConnectionLost")
      assert.deepStrictEqual(found, expected.slice(0, found.length))
      assert.isAtLeast(found.length, 8)
    }).pipe(sockets())
  )
})

const rows = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `"${from + i}"\n`).join("")
const Id = Schema.Struct({ Id: Schema.String })
const query = { schema: Id, soql: "SELECT Id FROM Widget__c", poll } as const

describe("a page", () => {
  it.live("gives its first record before it is whole", () =>
    Effect.gen(function* () {
      const rest = Promise.withResolvers<void>()
      const server = yield* queryServer({
        onPage: (response) => {
          response.writeHead(200, pageHead(4, null)).write(`"Id"\n${rows(2)}`)
          rest.promise.then(() => response.end(rows(2, 2)))
        }
      })
      let seen = 0
      const found = yield* Query.records(query).pipe(
        Stream.tap(() =>
          Effect.sync(() => {
            if (++seen === 2) rest.resolve()
          })
        ),
        Stream.runCollect,
        Effect.provide(server.connection)
      )
      assert.strictEqual(found.length, 4)
    }).pipe(Effect.scoped)
  )

  it.live("that is no CSV, or lacks a column, fails the stream and says so", () =>
    Effect.gen(function* () {
      const answering = (csv: string) =>
        queryServer({ onPage: (response) => response.writeHead(200, pageHead(1, null)).end(csv) })
      const broken = yield* answering('"Id"\n"0"x\n')
      for (const records of [Query.records(query), Query.rows("SELECT Id FROM Account")]) {
        const error = yield* Stream.runDrain<unknown, BulkError, never>(
          Stream.provide(records, broken.connection)
        ).pipe(Effect.flip)
        assert.strictEqual(error.reason._tag, "UnexpectedResponse")
        assert.match(error.message, /750000000000001AAA/)
      }
      const other = yield* answering('"Name"\n"x"\n')
      const error = yield* Stream.runDrain(Query.records(query)).pipe(Effect.provide(other.connection), Effect.flip)
      assert.match(error.message, /Id/)
    }).pipe(Effect.scoped)
  )

  it.live("that stalls is asked for again", () =>
    Effect.gen(function* () {
      const server = yield* queryServer({
        idleTimeout: "100 millis",
        onPage: (response, _, count) => {
          response.writeHead(200, pageHead(4, null))
          if (count < 3) response.write(`"Id"\n${rows(count)}`)
          else response.end(`"Id"\n${rows(4)}`)
        }
      })
      const found = yield* Stream.runCollect(Query.records(query)).pipe(Effect.provide(server.connection))
      assert.deepStrictEqual(
        found.map(({ Id }) => Id),
        ["0", "1", "2", "3"]
      )
      assert.strictEqual(server.requests.filter((each) => each === "GET /results").length, 3)
    }).pipe(Effect.scoped)
  )

  it.live("is opened when the headers of the one before it are there", () =>
    Effect.gen(function* () {
      const second = Promise.withResolvers<void>()
      const server = yield* queryServer({
        onPage: (response, locator) => {
          response.writeHead(200, pageHead(1, locator === undefined ? "b" : null))
          if (locator === "b") {
            second.resolve()
            response.end(`"Id"\n${rows(1, 1)}`)
          } else {
            response.write('"Id"\n')
            second.promise.then(() => response.end(rows(1)))
          }
        }
      })
      const found = yield* Stream.runCollect(Query.records({ ...query, maxRecords: 1 })).pipe(
        Effect.provide(server.connection)
      )
      assert.deepStrictEqual(
        found.map(({ Id }) => Id),
        ["0", "1"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("is sent only as fast as it is used", () =>
    Effect.gen(function* () {
      const count = 60_000
      const block = `"${"x".repeat(1_000)}"\n`.repeat(60)
      let sent = 0
      const server = yield* queryServer({
        onPage: (response) => {
          response.writeHead(200, pageHead(count, null)).write('"Id"\n')
          const push = () => {
            while (sent < count) {
              sent += 60
              if (!response.write(block)) return response.once("drain", push)
            }
            return response.end()
          }
          push()
        }
      })
      const reading = yield* Query.records({ ...query, readAhead: 65_536 }).pipe(
        Stream.tap(() => Effect.never),
        Stream.runDrain,
        Effect.provide(server.connection),
        Effect.forkChild
      )
      let last = -1
      for (let quiet = 0; quiet < 10; ) {
        yield* Effect.sleep("10 millis")
        quiet = sent > 0 && sent === last ? quiet + 1 : 0
        last = sent
      }
      assert.isBelow(sent, count)
      yield* Fiber.interrupt(reading)
    }).pipe(Effect.scoped)
  )

  it.live("that held another number of records than promised is asked for again, and goes on", () =>
    Effect.gen(function* () {
      const server = yield* queryServer({
        processed: 3,
        // one promises too many, the next too few
        onPage: (response, locator, count) =>
          response
            .writeHead(
              200,
              pageHead(
                count === 1 ? 4 : count === 2 ? 1 : locator === undefined ? 2 : 1,
                locator === undefined ? "b" : null
              )
            )
            .end(locator === undefined ? `"Id"\n${rows(2)}` : `"Id"\n${rows(1, 2)}`)
      })
      const found = yield* Stream.runCollect(Query.records({ ...query, maxRecords: 2 })).pipe(
        Effect.provide(server.connection)
      )
      assert.deepStrictEqual(
        found.map(({ Id }) => Id),
        ["0", "1", "2"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("that leads elsewhere when it is asked for again is an error", () =>
    Effect.gen(function* () {
      const server = yield* queryServer({
        onPage: (response, locator, count) =>
          response.writeHead(200, pageHead(3, locator === undefined ? `b${count}` : null)).end(`"Id"\n${rows(2)}`)
      })
      const error = yield* Effect.flip(Stream.runDrain(Query.records({ ...query, maxRecords: 2 }))).pipe(
        Effect.provide(server.connection)
      )
      assert.strictEqual(error.reason._tag, "ResultsChanged")
    }).pipe(Effect.scoped)
  )

  it.live("that a server gives up, because it is used slowly, is asked for again", () =>
    Effect.gen(function* () {
      const count = 30_000
      const body = Array.from({ length: count }, (_, i) => `"${String(i).padStart(1_000, "0")}"\n`)
      const server = yield* queryServer({
        onPage: (response, _, attempt) => {
          response.writeHead(200, pageHead(count, null)).write('"Id"\n')
          let at = 0
          const push = () => {
            while (at < count) {
              if (response.write(body[at++])) continue
              // the first time it has no patience
              const timer = attempt === 1 ? setTimeout(() => response.destroy(), 20) : undefined
              return response.once("drain", () => {
                clearTimeout(timer)
                push()
              })
            }
            return response.end()
          }
          push()
        }
      })
      let seen = 0
      yield* Query.records({ ...query, readAhead: 65_536 }).pipe(
        Stream.runForEachArray((records) =>
          Effect.suspend(() => {
            const isFirst = seen === 0
            for (const { Id } of records) assert.strictEqual(Number(Id), seen++)
            return isFirst ? Effect.sleep("200 millis") : Effect.void
          })
        ),
        Effect.provide(server.connection)
      )
      assert.strictEqual(seen, count)
      assert.strictEqual(server.requests.filter((each) => each === "GET /results").length, 2)
    }).pipe(Effect.scoped)
  )

  it.live("that leads back to an earlier one is an error, not a stream without an end", () =>
    Effect.gen(function* () {
      const server = yield* queryServer({
        onPage: (response, locator) =>
          response.writeHead(200, pageHead(1, locator === "b" ? "a" : "b")).end(`"Id"\n${rows(1)}`)
      })
      const error = yield* Effect.flip(Stream.runDrain(Query.records({ ...query, maxRecords: 1 }))).pipe(
        Effect.provide(server.connection)
      )
      assert.match(error.message, /lead back to locator b/)
    }).pipe(Effect.scoped)
  )

  it.live("that was left is no longer there to be read", () =>
    Effect.gen(function* () {
      const server = yield* queryServer({
        onPage: (response, locator) =>
          response.writeHead(200, pageHead(1, locator === undefined ? "b" : null)).end(`"Id"\n${rows(1)}`)
      })
      const error = yield* Stream.runCollect(Query.pages({ ...query, maxRecords: 1 })).pipe(
        Effect.flatMap(([first]) => (first === undefined ? Effect.die("no page") : Stream.runDrain(first.records))),
        Effect.flip,
        Effect.provide(server.connection)
      )
      assert.match(error.message, /after its scope had ended/)
    }).pipe(Effect.scoped)
  )
})

describe("2,000 pages", () => {
  it.live(
    "give each record once with a fault at every one of them",
    () =>
      Effect.gen(function* () {
        const count = 2_000
        const struck = new Set<number>()
        const server = yield* queryServer({
          processed: count,
          onPage: (response, locator) => {
            const page = Number(locator ?? 0)
            const head = pageHead(1, page + 1 < count ? String(page + 1) : null)
            const body = `"Id"\n"record\n${page}"\n`
            if (struck.has(page)) return response.writeHead(200, head).end(body)
            struck.add(page)
            // cuts cost a socket each, so that most are others
            if (page % 20 === 0)
              return response.writeHead(200, head).write(body.slice(0, page % 15), () => response.destroy())
            if (page % 4 === 1) return response.writeHead(503).end()
            if (page % 4 === 2) return response.writeHead(200, { "content-type": "text/csv" }).end(body)
            return response.writeHead(200, head).end(body.slice(0, 5 + (page % 8)))
          }
        })
        const found = yield* Stream.runCollect(Query.records({ ...query, maxRecords: 1 })).pipe(
          Effect.provide(server.connection)
        )
        assert.strictEqual(struck.size, count)
        assert.deepStrictEqual(
          found.map(({ Id }) => Id),
          Array.from({ length: count }, (_, page) => `record\n${page}`)
        )
      }).pipe(Effect.scoped),
    180_000
  )
})

describe("the pages of a job", () => {
  const onPage = (response: Parameters<Parameters<typeof queryServer>[0]["onPage"]>[0]) =>
    response.writeHead(200, pageHead(4, null)).end(`"Id"\n${rows(4)}`)

  it.live("that hold fewer records than it found are an error, after these", () =>
    Effect.gen(function* () {
      const server = yield* queryServer({ onPage, processed: 5 })
      const found: Array<string> = []
      const error = yield* Query.records(query).pipe(
        Stream.runForEach(({ Id }) => Effect.sync(() => found.push(Id))),
        Effect.flip,
        Effect.provide(server.connection)
      )
      assert.deepInclude(error.reason, { _tag: "IncompleteResults", expected: 5, received: 4 })
      assert.strictEqual(found.length, 4)
    }).pipe(Effect.scoped)
  )

  it.live("may hold more than it counts, since its count is known to lag", () =>
    Effect.gen(function* () {
      const server = yield* queryServer({ onPage, processed: 3 })
      const found = yield* Stream.runCollect(Query.records(query)).pipe(Effect.provide(server.connection))
      assert.strictEqual(found.length, 4)
    }).pipe(Effect.scoped)
  )
})
