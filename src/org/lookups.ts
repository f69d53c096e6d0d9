/** The records that the cells of relationship columns mean. */
import type { Field, ObjectDescribe } from "./Describe.ts"
import * as Rules from "./Rules.ts"
import type { Found, Store, Value } from "./Store.ts"

/** Finds records of one object by one of its keys. What it found holds for a chunk. */
export class Lookup {
  private readonly target: ObjectDescribe
  private readonly key: Field
  private readonly convert: Rules.Convert
  private readonly holders: (value: Value) => ReadonlyArray<Found>
  private readonly isHidden: (id: string) => boolean
  // the rows of a chunk often share their parents
  private readonly found = new Map<string, string | Rules.RowError>()

  /** `isHidden` says which records cannot be referenced yet. */
  constructor(store: Store, target: ObjectDescribe, key: Field, isHidden: (id: string) => boolean) {
    this.target = target
    this.key = key
    this.convert = Rules.converter(key)
    this.holders = store.finderByKey(target.name, key.name, [])
    this.isHidden = isHidden
  }

  /** The id of the record whose key is `text`, or why the row fails. */
  find(text: string): string | Rules.RowError {
    let found = this.found.get(text)
    if (found === undefined) {
      found = this.look(text)
      this.found.set(text, found)
    }
    return found
  }

  /** Forgets what it found, which may have changed since. */
  forget(): void {
    this.found.clear()
  }

  private look(text: string): string | Rules.RowError {
    const value = this.convert(text)
    const holders = Rules.isError(value) ? [] : this.holders(value).filter(({ id }) => !this.isHidden(id))
    if (holders.length > 1) {
      return Rules.duplicateExternalId(
        this.key.name,
        holders.map(({ id }) => id)
      )
    }
    return (
      holders[0]?.id ??
      Rules.rowError(
        "INVALID_FIELD",
        `Foreign key external ID: ${text} not found for field ${this.key.name} in entity ${this.target.name}`
      )
    )
  }
}
