import * as Effect from "effect/Effect"
import * as BulkError from "../BulkError.ts"
import * as RecordCodec from "../record/RecordCodec.ts"
import { missingColumn } from "./decode.ts"
import type { PagesOptions, RunOptions, What } from "./options.ts"
import { missing, select, textOf } from "./select.ts"

/** The codec and the SOQL of a query, checked as far as that goes before anything is sent. */
export const prepare = Effect.fnUntraced(function* <S extends RecordCodec.RecordSchema>(
  options: { readonly schema: S } & PagesOptions & What
) {
  yield* checkPages(options)
  const codec = yield* codecOf(options.schema)
  if (options.soql === undefined) {
    return { codec, soql: yield* Effect.mapError(Effect.fromResult(select(codec.columns, options)), invalidOptions) }
  }
  const soql = textOf(options.soql)
  const lack = missing(codec.columns, soql)
  if (lack !== undefined) return yield* missingColumn(lack.column, lack.header)
  return { codec, soql }
})

export const codecOf = <S extends RecordCodec.RecordSchema>(schema: S) =>
  Effect.mapError(Effect.fromResult(RecordCodec.make(schema)), invalidOptions)

export const checkPages = (options: RunOptions): Effect.Effect<void, BulkError.BulkError> => {
  const counts = { maxRecords: options.maxRecords, concurrency: options.concurrency, readAhead: options.readAhead }
  for (const [name, count] of Object.entries(counts)) {
    if (count !== undefined && !(Number.isSafeInteger(count) && count > 0)) {
      return Effect.fail(invalidOptions(`${name} ${count} is no whole number above 0`))
    }
  }
  return Effect.void
}

export const invalidOptions = (problem: string): BulkError.BulkError =>
  BulkError.make(new BulkError.InvalidOptions({ problem: `query: ${problem}` }))
