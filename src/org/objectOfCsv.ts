/** An object made of a CSV file's header, so that the file can be loaded before anything is described. */
import { parse } from "node:path"
import * as Result from "effect/Result"
import { CsvReader, type Dialect, delimiters } from "./csv.ts"
import * as Describe from "./Describe.ts"

const system = new Set(
  Describe.withSystemFields(Describe.make({ name: "X__c", fields: [] })).fields.map((field) => field.name.toLowerCase())
)

/** The nearest that a field's or object's name could be. */
const apiName = (text: string): string => {
  const word = text
    .replace(/__c$/i, "")
    .replace(/[\W_]+/g, " ")
    .trim()
    .replaceAll(" ", "_")
  return `${/^[A-Za-z]/.test(word) ? word : `X${word}`}__c`
}

const isFieldName = (column: string): boolean => /^[A-Za-z]\w*$/.test(column) && !system.has(column.toLowerCase())

const headerOf = (text: string, columnDelimiter: Dialect["columnDelimiter"], isWhole: boolean) => {
  const reader = new CsvReader({ columnDelimiter, lineEnding: "any" })
  return reader.push(text, isWhole)[0] ?? []
}

/**
 * An object of the file's name with a text field for each column: 80 characters for the
 * Name, which must not be empty, and 255 for others. `text` is the beginning of the file,
 * or all of it if `isWhole`. Says what is wrong if columns cannot be fields.
 */
export const objectOfCsv = (
  path: string,
  text: string,
  isWhole: boolean
): Result.Result<Describe.ObjectDescribe, string> => {
  const names = Object.keys(delimiters) as Array<Dialect["columnDelimiter"]>
  const header = names
    .map((delimiter) => headerOf(text.replace(/^\uFEFF/, ""), delimiter, isWhole))
    .reduce((most, each) => (each.length > most.length ? each : most), [])
  if (header.length === 0) return Result.fail("there is no header")
  const unfit = header.filter((column) => !isFieldName(column))
  if (unfit.length > 0) {
    const better = unfit.map((column) => `'${column}' (as ${apiName(column)})`)
    return Result.fail(`no field can have the name of the column ${better.join(", ")}: rename it in the file`)
  }
  const twice = header.find((column, i) =>
    header.slice(0, i).some((each) => each.toLowerCase() === column.toLowerCase())
  )
  if (twice !== undefined) return Result.fail(`two columns have the name '${twice}'`)
  return Result.succeed(
    Describe.make({
      name: apiName(parse(path).name.replace(/^./, (first) => first.toUpperCase())),
      fields: header.map((name) =>
        name.toLowerCase() === "name" ? { name: "Name", length: 80, nillable: false } : { name, length: 255 }
      )
    })
  )
}
