import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Request from "effect/http/HttpClientRequest"
import * as TestClock from "effect/testing/TestClock"
import * as Describe from "../../src/org/Describe.ts"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import { blocksIn, folder } from "./command.ts"
import { type Answer, api, item, json, refusal } from "./support.ts"

const org = (options: EmbeddedOrg.Options = {}) =>
  EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 second", ...options })

const numbered = (count: number) => `Name\n${Array.from({ length: count }, (_, i) => `n${i}\n`).join("")}`

const recordsOf = (answer: Answer) => {
  assert.strictEqual(answer.status, 200, answer.text)
  const { records } = json(answer)
  assert(Array.isArray(records), answer.text)
  return records.map((each: Record<string, unknown>) => each)
}

const soql = (text: string, path = "query") => `/${path}?q=${encodeURIComponent(text)}`

describe("describes", () => {
  it.effect("hold everything a client reads", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      const described = json(yield* get("/sobjects/item__c/describe"))
      assert.deepInclude(described, {
        name: "Item__c",
        label: "Item__c",
        keyPrefix: "a00",
        custom: true,
        createable: true,
        queryable: true,
        searchable: true
      })
      assert.deepInclude(described.urls, { describe: "/services/data/v68.0/sobjects/Item__c/describe" })
      const { fields } = described
      assert(Array.isArray(fields))
      const field = (name: string): Record<string, unknown> => fields.find((each) => each.name === name)
      assert.deepInclude(field("Id"), {
        type: "id",
        soapType: "tns:ID",
        length: 18,
        nillable: false,
        updateable: false
      })
      assert.deepInclude(field("Name"), { type: "string", soapType: "xsd:string", byteLength: 60, nameField: true })
      assert.deepInclude(field("Sku__c"), { externalId: true, unique: true, idLookup: true, custom: true, length: 10 })
      assert.deepInclude(field("Count__c"), {
        type: "double",
        soapType: "xsd:double",
        precision: 18,
        scale: 0,
        length: 0
      })
      assert.deepInclude(field("Active__c"), { defaultedOnCreate: true, nillable: false, defaultValue: false })
      assert.deepInclude(field("Color__c"), { restrictedPicklist: true })
      assert.deepInclude(field("Color__c").picklistValues, {
        value: "Red",
        label: "Red",
        active: true,
        defaultValue: false,
        validFor: null
      })
      assert.deepInclude(field("Account__c"), {
        referenceTo: ["Account"],
        relationshipName: "Account__r",
        polymorphicForeignKey: false
      })
      const { fields: ofCase } = json(yield* get("/sobjects/Case/describe"))
      assert(Array.isArray(ofCase))
      const number = ofCase.find(({ name }) => name === "CaseNumber")
      assert.deepInclude(number, { autoNumber: true, defaultedOnCreate: true, createable: false })
      const { childRelationships } = json(yield* get("/sobjects/Account/describe"))
      assert.deepInclude(
        childRelationships,
        Object.assign({}, Array.isArray(childRelationships) ? childRelationships[0] : {}, {
          childSObject: "Item__c",
          field: "Account__c"
        })
      )
      assert.match(refusal(yield* get("/sobjects/Nope__c/describe")), /^404 NOT_FOUND/)
    }).pipe(Effect.provide(org()))
  )

  it.effect("are listed, and are read again as the org's own", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      const { encoding, maxBatchSize, sobjects } = json(yield* get("/sobjects"))
      assert.deepStrictEqual([encoding, maxBatchSize], ["UTF-8", 200])
      assert(Array.isArray(sobjects))
      const names = sobjects.map((each) => String(each.name))
      for (const name of ["Account", "Contact", "Item__c", "Organization", "User"]) assert.include(names, name)
      for (const name of names) assert.deepStrictEqual(json(yield* get(`/sobjects/${name}`)).recentItems, [])
    }).pipe(Effect.provide(org()))
  )

  it.effect("are not sent again to whom knows them", () =>
    Effect.gen(function* () {
      const { get, send } = yield* api
      const { headers } = yield* get("/sobjects/Item__c/describe")
      assert.strictEqual(headers["last-modified"], "Thu, 01 Jan 1970 00:00:00 GMT")
      const since = (path: string, date: string) =>
        send(Request.get(path).pipe(Request.setHeader("if-modified-since", date)))
      for (const path of ["/sobjects", "/sobjects/Item__c/describe"]) {
        const known = yield* since(path, "Thu, 01 Jan 1970 00:00:00 GMT")
        assert.deepStrictEqual([known.status, known.text], [304, ""])
        assert.strictEqual((yield* since(path, "Wed, 31 Dec 1969 23:59:59 GMT")).status, 200)
        assert.strictEqual((yield* since(path, "tomorrow")).status, 200)
      }
      assert.strictEqual((yield* since("/sobjects/Nope/describe", headers["last-modified"] ?? "")).status, 404)
    }).pipe(Effect.provide(org()))
  )
})

describe("resources and limits", () => {
  it.effect("are listed for a version", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      const { instanceUrl, orgId } = yield* EmbeddedOrg.EmbeddedOrg
      const resources = json(yield* get(""))
      assert.deepInclude(resources, {
        jobs: "/services/data/v68.0/jobs",
        limits: "/services/data/v68.0/limits",
        query: "/services/data/v68.0/query",
        sobjects: "/services/data/v68.0/sobjects"
      })
      assert.strictEqual(resources.identity, `${instanceUrl}/id/${orgId}/005Qx0000000001IAA`)
    }).pipe(Effect.provide(org()))
  )

  it.effect("say what is left", () =>
    Effect.gen(function* () {
      const { get, query, submit } = yield* api
      yield* submit({}, numbered(10_001))
      yield* TestClock.adjust("1 second")
      yield* query("SELECT Name FROM Item__c")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(json(yield* get("/limits")), {
        DailyApiRequests: { Max: 100_000, Remaining: 99_995 },
        DailyAsyncApexExecutions: { Max: 250_000, Remaining: 250_000 },
        DailyBulkApiBatches: { Max: 15_000, Remaining: 14_998 },
        DailyBulkV2QueryFileStorageMB: { Max: 976_562, Remaining: 976_561 },
        DailyBulkV2QueryJobs: { Max: 10_000, Remaining: 9_999 },
        DataStorageMB: { Max: 10_240, Remaining: 10_219 },
        FileStorageMB: { Max: 10_240, Remaining: 10_240 }
      })
      yield* TestClock.adjust("25 hours")
      const { DailyBulkApiBatches, DailyBulkV2QueryJobs } = json(yield* get("/limits"))
      assert.deepStrictEqual(DailyBulkApiBatches, { Max: 15_000, Remaining: 15_000 })
      assert.deepStrictEqual(DailyBulkV2QueryJobs, { Max: 10_000, Remaining: 10_000 })
    }).pipe(Effect.provide(org()))
  )
})

describe("queries by REST", () => {
  it.effect("answer records as JSON, each with its type and address", () =>
    Effect.gen(function* () {
      const { get, submit } = yield* api
      yield* submit({}, "Name,Count__c,Active__c,Day__c,At__c\na,1.5,true,2024-01-01,2024-01-01T00:00:00Z\n")
      yield* TestClock.adjust("1 second")
      const answer = yield* get(soql("SELECT Id, Name, Count__c, Active__c, Day__c, At__c, Sku__c FROM item__c"))
      assert.deepStrictEqual(json(answer), {
        totalSize: 1,
        done: true,
        records: [
          {
            attributes: { type: "Item__c", url: "/services/data/v68.0/sobjects/Item__c/a00Qx0000000001IAA" },
            Id: "a00Qx0000000001IAA",
            Name: "a",
            Count__c: 1.5,
            Active__c: true,
            Day__c: "2024-01-01",
            At__c: "2024-01-01T00:00:00.000+0000",
            Sku__c: null
          }
        ]
      })
      const [record] = recordsOf(yield* get(soql("SELECT Name FROM Item__c")))
      assert.deepStrictEqual(record?.attributes, { type: "Item__c" })
    }).pipe(Effect.provide(org()))
  )

  it.effect("page through what is found, as it was when it was found", () =>
    Effect.gen(function* () {
      const { get, send, submit } = yield* api
      yield* submit({}, numbered(450))
      yield* TestClock.adjust("1 second")
      for (const [header, sizes] of [
        ["", [180, 180, 90]],
        ["batchSize=10", [200, 200, 50]],
        ["batchSize=5000", [450]]
      ] as const) {
        let answer = yield* send(
          Request.get(soql("SELECT Name FROM Item__c ORDER BY Id")).pipe(
            Request.setHeader("sforce-query-options", header)
          )
        )
        const names: Array<unknown> = []
        for (const [i, size] of sizes.entries()) {
          const { done, nextRecordsUrl, totalSize } = json(answer)
          const records = recordsOf(answer)
          assert.strictEqual(totalSize, 450)
          assert.strictEqual(records.length, size)
          names.push(...records.map((record) => record.Name))
          assert.strictEqual(done, i === sizes.length - 1)
          if (done === true) assert.isUndefined(nextRecordsUrl)
          else {
            assert.match(String(nextRecordsUrl), /^\/services\/data\/v68\.0\/query\/0r8\w{15}-\d+$/)
            yield* submit({}, "Name\nlate\n")
            answer = yield* get(String(nextRecordsUrl).replace("/services/data/v68.0", ""))
          }
        }
        assert.deepStrictEqual(
          names,
          Array.from({ length: 450 }, (_, i) => `n${i}`)
        )
      }
      for (const locator of ["x", "0r8Qx0000000001IAA-180", "0r8Qx0000000001IAA-1", "0r8Qx0000000001IAA"]) {
        const answer = yield* get(`/query/${locator}`)
        if (locator.endsWith("-180")) assert.strictEqual(answer.status, 200)
        else assert.strictEqual(refusal(answer), "400 INVALID_QUERY_LOCATOR invalid query locator")
      }
    }).pipe(Effect.provide(org({ queryPageSize: 180 })))
  )

  it.effect("hold parents within their children, and null where there is none", () =>
    Effect.gen(function* () {
      const { get, post } = yield* api
      const idOf = (answer: Answer) => String(json(answer).id)
      const group = idOf(yield* post("/sobjects/Account", { Name: "Group" }))
      const branch = idOf(yield* post("/sobjects/Account", { Name: "Branch", ParentId: group }))
      for (const [Name, Account__c] of Object.entries({ a: branch, b: group, c: null })) {
        assert.strictEqual((yield* post("/sobjects/Item__c", { Name, Account__c })).status, 201)
      }
      const query = "SELECT Name, account__r.Name, account__r.Parent.Name FROM Item__c ORDER BY Name"
      const account = { type: "Account" }
      const strip = ({ attributes: _, ...record }: Record<string, unknown>) => record
      assert.deepStrictEqual(recordsOf(yield* get(soql(query))).map(strip), [
        {
          Name: "a",
          Account__r: { attributes: account, Name: "Branch", Parent: { attributes: account, Name: "Group" } }
        },
        { Name: "b", Account__r: { attributes: account, Name: "Group", Parent: null } },
        { Name: "c", Account__r: null }
      ])
    }).pipe(Effect.provide(org()))
  )

  it.effect("are kept for two days, however many there are, and then are gone with their data", () =>
    Effect.gen(function* () {
      const data = yield* folder
      yield* Effect.gen(function* () {
        const { get, post } = yield* api
        const { clock } = yield* EmbeddedOrg.EmbeddedOrg
        for (const Name of ["a", "b"]) yield* post("/sobjects/Item__c", { Name })
        const next = Effect.map(get(soql("SELECT Name FROM Item__c")), (answer) =>
          String(json(answer).nextRecordsUrl).replace("/services/data/v68.0", "")
        )
        const all = yield* Effect.replicateEffect(next, 150)
        const first = all[0] ?? ""
        const twoDays = 2 * 86_400_000
        yield* clock.set(twoDays - 1)
        assert.lengthOf(recordsOf(yield* get(first)), 1)
        const last = yield* next
        yield* clock.set(twoDays)
        for (const path of all) {
          assert.strictEqual(refusal(yield* get(path)), "400 INVALID_QUERY_LOCATOR invalid query locator")
        }
        // which forgets those that are over
        yield* next
        assert.lengthOf(recordsOf(yield* get(last)), 1)
      }).pipe(Effect.provide(EmbeddedOrg.layerHttpClient({ objects: [item], queryPageSize: 1, data }), { local: true }))
      assert.strictEqual(blocksIn(data), 2)
    })
  )

  it.effect("tell of their columns, those of parents within their parents", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      const query = "SELECT Id, Owner.Name, Owner.Manager.Email, NumberOfEmployees FROM account"
      const { columnMetadata, ...rest } = json(yield* get(`${soql(query)}&columns=true`))
      assert.deepStrictEqual(rest, { entityName: "Account", groupBy: false, idSelected: true, keyPrefix: "001" })
      assert(Array.isArray(columnMetadata))
      const tree = (columns: ReadonlyArray<Record<string, unknown>>): ReadonlyArray<unknown> =>
        columns.map(({ columnName, joinColumns }) =>
          Array.isArray(joinColumns) && joinColumns.length > 0 ? [columnName, tree(joinColumns)] : columnName
        )
      assert.deepStrictEqual(tree(columnMetadata), [
        "Id",
        ["Owner", ["Name", ["Manager", ["Email"]]]],
        "NumberOfEmployees"
      ])
      assert.deepInclude(columnMetadata[2], { apexType: "Integer", numberType: true, aggregate: false })
      const custom = json(yield* get(`${soql("SELECT Account__r.Name FROM Item__c")}&columns=true`))
      assert.deepInclude(Object.assign({}, ...[custom.columnMetadata].flat()), {
        columnName: "Account__r",
        custom: true,
        foreignKeyName: "Account__c"
      })
      assert.match(refusal(yield* get(`${soql("SELECT Nope FROM Account")}&columns=true`)), /^400 INVALID_FIELD/)
    }).pipe(Effect.provide(org()))
  )

  it.effect("count, and see the recycle bin with queryAll", () =>
    Effect.gen(function* () {
      const { get, submit } = yield* api
      yield* submit({}, numbered(5))
      yield* TestClock.adjust("1 second")
      yield* submit({ operation: "delete" }, "Id\na00Qx0000000001\n")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(json(yield* get(soql("SELECT COUNT() FROM Item__c"))), {
        totalSize: 4,
        done: true,
        records: []
      })
      assert.strictEqual(json(yield* get(soql("select count( ) from Item__c where Name = 'n1'"))).totalSize, 1)
      assert.strictEqual(json(yield* get(soql("SELECT COUNT() FROM Item__c", "queryAll"))).totalSize, 5)
      assert.strictEqual(recordsOf(yield* get(soql("SELECT Id FROM Item__c", "queryAll"))).length, 5)
    }).pipe(Effect.provide(org()))
  )

  it.effect("are refused with the codes of REST", () => {
    const hidden = Describe.make({ name: "Hidden__c", queryable: false, fields: [] })
    return Effect.gen(function* () {
      const { get } = yield* api
      const expected: ReadonlyArray<readonly [soql: string, pattern: RegExp]> = [
        ["SELECT Nope FROM Item__c", /^400 INVALID_FIELD .*No such column 'Nope'/s],
        ["SELECT Id FROM ScratchOrgInfo limit 1", /^400 INVALID_TYPE .*'ScratchOrgInfo' is not supported/s],
        ["SELECT COUNT() FROM Nope", /^400 INVALID_TYPE .*Row:1:Column:21/s],
        ["SELECT FROM Item__c", /^400 MALFORMED_QUERY/],
        ["SELECT Id FROM Item__c WHERE Name = 1", /^400 INVALID_FIELD .*must be of type string/s],
        ["SELECT Id FROM Item__c WHERE Id = 'x'", /^400 INVALID_QUERY_FILTER_OPERATOR .*invalid ID field: x/s],
        ["SELECT Id FROM Hidden__c", /^400 INVALID_TYPE_FOR_OPERATION .*does not support query/s],
        ["nonsense", /^400 MALFORMED_QUERY/],
        ["", /^400 MALFORMED_QUERY/]
      ]
      for (const [text, pattern] of expected) assert.match(refusal(yield* get(soql(text))), pattern, text)
      assert.match(refusal(yield* get("/query")), /^400 MALFORMED_QUERY A query string has to be specified/)
    }).pipe(Effect.provide(org({ objects: [item, hidden] })))
  })

  it.effect("know the user and the organization", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      const { orgId } = yield* EmbeddedOrg.EmbeddedOrg
      const [organization] = recordsOf(
        yield* get(
          soql(
            "SELECT Id, Name, InstanceName, IsSandbox, TrialExpirationDate, NamespacePrefix, OrganizationType FROM Organization"
          )
        )
      )
      assert.deepInclude(organization, {
        Id: orgId,
        IsSandbox: true,
        TrialExpirationDate: null,
        OrganizationType: "Enterprise Edition"
      })
      const user = json(yield* get("/sobjects/User/005Qx0000000001IAA"))
      assert.deepInclude(user, { Username: "me@example.com", Name: "Embedded User", IsActive: true })
    }).pipe(Effect.provide(org({ username: "me@example.com" })))
  )
})

describe("single records", () => {
  it.effect("are created, read, changed and deleted", () =>
    Effect.gen(function* () {
      const { get, patch, post, send } = yield* api
      const created = yield* post("/sobjects/Item__c", { Name: "a", Count__c: 2, Active__c: true, Day__c: null })
      assert.strictEqual(created.status, 201)
      const id = "a00Qx0000000001IAA"
      assert.deepStrictEqual(json(created), { id, success: true, errors: [] })
      assert.strictEqual(created.headers.location, `/services/data/v68.0/sobjects/Item__c/${id}`)
      const path = `/sobjects/Item__c/${id}`

      const read = json(yield* get(path))
      assert.deepInclude(read, { Id: id, Name: "a", Count__c: 2, Active__c: true, Day__c: null, IsDeleted: false })
      assert.deepStrictEqual(json(yield* get(`/sobjects/item__c/${id.slice(0, 15)}?fields=name,Count__c`)), {
        attributes: { type: "Item__c", url: `/services/data/v68.0${path}` },
        Name: "a",
        Count__c: 2
      })
      // a field that is named twice is read once
      const twice = json(yield* get(`${path}?fields=Name,NAME`))
      assert.deepStrictEqual([Object.keys(twice), twice.Name], [["attributes", "Name"], "a"])
      assert.match(refusal(yield* get(`${path}?fields=Nope`)), /^400 INVALID_FIELD No such column 'Nope'/)

      const changed = yield* patch(path, { Count__c: null, Name: "b" })
      assert.deepStrictEqual([changed.status, changed.text], [204, ""])
      assert.deepInclude(json(yield* get(path)), { Name: "b", Count__c: null, Active__c: true })

      assert.strictEqual((yield* send(Request.delete(path))).status, 204)
      for (const gone of [yield* get(path), yield* patch(path, { Name: "c" }), yield* send(Request.delete(path))]) {
        assert.strictEqual(refusal(gone), "404 ENTITY_IS_DELETED entity is deleted")
      }
    }).pipe(Effect.provide(org()))
  )

  it.effect("hold #N/A as a text, which clears a field in CSV alone", () =>
    Effect.gen(function* () {
      const { get, patch, post } = yield* api
      const { id } = json(yield* post("/sobjects/Item__c", { Name: "a", Code__c: "x" }))
      const path = `/sobjects/Item__c/${id}`
      assert.strictEqual((yield* patch(path, { Code__c: "#N/A" })).status, 204)
      assert.strictEqual(json(yield* get(path)).Code__c, "#N/A")
      assert.strictEqual((yield* patch(path, { Code__c: null })).status, 204)
      assert.isNull(json(yield* get(path)).Code__c)
      const upserted = json(yield* patch("/sobjects/Item__c/Sku__c/%23N%2FA", { Name: "b" }))
      assert.strictEqual(json(yield* get("/sobjects/Item__c/Sku__c/%23N%2FA")).Id, upserted.id)
    }).pipe(Effect.provide(org()))
  )

  it.effect("are refused by the rules of bulk rows", () =>
    Effect.gen(function* () {
      const { get, patch, post, send } = yield* api
      const missing = yield* post("/sobjects/Item__c", { Sku__c: "s" })
      assert.strictEqual(missing.status, 400)
      assert.deepStrictEqual(JSON.parse(missing.text), [
        {
          message: "Required fields are missing: [Name]",
          errorCode: "REQUIRED_FIELD_MISSING",
          fields: ["Name"]
        }
      ])
      const { id } = json(yield* post("/sobjects/Item__c", { Name: "a", Code__c: "x" }))
      const path = `/sobjects/Item__c/${id}`
      const expected: ReadonlyArray<readonly [body: unknown, pattern: RegExp]> = [
        [{ Name: "a", Color__c: "Green" }, /^400 INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST/],
        [{ Name: "a", Code__c: "x" }, /^400 DUPLICATE_VALUE/],
        [{ Name: "a", Nope__c: 1 }, /^400 INVALID_FIELD No such column 'Nope__c' on sobject of type Item__c/],
        [{ Name: "a", constructor: 1 }, /^400 INVALID_FIELD/],
        [{ Name: ["a"] }, /^400 JSON_PARSER_ERROR/],
        [{ Name: "a", CreatedDate: "2024-01-01" }, /^400 INVALID_FIELD_FOR_INSERT_UPDATE/],
        [[], /^400 JSON_PARSER_ERROR/],
        ["x", /^400 JSON_PARSER_ERROR/]
      ]
      for (const [body, pattern] of expected) assert.match(refusal(yield* post("/sobjects/Item__c", body)), pattern)
      assert.match(refusal(yield* patch(path, { Name: null })), /^400 REQUIRED_FIELD_MISSING/)
      assert.match(refusal(yield* patch(path, { Id: id })), /^400 INVALID_FIELD/)
      for (const nowhere of ["/sobjects/Nope__c", "/sobjects/Item__c/a00Qx0000000099AAA", "/sobjects/Item__c/x"]) {
        assert.match(
          refusal(yield* patch(`${nowhere}${nowhere === "/sobjects/Nope__c" ? "/x" : ""}`, {})),
          /^404 NOT_FOUND/
        )
      }
      assert.match(refusal(yield* post("/sobjects/Nope__c", {})), /^404 NOT_FOUND/)
      assert.match(refusal(yield* get("/sobjects/Item__c/x")), /^404 NOT_FOUND/)
      assert.match(refusal(yield* send(Request.put(path))), /^405 METHOD_NOT_ALLOWED .*GET,PATCH,DELETE$/)
    }).pipe(Effect.provide(org()))
  )

  it.effect("name their parents by keys, and themselves by their ids", () =>
    Effect.gen(function* () {
      const { get, patch, post } = yield* api
      const parent = json(yield* post("/sobjects/Shelf__c", { Name: "s", Number__c: "S-1" }))
      const place = (Shelf__r: unknown) =>
        post("/sobjects/Box__c", { attributes: { type: "Box__c" }, Name: "b", Shelf__r })
      const placed = yield* place({ attributes: { type: "Shelf__c" }, Number__c: "S-1" })
      assert.strictEqual(placed.status, 201, placed.text)
      const { id } = json(placed)
      assert.deepInclude(json(yield* get(`/sobjects/Box__c/${id}`)), { Name: "b", Shelf__c: parent.id })
      const expected: ReadonlyArray<readonly [body: unknown, pattern: RegExp]> = [
        [
          { Number__c: "S-2" },
          /^400 INVALID_FIELD Foreign key external ID: S-2 not found for field Number__c in entity/i
        ],
        [{ Name: "s" }, /^400 INVALID_FIELD Field name not found : Shelf__r.Name$/],
        [{ Number__c: "S-1", Name: "s" }, /^400 JSON_PARSER_ERROR/],
        ["S-1", /^400 INVALID_FIELD/]
      ]
      for (const [body, pattern] of expected) assert.match(refusal(yield* place(body)), pattern)

      // the id is a key like another
      assert.deepInclude(json(yield* get(`/sobjects/Box__c/Id/${id}`)), { Id: id, Name: "b" })
      const changed = yield* patch(`/sobjects/Box__c/Id/${id}`, { Name: "c" })
      assert.deepStrictEqual([changed.status, json(changed).created], [200, false])
      assert.deepInclude(json(yield* get(`/sobjects/Box__c/${id}`)), { Name: "c" })
      assert.match(refusal(yield* get("/sobjects/Box__c/Id/a00Qx0000000099AAA")), /^404 NOT_FOUND/)
    }).pipe(
      Effect.provide(
        org({
          objects: [
            Describe.make({
              name: "Shelf__c",
              fields: [{ name: "Name" }, { name: "Number__c", length: 10, externalId: true, unique: true }]
            }),
            Describe.make({
              name: "Box__c",
              fields: [
                { name: "Name", length: 20 },
                { name: "Shelf__c", type: "reference", referenceTo: ["Shelf__c"], relationshipName: "Shelf__r" }
              ]
            })
          ]
        })
      )
    )
  )

  it.effect("are found and upserted by an external id", () =>
    Effect.gen(function* () {
      const { get, patch, post } = yield* api
      const path = "/sobjects/Item__c/Sku__c/k%201"
      const inserted = yield* patch(path, { Name: "a" })
      const id = "a00Qx0000000001IAA"
      assert.strictEqual(inserted.status, 201)
      assert.deepStrictEqual(json(inserted), { id, success: true, errors: [], created: true })
      const updated = yield* patch(path, { Name: "b" })
      assert.strictEqual(updated.status, 200)
      assert.deepStrictEqual(json(updated), { id, success: true, errors: [], created: false })
      assert.deepInclude(json(yield* get("/sobjects/Item__c/sku__c/K%201")), { Id: id, Name: "b", Sku__c: "k 1" })
      assert.match(refusal(yield* patch(path, { Sku__c: "k" })), /^400 INVALID_FIELD The Sku__c field should not/)
      assert.match(refusal(yield* patch("/sobjects/Item__c/Sku__c/new", {})), /^400 REQUIRED_FIELD_MISSING/)
      assert.match(refusal(yield* get("/sobjects/Item__c/Sku__c/none")), /^404 NOT_FOUND/)
      for (const key of ["Name", "Nope"]) {
        const text = `404 NOT_FOUND Provided external ID field does not exist or is not accessible: ${key}`
        assert.strictEqual(refusal(yield* get(`/sobjects/Item__c/${key}/x`)), text)
      }

      yield* post("/sobjects/Item__c", { Name: "one", Group__c: "g" })
      yield* post("/sobjects/Item__c", { Name: "two", Group__c: "G" })
      for (const answer of [
        yield* get("/sobjects/Item__c/Group__c/g"),
        yield* patch("/sobjects/Item__c/Group__c/g", { Name: "x" })
      ]) {
        assert.strictEqual(answer.status, 300)
        const urls: ReadonlyArray<string> = JSON.parse(answer.text)
        assert.strictEqual(urls.length, 2)
        for (const url of urls) assert.match(url, /^\/services\/data\/v68\.0\/sobjects\/Item__c\/a00\w{15}$/)
      }
    }).pipe(Effect.provide(org()))
  )

  it.effect("say nothing of an update by upsert before version 46", () =>
    Effect.gen(function* () {
      const { accessToken, instanceUrl } = yield* EmbeddedOrg.EmbeddedOrg
      const client = yield* HttpClient.HttpClient
      const upsert = (version: string) =>
        client.execute(
          Request.patch(`${instanceUrl}/services/data/v${version}/sobjects/Item__c/Sku__c/s`).pipe(
            Request.bearerToken(accessToken),
            Request.bodyJsonUnsafe({ Name: "a" })
          )
        )
      assert.strictEqual((yield* upsert("45.0")).status, 201)
      assert.strictEqual((yield* upsert("45.0")).status, 204)
      assert.strictEqual((yield* upsert("46.0")).status, 200)
    }).pipe(Effect.provide(org()))
  )
})
