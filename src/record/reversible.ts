/** Transformations of which it is known that they read what they write, whatever that is. */
const known = new WeakSet<object>()

/** Notes that a transformation reads what it writes: no value has to be asked. */
export const reversible = <T extends object>(transformation: T): T => {
  known.add(transformation)
  return transformation
}

export const isReversible = (transformation: object): boolean => known.has(transformation)
