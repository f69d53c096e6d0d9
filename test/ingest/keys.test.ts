import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { Keys } from "../../src/ingest/keys.ts"
import { recordBlocks } from "../../src/ingest/recordBlocks.ts"
import { prefix, rowFilter, withoutRows } from "../../src/ingest/rows.ts"
import * as RecordCodec from "../../src/record/RecordCodec.ts"

describe("Keys", () => {
  it.prop(
    "tell the first row of a key, and the last one if later rows take its place",
    { keys: Schema.Array(Schema.String) },
    ({ keys }) => {
      for (const replace of [false, true]) {
        const compact = new Keys()
        const map = new Map<string, number>()
        let size = 0
        for (const key of keys) {
          const earlier = map.get(key) ?? -1
          assert.strictEqual(compact.add(key, replace), earlier)
          if (earlier < 0 || replace) map.set(key, size++)
        }
        assert.strictEqual(compact.size, size)
        for (const [key, index] of map) assert.strictEqual(compact.indexOf(key), index)
      }
    }
  )

  it.prop(
    "are added block by block as they are one by one, up to the first that is there already",
    { blocks: Schema.Array(Schema.Array(Schema.Union([Schema.String, Schema.Literals(["a", "b", "c"])]))) },
    ({ blocks }) => {
      const [byBlock, byOne] = [new Keys(), new Keys()]
      for (const keys of blocks) {
        for (let i = 0; i < keys.length; i++) {
          const added = byBlock.addNew(keys, i)
          const before = byOne.size
          while (i < keys.length && byOne.add(keys[i]!, false) < 0) i++
          assert.strictEqual(added, byOne.size - before)
          assert.strictEqual(byBlock.size, byOne.size)
          if (i < keys.length) assert.strictEqual(byBlock.add(keys[i]!, false), byOne.indexOf(keys[i]!))
        }
        for (const key of keys) assert.strictEqual(byBlock.indexOf(key), byOne.indexOf(key))
      }
      byBlock.clear()
      for (const key of blocks.flat()) assert.strictEqual(byBlock.indexOf(key), -1)
      assert.strictEqual(byBlock.addNew(["a", "b", "a"], 0), 2)
    }
  )

  it("know the last row of a key when they grow, and keys of one hash apart", () => {
    const compact = new Keys()
    for (let i = 0; i < 10_000; i++) assert.strictEqual(compact.add(`K-${i % 700}`, true), i < 700 ? -1 : i - 700)
    for (let i = 0; i < 700; i++) assert.strictEqual(compact.indexOf(`K-${i}`), i + 700 * Math.floor((9_999 - i) / 700))
    // FNV-1a gives them the same 32 bits
    const same = new Keys()
    assert.strictEqual(same.addNew(["costarring", "liquid"], 0) + same.addNew(["liquid"], 0), 1)
    assert.deepStrictEqual([same.add("liquid", false), same.indexOf("costarring"), same.indexOf("liquid")], [-1, 0, 1])
  })

  it("know the last row of a key whose place was taken, in whatever order they are asked for", () => {
    const compact = new Keys()
    for (const key of ["a", "b", "a", "c"]) compact.add(key, true)
    assert.deepStrictEqual(
      ["a", "b", "c", "b", "c", "a"].map((key) => compact.indexOf(key)),
      [2, 1, 3, 1, 3, 2]
    )
  })

  it("grow, and know keys of all lengths and scripts apart", () => {
    const compact = new Keys()
    const keys = Array.from({ length: 20_000 }, (_, i) =>
      i % 3 === 0 ? `K-${i}` : i % 3 === 1 ? `clé ${i}` : "é".repeat(i % 500) + i
    )
    for (const [i, key] of keys.entries()) assert.strictEqual(compact.add(key, false), -1, `key ${i}`)
    for (const [i, key] of keys.entries()) assert.strictEqual(compact.indexOf(key), i)
    for (const key of ["", "K-1", "K-", "k-0", "clé", "cl\u00e8 1"]) assert.strictEqual(compact.indexOf(key), -1)
  })
})

describe("rows", () => {
  const utf8 = new TextEncoder()
  const text = 'a,1\n"b\n""x""",2\nc,"3"\n'
  const rows = ["a,1\n", '"b\n""x""",2\n', 'c,"3"\n']
  const read = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

  it("can be left out, whichever they are and wherever the bytes are cut", () => {
    for (let wanted = 0; wanted < 8; wanted++) {
      const isWanted = (row: number) => (wanted & (1 << row)) !== 0
      const expected = rows.filter((_, row) => isWanted(row)).join("")
      assert.strictEqual(read(withoutRows(utf8.encode(text), isWanted)), expected)
      for (let cut = 0; cut <= text.length; cut++) {
        const filter = rowFilter(isWanted, 0)
        const pieces = [text.slice(0, cut), text.slice(cut)].map((piece) => read(filter(utf8.encode(piece))))
        assert.strictEqual(pieces.join(""), expected)
      }
    }
  })

  it("are counted from the beginning, one at least", () => {
    const bytes = utf8.encode(text)
    assert.deepStrictEqual(prefix(bytes, 2, 1000), { rows: 2, end: rows[0]!.length + rows[1]!.length })
    assert.deepStrictEqual(prefix(bytes, 9, 1000), { rows: 3, end: bytes.length })
    assert.deepStrictEqual(prefix(bytes, 9, rows[0]!.length + 1), { rows: 1, end: rows[0]!.length })
    assert.deepStrictEqual(prefix(bytes, 9, 1), { rows: 1, end: rows[0]!.length })
  })
})

describe("blocks of records", () => {
  const codec = Result.getOrThrow(RecordCodec.make(Schema.Struct({ Name: Schema.String })))
  const blocks = (maxBytes: number) =>
    recordBlocks<{ readonly Name: string }, { readonly Name: string }>({
      codec,
      encoder: { nulls: "clear", columns: codec.columns },
      readable: undefined,
      shown: (record) => record,
      holds: "none",
      readsBack: () => true,
      mayBeRefused: undefined,
      loses: undefined,
      maxBytes
    })

  it("give nothing where no row is asked for", () => {
    const some = blocks(1000)
    some.add([{ Name: "a" }])
    assert.isUndefined(some.next(0))
    assert.strictEqual(some.next(1)?.rows, 1)
  })

  it("become smaller until they fit", () => {
    const some = blocks(100)
    some.add([..."abcdefgh"].map((letter) => ({ Name: letter.repeat(60) })))
    for (let i = 0; i < 8; i++) {
      const block = some.next(Number.POSITIVE_INFINITY)
      assert.isAtMost(block?.bytes.length ?? 1000, 100)
    }
    assert.isUndefined(some.next(1))
  })

  it("let go of records that were taken, though others wait all the time", async () => {
    setFlagsFromString("--expose-gc")
    const collect: () => void = runInNewContext("gc")
    const some = blocks(1_000_000)
    const taken: Array<WeakRef<object>> = []
    for (let i = 0; i < 20; i++) {
      const records = Array.from({ length: 500 }, (_, n) => ({ Name: `record ${i} ${n}`.padEnd(150) }))
      if (i < 10) taken.push(new WeakRef(records[0]!))
      some.add(records)
      while (some.isFull(Number.POSITIVE_INFINITY)) some.next(Number.POSITIVE_INFINITY)
    }
    // what was looked at through a weak reference stays until the turn is over
    await new Promise(setImmediate)
    collect()
    assert.deepStrictEqual(
      taken.map((record) => record.deref()),
      taken.map(() => undefined)
    )
  })
})
