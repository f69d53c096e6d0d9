/** API versions: which an org has, which is the newest, and what it is to ask for another. */
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as BulkError from "../BulkError.ts"
import { decode, readOk } from "./exchange.ts"
import { ask, current, type Line } from "./line.ts"
import { timeoutAfterPatience } from "./patience.ts"

/** What `/services/data` answers. */
const Versions = Schema.NonEmptyArray(Schema.Struct({ version: Schema.String }))

/** By number: version 100.0 is newer than 99.0. */
export const newest = (versions: typeof Versions.Type): string =>
  versions.reduce((a, b) => (Number(b.version) > Number(a.version) ? b : a)).version

/** The first version with Bulk API 2.0, queries included. */
const oldest = 47

/** A version that can be asked for. */
export const checkVersion = (apiVersion: string): Result.Result<string, BulkError.BulkError> => {
  const refuse = (problem: string) =>
    Result.fail(
      BulkError.make(new BulkError.InvalidOptions({ problem: `apiVersion ${JSON.stringify(apiVersion)} ${problem}` }))
    )
  if (!/^\d{2,}\.\d$/.test(apiVersion)) return refuse('is not like "62.0", nor "latest"')
  if (Number(apiVersion) < oldest) return refuse(`has no Bulk API 2.0 as it is used here: ${oldest}.0 is the first`)
  return Result.succeed(apiVersion)
}

/** The versions that the org has, which it tells anybody. */
export const askVersions = Effect.fnUntraced(function* (line: Line) {
  const { instanceUrl } = yield* current(line)
  const credentials = { instanceUrl, accessToken: Redacted.make("") }
  const request = HttpClientRequest.get("/services/data").pipe(HttpClientRequest.acceptJson)
  const toSend = HttpClientRequest.prependUrl(request, instanceUrl)
  const text = yield* ask(line, line.client, instanceUrl, request, toSend).pipe(
    Effect.flatMap((response) => readOk({ request, response, credentials })),
    timeoutAfterPatience(request, line.known)
  )
  return yield* decode({ request, credentials }, text, Versions)
})

/** A version that the org does not have makes a stranger of every path. */
export const blamingVersion =
  (line: Line, apiVersion: string) =>
  <A, R>(self: Effect.Effect<A, BulkError.BulkError, R>): Effect.Effect<A, BulkError.BulkError, R> =>
    Effect.catch(self, (error) => {
      const isSuspect = error.reason._tag === "ApiError" && (error.reason.status === 404 || error.reason.status === 410)
      if (line.known.hasSucceeded || !isSuspect) return Effect.fail(error)
      return Effect.flatMap(
        Effect.orElseSucceed(askVersions(line), () => undefined),
        (known) =>
          Effect.fail(
            known === undefined || known.some(({ version }) => version === apiVersion)
              ? error
              : BulkError.make(
                  new BulkError.VersionUnavailable({ apiVersion, available: known.map(({ version }) => version) }),
                  error.org
                )
          )
      )
    })
