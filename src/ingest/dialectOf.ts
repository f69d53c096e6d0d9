import type * as Job from "../job/Job.ts"
import * as Csv from "../record/Csv.ts"

const delimiters: ReadonlyArray<string> = ["BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB"]
const isDelimiter = (name: string | undefined): name is Csv.ColumnDelimiter => delimiters.includes(name ?? "")

/** How the files of a job are written, whoever created it. */
export const dialectOf = ({ columnDelimiter, lineEnding }: Job.JobInfo): Csv.Dialect => ({
  columnDelimiter: isDelimiter(columnDelimiter) ? columnDelimiter : Csv.standard.columnDelimiter,
  lineEnding: lineEnding === "CRLF" ? "CRLF" : "LF"
})
