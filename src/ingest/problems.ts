import type * as RecordCodec from "../record/RecordCodec.ts"

/** What is wrong with records that cannot be written, by their place among all, in whose order they were rejected. */
export const problemsOf = <A>(
  records: ReadonlyArray<A>,
  rejected: ReadonlyArray<RecordCodec.Rejected<A>>
): ReadonlyMap<number, RecordCodec.Problem> => {
  const problems = new Map<number, RecordCodec.Problem>()
  let at = 0
  for (const { problem, record } of rejected) {
    while (!Object.is(records[at], record)) at++
    problems.set(at++, problem)
  }
  return problems
}
