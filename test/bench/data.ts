import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Field from "../../src/record/Field.ts"
import * as RecordCodec from "../../src/record/RecordCodec.ts"

/** What a query of ten columns gives. */
export const Account = Schema.Struct({
  Id: Field.Id,
  Name: Field.Text,
  Email__c: Field.Email,
  Phone: Field.Phone,
  Amount__c: Field.Currency,
  Active__c: Field.Boolean,
  CreatedDate: Field.DateTime,
  City__c: Field.Text,
  Key__c: Field.Text,
  Note__c: Schema.NullOr(Field.Text)
})

/** The same, as nothing but texts. */
export const Texts = Schema.Struct({
  Id: Schema.String,
  Name: Schema.String,
  Email__c: Schema.String,
  Phone: Schema.String,
  Amount__c: Schema.String,
  Active__c: Schema.String,
  CreatedDate: Schema.String,
  City__c: Schema.String,
  Key__c: Schema.String,
  Note__c: Schema.String
})

export const codecOf = <S extends RecordCodec.RecordSchema>(schema: S) => Result.getOrThrow(RecordCodec.make(schema))

const cities = ["Paris", "Berlin", "New York", "Tokyo", "London", "Madrid", "Rome"]

/** The `i`th record; with `dirty` 2 % of them have letters beyond ASCII, and 1 % a quote and a line break. */
export const account = (i: number, dirty: boolean): typeof Account.Type => {
  const hash = (i * 2_654_435_761) >>> 0
  return {
    Id: Option.getOrThrow(Field.toId18(`001D${(1e9 + i).toString(36).padStart(11, "0")}`)),
    Name: `Account ${i}`,
    Email__c: `user${i}@example.com`,
    Phone: `+1555${(hash % 9_000_000) + 1_000_000}`,
    Amount__c: (hash % 1_000_000) / 100,
    Active__c: (hash & 1) === 1,
    CreatedDate: DateTime.makeUnsafe(Date.UTC(2026, hash % 9, 10 + (hash % 10), 10, 20 + (hash % 10), hash % 60)),
    City__c: dirty && i % 50 === 0 ? "Zürich 東京" : (cities[hash % 7] ?? ""),
    Key__c: `EXT-${i}`,
    Note__c: dirty && i % 97 === 0 ? 'He said "hi"\nand left' : hash % 5 > 0 ? null : `note ${hash.toString(16)}`
  }
}

export const accounts = (count: number, dirty = false): ReadonlyArray<typeof Account.Type> =>
  Array.from({ length: count }, (_, i) => account(i, dirty))

/** The same for libraries that know no types of Effect. */
export const plainAccounts = (count: number) =>
  accounts(count, true).map((record) => ({ ...record, CreatedDate: DateTime.toDateUtc(record.CreatedDate) }))

/** The records as Salesforce sends them, every cell quoted, in the pieces that a socket gives. */
export const csvChunks = (count: number, dirty: boolean): ReadonlyArray<Uint8Array> => {
  const codec = codecOf(Account)
  const quoted = (cells: ReadonlyArray<string>) =>
    `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")}\n`
  const rows = accounts(count, dirty).map((record) => quoted(Result.getOrThrow(codec.encode(record, "ignore"))))
  const bytes = new TextEncoder().encode(quoted(codec.columns) + rows.join(""))
  const size = 65_536
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size))
}

/** How many records a round has. */
export const countOf = (quick: boolean): number => (quick ? 40_000 : 200_000)

/** What a load of ten columns takes. */
export const Load = Schema.Struct({
  Key__c: Field.Text,
  Name: Field.Text,
  Email__c: Field.Email,
  Phone: Field.Phone,
  Street__c: Field.Text,
  City__c: Field.Text,
  Amount__c: Field.Currency,
  Active__c: Field.Boolean,
  At__c: Field.DateTime,
  Note__c: Schema.NullOr(Field.Text)
})

/** After how many records a load begins anew: more than one job has of ours. */
export const loadCycle = 200_000

export const load = (i: number): typeof Load.Type => {
  const { Active__c, Amount__c, CreatedDate, City__c, Email__c, Key__c, Name, Note__c, Phone } = account(i, false)
  const Street__c = `${i % 1_000} Main Street`
  return { Key__c, Name, Email__c, Phone, Street__c, City__c, Amount__c, Active__c, At__c: CreatedDate, Note__c }
}

/** So many records, made as they are asked for of a few that are there, each with a key of its own. */
export function* cycle<A>(few: ReadonlyArray<A>, from: number, count: number): Generator<A> {
  for (let i = from; i < from + count; i++) yield { ...(few[i % few.length] as A), Key__c: `EXT-${i % loadCycle}` }
}

/** How many records are there to make others of. */
export const fewLoads = 1_000
