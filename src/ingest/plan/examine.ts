/** Looks at the rows of a load, one array after the other. What is kept is bounded. */
import { rowsPerBatch } from "../../connection/Limits.ts"
import type * as Csv from "../../record/Csv.ts"
import type * as RecordCodec from "../../record/RecordCodec.ts"
import type { Column } from "./columns.ts"
import type { Fault, Findings } from "./findings.ts"
import type { ColumnPlan } from "./model.ts"
import { type Children, manyChildren, Parents } from "./parents.ts"
import { keysKept, Seen } from "./seen.ts"

/** What becomes of records with the same key. */
type Duplicates = "fail" | "first" | "last"

/** Rows as a load sends them. */
export interface Rows {
  /** How many they are in bytes. */
  readonly bytes: number
  readonly cells: ReadonlyArray<Csv.Row>
  /** What is wrong with records that cannot be written, by their place among all. */
  readonly problems: ReadonlyMap<number, RecordCodec.Problem>
}

interface Watched {
  readonly column: Column
  readonly parents: Parents | undefined
  filled: number
  blank: number
  cleared: number
}

export class Examination {
  records = 0
  bytes = 0
  private readonly watched: ReadonlyArray<Watched>
  private readonly seen = new Seen()
  private readonly keyAt: number
  private readonly keyOf: (cell: string) => string
  private readonly findings: Findings
  private readonly duplicate: Fault

  /** `key` is the column that tells the records apart. */
  constructor(
    columns: ReadonlyArray<Column>,
    { duplicates = "fail", key }: { readonly key: string | undefined; readonly duplicates?: Duplicates | undefined },
    findings: Findings
  ) {
    this.findings = findings
    this.duplicate = duplicates === "fail" ? duplicateKey : duplicateDropped(duplicates)
    this.watched = columns.map((column) => ({
      column,
      parents: column.parent !== undefined ? new Parents() : undefined,
      filled: 0,
      blank: 0,
      cleared: 0
    }))
    this.keyAt = key === undefined ? -1 : columns.findIndex((column) => column.name.toLowerCase() === key.toLowerCase())
    const field = this.watched[this.keyAt]?.column.field
    this.keyOf =
      field?.type === "id"
        ? (text) => text.slice(0, 15)
        : field === undefined || field.caseSensitive
          ? (text) => text
          : (text) => text.toLowerCase()
  }

  /** Looks at more rows. */
  rows({ bytes, cells, problems }: Rows): void {
    this.bytes += bytes
    const records = cells.length + problems.size
    for (let place = 0, next = 0; place < records; place++) {
      this.records++
      const problem = problems.get(place)
      if (problem === undefined) this.row(cells[next++]!, this.records)
      else {
        const { column, message, value = message } = problem
        this.findings.value(notWritable, column, this.records, value)
      }
    }
  }

  private row(row: Csv.Row, record: number): void {
    const batch = Math.floor((record - 1) / rowsPerBatch)
    for (let at = 0; at < this.watched.length; at++) {
      const watched = this.watched[at] as Watched
      const { column, parents } = watched
      const text = trimmed(row[at]!)
      if (text === "") {
        watched.blank++
        if (column.blank !== undefined) this.findings.value(column.blank, column.name, record, "")
        continue
      }
      if (text === "#N/A") {
        watched.cleared++
        if (column.clear !== undefined) this.findings.value(column.clear, column.name, record, text)
        continue
      }
      watched.filled++
      if (column.written !== undefined) this.findings.value(column.written, column.name, record, text)
      const wrong = column.check?.(text)
      if (wrong !== undefined) this.findings.value(wrong, column.name, record, text)
      parents?.child(text, batch)
      if (at === this.keyAt && this.seen.has(this.keyOf(text))) {
        this.findings.value(this.duplicate, column.name, record, text)
      }
    }
  }

  /** The parents with the most records, by their columns. */
  largestParents(most: number): ReadonlyArray<{ readonly column: Column; readonly parents: ReadonlyArray<Children> }> {
    return this.watched.flatMap(({ column, parents }) =>
      parents === undefined ? [] : [{ column, parents: parents.largerThan(0).slice(0, most) }]
    )
  }

  /** What shows only when all records were seen. `unknown` takes what was too much. */
  finish(unknown: Array<string>): ReadonlyArray<ColumnPlan> {
    const batches = Math.ceil(this.records / rowsPerBatch)
    for (const { column, parents } of this.watched) {
      if (parents === undefined) continue
      const many = parents.largerThan(manyChildren)
      const [largest] = many
      if (largest !== undefined) {
        const words = `${many.length} parents get more than ${count(manyChildren)} records, one of them ${count(largest.children)}`
        const message = `${words}: the org gets slow, and their locks are fought for`
        this.findings.add({ severity: "warning", code: "MANY_CHILDREN", message }, column.name, largest.children)
      }
      // at the end of a batch one parent may go on, if they are in order
      if (column.parent === "locks" && parents.returns >= batches) {
        const message =
          "parents come again in later batches, which fight for their locks: sort the records by this column"
        this.findings.add({ severity: "warning", code: "LOCK_RISK", message }, column.name, parents.returns)
      }
    }
    if (this.seen.isFull) unknown.push(`keys that occur twice after the first ${count(keysKept)}`)
    return this.watched.map(({ blank, cleared, column: { field, name: column }, filled }) => ({
      column,
      field: field?.name,
      type: field?.type,
      filled,
      blank,
      cleared
    }))
  }
}

/** Most texts have nothing to trim, which is soon seen. */
const trimmed = (text: string): string =>
  isPlain(text.charCodeAt(0)) && isPlain(text.charCodeAt(text.length - 1)) ? text : text.trim()

/** Whether it is a character of ASCII that is no blank. */
const isPlain = (char: number): boolean => char > 0x20 && char < 0x7f

const notWritable: Fault = {
  severity: "error",
  code: "NOT_WRITABLE",
  message: "does not fit the schema, or no CSV, and is not sent"
}

const duplicateKey: Fault = {
  severity: "fatal",
  code: "DUPLICATE_KEY",
  message: "a key that came before: the outcomes of both could not be told apart"
}

const duplicateDropped = (sent: "first" | "last"): Fault => ({
  severity: "warning",
  code: "DUPLICATE_KEY",
  message: `a key that came before: where both are in one job, the ${sent} one is sent, and the other one fails`
})

const count = (n: number): string => n.toLocaleString("en-US")
