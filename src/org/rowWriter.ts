/** Rows to records: what every row of a job shares, and what is done with one. */
import type { Column } from "./columns.ts"
import type { Row } from "./csv.ts"
import type { Field, ObjectDescribe } from "./Describe.ts"
import * as ids from "./ids.ts"
import type { IngestJob } from "./job.ts"
import type { FieldValue, RowChange, RowRefusal, RowRule } from "./RowRule.ts"
import * as Rules from "./Rules.ts"
import { type Found, isStored, type Store, type Value, type Write } from "./Store.ts"

export interface Written {
  readonly id: string
  readonly created: boolean
}

export type Outcome = Written | ReadonlyArray<Rules.RowError>

export const isWritten = (outcome: Outcome): outcome is Written => "id" in outcome

/** Rules in code, by the names of their objects in lower case. */
export type RowRules = ReadonlyMap<string, ReadonlyArray<RowRule>>

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

const isFound = (found: Found | ReadonlyArray<Rules.RowError>): found is Found => "deleted" in found

const none: ReadonlySet<number> = new Set()

const stamps = ["LastModifiedDate", "LastModifiedById", "SystemModstamp"]

const fieldValue = (field: Field, value: Value): FieldValue =>
  field.type === "boolean" && value !== null ? value !== 0 : value

const refusal = ({ code, fields, message }: RowRefusal): Rules.RowError => ({
  code: code ?? "FIELD_CUSTOM_VALIDATION_EXCEPTION",
  message,
  fields: fields ?? []
})

const isSeveral = (refused: RowRefusal | ReadonlyArray<RowRefusal>): refused is ReadonlyArray<RowRefusal> =>
  Array.isArray(refused)

const verdict = (rule: RowRule, change: RowChange): ReadonlyArray<Rules.RowError> => {
  try {
    const refused = rule(change)
    if (refused === undefined) return []
    return isSeveral(refused) ? refused.map(refusal) : [refusal(refused)]
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return [Rules.rowError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)]
  }
}

/** Writes the rows of one job, chunk by chunk. */
export class RowWriter {
  private readonly store: Store
  private readonly object: ObjectDescribe
  private readonly columns: ReadonlyArray<Column>
  private readonly operation: IngestJob["operation"]
  private readonly userId: string
  private readonly rules: RowRules
  private readonly onCreated: ((id: string) => void) | undefined
  private readonly keyIndex: number
  private readonly keyIsId: boolean
  private readonly foldsKeys: boolean
  private readonly idIndex: number
  private readonly readonlyOnInsert: ReadonlyArray<number>
  private readonly readonlyOnUpdate: ReadonlyArray<number>
  private readonly requiredOnInsert: ReadonlyArray<Required>
  private readonly requiredOnUpdate: ReadonlyArray<Required>
  private readonly references: ReadonlyArray<Reference>
  private readonly uniques: ReadonlyArray<{
    readonly name: string
    readonly index: number
    readonly holders: (value: Value) => ReadonlyArray<Found>
  }>
  private readonly writtenIndexes: ReadonlyArray<number>
  private readonly writtenDefaults: ReadonlyArray<Value>
  private readonly defaulted: ReadonlyArray<Field>
  private readonly numbered: ReadonlyArray<Field>
  private readonly insertRow: Write
  private readonly updateRow: Write
  private readonly deleteRow: (id: string, now: string) => void
  private readonly findById: (id: string) => Found | undefined
  private readonly findByKey: (value: Value) => ReadonlyArray<Found>
  private readonly storedFields: ReadonlyArray<Field>
  private readonly findStored: (id: string) => Found | undefined

  // of the chunk that is under way
  private now = ""
  private nextId: () => string = () => ""
  private active: ReadonlyArray<RowRule> = []
  private readonly seen = new Set<Value>()

  /** The columns of this row that could not be read. */
  private readonly unreadable = new Set<number>()

  // used again for each row
  private readonly values: Array<Value | undefined>
  private readonly inserted: Array<Value>
  private readonly updated: Array<Value>

  constructor(options: {
    readonly store: Store
    readonly objects: ReadonlyMap<string, ObjectDescribe>
    readonly object: ObjectDescribe
    readonly columns: ReadonlyArray<Column>
    readonly job: IngestJob
    readonly rules: RowRules
    readonly onCreated: ((id: string) => void) | undefined
  }) {
    const { columns, job, object, objects, store } = options
    this.store = store
    this.object = object
    this.columns = columns
    this.operation = job.operation
    this.userId = job.createdById
    this.rules = options.rules
    this.onCreated = options.onCreated
    const indexOf = (name: string) =>
      columns.findIndex((column) => column.field.name.toLowerCase() === name.toLowerCase())
    const indexesWhere = (test: (field: Field) => boolean) =>
      columns.flatMap((column, index) => (test(column.field) ? [index] : []))

    const keyName = job.operation === "upsert" ? (job.externalIdFieldName ?? "Id") : "Id"
    this.keyIsId = keyName.toLowerCase() === "id"
    this.keyIndex = indexOf(keyName)
    this.foldsKeys = !this.keyIsId && columns[this.keyIndex]?.field.caseSensitive === false
    this.idIndex = job.operation === "insert" ? indexOf("Id") : -1
    const isSpecialId = (field: Field) => field.name === "Id" && (this.keyIsId || job.operation === "insert")
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

    this.writtenIndexes = indexesWhere((field) => field.createable || field.updateable)
    this.writtenDefaults = this.writtenIndexes.map((index) => Rules.defaultValue(columns[index]!.field, this.userId))
    const written = this.writtenIndexes.map((index) => columns[index]!.field.name)
    this.defaulted = object.fields.filter(
      (field) => field.createable && indexOf(field.name) === -1 && Rules.defaultValue(field, this.userId) !== null
    )
    const defaults = this.defaulted.map((field) => Rules.defaultValue(field, this.userId))
    this.numbered = object.fields.filter((field) => field.autoNumber && isStored(field) && indexOf(field.name) === -1)
    this.insertRow = store.inserter(object.name, [
      ...this.numbered.map((field) => field.name),
      ...this.defaulted.map((field) => field.name),
      ...stamps,
      "CreatedDate",
      "CreatedById",
      ...written
    ])
    this.updateRow = store.updater(object.name, [...stamps, ...written])
    this.findById = store.finderById(object.name, written)
    this.findByKey = store.finderByKey(object.name, keyName, written)
    this.storedFields = object.fields.filter(isStored)
    this.findStored = store.finderById(
      object.name,
      this.storedFields.map((field) => field.name)
    )
    if (job.operation === "hardDelete") this.deleteRow = store.deleter(object.name)
    else {
      const mark = store.updater(object.name, ["IsDeleted", ...stamps])
      this.deleteRow = (id, now) => mark(id, [1, now, this.userId, now])
    }
    this.values = new Array<Value | undefined>(columns.length)
    this.inserted = [
      ...this.numbered.map(() => null),
      ...defaults,
      "",
      this.userId,
      "",
      "",
      this.userId,
      ...written.map(() => null)
    ]
    this.updated = ["", this.userId, "", ...written.map(() => null)]
  }

  /** Begins a chunk of `count` rows: keys that were seen, and records that were looked up, may have changed. */
  begin(now: string, count: number): void {
    this.now = now
    this.nextId = this.store.recordIds(this.object.name, count)
    this.active = this.rules.get(this.object.name.toLowerCase()) ?? []
    this.seen.clear()
    for (const { known } of this.references) known.clear()
    for (const { lookup } of this.columns) lookup?.forget()
    const { inserted, updated } = this
    const first = this.numbered.length + this.defaulted.length
    for (const at of [first, first + 2, first + 3]) inserted[at] = now
    for (const at of [0, 2]) updated[at] = now
  }

  /** The values of a row, which hold until the next one is converted; errors are added to `errors`. */
  convert(row: Row, errors: Array<Rules.RowError>): Values {
    const { columns, values } = this
    for (let i = 0; i < row.length; i++) {
      const text = row[i]!.trim()
      values[i] = undefined
      if (text === "") continue
      if (text === "#N/A") values[i] = null
      else {
        const value = columns[i]!.convert(text)
        if (Rules.isError(value)) {
          if (errors.length === 0) this.unreadable.clear()
          this.unreadable.add(i)
          errors.push(value)
        } else values[i] = value
      }
    }
    return values
  }

  /** Does with a row what the job is for. */
  write(values: Values): Outcome {
    switch (this.operation) {
      case "insert":
        return this.insert(values)
      case "update":
      case "delete":
      case "hardDelete":
        return this.onExisting(values)
      case "upsert": {
        const key = values[this.keyIndex] ?? undefined
        if (key === undefined) return this.insert(values)
        return this.keyIsId ? this.onExisting(values) : this.upsert(key, values)
      }
    }
  }

  /** All that is wrong with a row whose cells could not all be read: `errors`, and what else would refuse it. */
  refuse(values: Values, errors: ReadonlyArray<Rules.RowError>): ReadonlyArray<Rules.RowError> {
    if (this.unreadable.has(this.keyIndex)) return errors
    const target = this.target(values)
    if (target === undefined) return [...errors, ...this.insertRefusals(values, this.unreadable)]
    return [...errors, ...(isFound(target) ? this.updateRefusals(values) : target)]
  }

  /** The id of the record that a row would have changed; empty when there is none. */
  idOf(values: Values): string {
    const target = this.target(values)
    return target !== undefined && isFound(target) ? target.id : ""
  }

  private upsert(key: Value, values: Values): Outcome {
    const folded = this.foldsKeys && typeof key === "string" ? key.toLowerCase() : key
    if (this.isRepeated(folded)) {
      return [Rules.rowError("DUPLICATE_VALUE", `Duplicate external id specified: ${key}`)]
    }
    const found = this.byKey(key)
    if (found === undefined) return this.insert(values)
    return isFound(found) ? this.update(found, values) : found
  }

  private onExisting(values: Values): Outcome {
    const found = this.byId(values)
    if (!isFound(found)) return found
    if (this.isRepeated(found.id)) return [Rules.rowError("DUPLICATE_VALUE", `Duplicate id specified: ${found.id}`)]
    if (this.operation === "update" || this.operation === "upsert") return this.update(found, values)
    const errors = this.active.length === 0 ? [] : this.ruled("delete", {}, found.id)
    if (errors.length > 0) return errors
    this.deleteRow(found.id, this.now)
    return { id: found.id, created: false }
  }

  private insert(values: Values): Outcome {
    const errors = this.insertRefusals(values, none)
    if (errors.length > 0) return errors
    const { inserted, writtenDefaults, writtenIndexes } = this
    const offset = inserted.length - writtenIndexes.length
    for (let i = 0; i < writtenIndexes.length; i++) {
      const index = writtenIndexes[i]!
      const value = values[index]
      const isDefault = value === undefined || (value === null && !this.columns[index]!.field.nillable)
      inserted[offset + i] = isDefault ? writtenDefaults[i]! : value
    }
    if (this.active.length > 0) {
      const refused = this.ruled("insert", this.valuesInserted())
      if (refused.length > 0) return refused
    }
    const id = this.nextId()
    for (let i = 0; i < this.numbered.length; i++) inserted[i] = String(ids.serial(id)).padStart(8, "0")
    if (!this.insertRow(id, inserted)) return this.conflicts(id, values)
    this.onCreated?.(id)
    return { id, created: true }
  }

  private update(found: Found, values: Values): Outcome {
    const errors = this.updateRefusals(values)
    if (errors.length > 0) return errors
    if (this.active.length > 0) {
      const refused = this.ruled("update", this.valuesUpdated(values), found.id)
      if (refused.length > 0) return refused
    }
    const { columns, updated, writtenIndexes } = this
    const offset = updated.length - writtenIndexes.length
    for (let i = 0; i < writtenIndexes.length; i++) {
      const index = writtenIndexes[i]!
      const value = values[index]
      const { type } = columns[index]!.field
      if (value === undefined) updated[offset + i] = found.values[i] ?? null
      // a checkbox is never null
      else updated[offset + i] = value === null && type === "boolean" ? 0 : value
    }
    return this.updateRow(found.id, updated) ? { id: found.id, created: false } : this.conflicts(found.id, values)
  }

  /** The record a row means, undefined when it makes one, or why there is none. */
  private target(values: Values): Found | undefined | ReadonlyArray<Rules.RowError> {
    if (this.operation === "insert") return undefined
    const key = values[this.keyIndex] ?? undefined
    if (key === undefined && this.operation === "upsert") return undefined
    return key === undefined || this.keyIsId ? this.byId(values) : this.byKey(key)
  }

  /** The record of an external id, undefined when there is none, or why there is not one. */
  private byKey(key: Value): Found | undefined | ReadonlyArray<Rules.RowError> {
    const found = this.findByKey(key)
    if (found.length < 2) return found[0]
    const holders = found.map(({ id }) => id)
    return [Rules.duplicateExternalId(this.columns[this.keyIndex]!.field.name, holders)]
  }

  /** The record a row means by its `Id`, or why there is none. */
  private byId(values: Values): Found | ReadonlyArray<Rules.RowError> {
    const id = values[this.keyIndex] ?? undefined
    if (id === undefined) return [Rules.rowError("MISSING_ARGUMENT", "Id not specified")]
    const found = this.findById(String(id))
    if (found === undefined) return [Rules.noSuchRecord]
    return found.deleted ? [Rules.deletedRecord] : found
  }

  /** Whether a key is met a second time in this chunk. */
  private isRepeated(key: Value): boolean {
    const { size } = this.seen
    return this.seen.add(key).size === size
  }

  private insertRefusals(values: Values, unreadable: ReadonlySet<number>): Array<Rules.RowError> {
    const errors = this.refusals(values, this.readonlyOnInsert)
    const missing = this.requiredOnInsert.filter(
      ({ index }) => index === -1 || ((values[index] ?? null) === null && !unreadable.has(index))
    )
    if (missing.length > 0) errors.push(Rules.requiredMissing(missing.map(({ name }) => name)))
    return errors
  }

  private updateRefusals(values: Values): Array<Rules.RowError> {
    const errors = this.refusals(values, this.readonlyOnUpdate)
    const missing = this.requiredOnUpdate.filter(({ index }) => values[index] === null)
    if (missing.length > 0) errors.push(Rules.requiredMissing(missing.map(({ name }) => name)))
    return errors
  }

  private refusals(values: Values, readonly: ReadonlyArray<number>): Array<Rules.RowError> {
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

  private ruled(operation: RowChange["operation"], values: RowChange["values"], id?: string) {
    const stored = id === undefined ? undefined : this.stored(id)
    return this.active.flatMap((rule) => verdict(rule, { operation, values, stored }))
  }

  private stored(id: string): RowChange["stored"] {
    const found = this.findStored(id)
    if (found === undefined) return undefined
    return Object.fromEntries(
      this.storedFields.map((field, i) => [field.name, fieldValue(field, found.values[i] ?? null)])
    )
  }

  private valuesInserted(): RowChange["values"] {
    const { columns, defaulted, inserted, numbered, writtenIndexes } = this
    const offset = inserted.length - writtenIndexes.length
    return Object.fromEntries([
      ...defaulted.map((field, i) => [field.name, fieldValue(field, inserted[numbered.length + i] ?? null)]),
      ...writtenIndexes.map((index, i) => {
        const { field } = columns[index]!
        return [field.name, fieldValue(field, inserted[offset + i] ?? null)]
      })
    ])
  }

  private valuesUpdated(values: Values): RowChange["values"] {
    return Object.fromEntries(
      this.writtenIndexes.flatMap((index) => {
        const { field } = this.columns[index]!
        const value = values[index]
        return value === undefined ? [] : [[field.name, fieldValue(field, value)]]
      })
    )
  }

  private conflicts(id: string, values: Values): ReadonlyArray<Rules.RowError> {
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
