/** What Salesforce answers, and what is wrong with it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as BulkError from "../BulkError.ts"

/** What is known of an answer besides its body. */
export interface Head {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
}

export const isOk = ({ status }: Head): boolean => status >= 200 && status < 300

const redirects = new Set([301, 302, 303, 307, 308])

/**
 * Where an answer that is no answer leads. It is not followed: a token goes to the
 * org alone, and what is sent once is not sent again.
 */
export const redirectTarget = ({ headers, status }: Head, url: string): string | undefined => {
  if (!redirects.has(status)) return undefined
  // what follows the host may hold what is secret
  const target = headers.location === undefined ? null : URL.parse(headers.location, url)
  return target?.origin ?? "nowhere"
}

/** The error that an answer describes in its body. */
export const apiError = (request: string, head: Head, body: string): Effect.Effect<BulkError.ApiError> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const { status } = head
    const [error] = Option.getOrElse(decodeErrors(body), () => [undefined])
    return new BulkError.ApiError({
      request,
      status,
      code: error?.errorCode ?? `HTTP_${status}`,
      detail: error?.message ?? "the answer is not Salesforce's JSON; a proxy or the network's edge may have given it",
      body,
      retryAfter: readRetryAfter(head, now)
    })
  })

/** How many milliseconds an answer asks to be left alone: its `Retry-After` is seconds, or a date. */
export const readRetryAfter = ({ headers }: Head, now: number): number | undefined => {
  const header = headers["retry-after"]
  if (header === undefined) return undefined
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isNaN(wait) ? undefined : Math.max(0, wait)
}

/** How many API calls the org made and may make, as its answers say. */
export const readUsage = ({ headers }: Head): { readonly used: number; readonly max: number } | undefined => {
  const [, used, max] = /api-usage=(\d+)\/(\d+)/.exec(headers["sforce-limit-info"] ?? "") ?? []
  return used === undefined ? undefined : { used: Number(used), max: Number(max) }
}

const decodeErrors = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.NonEmptyArray(Schema.Struct({ errorCode: Schema.String, message: Schema.String })))
)

/** Refusals that no other token would change. */
const finalRefusals = ["Connected app is not attached to Agent", "This session is not valid for use with the REST API"]

export const isFinalRefusal = (body: string): boolean => finalRefusals.some((words) => body.includes(words))
