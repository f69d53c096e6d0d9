import { type Dialect, delimiters, newlines, quote, special, standard } from "./dialect.ts"

/** Rows as text, each with its line ending; exported by `Csv`, which documents it. */
export const encodeRows = (rows: ReadonlyArray<ReadonlyArray<string>>, dialect: Dialect = standard): string => {
  const delimiter = delimiters[dialect.columnDelimiter]
  const newline = newlines[dialect.lineEnding]
  const mustQuote = special(dialect)
  let text = ""
  for (const row of rows) {
    // a row of one empty cell must not be a blank line
    if (row.length === 1 && row[0] === "") text += '""'
    for (let i = 0; i < row.length; i++) {
      const cell = row[i] ?? ""
      if (i > 0) text += delimiter
      text += mustQuote.test(cell) ? quote(cell) : cell
    }
    text += newline
  }
  return text
}
