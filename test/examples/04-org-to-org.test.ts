import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { IngestJob } from "../../src/index.ts"
import { EmbeddedOrg, Faults } from "../../src/org/index.ts"
import { environment, realOrg } from "./realOrg.ts"
import { runExample } from "./run.ts"

const prefixed = (env: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(env).map(([name, value]) => [`TARGET_${name}`, value]))

/** Two orgs, and what tells the example of them. The first one has three accounts, the child first, and two contacts. */
const twoOrgs = Effect.fnUntraced(function* (target: EmbeddedOrg.Options) {
  const from = yield* Layer.build(realOrg("04-org-to-org"))
  const to = yield* Layer.build(realOrg("04-org-to-org", target))
  // whose ids are those of the first org, so that what is new has others
  const others = Array.from({ length: 5 }, (_, i) => i)
  yield* EmbeddedOrg.EmbeddedOrg.use(({ seed }) =>
    seed({
      Account: others.map((i) => ({ Name: `Other ${i}` })),
      Contact: others.map((i) => ({ LastName: `Other ${i}` }))
    })
  ).pipe(Effect.provideContext(to))
  yield* EmbeddedOrg.EmbeddedOrg.use(({ seed }) =>
    Effect.gen(function* () {
      const { Account: [top = ""] = [] } = yield* seed({ Account: [{ Name: "Top, Inc.", Number__c: "A-9" }] })
      const { Account: [sub = ""] = [] } = yield* seed({
        Account: [
          { Name: "Sub", Number__c: "A-1", ParentId: top },
          { Name: "Other", Number__c: "A-2" }
        ]
      })
      const { Contact: [boss = ""] = [] } = yield* seed({
        Contact: [{ LastName: "Müller", Number__c: "C-2", AccountId: sub }]
      })
      yield* seed({ Contact: [{ LastName: "Li", Number__c: "C-1", ReportsToId: boss }] })
    })
  ).pipe(Effect.provideContext(from))
  const env = {
    ...(yield* Effect.provideContext(environment, from)),
    ...prefixed(yield* Effect.provideContext(environment, to))
  }
  return { env, from, to }
})

const recordsOf = EmbeddedOrg.EmbeddedOrg.use(({ records }) =>
  Effect.map(Effect.all([records("Account"), records("Contact")]), ([accounts, contacts]) => [...accounts, ...contacts])
)

// each run starts processes of its own
describe("04-org-to-org", { timeout: 60_000 }, () => {
  it.live("copies seeded accounts and contacts, with all that they refer to", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* runExample("04", ["--rows", "600"])
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /^accounts: 150 copied\nparents of accounts: 30 copied\ncontacts: 600 copied$/m)
      const lines = [...stdout.matchAll(/^(\w[\w ]+?) {2,}(\S+) +(\S+)$/gm)].map(([, ...cells]) => cells)
      assert.deepStrictEqual(
        lines.map(([name]) => name),
        [
          "accounts",
          "with a parent",
          "contacts",
          "of an account",
          "who report to someone",
          "checksum of parents",
          "checksum of accounts",
          "checksum of reports"
        ]
      )
      for (const [name, source, target] of lines) assert.strictEqual(target, source, name)
      assert.deepStrictEqual(lines[4], ["who report to someone", "200", "200"])
    })
  )

  it.live("takes no id of the one org to the other, and notices what the other refused", () =>
    Effect.gen(function* () {
      const { env, from, to } = yield* twoOrgs({
        onRow: { Contact: ({ values }) => (values.Number__c === "C-1" ? [{ message: "not this one" }] : []) }
      })
      const { code, stderr, stdout } = yield* runExample("04", [], { env })
      assert.strictEqual(code, 1)
      assert.include(stdout, "contacts: 1 copied, 1 FIELD_CUSTOM_VALIDATION_EXCEPTION\n")
      assert.match(stdout, /^with a parent +1 +1$/m)
      assert.match(stdout, /^contacts +2 +6$/m)
      assert.match(stderr, /^Different: The orgs differ/m)

      const source = yield* Effect.provideContext(recordsOf, from)
      const target = yield* Effect.provideContext(recordsOf, to)
      const ids = new Set(source.map(({ Id }) => String(Id)))
      const numbered = target.filter(({ Number__c }) => Number__c !== null)
      assert.strictEqual(numbered.length, 4)
      const cells = numbered.flatMap((record) => Object.values(record).map(String))
      assert.deepStrictEqual(
        cells.filter((cell) => ids.has(cell)),
        []
      )
      const nameOf = (id: unknown) => target.find(({ Id }) => Id === id)?.Name
      const byNumber = (number: string) => target.find(({ Number__c }) => Number__c === number)
      assert.strictEqual(nameOf(byNumber("A-1")?.ParentId), "Top, Inc.")
      assert.strictEqual(nameOf(byNumber("C-2")?.AccountId), "Sub")
    }).pipe(Effect.scoped)
  )

  it.live("aborts its job when it is interrupted, and says so", () =>
    Effect.gen(function* () {
      const { env, to } = yield* twoOrgs({ faults: [Faults.onJob(Faults.stall())] })
      const { code, stderr } = yield* runExample("04", [], {
        env,
        onOutput: ({ stderr }, example) => {
          if (!example.killed && /uploaded$/m.test(stderr)) example.kill("SIGINT")
        }
      })
      assert.strictEqual(code, 130)
      assert.match(stderr, /^Interrupted: the jobs that were not done are aborted\.$/m)
      const jobs = yield* Stream.runCollect(IngestJob.list).pipe(Effect.provideContext(to))
      assert.deepStrictEqual(
        jobs.map(({ state }) => state),
        ["Aborted"]
      )
    }).pipe(Effect.scoped)
  )
})
