/**
 * SOQL in, a stream of typed records out.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import type * as Poll from "../job/Poll.ts"
import * as QueryJob from "../job/QueryJob.ts"
import * as Csv from "../record/Csv.ts"
import * as RecordCodec from "../record/RecordCodec.ts"
import * as Resolve from "./resolve.ts"
import type * as Soql from "./Soql.ts"

export type { Resolved, ResolveOptions, Unresolved } from "./resolve.ts"

/**
 * What a query takes: either `from`, with the columns of the schema selected, or
 * a whole query as `soql`.
 *
 * @category models
 * @since 0.1.0
 */
export type Options<S extends RecordCodec.RecordSchema> = {
  /** The records' schema: a struct or class, whose fields are the columns. */
  readonly schema: S
  /** The most records of one page. Default: Salesforce chooses. */
  readonly maxRecords?: number | undefined
  /** How often to look at the running job, and how long. Default: 250 ms growing to 30 s, no deadline. */
  readonly poll?: Poll.Poll | undefined
} & (
  | {
      /** The API name of the object to query. */
      readonly from: string
      /** The condition of the query. Default: none. */
      readonly where?: Soql.Soql | undefined
      /** The most records of the query. It switches Salesforce's chunking off: large queries get slow. Default: all. */
      readonly limit?: number | undefined
      readonly soql?: undefined
    }
  | {
      /** The whole query; its select list holds the columns of the schema, in any order. */
      readonly soql: Soql.Soql
      readonly from?: undefined
    }
)

/**
 * Runs a bulk query and gives its records, decoded as the bytes arrive.
 *
 * One job is created and awaited; its pages are read one after the other, each as
 * fast as the stream is consumed. Empty cells are `null` in a nullable field, absent
 * in an optional one, and otherwise `""`, which only texts accept.
 *
 * Fails with a `BulkError`: `ApiError` for SOQL that is refused, `JobFailed`,
 * `RecordInvalid` for a record that does not fit the schema, `IncompletePage` when
 * records are missing. A job that is not finished when the stream ends is aborted.
 *
 * **Example** (Records from a schema)
 *
 * ```ts
 * const low = Query.records({ schema: Item, from: "Inventory__c", where: soql`Count__c < ${limit}` })
 * ```
 *
 * @category queries
 * @since 0.1.0
 */
export const records = <S extends RecordCodec.RecordSchema>(
  options: Options<S>
): Stream.Stream<S["Type"], BulkError.BulkError, Connection> =>
  Stream.suspend(() => {
    const codec = RecordCodec.make(options.schema)
    if (Result.isFailure(codec)) {
      return Stream.fail(BulkError.make(new BulkError.InvalidOptions({ problem: `query: ${codec.failure}` })))
    }
    const soql = options.soql === undefined ? select(codec.success.columns, options) : options.soql.text
    return Stream.unwrap(
      Effect.map(run(soql, options.poll), (jobId) => pages(jobId, codec.success, options.maxRecords))
    )
  })

const select = (
  columns: ReadonlyArray<string>,
  options: { readonly from: string; readonly where?: Soql.Soql | undefined; readonly limit?: number | undefined }
): string => {
  const where = options.where === undefined ? "" : ` WHERE ${options.where.text}`
  const limit = options.limit === undefined ? "" : ` LIMIT ${options.limit}`
  return `SELECT ${columns.join(", ")} FROM ${options.from}${where}${limit}`
}

/** Creates a query job and waits until it is complete. It is aborted if that is cut short. */
const run = Effect.fnUntraced(function* (soql: string, poll: Poll.Poll | undefined) {
  let ours = true
  const { id: jobId } = yield* Effect.acquireRelease(QueryJob.create(soql), ({ id }) =>
    ours ? abandon(id) : Effect.void
  )
  const { errorMessage: detail, state } = yield* QueryJob.awaitDone(jobId, { poll }).pipe(
    Effect.onExit((exit) =>
      Effect.sync(() => {
        // a job that is done needs no abort, and a passed deadline leaves the job to whoever awaits it again
        ours = Exit.isFailure(exit) && !hasDeadlinePassed(exit.cause)
      })
    )
  )
  if (state === "Failed" || state === "Aborted") {
    return yield* BulkError.make(new BulkError.JobFailed({ jobId, state, detail }))
  }
  return jobId
})

const hasDeadlinePassed = (cause: Cause.Cause<BulkError.BulkError>): boolean =>
  cause.reasons.some((reason) => Cause.isFailReason(reason) && reason.error.reason._tag === "DeadlinePassed")

const abandon = (jobId: string): Effect.Effect<void, never, Connection> =>
  QueryJob.abort(jobId).pipe(
    Effect.timeout("10 seconds"),
    Effect.catchCause((cause) => Effect.logWarning(`query job ${jobId} runs on: it could not be aborted`, cause)),
    Effect.asVoid
  )

/** The records of all pages, one page after the other. */
const pages = <A>(
  jobId: string,
  codec: RecordCodec.RecordCodec<A>,
  maxRecords: number | undefined
): Stream.Stream<A, BulkError.BulkError, Connection> =>
  Stream.suspend(() => {
    let next: { readonly locator: string | undefined } | undefined = { locator: undefined }
    let received = 0
    const locators = Stream.fromPull(
      Effect.succeed(
        Effect.suspend(() => (next === undefined ? Cause.done() : Effect.succeed([next.locator] as const)))
      )
    )
    return Stream.flatMap(locators, (locator) =>
      Stream.unwrap(
        Effect.map(QueryJob.page(jobId, { locator, maxRecords }), (page) => {
          next = page.next === undefined ? undefined : { locator: page.next }
          const before = received
          return recordsOf(page, jobId, codec, before).pipe(
            Stream.mapArray((records) => {
              received += records.length
              return records
            }),
            Stream.concat(Stream.suspend(() => checkCount(jobId, page.numberOfRecords, received - before)))
          )
        })
      )
    )
  })

const checkCount = (jobId: string, expected: number, received: number) =>
  expected === received
    ? Stream.empty
    : Stream.fail(BulkError.make(new BulkError.IncompletePage({ jobId, expected, received })))

const headerInvalid = ({ column, message }: RecordCodec.Problem) =>
  BulkError.make(new BulkError.InvalidOptions({ problem: `query: column ${column} of the schema is ${message}` }))

/** The records of one page; `before` counts those of the pages before it. */
const recordsOf = <A>(
  page: QueryJob.Page,
  jobId: string,
  codec: RecordCodec.RecordCodec<A>,
  before: number
): Stream.Stream<A, BulkError.BulkError> => {
  const invalid = (row: number) => (problem: RecordCodec.Problem) =>
    BulkError.make(
      new BulkError.RecordInvalid({
        jobId,
        row,
        column: problem.column,
        value: problem.value,
        problem: problem.message
      })
    )
  return page.bytes.pipe(
    Csv.decode((header) =>
      Effect.map(Effect.fromResult(Result.mapError(codec.decoder(header), headerInvalid)), (decode) => {
        let row = before
        return (rows) =>
          Effect.fromResult(Result.all(rows.map((cells) => Result.mapError(decode(cells), invalid(++row)))))
      })
    ),
    Stream.mapError((error) =>
      error._tag === "BulkError"
        ? error
        : BulkError.make(
            new BulkError.UnexpectedResponse({ request: `results of job ${jobId}`, problem: error.message })
          )
    )
  )
}

/**
 * Finds the ids of records by their business keys, by bulk query, for loads that know
 * only ids: updates and deletes.
 *
 * Each record comes out with the id of the one in the org that has its key, in order;
 * or as a failed `Result`, when it has no key, or none or several records of the org
 * have it. Keys are compared as the org does, mostly without case. About 2,000 keys go
 * into one query, so memory is bounded; `Checked.load` feeds a load and makes failed
 * outcomes of those that were not found.
 *
 * Fails with `InvalidOptions` when the object has no such field, and as `records`.
 *
 * **Example** (Prices by product code)
 *
 * ```ts
 * const outcomes = prices.pipe(
 *   Query.resolveIds({ object: "Product2", key: "ProductCode", keyOf: (price) => price.code }),
 *   Stream.map(Result.map(({ id, record }) => new Product({ Id: id, Price__c: record.amount }))),
 *   Checked.load(Ingest.update({ object: "Product2", schema: Product, nulls: "ignore" }))
 * )
 * ```
 *
 * @category queries
 * @since 0.1.0
 */
export const resolveIds: <A>(
  options: Resolve.ResolveOptions<A>
) => <E, R>(
  records: Stream.Stream<A, E, R>
) => Stream.Stream<Result.Result<Resolve.Resolved<A>, Resolve.Unresolved<A>>, E | BulkError.BulkError, R | Connection> =
  Resolve.resolveWith((options) => records(options))
