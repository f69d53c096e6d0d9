import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import { streamInOrg } from "../connection/streamInOrg.ts"
import type * as Job from "../job/Job.ts"
import * as Csv from "../record/Csv.ts"
import type * as RecordCodec from "../record/RecordCodec.ts"
import { broken, invalid, missingColumn } from "./decode.ts"
import type { RunOptions } from "./options.ts"
import type { Page } from "./pages.ts"
import { checkPages, codecOf, invalidOptions } from "./prepare.ts"
import { results } from "./results.ts"
import { run } from "./run.ts"
import type * as Soql from "./Soql.ts"
import { soql } from "./Soql.ts"
import { select, textOf } from "./select.ts"
import { watched } from "./watching.ts"

/**
 * How far changes were read: `until` by the org's clock, and what was `seen` of the
 * last while before that, so that it is not given again. It can be kept as JSON.
 *
 * @category models
 * @since 0.1.0
 */
export const Watermark = Schema.Struct({
  until: Schema.DateTimeUtcFromString,
  seen: Schema.Array(Schema.String)
})

/**
 * How far changes were read.
 *
 * @category models
 * @since 0.1.0
 */
export type Watermark = typeof Watermark.Type

/**
 * What a query of changes takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface SinceOptions<S extends RecordCodec.RecordSchema> extends Omit<RunOptions, "all"> {
  /** The records' schema, as for `records`. */
  readonly schema: S
  /** The API name of the object. It must have a `SystemModstamp`. */
  readonly from: string
  /** A further condition. A record that stops to meet it is not seen to do so. */
  readonly where?: Soql.Soql | string | undefined
  /** What the last run reached. Default: none, all records are new. */
  readonly watermark?: Watermark | undefined
  /**
   * How far before the watermark to look again, for what was committed late: longer
   * than the longest transaction of the org. Default 10 minutes.
   */
  readonly overlap?: Duration.Input | undefined
}

/**
 * What became of a record.
 *
 * @category models
 * @since 0.1.0
 */
export type Change<A> =
  | { readonly _tag: "Changed"; readonly id: string; readonly record: A }
  | { readonly _tag: "Deleted"; readonly id: string }

/**
 * Changes, and the watermark to begin the next run with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Since<A> {
  readonly changes: Stream.Stream<A, BulkError.BulkError, Connection>
  /** Fails with `NotDrained` until `changes` was read to its end. */
  readonly watermark: Effect.Effect<Watermark, BulkError.BulkError>
}

interface Found<A> {
  readonly change: Change<A>
  readonly at: number
  readonly key: string
}

/** Changes of an object; `deletions` are those in the recycle bin. */
export const changesSince = <S extends RecordCodec.RecordSchema>(
  given: SinceOptions<S>,
  deletions: boolean
): Effect.Effect<Since<Change<S["Type"]>>> =>
  Effect.sync(() => {
    let reached: Watermark | undefined
    const { watermark } = given
    const changes = Stream.unwrap(
      Effect.gen(function* () {
        reached = undefined
        yield* checkPages(given)
        const options = yield* watched(given)
        const overlap = Duration.toMillis(options.overlap ?? "10 minutes")
        const codec = yield* codecOf(options.schema)
        const from = watermark === undefined ? undefined : DateTime.subtract(watermark.until, { milliseconds: overlap })
        const text = yield* Effect.mapError(
          Effect.fromResult(
            select(columnsOf(codec.columns, deletions), { from: options.from, where: whereOf(options, from) })
          ),
          invalidOptions
        )
        const { afterwards, poll, progress } = options
        const job = yield* run(text, { all: deletions, afterwards, poll, progress })
        const until = yield* createdAt(job)
        const before = new Set(watermark?.seen)
        const seen: Array<string> = []
        return results(job, options, (page, row) =>
          Stream.mapAccumArray(
            foundOn(page, row, codec),
            () => undefined,
            (_, found) => {
              const given: Array<Change<S["Type"]>> = []
              for (const { at, change, key } of found) {
                // what changed since this run began is of the next one
                if (at > until) continue
                if (at >= until - overlap) seen.push(key)
                // what was deleted before the first run is news to nobody
                const isOld = watermark === undefined && change._tag === "Deleted"
                if (!isOld && !before.has(key)) given.push(change)
              }
              return [undefined, given] as const
            }
          )
        ).pipe(
          Stream.onEnd(
            Effect.sync(() => {
              reached = { until: DateTime.makeUnsafe(until), seen }
            })
          )
        )
      })
    ).pipe(streamInOrg, Stream.withSpan("Query.since"))
    return {
      changes,
      watermark: Effect.suspend(() =>
        reached === undefined ? Effect.fail(BulkError.make(new BulkError.NotDrained())) : Effect.succeed(reached)
      )
    }
  })

/** The records of a query of changes alone. */
export const recordsSince = <S extends RecordCodec.RecordSchema>(
  options: SinceOptions<S>
): Effect.Effect<Since<S["Type"]>> =>
  Effect.map(changesSince(options, false), ({ changes, watermark }) => ({
    changes: Stream.mapAccumArray(
      changes,
      () => undefined,
      (_, changes) =>
        [undefined, changes.flatMap((change) => (change._tag === "Changed" ? [change.record] : []))] as const
    ),
    watermark
  }))

const columnsOf = (columns: ReadonlyArray<string>, withDeleted: boolean): ReadonlyArray<string> => {
  const known = new Set(columns.map((column) => column.toLowerCase()))
  const added = ["Id", "SystemModstamp", ...(withDeleted ? ["IsDeleted"] : [])]
  return [...columns, ...added.filter((column) => !known.has(column.toLowerCase()))]
}

const whereOf = (
  { where }: { readonly where?: Soql.Soql | string | undefined },
  from: DateTime.Utc | undefined
): string | undefined => {
  if (from === undefined) return where === undefined ? undefined : textOf(where)
  const since = soql`SystemModstamp >= ${from}`.text
  return where === undefined ? since : `(${textOf(where)}) AND ${since}`
}

/** When a job was created: the one time by the org's clock that comes with every query. */
const createdAt = ({ createdDate, id }: Job.JobInfo): Effect.Effect<number, BulkError.BulkError> =>
  createdDate === undefined
    ? Effect.fail(
        BulkError.make(
          new BulkError.UnexpectedResponse({ request: `GET /jobs/query/${id}`, problem: "it has no createdDate" })
        )
      )
    : Effect.succeed(DateTime.toEpochMillis(createdDate))

/** The changes of a page, with what tells one of them from another. */
const foundOn = <A>(
  page: Page,
  before: number,
  codec: RecordCodec.RecordCodec<A>
): Stream.Stream<Found<A>, BulkError.BulkError> =>
  page.bytes.pipe(
    Csv.decode((header) => {
      const positions = new Map(header.map((name, position) => [name.toLowerCase(), position]))
      const cellOf = (cells: Csv.Row, name: string): string | undefined => cells[positions.get(name) ?? -1]
      const decoder = codec.decoder(header)
      if (Result.isFailure(decoder)) return Effect.fail(missingColumn(decoder.failure.column ?? "", header))
      let row = 0
      const read = (cells: Csv.Row): Result.Result<Found<A>, BulkError.BulkError> => {
        row++
        const fail = (column: string | undefined, value: string | undefined, message: string) =>
          Result.fail(BulkError.make(invalid(page, before, { row, column, value, message })))
        const ownId = cellOf(cells, "id") ?? ""
        const modstamp = cellOf(cells, "systemmodstamp")
        const at = Date.parse(modstamp ?? "")
        if (ownId === "") return fail("Id", ownId, "there is no id")
        if (Number.isNaN(at)) return fail("SystemModstamp", modstamp, "it is no time")
        const key = `${ownId}@${at.toString(36)}`
        if (cellOf(cells, "isdeleted") === "true")
          return Result.succeed({ change: { _tag: "Deleted", id: ownId }, at, key })
        const record = decoder.success(cells)
        return Result.isFailure(record)
          ? fail(record.failure.column, record.failure.value, record.failure.message)
          : Result.succeed({ change: { _tag: "Changed", id: ownId, record: record.success }, at, key })
      }
      return Effect.succeed((rows) => Effect.fromResult(Result.all(rows.map(read))))
    }, page.dialect),
    Stream.mapError((error) => broken(page, error))
  )
