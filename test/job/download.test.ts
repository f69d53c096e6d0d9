import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result, Schedule, Schema, Stream } from "effect"
import * as BulkError from "../../src/BulkError.ts"
import { Connection, type Download } from "../../src/connection/Connection.ts"
import { download } from "../../src/job/download.ts"
import { type Kernel, loopKernel, Passage, wasmKernel } from "../../src/job/passage.ts"
import { random } from "../record/random.ts"

const csv = '"Id","Note"\n"1","a ""b"""\n"2","two\nlines"\n"3","é"\n'
const utf8 = new TextEncoder()
const lost = BulkError.make(new BulkError.ConnectionLost({ request: "GET /csv", cause: "cut" }))
const notFound = new BulkError.ApiError({
  request: "GET /csv",
  status: 404,
  code: "NOT_FOUND",
  detail: "The requested resource does not exist",
  body: "",
  retryAfter: undefined
})

/** An answer with a text, cut into pieces, which may break off. */
const answer = (
  text: string,
  options: { readonly rows?: number | undefined; readonly piece?: number; readonly cutAt?: number } = {}
): Download => {
  const bytes = utf8.encode(text).subarray(0, options.cutAt)
  const pieces: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length; at += options.piece ?? 7) pieces.push(bytes.slice(at, at + (options.piece ?? 7)))
  const stream = Stream.fromIterable(pieces).pipe(Stream.rechunk(2))
  return {
    headers: options.rows === undefined ? {} : { rows: String(options.rows) },
    bytes: options.cutAt === undefined ? stream : Stream.concat(stream, Stream.fail(lost))
  }
}

/** A connection that gives these answers in turn, the last one for good, and counts them. */
const scripted = (answers: ReadonlyArray<Download | BulkError.BulkError>) => {
  const asked = { count: 0, open: 0 }
  const connection = Connection.of({
    org: Effect.undefined,
    retry: (self: Effect.Effect<never, BulkError.BulkError>) =>
      Effect.retry(self, { schedule: Schedule.recurs(3), while: (error) => error.isRetryable }),
    bytes: () =>
      Effect.acquireRelease(
        Effect.suspend(() => {
          const given = answers[Math.min(asked.count++, answers.length - 1)]
          return given === undefined || "reason" in given
            ? Effect.fail(given)
            : Effect.sync(() => asked.open++).pipe(Effect.as(given))
        }),
        () => Effect.sync(() => asked.open--)
      )
  } as never)
  return { asked, layer: Layer.succeed(Connection, connection) }
}

const source = {
  jobId: "750A",
  path: "/csv",
  look: Effect.succeed("it is there"),
  rows: (head: { readonly rows: number | undefined }) => head.rows,
  head: (headers: Download["headers"]) =>
    headers.rows === "-1"
      ? Result.fail(BulkError.make(new BulkError.UnexpectedResponse({ request: "GET /csv", problem: "no count" })))
      : Result.succeed({ rows: headers.rows === undefined ? undefined : Number(headers.rows) })
}

/** What was read as text, also when it ended in an error, and how often it was asked for. */
const read = (answers: ReadonlyArray<Download | BulkError.BulkError>) => {
  const { asked, layer } = scripted(answers)
  let text = ""
  const decoder = new TextDecoder()
  return Effect.gen(function* () {
    const { bytes } = yield* download(source)
    yield* Stream.runForEach(bytes, (piece) =>
      Effect.sync(() => {
        text += decoder.decode(piece, { stream: true })
      })
    )
  }).pipe(
    Effect.scoped,
    Effect.result,
    Effect.map((result) => ({
      text,
      asked: asked.count,
      open: asked.open,
      reason: Result.isFailure(result) ? result.failure.reason : undefined
    })),
    Effect.provide(layer)
  )
}

describe("download", () => {
  it.effect("gives what it is sent", () =>
    Effect.gen(function* () {
      for (const rows of [3, undefined]) {
        assert.deepStrictEqual(yield* read([answer(csv, { rows })]), {
          text: csv,
          asked: 1,
          open: 0,
          reason: undefined
        })
      }
      assert.strictEqual((yield* read([answer("", { rows: 0 })])).text, "")
    })
  )

  it.effect("goes on after a break at any byte, however the bytes are cut", () =>
    Effect.gen(function* () {
      const { length } = utf8.encode(csv)
      for (let cutAt = 0; cutAt <= length; cutAt++) {
        const found = yield* read([answer(csv, { cutAt, rows: 3 }), answer(csv, { rows: 3, piece: 1 + (cutAt % 11) })])
        assert.deepStrictEqual(found, { text: csv, asked: 2, open: 0, reason: undefined })
      }
    })
  )

  it.effect("goes on after many breaks, as long as each answer brings something new", () =>
    Effect.gen(function* () {
      const answers = Array.from({ length: 30 }, (_, i) => answer(csv, { cutAt: i + 1, rows: 3, piece: 3 }))
      const found = yield* read([...answers, answer(csv, { rows: 3 })])
      assert.deepInclude(found, { text: csv, open: 0, reason: undefined })
    })
  )

  it.effect("gives up when the policy does, with the last break", () =>
    Effect.gen(function* () {
      const found = yield* read([answer(csv, { cutAt: 20, rows: 3 })])
      assert.deepInclude(found, { text: csv.slice(0, 20), asked: 1 + 1 + 3, open: 0 })
      assert.strictEqual(found.reason?._tag, "ConnectionLost")
    })
  )

  it.effect("does not multiply what the connection repeats by itself", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* read([lost]), { asked: 1, reason: lost.reason })
      assert.deepInclude(yield* read([answer(csv, { cutAt: 9 }), lost]), { asked: 2, reason: lost.reason })
    })
  )

  it.effect("takes an early end for a break", () =>
    Effect.gen(function* () {
      const short = csv.slice(0, csv.indexOf('"2"'))
      assert.deepInclude(yield* read([answer(short, { rows: 3 }), answer(csv, { rows: 3 })]), { text: csv, asked: 2 })
      const { reason } = yield* read([answer(short, { rows: 3 })])
      assert.deepInclude(reason, { _tag: "IncompletePage", expected: 3, received: 1 })
      // without a count an end within quotes shows it
      const torn = csv.slice(0, csv.indexOf("two") + 2)
      assert.deepInclude(yield* read([answer(torn), answer(csv)]), { text: csv, asked: 2 })
      assert.strictEqual((yield* read([answer(torn)])).reason?._tag, "UnexpectedResponse")
    })
  )

  it.effect("takes another count than promised, and headers that lack something, for breaks", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* read([answer(csv, { rows: 2 }), answer(csv, { rows: 3 })]), { text: csv, asked: 2 })
      const { asked, reason } = yield* read([answer(csv, { rows: 2 })])
      assert.deepInclude(reason, { _tag: "IncompletePage", expected: 2, received: 3 })
      assert.strictEqual(asked, 1 + 1 + 3)
      const headless = answer(csv, { rows: -1 })
      assert.deepInclude(yield* read([headless, headless, answer(csv, { rows: 3 })]), { text: csv, asked: 3, open: 0 })
      assert.deepInclude(yield* read([headless]), { asked: 1 + 3, open: 0 })
      assert.strictEqual((yield* read([headless])).reason?._tag, "UnexpectedResponse")
    })
  )

  it.effect("never goes on with what is not the same", () =>
    Effect.gen(function* () {
      const length = csv.indexOf("two")
      for (const other of [csv.replace('"1"', '"7"'), csv.replace('b""', 'c""'), csv.replace("two", '","')]) {
        const found = yield* read([answer(csv, { cutAt: length + 2, rows: 3 }), answer(other, { rows: 3 })])
        assert.deepInclude(found.reason, { _tag: "ResultsChanged", jobId: "750A", length: length + 2 })
        assert.strictEqual(found.text, csv.slice(0, length + 2))
        assert.strictEqual(found.asked, 2)
      }
    })
  )

  it.effect("says that results are gone", () =>
    Effect.gen(function* () {
      const gone = BulkError.make(notFound)
      assert.deepInclude((yield* read([gone])).reason, { _tag: "ResultsExpired", jobId: "750A" })
      assert.strictEqual((yield* read([answer(csv, { cutAt: 5 }), gone])).reason?._tag, "ResultsExpired")
      const refused = BulkError.make(new BulkError.ApiError({ ...notFound, status: 400 }))
      assert.strictEqual((yield* read([refused])).reason?._tag, "ApiError")
      const look = Effect.fail(gone)
      const error = yield* Effect.flip(
        download({ ...source, look }).pipe(Effect.scoped, Effect.provide(scripted([refused]).layer))
      )
      assert.strictEqual(error.reason._tag, "ResultsExpired")
    })
  )
})

const kernels = { WebAssembly: wasmKernel(), JavaScript: loopKernel() }
const pieces = Schema.Array(Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))))

/** The passage of bytes in pieces of some sizes. */
const passed = (kernel: Kernel | undefined, bytes: Uint8Array, size: () => number): Passage => {
  const passage = new Passage(kernel)
  for (let at = 0, next = 0; at < bytes.length; at = next) {
    next = at + size()
    passage.add(bytes.subarray(at, next))
  }
  return passage
}

describe.each(Object.entries(kernels))("bytes that go by, looked at in %s", (name, kernel) => {
  it("is there", () => {
    assert.isDefined(kernel, name)
  })

  it.effect.prop(
    "have a fingerprint that does not depend on how they are cut, and tells others",
    { pieces },
    ({ pieces }) =>
      Effect.sync(() => {
        const print = (parts: ReadonlyArray<Uint8Array>) => {
          const passage = new Passage(kernel)
          for (const part of parts) passage.add(part)
          return passage
        }
        const all = Uint8Array.from(pieces.flat())
        const cut = print(pieces.map((piece) => Uint8Array.from(piece)))
        assert.isTrue(cut.equals(print([all])))
        assert.isFalse(cut.equals(print([all, new Uint8Array(1)])))
        for (let i = 0; i < all.length; i++) {
          const other = Uint8Array.from(all)
          other[i] = (other[i] ?? 0) ^ 1
          assert.isFalse(cut.equals(print([other])))
        }
      })
  )

  it("hold as many rows as a reader of CSV would find, however they are cut", () => {
    const texts: ReadonlyArray<readonly [text: string, rows: number]> = [
      ["", 0],
      ['"Id"\n', 0],
      [csv, 3],
      [csv.replaceAll("\n", "\r\n"), 3],
      [csv.slice(0, -1), 3],
      [`${csv}\n\n`, 3],
      [`${csv}\n\n`.replaceAll("\n", "\r\n"), 3],
      ['a\n\n1\n\r\n""\n', 2]
    ]
    for (const [text, rows] of texts) {
      const bytes = utf8.encode(text)
      for (const size of [1, 2, 3, 1000]) {
        const passage = passed(kernel, bytes, () => size)
        assert.strictEqual(passage.rows, rows, JSON.stringify([text, size]))
        assert.isFalse(passage.isWithinQuotes)
        assert.strictEqual(passage.length, bytes.length)
      }
    }
  })

  it("give the same in many pieces, in one, and in JavaScript byte by byte", () => {
    const { int, of } = random(5)
    for (let round = 0; round < 2_000; round++) {
      const characters = ["a", "#", "\v", "é", "\xa2", "\x8a", '"', "\n", "\r\n", "\r"]
      const bytes = utf8.encode(Array.from({ length: int(300) }, () => of(characters)).join(""))
      const bytewise = passed(loopKernel(), bytes, () => 1)
      for (const passage of [passed(kernel, bytes, () => 1 + int(90)), passed(kernel, bytes, () => 1_000)]) {
        assert.deepStrictEqual([passage.rows, passage.isWithinQuotes], [bytewise.rows, bytewise.isWithinQuotes])
        assert.isTrue(passage.equals(bytewise))
      }
    }
  })

  it("may be more than are looked at in one go", () => {
    const bytes = utf8.encode(csv.repeat(10_000))
    const passage = passed(kernel, bytes, () => bytes.length)
    assert.strictEqual(passage.rows, 4 * 10_000 - 1)
    assert.isTrue(passage.equals(passed(kernel, bytes, () => 1_001)))
  })
})
