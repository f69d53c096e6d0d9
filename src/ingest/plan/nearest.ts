/** What of a name tells it apart: no case, no namespace, no `__c`, no blanks. */
const core = (name: string): string =>
  name
    .toLowerCase()
    .replace(/__(c|r)$/, "")
    .replace(/^[a-z0-9]+__/, "")
    .replace(/[^\p{L}\p{N}]/gu, "")

/** How many letters must be put in, taken out, changed or swapped, to make one of the other; `limit` if more. */
const distance = (a: string, b: string, limit: number): number => {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: ReadonlyArray<number> = []
  let last: ReadonlyArray<number> = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = isSwapped ? before[j - 2]! + 1 : limit
      row.push(Math.min(change, swap, last[j]! + 1, row[j - 1]! + 1))
    }
    before = last
    last = row
  }
  return Math.min(limit, last[b.length]!)
}

/** The candidate that may have been meant; by its label too. Undefined when none is near. */
const nearest = (
  name: string,
  candidates: ReadonlyArray<{ readonly name: string; readonly label?: string }>
): string | undefined => {
  const wanted = core(name)
  let best: string | undefined
  let least = Math.max(2, Math.ceil(wanted.length / 3))
  for (const candidate of candidates) {
    const near = Math.min(
      distance(wanted, core(candidate.name), least),
      candidate.label === undefined ? least : distance(wanted, core(candidate.label), least)
    )
    if (near < least) {
      least = near
      best = candidate.name
    }
  }
  return best
}

/** The end of a message that tells of it. */
export const meant = (
  name: string,
  candidates: ReadonlyArray<{ readonly name: string; readonly label?: string }>
): string => {
  const best = nearest(name, candidates)
  return best === undefined ? "" : `: ${best} may be meant`
}
