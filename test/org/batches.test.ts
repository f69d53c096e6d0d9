import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import * as Faults from "../../src/org/Faults.ts"
import { Receiver } from "../../src/org/upload.ts"
import { ended } from "./running.ts"
import { api, item, sortedRows } from "./support.ts"

const rows = 25_000
const csv = (row: (i: number) => string, header: string) =>
  `${header}\n${Array.from({ length: rows }, (_, i) => `${row(i)}\n`).join("")}`

const numbersOf = (cells: ReadonlyArray<string>) => cells.map((row) => Number(/n(\d+)/.exec(row)?.[1]))

describe("batches of 10,000 rows", () => {
  const held = EmbeddedOrg.layerHttpClient({
    objects: [item],
    queueDelay: "1 second",
    faults: [Faults.onJob(Faults.stall({ after: 3_000 }))]
  })

  it.effect("run beside each other, and an abort leaves what each has committed", () =>
    Effect.gen(function* () {
      const { abort, info, submit, successful, unprocessed } = yield* api
      const id = yield* submit(
        {},
        csv((i) => `n${i}`, "Name")
      )
      yield* TestClock.adjust("1 second")
      yield* Effect.repeat(Effect.tap(info(id), Effect.yieldNow), {
        until: ({ numberRecordsProcessed }) => numberRecordsProcessed === 3_000
      })
      assert.strictEqual((yield* abort(id)).status, 200)
      const done = numbersOf(sortedRows(yield* successful(id))).sort((a, b) => a - b)
      const expected = [0, 10_000, 20_000].flatMap((first) => Array.from({ length: 1_000 }, (_, i) => first + i))
      assert.deepStrictEqual(done, expected)
      const left = numbersOf(sortedRows(yield* unprocessed(id)))
      assert.strictEqual(new Set([...done, ...left]).size, rows)
      assert.strictEqual(left.length, rows - 3_000)
    }).pipe(Effect.provide(held))
  )

  const contending = (contention: boolean) =>
    EmbeddedOrg.layerHttpClient({ objects: [item], queueDelay: "1 second", contention, seed: 1 })

  /** A load whose rows name their parents by this column. */
  const loadBy = Effect.fnUntraced(function* (column: string) {
    const { failed, submit, successful } = yield* api
    const { seed } = yield* EmbeddedOrg.EmbeddedOrg
    const { Account: accounts = [] } = yield* seed({ Account: [{ Name: "a" }, { Name: "b" }, { Name: "c" }] })
    // each batch has a parent of its own, and in every tenth row one that all share
    const id = yield* submit(
      {},
      csv((i) => `n${i},${i % 10 === 0 ? accounts[2] : i < 10_000 ? accounts[0] : ""}`, `Name,${column}`)
    )
    yield* TestClock.adjust("1 second")
    const job = yield* ended(id)
    assert.strictEqual(job.state, "JobComplete")
    return {
      job,
      failed: sortedRows(yield* failed(id)),
      successful: sortedRows(yield* successful(id)).length,
      shared: accounts[2]
    }
  })
  const load = loadBy("Account__c")

  it.effect("contend for the parents they share, the same rows in each run", () =>
    Effect.gen(function* () {
      const first = yield* Effect.provide(load, contending(true))
      const count = first.failed.length
      // of the 2,500 rows with that parent, those of the first batch have the lock
      assert.isTrue(count > 200 && count < 600, `${count}`)
      assert.strictEqual(first.successful, rows - count)
      assert.strictEqual(first.job.numberRecordsFailed, count)
      assert.isTrue(Number(first.job.retries) > 10, `${first.job.retries}`)
      const error = `"","UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: ${first.shared}:--"`
      for (const row of first.failed) assert.isTrue(row.startsWith(error), row)
      const again = yield* Effect.provide(load, contending(true))
      assert.deepStrictEqual(again.failed, first.failed)
      const calm = yield* Effect.provide(load, contending(false))
      assert.deepStrictEqual([calm.failed.length, calm.job.retries], [0, 0])
    })
  )

  it.effect("contend for parents that are named by their keys, too", () =>
    Effect.gen(function* () {
      const { failed, successful } = yield* Effect.provide(loadBy("Account__r.Id"), contending(true))
      assert.isTrue(failed.length > 200 && failed.length < 600, `${failed.length}`)
      assert.strictEqual(successful, rows - failed.length)
      // which record that is shows only when the row is written
      const error = '"","UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--"'
      for (const row of failed) assert.isTrue(row.startsWith(error), row)
    })
  )
})

describe("an upload", () => {
  it("is kept in blocks of whole rows, wherever its pieces are cut", () => {
    const text = `Name,Size\n${Array.from({ length: 12_000 }, (_, i) => `"é ""${i}""\nx",${i}\n`).join("")}`
    const bytes = new TextEncoder().encode(text)
    for (const size of [997, 65_536, bytes.length]) {
      const blocks: Array<{ readonly seq: number; readonly rows: number; readonly bytes: Uint8Array }> = []
      const receiver = new Receiver({ columnDelimiter: "COMMA", lineEnding: "LF" }, (block) => blocks.push(block))
      for (let at = 0; at < bytes.length; at += size) receiver.add(bytes.subarray(at, at + size))
      receiver.end()
      assert.strictEqual(receiver.rows, 12_000)
      assert.strictEqual(Buffer.concat(blocks.map((block) => block.bytes)).toString(), text)
      let first = 0
      for (const block of blocks) {
        assert.strictEqual(block.seq, first)
        if (first > 0) assert.isTrue(new TextDecoder().decode(block.bytes).startsWith(`"é ""${first}""`))
        first += block.rows
      }
      assert.strictEqual(first, 12_000)
    }
  })

  it("goes on behind a row that is long, but not too long", () => {
    const long = `${"x".repeat(100_000)},${"é".repeat(100_000)}\n`
    const text = `Name,Text\n${"a,b\n".repeat(40_000)}${long}${"c,d\n".repeat(40_000)}`
    const bytes = new TextEncoder().encode(text)
    for (const size of [1_000, 65_536, bytes.length]) {
      const blocks: Array<{ readonly seq: number; readonly rows: number; readonly bytes: Uint8Array }> = []
      const receiver = new Receiver({ columnDelimiter: "COMMA", lineEnding: "LF" }, (block) => blocks.push(block))
      for (let at = 0; at < bytes.length; at += size) receiver.add(bytes.subarray(at, at + size))
      receiver.end()
      assert.deepStrictEqual([receiver.rows, receiver.fault], [80_001, undefined])
      assert.strictEqual(Buffer.concat(blocks.map((block) => block.bytes)).toString(), text)
      let first = 0
      for (const block of blocks) {
        assert.deepStrictEqual(
          [block.seq, new TextDecoder().decode(block.bytes).trimEnd().split("\n").length],
          [first, block.rows + (first === 0 ? 1 : 0)]
        )
        first += block.rows
      }
    }
  })

  it("may have blank lines, however many", () => {
    const blank = new Uint8Array(65_536).fill(10)
    // the last row is too long for who only counts rows
    for (const [text, rows] of [
      ["", 0],
      ["Name\n", 0],
      ["Name\nx\n", 1],
      [`Name\n"${"é".repeat(70_000)}"\n`, 1]
    ] as const) {
      const blocks: Array<{ readonly seq: number; readonly bytes: Uint8Array }> = []
      const receiver = new Receiver({ columnDelimiter: "COMMA", lineEnding: "LF" }, (block) => blocks.push(block))
      const add = (text: string) => receiver.add(new TextEncoder().encode(text))
      add(text)
      for (let i = 0; i < 16; i++) receiver.add(blank)
      if (text !== "") add("y\n")
      receiver.end()
      assert.deepStrictEqual([receiver.rows, receiver.fault], [text === "" ? 0 : rows + 1, undefined])
      assert.strictEqual(new Set(blocks.map(({ seq }) => seq)).size, blocks.length)
      const kept = Buffer.concat(blocks.map(({ bytes }) => bytes))
      assert.isAtMost(kept.length, text.length + 200_000)
      assert.strictEqual(kept.toString().replace(/\n+/g, "\n").trim(), text === "" ? "" : `${text}y`)
    }
  })

  it("keeps what follows a fault as it came", () => {
    const text = `Name\n${"fine\n".repeat(20_000)}bad"\n${"more\n".repeat(20_000)}`
    const blocks: Array<{ readonly seq: number; readonly bytes: Uint8Array }> = []
    const receiver = new Receiver({ columnDelimiter: "COMMA", lineEnding: "LF" }, (block) => blocks.push(block))
    for (let at = 0; at < text.length; at += 1_000) receiver.add(new TextEncoder().encode(text.slice(at, at + 1_000)))
    receiver.end()
    assert.match(receiver.fault ?? "", /Found unescaped quote/)
    assert.strictEqual(Buffer.concat(blocks.map((block) => block.bytes)).toString(), text)
    const seqs = blocks.map(({ seq }) => seq)
    assert.deepStrictEqual(
      seqs,
      [...new Set(seqs)].sort((a, b) => a - b)
    )
  })
})
