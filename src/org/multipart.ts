/** The multipart form of a new ingest job: the job first, its CSV second. */
import * as Result from "effect/Result"

/** How many characters of CSV a job may bring along. */
const maxContentLength = 100_000

/** What the parts of a request hold. */
export interface NewJobParts {
  readonly job: string
  readonly content: string
}

/** The boundary that a `Content-Type` names; undefined when it is not multipart. */
export const boundaryOf = (contentType: string): string | undefined => {
  if (!/^\s*multipart\/form-data\b/i.test(contentType)) return undefined
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]*)"|([^;\s]*))/i.exec(contentType) ?? []
  return quoted ?? bare ?? ""
}

interface Part {
  readonly name: string | undefined
  readonly content: string
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&")

const partOf = (text: string): Part | undefined => {
  const blank = /\r?\n\r?\n/.exec(text)
  if (blank === null) return undefined
  const [, quoted, bare] =
    /^content-disposition:[^\r\n]*;[ \t]*name=(?:"([^"]*)"|([^;\s]*))/im.exec(text.slice(0, blank.index)) ?? []
  return { name: quoted ?? bare, content: text.slice(blank.index + blank[0].length) }
}

/**
 * Reads the parts of a body, or says what is wrong with it. The line break
 * before a boundary belongs to the boundary, not to the CSV.
 */
export const parse = (body: string, boundary: string): Result.Result<NewJobParts, string> => {
  if (boundary === "") return Result.fail("The Content-Type of a multipart request must name its boundary")
  const line = new RegExp(`(?:^|\\r?\\n)--${escaped(boundary)}(--)?[ \\t]*(?=\\r?\\n|$)`, "g")
  const marks = Array.from(body.matchAll(line))
  if (marks.at(-1)?.[1] === undefined) return Result.fail("The last boundary of the multipart body is missing")
  const parts = marks
    .slice(0, -1)
    .map((mark, i) => partOf(body.slice(mark.index + mark[0].length, marks[i + 1]!.index)))
  const [job, content] = parts
  if (parts.length !== 2 || job?.name !== "job" || content?.name !== "content") {
    return Result.fail("A multipart request has two parts: 'job' with the JSON, then 'content' with the CSV")
  }
  return content.content.length > maxContentLength
    ? Result.fail(`The CSV of a multipart request may have ${maxContentLength} characters at most`)
    : Result.succeed({ job: job.content, content: content.content })
}
