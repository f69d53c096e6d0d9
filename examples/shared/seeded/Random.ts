/**
 * Random numbers of a row: they follow from a seed and the row's number alone, so that
 * any row of millions can be made by itself, and is the same each time.
 *
 * One is made per kind of data, and set to row after row: nothing is allocated.
 */
export class Random {
  private readonly seed: number
  private state = 0

  constructor(seed: number) {
    this.seed = mixed(seed ^ 0x5f3759df)
  }

  /** Begins with a row: what is drawn after this is the row's. */
  at(row: number): this {
    // a row has 53 bits, and all of them count
    this.state = mixed(this.seed ^ mixed(row | 0) ^ Math.imul((row / 0x1_0000_0000) | 0, 0x85ebca6b))
    return this
  }

  /** From 0 to 1, without 1. */
  next(): number {
    this.state = (this.state + 0x9e3779b9) | 0
    return (mixed(this.state) >>> 0) / 0x1_0000_0000
  }

  /** A whole number from 0 to `n`, without `n`. */
  below(n: number): number {
    return Math.floor(this.next() * n)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<A>(values: ReadonlyArray<A>): A {
    return values[Math.floor(this.next() * values.length)]!
  }

  /**
   * A whole number from 0 to `n`, without `n`, as sizes, visits and sales are spread: the
   * first one comes twice as often as the second, three times as often as the third.
   */
  skewed(n: number): number {
    return Math.floor((n + 1) ** this.next()) - 1
  }

  pickSkewed<A>(values: ReadonlyArray<A>): A {
    return values[this.skewed(values.length)]!
  }

  /** A whole number about `mean`, spread as heights and scores are, from `least` to `most`. */
  bell(mean: number, spread: number, least: number, most: number): number {
    const sum = this.next() + this.next() + this.next() - 1.5
    return Math.min(most, Math.max(least, Math.round(mean + 2 * spread * sum)))
  }
}

/** Each bit of a number has a say in each bit of the result (the end of MurmurHash3). */
const mixed = (n: number): number => {
  let h = n
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
