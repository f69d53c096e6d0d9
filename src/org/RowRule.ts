/**
 * Rules in code: what a validation rule or a trigger of a real org would say
 * about a row before it is written.
 *
 * **Example** (A validation rule)
 *
 * ```ts
 * const stock: RowRule.RowRule = ({ operation, values }) =>
 *   operation !== "delete" && Number(values.Count__c) < 0
 *     ? { message: "Count must not be negative", fields: ["Count__c"] }
 *     : undefined
 * ```
 *
 * @since 0.1.0
 */

/**
 * The value of a field; dates and times are ISO text.
 *
 * @category models
 * @since 0.1.0
 */
export type FieldValue = string | number | boolean | null

/**
 * What a row is about to do.
 *
 * @category models
 * @since 0.1.0
 */
export interface RowChange {
  /** What an upsert does is known by now; a hard delete is a delete. */
  readonly operation: "insert" | "update" | "delete"
  /** What the row sets, by field name, null where it clears; with the defaults on insert, empty on delete. */
  readonly values: Readonly<Record<string, FieldValue>>
  /** The record as it is stored; undefined on insert. */
  readonly stored: Readonly<Record<string, FieldValue>> | undefined
}

/**
 * Why a row is refused. It becomes one error of its `sf__Error`.
 *
 * @category models
 * @since 0.1.0
 */
export interface RowRefusal {
  /** `FIELD_CUSTOM_VALIDATION_EXCEPTION` by default. */
  readonly code?: string | undefined
  readonly message: string
  /** The fields the message is about; none by default. */
  readonly fields?: ReadonlyArray<string> | undefined
}

/**
 * Looks at a row, within the transaction of its chunk, and refuses it by what
 * it returns. One that throws refuses it as a failing trigger does.
 *
 * @category models
 * @since 0.1.0
 */
export type RowRule = (change: RowChange) => RowRefusal | ReadonlyArray<RowRefusal> | undefined
