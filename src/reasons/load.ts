/** Loads as a whole that do not begin, or do not go on. */
import * as Data from "effect/Data"
import { counted } from "../counted.ts"

/**
 * A plan found what it must not find. Nothing was sent. `findings` are those that
 * stand against the load.
 *
 * @category reasons
 * @since 0.1.0
 */
export class PlanNotClean extends Data.TaggedError("PlanNotClean")<{
  readonly object: string
  readonly operation: string
  readonly findings: ReadonlyArray<{
    readonly severity: string
    readonly code: string
    readonly column: string | undefined
    readonly message: string
    readonly count: number
  }>
}> {
  override get message(): string {
    const [first] = this.findings
    const where = first?.column === undefined ? "" : `${first.column}: `
    const more = this.findings.length > 1 ? `, and ${counted(this.findings.length - 1, "more finding")}` : ""
    return `the plan of the ${this.operation} of ${this.object} is not clean: ${where}${first?.message}${more}; nothing was sent`
  }
}

/**
 * A guard stopped the load. What was sent until then is settled; the outcomes of all
 * records were emitted before this.
 *
 * @category reasons
 * @since 0.1.0
 */
export class LoadStopped extends Data.TaggedError("LoadStopped")<{
  readonly guard: "canary" | "stopWhen" | "submitUntil"
  readonly problem: string
}> {
  override get message(): string {
    return `the load was stopped by ${this.guard}: ${this.problem}`
  }
}

/**
 * Objects refer to one another in a circle, so that none of them can be loaded first.
 * `cycle` names them, the first one again at its end, and `columns` by which columns
 * each refers to the next.
 *
 * @category reasons
 * @since 0.1.0
 */
export class LoadCycle extends Data.TaggedError("LoadCycle")<{
  readonly cycle: ReadonlyArray<string>
  readonly columns: ReadonlyArray<string>
}> {
  override get message(): string {
    const needs = this.columns.map((column, i) => `${this.cycle[i]} needs ${this.cycle[i + 1]} (${column})`)
    return `none of these can be loaded first: ${needs.join(", ")}; leave one of the columns out, and fill it by an update afterwards`
  }
}

/**
 * A run cannot be begun, or gone on with. What was sent before stays recorded, and
 * nothing was sent twice.
 *
 * @category reasons
 * @since 0.1.0
 */
export class RunRefused extends Data.TaggedError("RunRefused")<{
  readonly runId: string
  readonly problem: string
}> {
  override get message(): string {
    return `the run ${this.runId} does not go on: ${this.problem}`
  }
}

/**
 * Another process works on the run: `holder` is a name that it gave itself, and
 * `expiresAt` is until when it holds the run if it should not be seen again.
 *
 * @category reasons
 * @since 0.1.0
 */
export class RunHeld extends Data.TaggedError("RunHeld")<{
  readonly runId: string
  readonly holder: string
  readonly expiresAt: string
}> {
  override get message(): string {
    return `the run ${this.runId} does not go on here: another process (${this.holder}) works on it, at least until ${this.expiresAt}`
  }
}

export type Reason = PlanNotClean | LoadStopped | LoadCycle | RunRefused | RunHeld
