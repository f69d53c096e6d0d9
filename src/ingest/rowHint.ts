/** What to do about a refused row, by its code; by its words where the code alone says little. */
import { adviceFor } from "../symptoms.ts"
import type { RowError } from "./Outcome.ts"

const hints: Readonly<Record<string, string>> = {
  CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: "a trigger or flow of the org failed on it: the message names it",
  DELETE_FAILED: "other records depend on it: delete those first",
  DUPLICATES_DETECTED: "a duplicate rule of the org stops it: find the record that is there, or have the rule allow it",
  DUPLICATE_EXTERNAL_ID: "several records have this external id: merge them, or make the field unique",
  DUPLICATE_KEY: "another record of the load has the same key: keep one of them",
  DUPLICATE_VALUE: "a record with this value is there, or came twice in the load: update that one, or drop the copy",
  ENTITY_IS_DELETED: "the record was deleted: restore it, or drop the row",
  FIELD_CUSTOM_VALIDATION_EXCEPTION: "a validation rule of the org stops it: correct what its message names",
  FIELD_FILTER_VALIDATION_EXCEPTION: "the lookup has a filter that the record it names does not pass",
  INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY: "the user may not use a record that the row names, or its record type",
  INSUFFICIENT_ACCESS_OR_READONLY: "the user may not change this record",
  INVALID_CROSS_REFERENCE_KEY: "an id names no record, or one of another object",
  INVALID_EMAIL_ADDRESS: "correct the email address",
  INVALID_FIELD: "a parent is not there: load parents first, or correct its external id",
  INVALID_FIELD_FOR_INSERT_UPDATE: "leave the field out: it is read-only for this user",
  INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: "use one of the picklist's values, or have it added to the picklist",
  INVALID_RECORD: "correct the value: the row could not be written, and was not sent",
  INVALID_TYPE_ON_FIELD_IN_RECORD: "write numbers, dates and booleans as Salesforce reads them: 1.5, 2026-11-23, true",
  KEY_AMBIGUOUS: "merge the records that have this key, or give the id of the one that is meant",
  KEY_BLANK: "give the key that the record is found by",
  KEY_NOT_FOUND: "load what the key stands for first, or correct the key",
  MALFORMED_ID: "an id has 15 or 18 characters, and is that of the right object",
  MISSING_ARGUMENT: "give the key that the record is found by",
  NAME_AMBIGUOUS: "several things have this name: give the id of the one that is meant",
  NAME_NOT_FOUND: "correct the name, or make in the org what it stands for",
  NUMBER_OUTSIDE_VALID_RANGE: "the number has more digits than the field takes",
  REQUIRED_FIELD_MISSING: "give the fields that the message names a value",
  STORAGE_LIMIT_EXCEEDED: "the org's storage is full: free some, or buy more",
  STRING_TOO_LONG: "shorten the text to the length that the message names",
  UNABLE_TO_LOCK_ROW: "load it again, sorted by parent: another process had locked the record"
}

/** Undefined where there is nothing to add to the message. */
export const hintOf = (error: RowError): string | undefined =>
  // a lock within a trigger is a lock
  adviceFor(error.code === "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" ? lockOf(error.message) : "") ??
  hints[error.code] ??
  adviceFor(error.raw)

const lockOf = (message: string): string => /UNABLE_TO_LOCK_ROW/.exec(message)?.[0] ?? ""
