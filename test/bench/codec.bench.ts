import { join } from "node:path"
import type { Contestant, Row } from "./suite.ts"

const of =
  (module: string) =>
  (name: string): Contestant => ({ module: join(import.meta.dirname, "contestants", module), name })
const ours = of("ours.ts")
const csv = of("csv.ts")

/** Bytes to records and back, without a network. */
export const rows: ReadonlyArray<Row> = [
  { name: "decode-clean-vs-csv-parse", ours: ours("decodeClean"), theirs: csv("parseClean") },
  { name: "decode-dirty-vs-csv-parse", ours: ours("decodeDirty"), theirs: csv("parseDirty") },
  { name: "encode-vs-csv-stringify", ours: ours("encode"), theirs: csv("write") },
  { name: "typed-vs-untyped-decode", ours: ours("decodeClean"), theirs: ours("decodeTexts") },
  { name: "pipeline-vs-loop", ours: ours("decodeClean"), theirs: ours("decodeLoop") }
]
