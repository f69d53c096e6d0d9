// The ingest operations one by one, over sockets, with faults of the org.
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Schedule, Schema, Stream } from "effect"
import { BulkError } from "../../src/BulkError.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import * as IngestJob from "../../src/job/IngestJob.ts"
import * as Job from "../../src/job/Job.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import { overSocket, Requests, replacing } from "../support/orgs.ts"

const poll = { first: "5 millis", cap: "20 millis" } as const
const retry = Schedule.spaced("5 millis").pipe(Schedule.upTo({ times: 5 }))
const orgWith = (...faults: ReadonlyArray<Faults.Fault>) =>
  Effect.provide(overSocket({ faults, listSize: 2, connection: { retry, idleTimeout: "2 seconds" } }))
const stored = Effect.flatMap(EmbeddedOrg.EmbeddedOrg, (org) => org.records("Widget__c"))
const sent = (name: string) => Effect.map(Requests, (names) => names.filter((each) => each === name).length)

const insert = { object: "Widget__c", operation: "insert" } as const
const upload = (id: string, csv: string) => IngestJob.upload(id, Stream.encodeText(Stream.make(csv)))

/** A job that some other process submitted. */
const submitted = Effect.fnUntraced(function* (csv: string, options: Partial<IngestJob.CreateOptions> = {}) {
  const { id } = yield* IngestJob.create({ ...insert, ...options })
  yield* upload(id, csv)
  yield* IngestJob.close(id)
  return id
})

describe("IngestJob", () => {
  it.live("tells all that Salesforce says of a job", () =>
    Effect.gen(function* () {
      const id = yield* submitted("Name;Key__c\r\nx;1\r\ny;1\r\n", { columnDelimiter: "SEMICOLON", lineEnding: "CRLF" })
      const job = yield* IngestJob.awaitDone(id, { poll })
      assert.deepInclude(job, {
        id,
        operation: "insert",
        object: "Widget__c",
        state: "JobComplete",
        concurrencyMode: "Parallel",
        contentType: "CSV",
        jobType: "V2Ingest",
        columnDelimiter: "SEMICOLON",
        lineEnding: "CRLF",
        numberRecordsProcessed: 2,
        numberRecordsFailed: 1
      })
      const now = DateTime.toEpochMillis(yield* DateTime.now)
      assert.closeTo(job.createdDate === undefined ? 0 : DateTime.toEpochMillis(job.createdDate), now, 60_000)
      assert.match(job.createdById ?? "", /^005/)
    }).pipe(orgWith())
  )

  it("reads dates as Salesforce writes them", () => {
    const read = Schema.decodeUnknownSync(Job.Timestamp)
    for (const text of ["2026-11-23T20:41:12.000+0000", "2026-11-23T20:41:12.000Z", "2026-11-23T21:41:12.000+01:00"]) {
      assert.strictEqual(DateTime.formatIso(read(text)), "2026-11-23T20:41:12.000Z")
    }
    assert.strictEqual(
      Schema.encodeSync(Job.Timestamp)(read("2026-11-23T20:41:12.000+0000")),
      "2026-11-23T20:41:12.000+0000"
    )
  })

  it.live("lists all jobs, page by page as they are taken", () =>
    Effect.gen(function* () {
      const ids = yield* Effect.forEach([1, 2, 3, 4, 5], () => Effect.map(IngestJob.create(insert), ({ id }) => id))
      assert.sameMembers(
        (yield* Stream.runCollect(IngestJob.list)).map(({ id }) => id),
        ids
      )
      assert.strictEqual(yield* sent("GET /jobs/ingest"), 3)
      yield* IngestJob.list.pipe(Stream.take(1), Stream.runDrain)
      assert.strictEqual(yield* sent("GET /jobs/ingest"), 4)
    }).pipe(orgWith())
  )

  it.live("removes a job with its results, whether it is still there or not", () =>
    Effect.gen(function* () {
      const id = yield* submitted("Name\nx\n")
      yield* IngestJob.awaitDone(id, { poll })
      yield* IngestJob.remove(id)
      yield* IngestJob.remove(id)
      assert.isTrue((yield* Effect.flip(IngestJob.get(id))).isNotFound)
      const results = yield* Effect.flip(Stream.runDrain(IngestJob.results(id, "failedResults")))
      assert.deepInclude(results.reason, { _tag: "ResultsExpired", jobId: id })
    }).pipe(orgWith(Faults.on("ingestJob", Faults.cutAfter, { nth: 2 })))
  )

  it.live("takes no more bytes than a job may carry", () =>
    Effect.gen(function* () {
      const { id } = yield* IngestJob.create(insert)
      const block = new Uint8Array(1_000_000)
      const endless = Stream.make(block).pipe(Stream.forever)
      const error = yield* Effect.flip(IngestJob.upload(id, endless))
      assert.deepInclude(error.reason, { _tag: "UploadTooLarge", jobId: id, limit: 100_000_000 })
    }).pipe(orgWith())
  )
})

describe("IngestJob.scoped", () => {
  it.live("aborts a job that is left Open, and no other", () =>
    Effect.gen(function* () {
      const left = yield* Effect.scoped(IngestJob.scoped(insert))
      const closed = yield* Effect.scoped(
        Effect.tap(IngestJob.scoped(insert), ({ id }) => Effect.andThen(upload(id, "Name\nx\n"), IngestJob.close(id)))
      )
      assert.strictEqual((yield* IngestJob.get(left.id)).state, "Aborted")
      assert.strictEqual((yield* IngestJob.awaitDone(closed.id, { poll })).state, "JobComplete")
    }).pipe(orgWith())
  )
})

describe("IngestJob.scoped, where the job cannot be aborted", () => {
  it.live("leaves it open, and does not fail what was done", () =>
    Effect.gen(function* () {
      const { id } = yield* Effect.scoped(IngestJob.scoped(insert))
      assert.strictEqual((yield* IngestJob.get(id)).state, "Open")
      assert.strictEqual(yield* sent("PATCH /jobs/ingest/ID"), 1)
    }).pipe(orgWith(Faults.on("changeIngestJob", Faults.respond(403))))
  )
})

describe("IngestJob.submitSmall", () => {
  const small = IngestJob.submitSmall({ ...insert, csv: 'Name,Note__c\nx,"--effect-salesforce-bulk\ny"\n' })

  it.live("creates and submits a job by one request", () =>
    Effect.gen(function* () {
      const { id, state } = yield* small
      assert.strictEqual(state, "UploadComplete")
      assert.strictEqual((yield* IngestJob.awaitDone(id, { poll })).state, "JobComplete")
      assert.deepStrictEqual(
        (yield* stored).map(({ Name, Note__c }) => [Name, Note__c]),
        [["x", "--effect-salesforce-bulk\ny"]]
      )
      assert.strictEqual(yield* sent("POST /jobs/ingest"), 1)
    }).pipe(orgWith())
  )

  it.live("frames the CSV by what is no line of it", () =>
    Effect.gen(function* () {
      const note = "a\r\n--effect-salesforce-bulk--\r\nb"
      const { id } = yield* IngestJob.submitSmall({
        ...insert,
        lineEnding: "CRLF",
        csv: `Name,Note__c\r\nx,"${note}"\r\n`
      })
      yield* IngestJob.awaitDone(id, { poll })
      assert.deepStrictEqual(
        (yield* stored).map(({ Name, Note__c }) => [Name, Note__c]),
        [["x", note.replaceAll("\r\n", "\n")]]
      )
    }).pipe(orgWith())
  )

  for (const [what, effect, count] of [
    ["its answer is lost", Faults.cutAfter, 1],
    ["the connection is cut before it arrives", Faults.cutBefore, 0],
    ["it is answered 503", Faults.respond(503), 0],
    ["its answer is cut off", Faults.cutResponse(10), 1]
  ] as const) {
    it.live(`is sent once, and CommitUnknown, when ${what}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(small)
        assert.deepInclude(error.reason, { _tag: "CommitUnknown", jobId: undefined })
        assert.strictEqual(yield* sent("POST /jobs/ingest"), 1)
        assert.strictEqual((yield* Stream.runCollect(IngestJob.list)).length, count)
      }).pipe(orgWith(Faults.on("createIngestJob", effect)))
    )
  }

  it.live("is a plain failure when the org refuses it", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(IngestJob.submitSmall({ ...insert, object: "Nothing__c", csv: "Name\nx\n" }))
      assert.deepInclude(error.reason, { _tag: "ApiError", status: 400 })
    }).pipe(orgWith())
  )

  it.live("takes no more than goes with one request", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(IngestJob.submitSmall({ ...insert, csv: "x".repeat(100_001) }))
      assert.strictEqual(error.reason._tag, "InvalidOptions")
      assert.deepStrictEqual(yield* Requests, [])
    }).pipe(orgWith())
  )
})

describe("Ingest.resume", () => {
  const csv = "Name|Key__c|Grade__c\nx|1|A\ny|2|Z\nz|3|B\n"
  const job = submitted(csv, { columnDelimiter: "PIPE" })

  it.live("gives the outcomes of a job that another process submitted", () =>
    Effect.gen(function* () {
      const outcomes = yield* Stream.runCollect(Ingest.resume(yield* job, { poll }))
      assert.deepStrictEqual(
        outcomes.map((outcome) => [
          outcome._tag,
          outcome._tag === "Succeeded" ? outcome.row.Name : outcome.record.Name
        ]),
        [
          ["Failed", "y"],
          ["Succeeded", "x"],
          ["Succeeded", "z"]
        ]
      )
    }).pipe(orgWith(Faults.on(["failedResults", "successfulResults"], Faults.cutResponse(30), { nth: 1 })))
  )

  it.live("reads results whatever ends their lines", () =>
    Effect.gen(function* () {
      const csv = 'Name\tNote__c\r\nx\t"one\r\ntwo"\r\n'
      const id = yield* submitted(csv, { columnDelimiter: "TAB", lineEnding: "CRLF" })
      const outcomes = yield* Stream.runCollect(Ingest.resume(id, { poll }))
      assert.deepStrictEqual(
        outcomes.map((outcome) => (outcome._tag === "Succeeded" ? [outcome.row.Name, outcome.row.Note__c] : [])),
        [["x", "one\ntwo"]]
      )
    }).pipe(orgWith())
  )

  it.live("takes the results of a job that does not say how they are written for commas", () =>
    Effect.gen(function* () {
      const id = yield* submitted("Name\nx\n", {})
      const [outcome] = yield* Stream.runCollect(Ingest.resume(id, { poll }))
      assert.strictEqual(outcome?._tag === "Succeeded" ? outcome.row.Name : "", "x")
    }).pipe(
      Effect.provide(
        overSocket({
          tamper: replacing(/^GET \/jobs\/ingest\/ID$/, (text) => {
            const { columnDelimiter, lineEnding, ...job } = JSON.parse(text)
            return Response.json(job)
          })
        })
      )
    )
  )

  it.live("counts the successes alone, if it is told to", () =>
    Effect.gen(function* () {
      const done: Array<number> = []
      const outcomes = yield* Ingest.resume(yield* job, {
        poll,
        outcomes: "failures",
        progress: (event) => Effect.sync(() => void (event._tag === "JobDone" && done.push(event.succeeded)))
      }).pipe(Stream.runCollect)
      assert.deepStrictEqual([outcomes.map(({ _tag }) => _tag), done], [["Failed"], [2]])
      assert.strictEqual(yield* sent("GET /jobs/ingest/ID/successfulResults"), 0)
    }).pipe(orgWith())
  )

  it.live("gives what a failed job left, and fails", () =>
    Effect.gen(function* () {
      const tags: Array<string> = []
      const error = yield* Ingest.resume(yield* job, { poll }).pipe(
        Stream.runForEach(({ _tag }) => Effect.sync(() => tags.push(_tag))),
        Effect.flip
      )
      assert.deepStrictEqual(tags, ["Unprocessed", "Unprocessed", "Unprocessed"])
      assert.strictEqual(error.reason._tag, "JobFailed")
    }).pipe(orgWith(Faults.onJob(Faults.fail())))
  )

  it.live("says that the results are gone, or that there will be none", () =>
    Effect.gen(function* () {
      const id = yield* job
      yield* IngestJob.awaitDone(id, { poll })
      yield* Stream.runDrain(Ingest.resume(id, { poll }))
      yield* IngestJob.remove(id)
      const gone = yield* Effect.flip(Stream.runDrain(Ingest.resume(id, { poll })))
      assert.isTrue(gone instanceof BulkError && gone.isNotFound)
      const open = yield* IngestJob.create(insert)
      const error = yield* Effect.flip(Stream.runDrain(Ingest.resume(open.id, { poll })))
      assert.strictEqual(error.reason._tag, "InvalidOptions")
    }).pipe(orgWith())
  )
})
