import * as Result from "effect/Result"
import * as BulkError from "../../BulkError.ts"
import type { Lookup } from "./lookups.ts"

/**
 * An object in its place: after its parents.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  readonly object: string
  /** Lookups to other objects of the load, which come before. */
  readonly parents: ReadonlyArray<Lookup>
  /** Lookups to records of the same object: there is no order in which they all find theirs. */
  readonly selfLookups: ReadonlyArray<Lookup>
}

/** Parents first; objects that do not depend on each other keep their order. */
export const sort = (steps: ReadonlyArray<Step>): Result.Result<ReadonlyArray<Step>, BulkError.LoadCycle> => {
  const sorted: Array<Step> = []
  const placed = new Set<string>()
  const waiting = [...steps]
  while (waiting.length > 0) {
    const at = waiting.findIndex((step) => step.parents.every(({ object }) => placed.has(object)))
    const [next] = at < 0 ? [] : waiting.splice(at, 1)
    if (next === undefined) return Result.fail(cycleIn(waiting, placed))
    sorted.push(next)
    placed.add(next.object)
  }
  return Result.succeed(sorted)
}

/** Every step that waits has a parent that waits: following those comes round. */
const cycleIn = (waiting: ReadonlyArray<Step>, placed: ReadonlySet<string>): BulkError.LoadCycle => {
  const trail: Array<string> = []
  const columns: Array<string> = []
  let object = waiting[0]!.object
  while (!trail.includes(object)) {
    trail.push(object)
    const { parents } = waiting.find((step) => step.object === object)!
    const lookup = parents.find((parent) => !placed.has(parent.object))!
    columns.push(lookup.column)
    object = lookup.object
  }
  const from = trail.indexOf(object)
  return new BulkError.LoadCycle({ cycle: [...trail.slice(from), object], columns: columns.slice(from) })
}
