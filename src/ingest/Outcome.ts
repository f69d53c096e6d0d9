/**
 * What became of one record.
 *
 * @since 0.1.0
 */
import type * as Stream from "effect/Stream"
import type { BulkError } from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import * as ErrorCode from "../ErrorCode.ts"

/**
 * A row as the org echoes it, cell by column. Values are re-serialised: a number
 * sent as `912260031` may come back as `9.12260031E8`.
 *
 * @category models
 * @since 0.1.0
 */
export type CsvRow = Readonly<Record<string, string>>

/**
 * Why the org refused a row. `code` is Salesforce's status code
 * (`REQUIRED_FIELD_MISSING`, ...); `fields` are those it names; `raw` is the
 * `sf__Error` cell as it came, which may hold several errors.
 *
 * @category models
 * @since 0.1.0
 */
export interface RowError {
  readonly code: string
  readonly message: string
  readonly fields: ReadonlyArray<string>
  readonly raw: string
}

/**
 * The record was committed. `created` tells an insert from an update; `row` is
 * the org's echo.
 *
 * @category models
 * @since 0.1.0
 */
export interface Succeeded {
  readonly _tag: "Succeeded"
  readonly jobId: string
  readonly id: string
  readonly created: boolean
  readonly row: CsvRow
}

/**
 * The record was refused: by the org, or (`origin: "client"`, code
 * `INVALID_RECORD`, no job) because it cannot be written as CSV and was not sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failed<A> {
  readonly _tag: "Failed"
  readonly jobId: string | undefined
  /** The record's id, where the org gives one. */
  readonly id: string | undefined
  readonly error: RowError
  /**
   * With a key equal to what was sent, but for what is sent as the same empty cell: where nulls are ignored the `""` of
   * a nullable field is null, and where it is optional it is absent.
   */
  readonly record: A
  readonly origin: "org" | "client"
}

/**
 * The record was sent and not touched: the job ended before its turn, or (`reason:
 * "unaccounted"`) no result file of the settled job names it. Or it was not sent, and
 * has no job: a guard stopped the load (`not submitted`), or what it depends on failed
 * (`blocked`).
 *
 * @category models
 * @since 0.1.0
 */
export interface Unprocessed<A> {
  readonly _tag: "Unprocessed"
  readonly jobId: string | undefined
  /** As that of `Failed`. */
  readonly record: A
  readonly reason: "unprocessed" | "unaccounted" | "not submitted" | "blocked"
  /** Of a blocked record: the column that names what failed, and the name. */
  readonly blockedBy?: { readonly column: string; readonly value: string } | undefined
}

/**
 * What became of one record. With a key `A` is the record that was sent;
 * without one it is the row as the org echoed it.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome<A> = Succeeded | Failed<A> | Unprocessed<A>

/**
 * What turns records into outcomes: the verbs of `Ingest`, and what is made of them.
 *
 * @category models
 * @since 0.1.0
 */
export type Loads<A, B> = <E, R>(
  records: Stream.Stream<A, E, R>
) => Stream.Stream<Outcome<B>, E | BulkError, R | Connection>

/**
 * One function for each of the three.
 *
 * **Example** (A line for each record)
 *
 * ```ts
 * const line = Outcome.match<Item, string>({
 *   Succeeded: ({ created, id }) => `${created ? "created" : "updated"} ${id}`,
 *   Failed: ({ error, record }) => `refused ${record.Sku__c}: ${error.message}`,
 *   Unprocessed: ({ reason, record }) => `${reason} ${record.Sku__c}`
 * })
 * ```
 *
 * @category matching
 * @since 0.1.0
 */
export const match =
  <A, B>(cases: {
    readonly Succeeded: (outcome: Succeeded) => B
    readonly Failed: (outcome: Failed<A>) => B
    readonly Unprocessed: (outcome: Unprocessed<A>) => B
  }) =>
  (outcome: Outcome<A>): B => {
    switch (outcome._tag) {
      case "Succeeded":
        return cases.Succeeded(outcome)
      case "Failed":
        return cases.Failed(outcome)
      case "Unprocessed":
        return cases.Unprocessed(outcome)
    }
  }

/**
 * Reads an `sf__Error` cell: `CODE:message:Field1,Field2 --`. Messages may hold
 * colons and newlines of their own; what does not look like an error is kept
 * whole as the message, with code `UNKNOWN`.
 *
 * **Example** (A missing field)
 *
 * ```ts
 * Outcome.parseError("REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --")
 * // { code: "REQUIRED_FIELD_MISSING", message: "Required fields are missing: [LastName]", fields: ["LastName"], ... }
 * ```
 *
 * @category parsing
 * @since 0.1.0
 */
export const parseError = (raw: string): RowError => {
  const code = /^[A-Z][A-Z0-9_]*(?=:)/.exec(raw)?.[0]
  if (code === undefined) return { code: unreadable, message: raw, fields: [], raw }
  // of several errors the first one speaks
  const first = /^(.*?) ?--(?=[A-Z][A-Z0-9_]*:|$)/s.exec(raw)?.[1] ?? raw
  const body = first.slice(code.length + 1)
  const fields = /:((?:[A-Za-z]\w*(?:, ?[A-Za-z]\w*)*)?) ?$/.exec(body)
  return {
    code,
    message: fields === null ? body : body.slice(0, fields.index),
    fields: fields?.[1] ? fields[1].split(/, ?/) : [],
    raw
  }
}

/**
 * What the error of a row is about; undefined for a code that is not in the vocabulary of
 * `ErrorCode`, and for an error that could not be read.
 *
 * @category guards
 * @since 0.1.0
 */
export const categoryOf = ({ code }: RowError): ErrorCode.Category | undefined =>
  // the word stands for what could not be read, and not for Salesforce's code
  code === unreadable ? undefined : ErrorCode.categoryOf(code)

const unreadable = "UNKNOWN"

/**
 * Whether the same record may be accepted if it is sent again later: another
 * transaction held a lock, also where a trigger met it, or wrote the same new key
 * at the same time, or the server failed.
 *
 * A `DUPLICATE_VALUE` may pass where it is that of the external id of an upsert, which
 * would have updated a record that was there before: name it as `externalId`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTransient = (error: RowError, externalId?: string): boolean =>
  categoryOf(error) === "transient" ||
  /UNABLE_TO_LOCK_ROW|unable to obtain exclusive access/.test(error.raw) ||
  (externalId !== undefined &&
    error.code === "DUPLICATE_VALUE" &&
    !error.message.includes("specified") &&
    (error.fields.includes(externalId) || error.message.includes(`${externalId} duplicates value`)))
