import * as Result from "effect/Result"
import * as BulkError from "../BulkError.ts"

/**
 * The origin of a URL that a secret may be sent to: https, or http on the loopback
 * host, and nothing but a host. `name` is what messages call it.
 */
export const checkOrigin = (name: string, text: string): Result.Result<string, BulkError.BulkError> => {
  const url = URL.parse(text)
  const refuse = (problem: string) =>
    Result.fail(BulkError.make(new BulkError.InvalidOptions({ problem: `${name} ${problem}` })))
  if (url === null) return refuse("is not a URL: give the org's own, like https://acme.my.salesforce.com")
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    return refuse(`must be https: no secret goes to ${url.protocol}//${url.host} in the clear`)
  }
  if (url.href !== `${url.origin}/`) return refuse(`must be the org's origin alone: ${url.origin}`)
  return Result.succeed(url.origin)
}

/** Whether a URL is none, or leads over a network in the clear. */
export const isClear = (text: string): boolean => {
  const url = URL.parse(text)
  return url === null || (url.protocol === "http:" && !isLoopback(url.hostname))
}

/** Whether requests to an origin stay on this machine. */
export const staysHere = (origin: string): boolean => isLoopback(URL.parse(origin)?.hostname ?? "")

const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname)
