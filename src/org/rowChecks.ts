/** What is wrong with the values of a row, by the fields of its object and the records that there are. */
import type { Column } from "./columns.ts"
import type { Field, ObjectDescribe } from "./Describe.ts"
import type { IngestJob } from "./job.ts"
import * as Rules from "./Rules.ts"
import type { Found, Store, Value } from "./Store.ts"

/** The values of the cells of a row: undefined where it says nothing. */
export type Values = ReadonlyArray<Value | undefined>

/** A field without which there is no record; -1 when the upload has no such column. */
interface Required {
  readonly name: string
  readonly index: number
}

interface Reference {
  readonly index: number
  readonly exists: (id: string) => boolean
  /** Those that this chunk has found already. */
  readonly known: Set<string>
}

interface Unique {
  readonly name: string
  readonly index: number
  readonly holders: (value: Value) => ReadonlyArray<Found>
}

/** What the rows of one job are checked for. */
export class RowChecks {
  private readonly columns: ReadonlyArray<Column>
  /** The column of ids that no insert may have; -1 when there is none. */
  private readonly idIndex: number
  private readonly readonlyOnInsert: ReadonlyArray<number>
  private readonly readonlyOnUpdate: ReadonlyArray<number>
  private readonly requiredOnInsert: ReadonlyArray<Required>
  private readonly requiredOnUpdate: ReadonlyArray<Required>
  private readonly references: ReadonlyArray<Reference>
  private readonly uniques: ReadonlyArray<Unique>

  constructor(options: {
    readonly store: Store
    readonly objects: ReadonlyMap<string, ObjectDescribe>
    readonly object: ObjectDescribe
    readonly columns: ReadonlyArray<Column>
    readonly operation: IngestJob["operation"]
    /** Whether records are told apart by their ids. */
    readonly keyIsId: boolean
  }) {
    const { columns, keyIsId, object, objects, operation, store } = options
    this.columns = columns
    const indexOf = (name: string) =>
      columns.findIndex((column) => column.field.name.toLowerCase() === name.toLowerCase())
    const indexesWhere = (test: (field: Field) => boolean) =>
      columns.flatMap((column, index) => (test(column.field) ? [index] : []))
    this.idIndex = operation === "insert" ? indexOf("Id") : -1
    const isSpecialId = (field: Field) => field.name === "Id" && (keyIsId || operation === "insert")
    this.readonlyOnInsert = indexesWhere((field) => !field.createable && !isSpecialId(field))
    this.readonlyOnUpdate = indexesWhere((field) => !field.updateable && !isSpecialId(field))
    this.requiredOnInsert = object.fields
      .filter(Rules.isRequired)
      .map((field) => ({ name: field.name, index: indexOf(field.name) }))
    this.requiredOnUpdate = indexesWhere(
      (field) => field.updateable && !field.nillable && field.type !== "boolean"
    ).map((index) => ({ name: columns[index]!.field.name, index }))
    this.references = columns.flatMap(({ field, lookup }, index) => {
      const targets = field.referenceTo.flatMap((name) => objects.get(name.toLowerCase()) ?? [])
      // what was looked up is there, and an object the org does not have cannot be looked into
      if (lookup !== undefined || targets.length === 0 || targets.length < field.referenceTo.length) return []
      const finders = targets.map((target) => store.finderById(target.name, []))
      return [{ index, known: new Set(), exists: (id: string) => finders.some((find) => find(id)?.deleted === false) }]
    })
    this.uniques = columns.flatMap(({ field }, index) =>
      field.unique ? [{ name: field.name, index, holders: store.finderByKey(object.name, field.name, []) }] : []
    )
  }

  /** Begins a chunk: records that were looked up may have changed. */
  begin(): void {
    for (const { known } of this.references) known.clear()
  }

  /** What keeps a row from being a new record, where the columns of `unreadable` could not be read. */
  ofInsert(values: Values, unreadable: ReadonlySet<number>): ReadonlyArray<Rules.RowError> {
    const errors = this.ofBoth(values, this.readonlyOnInsert)
    const missing = this.requiredOnInsert.filter(
      ({ index }) => index === -1 || ((values[index] ?? null) === null && !unreadable.has(index))
    )
    if (missing.length > 0) errors.push(Rules.requiredMissing(missing.map(({ name }) => name)))
    return errors
  }

  /** What keeps a row from changing a record. */
  ofUpdate(values: Values): ReadonlyArray<Rules.RowError> {
    const errors = this.ofBoth(values, this.readonlyOnUpdate)
    const missing = this.requiredOnUpdate.filter(({ index }) => values[index] === null)
    if (missing.length > 0) errors.push(Rules.requiredMissing(missing.map(({ name }) => name)))
    return errors
  }

  private ofBoth(values: Values, readonly: ReadonlyArray<number>): Array<Rules.RowError> {
    const errors: Array<Rules.RowError> = []
    if (this.idIndex !== -1 && values[this.idIndex] !== undefined) errors.push(Rules.idOnInsert)
    if (readonly.length > 0) {
      const refused = readonly.filter((index) => values[index] !== undefined)
      if (refused.length > 0) errors.push(Rules.notWritable(refused.map((index) => this.columns[index]!.field.name)))
    }
    for (const { exists, index, known } of this.references) {
      const id = values[index]
      if (typeof id !== "string" || known.has(id)) continue
      if (exists(id)) known.add(id)
      else errors.push(Rules.noSuchRecord)
    }
    return errors
  }

  /** The records that have a value already that the row wants for the record of an id, which a unique index does not allow. */
  conflicts(id: string, values: Values): ReadonlyArray<Rules.RowError> {
    const errors = this.uniques.flatMap(({ name, index, holders }) => {
      const value = values[index]
      if (value === undefined || value === null) return []
      return holders(value)
        .filter((holder) => holder.id !== id)
        .map((holder) => Rules.duplicateValue(name, holder.id))
    })
    return errors.length > 0 ? errors : [Rules.rowError("DUPLICATE_VALUE", `duplicate value found: <unknown>`)]
  }
}
