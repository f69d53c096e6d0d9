/**
 * A fingerprint of bytes as they go by, the same however they are cut: 128 bits, made
 * of four lanes of 32-bit words, since a download that is repeated must be told from
 * another one at a cost that does not show.
 */
export class Fingerprint {
  #lanes = [0, 0, 0, 0] as readonly [number, number, number, number]
  /** The last bytes, as long as they do not fill a block. */
  readonly #rest = new Uint8Array(block)
  #restLength = 0

  add(bytes: Uint8Array): void {
    let at = 0
    if (this.#restLength > 0) {
      at = Math.min(block - this.#restLength, bytes.length)
      this.#rest.set(bytes.subarray(0, at), this.#restLength)
      this.#restLength += at
      if (this.#restLength < block) return
      this.#mix(this.#rest, 0, block)
    }
    const end = at + Math.floor((bytes.length - at) / block) * block
    this.#mix(bytes, at, end)
    this.#rest.set(bytes.subarray(end))
    this.#restLength = bytes.length - end
  }

  equals(other: Fingerprint): boolean {
    return (
      this.#restLength === other.#restLength &&
      this.#lanes.every((lane, i) => lane === other.#lanes[i]) &&
      this.#rest.subarray(0, this.#restLength).every((byte, i) => byte === other.#rest[i])
    )
  }

  #mix(bytes: Uint8Array, from: number, to: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let [a, b, c, d] = this.#lanes
    for (let i = from; i < to; i += block) {
      a = Math.imul(((a << 13) | (a >>> 19)) ^ view.getInt32(i, true), 0x9e3779b1)
      b = Math.imul(((b << 13) | (b >>> 19)) ^ view.getInt32(i + 4, true), 0x85ebca6b)
      c = Math.imul(((c << 13) | (c >>> 19)) ^ view.getInt32(i + 8, true), 0xc2b2ae35)
      d = Math.imul(((d << 13) | (d >>> 19)) ^ view.getInt32(i + 12, true), 0x27d4eb2f)
    }
    this.#lanes = [a, b, c, d]
  }
}

const block = 16
