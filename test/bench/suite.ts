/** A row of the table: how many times as fast ours is as theirs. */
export interface Row {
  readonly name: string
  readonly ours: Contestant
  readonly theirs: Contestant
  /** Left out of a quick run. */
  readonly wholeOnly?: boolean
}

/** Where a contestant is made: an export of a module, which is a `Setup`. */
export interface Contestant {
  readonly module: string
  readonly name: string
}

/** Prepares a contestant, and gives what does one round: how many records it moved. */
export type Setup = (options: { readonly quick: boolean }) => Promise<() => Promise<number>>

export interface Round {
  readonly records: number
  readonly millis: number
  /** The most memory the process ever had, in bytes. */
  readonly rss: number
}
