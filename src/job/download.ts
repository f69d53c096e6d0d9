import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import { Connection, type Download, inOrg } from "../connection/Connection.ts"
import { Seam } from "./seam.ts"

/** What is downloaded: CSV that stays the same however often it is asked for. */
export interface Source<H> {
  readonly jobId: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined
  /** How many bytes are read before they are asked for. Default: what the connection reads. */
  readonly readAhead?: number | undefined
  /** What the headers say. Where they lack something, the same is asked for again. */
  readonly head: (headers: Download["headers"]) => Result.Result<H, BulkError.BulkError>
  /** How many rows follow the header of the CSV; undefined where nobody says. */
  readonly rows: (head: H) => number | undefined
  /** What of the headers must not change, since it may be made use of already. */
  readonly fixed?: ((head: H) => unknown) | undefined
  /** Reads the job, to learn whether its results are gone. */
  readonly look: Effect.Effect<unknown, BulkError.BulkError, Connection>
}

/** What the headers say, and the bytes. */
export interface Downloaded<H> {
  /** As the latest answer says it. */
  readonly head: () => H
  /** How many rows have arrived. */
  readonly rows: () => number
  readonly bytes: Stream.Stream<Uint8Array, BulkError.BulkError>
}

/** One answer to the request. */
interface Answer<H> {
  readonly head: H
  readonly pull: Pull.Pull<ReadonlyArray<Uint8Array>, Failure>
  readonly scope: Scope.Closeable
}

/** What the same request, sent again, may not run into. */
class Break extends Data.TaggedError("Break")<{ readonly error: BulkError.BulkError }> {}

/**
 * Downloads CSV, and goes on after a break: the same request is sent again, and what
 * was handed on before is skipped, once it is seen to be the same. Breaks are a
 * connection that is lost or carries nothing any more, headers that lack something, an
 * end within quotes, and another number of rows than was promised.
 *
 * The connection's retry policy says how often, anew whenever something new arrived.
 * When it ends, the last break is the error. Fails with `ResultsExpired` when there are
 * no results any more, and with `ResultsChanged` when they are not the same.
 *
 * The bytes are to be read once, within the scope.
 */
export const download = Effect.fnUntraced(function* <H>(
  source: Source<H>
): Effect.fn.Return<Downloaded<H>, BulkError.BulkError, Connection | Scope.Scope> {
  const context = yield* Effect.context<Connection>()
  const connection = yield* Connection
  const scope = yield* Effect.scope
  const { jobId, path, query, readAhead } = source
  const request = `GET ${path}`
  const seam = new Seam()
  const changed = Effect.suspend(() =>
    Effect.fail(BulkError.make(new BulkError.ResultsChanged({ jobId, request, length: seam.length })))
  )

  const open: Effect.Effect<Answer<H>, Failure> = Effect.flatMap(Scope.fork(scope), (own) =>
    Effect.gen(function* () {
      const { bytes, headers } = yield* connection
        .bytes({ path, query }, { readAhead })
        .pipe(Effect.catch(explain(source)), Effect.provideContext(context))
      const head = yield* Effect.mapError(Effect.fromResult(source.head(headers)), (error) => new Break({ error }))
      const pull = yield* Stream.toPull(
        Stream.mapError(bytes, (error) => (error.isRetryable ? new Break({ error }) : error))
      )
      seam.begin()
      return { head, pull, scope: own }
    }).pipe(
      Scope.provide(own),
      Effect.onError(() => Scope.close(own, Exit.void))
    )
  )

  /** What comes next of an answer; undefined at its end. */
  const read = (answer: Answer<H>): Effect.Effect<Arr.NonEmptyReadonlyArray<Uint8Array> | undefined, Failure> =>
    answer.pull.pipe(
      Effect.flatMap((pieces) => {
        const fresh = seam.add(pieces)
        if (fresh === undefined) return changed
        return Arr.isReadonlyArrayNonEmpty(fresh) ? Effect.succeed(fresh) : read(answer)
      }),
      Pull.catchDone(() => {
        const problem = incomplete(source, answer.head, seam)
        return problem === undefined ? Effect.undefined : Effect.fail(new Break({ error: problem }))
      })
    )

  /** Does again what broke, as the connection repeats requests; every other failure is final. */
  const repeating = <A>(self: Effect.Effect<A, Failure>): Effect.Effect<A, BulkError.BulkError> =>
    self.pipe(
      Effect.map(Result.succeed),
      Effect.catchTag("BulkError", (error) => Effect.succeed(Result.fail(error))),
      // the policy looks at errors that may pass: a break is one, whatever it was
      Effect.mapError(({ error: cause }) => BulkError.make(new BulkError.ConnectionLost({ request, cause }))),
      connection.retry,
      Effect.mapError(unwrap),
      Effect.flatMap(Effect.fromResult)
    )

  let answer = yield* inOrg(repeating(open))
  const fixed = source.fixed?.(answer.head)

  const reopen = Effect.suspend(() => Scope.close(answer.scope, Exit.void)).pipe(
    Effect.andThen(open),
    Effect.tap((opened) => {
      answer = opened
      return source.fixed?.(answer.head) === fixed ? Effect.void : changed
    })
  )
  const next = Effect.suspend(() => read(answer)).pipe(
    Effect.catchTag("Break", () => repeating(Effect.flatMap(reopen, read))),
    Effect.flatMap((bytes) => (bytes === undefined ? Cause.done() : Effect.succeed(bytes))),
    // the context is for failures alone: each piece would pay for it
    Effect.catch((error) => Effect.provideContext(inOrg(Effect.fail(error)), context))
  )
  return { head: () => answer.head, rows: () => seam.rows, bytes: Stream.fromPull(Effect.succeed(next)) }
})

type Failure = Break | BulkError.BulkError

/** The break that was shown to the policy as a lost connection. */
const unwrap = (error: BulkError.BulkError): BulkError.BulkError =>
  error.reason._tag === "ConnectionLost" && error.reason.cause instanceof BulkError.BulkError
    ? error.reason.cause
    : error

/** What is wrong with an answer that ended. */
const incomplete = <H>({ jobId, path, rows }: Source<H>, head: H, seam: Seam): BulkError.BulkError | undefined => {
  const expected = rows(head)
  if (expected !== undefined && expected !== seam.rows) {
    return BulkError.make(new BulkError.IncompletePage({ jobId, expected, received: seam.rows }))
  }
  return seam.canEnd
    ? undefined
    : BulkError.make(new BulkError.UnexpectedResponse({ request: `GET ${path}`, problem: "the CSV breaks off" }))
}

/** Results of a job that is gone, or that Salesforce no longer keeps, are told as such. */
const explain =
  <H>({ jobId, look }: Source<H>) =>
  (error: BulkError.BulkError): Effect.Effect<never, BulkError.BulkError, Connection> => {
    const { reason } = error
    const expired = BulkError.make(new BulkError.ResultsExpired({ jobId, cause: error }), error.org)
    if (reason._tag !== "ApiError") return Effect.fail(error)
    if (reason.status === 404 || reason.status === 410) return Effect.fail(expired)
    if (reason.status !== 400) return Effect.fail(error)
    return Effect.matchEffect(look, {
      onSuccess: () => Effect.fail(error),
      onFailure: (unknown) => Effect.fail(unknown.isNotFound ? expired : error)
    })
  }
