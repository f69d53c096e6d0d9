/**
 * Counts the rows of CSV as its bytes go by, without reading them: a line end within
 * quotes is none, and blank lines are no rows. It looks at eight bytes at a time, and at
 * single ones only where a line ends.
 */
export class RowCounter {
  #lines = 0
  /** 1 outside quotes, 0 within. */
  #outside = 1
  /** How much of the row that is not over came before the bytes at hand. */
  #pending = 0
  #last = lineFeed

  add(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const words = bytes.length & ~7
    /** The quotes of words that were passed over, by their places in a word: how many there were is odd or even. */
    let passed = 0
    for (let i = 0; i < words; i += 8) {
      const one = view.getInt32(i, true)
      const other = view.getInt32(i + 4, true)
      if ((zeros(one ^ 0x0a0a0a0a) | zeros(other ^ 0x0a0a0a0a)) === 0) {
        passed ^= zerosOf(one ^ 0x22222222) ^ zerosOf(other ^ 0x22222222)
      } else {
        this.#outside ^= oddness(passed)
        passed = 0
        this.#look(bytes, i, i + 8)
      }
    }
    this.#outside ^= oddness(passed)
    this.#look(bytes, words, bytes.length)
    this.#pending += bytes.length
    this.#last = bytes.at(-1) ?? this.#last
  }

  /** Looks at single bytes. What came before the bytes at hand has negative places. */
  #look(bytes: Uint8Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const byte = bytes[i]
      if (byte === quote) this.#outside ^= 1
      else if (byte === lineFeed && this.#outside === 1) {
        const before = i === 0 ? this.#last : bytes[i - 1]
        if (i + this.#pending > (before === carriageReturn ? 1 : 0)) this.#lines++
        this.#pending = -(i + 1)
      }
    }
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

/** 0 if no byte of a word is 0. */
const zeros = (word: number): number => ((word - 0x01010101) | 0) & ~word & 0x80808080

/** The highest bit of each byte of a word that is 0. */
const zerosOf = (word: number): number => ~(((word & 0x7f7f7f7f) + 0x7f7f7f7f) | 0 | word | 0x7f7f7f7f)

/** 1 if an odd number of bytes has its highest bit, which is the only one. */
const oddness = (places: number): number => {
  const halves = places ^ (places >>> 16)
  return ((halves ^ (halves >>> 8)) >>> 7) & 1
}

const quote = 0x22
const lineFeed = 0x0a
const carriageReturn = 0x0d
