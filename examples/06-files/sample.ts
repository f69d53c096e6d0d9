import { Effect, FileSystem, Path, Stream } from "effect"
import { Csv } from "../../src/index.ts"
import { companyOf, industries } from "../shared/seeded/companies.ts"
import { countryOf, placeOf } from "../shared/seeded/places.ts"
import type { Random } from "../shared/seeded/Random.ts"
import { rows } from "../shared/seeded/rows.ts"
import { noteOf } from "../shared/seeded/texts.ts"

const header = [
  "Name",
  "Phone",
  "BillingStreet",
  "BillingPostalCode",
  "BillingCity",
  "BillingCountry",
  "Industry",
  "AnnualRevenue",
  "NumberOfEmployees",
  "Description"
]

/** An account; of fifty one has no name, one a revenue that is no number, and one a telephone that is too long. */
const accountOf = (random: Random, row: number): Csv.Row => {
  const country = countryOf(random)
  const { address, city, phone, postcode } = placeOf(random, country)
  const flaw = row % 50
  return [
    flaw === 7 ? "" : companyOf(random, country, city),
    flaw === 21 ? `${phone} (mornings), or ask at the front desk` : phone,
    address,
    postcode,
    city,
    country.name,
    random.pickSkewed(industries),
    flaw === 35 ? "unknown" : String(1_000 * random.skewed(100_000)),
    String(1 + random.skewed(5_000)),
    noteOf(random)
  ]
}

/** Writes a file of accounts as spreadsheet programs write CSV: semicolons, a byte order mark, CRLF. Gives its path. */
export const writeSample = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(yield* fs.makeTempDirectory({ prefix: "example-06-" }), "accounts.csv")
  yield* Stream.succeed<Csv.Row>(header).pipe(
    Stream.concat(rows({ seed: 6, count: 500 }, accountOf)),
    Csv.encodeWith({ columnDelimiter: "SEMICOLON", lineEnding: "CRLF" }),
    (csv) => Stream.concat(Stream.succeed(new TextEncoder().encode("\ufeff")), csv),
    Stream.run(fs.sink(file))
  )
  return file
})
