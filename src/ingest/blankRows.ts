const quote = 34
const lineFeed = 10
const carriageReturn = 13

/** Why a row is not sent that has nothing in its only column. */
export const blankRow = (column: string) => ({
  column,
  message: "its only cell is empty: Salesforce would take the row for a blank line, and skip it"
})

/**
 * Which rows are one empty cell, by their number from 0. They are written as `""`,
 * which is no blank line by RFC 4180; Salesforce's reader skips them all the same.
 */
export const blankRows = (bytes: Uint8Array): ReadonlySet<number> => {
  const blank = new Set<number>()
  let isQuoted = false
  let row = 0
  let start = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === quote) isQuoted = !isQuoted
    else if (byte === lineFeed && !isQuoted) {
      const end = bytes[i - 1] === carriageReturn ? i - 1 : i
      if (end - start === 2 && bytes[start] === quote && bytes[start + 1] === quote) blank.add(row)
      start = i + 1
      row++
    }
  }
  return blank
}
