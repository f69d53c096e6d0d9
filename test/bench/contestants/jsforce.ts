// jsforce, in the ways that are fastest: records as its own stream, one page, `for await`.

import { Readable } from "node:stream"
import * as DateTime from "effect/DateTime"
import jsforce from "jsforce"
import { Serializable } from "jsforce/lib/record-stream.js"
import { cycle, fewLoads, load } from "../data.ts"
import { columns, jobRows, jsforceCountOf, served } from "./served.ts"

const connect = (url: string) => {
  const connection = new jsforce.Connection({ instanceUrl: url, accessToken: "00D!x", version: "62.0" })
  connection.bulk2.pollInterval = 20
  return connection
}

/** It knows no dates, a `Date` it writes as a number: so it gets texts, which are ready. */
const records = Array.from({ length: fewLoads }, (_, i) => {
  const record = load(i)
  return { ...record, Active__c: String(record.Active__c), At__c: DateTime.formatIso(record.At__c) }
})

const uploaded = async (url: string, from: number, count: number) => {
  const job = connect(url).bulk2.createJob({ object: "Load__c", operation: "upsert", externalIdFieldName: "Key__c" })
  await job.open()
  const stream = new Serializable()
  Readable.from(cycle(records, from, count)).pipe(stream)
  await job.uploadData(stream.stream("csv", { nullValue: "#N/A" }) as unknown as Readable)
  await job.close()
  return job
}

export const upload = served(async ({ url }, count) => {
  for (let from = 0; from < count; from += jobRows) await uploaded(url, from, Math.min(jobRows, count - from))
  return { records: count }
}, jsforceCountOf)

export const ingest = served(async ({ url }, count) => {
  let moved = 0
  for (let from = 0; from < count; from += jobRows) {
    const job = await uploaded(url, from, Math.min(jobRows, count - from))
    await job.poll(20, 600_000)
    const { failedResults, successfulResults } = await job.getAllResults()
    moved += successfulResults.length + failedResults.length
  }
  return { records: moved }
}, jsforceCountOf)

/** Its query keeps all of the results as one text, which must be below 512 MiB. */
export const download = served(
  async ({ url }, count) => {
    const stream = await connect(url).bulk2.query(`SELECT ${columns} FROM Pages1_0 LIMIT ${count}`, {
      pollTimeout: 600_000
    })
    let moved = 0
    let firstAt: number | undefined
    for await (const _ of stream) {
      firstAt ??= performance.now()
      moved++
    }
    return { records: moved, firstAt }
  },
  (options) => Math.min(1_000_000, jsforceCountOf(options))
)
