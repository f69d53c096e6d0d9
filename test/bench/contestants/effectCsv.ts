// What Effect itself has for CSV, and its operators that go record by record.

import { Effect, Stream } from "effect"
import { Csv } from "effect/encoding"
import * as RecordCodec from "../../../src/record/RecordCodec.ts"
import { Account, accounts, codecOf, countOf, csvChunks } from "../data.ts"
import type { Setup } from "../suite.ts"

const counted = <E>(stream: Stream.Stream<unknown, E>): Promise<number> => {
  let count = 0
  return Effect.runPromise(
    Effect.map(
      Stream.runForEachArray(stream, (records) => {
        count += records.length
        return Effect.void
      }),
      () => count
    )
  )
}

const bytesOf = (chunks: ReadonlyArray<Uint8Array>) => Stream.fromIterable(chunks).pipe(Stream.rechunk(1))

/** To plain objects, all texts. */
export const decodeTexts: Setup = async ({ quick }) => {
  const chunks = csvChunks(countOf(quick), false)
  return () => counted(bytesOf(chunks).pipe(Stream.pipeThroughChannelOrFail(Csv.decode({ headers: true }))))
}

/** To records that the schema has checked. */
export const decodeTyped: Setup = async ({ quick }) => {
  const chunks = csvChunks(countOf(quick), false)
  return () =>
    counted(bytesOf(chunks).pipe(Stream.pipeThroughChannelOrFail(Csv.decodeSchema(Account)({ headers: true }))))
}

export const encodeTyped: Setup = async ({ quick }) => {
  const all = accounts(countOf(quick), true)
  return async () => {
    let length = 0
    await Stream.fromArray(all).pipe(
      Stream.rechunk(500),
      Stream.pipeThroughChannelOrFail(Csv.encodeSchema(Account)({ newline: "\n" })),
      Stream.runForEachArray((blocks) => {
        for (const block of blocks) length += block.length
        return Effect.void
      }),
      Effect.runPromise
    )
    if (length < 100 * all.length) throw new Error("bytes are missing")
    return all.length
  }
}

/** Decoded by ours, then taken one by one, as a program may do that does not think of arrays. */
export const onePerEffect: Setup = async ({ quick }) => {
  const chunks = csvChunks(countOf(quick), false)
  const codec = codecOf(Account)
  return () => {
    let count = 0
    return bytesOf(chunks).pipe(
      RecordCodec.decode(codec),
      Stream.runForEach(() => {
        count++
        return Effect.void
      }),
      Effect.map(() => count),
      Effect.runPromise
    )
  }
}
