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
export const records = <A>(codec: RecordCodec<A>): OnHeader<A, MissingColumn | InvalidRecord> =>
  eachRow<A, A>(
    codec,
    (record, out) => {
      out.push(record)
    },
    (problem) => problem
  )

/** Reads rows as records or what is wrong with them. */
export const results = <A>(codec: RecordCodec<A>): OnHeader<Result.Result<A, InvalidRecord>, MissingColumn> =>
  eachRow<A, Result.Result<A, InvalidRecord>>(
    codec,
    (record, out) => {
      out.push(Result.succeed(record))
    },
    (problem, out) => {
      out.push(Result.fail(problem))
      return undefined
    }
  ) as OnHeader<Result.Result<A, InvalidRecord>, MissingColumn>

/** Reads rows as compiled, and by Schema what that refuses. */
const eachRow =
  <A, Out>(
    codec: RecordCodec<A>,
    accept: (record: A, out: Array<Out>) => void,
    refuse: (problem: InvalidRecord, out: Array<Out>) => InvalidRecord | undefined
  ): OnHeader<Out, MissingColumn | InvalidRecord> =>
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
        accept(record as A, out)
        return undefined
      }
      const result = decode(header.map((_, i) => block.cell(at[o + 2 * i]! + 1, at[o + 2 * i + 1]!)))
      if (Result.isFailure(result)) return refuse(new InvalidRecord({ row, ...result.failure }), out)
      accept(result.success as A, out)
      return undefined
    }
  }

const refuseAll: ReadRecord = () => refused
