/**
 * The one form of texts that are the same once Salesforce has them: it trims them, and the
 * line breaks in what is sent are the job's, whatever they were before, and may be others
 * in what comes back.
 */
export const canonicalText = (cell: string): string => {
  const text = cell.trim()
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text
}
