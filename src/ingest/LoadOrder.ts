/**
 * Several objects in one load: parents before their children, by what the org says of
 * its objects.
 *
 * Children name their parents by an external id, in relationship columns like
 * `Parent__r.Code__c`. A column with an `Id` asks for no order: what has an id is there
 * already.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import * as Describe from "../job/Describe.ts"
import type * as RecordCodec from "../record/RecordCodec.ts"
import type * as Ingest from "./Ingest.ts"
import { type Described, lookupsOf } from "./order/lookups.ts"
import { NotLoaded } from "./order/notLoaded.ts"
import { type Step, sort } from "./order/sort.ts"
import { type Loaded, type Source, source } from "./order/source.ts"

export type { Described, Lookup } from "./order/lookups.ts"
export type { Step } from "./order/sort.ts"
export type { Loaded, Source } from "./order/source.ts"

/**
 * Brings objects into the order in which they are to be loaded: parents first, and as
 * they were given where nothing else is asked for. Of each object the relationship
 * columns count, or without `columns` every lookup that can be given when a record is
 * created. Lookups to objects that are not among them do not count.
 *
 * Fails with `LoadCycle`, which names the cycle, and with `InvalidOptions` for an object
 * that is there twice.
 *
 * **Example** (From describes alone)
 *
 * ```ts
 * const steps = Effect.forEach(["Contact", "Account"], Describe.object).pipe(
 *   Effect.map((describes) => describes.map((describe) => ({ describe }))),
 *   Effect.flatMap((objects) => Effect.fromResult(LoadOrder.order(objects)))
 * )
 * // Account, then Contact
 * ```
 *
 * @category ordering
 * @since 0.1.0
 */
export const order = (objects: ReadonlyArray<Described>): Result.Result<ReadonlyArray<Step>, BulkError.BulkError> => {
  const byName = new Map(objects.map(({ describe }) => [describe.name.toLowerCase(), describe]))
  if (byName.size < objects.length) {
    const problem = "LoadOrder: an object is there twice; give its records as one stream"
    return Result.fail(BulkError.make(new BulkError.InvalidOptions({ problem })))
  }
  const steps = objects.map((each): Step => {
    const { name } = each.describe
    const lookups = lookupsOf(each, byName)
    return {
      object: name,
      parents: lookups.filter(({ object }) => object !== name),
      selfLookups: lookups.filter(({ object }) => object === name)
    }
  })
  return Result.mapError(sort(steps), (cycle) => BulkError.make(cycle))
}

/**
 * Records that are upserted when their turn comes. Takes the options of
 * `Ingest.upsert`.
 *
 * Where records refer to others of their own object (`Parent__r.Code__c` of the same
 * object), the first pass loads them without those columns, and the second one fills
 * them by another upsert: with `nulls: "clear"` for all records, with `nulls: "ignore"`
 * for those that name a parent. They wait in the spool between, which by default is in
 * memory.
 *
 * @category sources
 * @since 0.1.0
 */
export const upsert =
  <const O extends string, S extends RecordCodec.RecordSchema>(
    options: Ingest.UpsertOptions<S> & { readonly object: O }
  ) =>
  <E, R>(records: Stream.Stream<S["Type"], E, R>): Source<O, S["Type"], E, R> =>
    source({ operation: "upsert", key: options.externalId, nulls: options.nulls, options }, records)

/**
 * Records that are inserted when their turn comes. Takes the options of
 * `Ingest.insert`, with a `key`. They may not refer to their own object.
 *
 * @category sources
 * @since 0.1.0
 */
export const insert =
  <const O extends string, S extends RecordCodec.RecordSchema>(
    options: Ingest.InsertOptions<S> & { readonly object: O; readonly key: Ingest.KeyColumn<S> }
  ) =>
  <E, R>(records: Stream.Stream<S["Type"], E, R>): Source<O, S["Type"], E, R> =>
    source({ operation: "insert", key: options.key, nulls: options.nulls ?? "ignore", options }, records)

/**
 * Loads several objects, one after the other, parents first, whatever their order is
 * here. Costs an API call for each describe, before anything is sent.
 *
 * A record whose parent was not loaded comes out as `Unprocessed { reason: "blocked" }`
 * and is not sent; nor are its children. Of parents only the names of those that were
 * not loaded are kept in memory.
 *
 * Fails with `LoadCycle` before anything is sent, and as the loads do; the objects after
 * one whose load fails are not begun.
 *
 * **Example** (Regions that are in regions, and the shops in them)
 *
 * ```ts
 * class Region extends Schema.Class<Region>("Region")({
 *   Code__c: Schema.String,
 *   Parent__r: Schema.NullOr(Schema.Struct({ Code__c: Schema.String }))
 * }) {}
 *
 * class Shop extends Schema.Class<Shop>("Shop")({
 *   Number__c: Schema.String,
 *   Region__r: Schema.Struct({ Code__c: Schema.String })
 * }) {}
 *
 * const notLoaded = LoadOrder.load([
 *   shops.pipe(LoadOrder.upsert({ object: "Shop__c", schema: Shop, externalId: "Number__c", nulls: "ignore" })),
 *   regions.pipe(LoadOrder.upsert({ object: "Region__c", schema: Region, externalId: "Code__c", nulls: "ignore" }))
 * ]).pipe(Stream.filter(({ outcome }) => outcome._tag !== "Succeeded"))
 * ```
 *
 * @category loading
 * @since 0.1.0
 */
export function load<const T extends ReadonlyArray<Source<string, unknown, unknown, unknown>>>(
  sources: T
): Stream.Stream<LoadedOf<T[number]>, BulkError.BulkError | ErrorOf<T[number]>, Connection | ContextOf<T[number]>>
export function load<A, E, R>(
  sources: ReadonlyArray<Source<string, A, E, R>>
): Stream.Stream<Loaded<string, A>, E | BulkError.BulkError, R | Connection> {
  return Stream.unwrap(
    Effect.gen(function* () {
      const objects = yield* Effect.forEach(
        sources,
        Effect.fnUntraced(function* (source) {
          const columns = yield* Effect.fromResult(source.columns)
          return { source, columns, describe: yield* Describe.object(source.object) }
        }),
        { concurrency: 4 }
      )
      const steps = yield* Effect.fromResult(order(objects))
      const notLoaded = new NotLoaded(steps)
      return Stream.fromArray(steps).pipe(
        Stream.flatMap((step) => {
          const { describe, source } = objects.find(({ describe }) => describe.name === step.object)!
          return source.load(step, describe, notLoaded)
        })
      )
    })
  )
}

type LoadedOf<T> = T extends Source<infer O, infer A, unknown, unknown> ? Loaded<O, A> : never
type ErrorOf<T> = T extends Source<string, unknown, infer E, unknown> ? E : never
type ContextOf<T> = T extends Source<string, unknown, unknown, infer R> ? R : never
