import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import * as Describe from "../job/Describe.ts"
import * as Soql from "./Soql.ts"

/** What `Query.resolveIds` takes; exported by `Query`, which documents it. */
export interface ResolveOptions<A> {
  /** The API name of the object whose ids are wanted. */
  readonly object: string
  /** The field that the keys are values of. It need be no external id, but be unique. */
  readonly key: string
  /** The key of a record. */
  readonly keyOf: (record: A) => string | null | undefined
  /** How many keys one query asks for at most. Default 2,000; fewer if they are long. */
  readonly keysPerQuery?: number | undefined
  /** How many queries run at a time. Default 2. */
  readonly concurrency?: number | undefined
}

/** A record, and the id of the one in the org that has its key. */
export interface Resolved<A> {
  readonly record: A
  readonly id: string
}

/** A record whose key leads to no record of the org, or to several. */
export interface Unresolved<A> {
  readonly code: "KEY_BLANK" | "KEY_NOT_FOUND" | "KEY_AMBIGUOUS"
  readonly message: string
  /** The field that the key is a value of. */
  readonly fields: ReadonlyArray<string>
  readonly record: A
  readonly key: string
  /** Those that have the key, where there are several: the first ten. */
  readonly ids: ReadonlyArray<string>
}

/** Gives records for SOQL; it is `Query.records`. */
type Records = <S extends Schema.ConstraintCodec<unknown, unknown>>(options: {
  readonly schema: S
  readonly soql: Soql.Soql
}) => Stream.Stream<S["Type"], BulkError.BulkError, Connection>

/** A query may have 100,000 characters. */
const queryCharacters = 90_000

const idsKept = 10

export const resolveWith =
  (records: Records) =>
  <A>(options: ResolveOptions<A>) =>
  <E, R>(
    source: Stream.Stream<A, E, R>
  ): Stream.Stream<Result.Result<Resolved<A>, Unresolved<A>>, E | BulkError.BulkError, R | Connection> => {
    const { concurrency = 2, key: field, keyOf, keysPerQuery = 2_000, object } = options
    return Stream.unwrap(
      Effect.map(keyOfObject(object, field), (key) => {
        const find = Effect.fnUntraced(function* (asked: ReadonlyArray<string>) {
          const found = new Map<string, Array<string>>()
          const schema = Schema.Struct({ Id: Schema.String, [field]: Schema.String })
          const values = asked.map(key.literal)
          const where = Soql.soql`SELECT Id, ${Soql.raw(field)} FROM ${Soql.raw(object)} WHERE ${Soql.raw(field)} IN ${values}`
          yield* Stream.runForEachArray(records({ schema, soql: where }), (rows) =>
            Effect.sync(() => {
              for (const row of rows) {
                const folded = key.fold(row[field] ?? "")
                const ids = found.get(folded)
                if (ids === undefined) found.set(folded, [row.Id])
                else if (ids.length < idsKept) ids.push(row.Id)
              }
            })
          )
          return found
        })

        const settle = Effect.fnUntraced(function* (group: ReadonlyArray<A>) {
          const keys = group.map((record) => keyOf(record)?.trim() ?? "")
          const asked = new Map<string, string>()
          for (const each of keys) if (each !== "" && key.isPossible(each)) asked.set(key.fold(each), each)
          const found = new Map<string, ReadonlyArray<string>>()
          for (const chunk of byLength([...asked.values()], key.literal)) {
            for (const [folded, ids] of yield* find(chunk)) found.set(folded, ids)
          }
          return group.map((record, i): Result.Result<Resolved<A>, Unresolved<A>> => {
            const own = keys[i] ?? ""
            // no number at all would read as 0
            const ids = own === "" ? [] : (found.get(key.fold(own)) ?? [])
            const [id] = ids
            if (id !== undefined && ids.length === 1) return Result.succeed({ record, id })
            const [code, message] =
              own === ""
                ? (["KEY_BLANK", `no ${field} to find the record by`] as const)
                : ids.length === 0
                  ? (["KEY_NOT_FOUND", `no ${object} has this ${field}: ${own}`] as const)
                  : ([
                      "KEY_AMBIGUOUS",
                      `several records of ${object} have this ${field}: ${own} (${ids.join(", ")})`
                    ] as const)
            return Result.fail({ code, message, fields: [field], record, key: own, ids })
          })
        })

        return source.pipe(
          Stream.grouped(keysPerQuery),
          Stream.mapEffect(settle, { concurrency }),
          Stream.flatMap((results) => Stream.fromArray(results))
        )
      })
    )
  }

/** How keys are written and compared. */
interface Key {
  readonly literal: (key: string) => string | number
  /** What all keys are alike that the org takes for the same. */
  readonly fold: (key: string) => string
  readonly isPossible: (key: string) => boolean
}

const numbers: ReadonlySet<string> = new Set(["int", "long", "double", "currency", "percent"])

const keyOfObject = Effect.fnUntraced(function* (
  object: string,
  name: string
): Effect.fn.Return<Key, BulkError.BulkError, Connection> {
  const described = yield* Describe.object(object)
  const field = Describe.fieldsByName(described).get(name.toLowerCase())
  if (field === undefined || field.name !== name) {
    const meant = field === undefined ? "" : `: it is ${field.name}`
    const problem = `resolveIds: ${object} has no field ${name}, or not for this user${meant}`
    return yield* BulkError.make(new BulkError.InvalidOptions({ problem }))
  }
  if (numbers.has(field.type)) {
    return { literal: Number, fold: (key) => String(Number(key)), isPossible: (key) => Number.isFinite(Number(key)) }
  }
  return {
    literal: (key) => key,
    fold: field.caseSensitive ? (key) => key : (key) => key.toLowerCase(),
    isPossible: () => true
  }
})

/** Cuts keys into lists that fit into a query. */
const byLength = (
  keys: ReadonlyArray<string>,
  literal: (key: string) => string | number
): ReadonlyArray<ReadonlyArray<string>> => {
  const chunks: Array<Array<string>> = []
  let length = queryCharacters
  for (const key of keys) {
    const more = Soql.soql`${literal(key)}`.text.length + 2
    if (length + more > queryCharacters) {
      chunks.push([])
      length = 0
    }
    chunks.at(-1)?.push(key)
    length += more
  }
  return chunks
}
