// What this library does.

import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { standard } from "../../../src/record/csv/dialect.ts"
import { Parser } from "../../../src/record/csv/parser.ts"
import { records } from "../../../src/record/decode.ts"
import * as RecordCodec from "../../../src/record/RecordCodec.ts"
import { Account, accounts, codecOf, countOf, csvChunks, Texts } from "../data.ts"
import type { Setup } from "../suite.ts"

const decoding =
  (schema: RecordCodec.RecordSchema, dirty: boolean): Setup =>
  async ({ quick }) => {
    const chunks = csvChunks(countOf(quick), dirty)
    const codec = codecOf(schema)
    return () => {
      let count = 0
      return Stream.fromIterable(chunks, { chunkSize: 1 }).pipe(
        RecordCodec.decode(codec),
        Stream.runForEachArray((records) => {
          count += records.length
          return Effect.void
        }),
        Effect.map(() => count),
        Effect.runPromise
      )
    }
  }

export const decodeClean = decoding(Account, false)
export const decodeDirty = decoding(Account, true)
export const decodeTexts = decoding(Texts, false)

export const decodeLoop: Setup = async ({ quick }) => {
  const chunks = csvChunks(countOf(quick), false)
  const codec = codecOf(Account)
  return async () => {
    let count = 0
    const parser = new Parser(standard, records(codec))
    for (const chunk of chunks) {
      const out: Array<typeof Account.Type> = []
      if (parser.feed(chunk, out) !== undefined) throw new Error("it is no CSV")
      count += out.length
    }
    return count
  }
}

/** Arrays of 500 records to blocks of bytes. */
export const encode: Setup = async ({ quick }) => {
  const all = accounts(countOf(quick), true)
  const arrays = Array.from({ length: all.length / 500 }, (_, i) => all.slice(i * 500, (i + 1) * 500))
  const codec = codecOf(Account)
  return () => {
    const encoder = codec.encoder({ nulls: "ignore" })
    let length = 0
    return Stream.fromArray(arrays).pipe(
      Stream.rechunk(1),
      Stream.map((records) => encoder(records).bytes),
      Stream.runForEachArray((blocks) => {
        for (const block of blocks) length += block.length
        return Effect.void
      }),
      Effect.map(() => {
        if (length < 100 * all.length) throw new Error("bytes are missing")
        return all.length
      }),
      Effect.runPromise
    )
  }
}
