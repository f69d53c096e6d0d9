/**
 * Counts the rows of CSV as its bytes go by, without reading them: a line end within
 * quotes is none, and blank lines are no rows.
 */
export class RowCounter {
  #lines = 0
  /** 1 outside quotes, 0 within. */
  #outside = 1
  /** How much of the row that is not over came before the bytes at hand. */
  #pending = 0
  #last = lineFeed

  add(bytes: Uint8Array): void {
    let lines = this.#lines
    let outside = this.#outside
    let start = -this.#pending
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]
      if (byte === quote) outside ^= 1
      else if (byte === lineFeed && outside === 1) {
        const before = i === 0 ? this.#last : bytes[i - 1]
        if (i - start > (before === carriageReturn ? 1 : 0)) lines++
        start = i + 1
      }
    }
    this.#lines = lines
    this.#outside = outside
    this.#pending = bytes.length - start
    this.#last = bytes.at(-1) ?? this.#last
  }

  /** The rows so far, the header left out; one that has no line end yet counts. */
  get rows(): number {
    return Math.max(0, this.#lines + (this.#pending > 0 ? 1 : 0) - 1)
  }

  /** Whether it stopped within quotes, so that more must follow. */
  get isWithinQuotes(): boolean {
    return this.#outside === 0
  }
}

const quote = 0x22
const lineFeed = 0x0a
const carriageReturn = 0x0d
