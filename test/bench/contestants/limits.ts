// What cannot be passed: the bytes copied, or made a text, and nothing done with them.

import { countOf, csvChunks } from "../data.ts"
import type { Setup } from "../suite.ts"

/** Each round does something with every byte, and gives the number of records that were in them. */
const touching =
  (touch: (chunk: Uint8Array) => number): Setup =>
  async ({ quick }) => {
    const chunks = csvChunks(countOf(quick), false)
    return async () => {
      let length = 0
      for (const chunk of chunks) length += touch(chunk)
      if (length === 0) throw new Error("there was nothing")
      return countOf(quick)
    }
  }

export const copy = touching((chunk) => Uint8Array.prototype.slice.call(chunk).length)
export const latin1 = touching(
  (chunk) => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1").length
)
export const utf8 = touching(
  (chunk) => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("utf8").length
)
