import { type Person, personOf } from "./people.ts"
import type { Country, Tongue } from "./places.ts"
import type { Random } from "./Random.ts"

/** The branches customers are in, the frequent ones first. */
export const industries: ReadonlyArray<string> = [
  "Retail",
  "Manufacturing",
  "Technology",
  "Healthcare",
  "Banking",
  "Transportation",
  "Education",
  "Energy"
]

const general: ReadonlyArray<(owner: Person, city: string) => string> = [
  ({ family }) => `${family} & Sons, Inc.`,
  (_, city) => `${city} Trading Co., Ltd.`,
  ({ family }) => `"${family}'s" Workshop`,
  ({ family }, city) => `${family} ${city} Logistics`,
  ({ name }) => `${name} Consulting`
]

/** What companies are called where they are called otherwise. */
const special: { readonly [T in Tongue]?: ReadonlyArray<(owner: Person, city: string) => string> } = {
  german: [
    ({ family }) => `${family} GmbH & Co. KG`,
    (_, city) => `Stadtwerke ${city} AG`,
    ({ family }) => `Bäckerei "${family}"`
  ],
  french: [({ family }) => `Société ${family} et Fils, S.A.R.L.`, (_, city) => `Pâtisserie de ${city}`],
  polish: [({ family }) => `Zakład "${family}" sp. z o.o.`, (_, city) => `Spółdzielnia ${city}`],
  russian: [({ family }) => `ТОО «${family}»`, (_, city) => `${city} Строй, АО`],
  greek: [({ family }) => `${family} Α.Ε.`, (_, city) => `Εμπορική ${city} Ο.Ε.`],
  arabic: [({ family }) => `شركة ${family} للتجارة`, (_, city) => `مؤسسة ${city}، ذ.م.م`],
  chinese: [({ family }, city) => `${city}${family}氏贸易有限公司`, (_, city) => `${city}科技（集团）有限公司`],
  japanese: [({ family }) => `株式会社${family}商店`, (_, city) => `${city}電機株式会社`],
  korean: [({ family }) => `(주)${family}전자`, (_, city) => `${city}물산`],
  hindi: [({ family }) => `${family} ट्रेडर्स`, (_, city) => `${city} Exports Pvt. Ltd.`]
}

/** A company in a city of a country, named after somebody or something there. */
export const companyOf = (random: Random, country: Country, city: string): string =>
  random.pick(special[country.tongue] ?? general)(personOf(random, country.tongue), city)
