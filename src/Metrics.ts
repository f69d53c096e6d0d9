/**
 * The metrics of this library, by name: for dashboards, alarms and tests.
 *
 * Names and attributes follow OpenTelemetry's conventions. `server.address` is the org's
 * host, with `server.port` if that is a special one; no job, record or user is an attribute, so that there are few series. Effect's
 * Prometheus export writes `_` for each dot.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * The attributes that say which org it is: `server.address`, and `server.port` where
 * its URL has one.
 *
 * @category attributes
 * @since 0.1.0
 */
export const serverAddress = (url: string | undefined): Readonly<Record<string, string>> => {
  const { hostname = "unknown", port = "" } = (url === undefined ? undefined : URL.parse(url)) ?? {}
  return { "server.address": hostname, ...(port === "" ? undefined : { "server.port": port }) }
}

const counter = (name: string, unit: string, description: string) =>
  Metric.counter(name, { description, attributes: { unit }, incremental: true })

const gauge = (name: string, unit: string, description: string) =>
  Metric.gauge(name, { description, attributes: { unit } })

const seconds = (name: string, description: string) =>
  Metric.histogram(name, {
    description,
    attributes: { unit: "s" },
    boundaries: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600]
  })

/**
 * The requests that were answered, repeated ones too. Attributes: `server.address`,
 * `http.request.method` and `http.response.status_code`.
 *
 * @category connection
 * @since 0.1.0
 */
export const requests = counter("salesforce.api.requests", "{request}", "Requests that were answered")

/**
 * What the retry policy did again: requests, uploads, downloads that broke off; and
 * requests that were sent with renewed credentials. Attributes: `server.address` and
 * `error.type`, which is why: the status of an answer, or the reason of the error.
 *
 * @category connection
 * @since 0.1.0
 */
export const retries = counter(
  "salesforce.api.retries",
  "{attempt}",
  "What was done again after an error that may pass"
)

/**
 * How many API calls the org has made within 24 hours, by whatever client, as its
 * last answer says. Attribute: `server.address`.
 *
 * @category connection
 * @since 0.1.0
 */
export const apiCallsUsed = gauge(
  "salesforce.api.calls.used",
  "{call}",
  "API calls that the org has made within 24 hours"
)

/**
 * How many API calls the org may make within 24 hours. Attribute: `server.address`.
 *
 * @category connection
 * @since 0.1.0
 */
export const apiCallsLimit = gauge(
  "salesforce.api.calls.limit",
  "{call}",
  "API calls that the org may make within 24 hours"
)

/**
 * How many of them are left. Attribute: `server.address`.
 *
 * @category connection
 * @since 0.1.0
 */
export const apiCallsRemaining = gauge(
  "salesforce.api.calls.remaining",
  "{call}",
  "API calls that the org may still make within 24 hours"
)

/**
 * The bytes of CSV that went over the wire, compressed or not, those that went twice
 * too. Attributes: `server.address` and `network.io.direction`, `transmit` or `receive`.
 *
 * @category connection
 * @since 0.1.0
 */
export const io = counter("salesforce.bulk.io", "By", "Bytes of CSV that went over the wire")

/**
 * The records of jobs, counted when their results are read. Attributes:
 * `server.address`, `salesforce.operation`, `salesforce.object` and `salesforce.outcome`:
 * `succeeded`, `failed` and `unprocessed` of loads, `rejected` for those that were not
 * sent, `read` of queries. A record that is sent again counts for each of its jobs.
 *
 * @category jobs
 * @since 0.1.0
 */
export const records = counter("salesforce.bulk.records", "{record}", "Records of jobs, by what became of them")

/**
 * The rows that the org refused. Attributes: `server.address`,
 * `salesforce.operation`, `salesforce.object` and `error.type`, the code.
 *
 * @category jobs
 * @since 0.1.0
 */
export const rowErrors = counter("salesforce.bulk.row.errors", "{row}", "Rows that the org refused, by code")

/**
 * The rows that were sent again since what they were refused for may pass.
 * Attributes: `server.address`, `salesforce.operation` and `salesforce.object`.
 *
 * @category jobs
 * @since 0.1.0
 */
export const rowRetries = counter("salesforce.bulk.row.retries", "{row}", "Rows that were sent again")

/**
 * The uploads that broke, and were made anew to another job. Attributes:
 * `server.address`, `salesforce.operation` and `salesforce.object`.
 *
 * @category jobs
 * @since 0.1.0
 */
export const uploadRetries = counter("salesforce.bulk.upload.retries", "{upload}", "Uploads that were made anew")

/**
 * How long jobs took, from their creation until their results were read.
 * Attributes: `server.address`, `salesforce.operation`, `salesforce.object` and
 * `salesforce.job.state`.
 *
 * @category jobs
 * @since 0.1.0
 */
export const jobDuration = seconds(
  "salesforce.bulk.job.duration",
  "Jobs, from their creation until their results were read"
)

/**
 * How long jobs waited in the org's queue, by its own times. Attributes as of
 * `jobDuration`.
 *
 * @category jobs
 * @since 0.1.0
 */
export const jobQueueDuration = seconds("salesforce.bulk.job.queue.duration", "Jobs waiting in the org's queue")

/**
 * How long the org processed jobs, by its own times. Attributes as of `jobDuration`.
 *
 * @category jobs
 * @since 0.1.0
 */
export const jobProcessingDuration = seconds(
  "salesforce.bulk.job.processing.duration",
  "Jobs being processed by the org"
)

/**
 * How much of the processing the API took. Attributes as of `jobDuration`; loads only.
 *
 * @category jobs
 * @since 0.1.0
 */
export const jobApiDuration = seconds("salesforce.bulk.job.api.duration", "The API's part of the processing")

/**
 * How much of the processing Apex took: triggers, and what they start. Attributes as of
 * `jobDuration`; loads only.
 *
 * @category jobs
 * @since 0.1.0
 */
export const jobApexDuration = seconds("salesforce.bulk.job.apex.duration", "The part of triggers in the processing")
