/** Jobs whose states follow the polls of their clients, and not time. */
import * as Effect from "effect/Effect"

/** How many polls find a job in each state before they find it in the next; none by default. */
export interface Polls {
  readonly uploadComplete?: number | undefined
  readonly inProgress?: number | undefined
}

type Condition = () => boolean

interface Followed {
  readonly uploadComplete: number
  readonly inProgress: number
  polls: number
  /** What its processing waits for, while it does. */
  waitsFor: Condition | undefined
  /** Those who wait, either for a poll or for what comes of it. */
  readonly waiting: Set<() => void>
}

/** Keeps jobs in step with polls: a poll is answered once the job is as far as it may be, and rests. */
export class Pace {
  /** What holds for jobs that are handed over from now on; they follow time when there is nothing. */
  polls: Polls | undefined
  private readonly jobs = new Map<string, Followed>()

  constructor(polls: Polls | undefined) {
    this.polls = polls
  }

  /** Begins to count the polls of a job that is handed over. */
  follow(id: string): void {
    if (this.polls === undefined) return
    const { inProgress = 0, uploadComplete = 0 } = this.polls
    this.jobs.set(id, { uploadComplete, inProgress, polls: 0, waitsFor: undefined, waiting: new Set() })
  }

  isFollowed(id: string): boolean {
    return this.jobs.has(id)
  }

  /** Ends the count of a job that is over, or gone: nobody waits for it any more. */
  forget(id: string): void {
    const job = this.jobs.get(id)
    this.jobs.delete(id)
    if (job !== undefined) this.tell(job)
  }

  /** Ends all counts. */
  clear(): void {
    for (const id of Array.from(this.jobs.keys())) this.forget(id)
  }

  /** Counts a poll of a job, and waits for what it brings about. */
  polled(id: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      const job = this.jobs.get(id)
      if (job === undefined) return Effect.void
      job.polls++
      this.tell(job)
      return this.wait(id, job, () => job.waitsFor?.() === false)
    })
  }

  /** Waits until a job may begin. */
  begin(id: string): Effect.Effect<void> {
    return this.until(id, ({ polls, uploadComplete }) => polls > uploadComplete)
  }

  /** Waits until a job of which that share is done, from 0 to 1, may go on. */
  goOn(id: string, share: number): Effect.Effect<void> {
    return this.until(id, (job) => mayGoOn(job, share))
  }

  /** Whether a job of which that share is done must wait. */
  isHeld(id: string, share: number): boolean {
    const job = this.jobs.get(id)
    return job !== undefined && !mayGoOn(job, share)
  }

  /** Does what may take long for reasons of its own: polls do not wait for it. */
  apart<A>(id: string, self: Effect.Effect<A>): Effect.Effect<A> {
    return Effect.suspend(() => {
      const job = this.jobs.get(id)
      if (job === undefined) return self
      job.waitsFor = () => false
      this.tell(job)
      return Effect.ensuring(
        self,
        Effect.sync(() => {
          job.waitsFor = undefined
        })
      )
    })
  }

  private until(id: string, condition: (job: Followed) => boolean): Effect.Effect<void> {
    return Effect.suspend(() => {
      const job = this.jobs.get(id)
      if (job === undefined || condition(job)) return Effect.void
      job.waitsFor = () => condition(job)
      this.tell(job)
      return Effect.ensuring(
        this.wait(id, job, job.waitsFor),
        Effect.sync(() => {
          job.waitsFor = undefined
        })
      )
    })
  }

  /** Waits until a condition is true, or the job is forgotten. */
  private wait(id: string, job: Followed, isOver: Condition): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const look = () => {
        if (this.jobs.get(id) === job && !isOver()) return
        job.waiting.delete(look)
        resume(Effect.void)
      }
      job.waiting.add(look)
      look()
      return Effect.sync(() => job.waiting.delete(look))
    })
  }

  private tell(job: Followed): void {
    for (const look of Array.from(job.waiting)) look()
  }
}

// with two polls in progress, the first finds a third of the rows done
const mayGoOn = ({ inProgress, polls, uploadComplete }: Followed, share: number): boolean =>
  polls > uploadComplete + inProgress || share < (polls - uploadComplete) / (inProgress + 1)
