/** The fenced blocks of the documents that people read. */
import { globSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"

export const root = resolve(import.meta.dirname, "../..")

export interface Block {
  readonly file: string
  readonly line: number
  /** The word after the fence; empty for output and pictures. */
  readonly language: string
  readonly text: string
  /** What a comment before the block says that its code takes for granted. */
  readonly given: string
}

export const documents: ReadonlyArray<string> = ["README.md", ...globSync("docs/*.md", { cwd: root }).sort()]

export const textOf = (file: string): string => readFileSync(join(root, file), "utf8")

export const blocksOf = (file: string): ReadonlyArray<Block> => {
  const all = textOf(file)
  return Array.from(
    all.matchAll(/(?:<!-- given: ((?:(?!-->).)*) -->\n)?^```(\w*)\n(.*?)^```$/gms),
    ({ 0: whole, 1: given = "", 2: language = "", 3: text = "", index }) => ({
      file,
      line: all.slice(0, index + whole.indexOf("```")).split("\n").length,
      language,
      text,
      given
    })
  )
}
