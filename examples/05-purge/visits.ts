import { DateTime, Effect, Schema } from "effect"
import { Ingest } from "../../src/index.ts"
import { emailOf } from "../shared/seeded/people.ts"
import { rows } from "../shared/seeded/rows.ts"

const Visit = Schema.Struct({
  Name: Schema.String,
  Email__c: Schema.String,
  Page__c: Schema.String,
  Day__c: Schema.String
})

const pages = ["/", "/shop", "/shop/éclairs?size=L", "/search?q=10%22+pipe", "/help, contact"]

/** Fills an org with so many visits, of the last ten years; the more recent, the more of them. */
export const fill = (count: number) =>
  Effect.gen(function* () {
    const today = DateTime.removeTime(yield* DateTime.now)
    const visits = rows({ seed: 5, count }, (random, row) => ({
      Name: `Visit ${row + 1}`,
      Email__c: emailOf(random, row),
      Page__c: random.pickSkewed(pages),
      Day__c: DateTime.formatIsoDateUtc(DateTime.subtract(today, { days: random.skewed(3_650) }))
    }))
    yield* Ingest.run({ operation: "insert", object: "Visit__c", schema: Visit })(visits)
  })
