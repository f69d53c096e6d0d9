import { Effect, Stdio, Stream } from "effect"
import type { Progress } from "../../src/index.ts"

const count = (n: number) => n.toLocaleString("en-US")

const describe = (event: Progress.Progress): string => {
  switch (event._tag) {
    case "JobCreated":
      return `job ${event.jobId} created`
    case "Uploading":
      return `uploading: ${count(event.records)} records, ${count(event.bytes)} bytes`
    case "Submitted":
      return `submitted: ${count(event.records)} records, ${count(event.bytes)} bytes`
    case "Processing":
      return `${event.state}: ${count(event.processed)} processed, ${count(event.failed)} failed`
    case "JobDone":
      return `${event.state}: ${count(event.succeeded)} succeeded, ${count(event.failed)} failed`
  }
}

/**
 * Shows progress on stderr: one line that is written over on a terminal, a line per
 * news elsewhere. `clear` takes it off before anything else is printed.
 */
export const progressLine = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  const onTerminal = yield* stdio.stderrIsTerminal
  let shown = ""
  const write = (text: string) =>
    Stream.run(Stream.succeed(text), stdio.stderr({ endOnDone: false })).pipe(Effect.orDie)
  return {
    show: (event: Progress.Progress) =>
      Effect.suspend(() => {
        const line = describe(event)
        if (line === shown) return Effect.void
        shown = line
        return write(onTerminal ? `\r\u001b[2K${line}` : `${line}\n`)
      }),
    clear: Effect.suspend(() => (onTerminal ? write("\r\u001b[2K") : Effect.void))
  }
})
