/** How the fields of standard objects are written down. */

/** A field, as `Describe.Field` takes it. */
export interface StandardField {
  readonly name: string
  readonly label: string
  readonly type?: string
  readonly length?: number
  readonly precision?: number
  readonly scale?: number
  readonly nillable?: boolean
  readonly defaultedOnCreate?: boolean
  readonly createable?: boolean
  readonly updateable?: boolean
  readonly idLookup?: boolean
  readonly autoNumber?: boolean
  readonly restrictedPicklist?: boolean
  readonly defaultValue?: boolean | string
  readonly picklistValues?: ReadonlyArray<{ readonly value: string; readonly defaultValue: boolean }>
  readonly compoundFieldName?: string
  readonly referenceTo?: ReadonlyArray<string>
  readonly relationshipName?: string
}

/** An object, as `Describe.ObjectDescribe` takes it. */
export interface StandardObject {
  readonly name: string
  readonly label: string
  readonly keyPrefix: string
  readonly fields: ReadonlyArray<StandardField>
}

type More = Omit<StandardField, "name" | "label" | "type">

export const required: More = { nillable: false }
export const readOnly: More = { createable: false, updateable: false }
const defaulted: More = { nillable: false, defaultedOnCreate: true }

const typed =
  (type: string, common: More = {}) =>
  (name: string, label: string, more: More = {}): StandardField => ({ name, label, type, ...common, ...more })

export const url = typed("url", { length: 255 })
export const phone = typed("phone", { length: 40 })
export const email = typed("email", { length: 80 })
export const date = typed("date")
export const dateTime = typed("datetime")
export const int = typed("int")
export const double = typed("double", { precision: 18 })
export const currency = typed("currency", { precision: 18 })
export const checkbox = typed("boolean", { ...defaulted, defaultValue: false })

const sized =
  (type: string) =>
  (name: string, label: string, length: number, more: More = {}): StandardField => ({
    name,
    label,
    type,
    length,
    ...more
  })

export const text = sized("string")
export const textArea = sized("textarea")

export const percent = (name: string, label: string, precision: number, scale: number): StandardField => ({
  name,
  label,
  type: "percent",
  precision,
  scale
})

/** A picklist of values that are separated by bars; the one with a star is the default. */
export const picklist = (name: string, label: string, values: string, more: More = {}): StandardField => ({
  name,
  label,
  type: "picklist",
  length: 255,
  picklistValues: values
    .split("|")
    .map((value) => ({ value: value.replace(/\*$/, ""), defaultValue: value.endsWith("*") })),
  ...(values.includes("*") && { defaultedOnCreate: true }),
  ...more
})

/** A reference to the objects whose names are separated by bars. */
export const lookup = (name: string, label: string, to: string, more: More = {}): StandardField => ({
  name,
  label,
  type: "reference",
  length: 18,
  referenceTo: to.split("|"),
  relationshipName: name.slice(0, -2),
  ...more
})

/** When somebody last saw a record, which no load can change. */
export const viewed: ReadonlyArray<StandardField> = [
  dateTime("LastViewedDate", "Last Viewed Date", readOnly),
  dateTime("LastReferencedDate", "Last Referenced Date", readOnly)
]

export const owner = (to = "User"): StandardField => lookup("OwnerId", "Owner ID", to, defaulted)

const accuracies = "Address|NearAddress|Block|Street|ExtendedZip|Zip|Neighborhood|City|County|State|Unknown"

/** An address and what it is made of. */
export const address = (prefix: string): ReadonlyArray<StandardField> => {
  const part = { compoundFieldName: `${prefix}Address` }
  const label = (text: string) => `${prefix} ${text}`.trim()
  return [
    textArea(`${prefix}Street`, label("Street"), 255, part),
    text(`${prefix}City`, label("City"), 40, part),
    text(`${prefix}State`, label("State/Province"), 80, part),
    text(`${prefix}PostalCode`, label("Zip/Postal Code"), 20, part),
    text(`${prefix}Country`, label("Country"), 80, part),
    picklist(`${prefix}GeocodeAccuracy`, label("Geocode Accuracy"), accuracies, {
      ...part,
      length: 40,
      restrictedPicklist: true
    }),
    { name: `${prefix}Latitude`, label: label("Latitude"), type: "double", precision: 18, scale: 15, ...part },
    { name: `${prefix}Longitude`, label: label("Longitude"), type: "double", precision: 18, scale: 15, ...part },
    { name: `${prefix}Address`, label: label("Address"), type: "address", ...readOnly }
  ]
}

/** A person's name and what it is made of. */
export const personName = (salutation: boolean): ReadonlyArray<StandardField> => {
  const part = { compoundFieldName: "Name" }
  const salutations = "Mr.|Ms.|Mrs.|Dr.|Prof.|Mx."
  return [
    text("LastName", "Last Name", 80, { ...required, ...part }),
    text("FirstName", "First Name", 40, part),
    ...(salutation ? [picklist("Salutation", "Salutation", salutations, { length: 40, ...part })] : []),
    text("Name", "Full Name", 121, { ...required, ...readOnly })
  ]
}
