import { readFileSync } from "node:fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Stream } from "effect"
import { chart } from "../../examples/03-segment/chart.ts"
import { contacts } from "../../examples/03-segment/contacts.ts"
import { segmentsIn, table } from "../../examples/03-segment/segments.ts"
import { duckDb, literal, toParquet } from "../../examples/03-segment/warehouse.ts"
import { runExample } from "./run.ts"

/** Three processes start. */
const timeout = 120_000

const folderFor = (name: string) =>
  FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped({ prefix: name })).pipe(
    Effect.provide(NodeServices.layer)
  )

const history = {
  Name: "VARCHAR",
  Region__c: "VARCHAR",
  Industry__c: "VARCHAR",
  Emails_Opened__c: "DOUBLE",
  Links_Clicked__c: "DOUBLE",
  Site_Visits__c: "DOUBLE",
  Events_Attended__c: "DOUBLE",
  Last_Engaged__c: "DATE"
} as const

/** CSV as a query gives it, in a folder as Parquet. */
const stored = (rows: ReadonlyArray<ReadonlyArray<string>>, pieceBytes: number) =>
  Effect.gen(function* () {
    const db = yield* duckDb
    const folder = yield* folderFor("stored")
    const csv = [Object.keys(history), ...rows].map(
      (row) => `${row.map((cell) => `"${cell.replaceAll('"', '""')}"`)}\n`
    )
    const count = yield* Stream.fromIterable(csv).pipe(
      Stream.encodeText,
      toParquet({ duckDb: db, folder, columns: history, pieceBytes }),
      Effect.provide(NodeServices.layer)
    )
    return { count, db, folder }
  })

describe("03-segment", () => {
  it.live(
    "takes contacts by one query job to Parquet, whole, and to segments, a table and a chart",
    () =>
      Effect.gen(function* () {
        const out = yield* folderFor("segments")
        const { code, stderr, stdout } = yield* runExample("03", ["--rows", "3000"], { env: { OUT: out } })
        assert.strictEqual(code, 0, stderr)
        assert.match(stdout, /^filled the org with 3,000 contacts in [\d.]+ s, [\d,]+ a second; peak memory \d+ MiB$/m)
        assert.match(stdout, /^one query job became 3,000 rows of Parquet in [\d.]+ s, [\d,]+ a second; peak memory/m)
        assert.match(stdout, /^contacts: 3,000 in the job, 3,000 in Parquet, 3,000 in segments; peak memory \d+ MiB$/m)
        assert.match(stdout, /^EMEA +Retail +\d+ +\d+\.\d +\d+ % +\d+ % +\d+ % +\d+ %$/m)
        const db = yield* duckDb
        const inParquet = yield* db(
          `SELECT Email, FirstName, LastName, Events_Attended__c, strftime(Last_Engaged__c, '%Y-%m-%d') AS Last_Engaged__c
           FROM read_parquet(${literal(`${out}/contacts/*.parquet`)}) ORDER BY Email`
        )
        const made = yield* Stream.runCollect(contacts(3_000))
        assert.deepStrictEqual(
          inParquet,
          made
            .map(({ Email, Events_Attended__c, FirstName, Last_Engaged__c, LastName }) => ({
              Email,
              FirstName,
              LastName,
              Events_Attended__c,
              Last_Engaged__c
            }))
            .toSorted((a, b) => (a.Email < b.Email ? -1 : 1))
        )
        const segments = yield* segmentsIn(db, `${out}/contacts`)
        assert.include(stdout, table(segments))
        assert.strictEqual(readFileSync(`${out}/segments.svg`, "utf8"), chart(segments))
      }).pipe(Effect.scoped),
    timeout
  )

  it.live(
    "aborts its jobs when it is interrupted, and says so",
    () =>
      Effect.gen(function* () {
        let interrupted = false
        const { code, stderr, stdout } = yield* runExample("03", ["--rows", "900000"], {
          onOutput: ({ stderr }, example) => {
            if (interrupted || !/^contacts: /m.test(stderr)) return
            interrupted = true
            example.kill("SIGINT")
          }
        })
        assert.strictEqual(code, 130, stderr)
        assert.match(stderr, /^Interrupted: the jobs that were not done are aborted\.$/m)
        assert.notMatch(stdout, /in segments/)
      }),
    timeout
  )

  it.live("cuts a CSV between records only, whatever is in them", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 6_000 }, (_, n) => [
        `Ms. "${n}",\n名字 ${"x".repeat(n % 40)}`,
        n % 3 === 0 ? "" : "EMEA",
        "R&D",
        `${n}.0`,
        "",
        "1.0",
        "0.0",
        n % 5 === 0 ? "" : "2025-06-30"
      ])
      const { count, db, folder } = yield* stored(rows, 1)
      assert.strictEqual(count, 6_000)
      const files = yield* db(`SELECT DISTINCT filename FROM read_parquet(${literal(`${folder}/*`)}, filename = true)`)
      assert.isAbove(files.length, 3)
      const read = yield* db(
        `SELECT Name, Region__c, Emails_Opened__c FROM read_parquet(${literal(`${folder}/*`)}) ORDER BY Emails_Opened__c`
      )
      assert.deepStrictEqual(
        read,
        rows.map(([Name = "", Region__c], n) => ({ Name, Region__c: Region__c || null, Emails_Opened__c: n }))
      )
    }).pipe(Effect.scoped)
  )

  it.live("scores what contacts did, and less of what was long ago", () =>
    Effect.gen(function* () {
      const contact = (region: string, opened: number, clicked: number, events: number, day: string) => [
        "x",
        region,
        "Energy",
        ...[opened, clicked, 0, events].map((n) => `${n}.0`),
        day
      ]
      const { db, folder } = yield* stored(
        [
          contact("APAC", 10, 5, 1, "2025-12-31"), // 30
          contact("APAC", 10, 5, 1, "2024-12-31"), // 21, of last year
          contact("APAC", 10, 5, 1, "2010-01-01"), // 9
          contact("APAC", 50, 20, 9, "2025-12-01"), // 100 at most
          contact("EMEA", 0, 20, 0, "") // 12: nobody knows when
        ],
        1_000_000
      )
      const energy = { industry: "Energy", warm: 0, hot: 0, devoted: 0 }
      assert.deepStrictEqual(yield* segmentsIn(db, folder), [
        { ...energy, region: "APAC", contacts: 4, score: 40, cold: 1, warm: 2, devoted: 1 },
        { ...energy, region: "EMEA", contacts: 1, score: 12, cold: 1 }
      ])
    }).pipe(Effect.scoped)
  )

  it("draws each segment as bars that follow one another, to one scale, and writes names as text", () => {
    const segment = { contacts: 100, score: 31.25, cold: 40, warm: 30, hot: 20, devoted: 10 }
    const svg = chart([
      { ...segment, region: "EMEA", industry: "R&D <b>" },
      { ...segment, region: "APAC", industry: "Energy", contacts: 50, cold: 0, devoted: 0 }
    ])
    const bars = Array.from(svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="20.0"/g), (match) =>
      match.slice(1).map(Number)
    )
    assert.strictEqual(bars.length, 8)
    const widths = bars.map(([, , width]) => width)
    assert.deepStrictEqual(widths, [244, 183, 122, 61, 0, 183, 122, 0])
    assert.deepStrictEqual(
      bars.slice(0, 4).map(([x]) => x),
      [130, 374, 557, 679]
    )
    assert.include(svg, ">R&amp;D &lt;b&gt;<")
    assert.notInclude(svg, "<b>")
    assert.include(svg, ">31.3<")
  })
})
