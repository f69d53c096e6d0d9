import { Schema } from "effect"

/**
 * What is copied. Records are told apart by a number of the business, and refer to each
 * other by it: no schema has an `Id`, so that no id of one org can get into the other.
 */
const Numbered = Schema.Struct({ Number__c: Schema.String })

export const Account = Schema.Struct({
  Number__c: Schema.String,
  Name: Schema.String,
  Industry: Schema.NullOr(Schema.String),
  BillingCity: Schema.NullOr(Schema.String)
})

export const AccountParent = Schema.Struct({ Number__c: Schema.String, Parent: Schema.NullOr(Numbered) })

export const Contact = Schema.Struct({
  Number__c: Schema.String,
  FirstName: Schema.NullOr(Schema.String),
  LastName: Schema.String,
  Email: Schema.NullOr(Schema.String),
  Account: Schema.NullOr(Numbered)
})

export const ContactReportsTo = Schema.Struct({ Number__c: Schema.String, ReportsTo: Schema.NullOr(Numbered) })
