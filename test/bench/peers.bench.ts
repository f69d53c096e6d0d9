import { join } from "node:path"
import type { Contestant, Row } from "./suite.ts"

const of =
  (module: string) =>
  (name: string): Contestant => ({ module: join(import.meta.dirname, "contestants", module), name })
const ours = of("ours.ts")
const effect = of("effectCsv.ts")
const limits = of("limits.ts")
const peers = of("peers.ts")

/** The codec beside other libraries, beside what Effect has, and beside what cannot be passed. */
export const rows: ReadonlyArray<Row> = [
  { name: "decode-vs-papaparse", ours: ours("decodeClean"), theirs: peers("papaParse"), needsPeers: true },
  { name: "decode-vs-fast-csv", ours: ours("decodeClean"), theirs: peers("fastCsvParse"), needsPeers: true },
  { name: "decode-vs-udsv", ours: ours("decodeClean"), theirs: peers("udsvParse"), needsPeers: true },
  { name: "encode-vs-papaparse", ours: ours("encode"), theirs: peers("papaWrite"), needsPeers: true },
  { name: "encode-vs-fast-csv", ours: ours("encode"), theirs: peers("fastCsvWrite"), needsPeers: true },
  { name: "untyped-decode-vs-effect-csv", ours: ours("decodeTexts"), theirs: effect("decodeTexts") },
  { name: "decode-vs-effect-csv-schema", ours: ours("decodeClean"), theirs: effect("decodeTyped") },
  { name: "encode-vs-effect-csv-schema", ours: ours("encode"), theirs: effect("encodeTyped") },
  { name: "arrays-vs-one-by-one", ours: ours("decodeClean"), theirs: effect("onePerEffect") },
  { name: "decode-vs-copying-the-bytes", ours: ours("decodeClean"), theirs: limits("copy") },
  { name: "decode-vs-latin1-text", ours: ours("decodeClean"), theirs: limits("latin1") },
  { name: "decode-vs-utf8-text", ours: ours("decodeClean"), theirs: limits("utf8") }
]
