// What this library does, with a server.

import * as Undici from "@effect/platform-node/Undici"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { BulkError } from "../../../src/BulkError.ts"
import * as Auth from "../../../src/connection/Auth.ts"
import type * as Connection from "../../../src/connection/Connection.ts"
import * as Ingest from "../../../src/ingest/Ingest.ts"
import * as IngestJob from "../../../src/job/IngestJob.ts"
import { layerConnection, layerFileSpool } from "../../../src/node.ts"
import * as Query from "../../../src/query/Query.ts"
import { Account, codecOf, cycle, fewLoads, Load, load } from "../data.ts"
import type { SetupOptions } from "../suite.ts"
import { columns, countOf, jobRows, served } from "./served.ts"

const connected =
  (url: string) =>
  <A, E>(effect: Effect.Effect<A, E, Connection.Connection>): Promise<A> =>
    Effect.runPromise(
      Effect.provide(
        effect,
        layerConnection().pipe(
          Layer.provide(Auth.layerToken({ instanceUrl: url, accessToken: Redacted.make("00D!x") }))
        )
      )
    )

const quarter = (options: SetupOptions): number => countOf(options) / 4

const all = Array.from({ length: fewLoads }, (_, i) => load(i))
const loads = (from: number, count: number) =>
  Stream.fromIterable({ [Symbol.iterator]: () => cycle(all, from, count) }, { chunkSize: 500 })

const uploading = async ({ url }: SetupOptions, count: number) => {
  const codec = codecOf(Load)
  const header = `${codec.columns.join(",")}\n`
  const job = Effect.fnUntraced(function* (from: number, rows: number) {
    const encoder = codec.encoder({ nulls: "clear" })
    const csv = Stream.concat(
      Stream.succeed(new TextEncoder().encode(header)),
      Stream.mapArray(loads(from, rows), (records) => [encoder(records).bytes] as const)
    )
    const { id } = yield* IngestJob.create({ object: "Load__c", operation: "upsert", externalIdFieldName: "Key__c" })
    yield* IngestJob.upload(id, csv)
    yield* IngestJob.close(id)
  })
  await connected(url)(
    Effect.gen(function* () {
      for (let from = 0; from < count; from += jobRows) yield* job(from, Math.min(jobRows, count - from))
    })
  )
  return { records: count }
}
export const upload = served(uploading)
export const uploadQuarter = served(uploading, quarter)

const loading = (spool: Layer.Layer<never, BulkError>, count = countOf) =>
  served(async ({ url }, limit) => {
    let moved = 0
    let firstAt: number | undefined
    const load = loads(0, limit).pipe(
      Ingest.upsert({ object: "Load__c", schema: Load, externalId: "Key__c", nulls: "clear" }),
      Stream.runForEachArray((outcomes) =>
        Effect.sync(() => {
          firstAt ??= performance.now()
          moved += outcomes.length
        })
      )
    )
    await connected(url)(Effect.provide(load, spool))
    return { records: moved, firstAt }
  }, count)

/** Parts in files, of the size that they have in memory. */
const inFiles = layerFileSpool({ partBytes: 16 * 1024 * 1024 })
export const ingest = loading(inFiles)
export const ingestQuarter = loading(inFiles, quarter)
export const ingestInMemory = loading(Layer.empty)
export const ingestInMemoryQuarter = loading(Layer.empty, quarter)

const downloading = (
  pages: { readonly from: string; readonly concurrency?: number; readonly unordered?: boolean },
  count = countOf
) =>
  served(async ({ url }, limit) => {
    let moved = 0
    let firstAt: number | undefined
    await connected(url)(
      Query.records({ schema: Account, limit, ...pages }).pipe(
        Stream.runForEachArray((records) =>
          Effect.sync(() => {
            firstAt ??= performance.now()
            moved += records.length
          })
        )
      )
    )
    return { records: moved, firstAt }
  }, count)

export const download = downloading({ from: "Pages1_0" })
export const downloadQuarter = downloading({ from: "Pages1_0" }, quarter)

/** Nothing but the bytes, with the same HTTP client. */
export const drain = served(async ({ url }, count) => {
  const base = `${url}/services/data/v62.0/jobs/query`
  const created = await Undici.request(base, {
    method: "POST",
    body: JSON.stringify({ operation: "query", query: `SELECT ${columns} FROM Pages1_0 LIMIT ${count}` })
  })
  const { id } = (await created.body.json()) as { readonly id: string }
  const { body, headers } = await Undici.request(`${base}/${id}/results`)
  let bytes = 0
  await new Promise((resolve, reject) => {
    body.on("data", (piece: Uint8Array) => {
      bytes += piece.length
    })
    body.on("end", resolve).on("error", reject)
  })
  if (bytes < 100 * count) throw new Error("bytes are missing")
  return { records: Number(headers["sforce-numberofrecords"]) }
})

export const pages1At0 = downloading({ from: "Pages10_0", concurrency: 1 })
export const pages5At0 = downloading({ from: "Pages10_0", concurrency: 5 })
export const pages1At20 = downloading({ from: "Pages10_20", concurrency: 1 })
export const pages5At20 = downloading({ from: "Pages10_20", concurrency: 5 })
export const pages5At20Unordered = downloading({ from: "Pages10_20", concurrency: 5, unordered: true })
export const pages1At100 = downloading({ from: "Pages10_100", concurrency: 1 })
export const pages5At100 = downloading({ from: "Pages10_100", concurrency: 5 })
