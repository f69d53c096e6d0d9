const escape = 0xff

/**
 * The keys of the rows of one part, each with the number of its row: some 30 bytes
 * a key, where a `Map` of texts takes 100 and more. Exact, not by hash alone.
 */
export class Keys {
  size = 0
  /** The keys one after the other: ASCII as it is, other units in three bytes. */
  private arena = new Uint8Array(1024)
  private length = 0
  private ends = new Uint32Array(64)
  private hashes = new Int32Array(64)
  /** Open addressing; a slot holds a row's number plus one. */
  private table = new Int32Array(128)
  /** The row after the one that was found last: results come mostly in the order in which rows were sent. */
  private next = 0
  /** Whether a key may stand at more than one row. */
  private isReplaced = false

  /** Forgets all keys, and keeps their memory for others. */
  clear(): void {
    this.size = 0
    this.length = 0
    this.table.fill(0)
    this.next = 0
    this.isReplaced = false
  }

  /**
   * Adds the key of the next row. One that is there already is not added, or takes
   * the place of the earlier one, whose number is given; -1 for a new key.
   */
  add(key: string, replace: boolean): number {
    this.reserve(1, key.length)
    const hash = this.write(this.size, key)
    const slot = this.slotOf(key, hash)
    const earlier = this.table[slot]! - 1
    if (earlier >= 0) {
      if (!replace) return earlier
      this.isReplaced = true
    }
    this.length = this.ends[this.size++]!
    this.table[slot] = this.size
    return earlier
  }

  /**
   * Adds the keys of the next rows up to the first that is there already, and gives how
   * many they are. All are hashed before the first is looked up: what is not in the
   * processor's cache is then waited for at once rather than key by key.
   */
  addNew(keys: ReadonlyArray<string>, from: number): number {
    let units = 0
    for (let i = from; i < keys.length; i++) units += keys[i]!.length
    this.reserve(keys.length - from, units)
    for (let i = from; i < keys.length; i++) this.write(this.size + i - from, keys[i]!)
    const { hashes, table } = this
    const mask = table.length - 1
    let added = from
    for (; added < keys.length; added++) {
      const hash = hashes[this.size]!
      let slot = hash & mask
      while (table[slot] !== 0 && hashes[table[slot]! - 1] !== hash) slot = (slot + 1) & mask
      // the same hash: most likely the same key
      if (table[slot] !== 0) break
      table[slot] = ++this.size
    }
    if (this.size > 0) this.length = this.ends[this.size - 1]!
    return added - from
  }

  /** The number of the row with this key, or -1. */
  indexOf(key: string): number {
    const { next } = this
    const isNext = next < this.size && !this.isReplaced && this.equals(next, key)
    const index = isNext ? next : this.table[this.slotOf(key, hashOf(key))]! - 1
    this.next = index + 1
    return index
  }

  /** The slot of a key, or the empty one where it would be. */
  private slotOf(key: string, hash: number): number {
    const { hashes, table } = this
    const mask = table.length - 1
    let slot = hash & mask
    for (;;) {
      const entry = table[slot]!
      if (entry === 0 || (hashes[entry - 1] === hash && this.equals(entry - 1, key))) return slot
      slot = (slot + 1) & mask
    }
  }

  private equals(index: number, key: string): boolean {
    const { arena, ends } = this
    const end = ends[index]!
    let at = index === 0 ? 0 : ends[index - 1]!
    for (let i = 0; i < key.length; i++) {
      const unit = key.charCodeAt(i)
      if (unit < 0x80) {
        if (at >= end || arena[at++] !== unit) return false
      } else {
        if (at + 3 > end || arena[at] !== escape || arena[at + 1] !== unit >> 8 || arena[at + 2] !== (unit & 0xff)) {
          return false
        }
        at += 3
      }
    }
    return at === end
  }

  /** Writes a key behind the one before, and gives its hash. */
  private write(row: number, key: string): number {
    const { arena } = this
    let hash = firstHash
    let at = row === 0 ? 0 : this.ends[row - 1]!
    for (let i = 0; i < key.length; i++) {
      const unit = key.charCodeAt(i)
      hash = Math.imul(hash ^ unit, hashFactor)
      if (unit < 0x80) arena[at++] = unit
      else {
        arena[at++] = escape
        arena[at++] = unit >> 8
        arena[at++] = unit & 0xff
      }
    }
    this.ends[row] = at
    hash = mixed(hash)
    this.hashes[row] = hash
    return hash
  }

  /** Makes room for more keys, of so many units in all. */
  private reserve(keys: number, units: number): void {
    const length = this.length + units * 3
    if (length > this.arena.length) {
      const larger = new Uint8Array(Math.max(more(this.arena.length), length))
      larger.set(this.arena)
      this.arena = larger
    }
    const size = this.size + keys
    if (size > this.ends.length) {
      const ends = new Uint32Array(Math.max(more(this.ends.length), size))
      ends.set(this.ends)
      this.ends = ends
      const hashes = new Int32Array(ends.length)
      hashes.set(this.hashes)
      this.hashes = hashes
    }
    let slots = this.table.length
    while (size * 1.5 > slots) slots *= 2
    if (slots > this.table.length) this.grow(slots)
  }

  private grow(slots: number): void {
    const { hashes } = this
    const table = new Int32Array(slots)
    const mask = table.length - 1
    // the last row first: of rows with the same key it is the one that is found
    for (let row = this.size; row > 0; row--) {
      let slot = hashes[row - 1]! & mask
      while (table[slot] !== 0) slot = (slot + 1) & mask
      table[slot] = row
    }
    this.table = table
  }
}

/** What there is room for next: parts are many, and what is not used of it is there for each. */
const more = (length: number): number => Math.ceil(length * 1.3)

/** FNV-1a over units. */
const firstHash = 0x811c9dc5 | 0
const hashFactor = 0x01000193

/** Mixed once more, so that the low bits depend on all of a hash. */
const mixed = (hash: number): number => {
  const h = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return h ^ (h >>> 13)
}

const hashOf = (key: string): number => {
  let h = firstHash
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), hashFactor)
  return mixed(h)
}
