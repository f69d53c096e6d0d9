/** Bodies that are compressed, both ways, as they pass. */
import { pipeline, Readable, type Transform } from "node:stream"
import { createGunzip, createGzip } from "node:zlib"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"

/** A compressed body that cannot be read, or the failure of what was to be compressed. */
type Fault = { readonly _tag: "Fault"; readonly cause: unknown }

const through =
  (make: () => Transform) =>
  <E>(self: Stream.Stream<Uint8Array, E>): Stream.Stream<Uint8Array, Fault> =>
    Stream.unwrap(
      Effect.map(Stream.toAsyncIterableEffect(self), (source) => {
        const transform = make()
        // the transform is destroyed with the error, which its reader then sees
        pipeline(Readable.from(source), transform, () => {})
        return Stream.fromAsyncIterable<Uint8Array, Fault>(transform, (cause) => ({ _tag: "Fault", cause }))
      })
    )

/** What was compressed; fails when it is damaged or breaks off. */
export const decompressed = through(createGunzip)

// a higher level costs more time than it saves on the wire
const compressed = through(() => createGzip({ level: 1 }))

/** Whether a client reads gzip, as its `Accept-Encoding` says. */
export const isAccepted = (header = ""): boolean =>
  header.split(",").some((each) => {
    const [coding, ...parameters] = each.toLowerCase().split(";")
    return coding?.trim() === "gzip" && !parameters.some((parameter) => /^\s*q=0(?:\.0*)?\s*$/.test(parameter))
  })

/** The least length of a body that is worth it. */
const minLength = 1_024

/** The same response, compressed; a short body, or none, stays as it is. */
export const compress = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
  const { body } = response
  const contentType = response.headers["content-type"]
  const stream =
    body._tag === "Stream"
      ? body.stream
      : body._tag === "Uint8Array" && body.body.length >= minLength
        ? Stream.succeed(body.body)
        : undefined
  if (stream === undefined) return response
  return HttpServerResponse.stream(compressed(stream), {
    status: response.status,
    headers: { ...response.headers, "content-encoding": "gzip", "content-length": undefined },
    ...(contentType === undefined ? {} : { contentType })
  })
}
