import { type Put, pointAndDigits } from "../csv/slab.ts"

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
 *
 * Four characters are looked at as one word: less what stands there in an instant of
 * zeros, its bytes are digits, or 0. `wrong` gathers the bits of what they are not.
 */
export const instantAt = (words: DataView, from: number, to: number): number => {
  const length = to - from
  if (length !== 24 && length !== 28) return Number.NaN
  const year = words.getInt32(from, true) ^ 0x30303030 // 0000
  const month = words.getInt32(from + 4, true) ^ 0x2d30302d // -00-
  const date = words.getInt32(from + 8, true) ^ 0x30543030 // 00T0
  const time = words.getInt32(from + 12, true) ^ 0x30303a30 // 0:00
  const second = words.getInt32(from + 16, true) ^ 0x2e30303a // :00.
  const zone = length === 24 ? 0x5a : 0x2b
  const fraction = words.getInt32(from + 20, true) ^ ((zone << 24) | 0x303030) // 000Z
  const wrong =
    ((year | (year + 0x06060606)) & 0xf0f0f0f0) |
    ((month | (month + 0x00060600)) & 0xfff0f0ff) |
    ((date | (date + 0x06000606)) & 0xf0fff0f0) |
    ((time | (time + 0x06060006)) & 0xf0f0fff0) |
    ((second | (second + 0x00060600)) & 0xfff0f0ff) |
    ((fraction | (fraction + 0x00060606)) & 0xfff0f0f0) |
    (length === 24 ? 0 : words.getInt32(from + 24, true) ^ 0x30303030)
  const hour = (date >>> 24) * 10 + (time & 0xf)
  const minute = ((time >>> 16) & 0xf) * 10 + (time >>> 24)
  const seconds = ((second >>> 8) & 0xf) * 10 + ((second >>> 16) & 0xf)
  if (wrong !== 0 || hour > 23 || minute > 59 || seconds > 59) return Number.NaN
  const start = startOfDay(yearOf(year), monthOf(month), (date & 0xf) * 10 + ((date >>> 8) & 0xf))
  const millis = (fraction & 0xf) * 100 + ((fraction >>> 8) & 0xf) * 10 + ((fraction >>> 16) & 0xf)
  return start + ((hour * 60 + minute) * 60 + seconds) * 1_000 + millis
}

/** The first instant of a day like `2026-11-23`, NaN if it is none. */
export const dayAt = (words: DataView, from: number): number => {
  const year = words.getInt32(from, true) ^ 0x30303030 // 0000
  const month = words.getInt32(from + 4, true) ^ 0x2d30302d // -00-
  const date = words.getInt16(from + 8, true) ^ 0x3030 // 00
  const wrong =
    ((year | (year + 0x06060606)) & 0xf0f0f0f0) |
    ((month | (month + 0x00060600)) & 0xfff0f0ff) |
    ((date | (date + 0x0606)) & 0xf0f0)
  return wrong === 0 ? startOfDay(yearOf(year), monthOf(month), (date & 0xf) * 10 + (date >> 8)) : Number.NaN
}

/** Milliseconds since midnight of a time like `20:41:12`, NaN if it is none. */
export const clockAt = (words: DataView, from: number): number => {
  const time = words.getInt32(from, true) ^ 0x303a3030 // 00:0
  const second = words.getInt32(from + 4, true) ^ 0x30303a30 // 0:00
  const wrong = ((time | (time + 0x06000606)) & 0xf0fff0f0) | ((second | (second + 0x06060006)) & 0xf0f0fff0)
  const hour = (time & 0xf) * 10 + ((time >>> 8) & 0xf)
  const minute = (time >>> 24) * 10 + (second & 0xf)
  const seconds = ((second >>> 16) & 0xf) * 10 + (second >>> 24)
  if (wrong !== 0 || hour > 23 || minute > 59 || seconds > 59) return Number.NaN
  return ((hour * 60 + minute) * 60 + seconds) * 1_000
}

/** Milliseconds since midnight of a time like `20:41:12.000Z`, NaN for any other form. */
export const timeAt = (words: DataView, from: number, to: number): number => {
  if (to - from !== 13) return Number.NaN
  const fraction = words.getInt32(from + 8, true) ^ 0x3030302e // .000
  const wrong = ((fraction | (fraction + 0x06060600)) & 0xf0f0f0ff) | (words.getUint8(from + 12) ^ 0x5a)
  const millis = ((fraction >>> 8) & 0xf) * 100 + ((fraction >>> 16) & 0xf) * 10 + (fraction >>> 24)
  return wrong === 0 ? clockAt(words, from) + millis : Number.NaN
}

/** The number of four digits in a word. */
const yearOf = (word: number): number =>
  (word & 0xf) * 1_000 + ((word >>> 8) & 0xf) * 100 + ((word >>> 16) & 0xf) * 10 + (word >>> 24)

/** The number of the two digits in the middle of a word. */
const monthOf = (word: number): number => ((word >>> 8) & 0xf) * 10 + ((word >>> 16) & 0xf)

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

/** Whether a text of `formatInstant` has a year of four digits: no other can be read again, nor does Salesforce take one. */
export const isInYears = (text: string): boolean => text.length === 24

const word = new DataView(new ArrayBuffer(8))

/** The first eight characters of a text as the bytes of one number, to be written at once. */
const wordOf = (text: string): number => {
  for (let i = 0; i < 8; i++) word.setUint8(i, text.charCodeAt(i))
  return word.getFloat64(0, true)
}

const minuteWords = Float64Array.from(minutesText, wordOf)
const secondWords = Float64Array.from(secondsText, wordOf)

/** Of days that were written before, as above: `2026-11-`, and the two digits behind it. */
const writtenDays = new Float64Array(keptDays).fill(Number.NaN)
const monthWords = new Float64Array(keptDays)
const dayDigits = new Int16Array(keptDays)

/** Writes a day, by its number since 1970, as `2026-11-23`; -1 for one that is in no year of four digits. */
export const putDay: Put<number> = ({ words }, at, number) => {
  const place = number & (keptDays - 1)
  if (writtenDays[place] !== number) {
    const text = new Date(number * day).toISOString()
    if (!isInYears(text)) return -1
    writtenDays[place] = number
    dayDigits[place] = text.charCodeAt(8) | (text.charCodeAt(9) << 8)
    monthWords[place] = wordOf(text)
  }
  words.setFloat64(at, monthWords[place]!, true)
  words.setInt16(at + 8, dayDigits[place]!, true)
  return at + 10
}

/** Writes an instant as `formatInstant` gives it; -1 for one that is in no year of four digits. */
export const putInstant: Put<number> = (slab, at, millis) => {
  const number = Math.floor(millis / day)
  if (putDay(slab, at, number) < 0) return -1
  const { words } = slab
  const time = (millis - number * day) | 0
  const minute = (time / 60_000) | 0
  const rest = time - minute * 60_000
  const second = (rest / 1_000) | 0
  const milli = rest - second * 1_000
  words.setFloat64(at + 10, minuteWords[minute]!, true)
  // the last of its eight is behind the end
  words.setFloat64(at + 17, secondWords[second]!, true)
  if (milli > 0) words.setInt32(at + 19, pointAndDigits(milli), true)
  return at + 24
}
