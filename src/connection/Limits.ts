/**
 * The documented numbers of Bulk API 2.0.
 *
 * @since 0.1.0
 */

/**
 * How many bytes of CSV one ingest job may carry. Salesforce allows 150 MB after
 * base64, and advises to stay at 100 MB before it.
 *
 * @category limits
 * @since 0.1.0
 */
export const uploadBytes = 100_000_000

/**
 * How many rows Salesforce processes as one batch. Batches of one job run beside each
 * other; all Bulk loads of an org share an allowance of 15,000 batches in 24 hours.
 *
 * @category limits
 * @since 0.1.0
 */
export const rowsPerBatch = 10_000
