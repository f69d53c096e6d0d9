const escapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
  "\f": "\\f"
}

/** A text as a literal of SOQL: it cannot end the literal. */
export const quote = (text: string): string => `'${text.replace(/[\\'\n\r\t\b\f]/g, (char) => escapes[char] ?? char)}'`
