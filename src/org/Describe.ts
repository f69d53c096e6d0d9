/**
 * What an object is: its fields, their types and their rules, in the format
 * that `sf sobject describe --json` writes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as standard from "./standardObjects.ts"

// names become SQL identifiers
const Name = Schema.String.check(Schema.isPattern(/^[A-Za-z]\w*$/))

const boolean = (value: boolean) => Schema.Boolean.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))
const integer = Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0)))
const text = (value: string) => Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))
const nullable = <S extends Schema.Top>(schema: S) =>
  Schema.NullOr(schema).pipe(Schema.withDecodingDefaultKey(Effect.succeed(null)))

const PicklistValue = Schema.Struct({
  value: Schema.String,
  active: boolean(true),
  defaultValue: boolean(false)
})

/**
 * A field, as far as the org reads its describe. Everything but `name` may be
 * left out: a field is then a writable, optional string of any length.
 *
 * @category models
 * @since 0.1.0
 */
export const Field = Schema.Struct({
  name: Name,
  /** What messages call the field; its name by default. */
  label: text(""),
  /** A Salesforce type such as `string`, `double`, `picklist` or `reference`. */
  type: text("string"),
  /** The longest text, in UTF-16 units; 0 for no limit. */
  length: integer,
  /** All digits of a number, and those behind the point; 0 digits for no limit. */
  precision: integer,
  scale: integer,
  nillable: boolean(true),
  defaultedOnCreate: boolean(false),
  createable: boolean(true),
  updateable: boolean(true),
  unique: boolean(false),
  externalId: boolean(false),
  idLookup: boolean(false),
  caseSensitive: boolean(false),
  /** Numbered by the org, one after the other. */
  autoNumber: boolean(false),
  restrictedPicklist: boolean(false),
  picklistValues: Schema.Array(PicklistValue).pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  defaultValue: nullable(Schema.Union([Schema.String, Schema.Finite, Schema.Boolean])),
  compoundFieldName: nullable(Schema.String),
  referenceTo: Schema.Array(Schema.String).pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  relationshipName: nullable(Schema.String)
})

/**
 * @category models
 * @since 0.1.0
 */
export type Field = typeof Field.Type

/**
 * An object. Everything but `name` and `fields` may be left out, and keys the
 * org does not know are ignored, so that the output of
 * `sf sobject describe --json` decodes as it is.
 *
 * @category models
 * @since 0.1.0
 */
export const ObjectDescribe = Schema.Struct({
  name: Name,
  label: text(""),
  /** The three characters its ids begin with; one of its own by default. */
  keyPrefix: nullable(Schema.String.check(Schema.isPattern(/^\w{3}$/))),
  queryable: boolean(true),
  fields: Schema.Array(Field).check(
    Schema.makeFilter((fields) => {
      const seen = new Set<string>()
      const twice = fields.find((field) => seen.size === seen.add(field.name.toLowerCase()).size)
      return twice === undefined || `fields with different names, not two ${twice.name}`
    })
  )
})

/**
 * @category models
 * @since 0.1.0
 */
export type ObjectDescribe = typeof ObjectDescribe.Type

/**
 * Makes an object from what matters about it.
 *
 * **Example** (A custom object with an external id)
 *
 * ```ts
 * const inventory = Describe.make({
 *   name: "Inventory__c",
 *   fields: [
 *     { name: "Sku__c", length: 40, nillable: false, externalId: true, unique: true },
 *     { name: "Count__c", type: "double", precision: 18 }
 *   ]
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: (input: typeof ObjectDescribe.Encoded) => ObjectDescribe = Schema.decodeSync(ObjectDescribe)

const Envelope = Schema.Struct({ result: ObjectDescribe })

/**
 * Reads a describe from parsed JSON, bare or in the `{ "result": ... }` that
 * the Salesforce CLI writes. Fails with a `SchemaError` that names the key.
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromJson = (json: unknown): Effect.Effect<ObjectDescribe, Schema.SchemaError> =>
  Schema.is(Schema.Struct({ result: Schema.Unknown }))(json)
    ? Effect.map(Schema.decodeUnknownEffect(Envelope)(json), (envelope) => envelope.result)
    : Schema.decodeUnknownEffect(ObjectDescribe)(json)

const readonly = { nillable: false, defaultedOnCreate: true, createable: false, updateable: false }
const toUser = { type: "reference", length: 18, referenceTo: ["User"] }

const systemFields: ReadonlyArray<Field> = [
  { name: "Id", label: "Record ID", type: "id", length: 18, idLookup: true, ...readonly },
  { name: "IsDeleted", label: "Deleted", type: "boolean", ...readonly },
  { name: "CreatedDate", label: "Created Date", type: "datetime", ...readonly },
  { name: "CreatedById", label: "Created By ID", ...toUser, relationshipName: "CreatedBy", ...readonly },
  { name: "LastModifiedDate", label: "Last Modified Date", type: "datetime", ...readonly },
  {
    name: "LastModifiedById",
    label: "Last Modified By ID",
    ...toUser,
    relationshipName: "LastModifiedBy",
    ...readonly
  },
  { name: "SystemModstamp", label: "System Modstamp", type: "datetime", ...readonly }
].map((field) => Schema.decodeSync(Field)(field))

const systemFieldsByName = new Map(systemFields.map((field) => [field.name.toLowerCase(), field]))

// an org may let these be set when a record is made
const auditFields = new Set(["CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"])

/**
 * The same object, with the fields that every object has. They are the org's own: what
 * the object says of one is its label, and whether an audit field may be set on insert.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withSystemFields = (object: ObjectDescribe): ObjectDescribe => {
  const missing = new Map(systemFieldsByName)
  const fields = object.fields.map((field) => {
    const name = field.name.toLowerCase()
    const system = systemFieldsByName.get(name)
    missing.delete(name)
    if (system === undefined) return field
    const createable = field.createable && auditFields.has(system.name)
    return { ...system, label: field.label || system.label, createable }
  })
  return { ...object, fields: [...missing.values(), ...fields] }
}

/**
 * The objects of a new org: Account, Contact, Lead, Opportunity, Case, Task,
 * Product2, User, Organization, Campaign and CampaignMember, as far as bulk
 * loads commonly touch them.
 *
 * @category standard objects
 * @since 0.1.0
 */
export const standardObjects: ReadonlyArray<ObjectDescribe> = standard.standardObjects.map((object) => make(object))

/**
 * The Account of a new org.
 *
 * @category standard objects
 * @since 0.1.0
 */
export const account: ObjectDescribe = make(standard.account)

/**
 * The Contact of a new org.
 *
 * @category standard objects
 * @since 0.1.0
 */
export const contact: ObjectDescribe = make(standard.contact)
