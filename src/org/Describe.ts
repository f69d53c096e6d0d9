/**
 * What an object is: its fields, their types and their rules, in the format
 * that `sf sobject describe --json` writes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

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

type FieldInput = typeof Field.Encoded

const readonly = { nillable: false, defaultedOnCreate: true, createable: false, updateable: false }
const string = (name: string, label: string, length: number): FieldInput => ({ name, label, length })
const textarea = (name: string, label: string, length: number): FieldInput => ({
  name,
  label,
  length,
  type: "textarea"
})
const phone = (name: string, label: string): FieldInput => ({ name, label, length: 40, type: "phone" })
const checkbox = (name: string, label: string): FieldInput => ({
  name,
  label,
  type: "boolean",
  nillable: false,
  defaultedOnCreate: true,
  defaultValue: false
})
const picklist = (name: string, label: string, values: ReadonlyArray<string>): FieldInput => ({
  name,
  label,
  type: "picklist",
  length: 255,
  picklistValues: values.map((value) => ({ value }))
})
const lookup = (name: string, label: string, to: string): FieldInput => ({
  name,
  label,
  type: "reference",
  length: 18,
  referenceTo: [to],
  relationshipName: name.slice(0, -2)
})
const owner: FieldInput = { ...lookup("OwnerId", "Owner ID", "User"), nillable: false, defaultedOnCreate: true }
const address = (prefix: string): ReadonlyArray<FieldInput> => [
  { ...textarea(`${prefix}Street`, `${prefix} Street`, 255), compoundFieldName: `${prefix}Address` },
  { ...string(`${prefix}City`, `${prefix} City`, 40), compoundFieldName: `${prefix}Address` },
  { ...string(`${prefix}State`, `${prefix} State/Province`, 80), compoundFieldName: `${prefix}Address` },
  { ...string(`${prefix}PostalCode`, `${prefix} Zip/Postal Code`, 20), compoundFieldName: `${prefix}Address` },
  { ...string(`${prefix}Country`, `${prefix} Country`, 80), compoundFieldName: `${prefix}Address` },
  {
    name: `${prefix}Address`,
    label: `${prefix} Address`,
    type: "address",
    createable: false,
    updateable: false
  }
]

const systemFields: ReadonlyArray<Field> = [
  { name: "Id", label: "Record ID", type: "id", length: 18, idLookup: true, ...readonly },
  { name: "IsDeleted", label: "Deleted", type: "boolean", ...readonly },
  { name: "CreatedDate", label: "Created Date", type: "datetime", ...readonly },
  { ...lookup("CreatedById", "Created By ID", "User"), ...readonly },
  { name: "LastModifiedDate", label: "Last Modified Date", type: "datetime", ...readonly },
  { ...lookup("LastModifiedById", "Last Modified By ID", "User"), ...readonly },
  { name: "SystemModstamp", label: "System Modstamp", type: "datetime", ...readonly }
].map((field) => Schema.decodeSync(Field)(field))

/** The same object, with the fields that every object has. */
export const withSystemFields = (object: ObjectDescribe): ObjectDescribe => {
  const own = new Set(object.fields.map((field) => field.name.toLowerCase()))
  const missing = systemFields.filter((field) => !own.has(field.name.toLowerCase()))
  return { ...object, fields: [...missing, ...object.fields] }
}

/**
 * The Account of a new org, as far as bulk loads commonly touch it.
 *
 * @category standard objects
 * @since 0.1.0
 */
export const account: ObjectDescribe = make({
  name: "Account",
  label: "Account",
  keyPrefix: "001",
  fields: [
    { ...string("Name", "Account Name", 255), nillable: false },
    picklist("Type", "Account Type", [
      "Prospect",
      "Customer - Direct",
      "Customer - Channel",
      "Channel Partner / Reseller",
      "Installation Partner",
      "Technology Partner",
      "Other"
    ]),
    lookup("ParentId", "Parent Account ID", "Account"),
    ...address("Billing"),
    ...address("Shipping"),
    phone("Phone", "Account Phone"),
    phone("Fax", "Account Fax"),
    string("AccountNumber", "Account Number", 40),
    { name: "Website", label: "Website", type: "url", length: 255 },
    picklist("Industry", "Industry", [
      "Agriculture",
      "Banking",
      "Construction",
      "Education",
      "Energy",
      "Government",
      "Healthcare",
      "Manufacturing",
      "Retail",
      "Technology",
      "Transportation",
      "Utilities",
      "Other"
    ]),
    { name: "AnnualRevenue", label: "Annual Revenue", type: "currency", precision: 18 },
    { name: "NumberOfEmployees", label: "Employees", type: "int" },
    picklist("Ownership", "Ownership", ["Public", "Private", "Subsidiary", "Other"]),
    string("TickerSymbol", "Ticker Symbol", 20),
    textarea("Description", "Account Description", 32_000),
    picklist("Rating", "Account Rating", ["Hot", "Warm", "Cold"]),
    string("Site", "Account Site", 80),
    owner
  ]
})

/**
 * The Contact of a new org, as far as bulk loads commonly touch it.
 *
 * @category standard objects
 * @since 0.1.0
 */
export const contact: ObjectDescribe = make({
  name: "Contact",
  label: "Contact",
  keyPrefix: "003",
  fields: [
    lookup("AccountId", "Account ID", "Account"),
    { ...string("LastName", "Last Name", 80), nillable: false, compoundFieldName: "Name" },
    { ...string("FirstName", "First Name", 40), compoundFieldName: "Name" },
    {
      ...picklist("Salutation", "Salutation", ["Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."]),
      length: 40,
      compoundFieldName: "Name"
    },
    { ...string("Name", "Full Name", 121), nillable: false, createable: false, updateable: false },
    ...address("Mailing"),
    phone("Phone", "Business Phone"),
    phone("Fax", "Business Fax"),
    phone("MobilePhone", "Mobile Phone"),
    lookup("ReportsToId", "Reports To ID", "Contact"),
    { name: "Email", label: "Email", type: "email", length: 80, idLookup: true },
    string("Title", "Title", 128),
    string("Department", "Department", 80),
    picklist("LeadSource", "Lead Source", ["Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"]),
    { name: "Birthdate", label: "Birthdate", type: "date" },
    textarea("Description", "Contact Description", 32_000),
    checkbox("HasOptedOutOfEmail", "Email Opt Out"),
    checkbox("DoNotCall", "Do Not Call"),
    owner
  ]
})
