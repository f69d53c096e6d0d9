import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import { misreadOf } from "../record/misread.ts"
import type * as RecordCodec from "../record/RecordCodec.ts"
import type * as Spool from "./Spool.ts"

/** Records that wait in a spool. They come back equal rather than the same. */
export interface SpooledRecords<A> {
  /** Fails with `SpoolFailed` for a record that does not fit its schema, or that it could not read again, too. */
  readonly write: (records: ReadonlyArray<A>) => Effect.Effect<void, BulkError.BulkError>
  readonly read: Stream.Stream<A, BulkError.BulkError>
}

/** Makes room for records, as lines of JSON. */
export const open = <S extends RecordCodec.RecordSchema>(
  schema: S,
  kind: Spool.Kind
): Effect.Effect<SpooledRecords<S["Type"]>, BulkError.BulkError, Scope.Scope> => {
  const json = Schema.fromJsonString(Schema.toCodecJson(schema))
  const line = Schema.encodeUnknownEffect(json)
  const record = Schema.decodeUnknownEffect(json)
  const { isOpaque, loses } = misreadOf(schema.ast)
  // better now, when little is done, than when they are read
  const written = isOpaque || loses !== undefined ? Effect.tap(record) : identity
  return Effect.map(kind.open({ bytes: kind.partBytes }), ({ read, write }) => ({
    write: (records) =>
      Effect.forEach(records, (record) => written(line(record))).pipe(
        Effect.mapError(spoolFailed),
        Effect.flatMap((lines) => write(encoder.encode(lines.map((line) => `${line}\n`).join(""))))
      ),
    read: read.pipe(
      Stream.decodeText,
      Stream.splitLines,
      Stream.mapEffect((line) => Effect.mapError(record(line), spoolFailed))
    )
  }))
}

const spoolFailed = (cause: unknown) => BulkError.make(new BulkError.SpoolFailed({ cause }))

const encoder = new TextEncoder()
