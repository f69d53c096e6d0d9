import * as Describe from "../../job/Describe.ts"
import { parseRelationship } from "../relationship.ts"

/**
 * A column, or without columns a field, that names a record of an object of the load.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lookup {
  readonly column: string
  /** The object it leads to. */
  readonly object: string
  /** The field by which it names its record; undefined where only the describe is known. */
  readonly key: Describe.Field | undefined
}

/**
 * An object that is to be loaded, and the columns of its records.
 *
 * @category models
 * @since 0.1.0
 */
export interface Described {
  readonly describe: Describe.ObjectDescribe
  /** Default: every field that can be given when a record is created. */
  readonly columns?: ReadonlyArray<string> | undefined
}

/** The lookups of an object that lead to any of the load's, by their names in lower case. */
export const lookupsOf = (
  { columns, describe }: Described,
  objects: ReadonlyMap<string, Describe.ObjectDescribe>
): ReadonlyArray<Lookup> => {
  const to = (column: string, names: ReadonlyArray<string>, key?: string): ReadonlyArray<Lookup> =>
    names.flatMap((name) => {
      const object = objects.get(name.toLowerCase())
      if (object === undefined) return []
      return [
        {
          column,
          object: object.name,
          key: key === undefined ? undefined : Describe.fieldsByName(object).get(key.toLowerCase())
        }
      ]
    })
  return columns === undefined
    ? describe.fields.flatMap(({ createable, name, referenceTo }) => (createable ? to(name, referenceTo) : []))
    : columns.flatMap((column) => {
        const parsed = parseRelationship(column)
        const name = parsed?.relationship.toLowerCase()
        const field = describe.fields.find((each) => each.relationshipName?.toLowerCase() === name)
        if (parsed === undefined || field === undefined) return []
        return to(column, parsed.type === undefined ? field.referenceTo : [parsed.type], parsed.key)
      })
}
