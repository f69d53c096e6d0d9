/**
 * Loads that can be started again: what was sent is known, and is never sent twice.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Stream from "effect/Stream"
import type * as BulkError from "../BulkError.ts"
import { canonicalText } from "../canonicalText.ts"
import type { Connection } from "../connection/Connection.ts"
import * as Limits from "../connection/Limits.ts"
import type { Progress } from "../Progress.ts"
import * as Csv from "../record/Csv.ts"
import * as RecordCodec from "../record/RecordCodec.ts"
import { csvRow } from "./csvBlocks.ts"
import { csvSource, invalidCsv } from "./csvSource.ts"
import * as Ingest from "./Ingest.ts"
import { clientFailure } from "./inlet.ts"
import type { CsvRow, Loads, Outcome } from "./Outcome.ts"
import { rowsOf } from "./rejectColumns.ts"
import * as RunLog from "./run/log.ts"
import { invalid, recorded, type Settings } from "./run/recorded.ts"
import * as Spool from "./Spool.ts"

export type { Settings } from "./run/recorded.ts"

/**
 * From a stream of records to the outcomes of those that were not settled before.
 *
 * @category models
 * @since 0.1.0
 */
export type Run<A> = <E, R>(
  records: Stream.Stream<A, E, R>
) => Stream.Stream<Outcome<A>, E | BulkError.BulkError, R | Connection | KeyValueStore.KeyValueStore>

/**
 * Loads records as a run, or goes on with it: after a crash, or a failure, the same
 * program is simply started again.
 *
 * It takes the options of the verb that `operation` names; an insert needs a `key`. What
 * happens is recorded in the `KeyValueStore`, before it happens: each part's range of
 * the source, a hash of its records, its jobs. When it goes on, parts whose outcomes
 * were all taken are skipped; a part whose job was, or may have been submitted is read
 * and not sent again, nor are those of its records that a lock refused; a job that is
 * still open is aborted and its part sent. The outcomes of a part that was read only in
 * part come out once more.
 *
 * The source must give the same records in the same order each time. One process at a
 * time works on a run: it holds a lease, which it renews. One that finds the run held
 * waits for the lease to expire, and fails with `RunHeld` if it is renewed instead.
 *
 * Fails with `RunRefused` when the source, the org or the options are not those the run
 * was begun with, when a job is gone whose records may have been loaded, when the
 * record cannot be kept, or when the run that must be finished first is not; and as
 * the verb does.
 *
 * **Example** (A migration that may be killed)
 *
 * ```ts
 * const outcomes = accounts.pipe(
 *   Run.load({
 *     runId: "accounts 2026-11",
 *     operation: "insert",
 *     object: "Account",
 *     schema: Account,
 *     key: "AccountNumber"
 *   })
 * )
 *
 * const RunsLive = KeyValueStore.layerFileSystem("runs").pipe(Layer.provide(NodeServices.layer))
 * ```
 *
 * @category loading
 * @since 0.1.0
 */
export function load<S extends RecordCodec.RecordSchema>(
  options: Settings &
    (
      | (Ingest.InsertOptions<S> & { readonly operation: "insert"; readonly key: Ingest.KeyColumn<S> })
      | (Ingest.UpsertOptions<S> & { readonly operation: "upsert" })
    )
): Run<S["Type"]>
export function load<S extends Ingest.IdentifiedSchema>(
  options: Settings &
    (
      | (Ingest.UpdateOptions<S> & { readonly operation: "update" })
      | (Ingest.DeleteOptions<S> & { readonly operation: "delete" | "hardDelete" })
    )
): Run<S["Type"]>
export function load<S extends Ingest.IdentifiedSchema>(options: Settings & Keyed<S>): Run<S["Type"]> {
  return (records) =>
    Stream.unwrap(
      Effect.gen(function* () {
        const codec = yield* Effect.fromResult(RecordCodec.make(options.schema)).pipe(Effect.mapError(invalid))
        const key = keyOf(options)
        const canonical = codec.canonical(key)
        if (canonical === undefined) return yield* invalid(`the key ${key} is no column`)
        const isDeletion = options.operation === "delete" || options.operation === "hardDelete"
        const columns = isDeletion ? ["Id"] : codec.columns
        const nulls = ("nulls" in options ? options.nulls : undefined) ?? "ignore"
        const encode = codec.encoder({ nulls, columns, key })
        // the records of a part are held as it is: to keep more of them would take room, and could cut the part
        const spool = { ...(options.spool ?? (yield* Spool.Spool)), keepsRecords: true }
        return recorded(options, { source: "records", key, nulls, columns }, records, (records, range) => ({
          ...range,
          key,
          canonical,
          write: () => encode(records).bytes,
          send: (progress) => verbOf({ ...options, spool }, progress)(Stream.fromArray(records)),
          sent: () => {
            const { keys, rejected, written } = encode(records)
            return {
              records: new Map(keys.map((own, i) => [own, written[i] as S["Type"]])),
              rejected: rejected.map(({ problem, record }) => clientFailure(record, problem))
            }
          }
        }))
      })
    )
}

/**
 * What a run of CSV takes: the options of `Ingest.csv`, whose rows are told apart. How
 * large parts are is a matter of the run.
 *
 * @category models
 * @since 0.1.0
 */
export type CsvOptions = Settings &
  Ingest.CsvOptions &
  ({ readonly operation: "insert"; readonly key: string } | { readonly operation: CsvChange })

type CsvChange = Exclude<Ingest.CsvOptions["operation"], "insert">

/**
 * Loads CSV as a run, or goes on with it: as `load`, of bytes in any dialect that
 * `Ingest.csv` takes. They are read again from their beginning each time.
 *
 * **Example** (A large file, that may take some starts)
 *
 * ```ts
 * const outcomes = fs.stream("accounts.csv").pipe(
 *   Run.csv({ runId: "accounts.csv", operation: "upsert", object: "Account", externalId: "Number__c" })
 * )
 * ```
 *
 * @category loading
 * @since 0.1.0
 */
export const csv =
  (options: CsvOptions) =>
  <E, R>(
    bytes: Stream.Stream<Uint8Array, E, R>
  ): Stream.Stream<Outcome<CsvRow>, E | BulkError.BulkError, R | Connection | KeyValueStore.KeyValueStore> => {
    const { columnDelimiter, lineEnding } = options
    const key =
      options.operation === "insert" ? options.key : options.operation === "upsert" ? options.externalId : "Id"
    const rows = csvSource(bytes, { columnDelimiter, lineEnding, key }).pipe(
      Stream.flatMap((block) =>
        rowsOf(block).pipe(
          Stream.map((cells) => ({ header: block.header, cells })),
          Stream.mapError(invalidCsv)
        )
      )
    )
    return recorded(options, { source: "csv", key, nulls: "", columns: [] }, rows, (rows, range) => {
      const [{ header }] = rows
      // `csvSource` has seen that it is there
      const at = header.findIndex((column) => column.toLowerCase() === key.toLowerCase())
      // in one dialect, whatever the file's is
      const write = () => encoder.encode(Csv.encodeRows([header, ...rows.map(({ cells }) => cells)], Csv.standard))
      return {
        ...range,
        key: header[at]!,
        canonical: canonicalText,
        write,
        send: (progress) =>
          Ingest.csv({ ...options, ...Csv.standard, ...whole(options, progress) })(Stream.sync(write)),
        sent: () => ({
          records: new Map(rows.map(({ cells }) => [canonicalText(cells[at]!), csvRow(header, cells)])),
          rejected: []
        })
      }
    })
  }

const encoder = new TextEncoder()

/** The loads that can be runs: those whose records are told apart. */
type Keyed<S extends Ingest.IdentifiedSchema> =
  | (Ingest.InsertOptions<S> & { readonly operation: "insert"; readonly key: Ingest.KeyColumn<S> })
  | (Ingest.UpsertOptions<S> & { readonly operation: "upsert" })
  | (Ingest.UpdateOptions<S> & { readonly operation: "update" })
  | (Ingest.DeleteOptions<S> & { readonly operation: "delete" | "hardDelete" })

const keyOf = <S extends Ingest.IdentifiedSchema>(options: Keyed<S>): string =>
  options.operation === "insert" ? options.key : options.operation === "upsert" ? options.externalId : "Id"

/** A part of the run is one of the load: what is not in its job was not sent. */
const whole = (options: Ingest.LoadOptions, progress: (event: Progress) => Effect.Effect<void>) => {
  const told = options.progress ?? (() => Effect.void)
  return {
    partBytes: Limits.uploadBytes,
    partRows: undefined,
    partWithin: Duration.infinity,
    progress: (event: Progress) => Effect.andThen(progress(event), told(event))
  }
}

const verbOf = <S extends Ingest.IdentifiedSchema>(
  options: Keyed<S>,
  progress: (event: Progress) => Effect.Effect<void>
): Loads<S["Type"], S["Type"]> => {
  const onlyPart = whole(options, progress)
  switch (options.operation) {
    case "insert":
      return Ingest.insert({ ...options, ...onlyPart })
    case "upsert":
      return Ingest.upsert({ ...options, ...onlyPart })
    case "update":
      return Ingest.update({ ...options, ...onlyPart })
    case "delete":
      return Ingest.delete({ ...options, ...onlyPart })
    case "hardDelete":
      return Ingest.hardDelete({ ...options, ...onlyPart })
  }
}

/**
 * A part of a run, as a report has it.
 *
 * @category models
 * @since 0.1.0
 */
export interface PartReport {
  /** Its records in the source, counted from 1. */
  readonly from: number
  readonly to: number
  readonly hash: string
  readonly jobs: ReadonlyArray<string>
  /** Undefined until all its outcomes were taken. */
  readonly outcomes:
    | {
        readonly succeeded: number
        readonly created: number
        readonly failed: number
        readonly unprocessed: number
      }
    | undefined
}

/**
 * What is known of a run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly runId: string
  readonly orgId: string
  readonly object: string
  readonly operation: string
  readonly startedAt: string
  /** Who began it, with which version of this library and of the API. */
  readonly userId: string
  readonly version: string
  readonly apiVersion: string
  /** When it came to the end of its source; undefined if it has not. */
  readonly endedAt: string | undefined
  readonly parts: ReadonlyArray<PartReport>
}

/**
 * Reads what was recorded of a run; undefined if there is none of that name.
 *
 * @category reporting
 * @since 0.1.0
 */
export const report = Effect.fnUntraced(function* (
  runId: string
): Effect.fn.Return<Report | undefined, BulkError.BulkError, KeyValueStore.KeyValueStore> {
  const log = yield* RunLog.open(runId)
  const header = yield* log.header.get
  if (header === undefined) return undefined
  const parts: Array<PartReport> = []
  for (const [number, known] of yield* log.parts) {
    const done = yield* log.done(number).get
    const jobs = yield* log.jobs(known)
    const range = done ?? jobs[0]
    if (range === undefined) continue
    const { from, hash, to } = range
    const outcomes = done && {
      succeeded: done.succeeded,
      created: done.created,
      failed: done.failed,
      unprocessed: done.unprocessed
    }
    parts.push({ from: from + 1, to, hash, jobs: jobs.map(({ jobId }) => jobId), outcomes })
  }
  const { apiVersion, object, operation, orgId, startedAt, userId, version } = header
  const endedAt = (yield* log.end.get)?.endedAt
  return { runId, orgId, object, operation, startedAt, endedAt, userId, version, apiVersion, parts }
})

/**
 * A report as Markdown.
 *
 * @category reporting
 * @since 0.1.0
 */
export const render = (report: Report): string => {
  const { apiVersion, endedAt, object, operation, orgId, parts, runId, startedAt, userId, version } = report
  const total = (of: "succeeded" | "created" | "failed" | "unprocessed") =>
    parts.reduce((sum, { outcomes }) => sum + (outcomes?.[of] ?? 0), 0)
  const open = parts.filter(({ outcomes }) => outcomes === undefined).length
  return [
    `# Run ${runId}`,
    "",
    `${operation} of ${object} in the org ${orgId}, begun ${startedAt}, ${endedAt === undefined ? "not finished" : `finished ${endedAt}`}.`,
    `User ${userId}, effect-salesforce-bulk ${version}, API ${apiVersion}.`,
    "",
    `${total("succeeded")} succeeded (${total("created")} created), ${total("failed")} failed, ` +
      `${total("unprocessed")} unprocessed${open === 0 ? "" : `; ${open} parts are not settled`}.`,
    "",
    "| records | jobs | succeeded | failed | unprocessed |",
    "| --- | --- | --- | --- | --- |",
    ...parts.map(({ from, jobs, outcomes, to }) =>
      outcomes === undefined
        ? `| ${from} to ${to} | ${jobs.join(", ")} | | | |`
        : `| ${from} to ${to} | ${jobs.join(", ")} | ${outcomes.succeeded} | ${outcomes.failed} | ${outcomes.unprocessed} |`
    ),
    ""
  ].join("\n")
}
