import type * as Effect from "effect/Effect"
import type * as Poll from "../job/Poll.ts"
import type * as QueryJob from "../job/QueryJob.ts"
import type { Progress } from "../Progress.ts"
import type * as RecordCodec from "../record/RecordCodec.ts"
import type * as Soql from "./Soql.ts"

/**
 * How pages are read.
 *
 * @category models
 * @since 0.1.0
 */
export interface PagesOptions {
  /** The most records of one page. Default: Salesforce chooses. */
  readonly maxRecords?: number | undefined
  /** How many bytes are read before they are used, in all pages together. Default 8 MiB. */
  readonly readAhead?: number | undefined
  /** How often to look at the running job, and how long. Default: 250 ms growing to 30 s, no deadline. */
  readonly poll?: Poll.Poll | undefined
  /**
   * What becomes of the job: `keep` never aborts it, even if the stream is cut short;
   * `remove` deletes it with its results when the stream ends. Default: it is aborted if
   * it is cut short while it runs, and left to Salesforce, which deletes it after seven
   * days.
   */
  readonly afterwards?: "keep" | "remove" | undefined
  /** Told what happens while the query runs. Default: nobody. */
  readonly progress?: ((event: Progress) => Effect.Effect<void>) | undefined
}

/**
 * How a query runs, and how its results are read.
 *
 * Without `maxRecords` pages are read beside each other where Salesforce cuts them (API
 * version 58.0 and later), with it one after the other.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunOptions extends PagesOptions {
  /** Whether deleted and archived records are found too (`queryAll`). Default false. */
  readonly all?: boolean | undefined
  /** How many pages are read beside each other. Default 4. */
  readonly concurrency?: number | undefined
  /** Whether records may come in another order than that of the pages: whichever page is there first. Default false. */
  readonly unordered?: boolean | undefined
}

/**
 * What is queried: either `from`, with the columns of the schema selected, or a whole
 * query as `soql`. A plain string is trusted as it is: never make it of input, that is
 * what the `soql` template is for.
 *
 * @category models
 * @since 0.1.0
 */
export type What =
  | {
      /** The API name of the object to query. */
      readonly from: string
      /** The condition of the query. Default: none. */
      readonly where?: Soql.Soql | string | undefined
      /** The order of the records, like `Name DESC`. It switches Salesforce's chunking off: large queries get slow, or time out. Default: none. */
      readonly orderBy?: Soql.Soql | string | undefined
      /** The most records of the query. It switches Salesforce's chunking off, as `orderBy` does. Default: all. */
      readonly limit?: number | undefined
      readonly soql?: undefined
    }
  | {
      /** The whole query; its select list holds the columns of the schema, in any order. */
      readonly soql: Soql.Soql | string
      readonly from?: undefined
    }

/**
 * What a query of typed records takes.
 *
 * @category models
 * @since 0.1.0
 */
export type Options<S extends RecordCodec.RecordSchema> = {
  /** The records' schema: a struct or class, whose fields are the columns; those of a nested struct are columns with a dot. */
  readonly schema: S
} & RunOptions &
  What

/**
 * What a query of CSV takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface CsvOptions
  extends Omit<RunOptions, "unordered">,
    Pick<QueryJob.CreateOptions, "columnDelimiter" | "lineEnding"> {}
