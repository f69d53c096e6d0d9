import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import * as RecordCodec from "../record/RecordCodec.ts"
import * as Spool from "./Spool.ts"
import * as SpooledRecords from "./spooledRecords.ts"

/**
 * How records are grouped.
 *
 * @category models
 * @since 0.1.0
 */
export interface GroupOptions<S extends RecordCodec.RecordSchema> {
  readonly schema: S
  /** The column whose values keep records together, like `AccountId` or `Account.Number__c`. */
  readonly column: string
  /** How many records are sorted in memory at a time. Default 100,000. */
  readonly inMemory?: number | undefined
  /** Where the others wait. Default: what `Spool.Spool` is. */
  readonly spool?: Spool.Kind | undefined
}

/**
 * Brings records with the same value in a column together, so that the children of one
 * parent are in as few batches as can be, and do not fight for its lock. Records with
 * the same value keep their order.
 *
 * Runs of `inMemory` records wait in the spool and are merged: that is outside of memory
 * with `layerFileSpool`, or another spool that is. Nothing comes out before the source has
 * ended.
 *
 * Fails with `InvalidOptions` if the column is none, with `SpoolFailed` when records
 * cannot be kept, and as the source does.
 *
 * **Example** (Contacts by account)
 *
 * ```ts
 * const outcomes = contacts.pipe(
 *   Ingest.groupBy({ schema: Contact, column: "AccountId" }),
 *   Ingest.insert({ object: "Contact", schema: Contact })
 * )
 * ```
 *
 * @category shaping
 * @since 0.1.0
 */
export const groupBy =
  <S extends RecordCodec.RecordSchema>(options: GroupOptions<S>) =>
  <E, R>(records: Stream.Stream<S["Type"], E, R>): Stream.Stream<S["Type"], E | BulkError.BulkError, R> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const { column, inMemory = 100_000, schema } = options
        const { columns, show } = yield* Effect.mapError(Effect.fromResult(RecordCodec.make(schema)), invalid)
        if (!columns.includes(column)) {
          return yield* invalid(`${column} is no column of the schema (${columns.join(", ")})`)
        }
        if (!(inMemory >= 1)) return yield* invalid(`inMemory is ${inMemory}`)
        const kind = options.spool ?? (yield* Spool.Spool)
        const keyOf = (record: S["Type"]): string => show(record)[column]!
        const sorted = (records: ReadonlyArray<S["Type"]>): ReadonlyArray<Keyed<S["Type"]>> =>
          records
            .map((record) => ({ key: keyOf(record), record }))
            .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))

        const keep = Effect.fnUntraced(function* (run: ReadonlyArray<Keyed<S["Type"]>>) {
          const spooled = yield* SpooledRecords.open(schema, kind)
          for (let at = 0; at < run.length; at += atATime) {
            yield* spooled.write(run.slice(at, at + atATime).map(({ record }) => record))
          }
          return Stream.map(spooled.read, (record): Keyed<S["Type"]> => ({ key: keyOf(record), record }))
        })

        const runs: Array<Stream.Stream<Keyed<S["Type"]>, BulkError.BulkError>> = []
        yield* records.pipe(
          Stream.grouped(inMemory),
          Stream.runForEach((some) => Effect.map(keep(sorted(some)), (run) => runs.push(run)))
        )
        return Stream.map(merge(runs), ({ record }) => record)
      })
    )

const invalid = (problem: string): BulkError.BulkError =>
  BulkError.make(new BulkError.InvalidOptions({ problem: `groupBy: ${problem}` }))

/** How many records are written, or given, at a time. */
const atATime = 500

interface Keyed<A> {
  readonly key: string
  readonly record: A
}

const none = <A>(): ReadonlyArray<Keyed<A>> => []

/** Sorted streams as one: of equal keys those of an earlier stream come first. */
const merge = <A>(
  runs: ReadonlyArray<Stream.Stream<Keyed<A>, BulkError.BulkError>>
): Stream.Stream<Keyed<A>, BulkError.BulkError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const heads = yield* Effect.forEach(runs, (run) =>
        Effect.map(Stream.toPull(run), (pull) => ({ pull, waiting: none<A>(), at: 0, ended: false }))
      )
      const next = Effect.gen(function* () {
        const out: Array<Keyed<A>> = []
        while (out.length < atATime) {
          let first: (typeof heads)[number] | undefined
          for (const head of heads) {
            if (head.at === head.waiting.length && !head.ended) {
              const more = yield* Effect.asSome(head.pull).pipe(Pull.catchDone(() => Effect.succeedNone))
              head.waiting = Option.getOrElse(more, () => [])
              head.at = 0
              head.ended = Option.isNone(more)
            }
            const own = head.waiting[head.at]
            const best = first?.waiting[first.at]
            if (own !== undefined && (best === undefined || own.key < best.key)) first = head
          }
          const taken = first?.waiting[first.at]
          if (first === undefined || taken === undefined) break
          first.at++
          out.push(taken)
        }
        return out
      })
      return Stream.fromEffectRepeat(next).pipe(
        Stream.takeWhile((out) => out.length > 0),
        Stream.flatMap((out) => Stream.fromArray(out))
      )
    })
  )
