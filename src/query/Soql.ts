/**
 * SOQL with values bound safely.
 *
 * @since 0.1.0
 */

import * as DateTime from "effect/DateTime"
import * as Predicate from "effect/Predicate"
import { quote } from "../job/soqlText.ts"

// a symbol, since no JSON that somebody sends can hold one
const TypeId: unique symbol = Symbol.for("effect-salesforce-bulk/Soql")

/**
 * A piece of SOQL: a whole query, or a part such as a condition.
 *
 * @category models
 * @since 0.1.0
 */
export interface Soql {
  readonly [TypeId]: typeof TypeId
  readonly text: string
}

/**
 * What may stand in a `soql` template. Texts and ids become quoted literals, dates
 * dateTime literals in UTC (`date` makes date literals), arrays lists in parentheses;
 * another `Soql` stands as it is.
 *
 * @category models
 * @since 0.1.0
 */
export type Value = string | number | boolean | null | Date | DateTime.DateTime | Soql | ReadonlyArray<Literal>

/**
 * A value that can be an element of a list.
 *
 * @category models
 * @since 0.1.0
 */
export type Literal = string | number | boolean | null | Date | DateTime.DateTime

/**
 * Whether something is a piece of SOQL.
 *
 * @category guards
 * @since 0.1.0
 */
export const isSoql = (u: unknown): u is Soql => Predicate.hasProperty(u, TypeId)

/**
 * SOQL from a text that is trusted as it is. Never build that text from input:
 * `soql` is for that.
 *
 * @category constructors
 * @since 0.1.0
 */
export const raw = (text: string): Soql => ({ [TypeId]: TypeId, text })

/**
 * A date literal, for date fields, which do not compare to dateTimes: the day of a
 * `Date` in UTC, that of a `DateTime` in its own zone (a value of `Field.Date` is in
 * UTC), or a day by its parts, the month counted from 1.
 *
 * Throws a `RangeError` for what is no day.
 *
 * **Example** (Opportunities of this year)
 *
 * ```ts
 * soql`CloseDate >= ${Soql.date({ year: 2026, month: 1, day: 1 })}`.text // CloseDate >= 2026-01-01
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const date = (
  value: Date | DateTime.DateTime | Pick<DateTime.DateTime.Parts, "year" | "month" | "day">
): Soql => {
  if (value instanceof Date) return raw(instant(value).slice(0, 10))
  if (DateTime.isDateTime(value)) return date(DateTime.toParts(value))
  const { day, month, year } = value
  const pad = (part: number, length: number) => String(part).padStart(length, "0")
  const text = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`
  // 2026-02-30 is read as the 2nd of March
  const read = new Date(`${text}T00:00:00Z`)
  if (Number.isNaN(read.getTime()) || read.getUTCDate() !== day) throw new RangeError(`soql: ${text} is no day`)
  return raw(instant(read).slice(0, 10))
}

/**
 * SOQL with its values bound: whatever a value holds, it cannot change the query.
 *
 * Throws a `RangeError` for what SOQL has no literal for: a number that is not
 * finite, an invalid date, an empty list.
 *
 * **Example** (A condition with input)
 *
 * ```ts
 * soql`Name = ${name} AND Count__c < ${limit} AND State__c IN ${["WA", "OR"]}`.text
 * // Name = 'O\'Hare' AND Count__c < 10 AND State__c IN ('WA', 'OR')
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const soql = (strings: TemplateStringsArray, ...values: ReadonlyArray<Value>): Soql =>
  raw(String.raw({ raw: strings }, ...values.map(bind)))

const bind = (value: Value): string => {
  if (isSoql(value)) return value.text
  if (!isList(value)) return literal(value)
  if (value.length === 0) throw new RangeError("soql: a list must not be empty, SOQL has no literal for that")
  return `(${value.map(literal).join(", ")})`
}

// Array.isArray does not narrow readonly arrays
const isList = (value: Value): value is ReadonlyArray<Literal> => Array.isArray(value)

const literal = (value: Literal): string => {
  if (value === null) return "null"
  if (typeof value === "string") return quote(value)
  if (typeof value === "boolean") return String(value)
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new RangeError(`soql: ${value} is no number of SOQL`)
    return decimal(value)
  }
  if (DateTime.isDateTime(value)) return instant(DateTime.toDateUtc(value))
  if (value instanceof Date) return instant(value)
  throw new RangeError(`soql: there is no literal for a value of type ${typeof value}`)
}

const instant = (value: Date): string => {
  const text = value.toISOString()
  if (text.length !== 24) throw new RangeError(`soql: ${text} is in no year of four digits`)
  return text
}

// SOQL knows no exponents
const decimal = (value: number): string => {
  const [, sign = "", whole = "", fraction = "", exponent] =
    /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(String(value)) ?? []
  if (exponent === undefined) return String(value)
  const shift = Number(exponent)
  return shift > 0
    ? `${sign}${whole}${fraction.padEnd(shift, "0")}`
    : `${sign}0.${"0".repeat(-shift - 1)}${whole}${fraction}`
}
