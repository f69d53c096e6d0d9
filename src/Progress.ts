/**
 * What happens while a load runs, as events.
 *
 * @since 0.1.0
 */

/**
 * An event of a running load. Counts are of the load so far.
 *
 * - `JobCreated`: a job was opened.
 * - `Uploading`: another block of CSV went to the socket.
 * - `Processing`: Salesforce was asked how the job fares. `processed` counts
 *   failed rows too.
 *
 * @category models
 * @since 0.1.0
 */
export type Progress =
  | { readonly _tag: "JobCreated"; readonly jobId: string }
  | { readonly _tag: "Uploading"; readonly jobId: string; readonly records: number; readonly bytes: number }
  | {
      readonly _tag: "Processing"
      readonly jobId: string
      readonly state: string
      readonly processed: number
      readonly failed: number
    }
