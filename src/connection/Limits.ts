/**
 * The documented numbers of Bulk API 2.0, and what an org has left of its daily
 * allowances.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as BulkError from "../BulkError.ts"
import { Connection } from "./Connection.ts"

/**
 * How many bytes of CSV one ingest job may carry. Salesforce allows 150 MB after
 * base64, and advises to stay at 100 MB before it.
 *
 * @category limits
 * @since 0.1.0
 */
export const uploadBytes = 100_000_000

/**
 * How many characters of CSV may come with the request that creates a job.
 *
 * @category limits
 * @since 0.1.0
 */
export const multipartCharacters = 100_000

/**
 * How many rows Salesforce processes as one batch. Batches of one job run beside each
 * other; all Bulk loads of an org share an allowance of 15,000 batches in 24 hours.
 *
 * @category limits
 * @since 0.1.0
 */
export const rowsPerBatch = 10_000

/**
 * How many characters one cell of a load may have.
 *
 * @category limits
 * @since 0.1.0
 */
export const charactersPerField = 131_072

/**
 * How many characters one row of a load may have.
 *
 * @category limits
 * @since 0.1.0
 */
export const charactersPerRecord = 400_000

/**
 * How many columns a load may have.
 *
 * @category limits
 * @since 0.1.0
 */
export const fieldsPerRecord = 5_000

/**
 * How many characters the header of a load may have.
 *
 * @category limits
 * @since 0.1.0
 */
export const headerCharacters = 32_000

/**
 * How many records an org may load in 24 hours.
 *
 * @category limits
 * @since 0.1.0
 */
export const recordsPerDay = 150_000_000

/**
 * How many batches all bulk loads of an org may take in 24 hours.
 *
 * @category limits
 * @since 0.1.0
 */
export const batchesPerDay = 15_000

/**
 * How many bulk queries an org may run in 24 hours.
 *
 * @category limits
 * @since 0.1.0
 */
export const queryJobsPerDay = 10_000

/**
 * How many bytes of query results an org may produce in 24 hours.
 *
 * @category limits
 * @since 0.1.0
 */
export const queryResultBytesPerDay = 1_000_000_000_000

/**
 * For how many days results can be read, and ended jobs are kept.
 *
 * @category limits
 * @since 0.1.0
 */
export const resultDays = 7

/**
 * For how many hours an ingest job may stay `Open`.
 *
 * @category limits
 * @since 0.1.0
 */
export const openHours = 24

/**
 * For how many minutes one download of results may take.
 *
 * @category limits
 * @since 0.1.0
 */
export const resultMinutes = 20

/**
 * An allowance, and what is left of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Allowance {
  readonly max: number
  readonly remaining: number
}

/**
 * An org's allowances of 24 hours, and its storage. What the org does not tell, or not
 * to this user, is undefined; `all` has everything it told, by Salesforce's names.
 *
 * @category models
 * @since 0.1.0
 */
export interface Daily {
  /** API calls; every request is one, polls too. */
  readonly apiCalls: Allowance | undefined
  /** Batches of bulk loads, of 10,000 rows each. */
  readonly batches: Allowance | undefined
  /** Bulk queries. */
  readonly queryJobs: Allowance | undefined
  /** Megabytes of bulk query results. */
  readonly queryResultMegabytes: Allowance | undefined
  /** Megabytes of records; most take 2 KB. Not by day. */
  readonly dataStorageMegabytes: Allowance | undefined
  readonly all: Readonly<Record<string, Allowance>>
}

/**
 * Asks the org what is left of its daily allowances. It takes the permission "View
 * Setup and Configuration": without it only `apiCalls` is known. Costs one API call.
 *
 * **Example** (Not beginning what cannot end today)
 *
 * ```ts
 * const guarded = Effect.gen(function* () {
 *   const { batches } = yield* Limits.daily
 *   if (batches !== undefined && batches.remaining * Limits.rowsPerBatch < rows) return yield* Effect.fail("not today")
 *   return yield* load
 * })
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const daily: Effect.Effect<Daily, BulkError.BulkError, Connection> = Effect.gen(function* () {
  const connection = yield* Connection
  const told = yield* connection
    .json({ method: "GET", path: "/limits" }, Schema.Record(Schema.String, Schema.Unknown))
    .pipe(Effect.catch((error) => (isHidden(error) ? Effect.succeed({}) : Effect.fail(error))))
  const all = Object.fromEntries(
    Object.entries(told).flatMap(([name, value]) =>
      Option.match(decodeAllowance(value), {
        onNone: () => [],
        onSome: ({ Max, Remaining }) => [[name, { max: Max, remaining: Remaining }] as const]
      })
    )
  )
  const usage = yield* connection.usage
  return {
    apiCalls: all.DailyApiRequests ?? (usage && { max: usage.max, remaining: usage.max - usage.used }),
    batches: all.DailyBulkApiBatches ?? all.DailyBulkApiRequests,
    queryJobs: all.DailyBulkV2QueryJobs,
    queryResultMegabytes: all.DailyBulkV2QueryFileStorageMB,
    dataStorageMegabytes: all.DataStorageMB,
    all
  }
})

const isHidden = ({ isLimit, reason }: BulkError.BulkError): boolean =>
  reason._tag === "ApiError" && reason.status === 403 && !isLimit

const decodeAllowance = Schema.decodeUnknownOption(Schema.Struct({ Max: Schema.Finite, Remaining: Schema.Finite }))
