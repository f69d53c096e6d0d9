/** How much is kept of one kind: more of it is not of one program, but of ever other columns. */
const most = 64

/**
 * Keeps what is made for a key: code that is made anew is slow until V8 has optimised it.
 * Once there is much, all of it is forgotten, so that it does not grow for ever.
 */
export const kept = <A>(): ((key: string, make: () => A) => A) => {
  const all = new Map<string, A>()
  return (key, make) => {
    const known = all.get(key)
    if (known !== undefined) return known
    const made = make()
    if (all.size >= most) all.clear()
    all.set(key, made)
    return made
  }
}
