// How the cells of schemas that Effect has are read and written without Schema.

import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import { bigDecimal, bigint, type Cells, date, isUtc, number, putFinite, utc } from "./kinds.ts"

/** An instant is written to the millisecond. */
const instant: Cells = { ...utc, givesBack: (value) => !isUtc(value) || Number.isInteger(value.epochMilliseconds) }

/** Without `write`, all values but those that are `put` are written by the functions of the schema. */
export const effectCells: ReadonlyArray<
  readonly [schema: { readonly ast: SchemaAST.AST }, cells: Pick<Cells, "read"> & Partial<Cells>]
> = [
  // FiniteFromString is made in the same way
  [Schema.NumberFromString, { read: number.read, put: putFinite, figure: number.figure }],
  [Schema.BigIntFromString, bigint],
  [Schema.BigDecimalFromString, bigDecimal],
  [Schema.DateFromString, { read: date.read, put: date.put, figure: date.figure }],
  [Schema.DateTimeUtcFromString, instant],
  [Schema.DateTimeUtcFromDate, instant],
  [Schema.Trim, { read: (block, from, to) => block.cell(from, to).trim(), fits: (text) => text === text.trim() }]
]
