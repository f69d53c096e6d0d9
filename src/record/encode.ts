import * as Result from "effect/Result"
import { canonicalText } from "../canonicalText.ts"
import * as Columns from "./cells/columns.ts"
import { isTransformed, type Plan } from "./compile/plan.ts"
import { type WriteRecord, writer } from "./compile/writer.ts"
import { concat } from "./csv/concat.ts"
import { type Dialect, standard } from "./csv/dialect.ts"
import { encodeRows } from "./csv/rows.ts"
import { full, withSlab } from "./csv/slab.ts"
import * as limits from "./limits.ts"
import type { Encoded, EncoderOptions, Nulls, Problem, Rejected } from "./model.ts"

/** What an encoder knows of the schema. */
export interface Encodable {
  readonly root: Columns.Group
  readonly columns: ReadonlyArray<string>
  readonly plan: Plan | undefined
  /** All cells of a record, by Schema. */
  readonly encode: (record: unknown, nulls: Nulls) => Result.Result<ReadonlyArray<string>, Problem>
}

/** Writes arrays of records; see `RecordCodec.encoder`. */
export const encoderOf = (
  { columns, encode, plan, root }: Encodable,
  { columns: asked, dialect = standard, key, nulls }: EncoderOptions,
  canGenerate: boolean
): ((records: ReadonlyArray<unknown>) => Encoded<unknown>) => {
  const positions = (asked ?? columns).map((column) => positionOf(columns, column))
  const options = { positions, dialect, clear: nulls === "clear" }
  // of what a record is made of as a whole, there are no parts
  const isPart = plan !== undefined && positions.length < columns.length && isTransformed(plan)
  const write: WriteRecord =
    plan === undefined || isPart || positions.length > limits.columns ? () => -1 : writer(plan, options, canGenerate)
  const keyOf = key === undefined ? undefined : keyReader(root, plan, columns, key)

  /** The row of a record that was not written as compiled. */
  const judge = (record: unknown): Result.Result<string, Problem> =>
    Result.map(encode(record, nulls), (cells) => {
      const row = positions.map((position) => inLines(cells[position] ?? "", dialect))
      return encodeRows([row], dialect)
    })

  return (records) =>
    withSlab((slab) => {
      const pieces: Array<Uint8Array> = []
      let end = 0
      let written: Array<unknown> | undefined
      const rejected: Array<Rejected<unknown>> = []
      const keys: Array<string> = []
      for (let i = 0; i < records.length; i++) {
        const record = records[i]
        if (end > full) {
          pieces.push(slab.take(end))
          end = 0
        }
        const rowEnd = write(slab, end, record)
        let row: Uint8Array | undefined
        let problem: Problem | undefined
        if (rowEnd < 0 || rowEnd - end > limits.rowCharacters) {
          const judged = judge(record)
          if (Result.isSuccess(judged)) {
            row = utf8.encode(judged.success)
            // a line break within a cell may have been another
            slab.hasReturns ||= judged.success.indexOf("\n") < judged.success.length - 1
          } else problem = judged.failure
        }
        if (problem === undefined && keyOf !== undefined) {
          const cell = keyOf(record, nulls)
          if (cell === "") problem = { column: key, value: "", message: emptyKey }
          else keys.push(cell)
        }
        if (problem !== undefined) {
          written ??= records.slice(0, i)
          rejected.push({ record, problem })
          continue
        }
        if (row === undefined) end = rowEnd
        else {
          pieces.push(slab.take(end), row)
          end = 0
        }
        written?.push(record)
      }
      const rows = records.length - rejected.length
      const { hasReturns } = slab
      const last = slab.take(end)
      const bytes = pieces.length === 0 ? last : concat([...pieces, last])
      return { bytes, rows, written: written ?? records, rejected, keys, hasReturns }
    })

  function keyReader(
    root: Columns.Group,
    plan: Plan | undefined,
    columns: ReadonlyArray<string>,
    key: string
  ): (record: unknown, nulls: Nulls) => string {
    const position = positionOf(columns, key)
    const canonical = Columns.canonicalOf(root, key) ?? canonicalText
    const whole = plan?.whole?.(canGenerate)
    const leaf = plan?.nodes.find((node) => node._tag === "PlanLeaf" && node.column === key)
    return (record, nulls) => {
      const fields = whole === undefined ? record : whole.encode(record)
      if (leaf?._tag === "PlanLeaf" && Columns.isRecord(fields)) {
        const cell = leaf.write(fields[leaf.name], fields)
        if (cell !== undefined) return cell === null ? "" : canonical(cell)
      }
      const cells = encode(record, nulls)
      const cell = Result.isSuccess(cells) ? (cells.success[position] ?? "") : ""
      return cell === "#N/A" ? "" : canonical(cell)
    }
  }
}

const positionOf = (columns: ReadonlyArray<string>, column: string): number => {
  const position = columns.indexOf(column)
  if (position < 0) throw new RangeError(`${column} is no column of the schema (${columns.join(", ")})`)
  return position
}

const emptyKey = "the key is empty: its outcome could not be told from others"

/** Salesforce refuses the whole job for another line ending, even within a cell. */
const inLines = (cell: string, { lineEnding }: Dialect): string =>
  lineEnding === "CRLF" && cell.includes("\n") ? cell.replaceAll("\n", "\r\n") : cell

const utf8 = new TextEncoder()
