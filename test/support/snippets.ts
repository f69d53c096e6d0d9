/** The code of documents as files that the compiler checks. */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as platform from "@effect/platform-node"
import * as effect from "effect"
import * as http from "effect/http"
import * as persistence from "effect/persistence"
import * as client from "../../src/index.ts"
import * as node from "../../src/node.ts"
import * as org from "../../src/org/index.ts"
import { type Block, blocksOf, documents, root } from "./documents.ts"

/** Where names come from that code uses and does not import; the first that has one is taken. */
const modules: ReadonlyArray<readonly [specifier: string, names: object]> = [
  ["effect-salesforce-bulk", client],
  ["effect-salesforce-bulk/node", node],
  ["effect-salesforce-bulk/org", org],
  ["effect", effect],
  ["effect/http", http],
  ["effect/persistence", persistence],
  ["@effect/platform-node", platform]
]

/** What documents call Item. */
const item = /^class Item .*?^\}.*?\n/ms

const importsOf = (code: string): string => {
  const declared = new Set(Array.from(code.matchAll(/\b(?:class|const|import \* as) (\w+)/g), ([, name]) => name))
  const used = new Set(Array.from(code.matchAll(/(?<![.\w"'])[A-Za-z]\w*/g), ([name]) => name))
  return Array.from(used)
    .filter((name) => !declared.has(name))
    .flatMap((name) => {
      const from = modules.find(([, names]) => Object.hasOwn(names, name))
      return from === undefined ? [] : [`import { ${name} } from "${from[0]}"`]
    })
    .join("\n")
}

/** A block as a module of its own: with its imports, and what is given. */
export const moduleOf = ({ given, text }: Block): string => {
  if (/^import /m.test(text)) return text
  const isGenerator = /^(?:const .*= )?yield\*/m.test(text)
  const body = isGenerator ? `export const program = Effect.gen(function* () {\n${text}})\n` : text
  const needsItem = /\bItem\b/.test(given + text) && !item.test(given + text)
  const everyItem = blocksOf("README.md").map((block) => item.exec(block.text)?.[0] ?? "")
  const code = [...(needsItem ? [everyItem.join("")] : []), given, body].join("\n")
  return `${importsOf(code)}\n${code}`
}

/** For a folder two floors below the root. */
export const withLocalImports = (code: string): string =>
  code
    .replaceAll('"effect-salesforce-bulk"', '"../../src/index.ts"')
    .replaceAll('"effect-salesforce-bulk/node"', '"../../src/node.ts"')
    .replaceAll('"effect-salesforce-bulk/org"', '"../../src/org/index.ts"')

const has = (owner: unknown, name: string): boolean =>
  ((typeof owner === "object" && owner !== null) || typeof owner === "function") && name in owner

/** What `Module.name` may be in a text that names it: also a member of the service that is called as its module. */
export const isExported = (module: string, name: string): boolean =>
  modules.some(([, names]) => {
    const members: unknown = Reflect.get(names, module)
    return has(members, name) || (has(members, module) && has(Reflect.get(Object(members), module), name))
  })

export const isModule = (module: string): boolean =>
  [client, org].some((names) => typeof Reflect.get(names, module) === "object")

/** All of the source as text, in which names of types and spans are found. */
export const source: string = globSync("src/**/*.ts", { cwd: root })
  .map((file) => readFileSync(join(root, file), "utf8"))
  .join("\n")

export const allBlocks: ReadonlyArray<Block> = documents.flatMap(blocksOf)
