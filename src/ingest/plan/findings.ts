import { ownText } from "../ownText.ts"
import type { Code, Finding, Sample, Severity } from "./model.ts"

/** What is found, before it is counted. */
export interface Fault {
  readonly severity: Severity
  readonly code: Code
  readonly message: string
}

/** How many records are shown with a finding. */
const samplesKept = 3

/** How much of a value is shown. */
const valueKept = 40

const order: ReadonlyArray<Severity> = ["fatal", "error", "warning", "note"]

interface Counted {
  readonly fault: Fault
  readonly column: string | undefined
  count: number
  readonly samples: Array<Sample>
}

/** Counts what is found. What is kept depends on the columns, not on the records. */
export class Findings {
  private readonly ofLoad: Array<Finding> = []
  private readonly ofValues = new Map<string, Counted>()
  /** The same, by what was found and where: most faults are found again, and no text is made to find their counts. */
  private readonly known = new Map<Fault, Map<string | undefined, Counted>>()
  private readonly told = new Set<string>()

  /** About the load as a whole, or about a column. Said twice it is told once. */
  add(fault: Fault, column?: string, count = 0): void {
    const key = `${fault.code} ${column} ${fault.message}`
    if (this.told.has(key)) return
    this.told.add(key)
    this.ofLoad.push({ ...fault, column, count, samples: [] })
  }

  /** About the value of one record, counted from 1. */
  value(fault: Fault, column: string | undefined, record: number, value: string): void {
    const counted = this.known.get(fault)?.get(column) ?? this.counted(fault, column)
    counted.count++
    if (counted.samples.length < samplesKept) {
      const shown = value.length > valueKept ? `${value.slice(0, valueKept)}…` : value
      counted.samples.push({ record, value: ownText(shown) })
    }
  }

  private counted(fault: Fault, column: string | undefined): Counted {
    const key = `${fault.severity} ${fault.code} ${column}`
    const counted = this.ofValues.get(key) ?? { fault, column, count: 0, samples: [] }
    this.ofValues.set(key, counted)
    const known = this.known.get(fault) ?? new Map<string | undefined, Counted>()
    this.known.set(fault, known.set(column, counted))
    return counted
  }

  /** All of them, the worst first, and the most frequent first among equals. */
  all(): ReadonlyArray<Finding> {
    const ofValues = Array.from(this.ofValues.values(), ({ column, count, fault, samples }): Finding => {
      return { ...fault, column, count, samples }
    })
    return [...this.ofLoad, ...ofValues].sort(
      (a, b) => order.indexOf(a.severity) - order.indexOf(b.severity) || b.count - a.count
    )
  }
}
