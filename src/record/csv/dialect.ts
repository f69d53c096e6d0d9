/** The characters that Bulk API 2.0 can put between cells, by the name it gives them. */
export const delimiters = {
  BACKQUOTE: "`",
  CARET: "^",
  COMMA: ",",
  PIPE: "|",
  SEMICOLON: ";",
  TAB: "\t"
} as const

/** What can end a row, by the name that Bulk API 2.0 gives it. */
export const newlines = { LF: "\n", CRLF: "\r\n" } as const

/** How cells and rows are told apart; exported by `Csv`, which documents it. */
export interface Dialect {
  readonly columnDelimiter: keyof typeof delimiters
  readonly lineEnding: keyof typeof newlines
}

/** What Salesforce takes and gives if a job says nothing else. */
export const standard: Dialect = { columnDelimiter: "COMMA", lineEnding: "LF" }

/** What makes a cell one that must be quoted. */
export const special = ({ columnDelimiter }: Dialect): RegExp => specials[columnDelimiter]

const specials: Readonly<Record<Dialect["columnDelimiter"], RegExp>> = {
  BACKQUOTE: /["`\r\n]/,
  CARET: /["^\r\n]/,
  COMMA: /[",\r\n]/,
  PIPE: /["|\r\n]/,
  SEMICOLON: /[";\r\n]/,
  TAB: /["\t\r\n]/
}

export const quote = (cell: string): string => `"${cell.replaceAll('"', '""')}"`
