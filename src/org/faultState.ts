/** Which faults strike: what they match is counted here. */
import type { Fault, JobEffect, JobFault, RequestEffect, RequestFault } from "./Faults.ts"
import type { Job } from "./job.ts"
import { nameOf } from "./routeNames.ts"

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
const random = (seed: number): (() => number) => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How often a fault found what it is for, and how often it struck. */
export interface Tally {
  readonly fault: Fault
  readonly matched: number
  readonly struck: number
}

class Armed<F extends Fault> {
  matched = 0
  struck = 0
  readonly fault: F
  private readonly next: () => number

  constructor(fault: F, seed: number) {
    this.fault = fault
    this.next = random(seed)
  }

  /** Counts something that matches, and says whether the fault strikes it. */
  strikes(): boolean {
    const { every, nth, probability, times } = this.fault
    this.matched++
    // drawn for each, so that one condition does not shift the draws of another
    const drawn = this.next()
    const strikes =
      (times === undefined || this.struck < times) &&
      (nth === undefined || (typeof nth === "number" ? nth === this.matched : nth.includes(this.matched))) &&
      (every === undefined || this.matched % every === 0) &&
      (probability === undefined || drawn < probability)
    if (strikes) this.struck++
    return strikes
  }
}

const requestTags: ReadonlySet<string> = new Set<RequestEffect["_tag"]>([
  "Respond",
  "Delay",
  "CutBefore",
  "CutRequest",
  "CutAfter",
  "CutResponse",
  "ExpireSession"
])

const isRequestFault = (fault: Fault): fault is RequestFault => requestTags.has(fault.effect._tag)

const matchesRequest = (fault: RequestFault, method: string, url: string): boolean => {
  const { path, route } = fault
  if (fault.method !== undefined && fault.method.toUpperCase() !== method) return false
  if (path !== undefined && !new RegExp(path, "i").test(url)) return false
  if (route === undefined) return true
  const name = nameOf(method, url)
  return name !== undefined && (typeof route === "string" ? route === name : route.includes(name))
}

const matchesJob = (fault: JobFault, job: Job): boolean =>
  (fault.object === undefined || fault.object.toLowerCase() === job.object.toLowerCase()) &&
  (fault.operation === undefined || fault.operation === job.operation)

/** The faults of an org, and what they have done. */
export class FaultState {
  private readonly seed: number
  private all: ReadonlyArray<Armed<Fault>> = []
  private requests: ReadonlyArray<Armed<RequestFault>> = []
  private jobs: ReadonlyArray<Armed<JobFault>> = []
  private readonly struckJobs = new Map<string, ReadonlyArray<JobEffect>>()
  private waiting: Array<() => void> = []

  constructor(seed: number, faults: ReadonlyArray<Fault>) {
    this.seed = seed
    this.set(faults)
  }

  /** Takes these faults in place of those before. All counting begins anew. */
  set(faults: ReadonlyArray<Fault>): void {
    const requests: Array<Armed<RequestFault>> = []
    const jobs: Array<Armed<JobFault>> = []
    this.all = faults.map((fault, i) => {
      const seed = this.seed + i * 7919
      if (isRequestFault(fault)) {
        const armed = new Armed(fault, seed)
        requests.push(armed)
        return armed
      }
      const armed = new Armed(fault, seed)
      jobs.push(armed)
      return armed
    })
    this.requests = requests
    this.jobs = jobs
    this.struckJobs.clear()
    const { waiting } = this
    this.waiting = []
    for (const wake of waiting) wake()
  }

  /** Calls once the faults are others. */
  onChange(wake: () => void): () => void {
    this.waiting.push(wake)
    return () => {
      this.waiting = this.waiting.filter((each) => each !== wake)
    }
  }

  get tallies(): ReadonlyArray<Tally> {
    return this.all.map(({ fault, matched, struck }) => ({ fault, matched, struck }))
  }

  /** What becomes of a request: delays, and one other effect at most. */
  ofRequest(method: string, url: string): ReadonlyArray<RequestEffect> {
    const delays: Array<RequestEffect> = []
    const others: Array<RequestEffect> = []
    for (const armed of this.requests) {
      if (!matchesRequest(armed.fault, method, url)) continue
      const { effect } = armed.fault
      // a fault that another one comes before has met the request, but not struck it
      if (effect._tag !== "Delay" && others.length > 0) armed.matched++
      else if (armed.strikes()) (effect._tag === "Delay" ? delays : others).push(effect)
    }
    return [...delays, ...others]
  }

  /** What becomes of a job, the same whenever it is asked until the faults are others. */
  ofJob(job: Job): ReadonlyArray<JobEffect> {
    if (this.jobs.length === 0) return []
    let effects = this.struckJobs.get(job.id)
    if (effects === undefined) {
      effects = this.jobs
        .filter((armed) => matchesJob(armed.fault, job) && armed.strikes())
        .map((armed) => armed.fault.effect)
      this.struckJobs.set(job.id, effects)
    }
    return effects
  }
}
