/** SOQL as REST answers it: records as JSON, page by page. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Field, ObjectDescribe } from "./Describe.ts"
import { cursorLifetime } from "./lifetimes.ts"
import { queryColumns } from "./queryColumns.ts"
import * as Soql from "./Soql.ts"
import type { Store, Value } from "./Store.ts"
import { ApiError, badRequest } from "./Wire.ts"

/** A page as clients get it. */
export interface QueryPage {
  readonly totalSize: number
  readonly done: boolean
  readonly nextRecordsUrl?: string
  readonly records: ReadonlyArray<unknown>
}

/** The part of the store that holds the pages of a result; the `seq` of a block is the number of its first record. */
const part = "rest"

/** A stored value as JSON shows it. */
export const jsonValue = (field: Field, value: Value): unknown => {
  if (value === null) return null
  if (field.type === "boolean") return value !== 0
  if (field.type === "datetime") return String(value).replace(/Z$/, "+0000")
  return value
}

/** What tells a record's type and address. */
export const attributes = (object: string, id: unknown, version: string) => ({
  type: object,
  ...(typeof id === "string" && { url: `/services/data/v${version}/sobjects/${object}/${id}` })
})

/** A result that is paged through. */
interface Cursor {
  readonly total: number
  /** When it ceases to be kept. */
  readonly end: number
}

interface Column {
  /** The parents on the way, each with its object. */
  readonly parents: ReadonlyArray<{ readonly name: string; readonly object: string }>
  readonly name: string
  readonly field: Field
}

/** The column of a path such as `Owner.Name`. */
const columnOf = (object: ObjectDescribe, objects: Soql.Objects, field: Field): Column => {
  const path = field.name.split(".")
  const name = path.pop()!
  let at: ObjectDescribe | undefined = object
  const parents = path.map((step) => {
    const lookup: Field | undefined = at?.fields.find(
      (each) => each.relationshipName?.toLowerCase() === step.toLowerCase()
    )
    const target = lookup?.referenceTo[0] ?? ""
    at = objects.get(target.toLowerCase())
    return { name: step, object: target }
  })
  return { parents, name, field }
}

const recordOf = (object: string, columns: ReadonlyArray<Column>, values: ReadonlyArray<Value>, version: string) => {
  const id = values[columns.findIndex(({ name, parents }) => parents.length === 0 && name === "Id")]
  const record: Record<string, unknown> = { attributes: attributes(object, id, version) }
  for (const [i, { field, name, parents }] of columns.entries()) {
    const value = jsonValue(field, values[i] ?? null)
    let target = record
    for (const parent of parents) {
      const known = target[parent.name]
      if (isRecord(known)) target = known
      else {
        const made: Record<string, unknown> = { attributes: attributes(parent.object, undefined, version) }
        target[parent.name] = made
        target = made
      }
    }
    target[name] = value
  }
  for (const { parents } of columns) if (parents[0] !== undefined) dropEmpty(record, parents[0].name)
  return record
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A parent of which nothing is known is null. */
const dropEmpty = (record: Record<string, unknown>, name: string): boolean => {
  const parent = record[name]
  if (!isRecord(parent)) return false
  let empty = true
  for (const [key, value] of Object.entries(parent)) {
    if (key !== "attributes" && value !== null && !dropEmpty(parent, key)) empty = false
  }
  if (empty) record[name] = null
  return empty
}

const invalidLocator = new ApiError({
  status: 400,
  errorCode: "INVALID_QUERY_LOCATOR",
  message: "invalid query locator"
})

/** Makes what answers the queries of an org. */
export const make = ({ objects, store }: { readonly objects: Soql.Objects; readonly store: Store }) => {
  const cursors = new Map<string, Cursor>()
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()

  const compile = (soql: string, deleted: boolean) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.mapError(
        Effect.fromResult(Soql.compile(soql, objects, { deleted, now, rest: true })),
        ({ code, message }) => badRequest(code, message)
      )
    )

  /** Forgets the results that have expired, little by little: each may be large. */
  const sweep = Effect.fnUntraced(function* (now: number) {
    for (const [id, { end }] of cursors) {
      if (now < end) continue
      cursors.delete(id)
      while (store.dropSomeBlocks(id)) yield* Effect.yieldNow
    }
  }, Effect.uninterruptible)

  const nextUrl = (version: string, path: string, id: string, from: number) =>
    `/services/data/v${version}/${path}/${id}-${from}`

  return {
    /** The first page of a query; `path` is where its further pages are. */
    first: Effect.fnUntraced(function* (
      soql: string,
      options: {
        readonly path: "query" | "queryAll"
        readonly version: string
        readonly size: number
      }
    ): Effect.fn.Return<QueryPage, ApiError> {
      const { path, size, version } = options
      const deleted = path === "queryAll"
      const query = yield* compile(soql, deleted)
      const now = yield* Clock.currentTimeMillis
      yield* sweep(now)
      if (query.count) {
        const [row] = store.select(query.sql, query.parameters)
        return { totalSize: Number(row?.[0]), done: true, records: [] }
      }
      const object = objects.get(query.object.toLowerCase())
      const columns = object === undefined ? [] : query.fields.map((field) => columnOf(object, objects, field))
      const id = store.nextId("0r8")
      let first: ReadonlyArray<unknown> | undefined
      let records: Array<unknown> = []
      let total = 0
      const turn = () => {
        if (first === undefined) first = records
        else if (records.length > 0) {
          const bytes = encoder.encode(JSON.stringify(records))
          store.addBlock(id, part, { seq: total - records.length, rows: records.length, bytes })
        }
        records = []
      }
      const read = Effect.fnUntraced(function* (rows: Iterable<ReadonlyArray<Value>>) {
        for (const values of rows) {
          records.push(recordOf(query.object, columns, values, version))
          total++
          if (records.length < size) continue
          turn()
          yield* Effect.yieldNow
        }
        turn()
      })
      yield* Effect.acquireUseRelease(
        Effect.sync(() => store.select(query.sql, query.parameters)),
        read,
        // of a client that hung up, SQLite would hold the snapshot until the rows are collected as garbage
        (rows) => Effect.sync(() => rows.return(undefined))
      ).pipe(Effect.onError(() => Effect.sync(() => store.dropBlocks(id, part))))
      if (total <= size) return { totalSize: total, done: true, records: first ?? [] }
      cursors.set(id, { total, end: now + cursorLifetime })
      return { totalSize: total, done: false, nextRecordsUrl: nextUrl(version, path, id, size), records: first ?? [] }
    }),

    /** What a query has for columns; it is not run. */
    columns: (soql: string, path: "query" | "queryAll") =>
      Effect.map(compile(soql, path === "queryAll"), ({ fields, object: name }) => {
        const object = objects.get(name.toLowerCase())
        return object === undefined ? undefined : queryColumns(object, fields, store.keyPrefix(name))
      }),

    /** The page that a locator means. */
    next: (locator: string, options: { readonly path: "query" | "queryAll"; readonly version: string }) =>
      Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<QueryPage, ApiError> => {
        const [, id = "", text = ""] = /^(\w{18})-(\d{1,12})$/.exec(locator) ?? []
        const { end, total } = cursors.get(id) ?? { end: 0, total: 0 }
        const from = Number(text)
        const block = now < end ? store.blockFrom(id, part, from) : undefined
        if (block?.seq !== from) return Effect.fail(invalidLocator)
        const records: ReadonlyArray<unknown> = JSON.parse(decoder.decode(block.bytes))
        const after = from + block.rows
        return Effect.succeed(
          after >= total
            ? { totalSize: total, done: true, records }
            : {
                totalSize: total,
                done: false,
                nextRecordsUrl: nextUrl(options.version, options.path, id, after),
                records
              }
        )
      })
  }
}
