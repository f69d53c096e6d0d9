import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { runExample } from "./run.ts"

/** Two processes start for each run, on a machine that may be busy. */
const timeout = 120_000

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "example-06-test-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

const read = (path: string) => Effect.promise(() => readFile(path, "utf8"))
const write = (path: string, text: string) => Effect.promise(() => writeFile(path, text))
const files = (path: string) => Effect.promise(async () => (await readdir(path)).sort())

describe("06-files", () => {
  it.live(
    "loads a sample with bad rows, keeps those in a file, and saves what the org has",
    () =>
      Effect.gen(function* () {
        const temporary = yield* folder
        const { code, stderr, stdout } = yield* runExample("06", [], { env: { TMPDIR: temporary } })
        assert.strictEqual(code, 0, stderr)
        assert.match(stdout, /^error +Name: .*\[REQUIRED_BLANK, 10 records\]/m)
        assert.match(stdout, /^470 succeeded, 30 failed$/m)
        const [, rejects = ""] = /^What was refused, and why: (.*)$/m.exec(stdout) ?? []
        const [, saved = ""] = /^What the org has: (.*)$/m.exec(stdout) ?? []
        assert.strictEqual((yield* read(rejects)).match(/,STRING_TOO_LONG,/g)?.length, 10)
        assert.strictEqual((yield* read(saved)).match(/^"001/gm)?.length, 470)
      }),
    timeout
  )

  it.live(
    "loads a file of one's own, and its rejects as they are once they are corrected",
    () =>
      Effect.gen(function* () {
        const own = yield* folder
        const [file, rejects] = [join(own, "people.csv"), join(own, "people.rejects.csv")]
        yield* write(file, 'Name,City__c\n"Hopper, Grace",New York\n,Paris\n')
        const object = ["--object", "People__c", "--objects", file]
        const first = yield* runExample("06", [file, ...object])
        assert.strictEqual(first.code, 0, first.stderr)
        assert.match(first.stdout, /^1 succeeded, 1 failed$/m)
        assert.match(
          yield* read(join(own, "people.from-org.csv")),
          /^"Id","Name","City__c"\n"\w{18}","Hopper, Grace","New York"\n$/
        )
        assert.match(yield* read(rejects), /^Name,City__c,_error_code,.*\n,Paris,REQUIRED_FIELD_MISSING,/)

        yield* write(rejects, (yield* read(rejects)).replace("\n,Paris", "\nAda,Paris"))
        const second = yield* runExample("06", [rejects, ...object, "--operation", "insert"])
        assert.strictEqual(second.code, 0, second.stderr)
        assert.match(second.stdout, /^1 succeeded, 0 failed$/m)
        assert.deepStrictEqual(yield* files(own), [
          "people.csv",
          "people.from-org.csv",
          "people.rejects.csv",
          "people.rejects.from-org.csv"
        ])
      }),
    timeout
  )

  it.live(
    "sends nothing of a file whose columns the object does not have",
    () =>
      Effect.gen(function* () {
        const own = yield* folder
        const file = join(own, "accounts.csv")
        yield* write(file, "Name,Shoe_Size__c\nA,42\n")
        const { code, stderr, stdout } = yield* runExample("06", [file, "--object", "Account"])
        assert.strictEqual(code, 1)
        assert.match(stdout, /^fatal +Shoe_Size__c: /m)
        assert.match(stderr, /^.*Shoe_Size__c.*$/m)
        assert.notMatch(stdout, /succeeded/)
        assert.deepStrictEqual(yield* files(own), ["accounts.csv"])
      }),
    timeout
  )
})
