/**
 * Layers for Node.
 *
 * @since 0.1.0
 */
import { type FileHandle, mkdtemp, open, rm, statfs } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as BulkError from "./BulkError.ts"
import type * as Auth from "./connection/Auth.ts"
import * as Connection from "./connection/Connection.ts"
import * as Limits from "./connection/Limits.ts"
import * as Spool from "./ingest/Spool.ts"

/** How much undici collects of an answer while nobody asks for it, in bytes. */
const highWaterMark = 256 * 1024

/**
 * undici as `NodeHttpClient.layerUndici` has it, but for answers, which are read in pieces of
 * up to 256 KiB: a download takes a fifth less of the processor.
 *
 * **Example** (A connection whose session signs in by the same client)
 *
 * ```ts
 * const ConnectionLive = Connection.layer.pipe(Layer.provide(Auth.layerConfig), Layer.provide(layerHttpClient))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(
    HttpClient.HttpClient,
    HttpClient.transform((response) =>
      Effect.updateService(response, NodeHttpClient.UndiciOptions, (options) => ({ highWaterMark, ...options }))
    )
  )
).pipe(Layer.provide(NodeHttpClient.layerUndici))

/**
 * A connection over undici, Node's fastest HTTP client, for the session that is
 * provided to it. Every call makes a connection of its own.
 *
 * **Example** (Connecting from Node)
 *
 * ```ts
 * import { Auth } from "effect-salesforce-bulk"
 * import { layerConnection } from "effect-salesforce-bulk/node"
 *
 * const ConnectionLive = layerConnection().pipe(Layer.provide(Auth.layerToken({ instanceUrl, accessToken })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConnection = (
  options: Connection.Options = {}
): Layer.Layer<Connection.Connection, BulkError.BulkError, Auth.Session> =>
  Connection.layerWith(options).pipe(Layer.provide(layerHttpClient))

/**
 * Loads keep their parts in files, so that a part can have 100 MB whatever memory
 * there is. Refused records are read back from there.
 *
 * The files are in a new folder below `directory`, by default that for temporary
 * files, and can be read by this user alone. They are gone when their parts are
 * settled, the folder with the layer; a process that is killed leaves them behind. Fails
 * with `SpoolFailed` if there is no folder to be had. A load fails with it before it
 * submits a part that finds too little space.
 *
 * **Example** (Parts of 100 MB)
 *
 * ```ts
 * program.pipe(Effect.provide(layerFileSpool({ directory: "/var/spool/sync" })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFileSpool = (
  options: { readonly directory?: string | undefined; readonly partBytes?: number | undefined } = {}
): Layer.Layer<never, BulkError.BulkError> =>
  Layer.effect(
    Spool.Spool,
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        attempt(() => mkdtemp(join(options.directory ?? tmpdir(), "effect-salesforce-bulk-"))),
        (folder) => Effect.ignore(attempt(() => rm(folder, { recursive: true, force: true })))
      )
      let files = 0
      const kind: Spool.Kind = {
        partBytes: options.partBytes ?? Limits.uploadBytes,
        keepsRecords: false,
        open: ({ bytes }) =>
          Effect.gen(function* () {
            const { bavail, bsize } = yield* attempt(() => statfs(folder))
            if (bavail * bsize < bytes) {
              return yield* spoolFailed(
                new Error(`${folder} has ${bavail * bsize} bytes left, and a part may take ${bytes}`)
              )
            }
            const path = join(folder, `part-${++files}.csv`)
            const file = yield* Effect.acquireRelease(
              attempt(() => open(path, "wx+", 0o600)),
              (file) => Effect.ignore(attempt(() => file.close().finally(() => rm(path, { force: true }))))
            )
            return spooledIn(file)
          })
      }
      return kind
    })
  )

const spoolFailed = (cause: unknown) => Effect.fail(BulkError.make(new BulkError.SpoolFailed({ cause })))

const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, BulkError.BulkError> =>
  Effect.catch(Effect.tryPromise({ try: run, catch: (cause) => cause }), spoolFailed)

const readBytes = 64 * 1024

const spooledIn = (file: FileHandle): Spool.Spooled => {
  let length = 0
  const slice = (from: number, to: number) =>
    attempt(async () => {
      const bytes = new Uint8Array(to - from)
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, from + done)
        if (bytesRead === 0) throw new Error("a file of the spool has become shorter")
        done += bytesRead
      }
      return bytes
    })
  return {
    write: (bytes) =>
      attempt(async () => {
        for (let done = 0; done < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, done, bytes.length - done, length + done)
          done += bytesWritten
        }
        length += bytes.length
      }),
    read: Stream.suspend(() => {
      const end = length
      return Stream.unfold(0, (at) => {
        const next = Math.min(end, at + readBytes)
        return at >= end ? Effect.succeed(undefined) : Effect.map(slice(at, next), (bytes) => [bytes, next] as const)
      })
    }),
    slice
  }
}
