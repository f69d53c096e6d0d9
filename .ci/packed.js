// Holds the list of packed files, which comes from `tar -tf`, against what a user needs: nothing more, and nothing less.
import { readFileSync } from "node:fs"

const files = readFileSync(0, "utf8")
  .trim()
  .split("\n")
  .map((file) => file.replace(/^package\//, ""))
const sources = files.filter((file) => /^src\/.+\.ts$/.test(file))
const built = sources.flatMap((file) =>
  ["js", "js.map", "d.ts", "d.ts.map"].map((extension) => file.replace(/^src\/(.+)ts$/, `dist/$1${extension}`))
)
const guides = files.filter((file) => /^docs\/[\w-]+\.(?:md|svg)$/.test(file))
const texts = ["README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "src/org/README.md", ...guides]
const wanted = new Set(["package.json", ...texts, ...sources, ...built])

const strange = files.filter((file) => !wanted.has(file))
const missing = Array.from(wanted).filter((file) => !files.includes(file))
if (strange.length + missing.length > 0 || sources.length === 0 || guides.length === 0) {
  console.error("packed, and not wanted:", strange, "\nwanted, and not packed:", missing)
  process.exit(1)
}
