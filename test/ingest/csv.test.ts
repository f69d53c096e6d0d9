// CSV that is CSV already: its bytes as they are. Over sockets.
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Exit, Layer, Schedule, Stream } from "effect"
import { BulkError } from "../../src/BulkError.ts"
import * as Ingest from "../../src/ingest/Ingest.ts"
import type { CsvRow, Outcome } from "../../src/ingest/Outcome.ts"
import * as Spool from "../../src/ingest/Spool.ts"
import * as IngestJob from "../../src/job/IngestJob.ts"
import { layerFileSpool } from "../../src/node.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import { overSocket, Requests } from "../support/orgs.ts"

const poll = { first: "5 millis", cap: "20 millis" } as const
const retry = Schedule.spaced("5 millis").pipe(Schedule.upTo({ times: 5 }))
const orgWith = (...faults: ReadonlyArray<Faults.Fault>) =>
  Effect.provide(overSocket({ faults, connection: { retry, idleTimeout: "2 seconds" } }))
const stored = Effect.flatMap(EmbeddedOrg.EmbeddedOrg, (org) => org.records("Widget__c"))
const states = Effect.map(Stream.runCollect(IngestJob.list), (jobs) => jobs.map(({ state }) => state).toSorted())

const upsert = (options: Partial<Ingest.CsvOptions> = {}) =>
  Ingest.csv({ object: "Widget__c", operation: "upsert", externalId: "Key__c", poll, ...options } as Ingest.CsvOptions)

/** Bytes that come a few at a time, cut anywhere. */
const arriving = (text: string | Uint8Array, step = 11) => {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text
  return Stream.fromIterable(
    Array.from({ length: Math.ceil(bytes.length / step) }, (_, i) => bytes.subarray(i * step, (i + 1) * step))
  )
}

const settle = Effect.fnUntraced(function* <E, R>(outcomes: Stream.Stream<Outcome<CsvRow>, E, R>) {
  const all: Array<Outcome<CsvRow>> = []
  const exit = yield* Effect.exit(Stream.runForEach(outcomes, (outcome) => Effect.sync(() => all.push(outcome))))
  return {
    all,
    failed: all.flatMap((outcome) => (outcome._tag === "Failed" ? [outcome] : [])),
    succeeded: all.flatMap((outcome) => (outcome._tag === "Succeeded" ? [outcome] : [])),
    error: Exit.findErrorOption(exit)
  }
})

const reasonOf = (error: { readonly _tag: string; readonly value?: unknown }) =>
  error.value instanceof BulkError ? error.value.reason : undefined

class Broken extends Data.TaggedError("Broken") {}

describe("Ingest.csv", () => {
  for (const newline of ["\n", "\r\n"]) {
    it.live(
      `gives rows of one empty cell as failed, which would count as blank lines: ${JSON.stringify(newline)}`,
      () =>
        Effect.gen(function* () {
          const text = ["Name", "a", '""', "", '"x\n""\n"', "b", '""', ""].join("\n").replaceAll("\n", newline)
          const insert = Ingest.csv({ object: "Widget__c", operation: "insert", poll, partRows: 2 })
          const { error, failed, succeeded } = yield* settle(arriving(text).pipe(insert))
          assert.deepStrictEqual(
            failed.map(({ error, origin, record }) => [origin, error.fields, record]),
            [
              ["client", ["Name"], { Name: "" }],
              ["client", ["Name"], { Name: "" }]
            ]
          )
          assert.deepStrictEqual([succeeded.length, error._tag], [3, "None"])
        }).pipe(orgWith())
    )
  }

  for (const [what, text] of Object.entries({
    "commas and line feeds": 'Key__c,Name,Note__c\nA,"x, ""y""",\nB,z,"two\nlines"\n',
    "semicolons, CRLF and no end of the last line": 'Key__c;Name;Note__c\r\nA;"x, ""y""";\r\nB;z;"two\r\nlines"',
    "a BOM, tabs and blank lines": '\ufeffKey__c\tName\tNote__c\n\nA\t"x, ""y"""\t\n\nB\tz\t"two\nlines"\n'
  })) {
    it.live(`takes ${what}, as the file has them`, () =>
      Effect.gen(function* () {
        const { error, succeeded } = yield* settle(arriving(text).pipe(upsert()))
        assert.strictEqual(error._tag, "None")
        assert.deepStrictEqual(succeeded.map(({ row }) => row.Key__c).toSorted(), ["A", "B"])
        assert.deepStrictEqual(
          (yield* stored)
            .map(({ Key__c, Name, Note__c }) => [Key__c, Name, String(Note__c).replace("\r", "")])
            .toSorted(),
          [
            ["A", 'x, "y"', "null"],
            ["B", "z", "two\nlines"]
          ]
        )
      }).pipe(orgWith())
    )
  }

  it.live("knows a key whose line break is another in what comes back", () =>
    Effect.gen(function* () {
      const text = ["Key__c,Name", 'A,"x\ny"', '"B\nC",z', ""].join("\n").replaceAll("\n", "\r\n")
      const { error, succeeded } = yield* settle(arriving(text).pipe(upsert({ lineEnding: "CRLF" })))
      assert.deepStrictEqual([error._tag, succeeded.length], ["None", 2])
    }).pipe(orgWith())
  )

  const rows = (count: number, of = (i: number) => `K-${i},"Name, ${i}"`) =>
    `Key__c,Name\n${Array.from({ length: count }, (_, i) => `${of(i)}\n`).join("")}`

  for (const [spoolName, spool] of [
    ["in memory", Layer.empty],
    ["in files", layerFileSpool()]
  ] as const) {
    it.live(
      `becomes as many jobs as it takes, each with the header, and repeats what breaks, with a spool ${spoolName}`,
      () =>
        Effect.gen(function* () {
          const { error, succeeded } = yield* settle(arriving(rows(100), 100).pipe(upsert({ partRows: 30 })))
          assert.strictEqual(error._tag, "None")
          assert.deepStrictEqual([succeeded.length, (yield* stored).length], [100, 100])
          assert.deepStrictEqual(yield* states, ["Aborted", "JobComplete", "JobComplete", "JobComplete", "JobComplete"])
        }).pipe(orgWith(Faults.on("upload", Faults.cutRequest(300), { nth: 2 })), Effect.provide(spool))
    )

    it.live(`gives refused rows as they were sent, with a spool ${spoolName}`, () =>
      Effect.gen(function* () {
        const text = 'Key__c,Grade__c,Count__c,Name\nA,A,1.50,a\nB,Z,2.50,"b\n""b"""\nC,Z,03,c\n,A,1,none\n,,,\n'
        const { failed, succeeded } = yield* settle(arriving(text).pipe(upsert()))
        assert.strictEqual(succeeded.length, 1)
        assert.sameDeepMembers(
          failed.map(({ origin, record }) => [origin, record]),
          [
            ["client", { Key__c: "", Grade__c: "A", Count__c: "1", Name: "none" }],
            ["client", { Key__c: "", Grade__c: "", Count__c: "", Name: "" }],
            ["org", { Key__c: "B", Grade__c: "Z", Count__c: "2.50", Name: 'b\n"b"' }],
            ["org", { Key__c: "C", Grade__c: "Z", Count__c: "03", Name: "c" }]
          ]
        )
      }).pipe(orgWith(), Effect.provide(spool))
    )

    for (const [duplicates, name] of [
      ["first", "one"],
      ["last", "three"]
    ] as const) {
      it.live(`sends the ${duplicates} row of a key, if asked for, with a spool ${spoolName}`, () =>
        Effect.gen(function* () {
          const text = "KEY__C,Name\nA,one\nB,b\nA,two\nA,three\n"
          const { failed, succeeded } = yield* settle(arriving(text).pipe(upsert({ duplicates })))
          assert.deepStrictEqual([succeeded.length, failed.length], [2, 2])
          assert.isTrue(failed.every(({ error, record }) => error.code === "DUPLICATE_KEY" && record.KEY__C === "A"))
          assert.deepStrictEqual(
            (yield* stored).flatMap((record) => (record.Key__c === "A" ? [record.Name] : [])),
            [name]
          )
        }).pipe(orgWith(), Effect.provide(spool))
      )
    }
  }

  it.live("sends rows again that met a lock", () =>
    Effect.gen(function* () {
      const { all, succeeded } = yield* settle(arriving(rows(20), 100).pipe(upsert({ retryRows: Schedule.recurs(2) })))
      assert.deepStrictEqual([all.length, succeeded.length, (yield* stored).length], [20, 20, 20])
    }).pipe(orgWith(Faults.onJob(Faults.lockRows({ rows: 3 }), { times: 1 })))
  )

  it.live("keeps parts below their bytes, and leaves out a row that alone is more", () =>
    Effect.gen(function* () {
      const text = rows(60, (i) => (i === 20 ? `K-20,"${"x".repeat(400)}"` : `K-${i},n`))
      const sent: Array<number> = []
      const { failed, succeeded } = yield* settle(
        arriving(text, 100).pipe(
          upsert({
            partBytes: 300,
            progress: (event) => Effect.sync(() => void (event._tag === "Submitted" && sent.push(event.bytes)))
          })
        )
      )
      assert.deepStrictEqual([succeeded.length, failed.length], [59, 1])
      assert.strictEqual(failed[0]?.record.Name?.length, 400)
      assert.isTrue(sent.length > 1 && sent.every((bytes) => bytes <= 300))
    }).pipe(orgWith())
  )

  it.live("makes no job of rows that cannot be told apart, and gives each of them", () =>
    Effect.gen(function* () {
      const { error, failed, all } = yield* settle(arriving("Key__c,Name\n,a\n ,b\n").pipe(upsert()))
      assert.strictEqual(error._tag, "None")
      assert.deepStrictEqual(
        failed.map(({ error, record }) => [error.fields, record.Name]),
        [
          [["Key__c"], "a"],
          [["Key__c"], "b"]
        ]
      )
      assert.strictEqual(all.length, 2)
      // nor of one that alone is more than a part may have
      const long = yield* settle(arriving(`Key__c,Name\nA,${"x".repeat(400)}\n`).pipe(upsert({ partBytes: 300 })))
      assert.deepStrictEqual([long.all.length, long.failed[0]?.record.Key__c, long.error._tag], [1, "A", "None"])
      assert.notInclude(yield* Requests, "POST /jobs/ingest")
    }).pipe(orgWith())
  )

  it.live("loads large files, of whose blocks one may have no row to be sent", () =>
    Effect.gen(function* () {
      // the second 64 KiB have no keys
      const text = rows(3_000, (i) => `${i >= 500 && i < 2_000 ? "" : `K-${i}`},"${"x".repeat(80)}"`)
      const { error, failed, succeeded } = yield* settle(arriving(text, 20_000).pipe(upsert()))
      assert.strictEqual(error._tag, "None")
      assert.deepStrictEqual([failed.length, succeeded.length, (yield* stored).length], [1_500, 1_500, 1_500])
      assert.deepStrictEqual(yield* states, ["JobComplete"])
    }).pipe(orgWith())
  )

  it.live("fails with the line of a broken record, before its part is submitted", () =>
    Effect.gen(function* () {
      const text = `${rows(25)}K-x,too,many\n`
      const { error, succeeded } = yield* settle(arriving(text).pipe(upsert({ partRows: 10 })))
      assert.deepInclude(reasonOf(error), { _tag: "InvalidCsv", line: 27 })
      // what the cutter gave before it was two whole parts at most
      assert.strictEqual(succeeded.length, (yield* stored).length)
      assert.isAtMost(succeeded.length, 20)
    }).pipe(orgWith())
  )

  it.live("fails without the key's column, with nothing sent", () =>
    Effect.gen(function* () {
      const { error } = yield* settle(arriving("Name\nx\n").pipe(upsert()))
      assert.strictEqual(reasonOf(error)?._tag, "InvalidCsv")
      assert.deepStrictEqual(yield* Requests, [])
    }).pipe(orgWith())
  )

  it.live("fails for a blank around a column's name, with nothing sent", () =>
    Effect.gen(function* () {
      const { error } = yield* settle(arriving("Key__c, Name\nK-1,x\n").pipe(upsert()))
      assert.match(String(error), /the CSV cannot be loaded: line 1: .*blank around the name " Name"/)
      assert.deepStrictEqual(yield* Requests, [])
    }).pipe(orgWith())
  )

  it.live("gives the source's own error", () =>
    Effect.gen(function* () {
      const { error } = yield* settle(Stream.concat(arriving(rows(5)), Stream.fail(new Broken())).pipe(upsert()))
      assert.isTrue(error._tag === "Some" && error.value instanceof Broken)
      assert.deepStrictEqual(yield* stored, [])
    }).pipe(orgWith())
  )

  it.live("gives refused rows with a spool that keeps records, of which a file has none", () =>
    Effect.gen(function* () {
      const { failed } = yield* settle(
        arriving("Key__c,Name,Grade__c\nA,x,\nB,y,Z\n").pipe(upsert({ spool: Spool.memory({ keepsRecords: true }) }))
      )
      assert.deepStrictEqual(
        failed.map(({ record }) => record),
        [{ Key__c: "B", Name: "y", Grade__c: "Z" }]
      )
    }).pipe(Effect.provide(overSocket()))
  )

  it.live(
    "gives rows with an empty key as failed, however many they are, in the time that it takes to read them",
    () =>
      Effect.gen(function* () {
        // some 20,000 rows a block: who looks at all of it for each of them looks at each byte 20,000 times
        const text = `Key__c,Name\n${",x\n".repeat(400_000)},"last\none"\n`
        const last = yield* arriving(text, 65_536).pipe(
          upsert(),
          Stream.runFold(
            () => ({ count: 0, outcome: undefined as Outcome<CsvRow> | undefined }),
            ({ count }, outcome) => ({ count: count + 1, outcome })
          )
        )
        assert.strictEqual(last.count, 400_001)
        assert.deepInclude(last.outcome, { _tag: "Failed", origin: "client" })
        assert.deepInclude(last.outcome, { record: { Key__c: "", Name: "last\none" } })
        assert.deepStrictEqual(yield* Requests, [])
      }).pipe(orgWith()),
    10_000
  )

  it.live("is folded to numbers by runCsv, which tells its progress too", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const summary = yield* arriving("Key__c,Name,Grade__c\nA,x,\nB,y,Z\nC,z,\n").pipe(
        Ingest.runCsv({
          object: "Widget__c",
          operation: "upsert",
          externalId: "Key__c",
          poll,
          progress: ({ _tag }) => Effect.sync(() => void seen.push(_tag))
        })
      )
      assert.deepInclude(summary, { succeeded: 2, created: 2, failed: 1, unprocessed: 0 })
      assert.deepStrictEqual(summary.failures, [{ code: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", count: 1 }])
      assert.strictEqual(summary.jobs.length, 1)
      assert.includeMembers(seen, ["JobCreated", "Submitted", "JobDone"])
    }).pipe(Effect.provide(overSocket()))
  )

  it.live("without a key gives the rows as the org echoes them", () =>
    Effect.gen(function* () {
      const { failed, succeeded } = yield* settle(
        arriving("Name,Grade__c,Count__c\na,A,1.5\nb,Z,2\n").pipe(
          Ingest.csv({ object: "Widget__c", operation: "insert", poll })
        )
      )
      assert.deepStrictEqual(
        [succeeded.map(({ row }) => row.Name), failed.map(({ record }) => record.Name)],
        [["a"], ["b"]]
      )
    }).pipe(orgWith())
  )
})
