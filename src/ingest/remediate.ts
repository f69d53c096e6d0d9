import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import type { Connection } from "../connection/Connection.ts"
import type * as RecordCodec from "../record/RecordCodec.ts"
import { AreCorrections } from "./corrections.ts"
import type { CsvRow, Failed, Loads, Outcome } from "./Outcome.ts"
import { passing } from "./passing.ts"
import * as Spool from "./Spool.ts"

/**
 * How failures are remedied.
 *
 * @category models
 * @since 0.1.0
 */
export interface RemediateOptions<A, R> {
  /** Makes a corrected record of a failure, or gives undefined where there is none. */
  readonly fix: (failed: Failed<A>) => Effect.Effect<A | undefined, never, R>
  /** What the corrected records are loaded with: any verb. */
  readonly load: Loads<A, A>
  /** How often failures are corrected, those of corrected records included. Default 1. */
  readonly rounds?: number | undefined
  /** How many corrections are under way at a time. Default 16. */
  readonly concurrency?: number | undefined
  /** Where failures wait until the load before is done. Default: what `Spool.Spool` is. */
  readonly spool?: Spool.Kind | undefined
}

/**
 * From outcomes to outcomes, with fewer failures among them.
 *
 * @category models
 * @since 0.1.0
 */
export type Remedy<A, R2> = <E, R>(
  outcomes: Stream.Stream<Outcome<A>, E, R>
) => Stream.Stream<Outcome<A>, E | BulkError.BulkError, R | R2 | Connection>

/**
 * Corrects failures and loads them again.
 *
 * Successes and what was not processed come out at once; failures wait in the spool
 * until the load is done. Then each is given to `fix`, and the corrected records are
 * loaded. A failure without a correction comes out as it was; one of the last round
 * too, and one whose record the schema could not read again. The schema says how records
 * are kept meanwhile; outcomes that hold rows (those of `Ingest.csv`, say) need none.
 *
 * Fails as the loads fail: when that of the outcomes does, failures that wait come out
 * first, as they were. When a load of corrections fails, those that were not submitted have
 * no outcome, as of any load. `SpoolFailed` when they cannot be kept.
 *
 * **Example** (Grades that are not in the picklist)
 *
 * ```ts
 * const upsert = Ingest.upsert({ object: "Inventory__c", schema: Item, externalId: "Sku__c", nulls: "clear" })
 *
 * const outcomes = items.pipe(
 *   upsert,
 *   Ingest.remediate({
 *     schema: Item,
 *     fix: ({ error, record }) =>
 *       Effect.succeed(error.fields.includes("Grade__c") ? new Item({ ...record, Grade__c: null }) : undefined),
 *     load: upsert
 *   })
 * )
 * ```
 *
 * @category verbs
 * @since 0.1.0
 */
export function remediate<S extends RecordCodec.RecordSchema, R = never>(
  options: RemediateOptions<S["Type"], R> & { readonly schema: S }
): Remedy<S["Type"], R>
export function remediate<R = never>(
  options: RemediateOptions<CsvRow, R> & { readonly schema?: undefined }
): Remedy<CsvRow, R>
export function remediate<A, R>(
  options: RemediateOptions<A, R> & { readonly schema?: Schema.ConstraintCodec<A, unknown> | undefined }
): Remedy<A, R> {
  const { rounds = 1, schema } = options
  const line = lineOf<A>(schema)
  const load: Loads<A, A> = (records) => Stream.provideService(options.load(records), AreCorrections, true)
  const round = <E, R1>(
    outcomes: Stream.Stream<Outcome<A>, E, R1>,
    left: number
  ): Stream.Stream<Outcome<A>, E | BulkError.BulkError, R | R1 | Connection> =>
    left <= 0
      ? outcomes
      : Stream.unwrap(
          Effect.gen(function* () {
            const kind = options.spool ?? (yield* Spool.Spool)
            const spooled = yield* kind.open({ bytes: kind.partBytes })
            let waiting = 0
            const others = Stream.mapAccumArrayEffect(
              outcomes,
              () => undefined,
              Effect.fnUntraced(function* (state, outcomes) {
                const out: Array<Outcome<A>> = []
                let text = ""
                for (const outcome of outcomes) {
                  const written = outcome._tag === "Failed" ? line.write(outcome) : undefined
                  if (written === undefined) out.push(outcome)
                  else {
                    text += `${written}\n`
                    waiting++
                  }
                }
                if (text !== "") yield* spooled.write(encoder.encode(text))
                return [state, out] as const
              })
            )
            const failures = Stream.suspend(() =>
              waiting === 0
                ? Stream.empty
                : spooled.read.pipe(Stream.decodeText, Stream.splitLines, Stream.mapEffect(line.read))
            )
            const corrected = Stream.mapEffect(
              failures,
              (failed) =>
                Effect.map(options.fix(failed), (record) =>
                  record === undefined ? Result.fail(failed) : Result.succeed(record)
                ),
              { concurrency: options.concurrency ?? 16 }
            )
            // what failed before the load itself did is not lost with it
            return others.pipe(
              Stream.catchCause((cause) => Stream.concat(failures, Stream.failCause(cause))),
              Stream.concat(round(passing(corrected, load), left - 1))
            )
          })
        )
  return (outcomes) => round(outcomes, rounds)
}

const encoder = new TextEncoder()

/** Failures as lines of text, and back. A failure whose record cannot be written, or read again, waits for nothing. */
const lineOf = <A>(schema: Schema.ConstraintCodec<A, unknown> | undefined) => {
  const record = schema === undefined ? Schema.Record(Schema.String, Schema.String) : Schema.toCodecJson(schema)
  const json = Schema.fromJsonString(
    Schema.Struct({
      _tag: Schema.Literal("Failed"),
      jobId: Schema.NullOr(Schema.String),
      id: Schema.NullOr(Schema.String),
      error: Schema.Struct({
        code: Schema.String,
        message: Schema.String,
        fields: Schema.Array(Schema.String),
        raw: Schema.String
      }),
      record,
      origin: Schema.Literals(["org", "client"])
    })
  )
  const encode = Schema.encodeUnknownResult(json)
  const decode = Schema.decodeUnknownResult(json)
  return {
    write: (failed: Failed<A>): string | undefined => {
      const { id = null, jobId = null } = failed
      const written = encode({ ...failed, id, jobId })
      return Result.isSuccess(Result.flatMap(written, decode)) ? Result.getOrUndefined(written) : undefined
    },
    read: (text: string): Effect.Effect<Failed<A>, BulkError.BulkError> =>
      Effect.mapBoth(Effect.fromResult(decode(text)), {
        onSuccess: (failed) => ({
          ...failed,
          jobId: failed.jobId ?? undefined,
          id: failed.id ?? undefined,
          record: failed.record as A
        }),
        onFailure: (cause) => BulkError.make(new BulkError.SpoolFailed({ cause }))
      })
  }
}
