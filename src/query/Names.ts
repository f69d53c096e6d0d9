/**
 * Ids by names: of record types, users, queues and price books, read once.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import * as Describe from "../job/Describe.ts"
import * as Query from "./Query.ts"
import * as Soql from "./Soql.ts"

/**
 * A name that stands for no id, or for several.
 *
 * @category models
 * @since 0.1.0
 */
export interface UnknownName {
  readonly code: "NAME_NOT_FOUND" | "NAME_AMBIGUOUS"
  readonly message: string
}

/**
 * Names and the ids they stand for. `id` gives that of a name, compared without case;
 * `size` is how many names there are.
 *
 * @category models
 * @since 0.1.0
 */
export interface Names {
  readonly size: number
  readonly id: (name: string) => Result.Result<string, UnknownName>
}

/** Names of things that are called `what`. */
const make = (what: string, pairs: ReadonlyArray<readonly [name: string, id: string]>): Names => {
  const ids = new Map<string, ReadonlyArray<string>>()
  for (const [name, id] of pairs) {
    const key = name.trim().toLowerCase()
    ids.set(key, [...(ids.get(key) ?? []), id])
  }
  return {
    size: ids.size,
    id: (name) => {
      const [id, ...others] = ids.get(name.trim().toLowerCase()) ?? []
      if (id === undefined) return Result.fail({ code: "NAME_NOT_FOUND", message: `no ${what} is called ${name}` })
      if (others.length === 0) return Result.succeed(id)
      return Result.fail({
        code: "NAME_AMBIGUOUS",
        message: `several are ${what} and called ${name}: ${[id, ...others].join(", ")}`
      })
    }
  }
}

/**
 * The record types of an object by their developer names, those that are active and
 * that the user may give to records. Costs one API call, and no job.
 *
 * **Example** (A record type for every row; an unknown one fails its row)
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const recordTypes = yield* Names.recordTypes("Account")
 *   const outcomes = lines.pipe(
 *     Checked.map((line) =>
 *       Result.map(recordTypes.id(line.kind), (RecordTypeId) => new Account({ Name: line.name, RecordTypeId }))
 *     ),
 *     Checked.load(Ingest.insert({ object: "Account", schema: Account }))
 *   )
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const recordTypes = (object: string): Effect.Effect<Names, BulkError.BulkError, Connection> =>
  Effect.map(Describe.object(object), ({ recordTypeInfos }) =>
    make(
      `record type of ${object}`,
      recordTypeInfos
        .filter(({ active, available }) => active && available)
        .map(({ developerName, recordTypeId }) => [developerName, recordTypeId])
    )
  )

/**
 * What makes names of the records of an object.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The API name of the object. */
  readonly object: string
  /** The field that holds the names. Default `Name`. */
  readonly name?: string | undefined
  /** Which records count. Default: all. */
  readonly where?: Soql.Soql | undefined
}

/**
 * The records of an object by their names, read by one bulk query and held in memory:
 * for some hundred thousand at most. For more, `Query.resolveIds` asks for those that
 * are needed.
 *
 * **Example** (Regions by their codes)
 *
 * ```ts
 * const regions = Names.of({ object: "Region__c", name: "Code__c" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (options: Options): Effect.Effect<Names, BulkError.BulkError, Connection> =>
  named(options.object, options)

const named = (
  what: string,
  { name = "Name", object, where }: Options
): Effect.Effect<Names, BulkError.BulkError, Connection> => {
  const hasName = Soql.soql`${Soql.raw(name)} != null`
  return Query.records({
    schema: Schema.Struct({ Id: Schema.String, [name]: Schema.String }),
    from: object,
    where: where === undefined ? hasName : Soql.soql`(${where}) AND ${hasName}`
  }).pipe(
    Stream.map((record): readonly [string, string] => [record[name] ?? "", record.Id]),
    Stream.runCollect,
    Effect.map((pairs) => make(what, pairs))
  )
}

/**
 * The active users by their usernames; or by another field, such as `Email` or
 * `FederationIdentifier`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const users = (
  options: { readonly name?: string | undefined } = {}
): Effect.Effect<Names, BulkError.BulkError, Connection> =>
  named("active user", { object: "User", name: options.name ?? "Username", where: Soql.soql`IsActive = true` })

/**
 * The queues by their developer names.
 *
 * @category constructors
 * @since 0.1.0
 */
export const queues: Effect.Effect<Names, BulkError.BulkError, Connection> = named("queue", {
  object: "Group",
  name: "DeveloperName",
  where: Soql.soql`Type = 'Queue'`
})

/**
 * The active price books by their names.
 *
 * @category constructors
 * @since 0.1.0
 */
export const priceBooks: Effect.Effect<Names, BulkError.BulkError, Connection> = named("active price book", {
  object: "Pricebook2",
  where: Soql.soql`IsActive = true`
})

/**
 * Names of several kinds as one: the first that knows a name gives its id. Owners are
 * users or queues.
 *
 * **Example** (Owners)
 *
 * ```ts
 * const owners = Effect.map(Effect.all([Names.users(), Names.queues]), (all) => Names.either(all))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const either = (all: ReadonlyArray<Names>): Names => ({
  size: all.reduce((sum, { size }) => sum + size, 0),
  id: (name) => {
    const answers = all.map((names) => names.id(name))
    return (
      answers.find((answer) => Result.isSuccess(answer) || answer.failure.code === "NAME_AMBIGUOUS") ??
      answers.at(-1) ??
      Result.fail({ code: "NAME_NOT_FOUND", message: `nothing is called ${name}` })
    )
  }
})
