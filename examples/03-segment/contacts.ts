import { Schema } from "effect"
import { industries } from "../shared/seeded/companies.ts"
import { dayOf } from "../shared/seeded/dates.ts"
import { emailOf, personOf } from "../shared/seeded/people.ts"
import { countryOf, placeOf } from "../shared/seeded/places.ts"
import type { Random } from "../shared/seeded/Random.ts"
import { rows } from "../shared/seeded/rows.ts"

/** A contact with its engagement history. */
export class Contact extends Schema.Class<Contact>("Contact")({
  FirstName: Schema.String,
  LastName: Schema.String,
  Email: Schema.String,
  MailingCity: Schema.String,
  MailingCountry: Schema.String,
  Region__c: Schema.String,
  Industry__c: Schema.String,
  Emails_Opened__c: Schema.Int,
  Links_Clicked__c: Schema.Int,
  Site_Visits__c: Schema.Int,
  Events_Attended__c: Schema.Int,
  Last_Engaged__c: Schema.String
}) {}

/** How much those of an industry, and of a region, care for what they are sent. */
const interest: Readonly<Record<string, number>> = {
  Technology: 68,
  Healthcare: 58,
  Banking: 52,
  Education: 60,
  Energy: 40
}
const warmth = { Americas: 4, EMEA: 0, APAC: 10 }

const contact = (random: Random, row: number): Contact => {
  const country = countryOf(random)
  const { city } = placeOf(random, country)
  const { family, given } = personOf(random, country.tongue)
  const industry = random.pickSkewed(industries)
  const heat = random.bell((interest[industry] ?? 45) + warmth[country.region], 22, 0, 100)
  const opened = random.below(heat / 2 + 1)
  return new Contact({
    FirstName: given,
    LastName: family,
    Email: emailOf(random, row),
    MailingCity: city,
    MailingCountry: country.name,
    Region__c: country.region,
    Industry__c: industry,
    Emails_Opened__c: opened,
    Links_Clicked__c: random.below(opened / 2 + 1),
    Site_Visits__c: random.below(heat / 4 + 1),
    Events_Attended__c: heat > 55 ? random.below(4) : 0,
    Last_Engaged__c: dayOf(random)
  })
}

/** So many contacts, the same ones each time. */
export const contacts = (count: number) => rows({ seed: 3, count }, contact)
