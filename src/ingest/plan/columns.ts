/** From the header of a load to what its columns write, and what is wrong with them. */
import * as Effect from "effect/Effect"
import type * as BulkError from "../../BulkError.ts"
import type { Connection } from "../../connection/Connection.ts"
import * as Describe from "../../job/Describe.ts"
import { parseRelationship } from "../relationship.ts"
import type { Fault, Findings } from "./findings.ts"
import type { Code, Operation, Severity } from "./model.ts"
import { meant } from "./nearest.ts"
import type { Org } from "./org.ts"
import { type Check, checkOf, ids } from "./values.ts"

/** A column, and how its cells are judged. */
export interface Column {
  readonly name: string
  /** The field that is written; of a relationship column the reference. */
  readonly field: Describe.Field | undefined
  /** What cells must satisfy; undefined where nothing is known. */
  readonly check: Check | undefined
  /** What an empty cell would be. */
  readonly blank: Fault | undefined
  /** What `#N/A` would be. */
  readonly clear: Fault | undefined
  /** What any value would be, since the field cannot be written. */
  readonly written: Fault | undefined
  /** Whether it names another record: `locks` one, if that is locked while its child is written. */
  readonly parent: "locks" | "free" | undefined
}

export interface Target {
  readonly operation: Operation
  readonly externalId: string | undefined
  readonly object: Describe.ObjectDescribe
}

const fault = (severity: Severity, code: Code, message: string): Fault => ({ severity, code, message })

const isId = (name: string): boolean => name.toLowerCase() === "id"

const makes = (operation: Operation): boolean => operation === "insert" || operation === "upsert"

const auditFields: ReadonlySet<string> = new Set(["createddate", "createdbyid", "lastmodifieddate", "lastmodifiedbyid"])

/** Types whose values no CSV can hold. */
const unsupported: Readonly<Record<string, string>> = {
  base64: "files go through another API",
  address: "an address is written by its parts, like BillingCity",
  location: "a location is written by its parts, like Where__Latitude__s"
}

/** Parents that are no records to be locked by their children. */
const free: ReadonlySet<string> = new Set(["User", "Group", "Queue", "RecordType", "Profile", "UserRole"])

const cleared = fault("note", "CLEARS_FIELD", "the field is cleared: #N/A")
const clearedRequired = fault("error", "REQUIRED_BLANK", "a required field is cleared: #N/A")
const blankRequired = fault("error", "REQUIRED_BLANK", "a required field without a value")
const blankRequiredIfNew = fault(
  "warning",
  "REQUIRED_BLANK",
  "no value for a required field: refused if the record is new"
)
const keyBlank = fault("error", "KEY_BLANK", "no value for what the record is found by")

/** What cells of the column of a field are. */
const columnOf = (target: Target, name: string, field: Describe.Field, check: Check | undefined): Column => {
  const { externalId, operation } = target
  const isKey = isId(field.name)
    ? operation !== "insert" && (operation !== "upsert" || externalId === undefined || isId(externalId))
    : operation === "upsert" && field.name.toLowerCase() === externalId?.toLowerCase()
  const needs = Describe.isRequired(field)
  const mustStay = !field.nillable && field.type !== "boolean"
  return {
    name,
    field,
    check,
    blank: isKey
      ? keyBlank
      : !needs || operation === "update"
        ? undefined
        : operation === "insert"
          ? blankRequired
          : blankRequiredIfNew,
    clear: isKey ? keyBlank : mustStay ? clearedRequired : cleared,
    written: isKey ? undefined : refusal(target, field),
    parent: field.type !== "reference" ? undefined : field.referenceTo.some((each) => free.has(each)) ? "free" : "locks"
  }
}

/** What becomes of a value for a field that cannot be written. */
const refusal = ({ externalId, object, operation }: Target, field: Describe.Field): Fault | undefined => {
  const { createable, name, updateable } = field
  if (operation === "delete" || operation === "hardDelete") return undefined
  if (isId(name)) {
    return operation === "insert"
      ? fault("error", "ID_NOT_ALLOWED", "records that are inserted get their id from the org")
      : fault("error", "ID_NOT_ALLOWED", `the upsert finds its records by ${externalId}: leave Id out`)
  }
  const isAudit = auditFields.has(name.toLowerCase())
  const made = operation === "update" || createable
  const changed = operation === "insert" || updateable
  if (made && changed) {
    return isAudit ? fault("note", "AUDIT_FIELD", "set by the load, as the user's permission allows") : undefined
  }
  // what an upsert does shows only in the org
  const isSure = operation !== "upsert" || !(createable || updateable)
  if (isAudit) return fault(isSure ? "error" : "warning", "AUDIT_FIELD", auditWords)
  const parts = object.fields.filter((part) => part.compoundFieldName === name && part.name !== name)
  const words =
    parts.length > 0
      ? `made of its parts: ${parts.map((part) => part.name).join(", ")}`
      : "read-only for this user: a formula, a system field, or field-level security"
  return made
    ? fault(
        isSure ? "error" : "warning",
        "NOT_UPDATEABLE",
        isSure ? words : "refused where the record is there already"
      )
    : fault(isSure ? "error" : "warning", "NOT_CREATEABLE", isSure ? words : "refused where the record is new")
}

const auditWords =
  "an audit field: records take it when they are made, if the org allows that and the user has the permission " +
  '"Set Audit Fields upon Record Creation"'

/** A column of which nothing is known. */
export const unknownColumn = (name: string): Column => ({
  name,
  field: undefined,
  check: undefined,
  blank: undefined,
  clear: undefined,
  written: undefined,
  parent: undefined
})

/** The columns of a header. What is wrong with them goes to the findings. */
export const resolve = Effect.fnUntraced(function* (
  org: Org,
  target: Target,
  header: ReadonlyArray<string>,
  findings: Findings
): Effect.fn.Return<ReadonlyArray<Column>, BulkError.BulkError, Connection> {
  const fields = Describe.fieldsByName(target.object)
  const columns: Array<Column> = []
  for (const name of header) {
    columns.push(
      name.includes(".")
        ? yield* relationshipColumn(org, target, name, findings)
        : yield* fieldColumn(org, target, fields, name, findings)
    )
  }
  checkKeys(target, columns, findings)
  const written = new Map<Describe.Field, string>()
  for (const { field, name } of columns) {
    if (field === undefined) continue
    const other = written.get(field)
    if (other === undefined) written.set(field, name)
    else findings.add(fault("fatal", "DUPLICATE_COLUMN", `writes ${field.name}, as ${other} does`), name)
  }
  if (makes(target.operation)) {
    for (const field of target.object.fields) {
      if (!Describe.isRequired(field) || written.has(field)) continue
      findings.add(
        target.operation === "insert"
          ? fault("error", "REQUIRED_MISSING", "a required field that is no column")
          : fault("warning", "REQUIRED_MISSING", "a required field that is no column: new records are refused"),
        field.name
      )
    }
  }
  return columns
})

const fieldColumn = Effect.fnUntraced(function* (
  org: Org,
  target: Target,
  fields: ReadonlyMap<string, Describe.Field>,
  name: string,
  findings: Findings
) {
  const field = fields.get(name.toLowerCase())
  if (field === undefined) {
    const words = `${target.object.name} has no such field, or not for this user`
    findings.add(fault("fatal", "UNKNOWN_COLUMN", `${words}${meant(name, target.object.fields)}`), name)
    return unknownColumn(name)
  }
  const why = unsupported[field.type]
  if (why !== undefined) {
    findings.add(fault("fatal", "COLUMN_NOT_SUPPORTED", `Bulk takes no ${field.type}: ${why}`), name)
    return unknownColumn(name)
  }
  if (field.type !== "id" && field.type !== "reference") return columnOf(target, name, field, checkOf(field))
  const objects = field.type === "id" ? [target.object.name] : field.referenceTo
  const prefixes = field.type === "id" ? prefixesOf([target.object], objects) : prefixesOf(yield* org.objects, objects)
  return columnOf(target, name, field, ids(objects, prefixes))
})

/** The key prefixes of objects, unless one of them is not known. */
const prefixesOf = (
  known: ReadonlyArray<Describe.ObjectSummary> | undefined,
  objects: ReadonlyArray<string>
): ReadonlySet<string> | undefined => {
  const prefixes = new Set<string>()
  for (const name of objects) {
    const prefix = known?.find((object) => object.name === name)?.keyPrefix
    if (prefix === undefined || prefix === null) return undefined
    prefixes.add(prefix.toLowerCase())
  }
  return prefixes
}

const relationshipColumn = Effect.fnUntraced(function* (org: Org, target: Target, name: string, findings: Findings) {
  const stop = (code: Code, message: string): Column => {
    findings.add(fault("fatal", code, message), name)
    return unknownColumn(name)
  }
  const { fields, name: objectName } = target.object
  const parsed = parseRelationship(name)
  if (parsed === undefined) {
    return stop("UNKNOWN_COLUMN", "a relationship column is Relationship.Field, one level up and no further")
  }
  const { key: keyName, relationship, type } = parsed
  const references = fields.flatMap((field) =>
    field.relationshipName === null ? [] : [{ name: field.relationshipName, field }]
  )
  const field = references.find((each) => each.name.toLowerCase() === relationship.toLowerCase())?.field
  if (field === undefined) {
    return stop("UNKNOWN_COLUMN", `${objectName} has no relationship ${relationship}${meant(relationship, references)}`)
  }
  const isPolymorphic = field.referenceTo.length > 1
  if (type === undefined && isPolymorphic) {
    return stop(
      "POLYMORPHIC_PREFIX_NEEDED",
      `${relationship} can be several objects: write ${field.referenceTo.map((each) => `${each}:${name}`).join(" or ")}`
    )
  }
  if (type !== undefined && !isPolymorphic) {
    return stop(
      "POLYMORPHIC_PREFIX_NOT_ALLOWED",
      `${relationship} can only be ${field.referenceTo.join("")}: write ${relationship}.${keyName}`
    )
  }
  const targetName = field.referenceTo.find((each) => type === undefined || each.toLowerCase() === type.toLowerCase())
  if (targetName === undefined) {
    return stop("UNKNOWN_COLUMN", `${relationship} is ${field.referenceTo.join(" or ")}, not ${type}`)
  }
  const parent = yield* org.object(targetName)
  if (parent === undefined) return columnOf(target, name, field, undefined)
  const keys = parent.fields.filter((each) => each.externalId || each.idLookup)
  const key = keys.find((each) => each.name.toLowerCase() === keyName.toLowerCase())
  if (key === undefined) {
    const words = `records of ${targetName} cannot be found by ${keyName}: it is no external id`
    return stop("NOT_AN_EXTERNAL_ID", `${words}${meant(keyName, keys)}`)
  }
  return columnOf(target, name, field, isId(key.name) ? ids([targetName], undefined) : checkOf(key))
})

/** Whether the records can be found. */
const checkKeys = (
  { externalId, object, operation }: Target,
  columns: ReadonlyArray<Column>,
  findings: Findings
): void => {
  const has = (name: string) => columns.some((column) => column.name.toLowerCase() === name.toLowerCase())
  if (operation === "update" || operation === "delete" || operation === "hardDelete") {
    if (!has("Id")) findings.add(fault("fatal", "ID_NEEDED", `a load that is ${operation} needs the column Id`))
  }
  if (operation === "delete" || operation === "hardDelete") {
    const others = columns.filter((column) => !isId(column.name)).map((column) => column.name)
    if (others.length > 0) {
      findings.add(fault("fatal", "ONLY_ID_ALLOWED", `only the column Id can be sent, not ${others.join(", ")}`))
    }
  }
  if (operation !== "upsert") return
  const name = externalId ?? "Id"
  const key = object.fields.find((field) => field.name.toLowerCase() === name.toLowerCase())
  const keys = object.fields.filter((field) => field.externalId || field.idLookup)
  if (key === undefined) {
    const words = `${object.name} has no field ${name}, or not for this user`
    findings.add(fault("fatal", "NOT_AN_EXTERNAL_ID", `${words}${meant(name, keys)}`), name)
  } else if (!keys.includes(key)) {
    const others = keys.map((field) => field.name).join(", ")
    const words = `${name} is no external id, records cannot be found by it`
    findings.add(fault("fatal", "NOT_AN_EXTERNAL_ID", `${words}: those of ${object.name} are ${others}`), name)
  } else {
    if (!has(name)) findings.add(fault("fatal", "EXTERNAL_ID_MISSING", "the upsert's external id is no column"), name)
    if (!key.unique && !isId(key.name)) {
      const words = "not unique: a record fails when several have its value"
      findings.add(fault("warning", "EXTERNAL_ID_NOT_UNIQUE", words), name)
    }
  }
}
