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

/**
 * One text of bytes, written bit by bit and read from its beginning.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spooled {
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, BulkError.BulkError>
  /** What was written until the reading began. */
  readonly read: Stream.Stream<Uint8Array, BulkError.BulkError>
}

/**
 * A kind of spool.
 *
 * - `partBytes` is how large parts are, where a load does not say.
 * - `keepsRecords` says that parts are small enough for their records to be held in
 *   memory as they are, until they are settled. Otherwise they are read back from
 *   the spool, and come back equal rather than the same.
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
 * @category constructors
 * @since 0.1.0
 */
export const memory = (options: { readonly partBytes?: number | undefined } = {}): Kind => ({
  partBytes: options.partBytes ?? 16 * 1024 * 1024,
  keepsRecords: true,
  open: () =>
    Effect.map(
      Effect.acquireRelease(
        Effect.sync((): Array<Uint8Array> => []),
        (blocks) =>
          Effect.sync(() => {
            blocks.length = 0
          })
      ),
      (blocks) => ({
        write: (bytes) =>
          Effect.sync(() => {
            blocks.push(bytes)
          }),
        read: Stream.suspend(() => Stream.rechunk(Stream.fromArray(blocks.slice()), 1))
      })
    )
})

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
