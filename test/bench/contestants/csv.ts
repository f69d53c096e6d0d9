// csv-parse and csv-stringify, with which jsforce reads and writes records.

import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { parse } from "csv-parse"
import { stringify } from "csv-stringify"
import { countOf, csvChunks, plainAccounts } from "../data.ts"
import type { Setup } from "../suite.ts"

const parsing =
  (dirty: boolean): Setup =>
  async ({ quick }) => {
    const chunks = csvChunks(countOf(quick), dirty)
    return async () => {
      let count = 0
      const records = Readable.from(chunks).pipe(parse({ columns: true }))
      records.on("data", () => {
        count++
      })
      await new Promise((resolve, reject) => records.on("end", resolve).on("error", reject))
      return count
    }
  }

export const parseClean = parsing(false)
export const parseDirty = parsing(true)

export const write: Setup = async ({ quick }) => {
  const records = plainAccounts(countOf(quick))
  const cast = { boolean: String, date: (value: Date) => value.toISOString() }
  return async () => {
    let length = 0
    await pipeline(Readable.from(records), stringify({ cast }), async (blocks) => {
      for await (const block of blocks) length += block.length
    })
    if (length < 100 * records.length) throw new Error("bytes are missing")
    return records.length
  }
}
