import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as BulkError from "../../BulkError.ts"
import type { Connection } from "../../connection/Connection.ts"
import * as Limits from "../../connection/Limits.ts"
import type * as Poll from "../../job/Poll.ts"
import type { Progress } from "../../Progress.ts"
import type { Failed, Outcome } from "../Outcome.ts"
import type { Held } from "./lease.ts"
import type { Known, PartJob, RunLog } from "./log.ts"
import { settle } from "./settled.ts"

/** Some records of the source, that go into one job. */
export interface Part<A> {
  readonly number: number
  readonly from: number
  readonly to: number
  /** Writes them, each time anew: what is written is not kept. */
  readonly write: () => Uint8Array<ArrayBuffer>
  readonly send: (
    progress: (event: Progress) => Effect.Effect<void>
  ) => Stream.Stream<Outcome<A>, BulkError.BulkError, Connection>
  /** For a part that was sent before: its records by their keys, and those that were not sent. */
  readonly sent: () => { readonly records: ReadonlyMap<string, A>; readonly rejected: ReadonlyArray<Failed<A>> }
  /** The column of the keys, and how its cells are compared. */
  readonly key: string
  readonly canonical: (cell: string) => string
}

/** What the parts of a run have in common. */
export interface Work {
  readonly runId: string
  readonly log: RunLog
  readonly held: Held
  /** What earlier processes wrote. */
  readonly known: ReadonlyMap<number, Known>
  readonly outcomes: "all" | "failures" | undefined
  readonly poll: Poll.Poll | undefined
}

/** Some outcomes of a part; or, after the last of them, what writes down that it is done. */
export type Some<A> =
  | { readonly _tag: "Outcomes"; readonly outcomes: ReadonlyArray<Outcome<A>> }
  | { readonly _tag: "Done"; readonly write: Effect.Effect<void, BulkError.BulkError> }

export const refused = (runId: string, problem: string): BulkError.BulkError =>
  BulkError.make(new BulkError.RunRefused({ runId, problem }))

/** A job's bytes, less some for the header. */
const mostBytes = Limits.uploadBytes - 1_000_000

/** The outcomes of a part: none if they were given before, read if it was sent, and else by sending it. */
export const outcomesOf = <A>(work: Work, part: Part<A>): Stream.Stream<Some<A>, BulkError.BulkError, Connection> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { log, runId } = work
      const { from, number, to } = part
      const { hash, length } = yield* fingerprint(part.write())
      if (length > mostBytes) {
        const problem = `run: records ${from + 1} to ${to} have ${length} bytes, more than one job may carry: give fewer partRows`
        return yield* BulkError.make(new BulkError.InvalidOptions({ problem }))
      }
      const known = work.known.get(number) ?? { isDone: false, jobs: [] }
      const done = known.isDone ? yield* log.done(number).get : undefined
      const jobs = yield* log.jobs(known)
      const before = done === undefined ? jobs : [done, ...jobs]
      if (before.some((each) => each.hash !== hash || each.from !== from || each.to !== to)) {
        return yield* refused(runId, `records ${from + 1} to ${to} of the source are not those that were sent before`)
      }
      if (done !== undefined) return Stream.empty

      const read = yield* readBefore(work, jobs, part)
      let index = known.jobs.length
      // without its record, or while another process works on it, the job must not be submitted
      const onJob = (jobId: string) =>
        Effect.suspend(() => log.addJob(number, index++, { from, to, hash, jobId })).pipe(
          Effect.andThen(work.held.demand),
          Effect.orDie
        )
      const write = (counts: Counts) => log.done(number).set({ from, to, hash, ...counts })
      if (read === undefined) {
        // those that succeeded may not come out
        const counts = { succeeded: 0, created: 0 }
        const note = (event: Progress): Effect.Effect<void> => {
          if (event._tag === "JobCreated") return onJob(event.jobId)
          if (event._tag === "JobDone") {
            counts.succeeded += event.succeeded
            counts.created += event.created
          }
          return Effect.void
        }
        const outcomes = Stream.catchDefect(part.send(note), (defect) =>
          defect instanceof BulkError.BulkError ? Stream.fail(defect) : Stream.die(defect)
        )
        return counted(outcomes, counts, write)
      }
      const isSuccess = (outcome: Outcome<A>) => outcome._tag === "Succeeded"
      const succeeded = read.filter(isSuccess)
      const counts = { succeeded: succeeded.length, created: succeeded.filter(({ created }) => created).length }
      const wanted = work.outcomes === "failures" ? read.filter((outcome) => !isSuccess(outcome)) : read
      return counted(Stream.fromArray(wanted), counts, write)
    })
  )

interface Counts {
  readonly succeeded: number
  readonly created: number
  readonly failed: number
  readonly unprocessed: number
}

/** Outcomes, and at last what writes their counts: those of `successes` are known elsewhere by then. */
const counted = <A>(
  outcomes: Stream.Stream<Outcome<A>, BulkError.BulkError, Connection>,
  successes: Pick<Counts, "succeeded" | "created">,
  write: (counts: Counts) => Effect.Effect<void, BulkError.BulkError>
): Stream.Stream<Some<A>, BulkError.BulkError, Connection> => {
  const failures = { failed: 0, unprocessed: 0 }
  return outcomes.pipe(
    Stream.chunks,
    Stream.map((outcomes): Some<A> => {
      for (const { _tag } of outcomes) {
        if (_tag === "Failed") failures.failed++
        else if (_tag === "Unprocessed") failures.unprocessed++
      }
      return { _tag: "Outcomes", outcomes }
    }),
    Stream.concat(Stream.sync((): Some<A> => ({ _tag: "Done", write: write({ ...successes, ...failures }) })))
  )
}

/** What became of a part that an earlier process may have sent; undefined if it is to be sent. */
const readBefore = Effect.fnUntraced(function* <A>(
  { poll, runId }: Work,
  jobs: ReadonlyArray<PartJob>,
  { canonical, key, sent }: Part<A>
): Effect.fn.Return<ReadonlyArray<Outcome<A>> | undefined, BulkError.BulkError, Connection> {
  if (jobs.length === 0) return undefined
  const { records, rejected } = sent()
  const outcomes = new Map<string, Outcome<A>>()
  let last: string | undefined
  for (const { jobId } of jobs) {
    const settled = yield* settle(jobId, { key, canonical, records, poll })
    if (settled === undefined) {
      return yield* refused(
        runId,
        `job ${jobId} is gone, or its results are: whether its records were loaded cannot be known`
      )
    }
    if (!settled.isTouched) continue
    last = jobId
    // records that were sent again have their outcome from the later job
    for (const [own, outcome] of settled.outcomes) outcomes.set(own, outcome)
  }
  if (last === undefined) return undefined
  const all: Array<Outcome<A>> = [...rejected]
  for (const [own, record] of records) {
    all.push(outcomes.get(own) ?? { _tag: "Unprocessed", jobId: last, record, reason: "unaccounted" })
  }
  return all
})

const fingerprint = (bytes: Uint8Array<ArrayBuffer>) =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", bytes)),
    (digest) => ({
      hash: Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join(""),
      length: bytes.length
    })
  )
