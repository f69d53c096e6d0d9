import * as Result from "effect/Result"
import type { ReadRecords } from "./compile/reader.ts"
import type { OnHeader } from "./csv/parser.ts"
import { InvalidRecord, MissingColumn, type Problem, type RecordCodec } from "./model.ts"

/** What reads the rows below a header: compiled, where the schema can be, and by Schema. */
export interface RowReader {
  readonly read: ReadRecords | undefined
  readonly decode: (row: ReadonlyArray<string>) => Result.Result<unknown, Problem>
}

export const rowReaders = new WeakMap<object, (header: ReadonlyArray<string>) => Result.Result<RowReader, Problem>>()

const rowReaderOf = <A>(codec: RecordCodec<A>, header: ReadonlyArray<string>): Result.Result<RowReader, Problem> =>
  rowReaders.get(codec)?.(header) ?? Result.map(codec.decoder(header), (decode) => ({ read: undefined, decode }))

/** Reads rows as records, up to the first that is none. */
export const records = <A>(codec: RecordCodec<A>): OnHeader<A, MissingColumn | InvalidRecord> => byCodec(codec, false)

/** Reads rows as records or what is wrong with them. */
export const results = <A>(codec: RecordCodec<A>): OnHeader<Result.Result<A, InvalidRecord>, MissingColumn> =>
  byCodec(codec, true) as OnHeader<Result.Result<A, InvalidRecord>, MissingColumn>

/** Reads rows as compiled, and by Schema what that refuses. */
const byCodec =
  <A>(codec: RecordCodec<A>, asResults: boolean): OnHeader<unknown, MissingColumn | InvalidRecord> =>
  (header) => {
    const reader = rowReaderOf(codec, header)
    if (Result.isFailure(reader)) {
      const { column = "", message } = reader.failure
      return new MissingColumn({ column, header, message: `column ${column} is ${message}` })
    }
    const { decode, read = refuseAll } = reader.success
    let row = 0
    return (block, at, o, end, out) => {
      while (o < end) {
        const first = out.length
        const next = read(block, at, o, end, out)
        row += out.length - first
        if (asResults) for (let i = first; i < out.length; i++) out[i] = Result.succeed(out[i])
        if (next === end) return undefined
        row++
        const result = Result.mapError(
          decode(header.map((_, i) => block.cell(at[next + 2 * i]! + 1, at[next + 2 * i + 1]!))),
          (problem) => new InvalidRecord({ row, ...problem })
        )
        if (!asResults && Result.isFailure(result)) return result.failure
        out.push(asResults ? result : Result.getOrThrow(result))
        o = next + 2 * header.length
      }
      return undefined
    }
  }

const refuseAll: ReadRecords = (_block, _at, o) => o
