/** A state of progress in words, and as bars. */
import * as Duration from "effect/Duration"
import * as Progress from "../Progress.ts"
import { padded, printable, widthOf } from "./width.ts"

/** How lines are drawn. */
export interface Drawing {
  readonly label: string
  /** Now, in milliseconds. */
  readonly at: number
  readonly columns: number
  readonly rows: number
  readonly color: boolean
}

const count = (n: number): string => Math.round(n).toLocaleString("en-US")

const size = (bytes: number): string =>
  bytes < 1e6
    ? `${(bytes / 1e3).toFixed(0)} kB`
    : bytes < 1e9
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${(bytes / 1e9).toFixed(2)} GB`

const clock = (millis: number): string => {
  const seconds = Math.round(millis / 1000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const twoDigits = String(s).padStart(2, "0")
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${twoDigits}` : `${m}:${twoDigits}`
}

const isQuery = ({ jobs }: Progress.State): boolean => jobs.some(({ kind }) => kind === "query")

const percentOf = (state: Progress.State): number | undefined => {
  const total = Progress.expected(state)
  return total === undefined || total === 0 ? undefined : Math.min(1, Progress.settled(state) / total)
}

/** How far it is, in numbers. */
const far = (state: Progress.State): string => {
  const total = Progress.expected(state)
  const settled = count(Progress.settled(state))
  return total === undefined ? settled : `${settled} of ${count(total)}`
}

const bad = ({ counts: { failed, unprocessed } }: Progress.State): ReadonlyArray<string> => [
  ...(failed > 0 ? [`${count(failed)} failed`] : []),
  ...(unprocessed > 0 ? [`${count(unprocessed)} unprocessed`] : [])
]

const farInWords = (state: Progress.State): string =>
  isQuery(state) ? `${far(state)} read, ${size(state.counts.bytesDown)}` : `${far(state)} processed`

/** How fast it goes, and how long it takes. */
const speed = (state: Progress.State, at: number): ReadonlyArray<string> => {
  const left = Progress.timeLeft(state, at)
  const rate = Progress.rates(state, at).settled
  const { uploaded } = state.counts
  return [
    left === undefined ? `${clock(at - state.startedAt)} so far` : `${clock(Duration.toMillis(left))} left`,
    ...(rate >= 1 ? [`${count(rate)}/s`] : []),
    ...(uploaded > Progress.settled(state) ? [`${count(uploaded)} uploaded`] : [])
  ]
}

const percent = (state: Progress.State): ReadonlyArray<string> => {
  const share = percentOf(state)
  return share === undefined ? [] : [`${Math.floor(share * 100)} %`]
}

/** The state as a line of text. */
export const sentence = (state: Progress.State, { at, label }: Pick<Drawing, "at" | "label">): string => {
  const texts = [...percent(state), farInWords(state), ...bad(state), ...speed(state, at)]
  return `${printable(label)}: ${texts.join(", ")}`
}

/** What is left to say at the end. */
export const lastSentence = (
  state: Progress.State,
  { at, isDone, label }: Pick<Drawing, "at" | "label"> & { readonly isDone: boolean }
): string => {
  const millis = at - state.startedAt
  const rate = millis > 0 ? ` (${count((Progress.settled(state) / millis) * 1000)}/s)` : ""
  return `${printable(label)}: ${[farInWords(state), ...bad(state)].join(", ")}, ${isDone ? "in" : "stopped after"} ${clock(millis)}${rate}`
}

type Style = "plain" | "bold" | "dim" | "good" | "bad"
const codes: Readonly<Record<Style, string>> = { plain: "", bold: "1", dim: "2", good: "32", bad: "31" }
type Piece = readonly [text: string, style: Style]

/** Pieces in so many columns. A text that does not fit is left out, with those after it. */
const draw = (pieces: ReadonlyArray<Piece>, { color, columns }: Drawing): string => {
  let room = columns
  let line = ""
  for (const [text, style] of pieces) {
    room -= widthOf(text)
    if (room < 0) break
    if (text !== "") line += color && style !== "plain" ? `\u001b[${codes[style]}m${text}\u001b[0m` : text
  }
  return line
}

const spaced = (texts: ReadonlyArray<string>, style: Style): ReadonlyArray<Piece> =>
  texts.map((text): Piece => [`  ${text}`, style])

/** A bar of which a share is full; without a share something moves in it. */
const bar = (share: number | undefined, width: number, at: number): ReadonlyArray<Piece> => {
  if (share === undefined) {
    const position = Math.floor(at / 100) % width
    return [
      ["░".repeat(position), "dim"],
      ["█", "good"],
      ["░".repeat(width - position - 1), "dim"]
    ]
  }
  const full = Math.floor(share * width)
  return [
    ["█".repeat(full), "good"],
    ["░".repeat(width - full), "dim"]
  ]
}

/** What a job is at, and how far it is with it. */
const phaseOf = (job: Progress.Job): { readonly text: string; readonly share: number | undefined } => {
  const { phase, processed, read, records, state } = job
  const of = (done: number) => (records === undefined ? count(done) : `${count(done)} of ${count(records)}`)
  const share = (done: number) => (records === undefined || records === 0 ? undefined : Math.min(1, done / records))
  switch (phase) {
    case "uploading":
      return { text: `uploading ${count(records ?? 0)}, ${size(job.bytesUp)}`, share: undefined }
    case "reading":
      return { text: `reading ${of(read)}`, share: share(read) }
    default:
      return state === "InProgress"
        ? { text: `processing ${of(processed)}`, share: share(processed) }
        : { text: `queued${records === undefined ? "" : ` ${count(records)}`}`, share: undefined }
  }
}

/** Without the last three characters, which say nothing new. */
const idWidth = 15
const barWidth = 20
/** What is said beside a bar. */
const textWidth = 56
const mostJobs = 8

/** A bar for each job that runs, and one for the whole. */
export const bars = (state: Progress.State, drawing: Drawing): ReadonlyArray<string> => {
  const { at, columns, label, rows } = drawing
  const shownLabel = printable(label)
  const nameWidth = Math.max(idWidth, Math.min(widthOf(shownLabel), Math.floor(columns / 3)))
  const width = Math.max(5, Math.min(barWidth, columns - nameWidth - textWidth))
  const running = state.jobs.filter(({ phase }) => phase !== "done" && phase !== "left")
  const shown = running.slice(0, Math.max(1, Math.min(mostJobs, rows - 4)))
  const jobs = shown.map((job) => {
    const { share, text } = phaseOf(job)
    const failed = job.failed > 0 && job.phase !== "uploading" ? [`${count(job.failed)} failed`] : []
    return draw(
      [
        [padded(printable(job.id).slice(0, idWidth), nameWidth), "dim"],
        ["  ", "plain"],
        ...bar(share, width, at),
        ...spaced([`${job.resends ? "again: " : ""}${text}`], "plain"),
        ...spaced(failed, "bad")
      ],
      drawing
    )
  })
  const more = running.length - shown.length
  const share = percentOf(state)
  const total = draw(
    [
      [padded(shownLabel, nameWidth), "bold"],
      ["  ", "plain"],
      ...(share === undefined ? [[" ".repeat(width), "plain"] as const] : bar(share, width, at)),
      ...spaced([...percent(state), far(state)], "plain"),
      ...spaced(bad(state), "bad"),
      ...spaced(speed(state, at), "dim")
    ],
    drawing
  )
  return [...jobs, ...(more > 0 ? [draw([[`and ${more} more`, "dim"]], drawing)] : []), total]
}
