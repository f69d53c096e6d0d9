// The object that the tests load and query, and its records.
import { Schema, SchemaTransformation } from "effect"
import { Describe } from "../../src/org/index.ts"

export const widgetDescribe = Describe.make({
  name: "Widget__c",
  fields: [
    { name: "Name", length: 80, nillable: false },
    { name: "Key__c", length: 40, externalId: true, unique: true },
    { name: "Count__c", type: "double", precision: 18, scale: 2 },
    { name: "Active__c", type: "boolean", nillable: false, defaultedOnCreate: true, defaultValue: false },
    { name: "Grade__c", type: "picklist", restrictedPicklist: true, picklistValues: [{ value: "A" }, { value: "B" }] },
    { name: "Seen__c", type: "datetime" },
    { name: "Note__c", type: "textarea", length: 131_072 }
  ]
})

export class Widget extends Schema.Class<Widget>("Widget")({
  Key__c: Schema.String,
  Name: Schema.String,
  Count__c: Schema.NullOr(Schema.Finite),
  Active__c: Schema.Boolean,
  Grade__c: Schema.NullOr(Schema.String),
  Seen__c: Schema.NullOr(Schema.Date),
  Note__c: Schema.NullOr(Schema.String)
}) {}

/** The nth widget; some of its texts need quoting. */
export const widget = (n: number, fields?: Partial<ConstructorParameters<typeof Widget>[0]>): Widget =>
  new Widget({
    Key__c: `K-${n}`,
    Name: n % 3 === 0 ? `Widget "${n}", large` : `Widget ${n}`,
    Count__c: n % 5 === 0 ? null : n / 4,
    Active__c: n % 2 === 0,
    Grade__c: n % 7 === 0 ? null : "A",
    Seen__c: new Date(1_700_000_000_000 + n * 1000),
    Note__c: n % 4 === 0 ? `line 1\nligne 2 — é ${n}` : null,
    ...fields
  })

export const widgets = (count: number): ReadonlyArray<Widget> => Array.from({ length: count }, (_, i) => widget(i + 1))

/** Widgets whose counts are written with two decimals: one of 0.001 is written, and not read; others are rounded. */
export const Rounded = Schema.Struct({
  Key__c: Schema.String,
  Name: Schema.String,
  Grade__c: Schema.String,
  Count__c: Schema.String.pipe(
    Schema.decodeTo(
      Schema.Finite.check(Schema.isGreaterThan(0)),
      SchemaTransformation.transform({ decode: Number, encode: (count: number) => count.toFixed(2) })
    )
  )
})
