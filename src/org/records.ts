/** Single records as REST reads and writes them, by the same rules as the rows of a bulk job. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Field, ObjectDescribe } from "./Describe.ts"
import * as ids from "./ids.ts"
import { cleared, writeRow } from "./ingest.ts"
import type { IngestJob } from "./job.ts"
import { fieldsByName, type RowError } from "./Rules.ts"
import { attributes, jsonValue } from "./restQuery.ts"
import { isWritten, type Written } from "./rowWriter.ts"
import type { RowRules } from "./ruling.ts"
import type { Objects } from "./Soql.ts"
import { type Found, isStored, type Store } from "./Store.ts"
import { ApiError, badRequest, notFound } from "./Wire.ts"

/** A record as a client writes it. */
export type Input = Readonly<Record<string, unknown>>

/** Why a row was refused: all its errors, where other refusals have one. */
export class RowRefused {
  readonly _tag = "RowRefused"
  readonly errors: ReadonlyArray<RowError>
  constructor(errors: ReadonlyArray<RowError>) {
    this.errors = errors
  }
}

/** Several records have the external id that should mean one. */
export class Ambiguous {
  readonly _tag = "Ambiguous"
  readonly ids: ReadonlyArray<string>
  constructor(ids: ReadonlyArray<string>) {
    this.ids = ids
  }
}

const deleted = new ApiError({ status: 404, errorCode: "ENTITY_IS_DELETED", message: "entity is deleted" })

const noKey = (name: string): ApiError =>
  new ApiError({
    status: 404,
    errorCode: "NOT_FOUND",
    message: `Provided external ID field does not exist or is not accessible: ${name}`
  })

const noColumn = (name: string, object: ObjectDescribe): ApiError =>
  badRequest("INVALID_FIELD", `No such column '${name}' on sobject of type ${object.name}`)

/** The cell of a bulk row that means the same. */
const cellOf = (value: unknown): string | undefined => {
  if (value === null || value === "") return cleared
  if (typeof value === "string") return value
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined
}

const isObject = (value: unknown): value is Input =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The columns and the cells of a record; a parent is named by the one field that is its key. */
const rowOf = Effect.fnUntraced(function* (object: ObjectDescribe, input: Input) {
  const header: Array<string> = []
  const cells: Array<string> = []
  const fields = fieldsByName(object)
  for (const [name, value] of Object.entries(input)) {
    if (name === "attributes") continue
    const [parentKey, ...others] = isObject(value) ? Object.entries(value).filter(([key]) => key !== "attributes") : []
    const isParent = object.fields.some((each) => each.relationshipName?.toLowerCase() === name.toLowerCase())
    if (!isParent && !fields.has(name.toLowerCase())) return yield* noColumn(name, object)
    const cell = cellOf(isParent && parentKey !== undefined && others.length === 0 ? parentKey[1] : value)
    if (cell === undefined) {
      return yield* badRequest("JSON_PARSER_ERROR", `The value of ${name} is neither a text, a number nor a boolean`)
    }
    header.push(isParent && parentKey !== undefined ? `${name}.${parentKey[0]}` : name)
    cells.push(cell)
  }
  return { header, cells }
})

/** Makes what reads and writes the records of an org. */
export const make = (options: {
  readonly store: Store
  readonly objects: Objects
  readonly rules: RowRules
  readonly userId: string
}) => {
  const { objects, store, userId } = options

  const objectOf = (name: string): Effect.Effect<ObjectDescribe, ApiError> =>
    Effect.suspend(() => {
      const object = objects.get(name.toLowerCase())
      return object === undefined ? Effect.fail(notFound) : Effect.succeed(object)
    })

  /** The id of a record that is there. */
  const existing = (object: ObjectDescribe, text: string): Effect.Effect<string, ApiError> =>
    Effect.suspend(() => {
      const id = ids.normalize(text)
      const found = id === undefined ? undefined : store.finderById(object.name, [])(id)
      if (found === undefined) return Effect.fail(notFound)
      return found.deleted ? Effect.fail(deleted) : Effect.succeed(found.id)
    })

  const keyOf = (object: ObjectDescribe, name: string): Effect.Effect<Field, ApiError> =>
    Effect.suspend(() => {
      const field = fieldsByName(object).get(name.toLowerCase())
      return field === undefined || !(field.externalId || field.idLookup)
        ? Effect.fail(noKey(name))
        : Effect.succeed(field)
    })

  const byKey = Effect.fnUntraced(function* (object: ObjectDescribe, field: Field, value: string) {
    if (field.name === "Id") return yield* existing(object, value)
    const found: ReadonlyArray<Found> = store.finderByKey(object.name, field.name, [])(value)
    if (found.length > 1) return yield* Effect.fail(new Ambiguous(found.map(({ id }) => id)))
    const [first] = found
    return first === undefined ? yield* notFound : first.id
  })

  const write = Effect.fnUntraced(function* (
    object: ObjectDescribe,
    operation: IngestJob["operation"],
    header: ReadonlyArray<string>,
    cells: ReadonlyArray<string>,
    externalIdFieldName?: string
  ): Effect.fn.Return<Written, ApiError | RowRefused> {
    const now = yield* Clock.currentTimeMillis
    const job: IngestJob = {
      kind: "ingest",
      id: "",
      object: object.name,
      operation,
      ...(externalIdFieldName !== undefined && { externalIdFieldName }),
      apiVersion: "68.0",
      columnDelimiter: "COMMA",
      lineEnding: "LF",
      createdById: userId,
      created: now,
      modified: now,
      processed: 0,
      failed: 0,
      state: "InProgress",
      uploads: 0
    }
    const outcome = store.transaction(() => writeRow(options, job, header, cells, now))
    if (typeof outcome === "string") return yield* badRequest("INVALID_FIELD", outcome.replace(/^\w+ : /, ""))
    return isWritten(outcome) ? outcome : yield* Effect.fail(new RowRefused(outcome))
  })

  const read = Effect.fnUntraced(function* (
    object: ObjectDescribe,
    id: string,
    names: ReadonlyArray<string> | undefined,
    version: string
  ) {
    const known = fieldsByName(object)
    const fields: Array<Field> = []
    for (const name of names ?? object.fields.filter(isStored).map((field) => field.name)) {
      const field = known.get(name.toLowerCase())
      if (field === undefined || !isStored(field)) return yield* noColumn(name, object)
      fields.push(field)
    }
    const found = store.finderById(
      object.name,
      fields.map((field) => field.name)
    )(id)
    const record: Record<string, unknown> = { attributes: attributes(object.name, id, version) }
    for (const [i, field] of fields.entries()) record[field.name] = jsonValue(field, found?.values[i] ?? null)
    return record
  })

  return {
    objectOf,

    get: Effect.fnUntraced(function* (
      name: string,
      id: string,
      fields: ReadonlyArray<string> | undefined,
      version: string
    ) {
      const object = yield* objectOf(name)
      return yield* read(object, yield* existing(object, id), fields, version)
    }),

    getByKey: Effect.fnUntraced(function* (
      name: string,
      key: string,
      value: string,
      fields: ReadonlyArray<string> | undefined,
      version: string
    ) {
      const object = yield* objectOf(name)
      const id = yield* byKey(object, yield* keyOf(object, key), value)
      return yield* read(object, id, fields, version)
    }),

    create: Effect.fnUntraced(function* (name: string, input: Input) {
      const object = yield* objectOf(name)
      // what is null is as if it were not said
      const said = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null && value !== ""))
      const { cells, header } = yield* rowOf(object, said)
      return yield* write(object, "insert", header, cells)
    }),

    update: Effect.fnUntraced(function* (name: string, text: string, input: Input) {
      const object = yield* objectOf(name)
      const id = yield* existing(object, text)
      const { cells, header } = yield* rowOf(object, input)
      if (header.some((each) => each.toLowerCase() === "id")) {
        return yield* badRequest("INVALID_FIELD", "The Id field should not be specified in the sobject data.")
      }
      return yield* write(object, "update", ["Id", ...header], [id, ...cells])
    }),

    upsert: Effect.fnUntraced(function* (name: string, key: string, value: string, input: Input) {
      const object = yield* objectOf(name)
      const field = yield* keyOf(object, key)
      const found = field.name === "Id" ? [] : store.finderByKey(object.name, field.name, [])(value)
      if (found.length > 1) return yield* Effect.fail(new Ambiguous(found.map(({ id }) => id)))
      const { cells, header } = yield* rowOf(object, input)
      if (header.some((each) => each.toLowerCase() === field.name.toLowerCase())) {
        return yield* badRequest(
          "INVALID_FIELD",
          `The ${field.name} field should not be specified in the sobject data.`
        )
      }
      return yield* write(object, "upsert", [field.name, ...header], [value, ...cells], field.name)
    }),

    remove: Effect.fnUntraced(function* (name: string, text: string) {
      const object = yield* objectOf(name)
      return yield* write(object, "delete", ["Id"], [yield* existing(object, text)])
    })
  }
}
