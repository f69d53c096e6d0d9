import * as Duration from "effect/Duration"

/** What a message says of a `Retry-After`, given in milliseconds. */
export const askToWait = (retryAfter = 0): string => {
  // whole seconds, as a date gives milliseconds that say nothing
  const wait = Duration.format(Duration.seconds(Math.ceil(retryAfter / 1000)))
  return retryAfter > 0 ? `; it asks to be left alone for ${wait}` : ""
}
