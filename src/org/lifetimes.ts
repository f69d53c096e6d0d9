/** How long jobs live, and results that are paged through by REST. */
import type { Job } from "./job.ts"

const day = 86_400_000

/** How long a job is kept after its end, or, if it never ended, after it was created; with all its data. */
export const lifetime = 7 * day

/** Whether a job has waited too long for its upload. */
export const isStale = (job: Job, now: number): boolean => job.state === "Open" && now > job.created + day

/** How long the further pages of a REST query are kept; there may be any number of such queries. */
export const cursorLifetime = 2 * day
