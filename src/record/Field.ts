/**
 * Schemas for the field types of Salesforce.
 *
 * Each of them encodes to the text that Salesforce takes in a cell and reads what it
 * writes, so a struct of them is a schema for `Ingest` and `Query`. `Schema.NullOr`
 * around a field reads an empty cell as `null`, `Schema.optionalKey` leaves it out, and
 * `Schema.UndefinedOr` reads it as `undefined`; of several the first of these counts.
 * `Schema.OptionFromNullOr` reads it as `None`: an option of an empty text comes back as that.
 * Without any an empty cell is an error, but for texts, which are `""` then.
 *
 * | Salesforce | schema | value |
 * | --- | --- | --- |
 * | Id, Lookup, Master-Detail, External Lookup | `Id` | branded text of 18 characters |
 * | Text, Text Area, Long Text Area, Rich Text, Encrypted Text, Auto Number | `Text`, `textOf(255)` | text |
 * | Email, Phone, URL | `Email`, `Phone`, `Url` | text |
 * | Picklist | `Text`, `picklistOf(["New", "Won"])`, `Schema.Enum(Stage)` | text |
 * | Picklist (Multi-Select) | `MultiPicklist`, `multiPicklistOf(["Red", "Blue"])` | array of texts |
 * | Checkbox | `Boolean` | boolean |
 * | Number, Percent, Currency, coordinates of a Geolocation | `Number`, `Percent`, `Currency`, `Integer` | number |
 * | Date | `Date` | `DateTime.Utc`, the day's first instant |
 * | Date/Time | `DateTime`, `dateTimeIn("Europe/Berlin")` | `DateTime.Utc` |
 * | Time | `Time` | `DateTime.Utc` on 1 January 1970 |
 *
 * **Example** (A record)
 *
 * ```ts
 * class Visit extends Schema.Class<Visit>("Visit")({
 *   Id: Field.Id,
 *   Subject: Field.textOf(255),
 *   StartDateTime: Field.DateTime,
 *   Topics__c: Field.MultiPicklist,
 *   Closed__c: Schema.NullOr(Field.Date)
 * }) {}
 * ```
 *
 * @since 0.1.0
 */
import type * as Brand from "effect/Brand"
import * as EffectDateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Cells from "./cells/fieldCells.ts"
import { caseOf, lastOf } from "./cells/ids.ts"
import { formatInstant, parseInstant } from "./cells/instants.ts"
import { withCells } from "./cells/known.ts"
import { utcOf } from "./cells/utc.ts"
import { wallClock } from "./cells/wallClock.ts"

/**
 * The 18 characters of an id of 15 or 18, none if it is not an id: the last three
 * are a checksum over the case of the others.
 *
 * **Example** (The long form)
 *
 * ```ts
 * Field.toId18("001D000000IRFma") // Option.some("001D000000IRFmaIAH")
 * Field.toId18("001D000000IRFmaIAX") // Option.none()
 * ```
 *
 * @category ids
 * @since 0.1.0
 */
export const toId18 = (text: string): Option.Option<Id> => {
  if (!/^[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?$/.test(text)) return Option.none()
  const id = text.slice(0, 15)
  const whole = id + lastOf(caseOf(id))
  return text.length === 15 || text === whole ? Option.some(whole as Id) : Option.none()
}

/**
 * The id of a record: 18 characters, the last three of which are right. An id of 15
 * is read as the 18 it stands for, and 18 are written.
 *
 * Make one of a text with `Schema.decodeSync(Field.Id)` or, of 18 characters, with
 * `Field.Id.make`.
 *
 * @category ids
 * @since 0.1.0
 */
export const Id = Schema.String.check(
  Schema.makeFilter(
    (text) => Option.isSome(toId18(text)) || "Expected an id of 15 characters, or of 18 with its checksum"
  )
).pipe(
  Schema.decodeTo(
    Schema.String.check(
      Schema.makeFilter(
        (text) => Option.contains(toId18(text), text) || "Expected an id of 18 characters with its checksum"
      )
    ).pipe(Schema.brand("Id")),
    SchemaTransformation.transform({
      decode: (text: string): string => Option.getOrElse(toId18(text), () => text),
      encode: (id: string) => id
    })
  ),
  withCells(Cells.id)
)

/**
 * The id of a record, as `Id` reads it.
 *
 * @category ids
 * @since 0.1.0
 */
export type Id = string & Brand.Brand<"Id">

/**
 * A text, as it is. `""` leaves the field as it is when it is written; what empties
 * a field is the null of a nullable one.
 *
 * @category texts
 * @since 0.1.0
 */
export const Text = Schema.String

/**
 * A text of at most so many characters, as the field has.
 *
 * @category texts
 * @since 0.1.0
 */
export const textOf = (characters: number): typeof Schema.String =>
  Schema.String.check(Schema.isMaxLength(characters)).pipe(withCells(Cells.textOf(characters)))

/**
 * An e-mail address: at most 80 characters, with something on both sides of its `@`.
 *
 * @category texts
 * @since 0.1.0
 */
export const Email = Schema.String.check(
  Schema.isMaxLength(80),
  Schema.isPattern(/^[^\s@]+@[^\s@]+$/, { message: "Expected an e-mail address" })
).pipe(withCells(Cells.email))

/**
 * A phone number, which is any text of at most 40 characters.
 *
 * @category texts
 * @since 0.1.0
 */
export const Phone = textOf(40)

/**
 * An address on the web, which is any text of at most 255 characters.
 *
 * @category texts
 * @since 0.1.0
 */
export const Url = textOf(255)

/**
 * One of the values of a picklist. Use `Text` for one that is not restricted.
 *
 * @category texts
 * @since 0.1.0
 */
export const picklistOf = <const Values extends ReadonlyArray<string>>(values: Values): Schema.Literals<Values> =>
  Schema.Literals(values)

/**
 * The values of a multi-select picklist, which Salesforce writes as `Red;Blue`. A
 * value is neither empty nor has a semicolon.
 *
 * No values are written as an empty cell, which leaves the field as it is: to empty
 * it write the null of a `Schema.NullOr(Field.MultiPicklist)`, as which it is read too.
 *
 * @category texts
 * @since 0.1.0
 */
export const MultiPicklist = multiPicklist(Schema.String)

/**
 * Some of the values of a multi-select picklist; see `MultiPicklist`.
 *
 * @category texts
 * @since 0.1.0
 */
export const multiPicklistOf = <const Values extends ReadonlyArray<string>>(values: Values) =>
  multiPicklist(Schema.Literals(values), values)

function multiPicklist<S extends Schema.Codec<string>>(value: S, known?: ReadonlyArray<string>) {
  return Schema.String.pipe(
    Schema.decodeTo(
      Schema.Array(
        value.check(
          Schema.makeFilter<S["Type"]>(
            (value) => (value !== "" && !value.includes(";")) || "Expected a value without a semicolon"
          )
        )
      ),
      SchemaTransformation.transform<ReadonlyArray<S["Encoded"]>, string>({
        decode: (text) => (text === "" ? [] : text.split(";")),
        encode: (values) => values.join(";")
      })
    ),
    withCells(Cells.multiPicklist(known))
  )
}

/**
 * A checkbox: `true` or `false`.
 *
 * @category numbers
 * @since 0.1.0
 */
export const Boolean = Schema.Boolean

/**
 * A number, read in any of the forms that Salesforce writes (`9.12260031E8`). It is
 * neither infinite nor NaN, and a negative zero is refused when it is written.
 *
 * @category numbers
 * @since 0.1.0
 */
export const Number = Schema.Finite

/**
 * A number without decimal places.
 *
 * @category numbers
 * @since 0.1.0
 */
export const Integer = Schema.Int.pipe(withCells(Cells.integer))

/**
 * A percentage: 12.5 is 12.5 %.
 *
 * @category numbers
 * @since 0.1.0
 */
export const Percent = Schema.Finite

/**
 * An amount, in the currency of its record.
 *
 * @category numbers
 * @since 0.1.0
 */
export const Currency = Schema.Finite

const instantText = (what: string, fits: (text: string) => boolean) =>
  Schema.String.check(Schema.makeFilter((text) => fits(text) || `Expected ${what}`))

const day = 86_400_000

/**
 * A calendar date, `2026-11-23`, as the first instant of that day in UTC.
 *
 * It has no time: a value with one is refused, as it would not come back.
 *
 * @category dates
 * @since 0.1.0
 */
export const Date = instantText(
  "a date like 2026-11-23",
  (text) => text.length === 10 && !globalThis.Number.isNaN(parseInstant(text))
).pipe(
  Schema.decodeTo(
    Schema.DateTimeUtc.check(
      Schema.makeFilter(
        ({ epochMilliseconds }) =>
          epochMilliseconds % day === 0 || "Expected a date, as the first instant of a day in UTC"
      )
    ),
    SchemaTransformation.transform({
      decode: (text: string) => utcOf(parseInstant(text)),
      encode: (date: EffectDateTime.Utc) => formatInstant(date.epochMilliseconds).slice(0, -14)
    })
  ),
  withCells(Cells.date)
)

const withOffset = (text: string) =>
  /T.*(?:Z|[+-]\d\d:?\d\d)$/.test(text) && !globalThis.Number.isNaN(parseInstant(text))

/**
 * An instant: `2026-11-23T20:41:12.000Z`, or with an offset like
 * `+0000` or `+01:00`. A time without one is refused, as nobody can tell when it is:
 * `dateTimeIn` reads those of a zone.
 *
 * @category dates
 * @since 0.1.0
 */
export const DateTime = instantText(
  "a date and time with Z or an offset, like 2026-11-23T20:41:12.000Z",
  withOffset
).pipe(
  Schema.decodeTo(
    Schema.DateTimeUtc,
    SchemaTransformation.transform({
      decode: (text: string) => utcOf(parseInstant(text)),
      encode: (date: EffectDateTime.Utc) => formatInstant(date.epochMilliseconds)
    })
  ),
  withCells(Cells.instant)
)

/**
 * An instant whose text may be what a clock in a named zone shows, such as
 * `2026-11-23T21:41:12` or `2026-11-23 21:41`. One with an offset is read as it says.
 * In UTC it is written.
 *
 * A time that a clock shows twice is the first of them, and one that it skips is as
 * much later.
 *
 * Throws if there is no such zone.
 *
 * @category dates
 * @since 0.1.0
 */
export const dateTimeIn = (zone: string) => {
  const instantOf = wallClock(EffectDateTime.zoneMakeNamedUnsafe(zone))
  const millisOf = (text: string): number => {
    if (withOffset(text)) return parseInstant(text)
    const wall = parseInstant(`${text.replace(" ", "T")}Z`)
    if (!/^\d{4}-\d\d-\d\d[T ]\d\d:/.test(text) || globalThis.Number.isNaN(wall)) return globalThis.Number.NaN
    return instantOf(wall)
  }
  return instantText(`a date and time in ${zone}`, (text) => !globalThis.Number.isNaN(millisOf(text))).pipe(
    Schema.decodeTo(
      Schema.DateTimeUtc,
      SchemaTransformation.transform({
        decode: (text: string) => utcOf(millisOf(text)),
        encode: (date: EffectDateTime.Utc) => formatInstant(date.epochMilliseconds)
      })
    ),
    withCells(Cells.local(instantOf))
  )
}

/**
 * A time of day, `20:41:12.000Z`, as that time on 1 January 1970 in UTC.
 *
 * @category dates
 * @since 0.1.0
 */
export const Time = instantText(
  "a time like 20:41:12.000Z",
  (text) => /^\d\d:\d\d:\d\d(?:\.\d{1,3})?Z?$/.test(text) && !globalThis.Number.isNaN(timeOf(text))
).pipe(
  Schema.decodeTo(
    Schema.DateTimeUtc.check(
      Schema.makeFilter(
        ({ epochMilliseconds }) =>
          (epochMilliseconds >= 0 && epochMilliseconds < day) || "Expected a time of day, on 1 January 1970 in UTC"
      )
    ),
    SchemaTransformation.transform({
      decode: (text: string) => utcOf(timeOf(text)),
      encode: (time: EffectDateTime.Utc) => formatInstant(time.epochMilliseconds).slice(11)
    })
  ),
  withCells(Cells.time)
)

function timeOf(text: string): number {
  return parseInstant(`1970-01-01T${text.endsWith("Z") ? text : `${text}Z`}`)
}
