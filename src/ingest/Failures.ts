/**
 * Failures by their causes: of 1,200 failures three are usually all there is.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import type * as ErrorCode from "../ErrorCode.ts"
import { categoryOf, type Failed, type Outcome } from "./Outcome.ts"
import { hintOf } from "./rowHint.ts"

/**
 * Failures that have one cause: the same code, for the same fields. Where Salesforce
 * names no field they have the same words, numbers and quoted values left aside.
 *
 * @category models
 * @since 0.1.0
 */
export interface Group<A> {
  readonly code: string
  readonly fields: ReadonlyArray<string>
  /** What the code is about; undefined for one that is not in the vocabulary. */
  readonly category: ErrorCode.Category | undefined
  readonly count: number
  /** The message of the first of them. */
  readonly message: string
  /** What to do about it, where there is something to say. */
  readonly hint: string | undefined
  /** The first of them. */
  readonly samples: ReadonlyArray<Failed<A>>
}

/**
 * What came of a load, with its failures by cause.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failures<A> {
  readonly succeeded: number
  readonly failed: number
  readonly unprocessed: number
  /** The most frequent first. */
  readonly groups: ReadonlyArray<Group<A>>
  /** Failures of further causes, which were too many to be kept apart. */
  readonly others: number
}

/**
 * How failures are grouped.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** How many failures of each group are kept. Default 3. */
  readonly samples?: number | undefined
  /** How many groups there may be; what comes after them is counted. Default 200. */
  readonly groups?: number | undefined
}

/**
 * Takes outcomes and groups the failures among them, in bounded memory.
 *
 * @category sinks
 * @since 0.1.0
 */
export const sink = <A>(options: Options = {}): Sink.Sink<Failures<A>, Outcome<A>> => {
  const { groups: most = 200, samples = 3 } = options
  return Sink.map(
    Sink.reduceArray(
      () => new Grouping<A>(most, samples),
      (grouping, outcomes: ReadonlyArray<Outcome<A>>) => {
        for (const outcome of outcomes) grouping.add(outcome)
        return grouping
      }
    ),
    (grouping) => grouping.result()
  )
}

/**
 * Runs outcomes and groups the failures among them. Memory is bounded, however many
 * there are. Fails as the outcomes fail.
 *
 * **Example** (What went wrong)
 *
 * ```ts
 * const program = items.pipe(
 *   Ingest.upsert({ object: "Inventory__c", schema: Item, externalId: "Sku__c", nulls: "clear" }),
 *   Failures.group(),
 *   Effect.flatMap((failures) => Console.log(Failures.render(failures)))
 * )
 * ```
 *
 * @category grouping
 * @since 0.1.0
 */
export const group =
  (options: Options = {}) =>
  <A, E, R>(outcomes: Stream.Stream<Outcome<A>, E, R>): Effect.Effect<Failures<A>, E, R> =>
    Stream.run(outcomes, sink<A>(options))

/**
 * Failures for people: a line for each group, and what to do about it. `show` gives the
 * words for a record that is a sample; without it no values of records are shown.
 *
 * @category rendering
 * @since 0.1.0
 */
export const render = <A>(failures: Failures<A>, show?: (record: A) => string): string => {
  const { failed, groups, others, succeeded, unprocessed } = failures
  const numbers = [`${count(succeeded)} succeeded`, `${count(failed)} failed`]
  if (unprocessed > 0) numbers.push(`${count(unprocessed)} were not processed`)
  const wide = Math.max(0, ...groups.map((each) => count(each.count).length))
  const lines = groups.slice(0, groupsShown).flatMap(({ code, count: n, fields, hint, message, samples }) => {
    const where = fields.length === 0 ? "" : ` (${fields.join(", ")})`
    const what = show === undefined ? "" : `: ${cut(message)}`
    const indent = " ".repeat(wide + 4)
    return [
      `  ${count(n).padStart(wide)}  ${code}${where}${what}`,
      ...(hint === undefined ? [] : [`${indent}${hint}`]),
      ...(show === undefined ? [] : [`${indent}such as ${samples.map(({ record }) => show(record)).join(", ")}`])
    ]
  })
  const more = groups.slice(groupsShown).reduce((sum, each) => sum + each.count, others)
  return [numbers.join(", "), ...lines, ...(more === 0 ? [] : [`  and ${count(more)} of other causes`])].join("\n")
}

const groupsShown = 8

const messageShown = 100

const count = (n: number): string => n.toLocaleString("en-US")

const cut = (text: string): string => (text.length > messageShown ? `${text.slice(0, messageShown - 1)}…` : text)

/** A message without what differs from record to record. */
const shapeOf = (message: string): string =>
  message
    .replace(/(external ID: ).*?( not found)/g, "$1…$2")
    .replace(/"[^"]*"|'[^']*'|\[[^\]]*\]/g, "…")
    .replace(/\S*\d\S*/g, "…")

interface Growing<A> {
  readonly first: Failed<A>
  count: number
  readonly samples: Array<Failed<A>>
}

class Grouping<A> {
  private readonly most: number
  private readonly samples: number
  private readonly groups = new Map<string, Growing<A>>()
  private succeeded = 0
  private failed = 0
  private unprocessed = 0
  private others = 0

  constructor(most: number, samples: number) {
    this.most = most
    this.samples = samples
  }

  add(outcome: Outcome<A>): void {
    if (outcome._tag === "Succeeded") {
      this.succeeded++
      return
    }
    if (outcome._tag === "Unprocessed") {
      this.unprocessed++
      return
    }
    this.failed++
    const { code, fields, message } = outcome.error
    const key = `${code} ${fields.length === 0 ? shapeOf(message) : fields.join()}`
    let group = this.groups.get(key)
    if (group === undefined) {
      if (this.groups.size >= this.most) {
        this.others++
        return
      }
      group = { first: outcome, count: 0, samples: [] }
      this.groups.set(key, group)
    }
    group.count++
    if (group.samples.length < this.samples) group.samples.push(outcome)
  }

  result(): Failures<A> {
    const { failed, others, succeeded, unprocessed } = this
    const groups = Array.from(this.groups.values(), ({ count, first, samples }): Group<A> => {
      const { code, fields, message } = first.error
      const category = categoryOf(first.error)
      return { code, fields, category, count, message, hint: hintOf(first.error), samples }
    })
    return { succeeded, failed, unprocessed, groups: groups.sort((a, b) => b.count - a.count), others }
  }
}
