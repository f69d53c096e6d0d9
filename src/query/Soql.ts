/**
 * SOQL with values bound safely.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Predicate from "effect/Predicate"

const TypeId = "~effect-salesforce-bulk/Soql"

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
 * What may stand in a `soql` template. Texts become quoted literals, dates
 * dateTime literals in UTC, arrays lists in parentheses; another `Soql` stands as
 * it is.
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
  if (DateTime.isDateTime(value)) return DateTime.formatIso(value)
  return value.toISOString()
}

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
  "\f": "\\f"
}

const quote = (text: string): string => `'${text.replace(/[\\'\n\r\t\b\f]/g, (char) => escapes[char] ?? char)}'`

// SOQL knows no exponents
const decimal = (value: number): string => {
  const text = String(value)
  return text.includes("e") ? value.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 20 }) : text
}
