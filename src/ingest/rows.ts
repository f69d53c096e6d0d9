import * as Csv from "../record/Csv.ts"

const quote = 34
const lineFeed = 10

/**
 * Leaves rows out of CSV, by their number, the first one being `first`. The CSV may
 * come in pieces, cut anywhere. A line feed ends a row if it stands outside quotes,
 * which come in pairs.
 */
export const rowFilter = (
  isWanted: (row: number) => boolean,
  first: number
): ((bytes: Uint8Array) => Uint8Array<ArrayBuffer>) => {
  let row = first
  let wanted = isWanted(row)
  let isQuoted = false
  return (bytes) => {
    const kept = new Uint8Array(bytes.length)
    let length = 0
    let begin = 0
    const end = (at: number) => {
      if (wanted) {
        kept.set(bytes.subarray(begin, at), length)
        length += at - begin
      }
      begin = at
    }
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]
      if (byte === quote) isQuoted = !isQuoted
      else if (byte === lineFeed && !isQuoted) {
        end(i + 1)
        wanted = isWanted(++row)
      }
    }
    end(bytes.length)
    return kept.subarray(0, length)
  }
}

/**
 * How many of the first rows fit, and where they end: no more than so many, nor more
 * bytes, but one at least.
 */
export const prefix = (
  bytes: Uint8Array,
  rows: number,
  maxBytes: number
): { readonly rows: number; readonly end: number } => {
  let isQuoted = false
  let end = 0
  let count = 0
  for (let i = 0; i < bytes.length && count < rows; i++) {
    const byte = bytes[i]
    if (byte === quote) isQuoted = !isQuoted
    else if (byte === lineFeed && !isQuoted) {
      if (i + 1 > maxBytes && count > 0) break
      count++
      end = i + 1
    }
  }
  return { rows: count, end }
}

/** Whole rows without those that are not wanted, by their number from 0. */
export const withoutRows = (bytes: Uint8Array, isWanted: (row: number) => boolean): Uint8Array<ArrayBuffer> =>
  rowFilter(isWanted, 0)(bytes)

/** The bytes of single rows, by their number from 0. Where rows end is looked up once, and not before it is asked for. */
export const rowsIn = (bytes: Uint8Array): ((row: number) => Uint8Array) => {
  let ends: ReadonlyArray<number> | undefined
  return (row) => {
    ends ??= rowEnds(bytes)
    return bytes.subarray(row === 0 ? 0 : ends[row - 1], ends[row])
  }
}

const rowEnds = (bytes: Uint8Array): ReadonlyArray<number> => {
  const ends: Array<number> = []
  let isQuoted = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === quote) isQuoted = !isQuoted
    else if (byte === lineFeed && !isQuoted) ends.push(i + 1)
  }
  return ends
}

/**
 * The cells of whole rows of so many columns that are known to be good. They are cut of
 * one text, which lives as long as one of them.
 */
export const cellsIn = (bytes: Uint8Array, width: number, dialect: Csv.Dialect): ReadonlyArray<Csv.Row> => {
  const text = utf8.decode(bytes)
  const between = Csv.encodeRows([["", ""]], dialect)
  const delimiter = between.slice(0, 1)
  const newline = between.slice(1)
  const rows: Array<Csv.Row> = []
  let at = 0
  // without columns there are only blank lines
  while (width > 0 && at < text.length) {
    const row: Array<string> = []
    for (let i = 0; i < width; i++) {
      const after = i < width - 1 ? delimiter : newline
      let end: number
      if (text.charCodeAt(at) === quote) {
        end = text.indexOf('"', at + 1)
        while (text.charCodeAt(end + 1) === quote) end = text.indexOf('"', end + 2)
        row.push(text.slice(at + 1, end++).replaceAll('""', '"'))
      } else {
        end = text.indexOf(after, at)
        row.push(text.slice(at, end))
      }
      at = end + after.length
    }
    rows.push(row)
  }
  return rows
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })
