import type * as Job from "../job/Job.ts"
import * as Csv from "../record/Csv.ts"

const delimiters: ReadonlyArray<string> = ["BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB"]
const isDelimiter = (name: string | undefined): name is Csv.ColumnDelimiter => delimiters.some((each) => each === name)

/** How the files of a job are read, whoever created it: whatever ends their lines. */
export const dialectOf = ({ columnDelimiter }: Job.JobInfo): Csv.Dialect =>
  isDelimiter(columnDelimiter) ? { ...Csv.standard, columnDelimiter } : Csv.standard
