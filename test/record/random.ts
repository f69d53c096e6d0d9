/** Numbers that look random and are the same in every run. */
export const random = (seed: number) => {
  let state = (seed * 2_654_435_761 + 1) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  /** A whole number from 0 up to, but without, `below`. */
  const int = (below: number): number => Math.floor(next() * below)
  const of = <A>(values: ReadonlyArray<A>): A => values[int(values.length)] as A
  return { int, of }
}
