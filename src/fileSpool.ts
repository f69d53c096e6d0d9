/** Spools in files of Node. */
import { type FileHandle, mkdtemp, open, rm, statfs } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as BulkError from "./BulkError.ts"
import * as Limits from "./connection/Limits.ts"
import * as Spool from "./ingest/Spool.ts"

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

/** How much is read in one go. */
const readBytes = 64 * 1024

/** How much is written in one go. */
const writeBytes = 1024 * 1024

/**
 * A file that is written in the background: as much again may wait meanwhile. To wait for
 * each block of a load would take a third of its time.
 */
export const spooledIn = (file: Pick<FileHandle, "read" | "writev">): Spool.Spooled => {
  let length = 0
  let waiting: Array<Uint8Array> = []
  let waitingBytes = 0
  let failure: { readonly cause: unknown } | undefined
  /** What was begun, one after the other. It does not reject. */
  let writing = Promise.resolve()

  const begin = (): void => {
    const pieces = waiting
    const from = length - waitingBytes
    waiting = []
    waitingBytes = 0
    writing = writing
      .then(() => writeAll(file, pieces, from))
      .catch((cause: unknown) => {
        failure ??= { cause }
      })
  }
  const after = async (written: Promise<void>): Promise<void> => {
    await written
    if (failure !== undefined) throw failure.cause
  }
  const flush = (): Promise<void> => {
    if (waiting.length > 0) begin()
    return after(writing)
  }
  const slice = (from: number, to: number) =>
    attempt(async () => {
      await flush()
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
      Effect.suspend(() => {
        waiting.push(bytes)
        waitingBytes += bytes.length
        length += bytes.length
        if (waitingBytes < writeBytes) return Effect.void
        const before = writing
        begin()
        return attempt(() => after(before))
      }),
    flush: attempt(flush),
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

/** Writes all of the pieces, however much the file takes at once. */
const writeAll = async (file: Pick<FileHandle, "writev">, pieces: Array<Uint8Array>, from: number): Promise<void> => {
  for (let at = from; pieces.length > 0; ) {
    let { bytesWritten } = await file.writev(pieces, at)
    at += bytesWritten
    while (pieces[0] !== undefined && pieces[0].length <= bytesWritten) bytesWritten -= pieces.shift()!.length
    if (pieces[0] !== undefined && bytesWritten > 0) pieces[0] = pieces[0].subarray(bytesWritten)
  }
}
