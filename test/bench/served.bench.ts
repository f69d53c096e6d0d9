import { join } from "node:path"
import type { Contestant, Row } from "./suite.ts"

const of =
  (module: string) =>
  (name: string): Contestant => ({ module: join(import.meta.dirname, "contestants", module), name })
const ours = of("oursServed.ts")
const jsforce = of("jsforce.ts")

const served: ReadonlyArray<Row> = [
  {
    name: "upload-vs-jsforce",
    ours: ours("upload"),
    theirs: jsforce("upload"),
    also: { "upload-memory-vs-jsforce": "memory" }
  },
  {
    name: "download-vs-jsforce",
    ours: ours("download"),
    theirs: jsforce("download"),
    also: {
      "download-first-record-vs-jsforce": "first",
      "download-memory-vs-jsforce": "memory",
      "download-calls-vs-jsforce": "calls"
    }
  },
  { name: "download-vs-raw", ours: ours("download"), theirs: ours("drain") },
  {
    name: "ingest-vs-jsforce",
    ours: ours("ingest"),
    theirs: jsforce("ingest"),
    also: { "ingest-memory-vs-jsforce": "memory", "ingest-calls-vs-jsforce": "calls" }
  },
  {
    name: "ingest-in-memory-vs-jsforce",
    ours: ours("ingestInMemory"),
    theirs: jsforce("ingest"),
    also: { "ingest-in-memory-memory-vs-jsforce": "memory" },
    wholeOnly: true
  },
  { name: "upload-memory-flat", of: "memory", ours: ours("upload"), theirs: ours("uploadQuarter") },
  { name: "download-memory-flat", of: "memory", ours: ours("download"), theirs: ours("downloadQuarter") },
  { name: "ingest-memory-flat", of: "memory", ours: ours("ingest"), theirs: ours("ingestQuarter"), wholeOnly: true },
  {
    name: "ingest-in-memory-memory-flat",
    of: "memory",
    ours: ours("ingestInMemory"),
    theirs: ours("ingestInMemoryQuarter"),
    wholeOnly: true
  },
  { name: "pages-5-vs-1-at-0ms", ours: ours("pages5At0"), theirs: ours("pages1At0"), wholeOnly: true },
  { name: "pages-5-vs-1-at-20ms", ours: ours("pages5At20"), theirs: ours("pages1At20"), wholeOnly: true },
  { name: "pages-5-vs-1-at-100ms", ours: ours("pages5At100"), theirs: ours("pages1At100"), wholeOnly: true },
  {
    name: "pages-unordered-vs-ordered-at-20ms",
    ours: ours("pages5At20Unordered"),
    theirs: ours("pages5At20"),
    wholeOnly: true
  }
]

/** Records to and from a server, each cell of which is written and read. */
export const rows: ReadonlyArray<Row> = served.map((row) => ({ ...row, isServed: true }))
