import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import { kept } from "../kept.ts"

const hour = 3_600_000
const day = 24 * hour

/** How many numbers are remembered: as days those of 44 years, since the records of one object are of many. */
const places = 16_384

/** Remembers what `of` says of numbers, of each at its place in so many. */
const remembered = (of: (number: number) => number): ((number: number) => number) => {
  const numbers = new Float64Array(places).fill(Number.NaN)
  const values = new Float64Array(places)
  return (number) => {
    const place = number & (places - 1)
    if (numbers[place] !== number) {
      values[place] = of(number)
      numbers[place] = number
    }
    return values[place]!
  }
}

/** One a zone, as several fields of a record are mostly of the same days. */
const clocks = kept<(wall: number) => number>()

/**
 * Tells the instant at which the clocks of a zone show a time, which is given in
 * milliseconds as if it were UTC: what `DateTime.makeZoned` says, NaN for none. That
 * asks Intl for each, which takes several hundred times as long.
 *
 * It looks at the offset a day before and a day after, and unless they differ that is
 * the answer. So it is all day if the offset is the same from the first instant of the
 * day before to the last of the day after, and it is if it is so at both ends: no zone
 * has ever changed its offset there and back within three days, the quickest was
 * Freetown in 1939, after almost four.
 *
 * On a day near a change it is asked, once for the first and once for the last
 * millisecond of an hour: a change makes clocks lead by something else from one moment
 * on, so they lead by the same over the hour if they do at both its ends.
 */
export const wallClock = (timeZone: DateTime.TimeZone.Named): ((wall: number) => number) =>
  clocks(timeZone.id, () => {
    const ask = (wall: number): number => {
      const zoned = DateTime.makeZoned(wall, { timeZone, adjustForTimeZone: true })
      return Option.isSome(zoned) ? zoned.value.epochMilliseconds : Number.NaN
    }
    /** The offset at the first instant of a day in UTC. */
    const offsetOf = remembered((number) => {
      const start = DateTime.makeZoned(number * day, { timeZone })
      return Option.isSome(start) ? DateTime.zonedOffset(start.value) : Number.NaN
    })
    /** How much clocks are ahead of UTC in an hour that they show, NaN if it is not the same in all of it. */
    const leadOf = remembered((number) => {
      const first = number * hour
      const last = first + hour - 1
      const lead = first - ask(first)
      return lead === last - ask(last) ? lead : Number.NaN
    })
    return (wall) => {
      const number = Math.floor(wall / day)
      const offset = offsetOf(number - 1)
      if (offset === offsetOf(number + 2)) return wall - offset
      const lead = leadOf(Math.floor(wall / hour))
      return Number.isNaN(lead) ? ask(wall) : wall - lead
    }
  })
