// What a plan looks at: the rows of a load, written many at a time, are to be found as good or bad as one by one.
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Result, Schema, Stream } from "effect"
import * as Ingest from "../../src/ingest/Ingest.ts"
import * as Plan from "../../src/ingest/Plan.ts"
import * as Columns from "../../src/ingest/plan/columns.ts"
import { type Fault, Findings } from "../../src/ingest/plan/findings.ts"
import * as Org from "../../src/ingest/plan/org.ts"
import { Parents } from "../../src/ingest/plan/parents.ts"
import { cellsIn } from "../../src/ingest/rows.ts"
import * as Csv from "../../src/record/Csv.ts"
import * as RecordCodec from "../../src/record/RecordCodec.ts"
import { inProcess, virtually } from "../support/orgs.ts"
import { Widget, widgets } from "../support/widgets.ts"

const utf8 = new TextEncoder()

const Odd = Schema.Struct({
  Id: Schema.NullOr(Schema.String),
  Key__c: Schema.NullOr(Schema.String),
  Name: Schema.String,
  Count__c: Schema.NullOr(Schema.Number),
  Active__c: Schema.Boolean,
  Grade__c: Schema.NullOr(Schema.Literals(["A", "b", "C"])),
  Seen__c: Schema.NullOr(Schema.Date),
  Note__c: Schema.optional(Schema.NullOr(Schema.String))
})

/** Among them what is quoted, trimmed, too long, refused by the codec, and not in the schema. */
const texts = [
  "",
  " ",
  "a",
  " b ",
  "\t",
  'say "hi"',
  '"',
  "a,b",
  "a\nb\n",
  "a\r\nb\r",
  "#N/A",
  " #N/A",
  "\ud800",
  "é 東京 🙂"
]
const more = [
  "\ufeffa",
  "x".repeat(90),
  "true",
  "1,5",
  "a02000000000001AAA",
  "A02000000000001aaa",
  "001000000000001AAA"
]

const of = <const A>(values: ReadonlyArray<A>): Arbitrary.Arbitrary<A> =>
  Arbitrary.map(Arbitrary.schema(Schema.Literals(values.map((_, i) => i))), (i) => values[i] as A)

const Text = Schema.Union([Schema.Literals([...texts, ...more]), Schema.String])
const maybeText = Arbitrary.schema(Schema.NullOr(Text))

const records = Arbitrary.all({
  few: Arbitrary.array(
    Arbitrary.all({
      Id: maybeText,
      Key__c: maybeText,
      Name: Arbitrary.schema(Text),
      Count__c: of([null, 0, -0, 1.5, 1e20, 1e-7, Number.NaN, Number.POSITIVE_INFINITY, "1"]),
      Active__c: of([true, false]),
      Grade__c: of([null, "A", "b", "C", "none"]),
      Seen__c: of([null, new Date(0), new Date(1e12), new Date(-1e13), new Date(1e15), new Date(Number.NaN)]),
      Note__c: Arbitrary.schema(Schema.UndefinedOr(Schema.NullOr(Text)))
    }),
    { maxLength: 8 }
  ),
  times: of([1, 2, 60]),
  size: of([1, 3, 250, 1_000]),
  nulls: of(["clear", "ignore"]),
  sample: of([undefined, undefined, 0, 1, 7, 200, 333]),
  operation: of(["upsert", "insert", "update", "delete"])
})

/** The findings of values, one record after the other. */
const judged = (
  columns: ReadonlyArray<Columns.Column>,
  rows: ReadonlyArray<Result.Result<Csv.Row, RecordCodec.Problem>>,
  key: string | undefined
): ReadonlyArray<Plan.Finding> => {
  const found = new Map<string, { fault: Fault; column: string | undefined; samples: Array<Plan.Sample> }>()
  const keys = new Set<string>()
  rows.forEach((row, i) => {
    const find = (fault: Fault | undefined, column: string | undefined, value: string) => {
      if (fault === undefined) return
      const name = `${fault.severity} ${fault.code} ${column}`
      const one = found.get(name) ?? { fault, column, samples: [] }
      found.set(name, one)
      one.samples.push({ record: i + 1, value: value.length > 40 ? `${value.slice(0, 40)}…` : value })
    }
    if (Result.isFailure(row)) {
      const { column, message, value = message } = row.failure
      find(notWritable, column, value)
      return
    }
    columns.forEach(({ blank, check, clear, field, name, written }, at) => {
      const cell = row.success[at]!.trim()
      const isFilled = cell !== "" && cell !== "#N/A"
      find(cell === "" ? blank : isFilled ? written : clear, name, cell)
      if (!isFilled) return
      find(check?.(cell), name, cell)
      if (name !== key) return
      const folded = field?.type === "id" ? cell.slice(0, 15) : cell.toLowerCase()
      if (keys.has(folded)) find(duplicate, name, cell)
      keys.add(folded)
    })
  })
  return Array.from(found.values(), ({ column, fault, samples }) => ({
    ...fault,
    column,
    count: samples.length,
    samples: samples.slice(0, 3)
  }))
}

const notWritable: Fault = {
  severity: "error",
  code: "NOT_WRITABLE",
  message: "does not fit the schema, or no CSV, and is not sent"
}

const duplicate: Fault = {
  severity: "fatal",
  code: "DUPLICATE_KEY",
  message: "a key that came before: the outcomes of both could not be told apart"
}

const severities: ReadonlyArray<Plan.Severity> = ["fatal", "error", "warning", "note"]

const worstFirst = (findings: ReadonlyArray<Plan.Finding>): ReadonlyArray<Plan.Finding> =>
  [...findings].sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity) || b.count - a.count)

describe("the records of a plan", () => {
  it.effect.prop(
    "are found as good or bad as they are one by one, and as large",
    { input: records },
    ({ input: { few, nulls, operation, sample, size, times } }) =>
      Effect.gen(function* () {
        const all = Array.from({ length: times }, () => few).flat() as ReadonlyArray<unknown> as ReadonlyArray<
          typeof Odd.Type
        >
        const arrays = Stream.fromIterable(all).pipe(Stream.rechunk(size))
        const key = operation === "upsert" ? "Key__c" : operation === "insert" ? undefined : "Id"
        const options = { operation, object: "Widget__c", externalId: operation === "upsert" ? "Key__c" : undefined }
        const plan = yield* arrays.pipe(Plan.make({ ...options, schema: Odd, nulls, sample }))

        // of what is deleted only the id matters
        const schema = operation === "delete" ? Schema.Struct({ Id: Odd.fields.Id }) : Odd
        const codec = Result.getOrThrow(RecordCodec.make<RecordCodec.RecordSchema>(schema))
        const rows = all.slice(0, sample).map((record) => codec.encode(record, nulls))
        const org = yield* Org.make
        const object = yield* org.object("Widget__c")
        const ofHeader = new Findings()
        const columns = yield* Columns.resolve(org, { ...options, object: object! }, codec.columns, ofHeader)
        const expected = worstFirst([...ofHeader.all(), ...judged(columns, rows, key)])
        assert.deepStrictEqual(plan.findings, expected)
        assert.deepStrictEqual([plan.read, plan.complete], [rows.length, rows.length === all.length])
        const written = rows.flatMap((row) => (Result.isSuccess(row) ? [row.success] : []))
        const bytes = utf8.encode(Csv.encodeRows(written)).length
        if (plan.complete) assert.strictEqual(plan.estimate.bytes, bytes)
        const isIn = (at: number, ...cells: ReadonlyArray<string>) =>
          written.filter((row) => cells.includes(row[at]!.trim())).length
        assert.deepStrictEqual(
          plan.columns.map(({ blank, cleared, filled }) => [filled, blank, cleared]),
          codec.columns.map((_, at) => [written.length - isIn(at, "", "#N/A"), isIn(at, ""), isIn(at, "#N/A")])
        )
      }).pipe(virtually, Effect.provide(inProcess())),
    { arbitrary: { runs: 60 } }
  )

  it.effect("are as many bytes as a load of them sends", () =>
    Effect.gen(function* () {
      const load = {
        operation: "upsert",
        object: "Widget__c",
        schema: Widget,
        externalId: "Key__c",
        nulls: "clear"
      } as const
      const source = Stream.fromIterable(widgets(450))
      const header = utf8.encode(Csv.encodeRows([Object.keys(Widget.fields)])).length
      const { bytes } = yield* source.pipe(Ingest.run(load))
      assert.strictEqual((yield* source.pipe(Plan.make(load))).estimate.bytes, bytes - header)
      // a file is sent as it is
      const file = Stream.make(utf8.encode('Key__c;Name\r\n"a";"b"\r\n"c";"d;"\r\n'))
      const { duplicates, ...options } = { ...load, duplicates: undefined }
      const sent = yield* file.pipe(Ingest.runCsv(options))
      const plan = yield* file.pipe(Plan.csv(options))
      assert.strictEqual(plan.estimate.bytes, sent.bytes - "Key__c;Name\r\n".length)
      const sampled = yield* file.pipe(Plan.csv({ ...options, sample: 1, total: 1 }))
      assert.strictEqual(sampled.estimate.bytes, '"a";"b"\r\n'.length)
    }).pipe(virtually, Effect.provide(inProcess()))
  )

  it.effect("may have no column that is sent", () =>
    Effect.gen(function* () {
      const schema = Schema.Struct({ Name: Schema.String })
      const names = Stream.make({ Name: "a" }, { Name: "b" })
      const plan = yield* names.pipe(Plan.make({ operation: "delete", object: "Widget__c", schema }))
      assert.deepStrictEqual([plan.read, plan.columns, plan.findings.map(({ code }) => code)], [2, [], ["ID_NEEDED"]])
      // nor has a file any column to send that has those of a reject file alone
      const file = Stream.make(utf8.encode("_hint\na\nb\n"))
      const rejects = yield* file.pipe(Plan.csv({ operation: "delete", object: "Widget__c" }))
      assert.deepStrictEqual([rejects.read, rejects.columns], [0, []])
    }).pipe(virtually, Effect.provide(inProcess()))
  )
})

describe("the cells of rows", () => {
  const cell = Schema.Union([Schema.Literals(["", '"', '""', "\n", ",", ";", "\ufeff"]), Schema.String]).check(
    Schema.makeFilter((text) => text.isWellFormed() && !text.includes("\r"))
  )

  it.prop(
    "are those that were written, in every dialect",
    {
      input: Arbitrary.all({
        rows: Arbitrary.array(Arbitrary.schema(Schema.Tuple([cell, cell, cell])), { maxLength: 5 }),
        width: Arbitrary.schema(Schema.Literals([1, 2, 3])),
        columnDelimiter: Arbitrary.schema(Schema.Literals(["COMMA", "SEMICOLON", "TAB", "PIPE", "CARET", "BACKQUOTE"])),
        lineEnding: Arbitrary.schema(Schema.Literals(["LF", "CRLF"]))
      })
    },
    ({ input: { rows, width, ...dialect } }) => {
      const cells = rows.map((row) => row.slice(0, width))
      assert.deepStrictEqual(cellsIn(utf8.encode(Csv.encodeRows(cells, dialect)), width, dialect), cells)
    }
  )
})

describe("what a plan keeps of the texts of rows", () => {
  setFlagsFromString("--expose-gc")
  const collect: () => void = runInNewContext("gc")
  const used = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  /** A value of its rows, whose text is a megabyte. */
  const valueOf = (n: number) =>
    cellsIn(utf8.encode(`${`${n}`.padEnd(30, "x")},${"y".repeat(1_000_000)}\n`), 2, Csv.standard)[0]![0]!

  it("is nothing but the values that it tells of", () => {
    const parents = new Parents()
    const findings = new Findings()
    const before = used()
    for (let n = 0; n < 50; n++) {
      parents.child(valueOf(n), 0)
      findings.value(notWritable, `Column${n}__c`, n, valueOf(n))
    }
    assert.isBelow(used() - before, 10_000_000)
    assert.deepStrictEqual([parents.largerThan(0).length, findings.all().length], [50, 50])
  })
})
