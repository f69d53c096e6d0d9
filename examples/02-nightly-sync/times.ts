import type { Progress } from "../../src/index.ts"

type Phase = "upload" | "queue" | "processing"

/** How long the jobs of a night take, all together. */
export class Times {
  jobs = 0
  /** `queue` is until Salesforce begins with a job that was submitted. */
  readonly millis: Record<Phase, number> = { upload: 0, queue: 0, processing: 0 }
  private readonly running = new Map<string, { readonly phase: Phase; readonly since: number }>()

  /** Takes what happened at a time. */
  add(event: Progress.Progress, now: number): void {
    if (event._tag === "JobCreated") {
      this.jobs++
      this.enter(event.jobId, "upload", now)
    } else if (event._tag === "Submitted") {
      this.enter(event.jobId, "queue", now)
    } else if (event._tag === "Processing" && event.state !== "UploadComplete") {
      this.enter(event.jobId, "processing", now)
    } else if (event._tag === "JobDone") {
      this.enter(event.jobId, undefined, now)
    }
  }

  private enter(jobId: string, phase: Phase | undefined, now: number): void {
    const before = this.running.get(jobId)
    if (before?.phase === phase) return
    if (before !== undefined) this.millis[before.phase] += now - before.since
    if (phase === undefined) this.running.delete(jobId)
    else this.running.set(jobId, { phase, since: now })
  }
}
