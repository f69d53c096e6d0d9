/** What becomes of the rows of an ingest job: chunks of 200 into records and result rows. */
import { line, quote, type Row } from "./csv.ts"
import type { Field, ObjectDescribe } from "./Describe.ts"
import type { IngestJob } from "./job.ts"
import * as Rules from "./Rules.ts"
import { type Block, type Found, isStored, type Store, type Value, type Write } from "./Store.ts"

/** Rows that are written, or refused, as one transaction. */
export const chunkSize = 200

/** What a chunk left behind: the rows of either result file. */
export interface ChunkResult {
  readonly successful: Omit<Block, "seq">
  readonly failed: Omit<Block, "seq">
}

const encoder = new TextEncoder()

/** Writes the rows of one chunk; within a transaction of the caller's. */
export type ProcessChunk = (rows: ReadonlyArray<Row>, now: number) => ChunkResult

/** A row that was written. */
export interface Written {
  readonly id: string
  readonly created: boolean
}

/** What became of a row. */
export type Outcome = Written | ReadonlyArray<Rules.RowError>

export const isWritten = (outcome: Outcome): outcome is Written => "id" in outcome

interface Column {
  readonly field: Field
  readonly convert: Rules.Convert
  /** How a cell is given back: null as nothing, numbers in another form, all else as it came. */
  readonly echo: (cell: string, value: Value | undefined) => string
}

const realNumbers = new Set(["double", "currency", "percent"])

const columnOf = (field: Field): Column => {
  const write = Rules.writer(field)
  return {
    field,
    convert: Rules.converter(field),
    echo: realNumbers.has(field.type)
      ? (cell, value) => (value === undefined ? cell : write(value))
      : (cell, value) => (value === null ? "" : cell)
  }
}

/** The columns of a header, or why the whole job fails. */
const columnsOf = (object: ObjectDescribe, job: IngestJob, header: Row): ReadonlyArray<Column> | string => {
  const fields = Rules.fieldsByName(object)
  const columns: Array<Column> = []
  for (const name of header) {
    const field = fields.get(name.toLowerCase())
    if (field === undefined) {
      const [relationship = ""] = name.split(".")
      const isPath = object.fields.some((each) => each.relationshipName?.toLowerCase() === relationship.toLowerCase())
      return isPath && name.includes(".")
        ? `InvalidBatch : Relationship columns are not supported by the embedded org : ${name}`
        : `InvalidBatch : Field name not found : ${name}`
    }
    if (!isStored(field)) return `InvalidBatch : Field name not found : ${name}`
    if (columns.some((column) => column.field === field)) return `InvalidBatch : Field name is duplicated : ${name}`
    columns.push(columnOf(field))
  }
  if (job.operation === "delete" && (columns.length !== 1 || columns[0]?.field.name !== "Id")) {
    return "InvalidBatch : The 'delete' batch must contain only ids"
  }
  const key = job.externalIdFieldName
  if (key !== undefined && !columns.some((column) => column.field.name.toLowerCase() === key.toLowerCase())) {
    return `InvalidBatch : Field name not found : ${key}`
  }
  return columns
}

/**
 * Writes rows one by one. It holds what every row of a job shares: columns,
 * rules, and the statements that look up and write.
 */
class RowWriter {
  private readonly store: Store
  private readonly object: ObjectDescribe
  private readonly columns: ReadonlyArray<Column>
  private readonly userId: string
  private readonly keyIndex: number
  private readonly readonlyOnInsert: ReadonlyArray<number>
  private readonly readonlyOnUpdate: ReadonlyArray<number>
  private readonly required: ReadonlyArray<{ readonly name: string; readonly index: number }>
  private readonly references: ReadonlyArray<{ readonly index: number; readonly exists: (id: Value) => boolean }>
  private readonly uniques: ReadonlyArray<{
    readonly name: string
    readonly index: number
    readonly holders: (value: Value) => ReadonlyArray<Found>
  }>
  private readonly defaults: ReadonlyArray<Value>
  private readonly writtenIndexes: ReadonlyArray<number>
  private readonly insertRow: Write
  private readonly updateRow: Write
  private readonly deleteRow: Write
  private readonly findById: (id: string) => Found | undefined
  private readonly findByKey: (value: Value) => ReadonlyArray<Found>

  constructor(
    store: Store,
    objects: ReadonlyMap<string, ObjectDescribe>,
    object: ObjectDescribe,
    columns: ReadonlyArray<Column>,
    job: IngestJob
  ) {
    this.store = store
    this.object = object
    this.columns = columns
    this.userId = job.createdById
    const indexOf = (name: string) =>
      columns.findIndex((column) => column.field.name.toLowerCase() === name.toLowerCase())
    const indexesWhere = (test: (field: Field) => boolean) =>
      columns.flatMap((column, index) => (test(column.field) ? [index] : []))
    const keyName = job.operation === "upsert" ? (job.externalIdFieldName ?? "Id") : "Id"
    this.keyIndex = indexOf(keyName)
    const isKeyId = (field: Field) => job.operation !== "insert" && keyName === "Id" && field.name === "Id"
    this.readonlyOnInsert = indexesWhere((field) => !field.createable && !isKeyId(field))
    this.readonlyOnUpdate = indexesWhere((field) => !field.updateable && !isKeyId(field))
    this.required = object.fields
      .filter(Rules.isRequired)
      .map((field) => ({ name: field.name, index: indexOf(field.name) }))
    this.references = columns.flatMap(({ field }, index) => {
      const targets = field.referenceTo.flatMap((name) => objects.get(name.toLowerCase()) ?? [])
      // an object the org does not have cannot be looked into
      if (targets.length === 0 || targets.length < field.referenceTo.length) return []
      const finders = targets.map((target) => store.finderById(target.name, []))
      return [{ index, exists: (id: Value) => finders.some((find) => find(String(id))?.deleted === false) }]
    })
    this.uniques = columns.flatMap(({ field }, index) =>
      field.unique ? [{ name: field.name, index, holders: store.finderByKey(object.name, field.name, []) }] : []
    )
    this.writtenIndexes = indexesWhere((field) => field.createable || field.updateable)
    const written = this.writtenIndexes.map((index) => columns[index]!.field.name)
    const defaulted = object.fields.filter(
      (field) => field.createable && indexOf(field.name) === -1 && Rules.defaultValue(field, this.userId) !== null
    )
    this.defaults = defaulted.map((field) => Rules.defaultValue(field, this.userId))
    const stamps = ["LastModifiedDate", "LastModifiedById", "SystemModstamp"]
    this.insertRow = store.inserter(object.name, [
      ...written,
      ...stamps,
      "CreatedDate",
      "CreatedById",
      ...defaulted.map((field) => field.name)
    ])
    this.updateRow = store.updater(object.name, [...written, ...stamps])
    this.deleteRow = store.updater(object.name, ["IsDeleted", ...stamps])
    this.findById = store.finderById(object.name, written)
    this.findByKey = store.finderByKey(object.name, keyName, written)
  }

  /** Values of the cells: undefined where a row says nothing. Errors are added to `errors`. */
  convert(row: Row, errors: Array<Rules.RowError>): ReadonlyArray<Value | undefined> {
    const { columns } = this
    const values = new Array<Value | undefined>(row.length)
    for (let i = 0; i < row.length; i++) {
      const text = row[i]!.trim()
      if (text === "") values[i] = undefined
      else if (text === "#N/A") values[i] = null
      else {
        const value = columns[i]!.convert(text)
        if (Rules.isError(value)) errors.push(value)
        else values[i] = value
      }
    }
    return values
  }

  insert(values: ReadonlyArray<Value | undefined>, nextId: () => string, now: string): Outcome {
    const errors = this.refusals(values, this.readonlyOnInsert)
    const missing = this.required.filter(({ index }) => index === -1 || (values[index] ?? null) === null)
    if (missing.length > 0) errors.push(Rules.requiredMissing(missing.map(({ name }) => name)))
    if (errors.length > 0) return errors
    const id = nextId()
    const cells = this.writtenIndexes.map((index) => {
      const value = values[index]
      return value === undefined ? Rules.defaultValue(this.columns[index]!.field, this.userId) : value
    })
    const all = [...cells, now, this.userId, now, now, this.userId, ...this.defaults]
    return this.insertRow(id, all) ? { id, created: true } : this.conflicts(id, values)
  }

  update(found: Found, values: ReadonlyArray<Value | undefined>, now: string): Outcome {
    const errors = this.refusals(values, this.readonlyOnUpdate)
    const missing = this.required.filter(({ index }) => index !== -1 && values[index] === null)
    if (missing.length > 0) errors.push(Rules.requiredMissing(missing.map(({ name }) => name)))
    if (errors.length > 0) return errors
    const cells = this.writtenIndexes.map((index, position) => {
      const value = values[index]
      return value === undefined ? (found.values[position] ?? null) : value
    })
    return this.updateRow(found.id, [...cells, now, this.userId, now])
      ? { id: found.id, created: false }
      : this.conflicts(found.id, values)
  }

  delete(found: Found, now: string): Outcome {
    this.deleteRow(found.id, [1, now, this.userId, now])
    return { id: found.id, created: false }
  }

  /** The record a row means by its `Id`, or why there is none. */
  byId(values: ReadonlyArray<Value | undefined>): Found | ReadonlyArray<Rules.RowError> {
    const id = this.keyIndex === -1 ? undefined : values[this.keyIndex]
    if (id === undefined || id === null) return [Rules.rowError("MISSING_ARGUMENT", "Id not specified")]
    const found = this.findById(String(id))
    if (found === undefined) return [Rules.noSuchRecord]
    return found.deleted ? [Rules.deletedRecord] : found
  }

  /** The record with the key of an upserted row: undefined when there is none yet. */
  byKey(key: Value): Found | ReadonlyArray<Rules.RowError> | undefined {
    const found = this.findByKey(key)
    if (found.length <= 1) return found[0]
    const { name } = this.columns[this.keyIndex]!.field
    const all = found.map(({ id }) => id).join(", ")
    return [
      Rules.rowError("DUPLICATE_EXTERNAL_ID", `${name}: more than one record found for external id field: [${all}]`)
    ]
  }

  /** The key of a row in the form in which keys are compared; undefined when it has none. */
  key(values: ReadonlyArray<Value | undefined>): Value | undefined {
    const key = this.keyIndex === -1 ? undefined : values[this.keyIndex]
    return key === null ? undefined : key
  }

  /** Whether a key is met a second time, ever since `seen` was new. */
  isRepeated(key: Value, seen: Set<Value>): boolean {
    const { field } = this.columns[this.keyIndex]!
    const folded = typeof key === "string" && field.name !== "Id" && !field.caseSensitive ? key.toLowerCase() : key
    const { size } = seen
    return seen.add(folded).size === size
  }

  private refusals(values: ReadonlyArray<Value | undefined>, readonly: ReadonlyArray<number>): Array<Rules.RowError> {
    const errors: Array<Rules.RowError> = []
    const refused = readonly.filter((index) => values[index] !== undefined)
    if (refused.length > 0) errors.push(Rules.notWritable(refused.map((index) => this.columns[index]!.field.name)))
    for (const { index, exists } of this.references) {
      const id = values[index]
      if (id !== undefined && id !== null && !exists(id)) errors.push(Rules.noSuchRecord)
    }
    return errors
  }

  private conflicts(id: string, values: ReadonlyArray<Value | undefined>): ReadonlyArray<Rules.RowError> {
    const errors = this.uniques.flatMap(({ name, index, holders }) => {
      const value = values[index]
      if (value === undefined || value === null) return []
      return holders(value)
        .filter((holder) => holder.id !== id)
        .map((holder) => Rules.duplicateValue(name, holder.id))
    })
    return errors.length > 0 ? errors : [Rules.rowError("DUPLICATE_VALUE", `duplicate value found: <unknown>`)]
  }

  nextIds(count: number): () => string {
    return this.store.recordIds(this.object.name, count)
  }
}

type RowAction = (
  values: ReadonlyArray<Value | undefined>,
  context: { readonly now: string; readonly nextId: () => string; readonly seen: Set<Value> }
) => Outcome

const isFound = (found: Found | ReadonlyArray<Rules.RowError>): found is Found => "deleted" in found

const duplicateKey = (what: string, key: Value) => [
  Rules.rowError("DUPLICATE_VALUE", `Duplicate ${what} specified: ${key}`)
]

const actionOf = (job: IngestJob, writer: RowWriter): RowAction => {
  const onExisting =
    (write: (found: Found, values: ReadonlyArray<Value | undefined>, now: string) => Outcome): RowAction =>
    (values, { now, seen }) => {
      const found = writer.byId(values)
      if (!isFound(found)) return found
      return writer.isRepeated(found.id, seen) ? duplicateKey("id", found.id) : write(found, values, now)
    }
  const insert: RowAction = (values, { nextId, now }) => writer.insert(values, nextId, now)
  const update = onExisting((found, values, now) => writer.update(found, values, now))
  switch (job.operation) {
    case "insert":
      return insert
    case "update":
      return update
    case "delete":
    case "hardDelete":
      return onExisting((found, _, now) => writer.delete(found, now))
    case "upsert": {
      const byId = job.externalIdFieldName?.toLowerCase() === "id"
      return (values, context) => {
        const key = writer.key(values)
        if (key === undefined) return insert(values, context)
        if (byId) return update(values, context)
        if (writer.isRepeated(key, context.seen)) return duplicateKey("external id", key)
        const found = writer.byKey(key)
        if (found === undefined) return insert(values, context)
        return isFound(found) ? writer.update(found, values, context.now) : found
      }
    }
  }
}

/** Prepares the processing of a job's rows, or says why the whole job fails. */
export const prepare = (
  store: Store,
  objects: ReadonlyMap<string, ObjectDescribe>,
  job: IngestJob,
  header: Row
): ProcessChunk | string => {
  const object = objects.get(job.object.toLowerCase())
  if (object === undefined) return `InvalidEntity : Unable to find object: ${job.object}`
  const columns = columnsOf(object, job, header)
  if (typeof columns === "string") return columns
  const writer = new RowWriter(store, objects, object, columns, job)
  const act = actionOf(job, writer)
  return (rows, millis) => {
    const context = {
      now: new Date(millis).toISOString(),
      nextId: writer.nextIds(rows.length),
      seen: new Set<Value>()
    }
    let successful = ""
    let failed = ""
    let failures = 0
    for (const row of rows) {
      const errors: Array<Rules.RowError> = []
      const values = writer.convert(row, errors)
      const outcome = errors.length > 0 ? errors : act(values, context)
      const cells = row.map((cell, i) => quote(columns[i]!.echo(cell, values[i])))
      if (isWritten(outcome)) {
        successful += line([quote(outcome.id), outcome.created ? '"true"' : '"false"', ...cells], job)
      } else {
        failures++
        failed += line(['""', quote(Rules.render(outcome)), ...cells], job)
      }
    }
    return {
      successful: { rows: rows.length - failures, bytes: encoder.encode(successful) },
      failed: { rows: failures, bytes: encoder.encode(failed) }
    }
  }
}

/**
 * Writes a single row, as REST does; within a transaction of the caller's. A
 * text says why its columns cannot be.
 */
export const writeRow = (
  store: Store,
  objects: ReadonlyMap<string, ObjectDescribe>,
  job: IngestJob,
  header: Row,
  row: Row,
  millis: number
): Outcome | string => {
  const object = objects.get(job.object.toLowerCase())
  if (object === undefined) return `InvalidEntity : Unable to find object: ${job.object}`
  const columns = columnsOf(object, job, header)
  if (typeof columns === "string") return columns
  const writer = new RowWriter(store, objects, object, columns, job)
  const errors: Array<Rules.RowError> = []
  const values = writer.convert(row, errors)
  if (errors.length > 0) return errors
  const now = new Date(millis).toISOString()
  return actionOf(job, writer)(values, { now, nextId: writer.nextIds(1), seen: new Set() })
}
