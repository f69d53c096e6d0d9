/**
 * A constructor of plain objects, as literals make them, for those of which there are
 * millions.
 *
 * V8 looks at what becomes of the first objects of a literal. If most of them happen to
 * outlive a collection, all later ones are made where only a full collection finds them,
 * with whatever they hold: that took a load up to half as much memory again, one time in
 * eight on a busy machine. What `new` makes is not looked at.
 */
export const plain = <A extends object, Args extends ReadonlyArray<unknown>>(
  set: (this: { -readonly [K in keyof A]: A[K] }, ...values: Args) => void
): (new (
  ...values: Args
) => A) => {
  set.prototype = Object.prototype
  return set as unknown as new (
    ...values: Args
  ) => A
}
