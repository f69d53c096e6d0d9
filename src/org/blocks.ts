/** Bytes in blocks of about 64 KiB, the size in which they are kept and sent. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** How many bytes a block holds, about. */
export const blockLength = 65_536

const concat = (pieces: ReadonlyArray<Uint8Array>, length: number): Uint8Array => {
  if (pieces.length === 1) return pieces[0]!
  const all = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/** Pieces from here on are blocks by themselves: to copy them costs more than to send them one by one. */
const largePiece = 16_384

/** Gathers pieces until there is a block of them. */
class Gatherer {
  private pieces: Array<Uint8Array> = []
  private length = 0

  /** A block, once this piece completes one. */
  add(piece: Uint8Array): Uint8Array | undefined {
    this.pieces.push(piece)
    this.length += piece.length
    return this.length < blockLength ? undefined : this.flush()
  }

  /** What has been gathered; undefined when that is nothing. */
  flush(): Uint8Array | undefined {
    if (this.length === 0) return undefined
    const block = concat(this.pieces, this.length)
    this.pieces = []
    this.length = 0
    return block
  }
}

const gathered = function* (pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  const gatherer = new Gatherer()
  for (const piece of pieces) {
    if (piece.length >= largePiece) {
      const before = gatherer.flush()
      if (before !== undefined) yield before
      yield piece
      continue
    }
    const block = gatherer.add(piece)
    if (block !== undefined) yield block
  }
  const last = gatherer.flush()
  if (last !== undefined) yield last
}

/** A stream that makes its blocks as they are asked for, and lets go of what it makes them from when it is left early. */
export const stream = (pieces: () => Iterable<Uint8Array>): Stream.Stream<Uint8Array> =>
  Stream.unwrap(
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => gathered(pieces())),
        (blocks) => Effect.sync(() => blocks.return(undefined))
      ),
      (blocks) => Stream.fromIterable(blocks, { chunkSize: 1 })
    )
  )
