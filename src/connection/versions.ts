/** API versions: which an org has, and which is the newest. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as BulkError from "../BulkError.ts"

/** What `/services/data` answers. */
export const Versions = Schema.NonEmptyArray(Schema.Struct({ version: Schema.String }))

/** By number: version 100.0 is newer than 99.0. */
export const newest = (versions: typeof Versions.Type): string =>
  versions.reduce((a, b) => (Number(b.version) > Number(a.version) ? b : a)).version

/** The first version with Bulk API 2.0, queries included. */
const oldest = 47

/** A version that can be asked for. */
export const checkVersion = (apiVersion: string): Result.Result<string, BulkError.BulkError> => {
  const refuse = (problem: string) =>
    Result.fail(
      BulkError.make(new BulkError.InvalidOptions({ problem: `apiVersion ${JSON.stringify(apiVersion)} ${problem}` }))
    )
  if (!/^\d{2,}\.\d$/.test(apiVersion)) return refuse('is not like "62.0", nor "latest"')
  if (Number(apiVersion) < oldest) return refuse(`has no Bulk API 2.0 as it is used here: ${oldest}.0 is the first`)
  return Result.succeed(apiVersion)
}
