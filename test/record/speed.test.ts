// No timed test: what is compiled is measured against Schema, in the same process and in
// turns. It is ten times as fast and more; the margin is wide, and what it finds is a
// codec that leaves its records to Schema unseen.

import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Csv from "../../src/record/Csv.ts"
import { Parser } from "../../src/record/csv/parser.ts"
import { records } from "../../src/record/decode.ts"
import { Account, accounts, codecOf } from "../bench/data.ts"

const cpu = (work: () => void): number => {
  const before = process.cpuUsage()
  work()
  const { system, user } = process.cpuUsage(before)
  return user + system
}

/** How many times as long the one takes as the other, at their best. */
const ratio = (one: () => void, other: () => void): number => {
  const best = { one: Number.POSITIVE_INFINITY, other: Number.POSITIVE_INFINITY }
  for (let i = 0; i < 12; i++) {
    best.one = Math.min(best.one, cpu(one))
    best.other = Math.min(best.other, cpu(other))
  }
  return best.one / best.other
}

describe("a compiled codec", () => {
  const codec = codecOf(Account)
  const all = accounts(2_000, true)
  const rows = all.map((record) => Result.getOrThrow(codec.encode(record, "ignore")))

  it("reads faster than Schema", () => {
    const bytes = new TextEncoder().encode(Csv.encodeRows([codec.columns, ...rows]).replace(/^[^"\n]+$/gm, quoted))
    const decode = Result.getOrThrow(codec.decoder(codec.columns))
    const bySchema = () => {
      for (const row of rows) Result.getOrThrow(decode(row))
    }
    const compiled = () => {
      const out: Array<typeof Account.Type> = []
      const parser = new Parser(Csv.standard, records(codec))
      assert.isUndefined(parser.feed(bytes, out) ?? parser.end(out))
      assert.strictEqual(out.length, all.length)
    }
    assert.isAbove(ratio(bySchema, compiled), 3)
  })

  it("writes faster than Schema", () => {
    const encode = codec.encoder({ nulls: "ignore" })
    const bySchema = () => {
      Csv.encodeRows(all.map((record) => Result.getOrThrow(codec.encode(record, "ignore"))))
    }
    const compiled = () => {
      assert.strictEqual(encode(all).rows, all.length)
    }
    assert.isAbove(ratio(bySchema, compiled), 2)
  })
})

const quoted = (line: string): string =>
  line
    .split(",")
    .map((cell) => `"${cell}"`)
    .join(",")
