/**
 * What happens while a load runs, as events.
 *
 * @since 0.1.0
 */

/**
 * An event of a running load. Counts are of the job so far.
 *
 * - `JobCreated`: a job was opened.
 * - `Uploading`: another block of CSV went to the socket.
 * - `Submitted`: the job was closed, with all its records: Salesforce has them.
 * - `Processing`: Salesforce was asked how the job fares. `processed` counts
 *   failed rows too.
 * - `JobDone`: the job is in its last state, and the outcomes of its records were
 *   read. Of those that were updated or deleted `created` does not count.
 *
 * @category models
 * @since 0.1.0
 */
export type Progress =
  | { readonly _tag: "JobCreated"; readonly jobId: string }
  | { readonly _tag: "Uploading"; readonly jobId: string; readonly records: number; readonly bytes: number }
  | { readonly _tag: "Submitted"; readonly jobId: string; readonly records: number; readonly bytes: number }
  | {
      readonly _tag: "Processing"
      readonly jobId: string
      readonly state: string
      readonly processed: number
      readonly failed: number
    }
  | {
      readonly _tag: "JobDone"
      readonly jobId: string
      readonly state: string
      readonly succeeded: number
      readonly created: number
      readonly failed: number
      readonly unprocessed: number
    }
