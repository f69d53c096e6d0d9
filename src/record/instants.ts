import type { Put } from "./slab.ts"

/** An instant as Salesforce and ISO 8601 write it: a date alone, or with a time and `Z` or an offset. */
const instant = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d):?(\d\d)))?$/

const day = 86_400_000

/** Milliseconds since 1970 of an instant, NaN for what is none: no such day, or a time without an offset. */
export const parseInstant = (text: string): number => {
  const match = instant.exec(text)
  if (match === null) return Number.NaN
  const [, year, month, date, hour = "0", minute = "0", second = "0", fraction = "", sign, hours = "0", minutes = "0"] =
    match
  const start = startOfDay(Number(year), Number(month), Number(date))
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59 || Number(hours) > 23 || Number(minutes) > 59) {
    return Number.NaN
  }
  const time =
    Number(hour) * 3_600_000 +
    Number(minute) * 60_000 +
    Number(second) * 1_000 +
    Number(fraction.padEnd(3, "0").slice(0, 3))
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000
  return start + time - (sign === "-" ? -offset : offset)
}

/** Milliseconds since 1970 of the first instant of a day, NaN if there is no such day. */
const startOfDay = (year: number, month: number, date: number): number => {
  if (month < 1 || month > 12 || date < 1 || (date > 28 && date > daysOf(year, month))) return Number.NaN
  // days of years that begin in March, so that a leap day is the last; 400 years more keep all of it above 0
  const years = (month > 2 ? year : year - 1) + 400
  const days = (((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) | 0) + date - 1
  const leapDays = ((years / 4) | 0) - ((years / 100) | 0) + ((years / 400) | 0)
  return (years * 365 + leapDays + days - 865_565) * day
}

const daysOf = (year: number, month: number): number =>
  month === 2
    ? (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
      ? 29
      : 28
    : month === 4 || month === 6 || month === 9 || month === 11
      ? 30
      : 31

/**
 * The instant in the form that Salesforce writes most, `2026-11-23T20:41:12.000Z` or
 * with `+0000`; NaN for any other form.
 */
export const instantAt = (bytes: Uint8Array, from: number, to: number): number => {
  const length = to - from
  if (
    (length !== 24 && length !== 28) ||
    bytes[from + 4] !== DASH ||
    bytes[from + 7] !== DASH ||
    bytes[from + 10] !== T ||
    bytes[from + 13] !== COLON ||
    bytes[from + 16] !== COLON ||
    bytes[from + 19] !== DOT
  ) {
    return Number.NaN
  }
  if (length === 24) {
    if (bytes[from + 23] !== Z) return Number.NaN
  } else if (bytes[from + 23] !== PLUS || digits(bytes, from + 24) !== 0 || digits(bytes, from + 26) !== 0)
    return Number.NaN
  const century = digits(bytes, from)
  const year = digits(bytes, from + 2)
  const hour = digits(bytes, from + 11)
  const minute = digits(bytes, from + 14)
  const second = digits(bytes, from + 17)
  const hundredth = digits(bytes, from + 20)
  const last = bytes[from + 22]! - ZERO
  if (century < 0 || year < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return Number.NaN
  }
  if (hundredth < 0 || last < 0 || last > 9) return Number.NaN
  const start = startOfDay(century * 100 + year, digits(bytes, from + 5), digits(bytes, from + 8))
  return start + ((hour * 60 + minute) * 60 + second) * 1_000 + hundredth * 10 + last
}

const ZERO = 48
const DASH = 45
const COLON = 58
const DOT = 46
const PLUS = 43
const T = 84
const Z = 90

/** The number of two digits, -1 if they are none: whole numbers all the way are faster than NaN. */
const digits = (bytes: Uint8Array, at: number): number => {
  const high = bytes[at]! - ZERO
  const low = bytes[at + 1]! - ZERO
  return high >= 0 && high < 10 && low >= 0 && low < 10 ? high * 10 + low : -1
}

const twoDigits = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, "0"))
const minutesText = Array.from({ length: 1_440 }, (_, i) => `T${twoDigits[Math.floor(i / 60)]}:${twoDigits[i % 60]}:`)
const secondsText = Array.from({ length: 60 }, (_, i) => `${twoDigits[i]}.000Z`)

/** The texts of days that were written before, at the place of their number in this many. */
const keptDays = 1_024
const dayTexts: Array<string> = new Array(keptDays).fill("")
const dayNumbers = new Float64Array(keptDays).fill(Number.NaN)

const dayText = (number: number, millis: number): string => {
  const place = number & (keptDays - 1)
  if (dayNumbers[place] !== number) {
    const text = new Date(millis).toISOString()
    dayTexts[place] = text.slice(0, text.indexOf("T"))
    dayNumbers[place] = number
  }
  return dayTexts[place]!
}

/** An instant as `2026-11-23T20:41:12.000Z`, at a fraction of what `toISOString` costs. */
export const formatInstant = (millis: number): string => {
  const number = Math.floor(millis / day)
  const time = millis - number * day
  const minute = Math.floor(time / 60_000)
  const rest = time - minute * 60_000
  const second = Math.floor(rest / 1_000)
  const milli = Math.floor(rest - second * 1_000)
  const text = dayText(number, millis) + minutesText[minute]
  return milli === 0 ? text + secondsText[second] : `${text}${twoDigits[second]}.${String(milli).padStart(3, "0")}Z`
}

/** Writes an instant as `formatInstant` gives it. */
export const putInstant: Put<number> = (slab, at, millis) => {
  const number = Math.floor(millis / day)
  const text = dayText(number, millis)
  const { bytes } = slab
  for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
  const time = (millis - number * day) | 0
  const minute = (time / 60_000) | 0
  const rest = time - minute * 60_000
  const second = (rest / 1_000) | 0
  const milli = rest - second * 1_000
  const hour = (minute / 60) | 0
  bytes[at] = T
  putTwo(bytes, at + 1, hour)
  bytes[at + 3] = COLON
  putTwo(bytes, at + 4, minute - hour * 60)
  bytes[at + 6] = COLON
  putTwo(bytes, at + 7, second)
  bytes[at + 9] = DOT
  const hundreds = (milli / 100) | 0
  bytes[at + 10] = ZERO + hundreds
  putTwo(bytes, at + 11, milli - hundreds * 100)
  bytes[at + 13] = Z
  return at + 14
}

const putTwo = (bytes: Uint8Array, at: number, number: number): void => {
  const high = (number / 10) | 0
  bytes[at] = ZERO + high
  bytes[at + 1] = ZERO + number - 10 * high
}
