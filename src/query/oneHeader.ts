import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Page } from "./pages.ts"

const quote = 0x22
const lineFeed = 0x0a

/**
 * Makes one CSV of pages, given in their order: each begins with the header, and only
 * that of the first is kept. `newline` ends the last row of a page that does not.
 */
export const oneHeader = (newline: string): ((page: Page) => Stream.Stream<Uint8Array, BulkError.BulkError>) => {
  const lineEnd = new TextEncoder().encode(newline)
  let header: string | undefined
  let last = lineFeed
  return ({ bytes, jobId }) =>
    Stream.suspend(() => {
      const isFirst = header === undefined
      let isRowOpen = last !== lineFeed
      const decoder = new TextDecoder()
      let own = ""
      let isQuoted = false
      let isOver = false

      /** What of a piece is no header. */
      const afterHeader = (piece: Uint8Array): Uint8Array => {
        if (isOver) return piece
        let at = 0
        while (!isOver && at < piece.length) {
          const byte = piece[at++]
          if (byte === quote) isQuoted = !isQuoted
          else if (byte === lineFeed) isOver = !isQuoted
        }
        own += decoder.decode(piece.subarray(0, at), { stream: true })
        return piece.subarray(at)
      }

      return Stream.mapAccumArrayEffect(
        bytes,
        () => undefined,
        (_, pieces) => {
          const given: Array<Uint8Array> = []
          for (const piece of pieces) {
            const wasOver = isOver
            const rows = afterHeader(piece)
            if (isOver && !wasOver) {
              header ??= own
              if (own !== header) return Effect.fail(otherHeader(jobId, header, own))
            }
            const rest = isFirst ? piece : rows
            if (rest.length === 0) continue
            if (isRowOpen) given.push(lineEnd)
            isRowOpen = false
            given.push(rest)
            last = rest.at(-1) ?? last
          }
          return Effect.succeed([undefined, given] as const)
        }
      )
    })
}

const otherHeader = (jobId: string, first: string, other: string): BulkError.BulkError =>
  BulkError.make(
    new BulkError.UnexpectedResponse({
      request: `results of job ${jobId}`,
      problem: `one page has the header ${other.trim()}, and the first one ${first.trim()}`
    })
  )
