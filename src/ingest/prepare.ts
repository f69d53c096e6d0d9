import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as BulkError from "../BulkError.ts"
import { canonicalText } from "../canonicalText.ts"
import * as Limits from "../connection/Limits.ts"
import type * as IngestJob from "../job/IngestJob.ts"
import * as Csv from "../record/Csv.ts"
import { misreadOf } from "../record/misread.ts"
import * as RecordCodec from "../record/RecordCodec.ts"
import { csvBlocks, csvRow, rewritten } from "./csvBlocks.ts"
import type * as Inlet from "./inlet.ts"
import * as Join from "./join.ts"
import { kept } from "./kept.ts"
import { Keys } from "./keys.ts"
import type { Load } from "./load.ts"
import * as Outcome from "./Outcome.ts"
import type { LoadOptions, Options } from "./options.ts"
import type { PartStore } from "./parts.ts"
import { recordBlocks } from "./recordBlocks.ts"
import { reused } from "./reused.ts"
import * as Spool from "./Spool.ts"

/** What a verb does with records. */
export interface How<A, B> {
  readonly nulls: RecordCodec.Nulls
  /** The columns that are sent. */
  readonly columns: ReadonlyArray<string>
  /** By what the records are told apart; undefined if by nothing. */
  readonly key: string | undefined
  /** A record as outcomes hold it. */
  readonly shown: (record: A) => B
  /** The records of outcomes as they were given, if they can be sent once more. */
  readonly given: ((records: ReadonlyArray<B>) => ReadonlyArray<A>) | undefined
  /** The org's echo as outcomes hold it, where there is no key. */
  readonly echo: ((row: Outcome.CsvRow) => B) | undefined
  /** Reads records back from what was spooled. */
  readonly read: ((header: Csv.Row) => (row: Csv.Row) => Result.Result<B, string>) | undefined
}

type Codec<A> = RecordCodec.RecordCodec<A>

/** Records that are told apart by a key come back as they were sent. */
export const withKey = <A>(
  codec: Codec<A>,
  options: Pick<How<A, A>, "nulls"> & {
    readonly key: string
    readonly columns?: ReadonlyArray<string>
  }
): How<A, A> => ({
  columns: codec.columns,
  ...options,
  shown: (record) => record,
  given: (records) => records,
  echo: undefined,
  read: (header) => {
    // where nulls are cleared, an empty cell is something else
    const decode = codec.decoder(header, options.nulls === "clear" ? "#N/A" : "")
    if (Result.isFailure(decode)) return () => Result.fail(decode.failure.message)
    // a record with other line breaks than line feeds is not read back
    const toLineFeeds = (cell: string) => (cell.includes("\r") ? cell.replaceAll("\r\n", "\n") : cell)
    return (row) => Result.mapError(decode.success(row.map(toLineFeeds)), ({ message }) => message)
  }
})

/** Only the `Id` is sent: any other column fails the whole job. */
export const deletion = <A>(codec: Codec<A>): How<A, A> =>
  withKey(codec, { nulls: "clear", key: "Id", columns: ["Id"] })

/** Without a key what comes back is the org's echo. */
export const withoutKey = <A>(
  codec: Codec<A>,
  options: Pick<How<A, Outcome.CsvRow>, "nulls">
): How<A, Outcome.CsvRow> => ({
  ...options,
  columns: codec.columns,
  key: undefined,
  shown: codec.show,
  given: undefined,
  echo: (row) => row,
  read: undefined
})

/** Makes a load of a verb's options. Fails with `InvalidOptions` if they cannot work. */
export const prepare = Effect.fnUntraced(function* <S extends RecordCodec.RecordSchema, B>(
  operation: IngestJob.CreateOptions["operation"],
  options: Options<S>,
  howOf: (codec: Codec<S["Type"]>) => How<S["Type"], B>
): Effect.fn.Return<Load<S["Type"], B>, BulkError.BulkError> {
  const kind = options.spool ?? (yield* Spool.Spool)
  const made = RecordCodec.make(options.schema)
  const codec = yield* Result.isSuccess(made) ? Effect.succeed(made.success) : invalid(options, operation, made.failure)
  const how = howOf(codec)
  const { columns, given, key, nulls, read = unreadable } = how
  const limits = yield* limitsOf(options, operation, kind)
  const { columnDelimiter = "COMMA", lineEnding = "LF" } = options
  const dialect: Csv.Dialect = { columnDelimiter, lineEnding }
  const canonical = key === undefined ? undefined : codec.canonical(key)
  if (key !== undefined && canonical === undefined) {
    const problem = `the key ${key} is no column of the schema (${codec.columns.join(", ")})`
    return yield* invalid(options, operation, problem)
  }
  const readable =
    key === undefined || kind.keepsRecords || columns.length === codec.columns.length ? undefined : { nulls, dialect }

  const header = Csv.encodeRows([columns], dialect).length
  const { isOpaque, loses, mayBeRefused } = misreadOf(options.schema.ast)
  const decode = read(codec.columns)
  const blocks = () =>
    recordBlocks<S["Type"], B>({
      codec,
      encoder: { nulls, dialect, columns, key },
      readable,
      shown: how.shown,
      holds: key === undefined ? "none" : kind.keepsRecords ? "all" : "changed",
      readsBack: (record) => {
        const again = Result.flatMap(codec.encode(record, nulls), decode)
        return Result.isSuccess(again) && (!isOpaque || Equal.equals(again.success, record))
      },
      mayBeRefused,
      loses,
      maxBytes: limits.bytes - header
    })

  return {
    ...commonOf(options, limits, operation === "upsert" ? key : undefined),
    job: {
      object: options.object,
      operation,
      externalIdFieldName: operation === "upsert" ? key : undefined,
      assignmentRuleId: options.assignmentRuleId
    },
    blocks,
    open: opening({
      kind,
      canonical: canonical ?? canonicalText,
      duplicates: options.duplicates ?? "fail",
      hasReadable: readable !== undefined,
      areHeld: kind.keepsRecords,
      echo: how.echo,
      read
    }),
    again:
      given === undefined
        ? undefined
        : (records) => {
            const again = blocks()
            again.add(given(records))
            const all: Array<Inlet.Block<B>> = []
            for (let block = again.next(records.length); block !== undefined; block = again.next(records.length)) {
              all.push(block)
            }
            return { layout: again.layout(), blocks: all }
          }
  }
})

/** What is loaded as CSV. */
export interface CsvHow extends LoadOptions {
  readonly operation: IngestJob.CreateOptions["operation"]
  readonly externalId?: string | undefined
  readonly key?: string | undefined
}

/** Makes a load of CSV. Fails with `InvalidOptions` if the options cannot work. */
export const prepareCsv = Effect.fnUntraced(function* (
  options: CsvHow
): Effect.fn.Return<Load<Csv.Block, Outcome.CsvRow>, BulkError.BulkError> {
  const { operation } = options
  const kind = options.spool ?? (yield* Spool.Spool)
  const limits = yield* limitsOf(options, operation, kind)
  const key = keyOf(options)
  return {
    ...commonOf(options, limits, options.externalId),
    job: {
      object: options.object,
      operation,
      externalIdFieldName: options.externalId,
      assignmentRuleId: options.assignmentRuleId
    },
    blocks: () => csvBlocks({ key, canonical: canonicalText, partBytes: limits.bytes }),
    open: opening({
      kind,
      canonical: canonicalText,
      duplicates: options.duplicates ?? "fail",
      hasReadable: false,
      areHeld: false,
      echo: key === undefined ? (row) => row : undefined,
      read: (header) => (row) => Result.succeed(csvRow(header, row))
    }),
    again:
      key === undefined
        ? undefined
        : (records, layout) => ({ layout, blocks: [rewritten(records, layout, canonicalText)] })
  }
})

/** By what the rows of a file are told apart. */
export const keyOf = ({ externalId, key, operation }: CsvHow): string | undefined =>
  externalId ?? (operation === "insert" ? key : "Id")

const unreadable = () => () => Result.fail("it cannot be read")

const invalid = (options: LoadOptions, operation: string, problem: string) =>
  Effect.fail(
    BulkError.make(new BulkError.InvalidOptions({ problem: `${operation} of ${options.object}: ${problem}` }))
  )

const limitsOf = (options: LoadOptions, operation: string, kind: Spool.Kind) => {
  const { concurrency = 4, partBytes = kind.partBytes, partRows = Number.POSITIVE_INFINITY } = options
  const problem =
    partBytes > Limits.uploadBytes
      ? `partBytes is ${partBytes}, and Salesforce takes ${Limits.uploadBytes} bytes a job`
      : !(partBytes >= 1)
        ? `partBytes is ${partBytes}`
        : !(partRows >= 1)
          ? `partRows is ${partRows}`
          : !(concurrency >= 1)
            ? `concurrency is ${concurrency}`
            : undefined
  return problem === undefined
    ? Effect.succeed({ bytes: partBytes, rows: Math.floor(partRows), within: options.partWithin ?? "5 minutes" })
    : invalid(options, operation, problem)
}

const commonOf = (
  options: LoadOptions,
  limits: Load<never, never>["limits"],
  externalId: string | undefined
): Pick<
  Load<never, never>,
  | "limits"
  | "whole"
  | "concurrency"
  | "successes"
  | "keepSuccesses"
  | "gzip"
  | "poll"
  | "onInterrupt"
  | "onJobFailed"
  | "onRowError"
  | "rowRetry"
  | "progress"
> => ({
  limits,
  whole: options.duplicates === "last",
  concurrency: Math.floor(options.concurrency ?? 4),
  successes: options.outcomes !== "failures",
  keepSuccesses: options.keepSuccesses,
  gzip: options.gzip,
  poll: options.poll,
  onInterrupt: options.onInterrupt ?? "leave",
  onJobFailed: options.onJobFailed ?? "fail",
  onRowError: options.onRowError ?? "outcome",
  rowRetry: {
    isTransient:
      options.retryRows === "never"
        ? () => false
        : (options.isTransient ?? ((error) => Outcome.isTransient(error, externalId))),
    schedule: options.retryRows === undefined || options.retryRows === "never" ? defaultRetry : options.retryRows
  },
  progress: options.progress
})

const defaultRetry = Schedule.exponential("10 seconds", 2).pipe(Schedule.jittered, Schedule.upTo({ times: 3 }))

/** How room is made for a part. */
const opening = <B>(options: {
  readonly kind: Spool.Kind
  readonly canonical: Join.Key["canonical"]
  readonly duplicates: Join.Duplicates
  readonly hasReadable: boolean
  /** Whether all records are held in memory. */
  readonly areHeld: boolean
  readonly echo: How<never, B>["echo"]
  readonly read: NonNullable<How<never, B>["read"]>
}): Load<never, B>["open"] => {
  const noKeys = Effect.tap(
    reused(() => new Keys()),
    (keys) => Effect.sync(() => keys.clear())
  )
  return (layout, bytes) =>
    Effect.gen(function* () {
      const { areHeld, canonical, duplicates, echo, hasReadable, kind, read } = options
      const { dialect, header, keyColumn = "", readableHeader = header } = layout
      const inner = yield* Scope.fork(yield* Effect.scope)
      const spooled = yield* Scope.provide(kind.open({ bytes }), inner)
      const readable = hasReadable ? yield* kind.open({ bytes }) : undefined
      const release = Scope.close(inner, Exit.void)
      if (echo !== undefined) {
        const store: PartStore<B> = { join: Join.byEcho(echo), keep: () => {}, spooled, readable, release }
        return store
      }
      const { find, keep } = kept<B>({
        spooled: readable ?? spooled,
        header: readableHeader,
        rowsOf: (block) => block.readable ?? block.bytes,
        dialect,
        read
      })
      return {
        join: Join.byKey({ key: { column: keyColumn, canonical }, keys: yield* noKeys, duplicates, find }),
        keep,
        spooled,
        readable,
        // who holds all records, or has them elsewhere, needs the rows no more
        release: areHeld || hasReadable ? release : Effect.void
      }
    })
}
