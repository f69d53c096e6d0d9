// CSV libraries that people use besides, each in the way that is its fastest for records as objects.
// They are installed by main.ts, into ../peers.

import { createRequire } from "node:module"
import { Readable } from "node:stream"
import { finished } from "node:stream/promises"
import { countOf, csvChunks, plainAccounts } from "../data.ts"
import type { Setup } from "../suite.ts"

const require = createRequire(new URL("../peers/package.json", import.meta.url))

type Texts = Readonly<Record<string, string>>
interface Papa {
  readonly NODE_STREAM_INPUT: unknown
  readonly parse: (input: unknown, options: { readonly header: boolean }) => NodeJS.ReadWriteStream
  readonly unparse: (records: ReadonlyArray<object>) => string
}
interface FastCsv {
  readonly parse: (options: { readonly headers: boolean }) => NodeJS.ReadWriteStream
  readonly writeToString: (records: ReadonlyArray<object>, options: { readonly headers: boolean }) => Promise<string>
}
interface Udsv {
  readonly inferSchema: (text: string) => unknown
  readonly initParser: (schema: unknown) => {
    readonly stringObjs: unknown
    readonly chunk: (text: string, parse: unknown, onData: (record: Texts) => void) => void
    readonly end: () => void
  }
}

const papa = (): Papa => require("papaparse")
const fastCsv = (): FastCsv => require("fast-csv")

/** Counts what a stream of objects gives. */
const counting =
  (parser: () => NodeJS.ReadWriteStream): Setup =>
  async ({ quick }) => {
    const chunks = csvChunks(countOf(quick), false)
    return async () => {
      let count = 0
      const records = Readable.from(chunks).pipe(parser())
      records.on("data", () => {
        count++
      })
      await finished(records)
      return count
    }
  }

export const papaParse = counting(() => papa().parse(papa().NODE_STREAM_INPUT, { header: true }))
export const fastCsvParse = counting(() => fastCsv().parse({ headers: true }))

export const udsvParse: Setup = async ({ quick }) => {
  const chunks = csvChunks(countOf(quick), false)
  const { inferSchema, initParser }: Udsv = require("udsv")
  return async () => {
    const text = new TextDecoder()
    let count = 0
    let parser: ReturnType<typeof initParser> | undefined
    for (const chunk of chunks) {
      const piece = text.decode(chunk, { stream: true })
      parser ??= initParser(inferSchema(piece))
      parser.chunk(piece, parser.stringObjs, () => {
        count++
      })
    }
    parser?.end()
    return count
  }
}

/** Both write whole arrays: 500 records at a time, as ours does. */
const writing =
  (write: (records: ReadonlyArray<object>) => string | Promise<string>): Setup =>
  async ({ quick }) => {
    const all = plainAccounts(countOf(quick))
    const arrays = Array.from({ length: all.length / 500 }, (_, i) => all.slice(i * 500, (i + 1) * 500))
    return async () => {
      const bytes = new TextEncoder()
      let length = 0
      for (const records of arrays) length += bytes.encode(await write(records)).length
      if (length < 100 * all.length) throw new Error("bytes are missing")
      return all.length
    }
  }

export const papaWrite = writing((records) => papa().unparse(records))
export const fastCsvWrite = writing((records) => fastCsv().writeToString(records, { headers: true }))
