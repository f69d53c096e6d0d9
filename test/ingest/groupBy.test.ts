import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Schema, Stream } from "effect"
import * as Ingest from "../../src/ingest/Ingest.ts"
import * as Spool from "../../src/ingest/Spool.ts"
import { Rounded, Widget, widget } from "../support/widgets.ts"

class SourceBroke extends Data.TaggedError("SourceBroke") {}

const count = 5_000

/** Widgets of 97 grades, scattered. */
const scattered = Array.from({ length: count }, (_, n) =>
  widget(n, { Grade__c: n % 50 === 0 ? null : `g${(n * 31) % 97}` })
)

describe("Ingest.groupBy", () => {
  it.effect("brings records with the same value together, in their order, from runs in the spool", () =>
    Effect.gen(function* () {
      let runs = 0
      const memory = Spool.memory()
      const spool: Spool.Kind = {
        ...memory,
        open: (options) => {
          runs++
          return memory.open(options)
        }
      }
      const grouped = yield* Stream.fromIterable(scattered).pipe(
        Ingest.groupBy({ schema: Widget, column: "Grade__c", inMemory: 700, spool }),
        Stream.runCollect
      )
      assert.strictEqual(runs, Math.ceil(count / 700))
      const by = (w: Widget) => w.Grade__c ?? ""
      // a stable sort is what it should be
      assert.deepStrictEqual(
        grouped,
        scattered.toSorted((a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0))
      )
    })
  )

  it.effect("knows records by their columns, whatever their fields are called", () =>
    Effect.gen(function* () {
      const Named = Schema.Struct({ grade: Schema.String }).pipe(Schema.encodeKeys({ grade: "Grade__c" }))
      const grouped = Stream.make("b", "a", "b", "a").pipe(
        Stream.map((grade) => ({ grade })),
        Ingest.groupBy({ schema: Named, column: "Grade__c" }),
        Stream.map(({ grade }) => grade),
        Stream.runCollect
      )
      assert.deepStrictEqual(yield* grouped, ["a", "a", "b", "b"])
    })
  )

  it.effect("gives nothing for nothing, names a column that is none, and passes on how the source fails", () =>
    Effect.gen(function* () {
      const by = (column: string) => Ingest.groupBy({ schema: Widget, column })
      assert.deepStrictEqual(yield* Stream.empty.pipe(by("Grade__c"), Stream.runCollect), [])
      const wrong = yield* Stream.make(widget(1)).pipe(by("Colour__c"), Stream.runDrain, Effect.flip)
      assert.match(wrong.message, /^groupBy: Colour__c is no column of the schema/)
      const none = Ingest.groupBy({ schema: Widget, column: "Grade__c", inMemory: 0 })
      const zero = yield* Stream.make(widget(1)).pipe(none, Stream.runDrain, Effect.flip)
      assert.strictEqual(zero.message, "groupBy: inMemory is 0")
      const Tagged = Schema.Struct({ Name: Schema.String, Tags: Schema.Array(Schema.String) })
      const odd = yield* Stream.empty.pipe(
        Ingest.groupBy({ schema: Tagged, column: "Name" }),
        Stream.runDrain,
        Effect.flip
      )
      assert.match(odd.message, /^groupBy: column Tags/)
      // what is no record of the schema cannot wait
      const stranger = { ...widget(1) } as Widget
      const unkept = yield* Stream.make(stranger).pipe(by("Grade__c"), Stream.runDrain, Effect.flip)
      assert.strictEqual(unkept.reason._tag, "SpoolFailed")
      // nor what could not be read again: that is said before anything is given
      const counts = [...Array.from({ length: 1_000 }, () => 1), 0.001]
      const tiny = yield* Stream.fromIterable(counts).pipe(
        Stream.map((Count__c, i) => ({ Key__c: `K-${i}`, Name: "x", Grade__c: "A", Count__c })),
        Ingest.groupBy({ schema: Rounded, column: "Grade__c" }),
        Stream.tap(() => Effect.die("one was given")),
        Stream.runDrain,
        Effect.flip
      )
      assert.strictEqual(tiny.reason._tag, "SpoolFailed")
      const broken = yield* Stream.fail(new SourceBroke()).pipe(by("Grade__c"), Stream.runDrain, Effect.flip)
      assert.deepStrictEqual(broken, new SourceBroke())
    })
  )
})
