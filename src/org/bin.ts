#!/usr/bin/env node
/** Runs the command, `main.ts`, on a Node that has what it imports; on an older one it says so in a line. */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major > 22 || (major === 22 && minor >= 19)) await import("./main.ts")
else {
  console.error(`effect-salesforce-bulk: Node ${process.versions.node} is too old: it takes 22.19 or later`)
  process.exitCode = 1
}

export {}
