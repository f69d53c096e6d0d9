import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import { Connection } from "../connection/Connection.ts"
import * as QueryJob from "../job/QueryJob.ts"
import type * as Csv from "../record/Csv.ts"

/** A page whose headers are there, and whose bytes are on their way. */
export interface Page extends Omit<QueryJob.Page, "numberOfRecords" | "arrived"> {
  readonly jobId: string
  /** How its CSV is written. */
  readonly dialect: Csv.Dialect
  /** Its number, from 1. */
  readonly number: number
  /** How many records it holds, by the latest headers: once it is read, how many it held. */
  readonly size: () => number
  /** How many of them have arrived. */
  readonly arrived: () => number
}

/** Which pages of a job, and how. */
export interface Reading {
  readonly jobId: string
  readonly dialect: Csv.Dialect
  /** Where to begin. Default: at the first page. */
  readonly locator?: string | undefined
  readonly maxRecords?: number | undefined
  /** Whether pages may be read beside each other, at the places that Salesforce cuts them. */
  readonly parallel: boolean
  /** How many pages are read beside each other. */
  readonly concurrency: number
  /** Whether pages are used as they come. */
  readonly unordered: boolean
  /** How many bytes are read before they are used, in all. */
  readonly readAhead: number
}

interface Opened extends Page {
  readonly close: Effect.Effect<void>
}

/** Page k + 1 is opened when the headers of page k are there. */
const chained = 2

/**
 * What comes of the pages of a complete job. Some pages are opened before they are
 * used, each with its share of what may be read ahead; one is closed when what comes
 * of it ends.
 */
export const pagesOf = <A, R>(
  reading: Reading,
  use: (page: Page) => Stream.Stream<A, BulkError.BulkError, R>
): Stream.Stream<A, BulkError.BulkError, R | Connection> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { dialect, jobId, maxRecords } = reading
      const { apiVersion } = yield* Connection
      const scope = yield* Effect.scope
      const parallel = reading.parallel && Number(apiVersion) >= resultPagesSince
      const atOnce = parallel ? reading.concurrency : chained
      const readAhead = Math.ceil(reading.readAhead / atOnce)
      const places = yield* Semaphore.make(atOnce)
      const queue = yield* Queue.unbounded<Fiber.Fiber<Opened, BulkError.BulkError>, BulkError.BulkError | Cause.Done>()
      let number = 0

      const open = Effect.fnUntraced(function* (options: QueryJob.PageOptions, number: number) {
        const own = yield* Scope.fork(scope)
        const page = yield* Scope.provide(QueryJob.page(jobId, { ...options, readAhead }), own)
        const close = Effect.andThen(Scope.close(own, Exit.void), Semaphore.release(places, 1))
        const { bytes, locator, next } = page
        const counts = { size: () => page.numberOfRecords, arrived: () => page.arrived }
        return { jobId, dialect, number, locator, next, ...counts, bytes, close }
      })

      /** Begins to open a page once there is a place for it, and lines it up. */
      const lineUp = Effect.fnUntraced(function* (options: QueryJob.PageOptions) {
        yield* Semaphore.take(places, 1)
        const opening = yield* Effect.forkIn(open(options, ++number), scope)
        yield* Queue.offer(queue, opening)
        return opening
      })

      const chain = Effect.gen(function* () {
        const visited = new Set<string>()
        let locator = reading.locator
        do {
          const { next } = yield* Effect.flatMap(lineUp({ locator, maxRecords }), Fiber.join)
          if (next !== undefined && visited.has(next)) return yield* circle(jobId, next)
          if (next !== undefined) visited.add(next)
          locator = next
        } while (locator !== undefined)
      })

      const links = Stream.runForEach(QueryJob.resultPages(jobId), (locator) =>
        lineUp({ locator, isLinked: true })
      ).pipe(
        // an org without this resource; what else it may be, the first page then tells
        Effect.catchIf(
          (error) => number === 0 && isRefused(error),
          () => chain
        )
      )

      yield* (parallel ? links : chain).pipe(Queue.into(queue), Effect.forkScoped)

      return Stream.flatMap(
        Stream.fromQueue(queue),
        (opening) => Stream.unwrap(Effect.map(Fiber.join(opening), (page) => Stream.ensuring(use(page), page.close))),
        { concurrency: reading.unordered ? atOnce : 1 }
      )
    })
  )

const resultPagesSince = 58

const isRefused = ({ isAuth, isRetryable, reason }: BulkError.BulkError): boolean =>
  reason._tag === "ApiError" && !isAuth && (!isRetryable || reason.status === 501)

const circle = (jobId: string, locator: string): BulkError.BulkError =>
  BulkError.make(
    new BulkError.UnexpectedResponse({
      request: `results of job ${jobId}`,
      problem: `the pages lead back to locator ${locator}`
    })
  )
