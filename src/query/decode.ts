import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as BulkError from "../BulkError.ts"
import * as Csv from "../record/Csv.ts"
import * as RecordCodec from "../record/RecordCodec.ts"
import type { Page } from "./pages.ts"

/** Records of a page; `before` is how many of the job's records are on the pages before it. */
export const records =
  <A>(codec: RecordCodec.RecordCodec<A>) =>
  (page: Page, before: number): Stream.Stream<A, BulkError.BulkError> =>
    Stream.mapError(RecordCodec.decode(codec, page.dialect)(page.bytes), (error) =>
      error._tag === "InvalidRecord" ? BulkError.make(invalid(page, before, error)) : broken(page, error)
    )

/** As `records`, with what does not fit the schema as a failed result. */
export const results =
  <A>(codec: RecordCodec.RecordCodec<A>) =>
  (page: Page, before: number): Stream.Stream<Result.Result<A, BulkError.RecordInvalid>, BulkError.BulkError> =>
    RecordCodec.decodeResult(
      codec,
      page.dialect
    )(page.bytes).pipe(
      Stream.mapArray((results) =>
        Arr.map(results, (result) => Result.mapError(result, (error) => invalid(page, before, error)))
      ),
      Stream.mapError((error) => broken(page, error))
    )

/** The cells of each record, by the names that the header gives them. */
export const rows = (page: Page): Stream.Stream<Readonly<Record<string, string>>, BulkError.BulkError> =>
  page.bytes.pipe(
    Csv.decode(
      (header) =>
        Effect.succeed((rows) =>
          Effect.succeed(
            rows.map((cells) => {
              const row: Record<string, string> = {}
              for (let i = 0; i < header.length; i++) row[header[i]!] = cells[i]!
              return row
            })
          )
        ),
      page.dialect
    ),
    Stream.mapError((error) => broken(page, error))
  )

/** What is wrong with a record, and where it stands. */
export const invalid = (
  { jobId, locator, number }: Page,
  before: number,
  { column, message, row, value }: RecordCodec.Problem & { readonly row: number }
): BulkError.RecordInvalid =>
  new BulkError.RecordInvalid({ jobId, page: number, locator, row: before + row, column, value, problem: message })

/** An error of the whole page. */
export const broken = (
  { jobId }: Page,
  error: BulkError.BulkError | Csv.CsvError | RecordCodec.MissingColumn
): BulkError.BulkError => {
  switch (error._tag) {
    case "BulkError":
      return error
    case "MissingColumn":
      return missingColumn(error.column, error.header)
    case "CsvError":
      return BulkError.make(
        new BulkError.UnexpectedResponse({ request: `results of job ${jobId}`, problem: error.message })
      )
  }
}

/** A column of the schema that the query does not give. */
export const missingColumn = (column: string, header: ReadonlyArray<string>): BulkError.BulkError =>
  BulkError.make(
    new BulkError.InvalidOptions({
      problem: `query: column ${column} of the schema is not among the columns (${header.join(", ")})`
    })
  )
