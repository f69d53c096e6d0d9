// What knip takes as used: the programs, and everything that a public module exports.
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"

const publicModules = ["src/index.ts", "src/org/index.ts"].flatMap((barrel) =>
  Array.from(readFileSync(barrel, "utf8").matchAll(/from "(.+)"/g), ([, path]) => join(dirname(barrel), path))
)

export default {
  entry: [
    ...publicModules,
    "examples/*/main.ts",
    "test/**/*.test-d.ts",
    // processes that tests and benchmarks start
    "test/bench/*.ts",
    "test/bench/contestants/*.ts",
    "test/support/*Child.ts",
    ".ci/*.js"
  ],
  project: ["{src,examples,test}/**/*.ts", "{scripts,.ci}/*.js"],
  // types named in the signatures of their file
  ignoreExportsUsedInFile: { interface: true, type: true },
  // of the system: a terminal for a test
  ignoreBinaries: ["script"],
  ignoreDependencies: [
    // installed with jsforce, and measured against
    "csv-parse",
    "csv-stringify",
    // installed by the benchmark that measures against them
    "papaparse",
    "fast-csv",
    "udsv"
  ]
}
