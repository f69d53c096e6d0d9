/** What SOQL knows of dates: literals such as `LAST_N_DAYS:30`, in UTC, and functions such as `CALENDAR_YEAR`. */

/** Days as `2026-11-23`: the first, and the one after the last. */
export interface Days {
  readonly from: string
  readonly to: string
}

type Unit = "DAY" | "WEEK" | "MONTH" | "QUARTER" | "YEAR"

/** From one unit to another (not included), relative to that of today. */
interface Span {
  readonly unit: Unit
  readonly from: number
  readonly to: number
}

const fixed: Readonly<Record<string, Span>> = {
  YESTERDAY: { unit: "DAY", from: -1, to: 0 },
  TODAY: { unit: "DAY", from: 0, to: 1 },
  TOMORROW: { unit: "DAY", from: 1, to: 2 },
  LAST_90_DAYS: { unit: "DAY", from: -90, to: 1 },
  NEXT_90_DAYS: { unit: "DAY", from: 1, to: 91 }
}

const offsets: Readonly<Record<string, number>> = { LAST: -1, THIS: 0, NEXT: 1 }

// the fiscal year of a new org is that of the calendar
const namedPattern = /^(LAST|THIS|NEXT)_(?:(WEEK|MONTH|QUARTER|YEAR)|FISCAL_(QUARTER|YEAR))$/
const countedPattern = /^(LAST|NEXT)_N_(?:(DAY|WEEK|MONTH|QUARTER|YEAR)|FISCAL_(QUARTER|YEAR))S$/
const agoPattern = /^N_(?:(DAY|WEEK|MONTH|QUARTER|YEAR)|FISCAL_(QUARTER|YEAR))S_AGO$/

const isUnit = (text: string | undefined): text is Unit =>
  text === "DAY" || text === "WEEK" || text === "MONTH" || text === "QUARTER" || text === "YEAR"

const spanOf = (literal: string, count: number): Span | undefined => {
  const name = literal.toUpperCase()
  if (Object.hasOwn(fixed, name)) return fixed[name]
  const [, which = "", named, fiscal] = namedPattern.exec(name) ?? []
  const unit = named ?? fiscal
  if (isUnit(unit)) {
    const from = offsets[which]!
    return { unit, from, to: from + 1 }
  }
  const [, direction, counted, countedFiscal] = countedPattern.exec(name) ?? []
  const countedUnit = counted ?? countedFiscal
  if (isUnit(countedUnit)) {
    if (direction === "NEXT") return { unit: countedUnit, from: 1, to: count + 1 }
    // the last days include today, the last weeks not this one
    return { unit: countedUnit, from: -count, to: countedUnit === "DAY" ? 1 : 0 }
  }
  const [, ago, agoFiscal] = agoPattern.exec(name) ?? []
  const agoUnit = ago ?? agoFiscal
  return isUnit(agoUnit) ? { unit: agoUnit, from: -count, to: 1 - count } : undefined
}

/** Whether a word is a date literal, and whether it takes a number. */
export const kindOfLiteral = (word: string): "plain" | "counted" | undefined => {
  if (spanOf(word, 1) === undefined) return undefined
  const name = word.toUpperCase()
  return countedPattern.test(name) || agoPattern.test(name) ? "counted" : "plain"
}

const startOf = (unit: Unit, offset: number, now: Date): number => {
  const year = now.getUTCFullYear()
  const month = now.getUTCMonth()
  const day = now.getUTCDate()
  switch (unit) {
    case "DAY":
      return Date.UTC(year, month, day + offset)
    case "WEEK":
      // which begins on Sunday
      return Date.UTC(year, month, day - now.getUTCDay() + 7 * offset)
    case "MONTH":
      return Date.UTC(year, month + offset, 1)
    case "QUARTER":
      return Date.UTC(year, month - (month % 3) + 3 * offset, 1)
    case "YEAR":
      // to Date.UTC a year below 100 is one of the twentieth century
      return Date.UTC(year, 12 * offset, 1)
  }
}

const first = Date.parse("0001-01-01")
const last = Date.parse("9999-12-31")

const toDay = (millis: number): string => new Date(Math.min(last, Math.max(first, millis))).toISOString().slice(0, 10)

/** The days a literal stands for. */
export const daysOf = (literal: string, count: number, now: number): Days => {
  const { from, to, unit } = spanOf(literal, count)!
  const date = new Date(now)
  return { from: toDay(startOf(unit, from, date)), to: toDay(startOf(unit, to, date)) }
}

/** A function of a date: its SQL over a column, and the type of what it gives. */
export interface DateFunction {
  readonly type: "int" | "date"
  readonly of: ReadonlyArray<string>
  readonly sql: (column: string) => string
}

const both = ["date", "datetime"]

const part = (from: number, length: number, of = both): DateFunction => ({
  type: "int",
  of,
  sql: (column) => `CAST(substr(${column}, ${from}, ${length}) AS INTEGER)`
})

const quarter: DateFunction = {
  type: "int",
  of: both,
  sql: (column) => `((CAST(substr(${column}, 6, 2) AS INTEGER) + 2) / 3)`
}

const formatted = (format: string, add: number, by: number): DateFunction => ({
  type: "int",
  of: both,
  sql: (column) => `((CAST(strftime('${format}', substr(${column}, 1, 10)) AS INTEGER) + ${add}) / ${by})`
})

/** The functions by their names. */
export const dateFunctions: ReadonlyMap<string, DateFunction> = new Map([
  ["CALENDAR_YEAR", part(1, 4)],
  ["CALENDAR_QUARTER", quarter],
  ["CALENDAR_MONTH", part(6, 2)],
  ["FISCAL_YEAR", part(1, 4)],
  ["FISCAL_QUARTER", quarter],
  ["FISCAL_MONTH", part(6, 2)],
  ["DAY_IN_MONTH", part(9, 2)],
  ["HOUR_IN_DAY", part(12, 2, ["datetime"])],
  ["DAY_IN_WEEK", formatted("%w", 1, 1)],
  ["DAY_IN_YEAR", formatted("%j", 0, 1)],
  ["WEEK_IN_MONTH", formatted("%d", 6, 7)],
  ["WEEK_IN_YEAR", formatted("%j", 6, 7)],
  ["DAY_ONLY", { type: "date", of: ["datetime"], sql: (column) => `substr(${column}, 1, 10)` }]
])
