import type { Tongue } from "./places.ts"
import type { Random } from "./Random.ts"

interface Names {
  readonly given: ReadonlyArray<string>
  readonly family: ReadonlyArray<string>
}

/** Given and family names, the frequent ones first, in the script they are written in. */
const names: Readonly<Record<Tongue, Names>> = {
  english: {
    given: ["Mary", "James", "Olivia", "Robert", "Siobhán", "Zoë", "DeShawn", "Anne-Marie", "T.J."],
    family: ["Smith", "Johnson", "Williams", "O'Brien", "Brontë", "MacDonald", "Smith-Jones", "Nguyen", "Li"]
  },
  german: {
    given: ["Hans", "Jürgen", "Käthe", "Björn", "Anneliese", "Jörg", "Lea"],
    family: ["Müller", "Schmidt", "Weiß", "Schäfer", "von der Heide", "Köhler", "Großmann"]
  },
  french: {
    given: ["Jean", "Chloé", "François", "Anaïs", "Hélène", "Noël"],
    family: ["Martin", "Lefèvre", "D'Aramitz", "Gauthier", "de La Fontaine", "Françoise"]
  },
  spanish: {
    given: ["María", "José", "Íñigo", "Lucía", "Ángel"],
    family: ["García", "Núñez", "Peña", "Muñoz y Ruiz", "Hernández"]
  },
  portuguese: {
    given: ["João", "Ana", "Conceição", "Luís", "Antônia"],
    family: ["da Silva", "Gonçalves", "Araújo", "dos Santos", "Magalhães"]
  },
  polish: {
    given: ["Łukasz", "Małgorzata", "Paweł", "Żaneta"],
    family: ["Nowak", "Wójcik", "Dąbrowska", "Święcicki", "Źdźbło"]
  },
  czech: {
    given: ["Jiří", "Kateřina", "Ondřej", "Božena"],
    family: ["Novák", "Dvořáková", "Příhoda", "Šťastný"]
  },
  nordic: {
    given: ["Åsa", "Björn", "Søren", "Märta"],
    family: ["Andersson", "Sjöberg", "Ångström", "Nørgård"]
  },
  turkish: {
    given: ["İbrahim", "Ayşe", "Çağlar", "Gülşen"],
    family: ["Yılmaz", "Öztürk", "Çelik", "Işık"]
  },
  greek: {
    given: ["Γιώργος", "Ελένη", "Κωνσταντίνος", "Σοφία"],
    family: ["Παπαδόπουλος", "Νικολάου", "Γεωργίου", "Οικονόμου"]
  },
  russian: {
    given: ["Алексей", "Ольга", "Дмитрий", "Алёна", "Айгуль"],
    family: ["Ахметов", "Кузнецова", "Щербаков", "Сулейменов", "Ефимов"]
  },
  arabic: {
    given: ["محمد", "فاطمة", "أحمد", "عائشة", "يوسف"],
    family: ["الحسن", "عبد الله", "المنصوري", "القاسمي"]
  },
  hindi: {
    given: ["राहुल", "प्रिया", "अमित", "सुनीता"],
    family: ["शर्मा", "सिंह", "पटेल", "गुप्ता"]
  },
  chinese: {
    given: ["伟", "芳", "秀英", "建国", "𣇉"],
    family: ["王", "李", "张", "欧阳", "刘"]
  },
  japanese: {
    given: ["太郎", "さくら", "陽菜", "健一", "タカシ"],
    family: ["佐藤", "鈴木", "髙橋", "渡邉", "五十嵐"]
  },
  korean: {
    given: ["민준", "서연", "지우", "하늘"],
    family: ["김", "이", "박", "남궁"]
  }
}

/** A family name before the given one, with nothing between them. */
const familyFirst: ReadonlySet<Tongue> = new Set(["chinese", "japanese", "korean"])

export interface Person {
  readonly given: string
  readonly family: string
  /** Both, as the person writes them. */
  readonly name: string
}

export const personOf = (random: Random, tongue: Tongue): Person => {
  const { family, given } = names[tongue]
  const person = { given: random.pickSkewed(given), family: random.pickSkewed(family) }
  return {
    ...person,
    name: familyFirst.has(tongue) ? person.family + person.given : `${person.given} ${person.family}`
  }
}

const mailboxes = ["example.com", "mail.example.com", "example.org", "post.example.net"]

/** The mail address of the person with this number, whom no other one shares it with. */
export const emailOf = (random: Random, row: number): string => `p${row.toString(36)}@${random.pickSkewed(mailboxes)}`
