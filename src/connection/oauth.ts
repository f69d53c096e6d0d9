import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as BulkError from "../BulkError.ts"
import { readRetryAfter, redirectTarget } from "./answer.ts"
import { checkOrigin } from "./origin.ts"
import { execute, noAnswer } from "./transport.ts"

/** What the token endpoint gives. */
export interface Token {
  readonly accessToken: Redacted.Redacted
  readonly instanceUrl: string
  /** A new refresh token, where the flow gives one or the app rotates them. */
  readonly refreshToken: Redacted.Redacted | undefined
}

/**
 * Asks a login host's token endpoint for a token, by the form of a flow.
 *
 * It is asked once: a refresh token may be spent by a request whose answer was lost.
 */
export const requestToken = Effect.fnUntraced(function* (
  loginUrl: string,
  form: Readonly<Record<string, string | Redacted.Redacted | undefined>>
): Effect.fn.Return<Token, BulkError.BulkError, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const request = HttpClientRequest.post(`${loginUrl}/services/oauth2/token`).pipe(
    HttpClientRequest.acceptJson,
    HttpClientRequest.bodyUrlParams(reveal(form))
  )
  const name = `POST ${loginUrl}/services/oauth2/token`
  const lost = (cause: unknown) => noAnswer({ request: name, url: loginUrl, cause, hasAnswered: false })
  const { head, text } = yield* execute(client, request).pipe(
    Effect.flatMap((response) => Effect.map(response.text, (text) => ({ head: response, text }))),
    Effect.mapError((error) => lost(error.reason.cause ?? error.reason._tag)),
    Effect.timeoutOrElse({ duration: "1 minute", orElse: () => Effect.fail(lost("nothing within 1 minute")) })
  )
  const { status } = head
  const target = redirectTarget(head, loginUrl)
  const retryAfter = readRetryAfter(head, yield* Clock.currentTimeMillis)
  const refused = (error: string, description: string) =>
    BulkError.make(new BulkError.SignInFailed({ loginUrl, status, error, description, retryAfter }))
  if (target !== undefined) return yield* refused(`HTTP_${status}`, `it leads to ${target}, and no secret goes there`)
  if (status < 200 || status > 299) {
    const { error, error_description } = yield* decodeRefusal(text).pipe(
      Effect.mapError(() => refused(`HTTP_${status}`, "the answer is not that of a token endpoint"))
    )
    return yield* refused(error, error_description ?? "")
  }
  const token = yield* decodeToken(text).pipe(
    Effect.mapError(() => refused("invalid_response", "the answer holds no access_token and instance_url"))
  )
  return {
    accessToken: Redacted.make(token.access_token),
    instanceUrl: yield* Effect.fromResult(checkOrigin("instance_url", token.instance_url)),
    refreshToken: token.refresh_token === undefined ? undefined : Redacted.make(token.refresh_token)
  }
})

const reveal = (form: Readonly<Record<string, string | Redacted.Redacted | undefined>>) =>
  Object.entries(form).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Redacted.isRedacted(value) ? Redacted.value(value) : value] as const]
  )

const decodeToken = Schema.decodeEffect(
  Schema.fromJsonString(
    Schema.Struct({
      access_token: Schema.NonEmptyString,
      instance_url: Schema.NonEmptyString,
      refresh_token: Schema.optionalKey(Schema.NonEmptyString)
    })
  )
)

const decodeRefusal = Schema.decodeEffect(
  Schema.fromJsonString(Schema.Struct({ error: Schema.String, error_description: Schema.optionalKey(Schema.String) }))
)
