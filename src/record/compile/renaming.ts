import * as Struct from "effect/Struct"

/** A function that makes one record of another. */
type Transform = (record: object) => unknown

/**
 * The new name of each field, if a function does nothing to a record but to rename its
 * fields; undefined where that is not certain.
 *
 * `Schema.encodeKeys` leaves no note that its function is a renaming, and any other might
 * look at the values it is given. It can be run for each record, but takes longer over a
 * field than all else that is done to it. Yet what code a function is made of can be known:
 * while it reads a field, the stack says where it stands. What stands there as a function
 * by `Struct.renameKeys` does, with nothing around it, is one, and so never looks at a value.
 */
export const renamingOf = (
  transform: Transform,
  names: ReadonlyArray<string>
): ReadonlyMap<string, string> | undefined => {
  if (!isByRenameKeys(transform)) return undefined
  const marks = new Map<unknown, string>(names.map((name) => [Symbol(name), name]))
  const renamed = Object.entries(
    transform(Object.fromEntries([...marks].map(([mark, name]) => [name, mark]))) as object
  )
  return new Map(renamed.map(([name, mark]) => [marks.get(mark) ?? "", name]))
}

const rename: Transform = Struct.renameKeys({})
/** Like the former but for what is around it, or within. */
const wrapped: Transform = (record) => rename(record)
const another: Transform = Struct.evolveKeys({})

const isByRenameKeys = (transform: Transform): boolean => {
  const [stack, renaming, ...others] = stacksOf([transform, rename, wrapped, another])
  // where stacks do not tell these apart, they tell nothing
  return stack !== undefined && stack === renaming && !others.includes(stack)
}

/** The stack of each function while it reads a field, undefined if it reads none. All are called from one place. */
const stacksOf = (transforms: ReadonlyArray<Transform>): ReadonlyArray<string | undefined> => {
  const { stackTraceLimit } = Error
  try {
    Error.stackTraceLimit = 10
    const stacks: Array<string | undefined> = []
    for (const transform of transforms) stacks.push(stackOf(transform))
    Error.stackTraceLimit = stackTraceLimit
    return stacks
  } catch {
    // where the limit is not to be set
    return []
  }
}

const stackOf = (transform: Transform): string | undefined => {
  let stack: string | undefined
  const record = {
    get field() {
      stack = new Error().stack
      return undefined
    }
  }
  try {
    transform(record)
  } catch {
    // made for other records
  }
  return stack
}
