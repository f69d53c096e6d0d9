/**
 * Where the CSV of a part is kept until it is settled: what was uploaded can be
 * uploaded again without asking the source, and refused records are found again.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as BulkError from "../BulkError.ts"
import { reused } from "./reused.ts"

/**
 * One text of bytes, written bit by bit and read from its beginning.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spooled {
  /** Takes bytes, which do not change any more. They may be on their way when it is done. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, BulkError.BulkError>
  /** Waits until all that was written is where it stays; fails if it is not. */
  readonly flush: Effect.Effect<void, BulkError.BulkError>
  /** What was written until the reading began. */
  readonly read: Stream.Stream<Uint8Array, BulkError.BulkError>
  /** The bytes from one position up to another one, all of which were written. */
  readonly slice: (from: number, to: number) => Effect.Effect<Uint8Array, BulkError.BulkError>
}

/**
 * A kind of spool.
 *
 * - `partBytes` is how large parts are, where a load does not say.
 * - `keepsRecords` says whether the records of a part are held in memory until it is
 *   settled, so that outcomes hold the very objects that were sent. Otherwise they are
 *   read back from the CSV, and are equal to them.
 * - `open` makes room for so many bytes. They are gone with the scope.
 *
 * @category models
 * @since 0.1.0
 */
export interface Kind {
  readonly partBytes: number
  readonly keepsRecords: boolean
  readonly open: (options: { readonly bytes: number }) => Effect.Effect<Spooled, BulkError.BulkError, Scope.Scope>
}

/**
 * A spool in memory. Parts have 16 MiB by default.
 *
 * Outcomes hold records that are equal to those that were sent. With `keepsRecords` they
 * hold the very objects, with whatever they have besides the fields of their schema: for
 * some three times the memory, as all records of a part are held until it is settled.
 * Default: they are not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const memory = (
  options: { readonly partBytes?: number | undefined; readonly keepsRecords?: boolean | undefined } = {}
): Kind => {
  const chunks = reused((): Array<Uint8Array> => [])
  return {
    partBytes: options.partBytes ?? 16 * 1024 * 1024,
    keepsRecords: options.keepsRecords ?? false,
    open: () => Effect.map(chunks, inChunks)
  }
}

const chunkBytes = 1024 * 1024
const pieceBytes = 64 * 1024

/** Bytes in chunks of one size, which may be there already. */
const inChunks = (chunks: Array<Uint8Array>): Spooled => {
  let length = 0
  /** The bytes from one position up to another one, in pieces of at most so many. */
  const pieces = (from: number, to: number, most: number): ReadonlyArray<Uint8Array> => {
    const found: Array<Uint8Array> = []
    for (let at = from; at < to; ) {
      const start = at % chunkBytes
      const end = Math.min(chunkBytes, start + most, start + to - at)
      found.push(chunks[(at - start) / chunkBytes]!.subarray(start, end))
      at += end - start
    }
    return found
  }
  return {
    write: (bytes) =>
      Effect.sync(() => {
        while (chunks.length * chunkBytes < length + bytes.length) chunks.push(new Uint8Array(chunkBytes))
        let at = 0
        for (const piece of pieces(length, length + bytes.length, chunkBytes)) {
          piece.set(bytes.subarray(at, at + piece.length))
          at += piece.length
        }
        length += bytes.length
      }),
    flush: Effect.void,
    read: Stream.suspend(() => Stream.rechunk(Stream.fromArray(pieces(0, length, pieceBytes)), 1)),
    slice: (from, to) =>
      Effect.sync(() => {
        const slice = new Uint8Array(to - from)
        let at = 0
        for (const piece of pieces(from, to, chunkBytes)) {
          slice.set(piece, at)
          at += piece.length
        }
        return slice
      })
  }
}

/**
 * The spool of loads that are given none of their own. Default: in memory, parts of
 * 16 MiB. `layerFileSpool` of `effect-salesforce-bulk/node` keeps parts of 100 MB in
 * files.
 *
 * **Example** (Smaller parts)
 *
 * ```ts
 * program.pipe(Effect.provideService(Spool.Spool, Spool.memory({ partBytes: 4_000_000 })))
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const Spool: Context.Reference<Kind> = Context.Reference<Kind>("effect-salesforce-bulk/Spool", {
  defaultValue: () => memory()
})
