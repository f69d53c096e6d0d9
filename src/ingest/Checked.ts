/**
 * Records that are checked before they are sent: one that fails the check is a failed
 * outcome, like one that the org refuses.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { BulkError } from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import type { Failed, Loads, Outcome } from "./Outcome.ts"
import { passing } from "./passing.ts"

/**
 * Why a record is not to be sent. `code` is in the style of Salesforce's codes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly fields?: ReadonlyArray<string> | undefined
}

/**
 * A record that is not to be sent, and why.
 *
 * @category models
 * @since 0.1.0
 */
export interface Refused<A> extends Problem {
  readonly record: A
}

/**
 * Checks records, or makes of them what is to be sent. A failed `Result` says why a
 * record is not to be.
 *
 * @category checking
 * @since 0.1.0
 */
export const map =
  <A, B>(check: (record: A) => Result.Result<B, Problem>) =>
  <E, R>(records: Stream.Stream<A, E, R>): Stream.Stream<Result.Result<B, Refused<A>>, E, R> =>
    Stream.map(records, (record) => Result.mapError(check(record), (problem) => ({ ...problem, record })))

/**
 * Loads the records that passed their check, with whatever load is given. Those that
 * did not pass come out as `Failed { origin: "client" }` with the record as it was, as
 * they come; all others as the load gives them.
 *
 * Fails as the load fails. What was refused until then comes out first.
 *
 * **Example** (No products without a price)
 *
 * ```ts
 * const outcomes = products.pipe(
 *   Checked.map((product) =>
 *     product.Price__c === null ? Result.fail({ code: "NO_PRICE", message: "no price" }) : Result.succeed(product)
 *   ),
 *   Checked.load(Ingest.upsert({ object: "Product2", schema: Product, externalId: "Sku__c", nulls: "ignore" }))
 * )
 * ```
 *
 * @category loading
 * @since 0.1.0
 */
export const load =
  <B, C>(load: Loads<B, C>) =>
  <A, E, R>(
    results: Stream.Stream<Result.Result<B, Refused<A>>, E, R>
  ): Stream.Stream<Outcome<A | C>, E | BulkError, R | Connection> =>
    passing(
      Stream.map(results, (result) => Result.mapError(result, failed)),
      load
    )

const failed = <A>({ code, fields = [], message, record }: Refused<A>): Failed<A> => ({
  _tag: "Failed",
  jobId: undefined,
  id: undefined,
  error: { code, message, fields, raw: message },
  record,
  origin: "client"
})
