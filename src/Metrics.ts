/**
 * The metrics of this library, by name: for dashboards, alarms and tests.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * How many API calls the org has made within 24 hours, by whatever client, as its
 * last answer says. Attribute: `org`, its URL.
 *
 * @category connection
 * @since 0.1.0
 */
export const apiCallsUsed = Metric.gauge("salesforce_api_calls_used", {
  description: "API calls that the org has made within 24 hours"
})

/**
 * How many API calls the org may make within 24 hours. Attribute: `org`.
 *
 * @category connection
 * @since 0.1.0
 */
export const apiCallsMax = Metric.gauge("salesforce_api_calls_max", {
  description: "API calls that the org may make within 24 hours"
})

/**
 * The requests that were sent, repeated ones too. Attributes: `org`, `method` and
 * `status`.
 *
 * @category connection
 * @since 0.1.0
 */
export const requests = Metric.counter("salesforce_requests", {
  description: "Requests that were answered",
  incremental: true
})
