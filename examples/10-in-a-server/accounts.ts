import { Effect, Schema, Stream } from "effect"
import { Ingest } from "../../src/index.ts"

class Account extends Schema.Class<Account>("Account")({
  Name: Schema.String,
  Industry: Schema.String,
  BillingCity: Schema.String,
  AnnualRevenue: Schema.Finite
}) {}

const industries = ["Energy", "Banking", "Healthcare", "Retail", "Technology"]
const cities = ["Lyon", "Osaka", "Łódź", "São Paulo"]

/** Inserts so many accounts, and gives how many there are of them. */
export const fill = (accounts: number) =>
  Stream.range(1, accounts).pipe(
    Stream.map(
      (n) =>
        new Account({
          Name: n % 9 === 0 ? `Account "${n}", Holding` : `Account ${n}`,
          Industry: industries[n % industries.length] ?? "Other",
          BillingCity: cities[n % cities.length] ?? "",
          AnnualRevenue: n * 1_000
        })
    ),
    Ingest.run({ operation: "insert", object: "Account", schema: Account, onInterrupt: "abort" }),
    Effect.map(({ succeeded }) => succeeded)
  )
