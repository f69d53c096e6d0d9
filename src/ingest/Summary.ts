/**
 * A load in numbers.
 *
 * @since 0.1.0
 */

/**
 * One job of a load. `millis` are its times by the client's clock: until it was
 * submitted, from then until it was seen done, and from then until its outcomes
 * were read.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobSummary {
  readonly id: string
  readonly state: string
  /** How many records were sent, and in how many bytes of CSV. */
  readonly records: number
  readonly bytes: number
  readonly succeeded: number
  readonly failed: number
  readonly unprocessed: number
  readonly millis: { readonly upload: number; readonly processing: number; readonly reading: number }
}

/**
 * What became of a load. Every record is in one of `succeeded`, `failed` and
 * `unprocessed`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Summary {
  readonly succeeded: number
  /** How many of those that succeeded are new; the others were updated, or deleted. */
  readonly created: number
  /** How many the org refused, or could not be written and were not sent. */
  readonly failed: number
  readonly unprocessed: number
  /** How many failures there are of each code, the most frequent first. */
  readonly failures: ReadonlyArray<{ readonly code: string; readonly count: number }>
  /** How many bytes of CSV were uploaded. */
  readonly bytes: number
  /** The requests that the load made, repeats included. */
  readonly apiCalls: number
  /** The jobs whose outcomes were read, in that order. */
  readonly jobs: ReadonlyArray<JobSummary>
}
