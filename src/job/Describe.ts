/**
 * What an org says of its objects and their fields.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as BulkError from "../BulkError.ts"
import { Connection } from "../connection/Connection.ts"

/**
 * A value of a picklist. An inactive one is kept by records that have it, and taken
 * from no new one.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PicklistValue = Schema.Struct({
  value: Schema.String,
  active: Schema.Boolean
})

/**
 * A field, as far as loads and queries need to know it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Field = Schema.Struct({
  name: Schema.String,
  label: Schema.String,
  /** `string`, `double`, `picklist`, `reference` and so on; Salesforce may add types. */
  type: Schema.String,
  /** The most characters of a text; 0 where it does not apply. */
  length: Schema.Number,
  /** All digits of a number, and those behind the point; 0 where they do not apply. */
  precision: Schema.Number,
  scale: Schema.Number,
  nillable: Schema.Boolean,
  defaultedOnCreate: Schema.Boolean,
  createable: Schema.Boolean,
  updateable: Schema.Boolean,
  unique: Schema.Boolean,
  externalId: Schema.Boolean,
  /** Whether records can be found by it, in an upsert or by a relationship column. */
  idLookup: Schema.Boolean,
  caseSensitive: Schema.Boolean,
  restrictedPicklist: Schema.Boolean,
  picklistValues: Schema.Array(PicklistValue),
  /** The objects that a reference can point to: several of them if it is polymorphic. */
  referenceTo: Schema.Array(Schema.String),
  relationshipName: Schema.NullOr(Schema.String),
  /** The address or name that it is a part of. */
  compoundFieldName: Schema.NullOr(Schema.String)
})

/**
 * @category models
 * @since 0.1.0
 */
export type Field = typeof Field.Type

/**
 * A record type that records of an object can have.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RecordType = Schema.Struct({
  recordTypeId: Schema.String,
  developerName: Schema.String,
  name: Schema.String,
  active: Schema.Boolean,
  /** Whether the user may give it to records. */
  available: Schema.Boolean,
  /** Whether it stands for having no record type. */
  master: Schema.Boolean
})

/**
 * @category models
 * @since 0.1.0
 */
export type RecordType = typeof RecordType.Type

/**
 * An object, as a list of all objects shows it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ObjectSummary = Schema.Struct({
  name: Schema.String,
  label: Schema.String,
  /** The three characters that the ids of its records begin with. */
  keyPrefix: Schema.NullOr(Schema.String),
  createable: Schema.Boolean,
  updateable: Schema.Boolean,
  deletable: Schema.Boolean,
  queryable: Schema.Boolean
})

/**
 * @category models
 * @since 0.1.0
 */
export type ObjectSummary = typeof ObjectSummary.Type

/**
 * An object with its fields and record types.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ObjectDescribe = Schema.Struct({
  ...ObjectSummary.fields,
  fields: Schema.Array(Field),
  recordTypeInfos: Schema.Array(RecordType)
})

/**
 * @category models
 * @since 0.1.0
 */
export type ObjectDescribe = typeof ObjectDescribe.Type

const ObjectList = Schema.Struct({ sobjects: Schema.Array(ObjectSummary) })

/**
 * All there is to know about an object, as the signed-in user sees it: fields that
 * are hidden from the user are not in it.
 *
 * Fails with `ApiError` (`isNotFound`) when there is no such object, or none that
 * the user may see. Costs one API call.
 *
 * **Example** (The keys that an upsert can take)
 *
 * ```ts
 * const keys = Effect.map(Describe.object("Contact"), ({ fields }) =>
 *   fields.filter((field) => field.externalId || field.idLookup).map((field) => field.name)
 * )
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const object = (name: string): Effect.Effect<ObjectDescribe, BulkError.BulkError, Connection> =>
  Connection.use((connection) =>
    connection.json({ method: "GET", path: `/sobjects/${encodeURIComponent(name)}/describe` }, ObjectDescribe)
  )

/**
 * All objects that the signed-in user may see. Costs one API call.
 *
 * @category operations
 * @since 0.1.0
 */
export const objects: Effect.Effect<ReadonlyArray<ObjectSummary>, BulkError.BulkError, Connection> = Effect.map(
  Connection.use((connection) => connection.json({ method: "GET", path: "/sobjects" }, ObjectList)),
  ({ sobjects }) => sobjects
)

/**
 * Whether every record that is inserted must bring a value of its own.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRequired = (field: Field): boolean =>
  field.createable && !field.nillable && !field.defaultedOnCreate && field.type !== "boolean"

/**
 * The fields of an object by their names in lower case, as Salesforce compares them.
 *
 * @category getters
 * @since 0.1.0
 */
export const fieldsByName = (object: ObjectDescribe): ReadonlyMap<string, Field> =>
  new Map(object.fields.map((field) => [field.name.toLowerCase(), field]))
