/** What a plan reads of the org: what the user may not read is noted, not failed for. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as BulkError from "../../BulkError.ts"
import { Connection } from "../../connection/Connection.ts"
import * as Limits from "../../connection/Limits.ts"
import * as Describe from "../../job/Describe.ts"

/** Whether the user may not read it, or it is not there for the user, or cannot be counted. */
const isHidden = (error: BulkError.BulkError): boolean =>
  error.isNotFound ||
  error.isPermission ||
  (error.reason._tag === "ApiError" && (error.reason.status === 403 || error.reason.status === 400))

/** The org as one plan sees it, each object described once. */
export interface Org {
  readonly object: (name: string) => Effect.Effect<Describe.ObjectDescribe | undefined, BulkError.BulkError, Connection>
  readonly objects: Effect.Effect<ReadonlyArray<Describe.ObjectSummary> | undefined, BulkError.BulkError, Connection>
  readonly limits: Effect.Effect<Limits.Daily | undefined, BulkError.BulkError, Connection>
  /** How many records a query counts. */
  readonly count: (what: string, query: string) => Effect.Effect<number | undefined, BulkError.BulkError, Connection>
  /** What could not be read so far. */
  readonly unknown: Array<string>
}

export const make = Effect.sync((): Org => {
  const unknown: Array<string> = []

  const readable = <A>(what: string, self: Effect.Effect<A, BulkError.BulkError, Connection>) =>
    Effect.catchIf(self, isHidden, (error) => {
      const { reason } = error
      unknown.push(`${what} (${reason._tag === "ApiError" ? `${reason.status} ${reason.code}` : reason._tag})`)
      return Effect.undefined
    })

  const cache = new Map<string, Describe.ObjectDescribe | undefined>()
  const object = (name: string) =>
    Effect.suspend(() => {
      const key = name.toLowerCase()
      if (cache.has(key)) return Effect.succeed(cache.get(key))
      return Effect.tap(readable(`the describe of ${name}`, Describe.object(name)), (described) =>
        Effect.sync(() => cache.set(key, described))
      )
    })

  let listed: { readonly objects: ReadonlyArray<Describe.ObjectSummary> | undefined } | undefined
  const objects = Effect.suspend(() =>
    listed !== undefined
      ? Effect.succeed(listed.objects)
      : Effect.tap(readable("the list of objects", Describe.objects), (objects) =>
          Effect.sync(() => {
            listed = { objects }
          })
        )
  )

  const limits = Effect.tap(readable("the org's limits", Limits.daily), (daily) =>
    Effect.sync(() => {
      if (daily !== undefined && Object.keys(daily.all).length === 0) unknown.push("the org's limits")
    })
  )

  const count = (what: string, query: string) =>
    Effect.map(
      readable(
        what,
        Connection.use((connection) => connection.json({ method: "GET", path: "/query", query: { q: query } }, Counted))
      ),
      (counted) => counted?.totalSize
    )

  return { object, objects, limits, count, unknown }
})

const Counted = Schema.Struct({ totalSize: Schema.Number })
