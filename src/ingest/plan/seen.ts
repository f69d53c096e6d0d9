/** The most keys that are kept: 64 MiB, once the table is full. */
export const keysKept = 4_194_304

/**
 * Remembers texts in bounded memory, as 64 bits of each: two different ones are
 * taken for the same once in millions of loads. What is too much is not kept, and
 * `isFull` tells so.
 */
export class Seen {
  isFull = false
  private readonly most: number
  private size = 0
  // two halves of each entry, side by side; both 0 is an empty slot
  private slots = new Uint32Array(2 * 1024)
  private high = 0
  private low = 0

  constructor(most: number = keysKept) {
    this.most = most
  }

  /** Whether the text was there before; from now on it is. */
  has(text: string): boolean {
    this.hash(text)
    if (this.find(this.slots, this.high, this.low)) return true
    if (this.size >= this.most) {
      this.isFull = true
      return false
    }
    if (this.size * 2 >= this.slots.length / 2) this.grow()
    this.put(this.slots, this.high, this.low)
    this.size++
    return false
  }

  private find(slots: Uint32Array, high: number, low: number): boolean {
    const at = this.slotOf(slots, high, low)
    return slots[at] === high && slots[at + 1] === low
  }

  private put(slots: Uint32Array, high: number, low: number): void {
    const at = this.slotOf(slots, high, low)
    slots[at] = high
    slots[at + 1] = low
  }

  /** Where the entry is, or the empty slot where it belongs. */
  private slotOf(slots: Uint32Array, high: number, low: number): number {
    const mask = slots.length - 1
    let at = (low * 2) & mask
    while ((slots[at] !== 0 || slots[at + 1] !== 0) && (slots[at] !== high || slots[at + 1] !== low)) {
      at = (at + 2) & mask
    }
    return at
  }

  private grow(): void {
    const slots = new Uint32Array(this.slots.length * 2)
    for (let at = 0; at < this.slots.length; at += 2) {
      const high = this.slots[at]!
      const low = this.slots[at + 1]!
      if (high !== 0 || low !== 0) this.put(slots, high, low)
    }
    this.slots = slots
  }

  /** Two hashes of 32 bits, after cyrb53 by bryc (public domain). */
  private hash(text: string): void {
    let high = 0xdeadbeef
    let low = 0x41c6ce57
    for (let i = 0; i < text.length; i++) {
      const char = text.charCodeAt(i)
      high = Math.imul(high ^ char, 2654435761)
      low = Math.imul(low ^ char, 1597334677)
    }
    high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
    low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
    this.high = high >>> 0
    // never an empty slot
    this.low = (high === 0 ? low | 1 : low) >>> 0
  }
}
