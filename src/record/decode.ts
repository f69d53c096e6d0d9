import * as Result from "effect/Result"
import type { ReadRecord } from "./compile.ts"
import { refused } from "./leaves.ts"
import { InvalidRecord, MissingColumn, type Problem, type RecordCodec } from "./model.ts"
import type { OnHeader } from "./parser.ts"

/** What reads the rows below a header: compiled, where the schema can be, and by Schema. */
export interface RowReader {
  readonly read: ReadRecord | undefined
  readonly decode: (row: ReadonlyArray<string>) => Result.Result<unknown, Problem>
}

export const rowReaders = new WeakMap<object, (header: ReadonlyArray<string>) => Result.Result<RowReader, Problem>>()

const rowReaderOf = <A>(codec: RecordCodec<A>, header: ReadonlyArray<string>): Result.Result<RowReader, Problem> =>
  rowReaders.get(codec)?.(header) ?? Result.map(codec.decoder(header), (decode) => ({ read: undefined, decode }))

/** Reads rows as records, up to the first that is none. */
export const records = <A>(codec: RecordCodec<A>): OnHeader<A, MissingColumn | InvalidRecord> => eachRow(codec, false)

/** Reads rows as records or what is wrong with them. */
export const results = <A>(codec: RecordCodec<A>): OnHeader<Result.Result<A, InvalidRecord>, MissingColumn> =>
  eachRow(codec, true) as OnHeader<Result.Result<A, InvalidRecord>, MissingColumn>

/** Reads rows as compiled, and by Schema what that refuses. */
const eachRow =
  <A>(codec: RecordCodec<A>, asResults: boolean): OnHeader<unknown, MissingColumn | InvalidRecord> =>
  (header) => {
    const reader = rowReaderOf(codec, header)
    if (Result.isFailure(reader)) {
      const { column = "", message } = reader.failure
      return new MissingColumn({ column, header, message: `column ${column} is ${message}` })
    }
    const { decode, read = refuseAll } = reader.success
    let row = 0
    return (block, at, o, out) => {
      row++
      const record = read(block, at, o)
      if (record !== refused) {
        out.push(asResults ? Result.succeed(record) : record)
        return undefined
      }
      const result = Result.mapError(
        decode(header.map((_, i) => block.cell(at[o + 2 * i]! + 1, at[o + 2 * i + 1]!))),
        (problem) => new InvalidRecord({ row, ...problem })
      )
      if (!asResults && Result.isFailure(result)) return result.failure
      out.push(asResults ? result : Result.getOrThrow(result))
      return undefined
    }
  }

const refuseAll: ReadRecord = () => refused
