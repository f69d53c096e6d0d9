import * as Arr from "effect/Array"

/** How many records are written together. */
const size = 200

/** An array in pieces that are written one at a time: it may hold all the records that there are. */
export const slices = <A>(records: Arr.NonEmptyReadonlyArray<A>): Arr.NonEmptyReadonlyArray<ReadonlyArray<A>> =>
  Arr.makeBy(Math.ceil(records.length / size), (i) => records.slice(i * size, (i + 1) * size))
