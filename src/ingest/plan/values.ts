/** What Salesforce would say to the text of a cell. */
import type * as Describe from "../../job/Describe.ts"
import type { Fault } from "./findings.ts"
import type { Code, Severity } from "./model.ts"

/** Says what is wrong with the trimmed text of a cell that is neither empty nor `#N/A`. */
export type Check = (text: string) => Fault | undefined

const fault = (severity: Severity, code: Code, message: string): Fault => ({ severity, code, message })

const numberPattern = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/
const datePattern = /^\d{4}-\d\d-\d\d$/
const dateTimePattern = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/
const timePattern = /^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,3})?)?Z?$/
const emailPattern = /^[^\s@]+@[^\s@][^\s@.]*\.[^\s@]+$/
const booleans: ReadonlySet<string> = new Set(["true", "false", "1", "0"])

const isDate = (text: string): boolean => datePattern.test(text) && isDay(text)

/** Whether there is the day with which a text of the right form begins. */
const isDay = (text: string): boolean => {
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  // every month has these
  if (day <= 28) return day >= 1 && month >= 1 && month <= 12
  return new Date(Date.UTC(Number(text.slice(0, 4)), month - 1, day)).getUTCMonth() === month - 1
}

const twoDigits = (text: string, at: number): number =>
  10 * (text.charCodeAt(at) - ZERO) + text.charCodeAt(at + 1) - ZERO

const ZERO = 48

// the first and the last day that Salesforce keeps
const isKept = (text: string): boolean => text >= "1700-01-01" && text < "4001"

const isDateTime = (text: string): boolean => dateTimePattern.test(text) && isDay(text)

const texts = (field: Describe.Field): Check => {
  const { length } = field
  if (length === 0) return () => undefined
  const tooLong = fault("error", "TOO_LONG", `longer than the ${length} characters it may have`)
  return (text) => (text.length > length ? tooLong : undefined)
}

const emails = (field: Describe.Field): Check => {
  const tooLong = texts(field)
  const noEmail = fault("error", "NOT_AN_EMAIL", "not an email address")
  return (text) => (emailPattern.test(text) ? tooLong(text) : noEmail)
}

const numbers = (field: Describe.Field): Check => {
  const whole = field.precision === 0 ? Infinity : 10 ** (field.precision - field.scale)
  const digits = field.precision - field.scale
  const noNumber = fault("error", "NOT_A_NUMBER", "not a number: digits, a point, no separators, no currency")
  const outOfRange = fault("error", "OUT_OF_RANGE", `more than the ${digits} digits it may have before the point`)
  return (text) => (!numberPattern.test(text) ? noNumber : Math.abs(Number(text)) < whole ? undefined : outOfRange)
}

const integers = (field: Describe.Field): Check => {
  const limit = field.type === "int" ? 2 ** 31 : 2 ** 53
  const noNumber = fault("error", "NOT_A_NUMBER", "not a whole number")
  const outOfRange = fault("error", "OUT_OF_RANGE", "outside of what a whole number may be")
  return (text) => {
    const value = numberPattern.test(text) ? Number(text) : Number.NaN
    if (!Number.isInteger(value)) return noNumber
    return Math.abs(value) < limit ? undefined : outOfRange
  }
}

const noBoolean = fault("error", "NOT_A_BOOLEAN", "neither true nor false")
const noDate = fault("error", "NOT_A_DATE", "not a date like 2026-11-23")
const dateWithTime = fault("warning", "NOT_A_DATE", "a date with a time, for a field without")
const noDateTime = fault("error", "NOT_A_DATE", "not a point in time like 2026-11-23T20:41:12.000Z")
const noKeptDate = fault("error", "OUT_OF_RANGE", "before 1700 or after 4000, of which Salesforce keeps no dates")
const noTime = fault("error", "NOT_A_TIME", "not a time of day like 20:41:12.000Z")

const picklists = (field: Describe.Field): Check => {
  const active = field.picklistValues.filter((entry) => entry.active).map((entry) => entry.value)
  const allowed = new Set(active)
  const folded = new Set(active.map((value) => value.toLowerCase()))
  const tooLong = texts(field)
  const other = field.restrictedPicklist
    ? fault("error", "NOT_IN_PICKLIST", "not among the values of the restricted picklist")
    : fault("note", "NEW_PICKLIST_VALUE", "not among the values of the picklist, which takes it nevertheless")
  const otherCase = fault("warning", "NOT_IN_PICKLIST", "in the restricted picklist only in another case")
  const several = field.type === "multipicklist"
  const isAllowed = (text: string) =>
    several ? text.split(";").every((value) => allowed.has(value.trim())) : allowed.has(text)
  const isFolded = (text: string) =>
    (several ? text.split(";") : [text]).every((value) => folded.has(value.trim().toLowerCase()))
  return (text) => (isAllowed(text) ? tooLong(text) : field.restrictedPicklist && isFolded(text) ? otherCase : other)
}

// 18 characters are good in any case: the last three tell the case of the others
const idPattern = /^[a-zA-Z0-9]{15}(?:[a-zA-Z0-5]{3})?$/

/** Ids of objects, whose key prefixes are given in lower case; of any object where they are not known. */
export const ids = (objects: ReadonlyArray<string>, prefixes: ReadonlySet<string> | undefined): Check => {
  const noId = fault("error", "NOT_AN_ID", "not an id of 15 or 18 characters")
  const another = fault("error", "ID_OF_ANOTHER_OBJECT", `the id of another object than ${objects.join(", ")}`)
  return (text) =>
    !idPattern.test(text)
      ? noId
      : prefixes === undefined || prefixes.has(text.slice(0, 3).toLowerCase())
        ? undefined
        : another
}

/** What cells of a field must satisfy, except for references. */
export const checkOf = (field: Describe.Field): Check => {
  switch (field.type) {
    case "boolean":
      return (text) => (text === "true" || text === "false" || booleans.has(text.toLowerCase()) ? undefined : noBoolean)
    case "int":
    case "long":
      return integers(field)
    case "double":
    case "currency":
    case "percent":
      return numbers(field)
    case "date":
      return (text) =>
        isDate(text) ? (isKept(text) ? undefined : noKeptDate) : isDateTime(text) ? dateWithTime : noDate
    case "datetime":
      return (text) => (isDateTime(text) || isDate(text) ? (isKept(text) ? undefined : noKeptDate) : noDateTime)
    case "time":
      return (text) => (timePattern.test(text) ? undefined : noTime)
    case "email":
      return emails(field)
    case "picklist":
    case "multipicklist":
      return picklists(field)
    default:
      return texts(field)
  }
}
