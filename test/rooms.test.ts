// The import rules of the house: which room may know which.

import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"

const src = resolve(import.meta.dirname, "../src")

interface Import {
  readonly file: string
  readonly specifier: string
  /** The imported file below `src`, for relative imports. */
  readonly target: string | undefined
}

const files = globSync("**/*.ts", { cwd: src })
const imports: ReadonlyArray<Import> = files.flatMap((file) =>
  [
    ...readFileSync(join(src, file), "utf8").matchAll(/^(?:import|export)\b[^"]*?"([^"]+)"|\bimport\("([^"]+)"\)/gm)
  ].map((match) => {
    const specifier = match[1] ?? match[2] ?? ""
    const target = specifier.startsWith(".") ? relative(src, resolve(src, dirname(file), specifier)) : undefined
    return { file, specifier, target }
  })
)

const room = (file: string): string => (file.includes("/") ? file.slice(0, file.indexOf("/")) : "")

/** The imports that break a rule, as text, so that a failing test names them. */
const breaking = (rule: (i: Import) => boolean): ReadonlyArray<string> =>
  imports.filter(rule).map(({ file, specifier }) => `${file} imports ${specifier}`)

/** Which rooms each room may import, besides itself and the files at the top of `src`. */
const below: Readonly<Record<string, ReadonlyArray<string>>> = {
  ingest: ["job", "connection", "record"],
  query: ["job", "connection", "record"],
  job: ["connection"],
  connection: [],
  record: [],
  reasons: [],
  view: [],
  org: []
}

const barrels = ["index.ts", "node.ts", "org/index.ts"]

describe("rooms", () => {
  it("reads the imports of all files", () => {
    assert.isAbove(files.length, 20)
    assert.isAbove(imports.length, 100)
    assert.deepStrictEqual(
      imports.filter((i) => i.target !== undefined && !existsSync(join(src, i.target))),
      []
    )
  })

  it("import only rooms on lower floors", () => {
    assert.deepStrictEqual(
      breaking(({ file, target }) => {
        if (target === undefined || room(file) === "" || room(target) === "") return false
        return room(file) !== room(target) && !(below[room(file)] ?? []).includes(room(target))
      }),
      []
    )
  })

  it("have floors of their own, where there are bytes below cells, and cells below what is compiled", () => {
    const floors = ["record/csv/", "record/cells/", "record/compile/"]
    const floorOf = (file: string) => floors.findIndex((floor) => file.startsWith(floor))
    assert.isAbove(files.filter((file) => floorOf(file) >= 0).length, 20)
    assert.deepStrictEqual(
      breaking(({ file, target }) => target !== undefined && floorOf(file) >= 0 && floorOf(target) > floorOf(file)),
      []
    )
  })

  it("know reasons by BulkError alone", () => {
    assert.deepStrictEqual(
      breaking(
        ({ file, target }) =>
          target !== undefined && room(target) === "reasons" && room(file) !== "reasons" && file !== "BulkError.ts"
      ),
      []
    )
  })

  it("are all known", () => {
    assert.deepStrictEqual([...new Set(files.map(room))].sort(), ["", ...Object.keys(below)].sort())
  })

  it("keep the org and the client apart", () => {
    assert.deepStrictEqual(
      breaking(({ file, target }) => target !== undefined && (room(file) === "org") !== (room(target) === "org")),
      []
    )
  })

  it("send HTTP from connection alone, and serve it from org alone", () => {
    assert.deepStrictEqual(
      breaking(
        ({ file, specifier }) =>
          /^effect\/(http|http-api|socket)\b/.test(specifier) &&
          !/^(connection|org)$/.test(room(file)) &&
          // which says what the HTTP client is
          file !== "node.ts"
      ),
      []
    )
  })

  it("use Node's platform only where a program begins", () => {
    assert.deepStrictEqual(
      breaking(
        ({ file, specifier }) =>
          specifier.startsWith("@effect/platform-node") && !["node.ts", "org/main.ts"].includes(file)
      ),
      []
    )
    assert.deepStrictEqual(
      breaking(
        ({ file, specifier }) =>
          specifier.startsWith("node:") && room(file) !== "org" && !/^(node|fileSpool)\.ts$/.test(file)
      ),
      []
    )
  })

  it("open SQLite in one place", () => {
    assert.deepStrictEqual(
      breaking(({ file, specifier }) => specifier === "node:sqlite" && file !== "org/database.ts"),
      []
    )
  })

  it("import no barrel", () => {
    assert.deepStrictEqual(
      breaking(
        ({ file, specifier, target }) =>
          (target !== undefined && barrels.includes(target) && !barrels.includes(file)) ||
          /^(effect|effect\/[a-z-]+|@effect\/platform-node)$/.test(specifier)
      ),
      []
    )
  })

  it("have no circles", () => {
    const graph = new Map(
      files.map((file) => [file, imports.flatMap((i) => (i.file === file && i.target ? [i.target] : []))])
    )
    const visiting = new Set<string>()
    const done = new Set<string>()
    const circles: Array<string> = []
    const visit = (file: string, trail: ReadonlyArray<string>): void => {
      if (visiting.has(file)) circles.push([...trail.slice(trail.indexOf(file)), file].join(" -> "))
      if (visiting.has(file) || done.has(file)) return
      visiting.add(file)
      for (const target of graph.get(file) ?? []) visit(target, [...trail, file])
      visiting.delete(file)
      done.add(file)
    }
    for (const file of files) visit(file, [])
    assert.deepStrictEqual(circles, [])
  })
})
