import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as BulkError from "../BulkError.ts"

const Url = Schema.optionalKey(Schema.NullOr(Schema.String))

/** How a list says that it goes on. The guide spells its URL in two ways. */
export const fields = { done: Schema.Boolean, nextRecordsUrl: Url, nextRecordUrl: Url }

/** The locator within a URL that Salesforce gave; the rest of it is not always right. */
export const locatorIn = (url: string): string | undefined => {
  const locator = /[?&](?:query)?locator=([^&#]+)/i.exec(url)?.[1]
  if (locator === undefined) return undefined
  try {
    // no form: a plus is a plus
    return decodeURIComponent(locator)
  } catch {
    return locator
  }
}

/**
 * Where a list goes on from `current`. One that is neither done nor goes on is an error,
 * never a short list, nor one without an end.
 */
export const locatorOf = (
  list: Schema.Struct<typeof fields>["Type"],
  request: string,
  current: string | undefined
): Effect.Effect<Option.Option<string>, BulkError.BulkError> => {
  if (list.done) return Effect.succeedNone
  const locator = locatorIn(list.nextRecordsUrl ?? list.nextRecordUrl ?? "")
  return locator === undefined || locator === current
    ? Effect.fail(
        BulkError.make(
          new BulkError.UnexpectedResponse({
            request,
            problem: "the list is not done and does not say where it goes on"
          })
        )
      )
    : Effect.succeedSome(locator)
}
