import { Array, Effect, Stream } from "effect"
import { Random } from "./Random.ts"

const batch = 500

/**
 * The rows from 0 to `count`, made as they are asked for, 500 at a time: they take the
 * memory of what is under way, and are the same for the same seed.
 *
 * **Example** (A million people)
 *
 * ```ts
 * const people = rows({ seed: 1, count: 1_000_000 }, (random, row) => personOf(random, placeOf(random)))
 * ```
 */
export const rows = <A>(
  { count, seed }: { readonly seed: number; readonly count: number },
  make: (random: Random, row: number) => A
): Stream.Stream<A> =>
  Stream.suspend(() => {
    const random = new Random(seed)
    return Stream.unfold(0, (from) =>
      // nothing here waits for anything: what else the program does gets its turn, signals too
      Effect.map(Effect.yieldNow, () =>
        from >= count
          ? undefined
          : ([
              Array.makeBy(Math.min(batch, count - from), (i) => make(random.at(from + i), from + i)),
              from + batch
            ] as const)
      )
    ).pipe(Stream.flattenArray)
  })
