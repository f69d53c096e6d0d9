import type { Progress } from "../../src/index.ts"

type Phase = "upload" | "queue" | "processing"

/** How a night goes, in numbers; times are those of all its jobs together. */
export class Status {
  readonly rows = { Succeeded: 0, Failed: 0, Unprocessed: 0 }
  jobs = 0
  /** `queue` is until Salesforce begins with a job that was submitted. */
  readonly millis: Record<Phase, number> = { upload: 0, queue: 0, processing: 0 }
  private readonly running = new Map<string, { readonly phase: Phase; readonly since: number }>()

  get failureRate(): number {
    const { Failed, Succeeded } = this.rows
    return Failed / Math.max(1, Failed + Succeeded)
  }

  /** In words. */
  get line(): string {
    const rows = (this.rows.Succeeded + this.rows.Failed).toLocaleString("en-US")
    const seconds = (this.millis.processing / 1000).toFixed(1)
    return `${rows} rows settled, ${(this.failureRate * 100).toFixed(2)} % of them refused; ${seconds} s of processing`
  }

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
