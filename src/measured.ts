/** Metrics that are made of what loads and queries tell of themselves. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Job from "./job/Job.ts"
import * as Metrics from "./Metrics.ts"
import type { Progress } from "./Progress.ts"

type Tell = (event: Progress) => Effect.Effect<void>

/** What jobs do, and to which object. */
interface About {
  readonly operation: string
  readonly object: string | undefined
}

/** What is known of a job that runs. */
interface Running {
  readonly attributes: Readonly<Record<string, string>>
  readonly kind: "ingest" | "query"
  readonly resends: boolean
  readonly createdAt: number
  /** How long it was open. */
  uploading: number
  /** How many records were read, and what counts them: made once, since it counts for every piece. */
  read: number
  readonly reads: Metric.Counter<number>
}

/** Measures what is told of the jobs of an org, and tells it on. */
export const measured = (org: Effect.Effect<string | undefined>, tell: Tell = () => Effect.void): Tell => {
  const running = new Map<string, Running>()
  const attributesOf = ({ object, operation }: About) =>
    Effect.map(org, (url) => ({
      ...Metrics.serverAddress(url),
      "salesforce.operation": operation,
      ...(object === undefined ? undefined : { "salesforce.object": object })
    }))

  const measure = Effect.fnUntraced(function* (event: Measured) {
    if (event._tag === "Rejected") {
      const attributes = { ...(yield* attributesOf(event)), "salesforce.outcome": "rejected" }
      return yield* Metric.update(Metric.withAttributes(Metrics.records, attributes), event.records)
    }
    if (event._tag === "JobCreated") {
      const { attempt, jobId, kind, resends } = event
      const attributes = yield* attributesOf(event)
      const createdAt = yield* Clock.currentTimeMillis
      const reads = Metric.withAttributes(Metrics.records, { ...attributes, "salesforce.outcome": "read" })
      running.set(jobId, { attributes, kind, resends, createdAt, uploading: 0, read: 0, reads })
      if (attempt > 1) yield* Metric.update(Metric.withAttributes(Metrics.uploadRetries, attributes), 1)
      return
    }
    const job = running.get(event.jobId)
    if (job === undefined) return
    const count = (metric: Metric.Counter<number>, n: number, more: Record<string, string> = {}) =>
      n > 0 ? Metric.update(Metric.withAttributes(metric, { ...job.attributes, ...more }), n) : Effect.void
    switch (event._tag) {
      case "Submitted":
        job.uploading = (yield* Clock.currentTimeMillis) - job.createdAt
        if (job.resends) yield* count(Metrics.rowRetries, event.records)
        return
      case "Reading":
        // of a load they are counted by their outcomes
        if (job.kind === "query") yield* countRead(job, event.records)
        return
      case "JobLeft":
        running.delete(event.jobId)
        return
      case "JobDone":
        running.delete(event.jobId)
        for (const outcome of ["succeeded", "failed", "unprocessed"] as const) {
          yield* count(Metrics.records, event[outcome], { "salesforce.outcome": outcome })
        }
        for (const { code, count: rows } of event.failures) {
          yield* count(Metrics.rowErrors, rows, { "error.type": code })
        }
        return yield* measureTimes(event.job, job)
      case "QueryDone":
        running.delete(event.jobId)
        yield* countRead(job, event.records)
        return yield* measureTimes(event.job, job)
    }
  })

  return (event) => (isMeasured(event) ? Effect.andThen(measure(event), tell(event)) : tell(event))
}

/** What happens for every block, and is measured elsewhere, costs nothing here. */
type Measured = Exclude<Progress, { readonly _tag: "Encoded" | "Uploading" | "Processing" }>

const isMeasured = (event: Progress): event is Measured =>
  event._tag !== "Encoded" && event._tag !== "Uploading" && event._tag !== "Processing"

const countRead = (job: Running, records: number): Effect.Effect<void> => {
  const more = records - job.read
  job.read = records
  return more > 0 ? Metric.update(job.reads, more) : Effect.void
}

const measureTimes = Effect.fnUntraced(function* (job: Job.JobInfo, { attributes, createdAt, uploading }: Running) {
  const { apexProcessingTime, apiActiveProcessingTime, createdDate, systemModstamp, totalProcessingTime } = job
  const total = (yield* Clock.currentTimeMillis) - createdAt
  const queued =
    createdDate === undefined || systemModstamp === undefined || totalProcessingTime === undefined
      ? undefined
      : DateTime.toEpochMillis(systemModstamp) - DateTime.toEpochMillis(createdDate) - uploading - totalProcessingTime
  const times = [
    [Metrics.jobDuration, total],
    [Metrics.jobQueueDuration, queued],
    [Metrics.jobProcessingDuration, totalProcessingTime],
    [Metrics.jobApiDuration, apiActiveProcessingTime],
    [Metrics.jobApexDuration, apexProcessingTime]
  ] as const
  for (const [metric, millis] of times) {
    if (millis === undefined) continue
    const own = Metric.withAttributes(metric, { ...attributes, "salesforce.job.state": job.state })
    yield* Metric.update(own, Math.max(0, millis) / 1000)
  }
})
