/** Texts as terminals show them: in columns, of which some characters take two and some none. */

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })
const ascii = /^[ -~]*$/
const controls = /\p{Cc}|\p{Bidi_Control}|[\u2028\u2029]/gu
const zero = /^(?:\p{Mark}|\p{Default_Ignorable_Code_Point})+$/u
const emoji = /\p{Emoji_Presentation}|\uFE0F|^\p{Regional_Indicator}{2}$/u
/** What Unicode's East Asian Width calls wide or fullwidth. */
const wide =
  /^[\u1100-\u115F\u2329\u232A\u2E80-\u303E\u3041-\u3247\u3250-\u4DBF\u4E00-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6B\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18CFF}\u{1AFF0}-\u{1B2FF}\u{20000}-\u{3FFFD}]/u

const widthOfGrapheme = (grapheme: string): number =>
  zero.test(grapheme) ? 0 : wide.test(grapheme) || emoji.test(grapheme) ? 2 : 1

/** A text without what would move the cursor, or hide what follows. */
export const printable = (text: string): string => text.replace(controls, "")

/** How many columns a printable text takes. */
export const widthOf = (text: string): number => {
  if (ascii.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += widthOfGrapheme(segment)
  return width
}

/** As much of a printable text as fits into so many columns, with a sign that it was cut. */
export const cut = (text: string, columns: number): string => {
  if (widthOf(text) <= columns) return text
  if (columns < 1) return ""
  let kept = ""
  let width = 0
  for (const { segment } of graphemes.segment(text)) {
    width += widthOfGrapheme(segment)
    if (width > columns - 1) break
    kept += segment
  }
  return `${kept}…`
}

/** A printable text in exactly so many columns. */
export const padded = (text: string, columns: number): string => {
  const shown = cut(text, columns)
  return shown + " ".repeat(Math.max(0, columns - widthOf(shown)))
}
