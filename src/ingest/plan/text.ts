/** A plan, for people: one screen. */
import { fast, slow } from "./estimate.ts"
import type { Allowance, Finding, Plan, Range, Severity, Unknown } from "./model.ts"

/** How many findings are shown. */
const findingsShown = 14

const width = 120

const count = (n: number): string => n.toLocaleString("en-US", { maximumFractionDigits: 1 })

const several = (n: number, what: string): string =>
  `${count(n)} ${what}${n === 1 ? "" : what.endsWith("h") ? "es" : "s"}`

const range = ({ from, to }: Range): string => (from === to ? count(from) : `${count(from)} to ${count(to)}`)

const duration = (seconds: number): string =>
  seconds < 100 ? `${count(seconds)} s` : seconds < 6_000 ? `${count(seconds / 60)} min` : `${count(seconds / 3_600)} h`

const left = (allowance: Allowance | Unknown, unit = ""): string =>
  allowance === "unknown" ? "" : ` (${count(allowance.remaining)}${unit} left)`

const size = (bytes: number): string =>
  bytes < 1_000_000 ? `${count(Math.ceil(bytes / 1_000))} KB` : `${count(bytes / 1_000_000)} MB`

const headline = ({ complete, estimate, externalId, object, operation, read }: Plan): string => {
  const all = estimate.records
  const records = complete
    ? several(read, "record")
    : `${all === "unknown" ? "an unknown number of" : count(all)} records`
  const by = externalId === undefined ? "" : ` by ${externalId}`
  return `${operation} of ${records} (${object}${by})${complete ? "" : `, of which ${count(read)} were read`}`
}

const needs = ({ estimate }: Plan): string => {
  const { apiCalls, batches, bytes, jobs, left: of, storageMB } = estimate
  if (bytes === "unknown" || jobs === "unknown" || batches === "unknown")
    return "takes   unknown: say how many records there are"
  return [
    `takes   ${size(bytes)} of CSV in ${several(jobs, "job")}`,
    `${several(batches, "batch")}${left(of.batches)}`,
    apiCalls === "unknown" ? "" : `${range(apiCalls)} API calls${left(of.apiCalls)}`,
    storageMB === "unknown" || storageMB.to === 0 ? "" : `${range(storageMB)} MB of storage${left(of.storageMB, " MB")}`
  ]
    .filter((part) => part !== "")
    .join(", ")
}

const lasts = ({ estimate: { seconds } }: Plan): ReadonlyArray<string> =>
  seconds === "unknown"
    ? []
    : [
        `lasts   ${duration(seconds.from)} to ${duration(seconds.to)}, at ${count(fast.rows)} to ${count(slow.rows)} rows a second`
      ]

const shown = ({ code, column, count: records, message, samples, severity }: Finding): string => {
  const where = column === undefined ? "" : `${column}: `
  const howMany = records === 0 ? "" : `, ${several(records, "record")}`
  const values = samples.filter(({ value }) => value !== "" && value !== "#N/A")
  const examples = values.map(({ record, value }) => `${JSON.stringify(value)} (record ${count(record)})`).join(", ")
  const line = `${severity.padEnd(7)} ${where}${message} [${code}${howMany}]${examples === "" ? "" : ` ${examples}`}`
  return line.length > width ? `${line.slice(0, width - 1)}…` : line
}

/** How many findings there are of each severity. */
const tally = (findings: ReadonlyArray<Finding>): string => {
  const of = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length
  const words: ReadonlyArray<readonly [Severity, string]> = [
    ["fatal", "would fail the load"],
    ["error", "would have records refused"],
    ["warning", "to look at"],
    ["note", "to know"]
  ]
  const parts = words.flatMap(([severity, what]) => (of(severity) === 0 ? [] : [`${of(severity)} ${what}`]))
  return parts.length === 0 ? "finds   nothing against it" : `finds   ${parts.join(", ")}`
}

export const render = (plan: Plan): string => {
  const { findings, unknown } = plan
  const more = findings.length - findingsShown
  return [
    headline(plan),
    needs(plan),
    ...lasts(plan),
    tally(findings),
    ...findings.slice(0, findingsShown).map(shown),
    ...(more > 0 ? [`        and ${count(more)} more`] : []),
    ...(unknown.length === 0 ? [] : [`unknown ${unknown.join(", ")}`])
  ].join("\n")
}
