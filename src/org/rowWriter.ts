/** Rows to records: what every row of a job shares, and what is done with one. */
import type { Column } from "./columns.ts"
import type { Row } from "./csv.ts"
import type { Field, ObjectDescribe } from "./Describe.ts"
import * as ids from "./ids.ts"
import type { IngestJob } from "./job.ts"
import type { RowChange } from "./RowRule.ts"
import * as Rules from "./Rules.ts"
import { RowChecks, type Values } from "./rowChecks.ts"
import { fieldValue, type RowRules, Ruling } from "./ruling.ts"
import { type Found, isStored, type Store, type Value, type Write, type WriteSeveral } from "./Store.ts"

export interface Written {
  readonly id: string
  readonly created: boolean
}

export type Outcome = Written | ReadonlyArray<Rules.RowError>

/** Is told what became of the rows of a chunk, in their order. */
export interface Settle {
  readonly written: (id: string, created: boolean) => void
  /** The values are those of the row. */
  readonly refused: (errors: ReadonlyArray<Rules.RowError>, values: Values) => void
}

export const isWritten = (outcome: Outcome): outcome is Written => "id" in outcome

const isFound = (found: Found | ReadonlyArray<Rules.RowError>): found is Found => "deleted" in found

const none: ReadonlySet<number> = new Set()

const stamps = ["LastModifiedDate", "LastModifiedById", "SystemModstamp"]
const firstStamps = [...stamps, "CreatedDate", "CreatedById"]

const isOfUser = (stamp: string): boolean => stamp.endsWith("ById")

// a checkbox is not, whatever its describe says
const mayBeNull = (field: Field): boolean => field.nillable && field.type !== "boolean"

// the space of ASCII and all below it; beyond there are other spaces
const mayBeSpace = (code: number): boolean => code <= 32 || code >= 128

/** A cell without the spaces around it: hardly any has some. */
const trimmed = (text: string): string =>
  text !== "" && (mayBeSpace(text.charCodeAt(0)) || mayBeSpace(text.charCodeAt(text.length - 1))) ? text.trim() : text

/** How many rows wait to be inserted with one statement: more are no faster. */
const severalRows = 16

// a statement has 32,766 values at most, and an object 2,000 fields
const rowsAtOnce = (fields: number): number => Math.max(1, Math.min(severalRows, Math.floor(8_000 / fields)))

/**
 * Writes the rows of one job, chunk by chunk. Rows that are inserted wait
 * until there are several of them, or until one comes that is not.
 */
export class RowWriter {
  private readonly store: Store
  private readonly object: ObjectDescribe
  private readonly columns: ReadonlyArray<Column>
  private readonly operation: IngestJob["operation"]
  private readonly userId: string
  private readonly checks: RowChecks
  private readonly ruling: Ruling
  private readonly settle: Settle
  private readonly clears: string
  private readonly onCreated: ((id: string) => void) | undefined
  private readonly keyIndex: number
  private readonly keyIsId: boolean
  private readonly foldsKeys: boolean
  private readonly writtenIndexes: ReadonlyArray<number>
  private readonly writtenDefaults: Array<Value>
  /** Those that an update writes: it stamps records itself. */
  private readonly changedIndexes: ReadonlyArray<number>
  /** What stamps a new record where its row does not. */
  private readonly stamped: ReadonlyArray<string>
  private readonly defaulted: ReadonlyArray<Field>
  private readonly numbered: ReadonlyArray<Field>
  private readonly insertSeveral: WriteSeveral
  private readonly updateRow: Write
  private readonly deleteRow: (id: string, now: string) => void
  private readonly findById: (id: string) => Found | undefined
  private readonly findByKey: (value: Value) => ReadonlyArray<Found>

  // of the chunk that is under way
  private now = ""
  private nextId: () => string = () => ""
  private readonly seen = new Set<Value>()

  /** The columns of this row that could not be read. */
  private readonly unreadable = new Set<number>()

  // used again for each row
  private readonly values: Array<Value | undefined>
  private readonly updated: Array<Value>

  /** The rows that wait to be inserted, several at most. */
  private readonly waiting: Array<Row> = []
  private readonly atOnce: number
  /** The values that all inserted rows share, then for each row that waits its id and its own values. */
  private readonly inserted: Array<Value>
  /** How many values are shared, and how many each row has. */
  private readonly shared: number
  private readonly width: number

  constructor(options: {
    readonly store: Store
    readonly objects: ReadonlyMap<string, ObjectDescribe>
    readonly object: ObjectDescribe
    readonly columns: ReadonlyArray<Column>
    readonly job: IngestJob
    readonly rules: RowRules
    readonly settle: Settle
    /** The cell that clears a field. */
    readonly clears: string
    /** Is told of each record that is made, if rows may refer to one another: each is then written before the next is read. */
    readonly onCreated: ((id: string) => void) | undefined
  }) {
    const { columns, job, object, objects, store } = options
    this.store = store
    this.object = object
    this.columns = columns
    this.operation = job.operation
    this.userId = job.createdById
    this.settle = options.settle
    this.clears = options.clears
    this.onCreated = options.onCreated
    const indexOf = (name: string) =>
      columns.findIndex((column) => column.field.name.toLowerCase() === name.toLowerCase())
    const indexesWhere = (test: (field: Field) => boolean) =>
      columns.flatMap((column, index) => (test(column.field) ? [index] : []))

    const keyName = job.operation === "upsert" ? (job.externalIdFieldName ?? "Id") : "Id"
    this.keyIsId = keyName.toLowerCase() === "id"
    this.keyIndex = indexOf(keyName)
    this.foldsKeys = !this.keyIsId && columns[this.keyIndex]?.field.caseSensitive === false
    this.checks = new RowChecks({ store, objects, object, columns, operation: job.operation, keyIsId: this.keyIsId })
    this.ruling = new Ruling(store, object, options.rules)

    this.writtenIndexes = indexesWhere((field) => field.createable || field.updateable)
    this.writtenDefaults = this.writtenIndexes.map((index) => Rules.defaultValue(columns[index]!.field, this.userId))
    this.changedIndexes = this.writtenIndexes.filter((index) => !stamps.includes(columns[index]!.field.name))
    const nameOf = (index: number) => columns[index]!.field.name
    const written = this.writtenIndexes.map(nameOf)
    const changed = this.changedIndexes.map(nameOf)
    this.stamped = firstStamps.filter((name) => !written.includes(name))
    this.defaulted = object.fields.filter(
      (field) =>
        field.createable &&
        isStored(field) &&
        indexOf(field.name) === -1 &&
        Rules.defaultValue(field, this.userId) !== null
    )
    const defaults = this.defaulted.map((field) => Rules.defaultValue(field, this.userId))
    this.numbered = object.fields.filter((field) => field.autoNumber && isStored(field) && indexOf(field.name) === -1)
    const shared = [...this.defaulted.map((field) => field.name), ...this.stamped]
    const own = [...this.numbered.map((field) => field.name), ...written]
    this.insertSeveral = store.severalInserter(object.name, shared, own)
    this.shared = shared.length
    this.width = 1 + own.length
    this.atOnce = this.onCreated === undefined ? rowsAtOnce(this.width) : 1
    this.inserted = [...defaults, ...this.stamped.map(() => this.userId)]
    this.updateRow = store.updater(object.name, [...stamps, ...changed])
    this.findById = store.finderById(object.name, changed)
    this.findByKey = store.finderByKey(object.name, keyName, changed)
    if (job.operation === "hardDelete") this.deleteRow = store.deleter(object.name)
    else {
      const mark = store.updater(object.name, ["IsDeleted", ...stamps])
      this.deleteRow = (id, now) => mark(id, [1, now, this.userId, now])
    }
    this.values = new Array<Value | undefined>(columns.length)
    this.updated = ["", this.userId, "", ...changed.map(() => null)]
  }

  /** Begins a chunk of `count` rows: keys that were seen, and records that were looked up, may have changed. */
  begin(now: string, count: number): void {
    this.now = now
    this.nextId = this.store.recordIds(this.object.name, count)
    this.ruling.begin()
    this.checks.begin()
    this.seen.clear()
    for (const { lookup } of this.columns) lookup?.forget()
    const { columns, defaulted, inserted, stamped, updated, writtenDefaults, writtenIndexes } = this
    for (const [i, name] of stamped.entries()) if (!isOfUser(name)) inserted[defaulted.length + i] = now
    for (const [i, index] of writtenIndexes.entries()) {
      const { name } = columns[index]!.field
      if (firstStamps.includes(name)) writtenDefaults[i] = isOfUser(name) ? this.userId : now
    }
    for (const at of [0, 2]) updated[at] = now
  }

  /** The values of a row, which hold until the next one is converted; errors are added to `errors`. */
  convert(row: Row, errors: Array<Rules.RowError>): Values {
    return this.valuesOf(row, this.values, errors)
  }

  private valuesOf(row: Row, values: Array<Value | undefined>, errors: Array<Rules.RowError>): Values {
    const { clears, columns } = this
    for (let i = 0; i < row.length; i++) {
      const text = trimmed(row[i]!)
      values[i] = undefined
      if (text === "") continue
      if (text === clears) values[i] = null
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

  /** Does with a row, whose values were converted last, what the job is for. */
  write(row: Row, values: Values): void {
    const outcome = this.attempt(values)
    if (outcome === undefined) this.wait(row, values)
    else {
      this.flush()
      if (isWritten(outcome)) this.settle.written(outcome.id, outcome.created)
      else this.settle.refused(outcome, values)
    }
  }

  /** Refuses a row whose cells could not all be read, for `errors` and for what else would refuse it. */
  refuse(values: Values, errors: ReadonlyArray<Rules.RowError>): void {
    this.flush()
    this.settle.refused([...errors, ...this.otherErrors(values)], values)
  }

  private otherErrors(values: Values): ReadonlyArray<Rules.RowError> {
    if (this.unreadable.has(this.keyIndex)) return []
    const target = this.target(values)
    if (target === undefined) return this.checks.ofInsert(values, this.unreadable)
    return isFound(target) ? this.checks.ofUpdate(values) : target
  }

  /** Settles the rows that wait, as it must be done at the end of a chunk. */
  flush(): void {
    const { inserted, shared, waiting, width } = this
    const count = waiting.length
    if (count === 0) return
    const end = shared + count * width
    if (this.insertSeveral(end === inserted.length ? inserted : inserted.slice(0, end), count)) {
      for (let at = shared; at < end; at += width) this.made(String(inserted[at]))
    } else {
      const common = inserted.slice(0, shared)
      for (const [i, row] of waiting.entries()) {
        const own = inserted.slice(shared + i * width, shared + (i + 1) * width)
        const id = String(own[0])
        // alone it has failed already
        if (count > 1 && this.insertSeveral([...common, ...own], 1)) this.made(id)
        else {
          const values = this.valuesOf(row, [], [])
          this.settle.refused(this.checks.conflicts(id, values), values)
        }
      }
    }
    waiting.length = 0
  }

  private wait(row: Row, values: Values): void {
    this.waiting.push(row)
    // who has no key may get one by default, under which the next row has to find it
    const isKeyless = this.operation === "upsert" && (values[this.keyIndex] ?? null) === null
    if (this.waiting.length === this.atOnce || isKeyless) this.flush()
  }

  private made(id: string): void {
    this.onCreated?.(id)
    this.settle.written(id, true)
  }

  /** What became of a row; undefined while it waits. */
  private attempt(values: Values): Outcome | undefined {
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

  /** The id of the record that a row would have changed; empty when there is none. */
  idOf(values: Values): string {
    const target = this.target(values)
    return target !== undefined && isFound(target) ? target.id : ""
  }

  private upsert(key: Value, values: Values): Outcome | undefined {
    const folded = this.foldsKeys && typeof key === "string" ? key.toLowerCase() : key
    if (this.isRepeated(folded)) {
      return [Rules.rowError("DUPLICATE_VALUE", `Duplicate external id specified: ${key}`)]
    }
    const found = this.byKey(key)
    if (found === undefined) return this.insert(values)
    return isFound(found) ? this.update(found, values) : found
  }

  private onExisting(values: Values): Outcome {
    this.flush()
    const found = this.byId(values)
    if (!isFound(found)) return found
    if (this.isRepeated(found.id)) return [Rules.rowError("DUPLICATE_VALUE", `Duplicate id specified: ${found.id}`)]
    if (this.operation === "update" || this.operation === "upsert") return this.update(found, values)
    const errors = this.ruling.areAny ? this.ruling.ask("delete", {}, found.id) : []
    if (errors.length > 0) return errors
    this.deleteRow(found.id, this.now)
    return { id: found.id, created: false }
  }

  /** Lets a row wait to be inserted, unless something is wrong with it. */
  private insert(values: Values): Outcome | undefined {
    const errors = this.checks.ofInsert(values, none)
    if (errors.length > 0) return errors
    const { inserted, numbered, writtenDefaults, writtenIndexes } = this
    const start = this.shared + this.waiting.length * this.width
    const offset = start + 1 + numbered.length
    for (let i = 0; i < writtenIndexes.length; i++) {
      const index = writtenIndexes[i]!
      const value = values[index]
      const isDefault = value === undefined || (value === null && !mayBeNull(this.columns[index]!.field))
      inserted[offset + i] = isDefault ? writtenDefaults[i]! : value
    }
    if (this.ruling.areAny) {
      const refused = this.ruling.ask("insert", this.valuesInserted(offset))
      if (refused.length > 0) return refused
    }
    const id = this.nextId()
    inserted[start] = id
    for (let i = 0; i < numbered.length; i++) inserted[start + 1 + i] = String(ids.serial(id)).padStart(8, "0")
    return undefined
  }

  private update(found: Found, values: Values): Outcome {
    // a row that waits may take what this one wants
    this.flush()
    const errors = this.checks.ofUpdate(values)
    if (errors.length > 0) return errors
    if (this.ruling.areAny) {
      const refused = this.ruling.ask("update", this.valuesUpdated(values), found.id)
      if (refused.length > 0) return refused
    }
    const { changedIndexes, columns, updated } = this
    const offset = updated.length - changedIndexes.length
    for (let i = 0; i < changedIndexes.length; i++) {
      const index = changedIndexes[i]!
      const value = values[index]
      const { type } = columns[index]!.field
      if (value === undefined) updated[offset + i] = found.values[i] ?? null
      // a checkbox is never null
      else updated[offset + i] = value === null && type === "boolean" ? 0 : value
    }
    return this.updateRow(found.id, updated)
      ? { id: found.id, created: false }
      : this.checks.conflicts(found.id, values)
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
    if (id === undefined) return [this.operation === "update" ? Rules.noIdToUpdate : Rules.noId]
    const found = this.findById(String(id))
    if (found === undefined) return [Rules.noSuchRecord]
    return found.deleted ? [Rules.deletedRecord] : found
  }

  /** Whether a key is met a second time in this chunk. */
  private isRepeated(key: Value): boolean {
    const { size } = this.seen
    return this.seen.add(key).size === size
  }

  private valuesInserted(offset: number): RowChange["values"] {
    const { columns, defaulted, inserted, writtenIndexes } = this
    return Object.fromEntries([
      ...defaulted.map((field, i) => [field.name, fieldValue(field, inserted[i] ?? null)]),
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
}
