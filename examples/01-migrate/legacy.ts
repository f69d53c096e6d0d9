/**
 * The old CRM, a German one, and what it exports: CSV with semicolons, column names of
 * its own, days as `31.12.1999` and numbers as `1250,00`.
 *
 * The export is made as it is read. It follows from the number of customers, so that it
 * can be read again, and is the same each time.
 */
import { Result, Schema, Stream } from "effect"
import { Csv, RecordCodec } from "../../src/index.ts"
import { companyOf } from "../shared/seeded/companies.ts"
import { dayOf } from "../shared/seeded/dates.ts"
import { emailOf, personOf } from "../shared/seeded/people.ts"
import { countryOf, placeOf } from "../shared/seeded/places.ts"
import type { Random } from "../shared/seeded/Random.ts"
import { rows } from "../shared/seeded/rows.ts"
import { noteOf } from "../shared/seeded/texts.ts"

/** A line of the export, as texts: what they mean, the migration knows. */
export const LegacyCustomer = Schema.Struct({
  KDNR: Schema.String,
  FIRMA: Schema.String,
  ANSPRECHPARTNER: Schema.String,
  EMAIL: Schema.String,
  TELEFON: Schema.String,
  STRASSE: Schema.String,
  PLZ: Schema.String,
  ORT: Schema.String,
  LAND: Schema.String,
  STATUS: Schema.String,
  NIEDERLASSUNG: Schema.String,
  KUNDE_SEIT: Schema.String,
  KREDITLIMIT: Schema.String,
  SPERRGRUND: Schema.String,
  BEMERKUNG: Schema.String
})
export type LegacyCustomer = typeof LegacyCustomer.Type

/** Where the company has branches; those that were closed are not among them. */
export const branches = Array.from({ length: 60 }, (_, i) => `NL-${String(i + 1).padStart(3, "0")}`)

/**
 * What is wrong with one of 3,500 customers: nobody ever looked, or it was right once.
 * Of fewer customers more are wrong, so that each kind is there.
 */
const flaws: ReadonlyArray<(customer: LegacyCustomer) => Partial<LegacyCustomer>> = [
  () => ({ STATUS: "ruhend" }),
  () => ({ NIEDERLASSUNG: "NL-901" }),
  ({ FIRMA }) => ({
    FIRMA: `${FIRMA}, vormals ${FIRMA} Handels- und Beteiligungsgesellschaft mbH Nachfolger`.repeat(2)
  }),
  () => ({ KREDITLIMIT: "-1,00" }),
  () => ({ STATUS: "gesperrt", SPERRGRUND: "" }),
  () => ({ STATUS: "ruhend" })
]

const usual = (random: Random, row: number): LegacyCustomer => {
  const country = countryOf(random)
  const place = placeOf(random, country)
  const day = dayOf(random)
  const blocked = random.chance(0.02)
  return {
    KDNR: `K-${String(row + 1).padStart(8, "0")}`,
    FIRMA: companyOf(random, country, place.city),
    ANSPRECHPARTNER: random.chance(0.1) ? "" : personOf(random, country.tongue).name,
    EMAIL: random.chance(0.15) ? "" : emailOf(random, row),
    TELEFON: place.phone,
    STRASSE: place.address,
    PLZ: place.postcode,
    ORT: place.city,
    LAND: country.code,
    STATUS: blocked ? "gesperrt" : random.pickSkewed(["aktiv", "inaktiv", "Interessent"]),
    NIEDERLASSUNG: random.pickSkewed(branches),
    KUNDE_SEIT: random.chance(0.03) ? "00.00.0000" : `${day.slice(8)}.${day.slice(5, 7)}.${day.slice(0, 4)}`,
    KREDITLIMIT: `${random.skewed(50_000)},${random.chance(0.5) ? "00" : "50"}`,
    SPERRGRUND: blocked ? random.pick(["Zahlungsverzug", "Insolvenz", 'Auf Wunsch ("bitte nicht anrufen")']) : "",
    BEMERKUNG: noteOf(random)
  }
}

const columns = Object.keys(LegacyCustomer.fields) as ReadonlyArray<keyof LegacyCustomer>

const dialect: Csv.Dialect = { columnDelimiter: "SEMICOLON", lineEnding: "CRLF" }

/** The export as the bytes of a file: `FileSystem.stream("kunden.csv")` would do as well. */
export const exported = (count: number): Stream.Stream<Uint8Array> => {
  const every = Math.max(1, Math.min(3_500, Math.floor(count / 60)))
  const line = (random: Random, row: number): Csv.Row => {
    const customer = usual(random, row)
    const flawed =
      row % every === every - 1
        ? { ...customer, ...flaws[Math.floor(row / every) % flaws.length]?.(customer) }
        : customer
    return columns.map((column) => flawed[column])
  }
  return Stream.succeed<Csv.Row>(columns).pipe(Stream.concat(rows({ seed: 1, count }, line)), Csv.encodeWith(dialect))
}

/** Reads an export. Fails with `CsvError` or `MissingColumn` if it is none. */
export const read = RecordCodec.decode(Result.getOrThrow(RecordCodec.make(LegacyCustomer)), dialect)
