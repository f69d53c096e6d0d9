import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Schema, Stream } from "effect"
import { Connection } from "../../src/connection/Connection.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import * as QueryJob from "../../src/job/QueryJob.ts"
import { inProcess, Requests, replacing, type Tamper, virtually } from "../support/orgs.ts"
import { Widget, widget, widgets } from "../support/widgets.ts"

const soql = "SELECT Key__c FROM Widget__c"

const store = (count: number) =>
  Stream.fromIterable(widgets(count)).pipe(Ingest.insert({ object: "Widget__c", schema: Widget }), Stream.runDrain)

const run = (options?: QueryJob.CreateOptions) =>
  Effect.gen(function* () {
    const { id } = yield* QueryJob.create(soql, options)
    yield* QueryJob.awaitDone(id)
    return id
  })

const textOf = (page: QueryJob.Page) => Stream.mkString(Stream.decodeText(page.bytes))
const keysOf = (text: string) => [...text.matchAll(/K-\d+/g)].map(([key]) => key)

const allKeys = (count: number) => widgets(count).map(({ Key__c }) => Key__c)

describe("QueryJob", () => {
  it.effect("gives the pages of a job, one after the other", () =>
    Effect.gen(function* () {
      yield* store(5)
      const id = yield* run()
      const found: Array<string> = []
      const locators: Array<string | undefined> = []
      let locator: string | undefined
      do {
        const page = yield* QueryJob.page(id, { locator, maxRecords: 2 })
        assert.strictEqual(page.locator, locator)
        locators.push(locator)
        found.push(...keysOf(yield* textOf(page)))
        locator = page.next
      } while (locator !== undefined)
      assert.strictEqual(locators.length, 3)
      assert.sameMembers(found, allKeys(5))
    }).pipe(Effect.scoped, virtually, Effect.provide(inProcess()))
  )

  it.effect("gives results in another format, and deleted records, if asked to", () =>
    Effect.gen(function* () {
      yield* store(2)
      const text = (id: string) => Effect.flatMap(QueryJob.page(id), textOf)
      assert.match(
        yield* text(yield* run({ columnDelimiter: "TAB", lineEnding: "CRLF" })),
        /^"Key__c"\r\n"K-\d"\r\n"K-\d"\r\n$/
      )
      yield* Stream.make(widget(1)).pipe(
        Ingest.upsert({ object: "Widget__c", schema: Widget, externalId: "Key__c", nulls: "ignore" }),
        Stream.flatMap((outcome) => (outcome._tag === "Succeeded" ? Stream.succeed({ Id: outcome.id }) : Stream.empty)),
        Ingest.delete({ object: "Widget__c", schema: Schema.Struct({ Id: Schema.String }) }),
        Stream.runDrain
      )
      assert.deepStrictEqual(keysOf(yield* text(yield* run())), ["K-2"])
      assert.sameMembers(keysOf(yield* text(yield* run({ all: true }))), ["K-1", "K-2"])
    }).pipe(Effect.scoped, virtually, Effect.provide(inProcess()))
  )

  it.effect("lists jobs, asking for more as they are consumed", () =>
    Effect.gen(function* () {
      yield* store(1)
      const ids = yield* Effect.forEach([1, 2, 3, 4, 5], () => run())
      const requests = yield* Requests
      requests.length = 0
      const jobs = yield* Stream.runCollect(QueryJob.list)
      assert.deepStrictEqual(
        jobs.map(({ id }) => id),
        ids
      )
      assert.strictEqual(requests.length, 3)
      assert.isTrue(DateTime.isDateTime(jobs[0]?.createdDate))
      requests.length = 0
      yield* Stream.runDrain(Stream.take(QueryJob.list, 2))
      assert.strictEqual(requests.length, 1)
    }).pipe(virtually, Effect.provide(inProcess({ listSize: 2 })))
  )

  it.effect("deletes a job, and says afterwards that its results are gone", () =>
    Effect.gen(function* () {
      yield* store(1)
      const id = yield* run()
      yield* QueryJob.remove(id)
      yield* QueryJob.remove(id)
      assert.isTrue((yield* Effect.flip(QueryJob.get(id))).isNotFound)
      const error = yield* Effect.flip(QueryJob.page(id))
      assert.deepInclude(error.reason, { _tag: "ResultsExpired", jobId: id })
    }).pipe(Effect.scoped, virtually, Effect.provide(inProcess()))
  )

  it.effect("aborts or deletes a scoped job at the end of its scope", () =>
    Effect.gen(function* () {
      const running = yield* Effect.scoped(QueryJob.scoped(soql))
      assert.strictEqual((yield* QueryJob.get(running.id)).state, "Aborted")
      const use = (options: QueryJob.ScopedOptions) =>
        QueryJob.scoped(soql, options).pipe(
          Effect.flatMap(({ id }) => QueryJob.awaitDone(id)),
          Effect.scoped
        )
      const kept = yield* use({})
      assert.strictEqual((yield* QueryJob.get(kept.id)).state, "JobComplete")
      const removed = yield* use({ remove: true })
      assert.isTrue((yield* Effect.flip(QueryJob.get(removed.id))).isNotFound)
      const early = yield* Effect.scoped(QueryJob.scoped(soql, { remove: true }))
      assert.isTrue((yield* Effect.flip(QueryJob.get(early.id))).isNotFound)
    }).pipe(virtually, Effect.provide(inProcess({ queueDelay: "1 minute" })))
  )
})

describe("QueryJob.resultPages", () => {
  const linked = Effect.gen(function* () {
    yield* store(23)
    const id = yield* run()
    const locators = yield* Stream.runCollect(QueryJob.resultPages(id))
    const texts = yield* Effect.forEach(locators, (locator) =>
      Effect.scoped(Effect.flatMap(QueryJob.page(id, { locator, isLinked: true }), textOf))
    )
    assert.strictEqual(locators.length, 8)
    assert.sameMembers(texts.flatMap(keysOf), allKeys(23))
  }).pipe(virtually)
  const renaming = (change: (text: string) => string): Tamper =>
    replacing(
      /\/resultpages$/i,
      (text) => new Response(change(text), { headers: { "content-type": "application/json" } })
    )
  const withPages = (tamper?: Tamper) => Effect.provide(inProcess({ pageSize: 3, ...(tamper && { tamper }) }))

  it.effect("gives where all pages begin", () => withPages()(linked))

  it.effect("reads the other spelling of the guide, and URLs that are not what they should be", () =>
    linked.pipe(withPages(renaming((text) => text.replaceAll("nextRecordsUrl", "nextRecordUrl"))))
  )

  it.effect("takes nothing but the locator out of URLs", () =>
    linked.pipe(
      withPages(renaming((text) => text.replaceAll(/"[^"]*\?locator=/g, '"/jobs/ingest/resultpages?x=1&locator=')))
    )
  )

  it.effect("fails on a list that is not done and does not go on", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(linked)
      assert.deepInclude(error.reason, { _tag: "UnexpectedResponse" })
      assert.match(error.message, /does not say where it goes on/)
    }).pipe(withPages(renaming((text) => text.replace("nextRecordsUrl", "next"))))
  )

  it.effect("fails on a list that leads to itself", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(linked)
      assert.match(error.message, /does not say where it goes on/)
    }).pipe(withPages(renaming((text) => text.replace(/("nextRecordsUrl":"[^"]*locator=)[^"]*/, "$1MA"))))
  )

  it.effect("keeps a plus in a locator, and sends it as one", () =>
    Effect.gen(function* () {
      const asked: Array<unknown> = []
      const connection = Connection.of({
        json: ({ query }: { readonly query: unknown }) => {
          asked.push(query)
          const done = asked.length === 2
          return Effect.succeed({
            done,
            resultPages: [{ resultUrl: "r?locator=a%2Fb+c==" }],
            nextRecordsUrl: "n?locator=d+e%3D"
          })
        }
      } as never)
      const locators = yield* Stream.runCollect(QueryJob.resultPages("750A")).pipe(
        Effect.provide(Layer.succeed(Connection, connection))
      )
      assert.deepStrictEqual(locators, ["a/b+c==", "a/b+c=="])
      assert.deepStrictEqual(asked, [{ locator: undefined }, { locator: "d+e=" }])
    })
  )
})
