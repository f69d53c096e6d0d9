/**
 * The error codes of Salesforce that a bulk client meets, as one vocabulary.
 *
 * The API spells one code in several ways: `InvalidJobState` in its guide,
 * `INVALIDJOBSTATE` in answers, `NOT_FOUND` beside `NotFound`. Here every code is
 * written in words with underscores, and `parse` finds it however it is spelled.
 * Codes that are not listed stay as they came: nothing is lost by a code being new.
 *
 * @since 0.1.0
 */

/**
 * What a code is about.
 *
 * - `auth`: the session or its token is refused
 * - `permission`: the user, or the org, may not do this
 * - `limit`: an allowance is used up; it will not help to ask again soon
 * - `transient`: the same request, or row, may succeed later
 * - `missing`: there is no such thing (any more)
 * - `state`: the job is not in a state in which this can be done
 * - `invalid`: the request, the file or the row is wrong
 *
 * @category models
 * @since 0.1.0
 */
export type Category = "auth" | "permission" | "limit" | "transient" | "missing" | "state" | "invalid"

const categories = {
  // of requests
  API_CURRENTLY_DISABLED: "permission",
  API_DISABLED_FOR_ORG: "permission",
  API_ERROR: "invalid",
  CLIENT_INPUT_ERROR: "invalid",
  EXCEEDED_QUOTA: "limit",
  FEATURE_NOT_ENABLED: "permission",
  GONE: "invalid",
  HTTPS_REQUIRED: "invalid",
  INTERNAL_SERVER_ERROR: "transient",
  INVALID_AUTH_HEADER: "auth",
  INVALID_BATCH: "invalid",
  INVALID_ENTITY: "invalid",
  INVALID_JOB: "invalid",
  INVALID_JOB_STATE: "state",
  INVALID_OPERATION: "invalid",
  INVALID_SESSION_ID: "auth",
  INVALID_URL: "invalid",
  INVALID_USER: "permission",
  INVALID_VERSION: "invalid",
  INVALID_XML: "invalid",
  JSON_PARSER_ERROR: "invalid",
  LIMIT_EXCEEDED: "limit",
  MALFORMED_QUERY: "invalid",
  METHOD_NOT_ALLOWED: "invalid",
  NOT_FOUND: "missing",
  QUERY_TIMEOUT: "transient",
  REQUEST_LIMIT_EXCEEDED: "limit",
  SERVER_UNAVAILABLE: "transient",
  TIMEOUT: "transient",
  TOO_MANY_LOCK_FAILURE: "transient",
  TRANSACTION_SECURITY_BLOCK: "permission",
  TRANSACTION_SECURITY_DEVELOPER_ERROR: "permission",
  TRANSACTION_SECURITY_INTERNAL_ERROR: "transient",
  TXN_SECURITY_METERING_ERROR: "permission",
  UNKNOWN: "transient",
  UNKNOWN_EXCEPTION: "transient",
  UNSUPPORTED_CONTENT_TYPE: "invalid",
  UNSUPPORTED_MEDIA_TYPE: "invalid",
  // of rows
  CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: "invalid",
  DELETE_FAILED: "invalid",
  DUPLICATES_DETECTED: "invalid",
  DUPLICATE_EXTERNAL_ID: "invalid",
  DUPLICATE_VALUE: "invalid",
  ENTITY_IS_DELETED: "missing",
  FIELD_CUSTOM_VALIDATION_EXCEPTION: "invalid",
  FIELD_FILTER_VALIDATION_EXCEPTION: "invalid",
  FIELD_INTEGRITY_EXCEPTION: "invalid",
  INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY: "permission",
  INSUFFICIENT_ACCESS_OR_READONLY: "permission",
  INVALID_CROSS_REFERENCE_KEY: "invalid",
  INVALID_EMAIL_ADDRESS: "invalid",
  INVALID_FIELD: "invalid",
  INVALID_FIELD_FOR_INSERT_UPDATE: "invalid",
  INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: "invalid",
  INVALID_TYPE_ON_FIELD_IN_RECORD: "invalid",
  MALFORMED_ID: "invalid",
  MISSING_ARGUMENT: "invalid",
  NUMBER_OUTSIDE_VALID_RANGE: "invalid",
  REQUIRED_FIELD_MISSING: "invalid",
  STORAGE_LIMIT_EXCEEDED: "limit",
  STRING_TOO_LONG: "invalid",
  UNABLE_TO_LOCK_ROW: "transient"
} as const satisfies Record<string, Category>

/**
 * A code of the vocabulary.
 *
 * @category models
 * @since 0.1.0
 */
export type ErrorCode = keyof typeof categories

/** As all spellings of a code are alike. */
const fold = (code: string): string => code.replaceAll("_", "").toUpperCase()

const byFolded: ReadonlyMap<string, ErrorCode> = new Map(
  Object.keys(categories).map((code) => [fold(code), code as ErrorCode])
)

/**
 * All codes of the vocabulary.
 *
 * @category vocabulary
 * @since 0.1.0
 */
export const all: ReadonlyArray<ErrorCode> = [...byFolded.values()]

/**
 * The code that a text spells, in whatever way; undefined for a code that is not in
 * the vocabulary.
 *
 * **Example** (One code, three spellings)
 *
 * ```ts
 * ErrorCode.parse("INVALIDJOBSTATE") // => "INVALID_JOB_STATE"
 * ErrorCode.parse("InvalidJobState") // => "INVALID_JOB_STATE"
 * ErrorCode.parse("NEW_IN_WINTER_31") // => undefined
 * ```
 *
 * @category vocabulary
 * @since 0.1.0
 */
export const parse = (text: string): ErrorCode | undefined => byFolded.get(fold(text))

/**
 * What a code is about, however it is spelled; undefined for one that is not in the
 * vocabulary.
 *
 * @category vocabulary
 * @since 0.1.0
 */
export const categoryOf = (text: string): Category | undefined => {
  const code = parse(text)
  return code === undefined ? undefined : categories[code]
}
