// As much of a terminal as progress needs: the screen that comes of what is written to it.

const escape = "\u001b"
const pieces = new RegExp(`${escape}\\[([\\d;?]*)([A-Za-z])|[^]`, "gu")

/** The lines of a screen after all that was written, without those below that are empty. */
export const screenOf = (written: string): ReadonlyArray<string> => {
  const lines: Array<Array<string>> = [[]]
  let row = 0
  let column = 0
  const line = () => {
    while (lines.length <= row) lines.push([])
    return lines[row] ?? []
  }
  for (const [text, parameter, final] of written.matchAll(pieces)) {
    if (final === "K") line().length = column
    else if (final === "J") {
      line().length = Math.min(line().length, column)
      lines.length = row + 1
    } else if (final === "A") row = Math.max(0, row - Number(parameter || 1))
    else if (final === "m") continue
    else if (final !== undefined) throw new Error(`not understood: ${JSON.stringify(text)}`)
    else if (text === "\r") column = 0
    else if (text === "\n") {
      row++
      column = 0
    } else {
      const cells = line()
      while (cells.length < column) cells.push(" ")
      cells[column++] = text
    }
  }
  const shown = lines.map((cells) => cells.join("").trimEnd())
  while (shown.at(-1) === "") shown.pop()
  return shown
}
