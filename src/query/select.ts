import * as Result from "effect/Result"
import type * as Soql from "./Soql.ts"

/** What a query selects, from where and which. */
export interface Selection {
  readonly from: string
  readonly where?: Soql.Soql | string | undefined
  readonly orderBy?: Soql.Soql | string | undefined
  readonly limit?: number | undefined
}

/** The text of a piece of SOQL; a plain string is trusted as it is. */
export const textOf = (soql: Soql.Soql | string): string => (typeof soql === "string" ? soql : soql.text)

/** The SOQL that selects these columns, or what is wrong with it. */
export const select = (
  columns: ReadonlyArray<string>,
  { from, limit, orderBy, where }: Selection
): Result.Result<string, string> => {
  // Lead:Who.Email is how the email of a Lead is written, and Who.Email how it is read
  const paths = columns.map((column) => column.replace(/(^|\.)[^.:]+:/g, "$1"))
  const strange = paths.find((column) => !isPath(column))
  if (strange !== undefined) return Result.fail(`column ${JSON.stringify(strange)} of the schema is no field of SOQL`)
  if (!/^\w+$/.test(from)) return Result.fail(`from ${JSON.stringify(from)} is no API name of an object`)
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0)) {
    return Result.fail(`limit ${limit} is no whole number of records`)
  }
  return Result.succeed(
    [
      `SELECT ${paths.join(", ")} FROM ${from}`,
      ...(where === undefined ? [] : [`WHERE ${textOf(where)}`]),
      ...(orderBy === undefined ? [] : [`ORDER BY ${textOf(orderBy)}`]),
      ...(limit === undefined ? [] : [`LIMIT ${limit}`])
    ].join(" ")
  )
}

const isPath = (column: string): boolean => /^\w+(?:\.\w+)*$/.test(column)

/**
 * The first of these columns that a query does not select, with those it selects, as
 * far as its select list shows: one of plain fields, without an alias.
 */
export const missing = (
  columns: ReadonlyArray<string>,
  soql: string
): { readonly column: string; readonly header: ReadonlyArray<string> } | undefined => {
  const [, list = "", from = "", next = "WHERE"] =
    /^\s*SELECT\s+([\w.]+(?:\s*,\s*[\w.]+)*)\s+FROM\s+(\w+)(?:\s*$|\s+(\w+))/i.exec(soql) ?? []
  if (list === "" || !clauses.has(next.toUpperCase())) return undefined
  const own = `${from.toLowerCase()}.`
  const bare = (path: string) => {
    const name = path.toLowerCase()
    return name.startsWith(own) ? name.slice(own.length) : name
  }
  const header = list.split(/\s*,\s*/)
  const selected = new Set(header.map(bare))
  const column = columns.find((column) => !selected.has(bare(column)))
  return column === undefined ? undefined : { column, header }
}

/** What may follow the object of a query; anything else is its alias. */
const clauses = new Set(["WHERE", "USING", "WITH", "GROUP", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL"])
