/** How many bytes are looked at in one go. */
const most = 64 * 1024

/** How many bytes are mixed into a fingerprint at once, and how many a kernel is given behind the last one. */
const block = 64

/** Where a kernel has the bytes: before them are the lanes of the fingerprint. */
const begin = block

/**
 * Bytes of CSV as they go by, however they are cut: how many rows they hold, without
 * reading them, and a fingerprint, by which a download that is repeated is told from
 * another one. Neither may cost what shows.
 *
 * A line end within quotes is none, and blank lines are no rows. The fingerprint has
 * 512 bits: sixteen lanes of 32-bit words.
 */
export class Passage {
  readonly #kernel: Kernel
  readonly #lanes = new Int32Array(block / 4)
  /** The last bytes, as long as they do not fill a block. */
  readonly #rest = new Uint8Array(block)
  #length = 0
  #lines = 0
  #quoted = 0
  #before = 1

  constructor(kernel: Kernel = defaultKernel()) {
    this.#kernel = kernel
  }

  add(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += most) this.#add(bytes.subarray(from, from + most))
  }

  #add(bytes: Uint8Array): void {
    const { before, lanes, lines, memory, pass, quoted } = this.#kernel
    const from = begin + (this.#length % block)
    const end = from + bytes.length
    const whole = end - (end % block)
    memory.set(this.#rest.subarray(0, from - begin), begin)
    memory.set(bytes, from)
    memory.fill(0, end, end + block)

    lines.value = this.#lines
    quoted.value = this.#quoted
    before.value = this.#before
    lanes.set(this.#lanes)
    pass(from, end)
    this.#lines = lines.value
    this.#quoted = quoted.value
    this.#before = before.value
    this.#lanes.set(lanes)
    this.#rest.set(memory.subarray(whole, end))
    this.#length += bytes.length
  }

  get length(): number {
    return this.#length
  }

  /** The rows so far, the header left out; one that has no line end yet counts. */
  get rows(): number {
    return Math.max(0, this.#lines + (this.#before === 1 ? 0 : 1) - 1)
  }

  /** Whether it stopped within quotes, so that more must follow. */
  get isWithinQuotes(): boolean {
    return this.#quoted === 1
  }

  /** Whether the same bytes went by. */
  equals(other: Passage): boolean {
    return (
      this.#length === other.#length &&
      this.#lanes.every((lane, i) => lane === other.#lanes[i]) &&
      this.#rest.subarray(0, this.#length % block).every((byte, i) => byte === other.#rest[i])
    )
  }
}

/** What looks at bytes in a memory of its own. */
export interface Kernel {
  readonly memory: Uint8Array
  /** The fingerprint, at the beginning of the memory. */
  readonly lanes: Int32Array
  /** How many rows have ended. */
  readonly lines: { value: number }
  /** 1 within quotes. */
  readonly quoted: { value: number }
  /** 1 behind the line feed of a row, 2 behind a carriage return behind one, otherwise 0. */
  readonly before: { value: number }
  /**
   * Counts the rows that end in the bytes from one place, which is in the first block, up to
   * another one, behind which there are zeros; and mixes all whole blocks into the lanes.
   */
  readonly pass: (from: number, end: number) => void
}

/** In WebAssembly with SIMD, 64 bytes at a time; `undefined` where there is none. */
export const wasmKernel = (): Kernel | undefined => {
  try {
    const module = new WebAssembly.Module(Uint8Array.from(atob(wasm), (char) => char.charCodeAt(0)))
    const exports = new WebAssembly.Instance(module).exports as unknown as Omit<Kernel, "memory" | "lanes"> & {
      readonly memory: WebAssembly.Memory
    }
    const { buffer } = exports.memory
    return { ...exports, memory: new Uint8Array(buffer), lanes: new Int32Array(buffer, 0, block / 4) }
  } catch {
    return undefined
  }
}

/** In JavaScript, eight bytes at a time, and single ones only where a line ends. */
export const loopKernel = (): Kernel => {
  const memory = new Uint8Array(begin + most + 2 * block)
  const view = new DataView(memory.buffer)
  const lanes = new Int32Array(memory.buffer, 0, block / 4)
  const lines = { value: 0 }
  const quoted = { value: 0 }
  const before = { value: 1 }

  const look = (from: number, end: number): void => {
    for (let i = from; i < end; i++) {
      const byte = memory[i]
      const isFeed = byte === lineFeed && quoted.value === 0
      if (isFeed && before.value === 0) lines.value++
      if (byte === quote) quoted.value ^= 1
      before.value = isFeed ? 1 : byte === carriageReturn && before.value === 1 ? 2 : 0
    }
  }

  const count = (from: number, end: number): void => {
    const words = from + ((end - from) & ~7)
    /** The quotes of words that were passed over, by their places in a word: how many there were is odd or even. */
    let passed = 0
    for (let i = from; i < words; i += 8) {
      const one = view.getInt32(i, true)
      const other = view.getInt32(i + 4, true)
      if ((zeros(one ^ 0x0a0a0a0a) | zeros(other ^ 0x0a0a0a0a)) === 0) {
        passed ^= zerosOf(one ^ 0x22222222) ^ zerosOf(other ^ 0x22222222)
        before.value = 0
      } else {
        quoted.value ^= oddness(passed)
        passed = 0
        look(i, i + 8)
      }
    }
    quoted.value ^= oddness(passed)
    look(words, end)
  }

  const mix = (end: number): void => {
    for (let i = begin; i + block <= end; i += block) {
      for (let k = 0; k < lanes.length; k++) {
        const lane = lanes[k] ?? 0
        const word = view.getInt32(i + 4 * k, true)
        lanes[k] = Math.imul(((lane << 13) | (lane >>> 19)) ^ word, odd[k & 3] ?? 1)
      }
    }
  }

  const pass = (from: number, end: number): void => {
    count(from, end)
    mix(end)
  }
  return { memory, lanes, lines, quoted, before, pass }
}

let kernel: Kernel | undefined

const defaultKernel = (): Kernel => {
  kernel ??= wasmKernel() ?? loopKernel()
  return kernel
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

const odd = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f]
const quote = 0x22
const lineFeed = 0x0a
const carriageReturn = 0x0d

// passage.wat, as wat2wasm of wabt compiles it
const wasm =
  "AGFzbQEAAAABBgFgAn9/AAMCAQAFAwEAAgYQA38BQQALfwFBAAt/AUEBCwcrBQZtZW1vcnkCAAVsaW5lcwMABnF1b3RlZAMBBmJlZm9yZQMCBHBhc3MAAAquBQGrBQMCfwh+DHtBIv0PIRRBCv0PIRVBDf0PIRb9DLF5N55ryuuFNa6ywi/r1CchF0EA/QAEACEQQQD9AAQQIRFBAP0ABCAhEkEA/QAEMCETQcAAIQIjACEDQgAjAa19IQkgACACa60hBUJ/IAWGIQQjAkEBca0gBYYhCiMCQQF2rSAFhiELQj8hBQJAA0AgAiABTw0BIAL9AAQAIQwgAv0ABBAhDSAC/QAEICEOIAL9AAQwIQ8gBCAMIBT9I/1krSANIBT9I/1krUIQhoQgDiAU/SP9ZK1CIIYgDyAU/SP9ZK1CMIaEhIMhBiAGIAZCAYaFIQYgBiAGQgKGhSEGIAYgBkIEhoUhBiAGIAZCCIaFIQYgBiAGQhCGhSEGIAYgBkIghoUhBiAGIAmFIQYgBkI/hyEJIAQgBkJ/hYMgDCAV/SP9ZK0gDSAV/SP9ZK1CEIaEIA4gFf0j/WStQiCGIA8gFf0j/WStQjCGhISDIQcgCiAHQgGGhCEKIAQgCoMgDCAW/SP9ZK0gDSAW/SP9ZK1CEIaEIA4gFv0j/WStQiCGIA8gFv0j/WStQjCGhISDIQggCyAIQgGGhCELIAMgByAKIAuEQn+Fg3unaiEDIAEgAmtBwABPBEAgEEEN/asBIBBBE/2tAf1QIAz9USAX/bUBIRAgEUEN/asBIBFBE/2tAf1QIA39USAX/bUBIREgEkEN/asBIBJBE/2tAf1QIA79USAX/bUBIRIgE0EN/asBIBNBE/2tAf1QIA/9USAX/bUBIRMFIAEgAmtBAWutIQULIAcgBYhCAYMhCiAIIAWIQgGDIQtCfyEEIAJBwABqIQIMAAsLIAMkACAJQgGDpyQBIAqnIAunQQF0ciQCQQAgEP0LBABBACAR/QsEEEEAIBL9CwQgQQAgE/0LBDAL"
