import { canonicalText } from "../../canonicalText.ts"
import type * as Describe from "../../job/Describe.ts"
import type { Lookup } from "./lookups.ts"
import type { Step } from "./sort.ts"

/** The cells of a record by their columns. */
export type Cells = Readonly<Record<string, string>>

/** The names by which records are looked up that were not loaded: nothing is kept of the others. */
export class NotLoaded {
  /** By object and field. */
  private readonly names = new Map<string, Names>()

  constructor(steps: ReadonlyArray<Step>) {
    for (const { parents, selfLookups } of steps) {
      for (const { key, object } of [...parents, ...selfLookups]) if (key !== undefined) this.watch(object, key)
    }
  }

  watch(object: string, field: Describe.Field): Names {
    const at = `${object}.${field.name}`
    const known = this.names.get(at)
    if (known !== undefined) return known
    const watched = { object, field, names: new Set<string>() }
    this.names.set(at, watched)
    return watched
  }

  /** A record of the object was not loaded. */
  add(object: string, cells: Cells): void {
    for (const watched of this.names.values()) {
      if (watched.object !== object) continue
      const column = Object.keys(cells).find((each) => each.toLowerCase() === watched.field.name.toLowerCase())
      const name = nameOf(watched.field, column === undefined ? "" : cells[column])
      if (name !== "") watched.names.add(name)
    }
  }

  /** Whether records of the object were not loaded that can be looked up by the field. */
  has(object: string, field: Describe.Field, name: string | undefined): boolean {
    return this.watch(object, field).names.has(nameOf(field, name))
  }

  /** Whether any record can be blocked by one of the lookups. */
  blocksAny(lookups: ReadonlyArray<Lookup>): boolean {
    return lookups.some(({ key, object }) => key !== undefined && this.watch(object, key).names.size > 0)
  }

  /** The first lookup of a record that names one that was not loaded. */
  blocking(
    lookups: ReadonlyArray<Lookup>,
    cells: Cells
  ): { readonly column: string; readonly value: string } | undefined {
    for (const { column, key, object } of lookups) {
      const value = cells[column]
      if (key !== undefined && value !== undefined && this.has(object, key, value)) return { column, value }
    }
    return undefined
  }
}

interface Names {
  readonly object: string
  readonly field: Describe.Field
  readonly names: Set<string>
}

/** As the org compares them. */
const nameOf = ({ caseSensitive }: Describe.Field, cell = ""): string =>
  caseSensitive ? canonicalText(cell) : canonicalText(cell).toLowerCase()
