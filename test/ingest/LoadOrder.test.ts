import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Exit, Result, Schema, SchemaTransformation, Stream } from "effect"
import type { BulkError } from "../../src/BulkError.ts"
import * as LoadOrder from "../../src/ingest/LoadOrder.ts"
import * as Spool from "../../src/ingest/Spool.ts"
import * as Describe from "../../src/job/Describe.ts"
import { EmbeddedOrg, Faults, Describe as OrgDescribe } from "../../src/org/index.ts"
import { inProcess, Requests, virtually } from "../support/orgs.ts"

const region = OrgDescribe.make({
  name: "Region__c",
  fields: [
    { name: "Name", length: 20, nillable: false },
    { name: "Code__c", length: 10, externalId: true, unique: true },
    { name: "Exact__c", length: 10, externalId: true, unique: true, caseSensitive: true },
    { name: "Parent__c", type: "reference", referenceTo: ["Region__c"], relationshipName: "Parent__r" },
    { name: "Flagship__c", type: "reference", referenceTo: ["Shop__c"], relationshipName: "Flagship__r" }
  ]
})

const shop = OrgDescribe.make({
  name: "Shop__c",
  fields: [
    { name: "Name", length: 20, nillable: false },
    { name: "Number__c", length: 10, externalId: true, unique: true },
    { name: "Region__c", type: "reference", referenceTo: ["Region__c"], relationshipName: "Region__r" },
    { name: "Exact__c", type: "reference", referenceTo: ["Region__c"], relationshipName: "Exact__r" }
  ]
})

const visit = OrgDescribe.make({
  name: "Visit__c",
  fields: [
    { name: "Name", length: 20, nillable: false },
    { name: "Key__c", length: 10, externalId: true, unique: true },
    { name: "At__c", type: "reference", referenceTo: ["Shop__c", "Region__c"], relationshipName: "At__r" }
  ]
})

const Region = Schema.Struct({
  Name: Schema.String,
  Code__c: Schema.String,
  Exact__c: Schema.String,
  Parent__r: Schema.NullOr(Schema.Struct({ Code__c: Schema.String }))
})

/** A region whose fields have names of their own. */
const Parent = Schema.Struct({ code: Schema.String }).pipe(Schema.encodeKeys({ code: "Code__c" }))
const fields = { name: Schema.String, code: Schema.String, exact: Schema.String, parent: Schema.NullOr(Parent) }
const Named = Schema.Struct(fields).pipe(
  Schema.encodeKeys({ name: "Name", code: "Code__c", exact: "Exact__c", parent: "Parent__r" })
)
/** The same, for all that a codec can tell. */
const Transformed = Region.pipe(
  Schema.decodeTo(
    Schema.toType(Named),
    SchemaTransformation.transform({
      decode: ({ Code__c, Exact__c, Name, Parent__r }) => ({
        name: Name,
        code: Code__c,
        exact: Exact__c,
        parent: Parent__r && { code: Parent__r.Code__c }
      }),
      encode: ({ code, exact, name, parent }) => ({
        Name: name,
        Code__c: code,
        Exact__c: exact,
        Parent__r: parent && { Code__c: parent.code }
      })
    })
  )
)

const Shop = Schema.Struct({
  Name: Schema.String,
  Number__c: Schema.String,
  Region__r: Schema.NullOr(Schema.Struct({ Code__c: Schema.String }))
})

const Visit = Schema.Struct({
  Name: Schema.String,
  Key__c: Schema.String,
  "Shop__c:At__r": Schema.Struct({ Number__c: Schema.String })
})

const regionOf = (code: string, parent: string | null, name = code): typeof Region.Type => ({
  Name: name,
  Code__c: code,
  Exact__c: code,
  Parent__r: parent === null ? null : { Code__c: parent }
})

const shopOf = (number: string, region: string | null): typeof Shop.Type => ({
  Name: `Shop ${number}`,
  Number__c: number,
  Region__r: region === null ? null : { Code__c: region }
})

const visitOf = (key: string, shop: string): typeof Visit.Type => ({
  Name: `Visit ${key}`,
  Key__c: key,
  "Shop__c:At__r": { Number__c: shop }
})

const regions = (records: ReadonlyArray<typeof Region.Type>, nulls: "clear" | "ignore" = "ignore") =>
  Stream.fromIterable(records).pipe(
    LoadOrder.upsert({ object: "Region__c", schema: Region, externalId: "Code__c", nulls })
  )

const shops = (records: ReadonlyArray<typeof Shop.Type>) =>
  Stream.fromIterable(records).pipe(
    LoadOrder.upsert({ object: "Shop__c", schema: Shop, externalId: "Number__c", nulls: "ignore" })
  )

const visits = (records: ReadonlyArray<typeof Visit.Type>) =>
  Stream.fromIterable(records).pipe(LoadOrder.insert({ object: "Visit__c", schema: Visit, key: "Key__c" }))

const org = (options: EmbeddedOrg.Options = {}) => inProcess({ objects: [region, shop, visit], ...options })

/** What became of each record, like `1 Region__c A succeeded`. */
const told = <E, R>(
  loaded: Stream.Stream<
    | LoadOrder.Loaded<"Region__c", typeof Region.Type>
    | LoadOrder.Loaded<"Shop__c", typeof Shop.Type>
    | LoadOrder.Loaded<"Visit__c", typeof Visit.Type>,
    E,
    R
  >
) => {
  const lines: Array<string> = []
  const keyOf = (cells: object): string => {
    const { Code__c, Key__c, Number__c } = cells as Record<string, string>
    return Code__c ?? Number__c ?? Key__c ?? ""
  }
  return loaded.pipe(
    Stream.runForEach(({ object, outcome, pass }) =>
      Effect.sync(() => {
        const what =
          outcome._tag === "Succeeded"
            ? `${keyOf(outcome.row)} succeeded`
            : outcome._tag === "Failed"
              ? `${keyOf(outcome.record)} ${outcome.error.code}`
              : `${keyOf(outcome.record)} ${outcome.reason} ${outcome.blockedBy?.column} ${outcome.blockedBy?.value}`
        lines.push(`${pass} ${object} ${what}`)
      })
    ),
    Effect.exit,
    Effect.map((exit) => ({ lines, error: Exit.findErrorOption(exit) }))
  )
}

/** The parents of all regions by their codes. */
const parents = Effect.gen(function* () {
  const { records } = yield* EmbeddedOrg.EmbeddedOrg
  const all = yield* records("Region__c")
  const codes = new Map(all.map(({ Code__c, Id }) => [Id, Code__c]))
  return Object.fromEntries(all.map(({ Code__c, Parent__c }) => [Code__c, codes.get(Parent__c ?? "") ?? null]))
})

const jobs = Effect.map(Requests, (requests) => requests.filter((each) => each === "POST /jobs/ingest").length)

const orderOf = (result: Result.Result<ReadonlyArray<LoadOrder.Step>, BulkError>) =>
  Result.match(result, {
    onSuccess: (steps) => steps.map(({ object }) => object),
    onFailure: ({ reason }) => reason
  })

describe("LoadOrder.order", () => {
  const described = Effect.map(
    Effect.all([Describe.object("Visit__c"), Describe.object("Shop__c"), Describe.object("Region__c")]),
    ([visit, shop, region]) => ({ visit, shop, region })
  )

  it.effect("puts parents first, and keeps what does not matter as it was given", () =>
    Effect.gen(function* () {
      const { region, shop, visit } = yield* described
      const columns = ["Name", "Region__r.Code__c"]
      const steps = LoadOrder.order([
        { describe: visit },
        { describe: shop, columns },
        { describe: region, columns: ["Code__c", "parent__R.code__c"] }
      ])
      assert.deepStrictEqual(orderOf(steps), ["Region__c", "Shop__c", "Visit__c"])
      const [first, second] = Result.getOrThrow(steps)
      assert.deepStrictEqual(
        first?.selfLookups.map(({ column, key, object }) => [column, object, key?.name]),
        [["parent__R.code__c", "Region__c", "Code__c"]]
      )
      assert.deepStrictEqual(
        second?.parents.map(({ column, object }) => [column, object]),
        [["Region__r.Code__c", "Region__c"]]
      )
      // a column with an id, or to an object that is not loaded, asks for nothing
      const free = LoadOrder.order([
        { describe: shop, columns: ["Region__c", "Owner.Username"] },
        { describe: region, columns: ["Flagship__c"] }
      ])
      assert.deepStrictEqual(orderOf(free), ["Shop__c", "Region__c"])
      const typed = (column: string) =>
        orderOf(
          LoadOrder.order([
            { describe: visit, columns: [column] },
            { describe: shop, columns },
            { describe: region, columns }
          ])
        )
      // nor does a typed one to an object that is not loaded
      const without = LoadOrder.order([
        { describe: visit, columns: ["Shop__c:At__r.Number__c"] },
        { describe: region, columns }
      ])
      assert.deepStrictEqual(orderOf(without), ["Visit__c", "Region__c"])
      assert.deepStrictEqual(typed("Region__c:At__r.Code__c"), ["Region__c", "Visit__c", "Shop__c"])
      assert.deepStrictEqual(typed("Shop__c:At__r.Number__c"), ["Region__c", "Shop__c", "Visit__c"])
    }).pipe(Effect.provide(org()))
  )

  it.effect("names a cycle, and the columns that make it", () =>
    Effect.gen(function* () {
      const { region, shop, visit } = yield* described
      const cycle = LoadOrder.order([
        { describe: visit },
        { describe: shop, columns: ["Region__r.Code__c"] },
        { describe: region, columns: ["Flagship__r.Number__c", "Parent__r.Code__c"] }
      ])
      assert.deepInclude(orderOf(cycle), {
        _tag: "LoadCycle",
        cycle: ["Shop__c", "Region__c", "Shop__c"],
        columns: ["Region__r.Code__c", "Flagship__r.Number__c"]
      })
      const message = Result.isFailure(cycle) ? cycle.failure.message : ""
      assert.include(message, "Shop__c needs Region__c (Region__r.Code__c), Region__c needs Shop__c")
      assert.deepInclude(orderOf(LoadOrder.order([{ describe: shop }, { describe: shop }])), { _tag: "InvalidOptions" })
    }).pipe(Effect.provide(org()))
  )
})

describe("LoadOrder.load", () => {
  it.effect("loads parents first, and fills what refers to its own object by a second pass", () =>
    Effect.gen(function* () {
      const loaded = LoadOrder.load([
        visits([visitOf("v1", "1")]),
        shops([shopOf("1", "de"), shopOf("2", null)]),
        // children come before their parents
        regions([regionOf("DE-BY", "DE"), regionOf("DE", "EU"), regionOf("EU", null)])
      ])
      const { error, lines } = yield* told(loaded)
      assert.deepStrictEqual(error._tag, "None")
      assert.deepStrictEqual(lines, [
        "1 Region__c DE-BY succeeded",
        "1 Region__c DE succeeded",
        "1 Region__c EU succeeded",
        "2 Region__c DE-BY succeeded",
        "2 Region__c DE succeeded",
        "1 Shop__c 1 succeeded",
        "1 Shop__c 2 succeeded",
        "1 Visit__c v1 succeeded"
      ])
      assert.deepStrictEqual(yield* parents, { "DE-BY": "DE", DE: "EU", EU: null })
      assert.strictEqual(yield* jobs, 4)
      // types: an outcome has the record of its object
      const first = yield* Stream.runHead(loaded)
      if (first._tag === "Some" && first.value.object === "Shop__c" && first.value.outcome._tag === "Failed") {
        assert.isString(first.value.outcome.record.Number__c)
      }
    }).pipe(virtually, Effect.provide(org()))
  )

  for (const [name, schema] of [
    ["renamed", Named],
    ["transformed as a whole", Transformed]
  ] as const) {
    it.effect(`knows records whose fields are ${name} by their columns`, () =>
      Effect.gen(function* () {
        const named = ["A", "B", "x".repeat(30)].map((code) => ({
          name: code,
          code,
          exact: code,
          parent: code === "A" ? { code: "B" } : null
        }))
        const loaded = LoadOrder.load([
          shops([shopOf("1", "A"), shopOf("2", "x".repeat(30))]),
          Stream.fromIterable(named).pipe(
            LoadOrder.upsert({ object: "Region__c", schema, externalId: "Code__c", nulls: "ignore" })
          )
        ])
        const outcomes = yield* Stream.runCollect(loaded)
        assert.deepStrictEqual(
          outcomes.map(({ object, outcome, pass }) => `${pass} ${object} ${outcome._tag}`),
          [
            ...["1 Region__c Failed", "1 Region__c Succeeded", "1 Region__c Succeeded", "2 Region__c Succeeded"],
            ...["1 Shop__c Unprocessed", "1 Shop__c Succeeded"]
          ]
        )
        assert.deepStrictEqual(yield* parents, { A: "B", B: null })
      }).pipe(virtually, Effect.provide(org()))
    )
  }

  it.effect("clears what refers to its own object too, where nulls clear", () =>
    Effect.gen(function* () {
      yield* told(LoadOrder.load([regions([regionOf("A", "B"), regionOf("B", null)], "clear")]))
      assert.deepStrictEqual(yield* parents, { A: "B", B: null })
      yield* told(LoadOrder.load([regions([regionOf("A", null), regionOf("B", "A")], "ignore")]))
      assert.deepStrictEqual(yield* parents, { A: "B", B: "A" })
      const { lines } = yield* told(LoadOrder.load([regions([regionOf("A", null), regionOf("B", "A")], "clear")]))
      assert.deepStrictEqual(yield* parents, { A: null, B: "A" })
      assert.strictEqual(lines.length, 4)
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("holds the children of what was not loaded, and their children", () =>
    Effect.gen(function* () {
      const tooLong = "x".repeat(30)
      const { error, lines } = yield* told(
        LoadOrder.load([
          visits([visitOf("v1", "1"), visitOf("v2", "2"), visitOf("v3", "3")]),
          shops([shopOf("1", "bad "), shopOf("2", "OK"), shopOf("3", null)]),
          regions([
            regionOf("BAD", "OK", tooLong),
            regionOf("OK", null),
            regionOf("SUB", "BAD"),
            regionOf("SUBSUB", "SUB")
          ])
        ])
      )
      assert.strictEqual(error._tag, "None")
      assert.deepStrictEqual(lines.toSorted(), [
        "1 Region__c BAD STRING_TOO_LONG",
        "1 Region__c OK succeeded",
        "1 Region__c SUB succeeded",
        "1 Region__c SUBSUB succeeded",
        "1 Shop__c 1 blocked Region__r.Code__c bad ",
        "1 Shop__c 2 succeeded",
        "1 Shop__c 3 succeeded",
        "1 Visit__c v1 blocked Shop__c:At__r.Number__c 1",
        "1 Visit__c v2 succeeded",
        "1 Visit__c v3 succeeded",
        "2 Region__c SUB blocked Parent__r.Code__c BAD",
        "2 Region__c SUBSUB succeeded"
      ])
      assert.deepStrictEqual(yield* parents, { OK: null, SUB: null, SUBSUB: "SUB" })
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("compares the names of parents as the org does", () =>
    Effect.gen(function* () {
      const Exact = Schema.Struct({
        Name: Schema.String,
        Number__c: Schema.String,
        Exact__r: Schema.Struct({ Exact__c: Schema.String })
      })
      const exact = (number: string, region: string) => ({
        Name: number,
        Number__c: number,
        Exact__r: { Exact__c: region }
      })
      const loaded = LoadOrder.load([
        Stream.make(exact("1", "bad"), exact("2", "BAD")).pipe(
          LoadOrder.upsert({ object: "Shop__c", schema: Exact, externalId: "Number__c", nulls: "ignore" })
        ),
        regions([regionOf("BAD", null, "x".repeat(30)), regionOf("bad2", null)])
      ])
      const outcomes = yield* Stream.runCollect(loaded)
      const reasons = outcomes.flatMap(({ object, outcome }) =>
        object === "Shop__c" ? [outcome._tag === "Unprocessed" ? outcome.reason : outcome._tag] : []
      )
      // a lower-case one is another region: it is sent, and the org does not find it
      assert.deepStrictEqual(reasons.toSorted(), ["Failed", "blocked"])
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("blocks nothing where it cannot tell which parents were not loaded", () =>
    Effect.gen(function* () {
      const Plain = Schema.Struct({ Name: Schema.String, Code__c: Schema.String })
      const Misnamed = Schema.Struct({
        Name: Schema.String,
        Number__c: Schema.String,
        Exact__r: Schema.Struct({ Exact__c: Schema.String }),
        Region__r: Schema.Struct({ None__c: Schema.String })
      })
      const loaded = LoadOrder.load([
        Stream.make({ Name: "1", Number__c: "1", Exact__r: { Exact__c: "A" }, Region__r: { None__c: "A" } }).pipe(
          LoadOrder.upsert({
            object: "Shop__c",
            schema: Misnamed,
            externalId: "Number__c",
            nulls: "ignore",
            onJobFailed: "continue"
          })
        ),
        // a parent that fails, of which neither name is known
        Stream.make({ Name: "x".repeat(30), Code__c: "A" }).pipe(
          LoadOrder.upsert({ object: "Region__c", schema: Plain, externalId: "Code__c", nulls: "ignore" })
        )
      ])
      const outcomes = yield* Stream.runCollect(loaded)
      const reasons = outcomes.map(({ object, outcome }) =>
        outcome._tag === "Unprocessed" ? `${object} ${outcome.reason}` : `${object} ${outcome._tag}`
      )
      assert.deepStrictEqual(reasons, ["Region__c Failed", "Shop__c unprocessed"])
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("gives records that cannot be written one outcome, and sends them in no pass", () =>
    Effect.gen(function* () {
      const { lines } = yield* told(
        LoadOrder.load([
          regions([regionOf("C", "B"), regionOf("A", "#N/A"), regionOf("B", null, "#N/A"), regionOf("D", "C")])
        ])
      )
      assert.deepStrictEqual(lines.toSorted(), [
        "1 Region__c A INVALID_RECORD",
        "1 Region__c B INVALID_RECORD",
        "1 Region__c C succeeded",
        "1 Region__c D succeeded",
        "2 Region__c C blocked Parent__r.Code__c B",
        "2 Region__c D succeeded"
      ])
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("blocks nothing for a record whose key another one has that was loaded", () =>
    Effect.gen(function* () {
      const first = Stream.make(regionOf("A", null), regionOf("A", null, "other")).pipe(
        LoadOrder.upsert({
          object: "Region__c",
          schema: Region,
          externalId: "Code__c",
          nulls: "ignore",
          duplicates: "first"
        })
      )
      const { lines } = yield* told(LoadOrder.load([shops([shopOf("1", "A")]), first]))
      assert.include(lines, "1 Shop__c 1 succeeded")
    }).pipe(virtually, Effect.provide(org()))
  )

  it.effect(
    "fails before anything is sent for a cycle, an object that is not there, and inserts that refer to themselves",
    () =>
      Effect.gen(function* () {
        const Flagged = Schema.Struct({
          Code__c: Schema.String,
          Flagship__r: Schema.Struct({ Number__c: Schema.String })
        })
        const flagged = Stream.make({ Code__c: "A", Flagship__r: { Number__c: "1" } }).pipe(
          LoadOrder.upsert({ object: "Region__c", schema: Flagged, externalId: "Code__c", nulls: "ignore" })
        )
        const reasonOf = <A, R>(self: Stream.Stream<A, BulkError, R>) =>
          Effect.map(Effect.flip(Stream.runDrain(self)), ({ reason }) => reason._tag)
        assert.strictEqual(yield* reasonOf(LoadOrder.load([shops([shopOf("1", "A")]), flagged])), "LoadCycle")
        const none = Stream.make(regionOf("A", null)).pipe(
          LoadOrder.upsert({ object: "None__c", schema: Region, externalId: "Code__c", nulls: "ignore" })
        )
        assert.strictEqual(yield* reasonOf(LoadOrder.load([none])), "ApiError")
        const inserted = Stream.make(regionOf("A", "B")).pipe(
          LoadOrder.insert({ object: "Region__c", schema: Region, key: "Code__c" })
        )
        assert.strictEqual(yield* reasonOf(LoadOrder.load([inserted])), "InvalidOptions")
        assert.strictEqual(yield* jobs, 0)
      }).pipe(virtually, Effect.provide(org()))
  )

  it.effect("fails as a source or a job does, and begins nothing after that", () =>
    Effect.gen(function* () {
      class Broken extends Data.TaggedError("Broken") {}
      const broken = Stream.concat(Stream.make(regionOf("A", null)), Stream.fail(new Broken())).pipe(
        LoadOrder.upsert({ object: "Region__c", schema: Region, externalId: "Code__c", nulls: "ignore" })
      )
      const source = yield* told(LoadOrder.load([shops([shopOf("1", "A")]), broken]))
      assert.deepStrictEqual(source.lines, [])
      assert.isTrue(source.error._tag === "Some" && source.error.value instanceof Broken)

      const job = yield* told(LoadOrder.load([shops([shopOf("1", "A")]), regions([regionOf("A", null)])]))
      assert.deepStrictEqual(job.lines, ["1 Region__c A unprocessed undefined undefined"])
      assert.deepInclude(job.error, { _tag: "Some" })
    }).pipe(virtually, Effect.provide(org({ faults: [Faults.onJob(Faults.fail({ after: 0 }))] })))
  )

  it.effect("blocks the children of a job that failed, where that does not end the load", () =>
    Effect.gen(function* () {
      const first = Stream.make(regionOf("A", null)).pipe(
        LoadOrder.upsert({
          object: "Region__c",
          schema: Region,
          externalId: "Code__c",
          nulls: "ignore",
          onJobFailed: "continue"
        })
      )
      const { lines } = yield* told(LoadOrder.load([shops([shopOf("1", "A"), shopOf("2", null)]), first]))
      assert.deepStrictEqual(lines.toSorted(), [
        "1 Region__c A unprocessed undefined undefined",
        "1 Shop__c 1 blocked Region__r.Code__c A",
        "1 Shop__c 2 succeeded"
      ])
    }).pipe(virtually, Effect.provide(org({ faults: [Faults.onJob(Faults.fail({ after: 0 }), { nth: 1 })] })))
  )

  it.effect("keeps what waits for the second pass in the spool, in many pieces", () =>
    Effect.gen(function* () {
      const count = 3_000
      let written = 0
      const counting: Spool.Kind = {
        ...Spool.memory(),
        open: (options) =>
          Effect.map(Spool.memory().open(options), (spooled) => ({
            ...spooled,
            write: (bytes) => {
              written++
              return spooled.write(bytes)
            }
          }))
      }
      const records = Array.from({ length: count }, (_, i) => regionOf(`R${i}`, i === 0 ? null : `R${(i - 1) >> 1}`))
      const { lines } = yield* told(
        LoadOrder.load([
          Stream.fromIterable(records).pipe(
            Stream.rechunk(500),
            LoadOrder.upsert({
              object: "Region__c",
              schema: Region,
              externalId: "Code__c",
              nulls: "ignore",
              spool: counting
            })
          )
        ])
      )
      assert.strictEqual(lines.length, 2 * count - 1)
      const found = yield* parents
      assert.isTrue(records.every(({ Code__c, Parent__r }) => found[Code__c] === (Parent__r?.Code__c ?? null)))
      assert.isAtLeast(written, 6)
    }).pipe(virtually, Effect.provide(org()))
  )
})
