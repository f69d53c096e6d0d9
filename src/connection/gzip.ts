/** Bodies that are compressed on the wire. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

type Bytes<E> = Stream.Stream<Uint8Array, E>

/** The platform's types leave out bytes in shared memory, which it takes as well. */
const bytewise = (transform: CompressionStream | DecompressionStream) =>
  transform as { readonly readable: ReadableStream<Uint8Array>; readonly writable: WritableStream }

/** What a stream of the platform makes of ours; its failure, or that of ours, is `onError`'s. */
const through = <E>(
  self: Bytes<E>,
  transform: (source: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array>>,
  onError: (cause: unknown) => E
): Bytes<E> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const source = yield* Stream.toReadableStreamEffect(self)
      const transformed = yield* Effect.tryPromise({ try: async () => transform(source), catch: onError })
      return Stream.fromReadableStream({ evaluate: () => transformed, onError })
    })
  )

/** The same bytes, compressed. */
export const compressed = <E>(self: Bytes<E>, onError: (cause: unknown) => E): Bytes<E> =>
  through(self, (source) => source.pipeThrough(bytewise(new CompressionStream("gzip"))), onError)

/**
 * What was compressed. Some HTTP clients decompress by themselves and keep the header
 * that says so: bytes that do not begin like gzip stay as they are.
 */
export const decompressed = <E>(self: Bytes<E>, onError: (cause: unknown) => E): Bytes<E> =>
  through(
    self,
    async (source) => {
      const reader = source.getReader()
      const first = await reader.read()
      const all = new ReadableStream<Uint8Array>({
        start: (controller) => (first.done ? controller.close() : controller.enqueue(first.value)),
        pull: async (controller) => {
          const next = await reader.read()
          if (next.done) controller.close()
          else controller.enqueue(next.value)
        },
        cancel: (reason) => reader.cancel(reason)
      })
      return isGzip(first.value) ? all.pipeThrough(bytewise(new DecompressionStream("gzip"))) : all
    },
    onError
  )

const isGzip = (bytes: Uint8Array | undefined): boolean =>
  bytes?.[0] === 0x1f && (bytes.length < 2 || bytes[1] === 0x8b)
