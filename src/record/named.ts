import { canGenerate, mostGenerated } from "./compile/generate.ts"
import type { Block } from "./csv/block.ts"
import { kept } from "./kept.ts"
import { plain } from "./plain.ts"

/** Reads the cells of a row by their names. The cells are given as in `ReadRows`. */
export type ReadNamed = (block: Block, at: Int32Array, o: number) => Readonly<Record<string, string>>

/** A column, and where it stands in the header. */
export interface Place {
  readonly name: string
  readonly position: number
}

/** What was made for a header stays fast from one file to the next. */
const reader = kept<ReadNamed>()

/** What reads rows as objects of one shape, whose fields are these columns. */
export const namedReader = (places: ReadonlyArray<Place>): ReadNamed =>
  reader(JSON.stringify(places), () =>
    places.length <= mostGenerated && canGenerate() ? generated(places) : looping(places)
  )

const generated = (places: ReadonlyArray<Place>): ReadNamed => {
  const values = places.map((_, i) => `v${i}`)
  const fields = places.map(({ name }, i) =>
    // set as others are, this one name would be the object's prototype
    name === "__proto__"
      ? `Object.defineProperty(this, "__proto__", { value: v${i}, writable: true, enumerable: true, configurable: true })`
      : `this[${JSON.stringify(name)}] = v${i}`
  )
  const cells = places.map(({ position }) => `block.cell(at[o + ${2 * position}] + 1, at[o + ${2 * position + 1}])`)
  return new Function(
    "plain",
    `"use strict"
const Row = plain(function (${values.join(", ")}) {\n${fields.join("\n")}\n})
return (block, at, o) => new Row(${cells.join(",\n")})`
  )(plain) as ReadNamed
}

const looping =
  (places: ReadonlyArray<Place>): ReadNamed =>
  (block, at, o) =>
    Object.fromEntries(
      places.map(({ name, position }) => [name, block.cell(at[o + 2 * position]! + 1, at[o + 2 * position + 1]!)])
    )
