/** The paths of ingest and query jobs. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { decompressed } from "./gzip.ts"
import * as ids from "./ids.ts"
import type { JobEngine } from "./JobEngine.ts"
import { ColumnDelimiter, type Job, LineEnding, Operation, QueryOperation } from "./job.ts"
import * as Multipart from "./multipart.ts"
import {
  apiVersion,
  body,
  decodeJson,
  jsonText,
  type Paths,
  param,
  search as searched,
  text,
  unreadable,
  type Verbs
} from "./requests.ts"
import type { ResultFile } from "./results.ts"
import { knows } from "./versions.ts"
import {
  ApiError,
  badRequest,
  changedJob,
  createdJob,
  jobInfo,
  jsonResponse,
  listedJob,
  notFound,
  unsupportedMedia
} from "./Wire.ts"

const format = {
  contentType: Schema.optionalKey(Schema.Literal("CSV")),
  columnDelimiter: ColumnDelimiter.pipe(Schema.withDecodingDefaultKey(Effect.succeed("COMMA"))),
  lineEnding: LineEnding.pipe(Schema.withDecodingDefaultKey(Effect.succeed("LF")))
}

const NewIngestJob = Schema.Struct({
  object: Schema.NonEmptyString,
  operation: Operation,
  externalIdFieldName: Schema.optionalKey(Schema.NonEmptyString),
  assignmentRuleId: Schema.optionalKey(Schema.String),
  ...format
})

const NewQueryJob = Schema.Struct({ operation: QueryOperation, query: Schema.NonEmptyString, ...format })

const NewState = Schema.Struct({ state: Schema.Literals(["UploadComplete", "Aborted"]) })

const newState = body(NewState, (message) => badRequest("INVALIDJOBSTATE", message))

const id = param("id")

/** A parameter of the query string that says something: the guide writes those that do not as `name=`. */
const search = (name: string) => Effect.map(searched(name), (value) => (value === "" ? undefined : value))

const invalidLocator = badRequest("INVALID_QUERY_LOCATOR", "invalid query locator")

const pageSize = (most: number) =>
  Effect.flatMap(search("maxRecords"), (size) => {
    if (size === undefined) return Effect.succeed(most)
    return /^\d{1,15}$/.test(size) && Number(size) > 0
      ? Effect.succeed(Number(size))
      : Effect.fail(badRequest("API_ERROR", `maxRecords must be a positive number: ${size}`))
  })

// locators are opaque to clients: here, the number of the first row
const toLocator = (row: number): string => btoa(String(row)).replace(/=+$/, "")

const firstRow = Effect.flatMap(search("locator"), (locator) => {
  if (locator === undefined) return Effect.succeed(0)
  const row = Result.try(() => atob(locator))
  return Result.isSuccess(row) && /^\d{1,15}$/.test(row.success)
    ? Effect.succeed(Number(row.success))
    : Effect.fail(invalidLocator)
})

// --- lists ----------------------------------------------------------------------

/** What a list is of; "none" stands for the jobs of older APIs, which an org of today need not have. */
type Listing = Job["kind"] | "any" | "none"

const listings: ReadonlyArray<Listing> = ["any", "ingest", "query", "none"]

const jobTypes: Record<Job["kind"], ReadonlyMap<string, Listing>> = {
  ingest: new Map([
    ["bigobjectingest", "none"],
    ["classic", "none"],
    ["v2ingest", "ingest"]
  ]),
  query: new Map([
    ["classic", "none"],
    ["v2ingest", "ingest"],
    ["v2query", "query"]
  ])
}

const unknownValue = (parameter: string, value: string) =>
  badRequest("API_ERROR", `${parameter} has a value that is not known: ${value}`)

/** Which jobs the filters of a list leave. */
const listing = Effect.fnUntraced(function* (kind: Job["kind"]) {
  const jobType = yield* search("jobType")
  // the one list is of all jobs, the other of query jobs
  let listed: Listing | undefined = kind === "ingest" ? "any" : "query"
  if (jobType !== undefined) listed = jobTypes[kind].get(jobType.toLowerCase())
  if (listed === undefined) return yield* unknownValue("jobType", String(jobType))
  const chunked = (yield* search("isPkChunkingEnabled"))?.toLowerCase() ?? "false"
  if (chunked !== "true" && chunked !== "false") return yield* unknownValue("isPkChunkingEnabled", chunked)
  const mode = (kind === "query" ? yield* search("concurrencyMode") : undefined)?.toLowerCase() ?? "parallel"
  if (mode !== "parallel" && mode !== "serial") return yield* unknownValue("concurrencyMode", mode)
  // chunking by header and serial jobs are of older APIs
  return chunked === "true" || mode === "serial" ? "none" : listed
})

// the id within a locator says what the list is of
const listLocator = (listed: Listing, from: number): string => `${ids.make("01g", listings.indexOf(listed))}-${from}`

const fromListLocator = (locator: string) => {
  const [, listId, from] = /^(\w{18})-(\d{1,12})$/.exec(locator) ?? []
  const listed = listings.find((each) => ids.make("01g", listings.indexOf(each)) === listId)
  return listed === undefined ? Effect.fail(invalidLocator) : Effect.succeed({ listed, from: Number(from) })
}

// --- answers --------------------------------------------------------------------

const csvResponse = (bytes: Stream.Stream<Uint8Array, ApiError>, headers: Record<string, string> = {}) =>
  HttpServerResponse.stream(bytes, { contentType: "text/csv; charset=UTF-8", headers })

const otherVersion = (version: string): ApiError =>
  new ApiError({
    status: 409,
    errorCode: "API_ERROR",
    message: `The API version differs from that of the job, which is ${version}`
  })

/** How many links `resultPages` gives at once. */
const linksAtOnce = 5

// 150 MB of base64, which is what Salesforce makes of an upload
const maxUploadBytes = ByteSize.bytes(112_500_000)

const tooLarge = badRequest("CLIENTINPUTERROR", "The upload is larger than 150 MB once it is encoded as base64")

const withinLimit = Stream.limitBytes(maxUploadBytes, () => Stream.fail(tooLarge))

/** The bytes of an upload, decompressed if need be. */
const uploaded = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase()
  const bytes = request.stream.pipe(Stream.mapError(() => unreadable))
  if (encoding === "identity" || encoding === "") {
    // what is announced to be too long is not waited for
    if (Number(request.headers["content-length"] ?? 0) > Number(maxUploadBytes)) return yield* tooLarge
    return withinLimit(bytes)
  }
  if (encoding === "gzip") {
    return bytes.pipe(
      decompressed,
      Stream.mapError(() => badGzip),
      withinLimit
    )
  }
  return yield* unsupportedMedia(`Content-Encoding '${encoding}' is not supported: send gzip, or the CSV as it is`)
})

const badGzip = badRequest("CLIENTINPUTERROR", "The body could not be read: it is not gzip, or broke off")

const isCsv = (contentType: string | undefined): boolean =>
  contentType === undefined || /^\s*text\/csv\s*(?:;|$)/i.test(contentType)

/**
 * Makes the paths of jobs. `pageSize` is how many rows a page of query results
 * has when a client does not say, `listSize` how many jobs a page of a list has.
 */
export const make = (options: {
  readonly engine: JobEngine
  readonly pageSize: number
  readonly listSize: number
}): Paths => {
  const { engine } = options

  const list = (kind: Job["kind"]) =>
    Effect.gen(function* () {
      const version = yield* apiVersion
      const locator = yield* search("queryLocator")
      const { from, listed } =
        locator === undefined ? { from: 0, listed: yield* listing(kind) } : yield* fromListLocator(locator)
      const next = from + options.listSize
      // one more than fits, to know whether there is another page
      const jobs =
        listed === "none" ? [] : yield* engine.list(listed === "any" ? undefined : listed, from, options.listSize + 1)
      const done = jobs.length <= options.listSize
      return jsonResponse({
        done,
        records: jobs.slice(0, options.listSize).map(listedJob),
        nextRecordsUrl: done
          ? null
          : `/services/data/v${version}/jobs/${kind}?queryLocator=${listLocator(listed, next)}`
      })
    })

  const createIngest = Effect.fnUntraced(function* (json: string) {
    const { contentType: _, ...job } = yield* Effect.fromResult(decodeIngestJob(json))
    return yield* engine.createIngest({ ...job, apiVersion: yield* apiVersion })
  })

  /** Creates a job with its CSV; it begins as `UploadComplete`. */
  const createWithContent = Effect.fnUntraced(function* (boundary: string) {
    const parts = yield* Effect.fromResult(
      Result.mapError(Multipart.parse(yield* text, boundary), (message) => badRequest("CLIENTINPUTERROR", message))
    )
    const { id } = yield* createIngest(parts.job)
    yield* engine.upload(id, Stream.succeed(new TextEncoder().encode(parts.content)))
    return yield* engine.close(id)
  })

  const resultFile = (file: ResultFile): Verbs => ({
    GET: Effect.gen(function* () {
      return csvResponse(yield* engine.resultFile(yield* engine.ingestJob(yield* id), file))
    })
  })

  /** The query job of the path, for a request of its own version. */
  const queriedJob = Effect.gen(function* () {
    const job = yield* engine.queryJob(yield* id)
    return (yield* apiVersion) === job.apiVersion ? job : yield* otherVersion(job.apiVersion)
  })

  const remove = (kind: Job["kind"]) =>
    Effect.gen(function* () {
      yield* engine.remove(kind, yield* id)
      return HttpServerResponse.empty({ status: 204 })
    })

  return {
    "/jobs/ingest": {
      GET: list("ingest"),
      POST: Effect.gen(function* () {
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        const contentType = headers["content-type"] ?? "application/json"
        const boundary = Multipart.boundaryOf(contentType)
        if (boundary !== undefined) return jsonResponse(createdJob(yield* createWithContent(boundary)))
        return jsonResponse(createdJob(yield* createIngest(yield* jsonText)))
      })
    },

    "/jobs/ingest/:id": {
      GET: Effect.gen(function* () {
        return jsonResponse(jobInfo(yield* engine.poll("ingest", yield* id)))
      }),
      PATCH: Effect.gen(function* () {
        const jobId = yield* id
        yield* engine.ingestJob(jobId)
        const { state } = yield* newState
        return jsonResponse(
          changedJob(yield* state === "Aborted" ? engine.abort("ingest", jobId) : engine.close(jobId))
        )
      }),
      DELETE: remove("ingest")
    },

    "/jobs/ingest/:id/batches": {
      PUT: Effect.gen(function* () {
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        const jobId = yield* id
        yield* engine.ingestJob(jobId)
        if (!isCsv(headers["content-type"])) {
          return yield* unsupportedMedia(`Content-Type '${headers["content-type"]}' is not supported: send text/csv`)
        }
        yield* engine.upload(jobId, yield* uploaded)
        return HttpServerResponse.empty({ status: 201 })
      })
    },

    "/jobs/ingest/:id/successfulResults": resultFile("successful"),
    "/jobs/ingest/:id/failedResults": resultFile("failed"),
    "/jobs/ingest/:id/unprocessedrecords": resultFile("unprocessed"),

    "/jobs/query": {
      GET: list("query"),
      POST: Effect.gen(function* () {
        const { contentType: _, ...job } = yield* body(NewQueryJob)
        return jsonResponse(createdJob(yield* engine.createQuery({ ...job, apiVersion: yield* apiVersion })))
      })
    },

    "/jobs/query/:id": {
      GET: Effect.gen(function* () {
        return jsonResponse(jobInfo(yield* engine.poll("query", yield* id)))
      }),
      PATCH: Effect.gen(function* () {
        const jobId = yield* id
        yield* engine.queryJob(jobId)
        const { state } = yield* newState
        if (state !== "Aborted") return yield* badRequest("INVALIDJOBSTATE", "A query job can only be Aborted")
        return jsonResponse(changedJob(yield* engine.abort("query", jobId)))
      }),
      DELETE: remove("query")
    },

    "/jobs/query/:id/results": {
      GET: Effect.gen(function* () {
        const page = yield* engine.page(yield* queriedJob, yield* firstRow, yield* pageSize(options.pageSize))
        return csvResponse(page.body, {
          "sforce-numberofrecords": String(page.rows),
          // the last page says so with this very word
          "sforce-locator": page.next === undefined ? "null" : toLocator(page.next)
        })
      })
    },

    "/jobs/query/:id/resultPages": {
      GET: Effect.gen(function* () {
        const version = yield* apiVersion
        if (!knows(version, "resultPages")) return yield* notFound
        const job = yield* queriedJob
        const url = `/services/data/v${version}/jobs/query/${job.id}`
        const resultPages: Array<{ readonly resultUrl: string }> = []
        let from: number | undefined = yield* firstRow
        while (from !== undefined && resultPages.length < linksAtOnce) {
          resultPages.push({ resultUrl: `${url}/results?locator=${toLocator(from)}` })
          from = (yield* engine.page(job, from, options.pageSize)).next
        }
        return jsonResponse({
          resultPages,
          ...(from !== undefined && { nextRecordsUrl: `${url}/resultPages?locator=${toLocator(from)}` }),
          done: from === undefined
        })
      })
    }
  }
}

const decodeIngestJob = decodeJson(NewIngestJob)
