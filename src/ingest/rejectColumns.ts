/** The columns that a reject file has besides those that were sent. A load of the file leaves them out. */
export const rejectColumns = ["_error_code", "_error_message", "_cause", "_hint"] as const

const own: ReadonlySet<string> = new Set(rejectColumns)

/** Whether a column is one of them. */
export const isRejectColumn = (column: string): boolean => own.has(column.toLowerCase())
