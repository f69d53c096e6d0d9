/** A row of the table: how many times as fast ours is as theirs. */
export interface Row {
  readonly name: string
  readonly ours: Contestant
  readonly theirs: Contestant
  /** What is compared. Default: records a second. */
  readonly of?: Measure
  /** More rows of the same rounds, by their names. */
  readonly also?: Readonly<Record<string, Measure>>
  /** Whether it is about moving records to and from a server: then each round has a new process. */
  readonly isServed?: boolean
  /** Left out of a quick run. */
  readonly wholeOnly?: boolean
  /** Whether it takes libraries that only this comparison needs: they are installed for it, once. */
  readonly needsPeers?: boolean
}

/** Records a second, the most memory, API calls a record, the time to the first record: more is always better for ours. */
export type Measure = "speed" | "memory" | "calls" | "first"

/** Where a contestant is made: an export of a module, which is a `Setup`. */
export interface Contestant {
  readonly module: string
  readonly name: string
}

/** How much there is to move: a little, a million records, 4.2 million. */
export type Extent = "quick" | "whole" | "huge"

export interface SetupOptions {
  readonly quick: boolean
  readonly extent: Extent
  /** Of the server, in a row that has one. */
  readonly url: string
}

/** Prepares a contestant, and gives what does one round: how many records it moved. */
export type Setup = (options: SetupOptions) => Promise<() => Promise<number | Moved>>

export interface Moved {
  readonly records: number
  /** When the first record was there, by `performance.now()`. */
  readonly firstAt?: number | undefined
  readonly calls?: number | undefined
}

export interface Round {
  readonly records: number
  readonly millis: number
  /** How long the first record took. */
  readonly first?: number | undefined
  readonly calls?: number | undefined
  /** The most memory the process ever had, in bytes. */
  readonly rss: number
}
