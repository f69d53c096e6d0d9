/** What a row must satisfy: from the text of a cell to a value, or to the error Salesforce gives. */
import type { Field, ObjectDescribe } from "./Describe.ts"
import * as ids from "./ids.ts"
import type { Value } from "./Store.ts"

/** What is wrong with a row. */
export interface RowError {
  readonly code: string
  readonly message: string
  readonly fields: ReadonlyArray<string>
}

/** The errors of a row as `sf__Error` holds them. */
export const render = (errors: ReadonlyArray<RowError>): string =>
  errors
    .map(({ code, message, fields }) => `${code}:${message}:${fields.join(",")}${fields.length === 0 ? "" : " "}--`)
    .join("")

export const rowError = (code: string, message: string, ...fields: ReadonlyArray<string>): RowError => ({
  code,
  message,
  fields
})

export const requiredMissing = (fields: ReadonlyArray<string>): RowError =>
  rowError("REQUIRED_FIELD_MISSING", `Required fields are missing: [${fields.join(", ")}]`, ...fields)

export const notWritable = (fields: ReadonlyArray<string>): RowError =>
  rowError(
    "INVALID_FIELD_FOR_INSERT_UPDATE",
    `Unable to create/update fields: ${fields.join(", ")}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`,
    ...fields
  )

export const duplicateValue = (field: string, id: string): RowError =>
  rowError("DUPLICATE_VALUE", `duplicate value found: ${field} duplicates value on record with id: ${id}`)

export const duplicateExternalId = (field: string, holders: ReadonlyArray<string>): RowError =>
  rowError(
    "DUPLICATE_EXTERNAL_ID",
    `${field}: more than one record found for external id field: [${holders.join(", ")}]`,
    field
  )

/** An `Id` in a row that makes a record. */
export const idOnInsert = rowError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")

/** A row without an `Id` that changes a record, or means one otherwise. */
export const noIdToUpdate = rowError("MISSING_ARGUMENT", "Id not specified in an update call")
export const noId = rowError("MISSING_ARGUMENT", "Id not specified")

export const noSuchRecord = rowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")

export const deletedRecord = rowError("ENTITY_IS_DELETED", "entity is deleted")

const malformedId = (label: string, id: string, field: string): RowError =>
  rowError("MALFORMED_ID", `${label}: id value of incorrect type: ${id}`, field)

/** Whether every row that is inserted must bring a value of its own. */
export const isRequired = (field: Field): boolean =>
  field.createable && !field.nillable && !field.defaultedOnCreate && field.type !== "boolean"

/** What a field holds when an inserted row says nothing. */
export const defaultValue = (field: Field, userId: string): Value => {
  if (field.type === "boolean") return field.defaultValue === true || field.defaultValue === "true" ? 1 : 0
  if (field.name === "OwnerId") return userId
  if (typeof field.defaultValue === "string" || typeof field.defaultValue === "number") return field.defaultValue
  return field.picklistValues.find((entry) => entry.defaultValue && entry.active)?.value ?? null
}

const dateTimePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/

// as it is stored; the most frequent form, and the costliest to make anew
const canonicalPattern = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/

const daysOf = (year: number, month: number): number => {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

// reads digits that a pattern has found there; 528 is 11 times the code of "0"
const twoDigits = (text: string, at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528

const isDay = (text: string): boolean => {
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  if (month < 1 || month > 12 || day < 1) return false
  return day <= 28 || day <= daysOf(twoDigits(text, 0) * 100 + twoDigits(text, 2), month)
}

/** A date that exists, or undefined. */
const date = (text: string): string | undefined => (/^\d{4}-\d\d-\d\d$/.test(text) && isDay(text) ? text : undefined)

/** A point in time as `2026-11-23T20:41:12.000Z`, from any offset or a mere date; undefined when it is none. */
export const dateTime = (text: string): string | undefined => {
  if (canonicalPattern.test(text) && isDay(text)) return text
  if (date(text) !== undefined) return `${text}T00:00:00.000Z`
  if (!dateTimePattern.test(text) || !isDay(text.slice(0, 10))) return undefined
  const millis = Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2"))
  return Number.isNaN(millis) ? undefined : new Date(millis).toISOString()
}

/** A double as Java writes it, and so Salesforce: `1.5`, `912.0`, `9.12260031E8`. */
export const javaDouble = (value: number): string => {
  const size = Math.abs(value)
  if (value === 0 || (size >= 1e-3 && size < 1e7)) {
    if (Number.isInteger(value)) return `${value}.0`
    // with two decimals it is written from whole numbers, which takes a third of the time
    const cents = Math.round(size * 100)
    if (cents / 100 !== size) return String(value)
    const rest = cents % 100
    const decimals = rest % 10 === 0 ? String(rest / 10) : rest < 10 ? `0${rest}` : String(rest)
    return `${value < 0 ? "-" : ""}${(cents - rest) / 100}.${decimals}`
  }
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e")
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.0`}E${Number(exponent)}`
}

const booleans = new Map([
  ["true", 1],
  ["1", 1],
  ["false", 0],
  ["0", 0]
])

const emailPattern = /^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:"]+\.[\p{L}\p{N}-]{2,}$/u
const numberPattern = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/
const timePattern = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,3}))?Z?$/

/** A time of day as `20:41:12.000Z`, or undefined. */
export const time = (text: string): string | undefined => {
  const [, hours, minutes, seconds, millis = ""] = timePattern.exec(text) ?? []
  return hours === undefined ? undefined : `${hours}:${minutes}:${seconds}.${millis.padEnd(3, "0")}Z`
}

/** Turns the trimmed text of a cell, never empty, into what is stored. */
export type Convert = (text: string) => Value | RowError

export const isError = (value: Value | RowError | undefined): value is RowError =>
  typeof value === "object" && value !== null

const typed =
  (field: Field, parse: (text: string) => Value | undefined): Convert =>
  (text) =>
    parse(text) ??
    rowError(
      "INVALID_TYPE_ON_FIELD_IN_RECORD",
      `${field.label || field.name}: value not of required type: ${text}`,
      field.name
    )

// Salesforce keeps the days from the first of these to the beginning of the last
const firstDay = "1700-01-01"
const lastDay = "4000-12-31"

const dated = (field: Field, parse: (text: string) => string | undefined, last: string): Convert => {
  const read = typed(field, parse)
  return (text) => {
    const value = read(text)
    if (typeof value !== "string" || (value >= firstDay && value <= last)) return value
    return rowError("FIELD_INTEGRITY_EXCEPTION", `${field.label || field.name}: invalid date: ${text}`, field.name)
  }
}

const number = (field: Field): Convert => {
  const whole = field.precision === 0 ? Infinity : 10 ** (field.precision - field.scale)
  const parse = typed(field, (text) => (numberPattern.test(text) ? Number(text) : undefined))
  return (text) => {
    const value = parse(text)
    if (typeof value !== "number" || Math.abs(value) < whole) return value
    return rowError(
      "NUMBER_OUTSIDE_VALID_RANGE",
      `${field.label || field.name}: value outside of valid range on numeric field: ${text}`,
      field.name
    )
  }
}

const integer = (field: Field): Convert =>
  typed(field, (text) => {
    const value = numberPattern.test(text) ? Number(text) : Number.NaN
    return Number.isInteger(value) && Math.abs(value) < (field.type === "int" ? 2 ** 31 : 2 ** 53) ? value : undefined
  })

const string = (field: Field): Convert => {
  const { length } = field
  if (length === 0) return (text) => text
  return (text) =>
    text.length <= length
      ? text
      : rowError(
          "STRING_TOO_LONG",
          `${field.label || field.name}: data value too large: ${text} (max length=${length})`,
          field.name
        )
}

const email = (field: Field): Convert => {
  const fits = string(field)
  return (text) =>
    emailPattern.test(text)
      ? fits(text)
      : rowError("INVALID_EMAIL_ADDRESS", `${field.label || field.name}: invalid email address: ${text}`, field.name)
}

const picklist = (field: Field): Convert => {
  const fits = string(field)
  if (!field.restrictedPicklist) return fits
  const allowed = new Set(field.picklistValues.filter((entry) => entry.active).map((entry) => entry.value))
  return (text) => {
    const values = field.type === "multipicklist" ? text.split(";") : [text]
    const bad = values.find((value) => !allowed.has(value))
    if (bad === undefined) return text
    return rowError(
      "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
      `bad value for restricted picklist field: ${bad}`,
      field.name
    )
  }
}

const id = (field: Field): Convert => {
  const label = field.label || field.name
  return (text) => ids.normalize(text) ?? malformedId(label, text, field.name)
}

/** How the cells of a field are read. */
export const converter = (field: Field): Convert => {
  switch (field.type) {
    case "boolean":
      return typed(field, (text) => booleans.get(text.toLowerCase()))
    case "int":
    case "long":
      return integer(field)
    case "double":
    case "currency":
    case "percent":
      return number(field)
    case "date":
      return dated(field, date, lastDay)
    case "datetime":
      return dated(field, dateTime, `${lastDay}T00:00:00.000Z`)
    case "time":
      return typed(field, time)
    case "email":
      return email(field)
    case "picklist":
    case "multipicklist":
      return picklist(field)
    case "id":
    case "reference":
      return id(field)
    default:
      return string(field)
  }
}

/** How a stored value is written into a CSV. */
export const writer = (field: Field): ((value: Value) => string) => {
  switch (field.type) {
    case "boolean":
      return (value) => (value === null ? "" : value === 0 ? "false" : "true")
    case "double":
    case "currency":
    case "percent":
      return (value) => (typeof value === "number" ? javaDouble(value) : (value ?? ""))
    default:
      return (value) => (value === null ? "" : String(value))
  }
}

/** The fields of an object by their names in lower case. */
export const fieldsByName = (object: ObjectDescribe): ReadonlyMap<string, Field> =>
  new Map(object.fields.map((field) => [field.name.toLowerCase(), field]))
