// Section 5 of the protocol: CSV rules and relationship columns.
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { errors } from "../org/running.ts"
import { sortedRows } from "../org/support.ts"
import { api, contract, headerOf, idsOf, unique } from "./target.ts"

const failed = (message: string | RegExp) => (job: Record<string, unknown>) => {
  assert.strictEqual(job.state, "Failed")
  const text = String(job.errorMessage)
  if (typeof message === "string") assert.strictEqual(text, message)
  else assert.match(text, message)
}

const complete =
  (processed: number, failures = 0) =>
  (job: Record<string, unknown>) => {
    assert.deepInclude(job, { state: "JobComplete" }, String(job.errorMessage))
    assert.deepInclude(job, { numberRecordsProcessed: processed, numberRecordsFailed: failures })
  }

const unparsed = (text: string) => failed(`InvalidBatch : Failed to parse CSV. ${text}`)
const wrongEnding = (setting: string) =>
  failed(`ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is ${setting}`)

contract("5 CSV: what becomes of a file", (it) => {
  const crlf = { lineEnding: "CRLF" }
  const rows: ReadonlyArray<
    readonly [row: string, csv: string, check: (job: Record<string, unknown>) => void, job?: Record<string, unknown>]
  > = [
    ["header: names of fields in any case", "nAmE,COUNT__C\na,1\n", complete(1)],
    [
      "header: mandatory, so the first row is taken for it",
      "a,1\nb,2\n",
      failed("InvalidBatch : Field name not found : a")
    ],
    [
      "header: only the first bad column is named",
      "Name,No1,No2\na,b,c\n",
      failed("InvalidBatch : Field name not found : No1")
    ],
    ["header: not twice the same field", "Name,NAME\na,b\n", failed(/^InvalidBatch : /)],
    [
      "header: up to 32,000 characters",
      `Name${" ".repeat(31_996)}\na\n`,
      failed(/^InvalidBatch : Field name not found/)
    ],
    ["header: no more than 32,000 characters", `Name${" ".repeat(31_997)}\na\n`, failed(/^InvalidBatch : .*32000/)],
    [
      "UTF-8: a BOM before a quoted header",
      '\uFEFF"Name"\na\n',
      unparsed("Found unescaped quote. A value with quote should be within a quote")
    ],
    [
      "UTF-8: a BOM before a bare header",
      "\uFEFFName\na\n",
      failed("InvalidBatch : Field name not found : \uFEFFName")
    ],
    ["quotes: delimiters, newlines and quotes within", 'Name,Text__c\n"a,b","x\ny ""z"""\n', complete(1)],
    [
      "quotes: blanks outside of them",
      'Name,Text__c\n"John", "Smith"\n',
      failed(/^InvalidBatch : Failed to parse CSV\. /)
    ],
    ["lineEnding LF, data with CRLF", "Name\r\na\r\n", wrongEnding("LF")],
    ["lineEnding CRLF, data with LF", "Name\na\n", wrongEnding("CRLF"), crlf],
    ["lineEnding LF, the last row with CRLF", "Name\na\nb\r\n", wrongEnding("LF")],
    ["lineEnding CRLF", "Name\r\na\r\n", complete(1), crlf],
    ["embedded newlines: of the job's kind, LF", 'Text__c\n"a\nb"\n', complete(1)],
    ["embedded newlines: of the job's kind, CRLF", 'Text__c\r\n"a\r\nb"\r\n', complete(1), crlf],
    ["embedded newlines: of the other kind, CRLF", 'Text__c\n"a\r\nb"\n', wrongEnding("LF")],
    ["embedded newlines: of the other kind, LF", 'Text__c\r\n"a\nb"\r\n', wrongEnding("CRLF"), crlf],
    ["blank lines: ignored", "\nName\n\na\n\n\nb\n\n", complete(2)],
    ["blank lines: a row of one empty cell is one, in quotes too", 'Name\na\n""\nb\n', complete(2)],
    ["the last line: without a line ending", "Name\na\nb", complete(2)],
    ["limits: 131,072 characters a field", `Text__c\n${"x".repeat(131_072)}\n`, complete(1)],
    [
      "limits: more than 131,072 characters a field",
      `Text__c\n${"x".repeat(131_073)}\n`,
      unparsed("Exceeded max field size: 131073")
    ],
    [
      "limits: more than 5,000 fields a record",
      `${"a,".repeat(5_000)}a\n`,
      unparsed("Exceeded max number of columns per record : 5000")
    ],
    [
      "limits: more than 400,000 characters a record",
      `Name,Text__c\n${`"${"x".repeat(130_000)}",`.repeat(4)}\n`,
      failed(/^InvalidBatch : Failed to parse CSV\. Exceeded max length for one record: \d+/)
    ],
    [
      "parser: Found unescaped quote",
      'Name\na"b\n',
      unparsed("Found unescaped quote. A value with quote should be within a quote")
    ],
    ["parser: EOF reached", 'Name\n"a\n', unparsed("EOF reached before closing an opened quote")],
    ["parser: Not expecting more text", 'Name\n"a"b\n', unparsed("Not expecting more text after end quote")],
    ["parser: too few values in a row", "Name,Text__c\na\n", failed(/^InvalidBatch : /)],
    ["parser: too many values in a row", "Name\na,b\n", failed(/^InvalidBatch : /)],
    [
      "delete: only the Id column",
      "Id,Name\n001Qx0000000001AAA,a\n",
      failed(/^InvalidBatch : .*'delete' batch must contain only/),
      { operation: "delete" }
    ],
    ["delete: the Id column", "Name\na\n", failed(/^InvalidBatch : /), { operation: "delete" }],
    ["update: needs Id", "Name\na\n", complete(1, 1), { operation: "update" }],
    [
      "upsert: needs its external id",
      "Name\na\n",
      failed("InvalidBatch : Field name not found : Key__c"),
      { operation: "upsert", externalIdFieldName: "Key__c" }
    ]
  ]
  for (const [row, csv, check, job = {}] of rows) {
    it.effect(row, () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const { info, unprocessed } = yield* run(job, csv)
        check(info)
        if (info.state === "Failed") assert.deepInclude(info, { numberRecordsProcessed: 0, numberRecordsFailed: 0 })
        assert.strictEqual(unprocessed.status, 200)
      })
    )
  }

  it.effect("internal batch: 10,000 records, and a file may have more", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const { info } = yield* run({}, `Name\n${"x\n".repeat(10_001)}`)
      complete(10_001)(info)
    })
  )
})

contract("5 CSV: what becomes of a cell", (it) => {
  const rows: ReadonlyArray<readonly [row: string, field: string, cell: string, stored: string]> = [
    ["values are within quotes", "Name", '"a, ""b"""', '"a, ""b"""'],
    ["a newline within quotes", "Text__c", '"a\nb"', '"a\nb"'],
    ["boolean: true", "Active__c", "true", '"true"'],
    ["boolean: FALSE", "Active__c", "FALSE", '"false"'],
    ["boolean: 1", "Active__c", "1", '"true"'],
    ["boolean: 0", "Active__c", "0", '"false"'],
    ["double: a fraction", "Count__c", "1.5", '"1.5"'],
    ["double: scientific notation", "Count__c", "1.5e3", '"1500.0"'],
    ["date", "Day__c", "2026-11-23", '"2026-11-23"'],
    ["dateTime: Z", "At__c", "2026-11-23T20:41:12.000Z", '"2026-11-23T20:41:12.000Z"'],
    ["dateTime: without milliseconds", "At__c", "2026-11-23T20:41:12Z", '"2026-11-23T20:41:12.000Z"'],
    ["dateTime: +HH:mm", "At__c", "2026-11-23T20:41:12.500+05:30", '"2026-11-23T15:11:12.500Z"'],
    ["dateTime: -HH:mm", "At__c", "2026-11-23T20:41:12-08:00", '"2026-11-24T04:41:12.000Z"'],
    ["time", "Hour__c", "20:41:12.000Z", '"20:41:12.000Z"']
  ]
  for (const [row, field, cell, stored] of rows) {
    it.effect(row, () =>
      Effect.gen(function* () {
        const { page, ask, run } = yield* api
        const key = unique()
        const { failed } = yield* run({}, `Key__c,${field}\n${key},${cell}\n`)
        assert.deepStrictEqual(errors(failed), [])
        const { text } = yield* page(yield* ask(`SELECT ${field} FROM Contract_Item__c WHERE Key__c = '${key}'`))
        assert.strictEqual(text, `"${field}"\n${stored}\n`)
      })
    )
  }

  const refused: ReadonlyArray<readonly [row: string, field: string, cell: string]> = [
    ["boolean: anything else", "Active__c", "maybe"],
    ["double: no number", "Count__c", "1,5".replace(",", " ")],
    ["date: with a time", "Day__c", "2026-11-23T20:41:12Z"],
    ["date: with an offset", "Day__c", "1940-06-07Z"],
    ["date: one that is not", "Day__c", "2026-02-29"],
    ["dateTime: without an offset", "At__c", "2026-11-23T20:41:12"],
    ["time: one that is not", "Hour__c", "25:00:00.000Z"]
  ]
  for (const [row, field, cell] of refused) {
    it.effect(`${row}: a row error`, () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const { failed } = yield* run({}, `${field}\n${cell}\n`)
        assert.match(errors(failed)[0] ?? "", new RegExp(`^INVALID_TYPE_ON_FIELD_IN_RECORD:.*:${field} --$`))
      })
    )
  }

  for (const operation of ["update", "upsert"]) {
    it.effect(`an empty cell leaves a field, #N/A clears it: ${operation}`, () =>
      Effect.gen(function* () {
        const { run, select } = yield* api
        const key = unique()
        const { successful } = yield* run({}, `Key__c,Name,Count__c\n${key},a,1\n`)
        const [id] = idsOf(successful)
        const job = operation === "update" ? { operation } : { operation, externalIdFieldName: "Key__c" }
        const [column, value] = operation === "update" ? ["Id", id] : ["Key__c", key]
        yield* run(job, `${column},Name,Count__c\n${value},,#N/A\n`)
        assert.deepStrictEqual(yield* select(`SELECT Name, Count__c FROM Contract_Item__c WHERE Key__c = '${key}'`), [
          '"a",""'
        ])
      })
    )
  }

  it.effect("insert with an Id: INVALID_FIELD_FOR_INSERT_UPDATE", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const [id] = idsOf((yield* run({}, "Name\na\n")).successful)
      const { failed } = yield* run({}, `Id,Name\n${id},a\n`)
      assert.match(errors(failed)[0] ?? "", /^INVALID_FIELD_FOR_INSERT_UPDATE:/)
    })
  )

  it.effect("upsert with an Id beside its key: a row error", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const [id] = idsOf((yield* run({}, "Name\na\n")).successful)
      const job = { operation: "upsert", externalIdFieldName: "Key__c" }
      const { failed } = yield* run(job, `Id,Key__c\n${id},${unique()}\n`)
      assert.strictEqual(errors(failed).length, 1)
    })
  )

  it.effect("update without an Id: MISSING_ARGUMENT", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      for (const csv of ["Id,Name\n,a\n", "Name\na\n"]) {
        assert.deepStrictEqual(errors((yield* run({ operation: "update" }, csv)).failed), [
          "MISSING_ARGUMENT:Id not specified in an update call:--"
        ])
      }
    })
  )
})

contract("5.1 relationship columns", (it) => {
  const parent = Effect.gen(function* () {
    const { run } = yield* api
    const key = unique()
    const { successful } = yield* run({}, `Key__c,Name\n${key},parent\n`)
    return { key, id: idsOf(successful)[0] ?? "" }
  })

  it.effect("RelationshipName.IndexedField: custom, __r", () =>
    Effect.gen(function* () {
      const { run, select } = yield* api
      const { id, key } = yield* parent
      const child = unique()
      const { successful } = yield* run({}, `Key__c,parent__R.KEY__c\n${child},${key.toUpperCase()}\n`)
      assert.strictEqual(headerOf(successful), '"sf__Id","sf__Created",Key__c,parent__R.KEY__c')
      assert.deepStrictEqual(yield* select(`SELECT Parent__c FROM Contract_Item__c WHERE Key__c = '${child}'`), [
        `"${id}"`
      ])
    })
  )

  it.effect("RelationshipName.IndexedField: standard, an idLookup field", () =>
    Effect.gen(function* () {
      const { run, select } = yield* api
      const email = `${unique()}@example.org`
      const boss = idsOf((yield* run({ object: "Contact" }, `LastName,Email\nBoss,${email}\n`)).successful)[0]
      const { successful } = yield* run({ object: "Contact" }, `LastName,ReportsTo.Email\nRao,${email}\n`)
      const [id] = idsOf(successful)
      assert.deepStrictEqual(yield* select(`SELECT ReportsToId FROM Contact WHERE Id = '${id}'`), [`"${boss}"`])
    })
  )

  it.effect("polymorphic: ObjectType:RelationshipName.IndexedField", () =>
    Effect.gen(function* () {
      const { run, select } = yield* api
      const email = `${unique()}@example.org`
      const lead = idsOf(
        (yield* run({ object: "Lead" }, `LastName,Company,Status,Email\nRao,x,Open - Not Contacted,${email}\n`))
          .successful
      )[0]
      const { failed, successful } = yield* run(
        { object: "Task" },
        `Subject,Status,Priority,Lead:Who.Email\nx,Not Started,Normal,${email}\n`
      )
      assert.deepStrictEqual(errors(failed), [])
      assert.deepStrictEqual(yield* select(`SELECT WhoId FROM Task WHERE Id = '${idsOf(successful)[0]}'`), [
        `"${lead}"`
      ])
    })
  )

  const headers: ReadonlyArray<readonly [header: string, message: string | RegExp, object?: string]> = [
    [
      "Contract_Item__c:Parent__r.Key__c",
      "InvalidBatch : type is not needed for non polymorphic foreign key references: Parent__r"
    ],
    ["Parent__r:Contract_Item__c.Key__c", "InvalidBatch : Unable to find relationship: Contract_Item__c"],
    ["Parent__r:Contract_Item__c:Key__c", "InvalidBatch : Field name not found : Parent__r:Contract_Item__c:Key__c"],
    ["Parent__r.Parent__r.Key__c", /^InvalidBatch : Field name not found : /],
    ["Parent__r.Count__c", /^InvalidBatch : Field name not found : /],
    ["Parent__r.Nope__c", /^InvalidBatch : Field name not found : /],
    ["Who.Email", /^InvalidBatch : /, "Task"]
  ]
  for (const [header, message, object] of headers) {
    it.effect(`${header}: the job fails`, () =>
      Effect.gen(function* () {
        const { run } = yield* api
        const { info, unprocessed } = yield* run(object === undefined ? {} : { object }, `${header}\nx\n`)
        failed(message)(info)
        assert.deepStrictEqual(sortedRows(unprocessed), ['"x"'])
      })
    )
  }

  it.effect("no match: a row error, and the whole row fails", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const { failed, info } = yield* run({}, "Name,Parent__r.Key__c\na,no such key\n")
      assert.strictEqual(info.state, "JobComplete")
      assert.deepStrictEqual(errors(failed), [
        "INVALID_FIELD:Foreign key external ID: no such key not found for field Key__c in entity Contract_Item__c:--"
      ])
    })
  )

  it.effect("rows of one file cannot reference one another", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      const key = unique()
      const { failed } = yield* run({}, `Key__c,Parent__r.Key__c\n${key},\n${unique()},${key}\n`)
      assert.match(errors(failed)[0] ?? "", /^INVALID_FIELD:Foreign key external ID: .* not found for field Key__c/)
    })
  )
})
