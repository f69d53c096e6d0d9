import { Effect } from "effect"
import { Ingest } from "../../src/index.ts"
import { companyOf, industries } from "../shared/seeded/companies.ts"
import { emailOf, personOf } from "../shared/seeded/people.ts"
import { countryOf, placeOf } from "../shared/seeded/places.ts"
import { rows } from "../shared/seeded/rows.ts"
import { Account, AccountParent, Contact, ContactReportsTo } from "./schemas.ts"

const accountNumber = (row: number) => `A-${row + 1}`
const contactNumber = (row: number) => `C-${row + 1}`

/**
 * Fills an org with so many contacts, and a fourth as many accounts. One account in five
 * is part of another, few have very many contacts, some contacts have no account, and one
 * in three reports to another one.
 */
export const fill = (contacts: number) =>
  Effect.gen(function* () {
    const accounts = Math.ceil(contacts / 4)
    const upsert = { operation: "upsert", externalId: "Number__c", nulls: "ignore" } as const
    yield* rows({ seed: 1, count: accounts }, (random, row) => {
      const country = countryOf(random)
      const { city } = placeOf(random, country)
      return {
        Number__c: accountNumber(row),
        Name: companyOf(random, country, city),
        Industry: random.chance(0.1) ? null : random.pickSkewed(industries),
        BillingCity: city
      }
    }).pipe(Ingest.run({ ...upsert, object: "Account", schema: Account }))
    yield* rows({ seed: 2, count: Math.floor(accounts / 5) }, (random, row) => ({
      Number__c: accountNumber(row * 5),
      Parent: { Number__c: accountNumber(random.skewed(Math.floor(accounts / 5)) * 5 + 1) }
    })).pipe(Ingest.run({ ...upsert, object: "Account", schema: AccountParent }))
    yield* rows({ seed: 3, count: contacts }, (random, row) => {
      const { family, given } = personOf(random, countryOf(random).tongue)
      return {
        Number__c: contactNumber(row),
        FirstName: given,
        LastName: family,
        Email: random.chance(0.2) ? null : emailOf(random, row),
        Account: random.chance(0.05) ? null : { Number__c: accountNumber(random.skewed(accounts)) }
      }
    }).pipe(Ingest.run({ ...upsert, object: "Contact", schema: Contact }))
    yield* rows({ seed: 4, count: Math.floor(contacts / 3) }, (random, row) => ({
      Number__c: contactNumber(row * 3),
      ReportsTo: { Number__c: contactNumber(random.below(Math.floor(contacts / 3)) * 3 + 1) }
    })).pipe(Ingest.run({ ...upsert, object: "Contact", schema: ContactReportsTo }))
  })
