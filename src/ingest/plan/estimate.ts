/** What a load will take, and what the org has left of it. */
import { type Daily, rowsPerBatch } from "../../connection/Limits.ts"
import type { Findings } from "./findings.ts"
import type { Allowance, Code, Estimate, Operation, Range, Unknown } from "./model.ts"

/** KB of data storage that a record takes, where it is not 2. */
const storageKB: Readonly<Record<string, number>> = { Campaign: 8, CampaignMember: 1 }

const storageOf = (object: string, isPersonAccount: boolean): number => {
  if (isPersonAccount || object.endsWith("__kav")) return 4
  // big objects have a storage of their own
  return object.endsWith("__b") ? 0 : (storageKB[object] ?? 2)
}

// bytes that a client sends, and rows that an org works off in a second: with many triggers, and without any
export const slow = { bytes: 500_000, rows: 100 }
export const fast = { bytes: 10_000_000, rows: 3_000 }

/** The fewest requests of a job: create, upload, close, one look at it, one result file. */
const leastOfJob = 5
/** The most besides those that look at it: create, upload, close, three result files. */
const mostOfJob = 6

export interface Given {
  readonly object: string
  readonly operation: Operation
  readonly isPersonAccount: boolean
  readonly read: number
  readonly bytes: number
  /** How many there are in all, as far as it is known. */
  readonly records: number | undefined
  readonly partBytes: number
  readonly limits: Daily | undefined
}

export const estimate = (given: Given, findings: Findings): Estimate => {
  const { limits, object, operation, read, records } = given
  const left = {
    batches: limits?.batches ?? "unknown",
    apiCalls: limits?.apiCalls ?? "unknown",
    storageMB: limits?.dataStorageMegabytes ?? "unknown"
  } as const
  if (records === undefined) {
    const none = "unknown"
    return {
      records: none,
      bytes: none,
      jobs: none,
      batches: none,
      apiCalls: none,
      storageMB: none,
      seconds: none,
      left
    }
  }
  const bytes = read === 0 ? 0 : Math.round((given.bytes / read) * records)
  const jobs = records === 0 ? 0 : Math.max(1, Math.ceil(bytes / given.partBytes))
  // the last batch of each job is not full
  const batches = jobs === 0 ? 0 : Math.min(records, Math.ceil(records / rowsPerBatch) + jobs - 1)
  const seconds = {
    from: Math.ceil(bytes / fast.bytes + records / fast.rows),
    to: Math.ceil(bytes / slow.bytes + records / slow.rows)
  }
  // a state is asked for after delays that double up to half a minute
  const looks = (seconds: number) => 8 * jobs + Math.ceil(seconds / 30)
  const apiCalls =
    jobs === 0 ? { from: 0, to: 0 } : { from: leastOfJob * jobs, to: mostOfJob * jobs + looks(seconds.to) }
  const mostMB = (records * storageOf(object, given.isPersonAccount)) / 1_000
  const storageMB: Range =
    operation === "insert"
      ? { from: mostMB, to: mostMB }
      : operation === "upsert"
        ? { from: 0, to: mostMB }
        : { from: 0, to: 0 }

  const compare = (code: Code, needed: Range, allowance: Allowance | Unknown, what: string) => {
    if (allowance === "unknown" || needed.to <= allowance.remaining) return
    const isSure = needed.from > allowance.remaining
    const words = `${isSure ? "" : "up to "}${count(needed.to)} ${what} are needed, ${count(allowance.remaining)} of ${count(allowance.max)} are left`
    findings.add({ severity: isSure ? "fatal" : "warning", code, message: words })
  }
  compare("TOO_MANY_BATCHES", { from: batches, to: batches }, left.batches, "batches")
  compare("TOO_MANY_API_CALLS", apiCalls, left.apiCalls, "API calls")
  compare("TOO_MUCH_STORAGE", storageMB, left.storageMB, "MB of data storage")
  return { records, bytes, jobs, batches, apiCalls, storageMB, seconds, left }
}

const count = (n: number): string => Math.ceil(n).toLocaleString("en-US")
