import type * as Job from "./Job.ts"

const delimiters: ReadonlyArray<string> = ["BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB"]
const isDelimiter = (name: string | undefined): name is Job.ColumnDelimiter => delimiters.some((each) => each === name)

/** How the results of a job are written, whoever created it; where it does not say so, as Salesforce writes by default. */
export const dialectOf = ({
  columnDelimiter,
  lineEnding
}: Job.JobInfo): { readonly columnDelimiter: Job.ColumnDelimiter; readonly lineEnding: Job.LineEnding } => ({
  columnDelimiter: isDelimiter(columnDelimiter) ? columnDelimiter : "COMMA",
  lineEnding: lineEnding === "CRLF" ? "CRLF" : "LF"
})
