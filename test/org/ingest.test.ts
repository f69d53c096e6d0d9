import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Request from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Describe from "../../src/org/Describe.ts"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import { errors, run, select } from "./running.ts"
import { api, item, sortedRows } from "./support.ts"

const org = EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 second" })

describe("ingest", () => {
  it.effect("inserts rows, and gives both kinds of results", () =>
    Effect.gen(function* () {
      const { failed, info, successful, unprocessed } = yield* run(
        {},
        'name,Count__c,Size__c,Active__c\nApple,912260031,3,TRUE\n" Pear, ""big""",1.5,,\n,1,,\n'
      )
      assert.strictEqual(info.state, "JobComplete")
      assert.strictEqual(info.numberRecordsProcessed, 3)
      assert.strictEqual(info.numberRecordsFailed, 1)
      const [header, ...rows] = successful.text.trimEnd().split("\n")
      assert.strictEqual(header, '"sf__Id","sf__Created",name,Count__c,Size__c,Active__c')
      assert.deepStrictEqual(rows, [
        '"a00Qx0000000001IAA","true","Apple","9.12260031E8","3","TRUE"',
        '"a00Qx0000000002IAA","true"," Pear, ""big""","1.5","",""'
      ])
      assert.strictEqual(
        failed.text,
        '"sf__Id","sf__Error",name,Count__c,Size__c,Active__c\n"","REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --","","1.0","",""\n'
      )
      assert.strictEqual(unprocessed.text, "name,Count__c,Size__c,Active__c\n")
      assert.strictEqual(successful.headers["content-type"], "text/csv; charset=UTF-8")
      // trimmed, typed, and with the defaults of what was left out
      assert.deepStrictEqual(yield* select("SELECT Name, Count__c, Size__c, Active__c FROM Item__c ORDER BY Name"), [
        '"Apple","9.12260031E8","3","true"',
        '"Pear, ""big""","1.5","","false"'
      ])
    }).pipe(Effect.provide(org))
  )

  it.effect("refuses rows with the codes and texts of a real org", () =>
    Effect.gen(function* () {
      const { failed, info } = yield* run(
        {},
        `Name,Sku__c,Count__c,Active__c,Day__c,Email__c,Color__c,Account__c
x,12345678901,,,,,,
x,,abc,maybe,2023-02-29,,,
x,,,,,nobody,Green,
x,,,,,,,001Qx0000000099
x,,,,,,,12345
`
      )
      assert.strictEqual(info.state, "JobComplete")
      assert.deepStrictEqual(errors(failed), [
        "STRING_TOO_LONG:Sku: data value too large: 12345678901 (max length=10):Sku__c --",
        "INVALID_TYPE_ON_FIELD_IN_RECORD:Count: value not of required type: abc:Count__c --INVALID_TYPE_ON_FIELD_IN_RECORD:Active: value not of required type: maybe:Active__c --INVALID_TYPE_ON_FIELD_IN_RECORD:Day: value not of required type: 2023-02-29:Day__c --",
        "INVALID_EMAIL_ADDRESS:Email: invalid email address: nobody:Email__c --INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:bad value for restricted picklist field: Green:Color__c --",
        "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--",
        "MALFORMED_ID:Account: id value of incorrect type: 12345:Account__c --"
      ])
    }).pipe(Effect.provide(org))
  )

  it.effect("refuses to write what is not to be written", () =>
    Effect.gen(function* () {
      const { failed } = yield* run({}, "Id,Name,CreatedDate\na00Qx0000000001,x,2026-01-01\n,y,\n")
      assert.deepStrictEqual(errors(failed), [
        "INVALID_FIELD_FOR_INSERT_UPDATE:cannot specify Id in an insert call:Id --INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update fields: CreatedDate. Please check the security settings of this field and verify that it is read/write for your profile or permission set.:CreatedDate --"
      ])
    }).pipe(Effect.provide(org))
  )

  it.effect("upserts by an external id, whatever its case; without one it inserts", () =>
    Effect.gen(function* () {
      const job = { operation: "upsert", externalIdFieldName: "sku__c" }
      yield* run(job, "Sku__c,Name,Count__c,Size__c\nA-1,one,1,10\nA-2,two,2,20\n")
      const { failed, successful } = yield* run(
        job,
        "Sku__c,Name,Count__c,Size__c\na-1,uno,,#N/A\nA-3,three,3,30\n,none,,\nA-4,,4,\nA-2,,5,\n"
      )
      assert.deepStrictEqual(sortedRows(successful), [
        '"a00Qx0000000001IAA","false","a-1","uno","",""',
        '"a00Qx0000000002IAA","false","A-2","","5.0",""',
        '"a00Qx0000000003IAA","true","A-3","three","3.0","30"',
        '"a00Qx0000000004IAA","true","","none","",""'
      ])
      assert.deepStrictEqual(errors(failed), ["REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"])
      // an empty cell leaves a field as it was, #N/A clears it
      assert.deepStrictEqual(yield* select("SELECT Sku__c, Name, Count__c, Size__c FROM Item__c ORDER BY Sku__c"), [
        '"","none","",""',
        '"a-1","uno","1.0",""',
        '"A-2","two","5.0","20"',
        '"A-3","three","3.0","30"'
      ])
    }).pipe(Effect.provide(org))
  )

  it.effect("refuses a key that occurs twice in a chunk, or is held by several records", () =>
    Effect.gen(function* () {
      const twice = yield* run({ operation: "upsert", externalIdFieldName: "Sku__c" }, "Sku__c,Name\nA,one\na,two\n")
      assert.deepStrictEqual(errors(twice.failed), ["DUPLICATE_VALUE:Duplicate external id specified: a:--"])
      yield* run({}, "Name,Group__c\none,G\ntwo,g\n")
      const several = yield* run({ operation: "upsert", externalIdFieldName: "Group__c" }, "Group__c,Name\nG,x\n")
      assert.match(errors(several.failed)[0] ?? "", /^DUPLICATE_EXTERNAL_ID:Group__c: more than one record found/)
      // a row may have more wrong with it than its key
      const worse = yield* run(
        { operation: "upsert", externalIdFieldName: "Group__c" },
        "Group__c,Name,Count__c\nG,x,many\n"
      )
      assert.match(errors(worse.failed)[0] ?? "", /^INVALID_TYPE_ON_FIELD_IN_RECORD:.*--DUPLICATE_EXTERNAL_ID:/)
    }).pipe(Effect.provide(org))
  )

  it.effect("lets the later of two equal keys win when they are in different chunks", () =>
    Effect.gen(function* () {
      const filler = Array.from({ length: 199 }, (_, i) => `F-${i},f\n`).join("")
      const { info } = yield* run(
        { operation: "upsert", externalIdFieldName: "Sku__c" },
        `Sku__c,Name\nA,first\n${filler}A,second\n`
      )
      assert.strictEqual(info.numberRecordsFailed, 0)
      assert.deepStrictEqual(yield* select("SELECT Name FROM Item__c WHERE Sku__c = 'a'"), ['"second"'])
    }).pipe(Effect.provide(org))
  )

  // rows go into the store several at a time, which must not show
  for (const operation of ["insert", "upsert"]) {
    it.effect(`gives each row its own outcome, as if it were alone: ${operation}`, () =>
      Effect.gen(function* () {
        // keys and codes meet again within a few rows, within a chunk and beyond it
        let seed = 7
        const random = (below: number) => {
          seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
          return (seed >> 8) % below
        }
        const rows = Array.from({ length: 1_000 }, (_, i) => ({
          name: random(25) === 0 ? "" : `n${i}`,
          sku: random(20) === 0 ? "" : `${random(2) === 0 ? "k" : "K"}${random(1_500)}`,
          code: random(3) === 0 ? `c${Math.floor(i / 10) + random(8)}` : "",
          color: random(50) === 0 ? "Green" : "Red"
        }))
        const { failed, info, successful } = yield* run(
          { operation, ...(operation === "upsert" && { externalIdFieldName: "Sku__c" }) },
          `Name,Sku__c,Code__c,Color__c,Size__c\n${rows.map(({ code, color, name, sku }, i) => `${name},${sku},${code},${color},${i}\n`).join("")}`
        )
        const ids = new Map(
          sortedRows(successful).map((row) => {
            const cells = row.slice(1, -1).split('","')
            return [Number(cells.at(-1)), { id: cells[0]!, created: cells[1] === "true" }]
          })
        )
        const errors = new Map(
          sortedRows(failed).map((row) => {
            const cells = row.slice(1, -1).split('","')
            return [Number(cells.at(-1)), cells[1]!]
          })
        )
        // one row after the other, over records as they would be
        const records: Array<{ row: number; sku: string; code: string }> = []
        const held = (field: string, record: { readonly row: number }) =>
          `DUPLICATE_VALUE:duplicate value found: ${field} duplicates value on record with id: ${ids.get(record.row)?.id}:--`
        let seen = new Set<string>()
        const outcome = (i: number): string => {
          const { code, color, name } = rows[i]!
          const sku = rows[i]!.sku.toLowerCase()
          const ofKey = sku === "" ? undefined : records.find((record) => record.sku === sku)
          const isNew = operation === "insert" || ofKey === undefined
          const unnamed =
            isNew && name === "" ? "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --" : ""
          if (color === "Green") {
            return `INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:bad value for restricted picklist field: Green:Color__c --${unnamed}`
          }
          if (operation === "upsert" && sku !== "") {
            if (seen.has(sku)) return `DUPLICATE_VALUE:Duplicate external id specified: ${rows[i]!.sku}:--`
            seen.add(sku)
          }
          if (unnamed !== "") return unnamed
          const existing = isNew ? undefined : ofKey
          const ofCode = code === "" ? undefined : records.find((record) => record.code === code && record !== existing)
          const conflicts = [
            ...(ofKey === undefined || existing !== undefined ? [] : [held("Sku__c", ofKey)]),
            ...(ofCode === undefined ? [] : [held("Code__c", ofCode)])
          ]
          if (conflicts.length > 0) return conflicts.join("")
          if (existing === undefined) records.push({ row: i, sku, code })
          else if (code !== "") existing.code = code
          return existing === undefined ? "created" : `updated ${ids.get(existing.row)?.id}`
        }
        for (const i of rows.keys()) {
          if (i % 200 === 0) seen = new Set()
          const wrote = ids.get(i)
          const said = wrote === undefined ? errors.get(i) : wrote.created ? "created" : `updated ${wrote.id}`
          assert.strictEqual(said, outcome(i), `row ${i}`)
        }
        assert.isAbove(errors.size, 80)
        const updates = Array.from(ids.values()).filter(({ created }) => !created)
        assert.isTrue(operation === "insert" ? updates.length === 0 : updates.length > 20, `${updates.length}`)
        assert.strictEqual(info.numberRecordsFailed, errors.size)
        const stored = yield* select("SELECT Id FROM Item__c")
        assert.strictEqual(stored.length, records.length)
        // the files keep the order of the rows within a chunk
        const numbers = failed.text.split("\n").flatMap((row) => /"(\d+)"$/.exec(row)?.[1] ?? [])
        const chunks = Map.groupBy(numbers.map(Number), (number) => Math.floor(number / 200))
        for (const chunk of chunks.values()) {
          assert.deepStrictEqual(
            chunk,
            chunk.toSorted((a, b) => a - b)
          )
        }
      }).pipe(Effect.provide(org))
    )
  }

  it.effect("keeps unique fields unique, on insert and on update", () =>
    Effect.gen(function* () {
      const inserted = yield* run({}, "Name,Code__c\none,AB\ntwo,ab\nthree,CD\n")
      const held =
        "DUPLICATE_VALUE:duplicate value found: Code__c duplicates value on record with id: a00Qx0000000001IAA:--"
      assert.deepStrictEqual(errors(inserted.failed), [held])
      const updated = yield* run({ operation: "update" }, "Id,Code__c\na00Qx0000000003,AB\na00Qx0000000001,AB\n")
      assert.deepStrictEqual(errors(updated.failed), [held])
      assert.strictEqual(updated.info.numberRecordsProcessed, 2)
      yield* run({ operation: "update" }, "Id,Sku__c\na00Qx0000000003,S\n")
      const both = yield* run({ operation: "update" }, "Id,Sku__c,Code__c\na00Qx0000000003,s,ab\n")
      assert.deepStrictEqual(errors(both.failed), [held])
    }).pipe(Effect.provide(org))
  )

  it.effect("updates and deletes by id", () =>
    Effect.gen(function* () {
      yield* run({}, "Name,Count__c\none,1\ntwo,2\nthree,3\n")
      const updated = yield* run(
        { operation: "update" },
        "Id,Name,Count__c\na00Qx0000000001,uno,\na00Qx0000000002IAA,,#N/A\na00Qx0000000009,x,\n,x,\nabc,x,\na00Qx0000000001,again,\na00Qx0000000003,#N/A,\n"
      )
      assert.deepStrictEqual(sortedRows(updated.successful), [
        '"a00Qx0000000001IAA","false","a00Qx0000000001","uno",""',
        '"a00Qx0000000002IAA","false","a00Qx0000000002IAA","",""'
      ])
      assert.deepStrictEqual(errors(updated.failed), [
        "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--",
        "MISSING_ARGUMENT:Id not specified in an update call:--",
        "MALFORMED_ID:Record ID: id value of incorrect type: abc:Id --",
        "DUPLICATE_VALUE:Duplicate id specified: a00Qx0000000001IAA:--",
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
      ])
      const deleted = yield* run({ operation: "delete" }, "Id\na00Qx0000000001\n")
      assert.deepStrictEqual(sortedRows(deleted.successful), ['"a00Qx0000000001IAA","false","a00Qx0000000001"'])
      const again = yield* run({ operation: "delete" }, "id\na00Qx0000000001IAA\n")
      assert.deepStrictEqual(errors(again.failed), ["ENTITY_IS_DELETED:entity is deleted:--"])
      const soql = "SELECT Name, Count__c, IsDeleted FROM Item__c ORDER BY Id"
      assert.deepStrictEqual(yield* select(soql), ['"two","","false"', '"three","3.0","false"'])
      assert.deepStrictEqual(yield* select(soql, "queryAll"), [
        '"uno","1.0","true"',
        '"two","","false"',
        '"three","3.0","false"'
      ])
    }).pipe(Effect.provide(org))
  )

  it.effect("unticks a checkbox that is cleared", () =>
    Effect.gen(function* () {
      yield* run({}, "Name,Active__c\none,true\ntwo,true\nthree,#N/A\n")
      const { failed } = yield* run({ operation: "update" }, "Id,Active__c\na00Qx0000000001,#N/A\na00Qx0000000002,\n")
      assert.deepStrictEqual(errors(failed), [])
      assert.deepStrictEqual(yield* select("SELECT Name, Active__c FROM Item__c ORDER BY Name"), [
        '"one","false"',
        '"three","false"',
        '"two","true"'
      ])
    }).pipe(Effect.provide(org))
  )

  it.effect("forgets the keys of deleted records", () =>
    Effect.gen(function* () {
      const job = { operation: "upsert", externalIdFieldName: "Sku__c" }
      yield* run(job, "Sku__c,Name\nA,one\n")
      yield* run({ operation: "delete" }, "Id\na00Qx0000000001\n")
      const { successful } = yield* run(job, "Sku__c,Name\nA,two\n")
      assert.deepStrictEqual(sortedRows(successful), ['"a00Qx0000000002IAA","true","A","two"'])
    }).pipe(Effect.provide(org))
  )

  it.effect("looks up the record of a reference", () =>
    Effect.gen(function* () {
      yield* run({ object: "Account" }, "Name\nAcme\n")
      const { info } = yield* run({}, "Name,Account__c\nx,001Qx0000000001\n")
      assert.strictEqual(info.numberRecordsFailed, 0)
      assert.deepStrictEqual(yield* select("SELECT Account__c FROM Item__c"), ['"001Qx0000000001IAA"'])
    }).pipe(Effect.provide(org))
  )

  it.effect("stamps records with the clock and the user, and names people", () =>
    Effect.gen(function* () {
      yield* run({ object: "Contact" }, "LastName,FirstName\nRao,Asha\nLi,\n")
      yield* TestClock.adjust("1 hour")
      yield* run({ object: "Contact", operation: "update" }, "Id,FirstName\n003Qx0000000002,Wei\n")
      assert.deepStrictEqual(
        yield* select("SELECT Name, CreatedDate, LastModifiedDate, CreatedById, OwnerId FROM Contact ORDER BY Name"),
        [
          '"Asha Rao","1970-01-01T00:00:01.000Z","1970-01-01T00:00:01.000Z","005Qx0000000001IAA","005Qx0000000001IAA"',
          '"Wei Li","1970-01-01T00:00:01.000Z","1970-01-01T01:00:02.000Z","005Qx0000000001IAA","005Qx0000000001IAA"'
        ]
      )
    }).pipe(Effect.provide(org))
  )

  it.effect("takes a describe that was written by hand, and has an Id of its own", () => {
    // what has no column has no default either
    const body = { name: "Body", type: "base64", defaultValue: "x" }
    const fields = [{ name: "id" }, { name: "Name" }, { name: "IsDeleted" }, body]
    const own = Describe.make({ name: "Own__c", fields })
    return Effect.gen(function* () {
      const { failed } = yield* run({ object: "Own__c" }, "Name,IsDeleted\na,\nb,true\n")
      assert.match(errors(failed).join(), /^INVALID_FIELD_FOR_INSERT_UPDATE:[^,]* IsDeleted\. [^,]*:IsDeleted --$/)
      const upsert = { object: "Own__c", operation: "upsert", externalIdFieldName: "Id" }
      const { successful } = yield* run(upsert, "Id,Name\na00Qx0000000001,c\n")
      assert.deepStrictEqual(sortedRows(successful), ['"a00Qx0000000001IAA","false","a00Qx0000000001","c"'])
      assert.deepStrictEqual(yield* select("SELECT Name FROM Own__c WHERE Id = 'a00Qx0000000001'"), ['"c"'])
    }).pipe(Effect.provide(EmbeddedOrg.layerHttpClient({ objects: [own], queueDelay: "1 second" })))
  })

  it.effect(
    "takes audit fields of new records where a describe says that they may be set, and stamps the others",
    () => {
      const audited = Describe.make({
        name: "Audited__c",
        fields: [
          { name: "Name" },
          { name: "Key__c", externalId: true },
          ...["CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"].map((name) => ({ name }))
        ]
      })
      return Effect.gen(function* () {
        const { seed } = yield* EmbeddedOrg.EmbeddedOrg
        const keys = {
          TimeZoneSidKey: "GMT",
          LocaleSidKey: "en_US",
          EmailEncodingKey: "UTF-8",
          LanguageLocaleKey: "en_US"
        }
        const names = { Username: "x@y.zz", LastName: "x", Email: "x@y.zz", Alias: "x", CommunityNickname: "x" }
        const { User: users = [] } = yield* seed({ User: [{ ...keys, ...names, ProfileId: "00eQx0000000001" }] })
        const other = users[0]
        const object = { object: "Audited__c", operation: "upsert", externalIdFieldName: "Key__c" }
        const header = "Key__c,Name,CreatedDate,CreatedById,LastModifiedDate,LastModifiedById"
        const at = "2020-01-01T00:00:00.000Z"
        const first = yield* run(object, `${header}\n1,a,${at},${other},${at},${other}\n2,b,,,,\n`)
        assert.deepStrictEqual(errors(first.failed), [])
        const found = select(
          "SELECT CreatedDate, CreatedById, LastModifiedDate, LastModifiedById FROM Audited__c ORDER BY Key__c"
        )
        const me = "005Qx0000000001IAA"
        const now = "1970-01-01T00:00:01.000Z"
        assert.deepStrictEqual(yield* found, [
          `"${at}","${other}","${at}","${other}"`,
          `"${now}","${me}","${now}","${me}"`
        ])
        const later = yield* run(object, `${header}\n1,c,,,,\n2,d,${at},,,\n`)
        assert.match(
          errors(later.failed).join(),
          /^INVALID_FIELD_FOR_INSERT_UPDATE:[^,]* CreatedDate\. [^,]*:CreatedDate --$/
        )
        assert.deepStrictEqual(yield* found, [
          `"${at}","${other}","1970-01-01T00:00:03.000Z","${me}"`,
          `"${now}","${me}","${now}","${me}"`
        ])
      }).pipe(Effect.provide(EmbeddedOrg.layerHttpClient({ objects: [audited], queueDelay: "1 second" })))
    }
  )

  it.effect("writes a name that may be written, though it has parts", () => {
    // as of an Account where persons may be accounts
    const account = Describe.make({
      name: "Account",
      keyPrefix: "001",
      fields: [{ name: "Name" }, { name: "LastName", compoundFieldName: "Name" }]
    })
    return Effect.gen(function* () {
      const { info } = yield* run({ object: "Account" }, "Name\nAcme\n")
      assert.deepStrictEqual([info.state, info.numberRecordsFailed], ["JobComplete", 0])
      assert.deepStrictEqual(yield* select("SELECT Name FROM Account"), ['"Acme"'])
    }).pipe(Effect.provide(EmbeddedOrg.layerHttpClient({ objects: [account], queueDelay: "1 second" })))
  })

  it.effect("fails a whole job for its header, and gives every row back", () =>
    Effect.gen(function* () {
      const expected: ReadonlyArray<readonly [job: Record<string, unknown>, header: string, message: string]> = [
        [{}, "Name,Nope__c", "InvalidBatch : Field name not found : Nope__c"],
        [{}, "\uFEFFName,Sku__c", "InvalidBatch : Field name not found : \uFEFFName"],
        [{}, "Name,NAME", "InvalidBatch : Field name is duplicated : NAME"],
        [{}, "Name,Account__r.Key__c", "InvalidBatch : Field name not found : Account__r.Key__c"],
        [{ operation: "delete" }, "Id,Name", "InvalidBatch : The 'delete' batch must contain only ids"],
        [
          { operation: "upsert", externalIdFieldName: "Sku__c" },
          "Name,Size__c",
          "InvalidBatch : Field name not found : Sku__c"
        ]
      ]
      for (const [job, header, message] of expected) {
        const { failed, info, successful, unprocessed } = yield* run(job, `${header}\na,"b ""c"""\nd,e\n`)
        assert.strictEqual(info.state, "Failed", header)
        assert.strictEqual(info.errorMessage, message)
        assert.strictEqual(info.numberRecordsProcessed, 0)
        assert.strictEqual(info.numberRecordsFailed, 0)
        // decoding a response takes a BOM off
        assert.strictEqual(unprocessed.text, `${header.replace("\uFEFF", "")}\n"a","b ""c"""\n"d","e"\n`)
        assert.strictEqual(successful.text, `"sf__Id","sf__Created",${header}\n`)
        assert.strictEqual(failed.text, `"sf__Id","sf__Error",${header}\n`)
      }
    }).pipe(Effect.provide(org))
  )

  it.effect("fails a whole job for a fault far down in its CSV, before anything is written", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 500 }, (_, i) => `n${i}\n`).join("")
      const wrongEnding = yield* run({}, `Name\n${rows}last\r\n`)
      assert.strictEqual(
        wrongEnding.info.errorMessage,
        "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"
      )
      assert.strictEqual(sortedRows(wrongEnding.unprocessed).length, 501)
      const badQuote = yield* run({}, `Name\n${rows}x"y\n`)
      assert.strictEqual(badQuote.info.state, "Failed")
      assert.strictEqual(sortedRows(badQuote.unprocessed).length, 500)
      assert.deepStrictEqual(yield* select("SELECT Id FROM Item__c"), [])
    }).pipe(Effect.provide(org))
  )

  it.effect("reads and writes every delimiter with every line ending", () =>
    Effect.gen(function* () {
      const delimiters = { BACKQUOTE: "`", CARET: "^", COMMA: ",", PIPE: "|", SEMICOLON: ";", TAB: "\t" }
      const endings = { LF: "\n", CRLF: "\r\n" }
      for (const [columnDelimiter, d] of Object.entries(delimiters)) {
        for (const [lineEnding, n] of Object.entries(endings)) {
          const { info, successful } = yield* run(
            { columnDelimiter, lineEnding },
            `Name${d}Size__c${n}"a${d}b"${d}1${n}c${d}2${n}`
          )
          assert.strictEqual(info.state, "JobComplete")
          const [header, ...rows] = successful.text.split(n)
          assert.strictEqual(header, ['"sf__Id"', '"sf__Created"', "Name", "Size__c"].join(d))
          assert.strictEqual(rows[0]?.split(d).slice(2).join(d), `"a${d}b"${d}"1"`)
          assert.strictEqual(rows.at(-1), "")
        }
      }
    }).pipe(Effect.provide(org))
  )

  it.effect("reads characters that are cut by the blocks of an upload", () =>
    Effect.gen(function* () {
      const { close, create, info, send, successful } = yield* api
      const id = yield* create({})
      const csv = new TextEncoder().encode(`Name\n${"é\n".repeat(50_000)}`)
      const pieces = Array.from({ length: 3 }, (_, i) => csv.subarray(i * 65_538, (i + 1) * 65_538))
      const body = Stream.fromIterable(pieces, { chunkSize: 1 })
      yield* send(Request.put(`/jobs/ingest/${id}/batches`).pipe(Request.bodyStream(body, { contentType: "text/csv" })))
      yield* close(id)
      yield* TestClock.adjust("1 second")
      // 50,000 rows take several turns
      yield* Effect.repeat(info(id), { until: ({ state }) => state === "JobComplete" })
      const names = new Set(sortedRows(yield* successful(id)).map((row) => row.split('"')[5]))
      assert.deepStrictEqual([...names], ["é"])
    }).pipe(Effect.provide(org))
  )

  it.effect("gives results in another order than the upload's", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 450 }, (_, i) => `n${i}`)
      const { successful } = yield* run({}, `Name\n${names.join("\n")}\n`)
      const back = successful.text
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((line) => line.split('"')[5])
      assert.strictEqual(back[0], "n400")
      assert.deepStrictEqual([...back].sort(), [...names].sort())
    }).pipe(Effect.provide(org))
  )

  it.effect("completes a job without data, and one with a header only", () =>
    Effect.gen(function* () {
      for (const csv of ["", "Name\n"]) {
        const { info, successful } = yield* run({}, csv)
        assert.strictEqual(info.state, "JobComplete")
        assert.strictEqual(info.numberRecordsProcessed, 0)
        assert.strictEqual(successful.text, `"sf__Id","sf__Created"${csv === "" ? "" : ",Name"}\n`)
      }
    }).pipe(Effect.provide(org))
  )
})
