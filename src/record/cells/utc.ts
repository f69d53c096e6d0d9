import * as DateTime from "effect/DateTime"

const [template, prototype] = [DateTime.makeUnsafe(0), Object.getPrototypeOf(DateTime.makeUnsafe(0))]

/** An instant as Effect makes it, but for a property that is not enumerable, in which it keeps parts it was asked for. */
const Utc = function (this: { epochMilliseconds: number }, millis: number) {
  this.epochMilliseconds = millis
} as unknown as new (
  millis: number
) => DateTime.Utc
Utc.prototype = prototype

const isAsKnown =
  Object.keys(template).join() === "epochMilliseconds" &&
  Object.getOwnPropertyNames(template).join() === "epochMilliseconds,partsUtc"

/**
 * The instant of so many milliseconds, which must be one of a date.
 *
 * It is made as Effect makes it, without the one property that takes thirty times as
 * long as all else; by Effect, should what it makes ever be something else.
 */
export const utcOf: (millis: number) => DateTime.Utc = isAsKnown
  ? (millis) => new Utc(millis)
  : (millis) => DateTime.makeUnsafe(millis)
