import { assert, describe, it } from "@effect/vitest"
import { Effect, Stdio, Stream } from "effect"
import { companyOf } from "../../examples/shared/seeded/companies.ts"
import { dayOf } from "../../examples/shared/seeded/dates.ts"
import { emailOf, personOf } from "../../examples/shared/seeded/people.ts"
import { countryOf, placeOf } from "../../examples/shared/seeded/places.ts"
import { Random } from "../../examples/shared/seeded/Random.ts"
import { rows } from "../../examples/shared/seeded/rows.ts"
import { noteOf } from "../../examples/shared/seeded/texts.ts"
import { rowsOfRun } from "../../examples/shared/size.ts"

const customer = (random: Random, row: number) => {
  const country = countryOf(random)
  const place = placeOf(random, country)
  return {
    ...personOf(random, country.tongue),
    ...place,
    country: country.code,
    company: companyOf(random, country, place.city),
    email: emailOf(random, row),
    note: noteOf(random),
    since: dayOf(random)
  }
}

const made = (seed: number, count: number) => Stream.runCollect(rows({ seed, count }, customer))

describe("seeded data", () => {
  it.effect("is the same for the same seed, and each row the same by itself", () =>
    Effect.gen(function* () {
      const some = yield* made(1, 1_234)
      assert.strictEqual(some.length, 1_234)
      assert.deepStrictEqual(some, yield* made(1, 1_234))
      assert.notDeepEqual(some, yield* made(2, 1_234))
      assert.deepStrictEqual(some[1_000], customer(new Random(1).at(1_000), 1_000))
      assert.strictEqual(new Set(some.map(({ email }) => email)).size, 1_234)
    })
  )

  it.effect("has what real data has: scripts, quotes, line breaks, emoji, empty and long texts, skewed keys", () =>
    Effect.gen(function* () {
      const all = yield* made(1, 20_000)
      const some = (what: RegExp, of: (each: (typeof all)[number]) => string, share: number) => {
        const found = all.filter((each) => what.test(of(each))).length / all.length
        assert.isAbove(found, share / 2, `${what}`)
        assert.isBelow(found, share * 2, `${what}`)
      }
      for (const script of ["Cyrillic", "Greek", "Arabic", "Han", "Hangul", "Devanagari"]) {
        assert.isTrue(
          all.some(({ name }) => new RegExp(`\\p{Script=${script}}`, "u").test(name)),
          script
        )
      }
      some(/\n/, ({ note }) => note, 0.08)
      some(/"/, ({ note }) => note, 0.15)
      some(/\p{Extended_Pictographic}/u, ({ note }) => note, 0.15)
      some(/^$/, ({ note }) => note, 0.4)
      some(/^.{2000,}$/s, ({ note }) => note, 0.002)
      some(/,/, ({ company }) => company, 0.15)
      const of = (code: string) => all.filter(({ country }) => country === code).length
      assert.isAbove(of("US"), 5 * of("SE"))
      assert.isAbove(of("TR"), 0)
      assert.isTrue(all.every(({ since }) => /^(199\d|20[012]\d)-\d\d-\d\d$/.test(since)))
    })
  )

  it("draws numbers that are spread evenly", () => {
    const random = new Random(7)
    const found = new Array<number>(10).fill(0)
    for (let row = 0; row < 100_000; row++) found[random.at(row).below(10)]!++
    for (const each of found) assert.closeTo(each, 10_000, 500)
  })
})

describe("the size of a run", () => {
  const sizes = { usual: 20, full: 4_200_000 }
  const of = (...args: Array<string>) =>
    rowsOfRun(sizes).pipe(Effect.provide(Stdio.layerTest({ args: Effect.succeed(args) })))

  it.effect("is what the arguments say", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* of(), 20)
      assert.strictEqual(yield* of("--full"), 4_200_000)
      assert.strictEqual(yield* of("--rows", "300"), 300)
      for (const args of [["--rows", "0"], ["--rows", "many"], ["--rows"], ["--ful"], ["300"]]) {
        assert.strictEqual((yield* Effect.flip(of(...args)))._tag, "InvalidSize", args.join(" "))
      }
    })
  )
})
