/** Customers and branches as the new org has them, and how those of the old CRM become such. */
import { Effect, Schema } from "effect"
import type { Outcome } from "../../src/index.ts"
import type { LegacyCustomer } from "./legacy.ts"

export const Branch = Schema.Struct({ Code__c: Schema.String, Name: Schema.String })

export const Customer = Schema.Struct({
  Number__c: Schema.String,
  Name: Schema.String,
  Contact__c: Schema.NullOr(Schema.String),
  Email__c: Schema.NullOr(Schema.String),
  Phone__c: Schema.NullOr(Schema.String),
  Street__c: Schema.String,
  PostalCode__c: Schema.NullOr(Schema.String),
  City__c: Schema.String,
  Country__c: Schema.String,
  Status__c: Schema.String,
  Branch__r: Schema.Struct({ Code__c: Schema.String }),
  Since__c: Schema.NullOr(Schema.String),
  CreditLimit__c: Schema.Finite,
  BlockedFor__c: Schema.NullOr(Schema.String),
  Note__c: Schema.NullOr(Schema.String)
})
export type Customer = typeof Customer.Type

/** How customers are loaded, and how that is planned. */
export const load = {
  operation: "upsert",
  object: "Customer__c",
  schema: Customer,
  externalId: "Number__c",
  nulls: "ignore"
} as const

const statuses: Readonly<Record<string, string>> = {
  aktiv: "Active",
  inaktiv: "Inactive",
  Interessent: "Prospect",
  gesperrt: "Blocked"
}

const orNull = (text: string) => (text === "" ? null : text)

const dayOf = (text: string) =>
  text === "00.00.0000" ? null : `${text.slice(6)}-${text.slice(3, 5)}-${text.slice(0, 2)}`

export const customerOf = (legacy: LegacyCustomer): Customer => ({
  Number__c: legacy.KDNR,
  Name: legacy.FIRMA,
  Contact__c: orNull(legacy.ANSPRECHPARTNER),
  Email__c: orNull(legacy.EMAIL),
  Phone__c: orNull(legacy.TELEFON),
  Street__c: legacy.STRASSE,
  PostalCode__c: orNull(legacy.PLZ),
  City__c: legacy.ORT,
  Country__c: legacy.LAND,
  // a word that is not known stays as it is: the org will say so
  Status__c: statuses[legacy.STATUS] ?? legacy.STATUS,
  Branch__r: { Code__c: legacy.NIEDERLASSUNG },
  Since__c: dayOf(legacy.KUNDE_SEIT),
  CreditLimit__c: Number(legacy.KREDITLIMIT.replace(",", ".")),
  BlockedFor__c: orNull(legacy.SPERRGRUND),
  Note__c: orNull(legacy.BEMERKUNG)
})

const successors: Readonly<Record<string, string>> = { "NL-901": "NL-001" }

/**
 * What becomes of a failure: a corrected customer, or nothing where nobody knows better.
 * The people who own the data decided this, having seen the failures by their causes.
 */
export const fix = ({ error, record }: Outcome.Failed<Customer>): Effect.Effect<Customer | undefined> =>
  Effect.sync(() => {
    switch (error.code) {
      case "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST":
        return record.Status__c === "ruhend" ? { ...record, Status__c: "Inactive" } : undefined
      case "STRING_TOO_LONG":
        return { ...record, Name: record.Name.slice(0, 80), Note__c: `${record.Name}\n${record.Note__c ?? ""}` }
      case "INVALID_FIELD": {
        const successor = successors[record.Branch__r.Code__c]
        return successor === undefined ? undefined : { ...record, Branch__r: { Code__c: successor } }
      }
      case "FIELD_CUSTOM_VALIDATION_EXCEPTION":
        return error.fields.includes("CreditLimit__c")
          ? { ...record, CreditLimit__c: 0 }
          : { ...record, BlockedFor__c: "Not recorded" }
      default:
        return undefined
    }
  })
