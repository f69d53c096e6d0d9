import { assert, describe, it } from "@effect/vitest"
import { DateTime, Option } from "effect"
import { wallClock } from "../../src/record/cells/wallClock.ts"
import { random } from "./random.ts"

const hour = 3_600_000
const day = 24 * hour

/** What Effect says of one time: the truth that is kept. */
const asked = (timeZone: DateTime.TimeZone.Named, wall: number): number => {
  const zoned = DateTime.makeZoned(wall, { timeZone, adjustForTimeZone: true })
  return Option.isSome(zoned) ? zoned.value.epochMilliseconds : Number.NaN
}

const offsetAt = (timeZone: DateTime.TimeZone.Named, instant: number): number =>
  DateTime.zonedOffset(DateTime.makeZonedUnsafe(instant, { timeZone }))

/** Changes of a zone's offset: the instant of each, and the offsets before and after it. */
const changesOf = (timeZone: DateTime.TimeZone.Named, from: number, until: number, step: number) => {
  // the offset alone is a tenth of the work of all the parts that Effect asks for
  const format = new Intl.DateTimeFormat("en-US", { timeZone: timeZone.id, timeZoneName: "longOffset" })
  const textAt = (instant: number) => format.format(instant).split(" ")[1]
  const changes: Array<{ at: number; before: number; after: number }> = []
  let text = textAt(from)
  for (let start = from; start < until; start += step) {
    const next = textAt(start + step)
    if (next === text) continue
    let [low, high] = [start, start + step]
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (textAt(middle) === text) low = middle
      else high = middle
    }
    changes.push({ at: high, before: offsetAt(timeZone, low), after: offsetAt(timeZone, high) })
    text = next
  }
  return changes
}

/** The times of these that are read otherwise than Effect does. */
const wrong = (timeZone: DateTime.TimeZone.Named, walls: Iterable<number>): ReadonlyArray<string> => {
  const read = wallClock(timeZone)
  const found: Array<string> = []
  for (const wall of walls) {
    const is = read(wall)
    const expected = asked(timeZone, wall)
    if (!Object.is(is, expected)) found.push(`${timeZone.id} ${new Date(wall).toISOString()}: ${is}, not ${expected}`)
  }
  return found
}

/** Zones that skipped a day or had it twice, and ones with rules, shifts and offsets of their own. */
const odd = [
  "Africa/Cairo", // summer time that pauses for Ramadan
  "Africa/Casablanca",
  "Africa/Monrovia", // seconds in its offset until 1972
  "America/Caracas", // half an hour back and forth
  "America/Juneau", // a day twice, and seconds
  "America/Noronha", // a week of summer time
  "America/St_Johns", // changes at a minute past midnight, once of two hours
  "Antarctica/Troll", // two hours
  "Asia/Gaza",
  "Asia/Kathmandu", // a quarter of an hour
  "Asia/Manila", // a day skipped, with seconds
  "Australia/Lord_Howe", // half an hour
  "Europe/Amsterdam",
  "Europe/Berlin",
  "Europe/Dublin",
  "Pacific/Apia", // a day skipped
  "Pacific/Kiritimati",
  "Pacific/Kwajalein"
].map(DateTime.zoneMakeNamedUnsafe)

const every = Intl.supportedValuesOf("timeZone").map(DateTime.zoneMakeNamedUnsafe)

describe("wallClock", () => {
  const { int } = random(1)

  it("reads times around every change of odd zones as Effect does", () => {
    for (const timeZone of odd) {
      const changes = changesOf(timeZone, Date.UTC(1840), Date.UTC(2038), 3 * day)
      assert.isAbove(changes.length, 1, timeZone.id)
      const walls = changes.flatMap(({ after, at, before }) => {
        const shown = [at + before, at + after].flatMap((wall) => [wall - 1, wall, wall + int(hour) - hour / 2])
        return [
          ...shown,
          at - day + before,
          at + day + after,
          ...[1, 2, 3].map((days) => at + int(2 * days * day) - days * day)
        ]
      })
      assert.deepStrictEqual(wrong(timeZone, walls), [])
    }
  })

  it("reads times of every zone as Effect does", () => {
    assert.isAbove(every.length, 300)
    const first = new Date(0).setUTCFullYear(1, 0, 1)
    for (const timeZone of every) {
      const year = 1970 + int(50)
      const changes = changesOf(timeZone, Date.UTC(year), Date.UTC(year + 18), 30 * day)
      const walls = [
        ...changes.flatMap(({ after, at, before }) => [at + before, at + after - 1, at + int(4 * day) - 2 * day]),
        ...Array.from({ length: 20 }, () => first + int(Date.UTC(10_000) - first)),
        ...Array.from({ length: 20 }, () => Date.UTC(1880) + int(Date.UTC(2040) - Date.UTC(1880)))
      ]
      assert.deepStrictEqual(wrong(timeZone, walls), [])
    }
  })

  it("tells days apart that are remembered at one place", () => {
    const berlin = DateTime.zoneMakeNamedUnsafe("Europe/Berlin")
    const winter = Date.UTC(1981, 11, 1)
    const days = [winter, winter + 16_384 * day, winter]
    assert.strictEqual(new Set(days.map((wall) => wall - asked(berlin, wall))).size, 2)
    assert.deepStrictEqual(wrong(berlin, days), [])
  })

  it("reads what is no time as none", () => {
    const read = wallClock(DateTime.zoneMakeNamedUnsafe("Europe/Berlin"))
    for (const wall of [Number.NaN, Number.POSITIVE_INFINITY, 8.64e15]) assert.isNaN(read(wall))
  })
})
