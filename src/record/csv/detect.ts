import * as Result from "effect/Result"
import { CsvError } from "./csvError.ts"
import { type Dialect, delimiters } from "./dialect.ts"

/** The dialect of a file, by its first bytes; exported by `Csv`, which documents it. */
export interface Detected {
  readonly dialect: Dialect
  readonly bom: boolean
}

/** How many bytes are looked at. */
export const sampleBytes = 64 * 1024

/** The delimiter under which the sample's rows have the same width, and the widest such; its first newline. */
export const detect = (sample: Uint8Array): Result.Result<Detected, CsvError> => {
  if ((sample[0] === 0xff && sample[1] === 0xfe) || (sample[0] === 0xfe && sample[1] === 0xff)) {
    return Result.fail(new CsvError({ message: "line 1: is UTF-16; Salesforce takes UTF-8", line: 1 }))
  }
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(sample.subarray(0, sampleBytes))
  const bom = text.startsWith("\ufeff")
  const body = bom ? text.slice(1) : text
  let best: keyof Dialects = "COMMA"
  let score = -1
  for (const name of names) {
    const widths = widthsOf(body, delimiters[name])
    const [width = 1] = widths
    const fits = widths.filter((other) => other === width).length / widths.length
    // rows of one width count more than many columns; commas win a draw
    const its = width > 1 ? fits * 10_000 + Math.min(width, 9_999) : 0
    if (its > score) {
      best = name
      score = its
    }
  }
  return Result.succeed({ dialect: { columnDelimiter: best, lineEnding: lineEndingOf(body) }, bom })
}

type Dialects = typeof delimiters

const names = ["COMMA", "SEMICOLON", "TAB", "PIPE", "CARET", "BACKQUOTE"] as const

/** The widths of the rows, the last one of which may be cut off and counts only if it is alone. */
const widthsOf = (text: string, delimiter: string): ReadonlyArray<number> => {
  const widths: Array<number> = []
  let width = 1
  let from = 0
  let inQuotes = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '"') inQuotes = !inQuotes
    else if (inQuotes) continue
    else if (char === delimiter) width++
    else if (char === "\n") {
      if (i > from && text.slice(from, i) !== "\r") widths.push(width)
      width = 1
      from = i + 1
    }
  }
  return widths.length > 0 ? widths : [width]
}

const lineEndingOf = (text: string): Dialect["lineEnding"] => {
  let inQuotes = false
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') inQuotes = !inQuotes
    else if (!inQuotes && text[i] === "\n") return text[i - 1] === "\r" ? "CRLF" : "LF"
  }
  return "LF"
}
