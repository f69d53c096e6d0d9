/**
 * Failures as a CSV file that people can correct and load again.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import * as Csv from "../record/Csv.ts"
import * as RecordCodec from "../record/RecordCodec.ts"
import { type CsvRow, categoryOf, type Failed, type Outcome, type Unprocessed } from "./Outcome.ts"
import { rejectColumns } from "./rejectColumns.ts"
import { hintOf } from "./rowHint.ts"

/**
 * The columns that a reject file has after those that were sent: Salesforce's code and
 * message; what kind of cause it has, with the fields it names; and what to do about it.
 * `Ingest.csv` and `Plan.csv` leave them out.
 *
 * @category models
 * @since 0.1.0
 */
export const columns: readonly ["_error_code", "_error_message", "_cause", "_hint"] = rejectColumns

/**
 * How a reject file is written.
 *
 * @category models
 * @since 0.1.0
 */
export interface CsvOptions {
  /**
   * What becomes of cells that spreadsheet programs would run as formulas (`=`, `+`,
   * `-` or `@` first): `escape` puts an apostrophe before them, for a file that people
   * open and that is not loaded again; the apostrophe would be loaded with the rest.
   * Numbers stay as they are. Default `keep`.
   */
  readonly formulas?: "keep" | "escape" | undefined
  /** How cells and rows are told apart. Default: commas and line feeds. */
  readonly dialect?: Csv.Dialect | undefined
}

/**
 * How a reject file of typed records is written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<S extends RecordCodec.RecordSchema> extends CsvOptions {
  /** The schema that the records were loaded with. */
  readonly schema: S
  /** What a null was to become. Default `ignore`. */
  readonly nulls?: RecordCodec.Nulls | undefined
}

/**
 * From outcomes to the bytes of a file.
 *
 * @category models
 * @since 0.1.0
 */
export type Encode<A> = <E, R>(
  outcomes: Stream.Stream<Outcome<A>, E, R>
) => Stream.Stream<Uint8Array, E | BulkError.BulkError, R>

/**
 * Writes what failed and what was not processed as CSV; successes are left out. The
 * columns that were sent come first, with the cells that were sent, then `columns`.
 * Without any failure there are no bytes: `toFile` leaves no file then.
 *
 * **Example** (A file to correct)
 *
 * ```ts
 * const rejects = items.pipe(
 *   Ingest.upsert({ object: "Inventory__c", schema: Item, externalId: "Sku__c", nulls: "clear" }),
 *   RejectFile.encode({ schema: Item, nulls: "clear" }),
 *   Stream.run(RejectFile.toFile("rejects.csv"))
 * )
 * // Sku__c,Name,Count__c,_error_code,_error_message,_cause,_hint
 * // A-17,,5,REQUIRED_FIELD_MISSING,Required fields are missing: [Name],invalid: Name,give the fields that ...
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = <S extends RecordCodec.RecordSchema>(options: Options<S>): Encode<S["Type"]> => {
  const codec = RecordCodec.make(options.schema)
  if (Result.isFailure(codec)) {
    const problem = `reject file: ${codec.failure}`
    return () => Stream.fail(BulkError.make(new BulkError.InvalidOptions({ problem })))
  }
  const { columns: sent, encode, show } = codec.success
  const { nulls = "ignore" } = options
  return writer(options, () => ({
    columns: sent,
    cells: (record: S["Type"]) =>
      Result.getOrElse(encode(record, nulls), () => {
        const shown = show(record)
        return sent.map((column) => shown[column]!)
      })
  }))
}

/**
 * Writes what failed and what was not processed of a load whose outcomes hold rows:
 * that of a CSV file, or an insert without a key. Otherwise as `encode`.
 *
 * The columns are those of the first row.
 *
 * **Example** (From file to file)
 *
 * ```ts
 * const rejects = fs.stream("accounts.csv").pipe(
 *   Ingest.csv({ object: "Account", operation: "insert" }),
 *   RejectFile.encodeRows(),
 *   Stream.run(RejectFile.toFile("rejects.csv"))
 * )
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeRows = (options: CsvOptions = {}): Encode<CsvRow> =>
  writer(options, (first) => {
    const sent = Object.keys(first)
    return { columns: sent, cells: (row) => sent.map((column) => row[column] ?? "") }
  })

/**
 * Writes bytes to a file that is there in the end only if there were any: not after a
 * load without failures, nor after one that failed before any outcome came.
 *
 * The file is made before the first outcome is asked for, in place of an older one, so
 * that nothing is loaded whose failures could not be written.
 *
 * @category files
 * @since 0.1.0
 */
export const toFile = (
  path: string
): Sink.Sink<void, Uint8Array, never, PlatformError.PlatformError, FileSystem.FileSystem> =>
  Sink.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      // what cannot be opened is left alone
      let isEmpty = false
      // run once the file is closed
      yield* Effect.addFinalizer(() => (isEmpty ? Effect.ignore(fs.remove(path)) : Effect.void))
      const file = yield* fs.open(path, { flag: "w" })
      isEmpty = true
      const write = (bytes: Uint8Array) => {
        isEmpty = false
        return file.writeAll(bytes)
      }
      return Sink.forEach(write)
    })
  )

const writer =
  <A>(
    { dialect, formulas = "keep" }: CsvOptions,
    begin: (first: A) => {
      readonly columns: ReadonlyArray<string>
      readonly cells: (record: A) => Csv.Row
    }
  ): Encode<A> =>
  (outcomes) =>
    Stream.mapAccumArray(
      outcomes,
      () => Option.none<ReturnType<typeof begin>>(),
      (state, outcomes) => {
        const rejects = outcomes.filter((outcome) => outcome._tag !== "Succeeded")
        const [first] = rejects
        if (first === undefined) return [state, []] as const
        const shape = Option.getOrElse(state, () => begin(first.record))
        const rows = rejects.map((reject) => [...shape.cells(reject.record), ...reasonOf(reject)])
        const safe = formulas === "escape" ? rows.map((row) => row.map(escaped)) : rows
        const all = Option.isNone(state) ? [[...shape.columns, ...columns], ...safe] : safe
        return [Option.some(shape), [encoder.encode(Csv.encodeRows(all, dialect))]] as const
      }
    )

const encoder = new TextEncoder()

const reasonOf = <A>(reject: Failed<A> | Unprocessed<A>): Csv.Row => {
  if (reject._tag === "Unprocessed") {
    const { blockedBy, reason } = reject
    return blockedBy === undefined
      ? ["UNPROCESSED", reason, "transient", "load it again"]
      : ["UNPROCESSED", reason, `parent: ${blockedBy.column}`, `load ${blockedBy.value} first`]
  }
  const { code, fields, message } = reject.error
  const kind = categoryOf(reject.error) ?? (reject.origin === "client" ? "invalid" : "unknown")
  const cause = fields.length === 0 ? kind : `${kind}: ${fields.join(", ")}`
  return [code, message, cause, hintOf(reject.error) ?? ""]
}

const numberPattern = /^[+-]\d[\d.]*(?:[eE][+-]?\d+)?$/

const escaped = (cell: string): string => (/^[=+\-@\t\r]/.test(cell) && !numberPattern.test(cell) ? `'${cell}` : cell)
