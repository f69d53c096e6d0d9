const encodeUnit = 0xff

/**
 * The keys of the rows of one part, each with the number of its row: some 25 bytes
 * a key, where a `Map` of texts takes 100 and more. Exact, not by hash alone.
 */
export class Keys {
  size = 0
  private arena = new Uint8Array(1024)
  private ends = new Uint32Array(64)
  /** Open addressing; a slot holds a row's number plus one. */
  private table = new Int32Array(128)
  private scratch = new Uint8Array(256)

  /**
   * Adds the key of the next row. One that is there already is not added, or takes
   * the place of the earlier one, whose number is given; -1 for a new key.
   */
  add(key: string, replace: boolean): number {
    const length = this.write(key)
    const slot = this.slotOf(length)
    const earlier = (this.table[slot] ?? 0) - 1
    if (earlier >= 0 && !replace) return earlier
    this.append(length)
    this.table[slot] = this.size
    if (this.size * 2 > this.table.length) this.grow()
    return earlier
  }

  /** The number of the row with this key, or -1. */
  indexOf(key: string): number {
    return (this.table[this.slotOf(this.write(key))] ?? 0) - 1
  }

  /** Puts the key's bytes into `scratch`: ASCII as it is, other units in three bytes. */
  private write(key: string): number {
    if (key.length * 3 > this.scratch.length) this.scratch = new Uint8Array(key.length * 6)
    const { scratch } = this
    let length = 0
    for (let i = 0; i < key.length; i++) {
      const unit = key.charCodeAt(i)
      if (unit < 0x80) scratch[length++] = unit
      else {
        scratch[length++] = encodeUnit
        scratch[length++] = unit >> 8
        scratch[length++] = unit & 0xff
      }
    }
    return length
  }

  /** The slot of the key in `scratch`, or the empty one where it would be. */
  private slotOf(length: number): number {
    const mask = this.table.length - 1
    let slot = hash(this.scratch, 0, length) & mask
    for (;;) {
      const entry = this.table[slot] ?? 0
      if (entry === 0 || this.equals(entry - 1, length)) return slot
      slot = (slot + 1) & mask
    }
  }

  private equals(index: number, length: number): boolean {
    const begin = index === 0 ? 0 : (this.ends[index - 1] ?? 0)
    if ((this.ends[index] ?? 0) - begin !== length) return false
    // keys differ at their ends more often than at their beginnings
    for (let i = length - 1; i >= 0; i--) if (this.arena[begin + i] !== this.scratch[i]) return false
    return true
  }

  private append(length: number): void {
    const begin = this.size === 0 ? 0 : (this.ends[this.size - 1] ?? 0)
    if (begin + length > this.arena.length) {
      const larger = new Uint8Array(Math.max(this.arena.length * 2, begin + length))
      larger.set(this.arena)
      this.arena = larger
    }
    if (this.size === this.ends.length) {
      const larger = new Uint32Array(this.ends.length * 2)
      larger.set(this.ends)
      this.ends = larger
    }
    this.arena.set(this.scratch.subarray(0, length), begin)
    this.ends[this.size++] = begin + length
  }

  private grow(): void {
    const before = this.table
    this.table = new Int32Array(before.length * 2)
    const mask = this.table.length - 1
    for (const entry of before) {
      if (entry === 0) continue
      const begin = entry === 1 ? 0 : (this.ends[entry - 2] ?? 0)
      let slot = hash(this.arena, begin, this.ends[entry - 1] ?? 0) & mask
      while (this.table[slot] !== 0) slot = (slot + 1) & mask
      this.table[slot] = entry
    }
  }
}

/** FNV-1a, mixed once more so that its low bits depend on all of it. */
const hash = (bytes: Uint8Array, begin: number, end: number): number => {
  let h = 0x811c9dc5
  for (let i = begin; i < end; i++) h = Math.imul(h ^ (bytes[i] ?? 0), 0x01000193)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return h ^ (h >>> 13)
}
