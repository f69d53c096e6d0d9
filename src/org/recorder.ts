/** What was asked of an org: never bodies, tokens or SOQL. */
import { nameOf, pathOf, type RouteName } from "./routeNames.ts"

/** A request as it is remembered. */
export interface RecordedRequest {
  readonly method: string
  /** Without its query string, but for what pages and lists are asked for. */
  readonly path: string
  /** What it was for, if that has a name. */
  readonly route: RouteName | undefined
  /** What it was answered; undefined as long as it was not, or never. */
  readonly status: number | undefined
  /** The effects of the faults that struck it. */
  readonly faults: ReadonlyArray<string>
}

const limit = 10_000

// nothing of a client's data is in these
const shown = new Set(["locator", "maxrecords", "querylocator", "jobtype", "ispkchunkingenabled", "concurrencymode"])

const parametersOf = (url: string): string => {
  const query = new URLSearchParams(/\?([^#]*)/.exec(url)?.[1] ?? "")
  const kept = [...query].filter(([name]) => shown.has(name.toLowerCase()))
  return kept.length === 0 ? "" : `?${new URLSearchParams(kept)}`
}

/** Remembers the last 10,000 requests. */
export class Recorder {
  private all: Array<RecordedRequest> = []

  /** Remembers a request; call what it gives once that is answered. */
  add(method: string, url: string, faults: ReadonlyArray<string>): (status: number) => void {
    const recorded: { -readonly [K in keyof RecordedRequest]: RecordedRequest[K] } = {
      method,
      path: (pathOf(url) + parametersOf(url)).slice(0, 2_000),
      route: nameOf(method, url),
      status: undefined,
      faults
    }
    this.all.push(recorded)
    if (this.all.length >= 2 * limit) this.all = this.all.slice(-limit)
    return (status) => {
      recorded.status = status
    }
  }

  get requests(): ReadonlyArray<RecordedRequest> {
    return this.all.slice(-limit).map((recorded) => ({ ...recorded }))
  }

  clear(): void {
    this.all = []
  }
}
