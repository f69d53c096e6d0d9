import { Passage } from "./passage.ts"

/**
 * Joins the answers to one request, sent again after each break, to one sequence of
 * CSV: what was handed on before is skipped, if it is the same.
 */
export class Seam {
  readonly #handedOn = new Passage()
  /** How many bytes of this answer were handed on before, and are still to come. */
  #toSkip = 0
  #skipped = new Passage()

  /** How many bytes were handed on. */
  get length(): number {
    return this.#handedOn.length
  }

  /** How many rows were handed on, the header left out. */
  get rows(): number {
    return this.#handedOn.rows
  }

  /** Whether what came so far can be all. */
  get canEnd(): boolean {
    return this.#toSkip === 0 && !this.#handedOn.isWithinQuotes
  }

  /** Another answer begins. */
  begin(): void {
    this.#toSkip = this.length
    this.#skipped = new Passage()
  }

  /** What is new of the bytes of an answer, or undefined if they are not the same as before. */
  add(pieces: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> | undefined {
    const fresh: Array<Uint8Array> = []
    for (const piece of pieces) {
      const known = Math.min(this.#toSkip, piece.length)
      if (known > 0) {
        this.#skipped.add(piece.subarray(0, known))
        this.#toSkip -= known
        if (this.#toSkip === 0 && !this.#skipped.equals(this.#handedOn)) return undefined
      }
      if (known === piece.length) continue
      const rest = known === 0 ? piece : piece.subarray(known)
      this.#handedOn.add(rest)
      fresh.push(rest)
    }
    return fresh
  }
}
