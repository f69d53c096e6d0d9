/** From the header of an upload to its columns, or to why the whole job fails. */
import type { Row } from "./csv.ts"
import type { Field, ObjectDescribe } from "./Describe.ts"
import type { IngestJob } from "./job.ts"
import { Lookup } from "./lookups.ts"
import * as Rules from "./Rules.ts"
import { isStored, type Store, type Value } from "./Store.ts"

export interface Column {
  /** The field that is written; of a relationship column, the reference. */
  readonly field: Field
  readonly convert: Rules.Convert
  /** How a cell is given back: null as nothing, numbers in another form, all else as it came. */
  readonly echo: (cell: string, value: Value | undefined) => string
  /** What finds the records of a relationship column. */
  readonly lookup: Lookup | undefined
}

/** What a header is read against. */
export interface Context {
  readonly store: Store
  /** The objects of the org, by their names in lower case. */
  readonly objects: ReadonlyMap<string, ObjectDescribe>
  readonly object: ObjectDescribe
  readonly job: IngestJob
  /** Whether a record was made by the batch that is under way, whose rows cannot reference it. */
  readonly isOfBatch: (id: string) => boolean
}

/** The text of a fault, as a job's `errorMessage` has it. */
type Fault = string

const notFound = (name: string): Fault => `InvalidBatch : Field name not found : ${name}`

const realNumbers = new Set(["double", "currency", "percent"])

const echoText = (cell: string, value: Value | undefined): string => (value === null ? "" : cell)

const fieldColumn = (field: Field): Column => {
  const write = Rules.writer(field)
  return {
    field,
    convert: Rules.converter(field),
    echo: realNumbers.has(field.type) ? (cell, value) => (value === undefined ? cell : write(value)) : echoText,
    lookup: undefined
  }
}

// `ObjectType:RelationshipName.IndexedField`, the type for polymorphic relationships only
const relationshipPattern = /^(?:([^:.]+):)?([^:.]+)\.([^:.]+)$/

/** Before this version a type could go without its namespace and its `__c`. */
const apiNamesSince = 57

const isNamed = (object: string, name: string, version: number): boolean => {
  const wanted = name.toLowerCase()
  const full = object.toLowerCase()
  if (full === wanted || version >= apiNamesSince) return full === wanted
  const bare = full.replace(/__c$/, "")
  return bare === wanted || bare.replace(/^[^_]+(?:_[^_]+)*__/, "") === wanted
}

const relationshipColumn = (context: Context, name: string): Column | Fault => {
  const [, type, relationship, keyName] = relationshipPattern.exec(name) ?? []
  if (relationship === undefined || keyName === undefined) return notFound(name)
  const field = context.object.fields.find(
    (each) => each.relationshipName?.toLowerCase() === relationship.toLowerCase()
  )
  if (field === undefined) return `InvalidBatch : Unable to find relationship: ${relationship}`
  const isPolymorphic = field.referenceTo.length > 1
  if (type === undefined && isPolymorphic) {
    return `InvalidBatch : type is needed for polymorphic foreign key references: ${field.relationshipName}`
  }
  if (type !== undefined && !isPolymorphic) {
    return `InvalidBatch : type is not needed for non polymorphic foreign key references: ${field.relationshipName}`
  }
  const version = Number(context.job.apiVersion)
  const targetName = field.referenceTo.find((each) => type === undefined || isNamed(each, type, version))
  const target = context.objects.get(targetName?.toLowerCase() ?? "")
  const key = target === undefined ? undefined : Rules.fieldsByName(target).get(keyName.toLowerCase())
  if (target === undefined || key === undefined || !(key.externalId || key.idLookup)) return notFound(name)
  const isHidden = target === context.object ? context.isOfBatch : () => false
  const lookup = new Lookup(context.store, target, key, isHidden)
  return { field, convert: (text) => lookup.find(text), echo: echoText, lookup }
}

const columnOf = (context: Context, fields: ReadonlyMap<string, Field>, name: string): Column | Fault => {
  if (name.includes(".")) return relationshipColumn(context, name)
  const field = fields.get(name.toLowerCase())
  return field !== undefined && isStored(field) ? fieldColumn(field) : notFound(name)
}

const maxHeaderLength = 32_000

/** The columns of a header, or why the whole job fails. */
export const columnsOf = (context: Context, header: Row): ReadonlyArray<Column> | Fault => {
  const { job, object } = context
  const length = header.reduce((sum, name) => sum + name.length, header.length - 1)
  if (length > maxHeaderLength) return `InvalidBatch : Exceeded max length of the header: ${maxHeaderLength}`
  const fields = Rules.fieldsByName(object)
  const columns: Array<Column> = []
  const seen = new Set<Field>()
  for (const name of header) {
    const column = columnOf(context, fields, name)
    if (typeof column === "string") return column
    if (seen.has(column.field)) return `InvalidBatch : Field name is duplicated : ${name}`
    seen.add(column.field)
    columns.push(column)
  }
  const deletes = job.operation === "delete" || job.operation === "hardDelete"
  if (deletes && (columns.length !== 1 || columns[0]?.field.name !== "Id")) {
    return `InvalidBatch : The '${job.operation}' batch must contain only ids`
  }
  const key = job.externalIdFieldName
  if (key !== undefined && !columns.some(({ field }) => field.name.toLowerCase() === key.toLowerCase())) {
    return notFound(key)
  }
  return columns
}
