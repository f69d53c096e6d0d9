import type { Random } from "./Random.ts"

/** How the people of a country are called; see `people.ts`. */
export type Tongue =
  | "arabic"
  | "chinese"
  | "czech"
  | "english"
  | "french"
  | "german"
  | "greek"
  | "hindi"
  | "japanese"
  | "korean"
  | "nordic"
  | "polish"
  | "portuguese"
  | "russian"
  | "spanish"
  | "turkish"

export interface Country {
  /** Its two letters. */
  readonly code: string
  readonly name: string
  /** The sales region that it belongs to. */
  readonly region: "Americas" | "EMEA" | "APAC"
  readonly tongue: Tongue
  readonly dialling: string
  readonly cities: ReadonlyArray<readonly [city: string, state: string]>
  readonly streets: ReadonlyArray<string>
  readonly address: (street: string, house: number) => string
  readonly postcode: (n: number) => string
}

const digits = (length: number) => (n: number) => String(n % 10 ** length).padStart(length, "0")
const houseFirst = (street: string, house: number) => `${house} ${street}`
const houseLast = (street: string, house: number) => `${street} ${house}`
const afterComma = (street: string, house: number) => `${street}, ${house}`

/** The countries customers live in, those with the most of them first. */
const countries: ReadonlyArray<Country> = [
  {
    code: "US",
    name: "United States",
    region: "Americas",
    tongue: "english",
    dialling: "+1",
    cities: [
      ["New York", "NY"],
      ["Los Angeles", "CA"],
      ["Chicago", "IL"],
      ["Houston", "TX"],
      ["Phoenix", "AZ"],
      ["Seattle", "WA"],
      ["Coeur d'Alene", "ID"],
      ["Winston-Salem", "NC"]
    ],
    streets: ["Main Street", "Oak Avenue", "Martin Luther King Jr. Boulevard", "2nd Street NW", "Elm Court"],
    address: (street, house) => (house % 7 === 0 ? `${house} ${street}, Apt. ${house % 40}` : `${house} ${street}`),
    postcode: digits(5)
  },
  {
    code: "DE",
    name: "Germany",
    region: "EMEA",
    tongue: "german",
    dialling: "+49",
    cities: [
      ["Berlin", "BE"],
      ["München", "BY"],
      ["Köln", "NW"],
      ["Düsseldorf", "NW"],
      ["Görlitz", "SN"],
      ["Frankfurt (Oder)", "BB"]
    ],
    streets: ["Hauptstraße", "Bahnhofstraße", "Schönhauser Allee", "Am Mühlbach", "Königsweg"],
    address: houseLast,
    postcode: digits(5)
  },
  {
    code: "JP",
    name: "Japan",
    region: "APAC",
    tongue: "japanese",
    dialling: "+81",
    cities: [
      ["東京", "東京都"],
      ["大阪", "大阪府"],
      ["横浜", "神奈川県"],
      ["札幌", "北海道"],
      ["福岡", "福岡県"]
    ],
    streets: ["丸の内", "銀座", "梅田", "本町", "中央通り"],
    address: (street, house) => `${street}${1 + (house % 9)}丁目${house}番`,
    postcode: (n) => `${digits(3)(n)}-${digits(4)(n >>> 3)}`
  },
  {
    code: "GB",
    name: "United Kingdom",
    region: "EMEA",
    tongue: "english",
    dialling: "+44",
    cities: [
      ["London", "ENG"],
      ["Manchester", "ENG"],
      ["Stoke-on-Trent", "ENG"],
      ["Edinburgh", "SCT"],
      ["Llanfairpwllgwyngyll", "WLS"]
    ],
    streets: ["High Street", "Church Lane", "King's Road", "Station Approach", "The Green"],
    address: houseFirst,
    postcode: (n) => `${["SW", "M", "EH", "LL"][n & 3]}${1 + (n % 19)} ${n % 10}AB`
  },
  {
    code: "FR",
    name: "France",
    region: "EMEA",
    tongue: "french",
    dialling: "+33",
    cities: [
      ["Paris", "IDF"],
      ["Lyon", "ARA"],
      ["Saint-Étienne", "ARA"],
      ["Nîmes", "OCC"],
      ["Besançon", "BFC"]
    ],
    streets: ["rue de la République", "avenue du Général-de-Gaulle", "place de l'Église", "chemin des Prés"],
    address: (street, house) => `${house}, ${street}`,
    postcode: digits(5)
  },
  {
    code: "CN",
    name: "China",
    region: "APAC",
    tongue: "chinese",
    dialling: "+86",
    cities: [
      ["上海", "上海市"],
      ["北京", "北京市"],
      ["深圳", "广东省"],
      ["成都", "四川省"],
      ["呼和浩特", "内蒙古自治区"]
    ],
    streets: ["南京路", "人民大道", "中山路", "解放街"],
    address: (street, house) => `${street}${house}号`,
    postcode: digits(6)
  },
  {
    code: "BR",
    name: "Brazil",
    region: "Americas",
    tongue: "portuguese",
    dialling: "+55",
    cities: [
      ["São Paulo", "SP"],
      ["Rio de Janeiro", "RJ"],
      ["Brasília", "DF"],
      ["Goiânia", "GO"]
    ],
    streets: ["Rua das Flores", "Avenida Paulista", "Travessa São João", "Praça da Sé"],
    address: afterComma,
    postcode: (n) => `${digits(5)(n)}-${digits(3)(n >>> 4)}`
  },
  {
    code: "MX",
    name: "Mexico",
    region: "Americas",
    tongue: "spanish",
    dialling: "+52",
    cities: [
      ["Ciudad de México", "CMX"],
      ["Mérida", "YUC"],
      ["León", "GUA"],
      ["San Luis Potosí", "SLP"]
    ],
    streets: ["Calle 5 de Mayo", "Avenida Insurgentes", "Privada Ñandú", "Calle Hidalgo"],
    address: (street, house) => `${street} Nº ${house}`,
    postcode: digits(5)
  },
  {
    code: "PL",
    name: "Poland",
    region: "EMEA",
    tongue: "polish",
    dialling: "+48",
    cities: [
      ["Warszawa", "MZ"],
      ["Łódź", "LD"],
      ["Kraków", "MA"],
      ["Świętochłowice", "SL"]
    ],
    streets: ["ul. Słowackiego", "al. Jerozolimskie", "ul. Żółkiewskiego", "pl. Wolności"],
    address: houseLast,
    postcode: (n) => `${digits(2)(n)}-${digits(3)(n >>> 4)}`
  },
  {
    code: "IN",
    name: "India",
    region: "APAC",
    tongue: "hindi",
    dialling: "+91",
    cities: [
      ["मुंबई", "MH"],
      ["दिल्ली", "DL"],
      ["Bengaluru", "KA"],
      ["कोलकाता", "WB"]
    ],
    streets: ["गांधी मार्ग", "M.G. Road", "नेहरू नगर", "Linking Road"],
    address: (street, house) => `${house}/${1 + (house % 12)}, ${street}`,
    postcode: digits(6)
  },
  {
    code: "KZ",
    name: "Kazakhstan",
    region: "EMEA",
    tongue: "russian",
    dialling: "+7",
    cities: [
      ["Алматы", "ALA"],
      ["Астана", "AST"],
      ["Усть-Каменогорск", "VOS"]
    ],
    streets: ["улица Абая", "проспект Достык", "улица Жибек Жолы"],
    address: (street, house) => `${street}, д. ${house}`,
    postcode: digits(6)
  },
  {
    code: "KR",
    name: "South Korea",
    region: "APAC",
    tongue: "korean",
    dialling: "+82",
    cities: [
      ["서울", "서울특별시"],
      ["부산", "부산광역시"],
      ["수원", "경기도"]
    ],
    streets: ["세종대로", "테헤란로", "해운대로"],
    address: houseLast,
    postcode: digits(5)
  },
  {
    code: "AE",
    name: "United Arab Emirates",
    region: "EMEA",
    tongue: "arabic",
    dialling: "+971",
    cities: [
      ["دبي", "DU"],
      ["أبوظبي", "AZ"],
      ["الشارقة", "SH"]
    ],
    streets: ["شارع الشيخ زايد", "شارع الكورنيش", "Al Wasl Road"],
    address: (street, house) => `${street} ${house}`,
    postcode: () => ""
  },
  {
    code: "GR",
    name: "Greece",
    region: "EMEA",
    tongue: "greek",
    dialling: "+30",
    cities: [
      ["Αθήνα", "I"],
      ["Θεσσαλονίκη", "B"],
      ["Ηράκλειο", "M"]
    ],
    streets: ["Οδός Ερμού", "Λεωφόρος Συγγρού", "Πλατεία Ομονοίας"],
    address: houseLast,
    postcode: (n) => `${digits(3)(n)} ${digits(2)(n >>> 4)}`
  },
  {
    code: "SE",
    name: "Sweden",
    region: "EMEA",
    tongue: "nordic",
    dialling: "+46",
    cities: [
      ["Stockholm", "AB"],
      ["Göteborg", "O"],
      ["Malmö", "M"],
      ["Östersund", "Z"]
    ],
    streets: ["Storgatan", "Södra vägen", "Kyrkogränd", "Ängsstigen"],
    address: houseLast,
    postcode: (n) => `${digits(3)(n)} ${digits(2)(n >>> 4)}`
  },
  {
    code: "CZ",
    name: "Czechia",
    region: "EMEA",
    tongue: "czech",
    dialling: "+420",
    cities: [
      ["Praha", "PR"],
      ["Brno", "JM"],
      ["Ústí nad Labem", "US"]
    ],
    streets: ["Nádražní", "Dlouhá třída", "Příčná", "náměstí Míru"],
    address: houseLast,
    postcode: (n) => `${digits(3)(n)} ${digits(2)(n >>> 4)}`
  },
  {
    code: "TR",
    name: "Türkiye",
    region: "EMEA",
    tongue: "turkish",
    dialling: "+90",
    cities: [
      ["İstanbul", "34"],
      ["İzmir", "35"],
      ["Eskişehir", "26"],
      ["Şanlıurfa", "63"]
    ],
    streets: ["Atatürk Caddesi", "İstiklal Caddesi", "Gül Sokağı"],
    address: (street, house) => `${street} No: ${house}`,
    postcode: digits(5)
  }
]

/** A country; of the first ones there are far more than of the last. */
export const countryOf = (random: Random): Country => random.pickSkewed(countries)

export interface Place {
  readonly city: string
  readonly state: string
  /** The street and the house. */
  readonly address: string
  readonly postcode: string
  readonly phone: string
}

/** An address in a country, with a telephone. */
export const placeOf = (random: Random, country: Country): Place => {
  const [city, state] = random.pickSkewed(country.cities)
  const n = random.below(1_000_000)
  return {
    city,
    state,
    address: country.address(random.pick(country.streets), 1 + random.skewed(400)),
    postcode: country.postcode(n),
    phone: `${country.dialling} ${100 + (n % 900)} ${1_000_000 + n * 7}`
  }
}
