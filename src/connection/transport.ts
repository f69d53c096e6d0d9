/** How requests are sent, and what keeps them from being answered. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as BulkError from "../BulkError.ts"

/** Sends a request to where it says and nowhere else, and nothing besides it. */
export const execute = <E, R>(client: HttpClient.HttpClient.With<E, R>, request: HttpClientRequest.HttpClientRequest) =>
  Effect.flatMap(Effect.serviceOption(FetchHttpClient.RequestInit), (init) =>
    client.execute(request).pipe(
      // the org has no part in the caller's trace: its ids stay at home
      Effect.provideService(HttpClient.TracerPropagationEnabled, false),
      // the one client that would follow redirects unasked, and take secrets along
      Effect.provideService(FetchHttpClient.RequestInit, { ...Option.getOrUndefined(init), redirect: "manual" })
    )
  )

/** The codes with which Node refuses a certificate, or a host that has none. */
const certificateProblems: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "has a certificate that has expired",
  CERT_NOT_YET_VALID: "has a certificate that is not valid yet: check this machine's clock",
  DEPTH_ZERO_SELF_SIGNED_CERT: "has a certificate that it signed itself",
  SELF_SIGNED_CERT_IN_CHAIN: "has a certificate whose authority is not trusted here; a proxy may have given it",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "has a certificate whose authority is not trusted here; a proxy may have given it",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "has a certificate whose authority is not trusted here; a proxy may have given it",
  ERR_TLS_CERT_ALTNAME_INVALID: "has a certificate for another host",
  EPROTO: "does not speak https",
  ERR_SSL_WRONG_VERSION_NUMBER: "does not speak https",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "does not speak https"
}

/** The codes of an error and of all that caused it. */
const codesOf = (cause: unknown): ReadonlyArray<string> => {
  if (!(cause instanceof Error)) return []
  const code = "code" in cause && typeof cause.code === "string" ? [cause.code] : []
  const inner = cause instanceof AggregateError ? cause.errors : [cause.cause]
  return [...code, ...inner.flatMap(codesOf)]
}

/**
 * The failure of a request that got no answer. A host of which no name is known is a
 * mistake, unless it answered before: then its name is only hard to find right now.
 */
export const noAnswer = (options: {
  readonly request: string
  readonly url: string
  readonly cause: unknown
  readonly hasAnswered: boolean
}): BulkError.BulkError => {
  const { cause, hasAnswered, request, url } = options
  const codes = codesOf(cause)
  const problem =
    codes.map((code) => certificateProblems[code]).find((known) => known !== undefined) ??
    (codes.includes("ENOTFOUND") && !hasAnswered ? "is no host that is known: check the URL" : undefined)
  return BulkError.make(
    problem === undefined
      ? new BulkError.ConnectionLost({ request, cause })
      : new BulkError.Unreachable({ request, url, problem, cause }),
    url
  )
}
