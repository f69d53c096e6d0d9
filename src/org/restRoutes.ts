/** The paths around the jobs: describes, limits, queries and single records by REST. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { describeJson, objectJson } from "./describeJson.ts"
import type { Identity } from "./identity.ts"
import * as Records from "./records.ts"
import { apiVersion, jsonText, type Paths, param, parseJson, search } from "./requests.ts"
import * as RestQuery from "./restQuery.ts"
import type { RowRules } from "./ruling.ts"
import type { Objects } from "./Soql.ts"
import type { Store } from "./Store.ts"
import { knows } from "./versions.ts"
import { type ApiError, badRequest, jsonResponse } from "./Wire.ts"

const day = 86_400_000

/** Where the org is, as the client that asks sees it. */
export const base = Effect.map(
  HttpServerRequest.HttpServerRequest,
  ({ headers }) => `http://${headers.host ?? "127.0.0.1"}`
)

const resources = {
  analytics: "analytics",
  appMenu: "appMenu",
  composite: "composite",
  jobs: "jobs",
  limits: "limits",
  query: "query",
  queryAll: "queryAll",
  search: "search",
  sobjects: "sobjects"
}

/** How many records a client wants on a page; what is not between 200 and 2000 is the nearest that is. */
const batchSize = Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) => {
  const [, size] = /\bbatchSize\s*=\s*(\d{1,9})\b/i.exec(headers["sforce-query-options"] ?? "") ?? []
  return size === undefined ? undefined : Math.min(2_000, Math.max(200, Number(size)))
})

const rowRefused = ({ errors }: Records.RowRefused) =>
  Effect.succeed(
    jsonResponse(
      errors.map(({ code, fields, message }) => ({ message, errorCode: code, fields })),
      400
    )
  )

const input: Effect.Effect<Records.Input, ApiError, HttpServerRequest.HttpServerRequest> = Effect.flatMap(
  jsonText,
  (json) =>
    Effect.flatMap(Effect.fromResult(parseJson(json)), (value) =>
      isInput(value) ? Effect.succeed(value) : Effect.fail(badRequest("JSON_PARSER_ERROR", "A record is a JSON object"))
    )
)

const isInput = (value: unknown): value is Records.Input =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const noContent = HttpServerResponse.empty({ status: 204 })

/** Makes those paths. `queryPageSize` is how many records a page of a query has when a client does not say. */
export const make = Effect.fnUntraced(function* (options: {
  readonly store: Store
  readonly objects: Objects
  readonly identity: Identity
  readonly rules: RowRules
  readonly queryPageSize: number
  readonly dailyRequests: number
  readonly dailyQueryJobs: number
  /** How many requests were made within a day. */
  readonly requests: (now: number) => number
}): Effect.fn.Return<Paths> {
  const { dailyQueryJobs, dailyRequests, identity, objects, queryPageSize, requests, rules, store } = options
  const records = Records.make({ store, objects, rules, userId: identity.userId })
  const queries = RestQuery.make({ store, objects })
  const started = yield* Clock.currentTimeMillis
  const lastModified = new Date(started).toUTCString()

  const limits = Effect.map(Clock.currentTimeMillis, (now) => {
    const { batches, bytes, queries } = store.usageSince(now - day)
    const allowance = (max: number, used: number) => ({ Max: max, Remaining: Math.max(0, max - used) })
    const megabytes = (size: number) => Math.ceil(size / 1_000_000)
    let stored = 0
    // a record counts 2 KB, whatever it holds
    for (const { name } of objects.values()) stored += store.count(name) * (name === "Campaign" ? 8_000 : 2_000)
    return jsonResponse({
      DailyApiRequests: allowance(dailyRequests, requests(now)),
      DailyAsyncApexExecutions: allowance(250_000, 0),
      DailyBulkApiBatches: allowance(15_000, batches),
      DailyBulkV2QueryFileStorageMB: allowance(976_562, megabytes(bytes)),
      DailyBulkV2QueryJobs: allowance(dailyQueryJobs, queries),
      DataStorageMB: allowance(10_240, megabytes(stored)),
      FileStorageMB: allowance(10_240, 0)
    })
  })

  /** Answers with 304 whom nothing new is to be told: describes never change while an org runs. */
  const unlessKnown = <E, R>(body: Effect.Effect<unknown, E, R>) =>
    Effect.gen(function* () {
      const { headers } = yield* HttpServerRequest.HttpServerRequest
      const content = yield* body
      const since = Date.parse(headers["if-modified-since"] ?? "")
      // HTTP dates have no milliseconds
      return since >= Math.floor(started / 1_000) * 1_000
        ? HttpServerResponse.empty({ status: 304 })
        : HttpServerResponse.setHeader(jsonResponse(content), "last-modified", lastModified)
    })

  const query = (path: "query" | "queryAll") => ({
    [`/${path}`]: {
      GET: Effect.gen(function* () {
        const soql = yield* search("q")
        if (soql === undefined) return yield* badRequest("MALFORMED_QUERY", "A query string has to be specified")
        if ((yield* search("columns"))?.toLowerCase() === "true")
          return jsonResponse(yield* queries.columns(soql, path))
        const version = yield* apiVersion
        const size = (yield* batchSize) ?? queryPageSize
        return jsonResponse(yield* queries.first(soql, { path, version, size }))
      })
    },
    [`/${path}/:locator`]: {
      GET: Effect.gen(function* () {
        return jsonResponse(yield* queries.next(yield* param("locator"), { path, version: yield* apiVersion }))
      })
    }
  })

  const fieldsWanted = Effect.map(search("fields"), (fields) =>
    fields
      ?.split(",")
      .map((each) => each.trim())
      .filter((each) => each !== "")
  )

  const created = (id: string, extra: Readonly<Record<string, unknown>> = {}) =>
    jsonResponse({ id, success: true, errors: [], ...extra }, 201)

  const several = Effect.fnUntraced(function* ({ ids }: Records.Ambiguous) {
    const object = yield* param("object")
    const version = yield* apiVersion
    return jsonResponse(
      ids.map((id) => `/services/data/v${version}/sobjects/${object}/${id}`),
      300
    )
  })

  const answered = {
    RowRefused: rowRefused,
    Ambiguous: several
  }

  return {
    "": {
      GET: Effect.gen(function* () {
        const version = yield* apiVersion
        const identityUrl = `${yield* base}/id/${identity.orgId}/${identity.userId}`
        const urls = Object.entries(resources).map(([name, path]) => [name, `/services/data/v${version}/${path}`])
        return jsonResponse({ ...Object.fromEntries(urls), identity: identityUrl })
      })
    },

    "/limits": { GET: limits },

    ...query("query"),
    ...query("queryAll"),

    "/sobjects": {
      GET: unlessKnown(
        Effect.map(apiVersion, (version) => ({
          encoding: "UTF-8",
          maxBatchSize: 200,
          sobjects: Array.from(objects.values(), (object) => objectJson(object, store.keyPrefix(object.name), version))
        }))
      )
    },

    "/sobjects/:object/describe": {
      GET: unlessKnown(
        Effect.gen(function* () {
          const object = yield* records.objectOf(yield* param("object"))
          return describeJson(object, objects, store.keyPrefix(object.name), yield* apiVersion)
        })
      )
    },

    "/sobjects/:object": {
      GET: Effect.gen(function* () {
        const object = yield* records.objectOf(yield* param("object"))
        const objectDescribe = objectJson(object, store.keyPrefix(object.name), yield* apiVersion)
        return jsonResponse({ objectDescribe, recentItems: [] })
      }),
      POST: Effect.gen(function* () {
        const name = yield* param("object")
        yield* records.objectOf(name)
        const { id } = yield* records.create(name, yield* input)
        const url = `/services/data/v${yield* apiVersion}/sobjects/${name}/${id}`
        return HttpServerResponse.setHeader(created(id), "location", url)
      }).pipe(Effect.catchTag("RowRefused", rowRefused))
    },

    "/sobjects/:object/:id": {
      GET: Effect.gen(function* () {
        const fields = yield* fieldsWanted
        return jsonResponse(yield* records.get(yield* param("object"), yield* param("id"), fields, yield* apiVersion))
      }),
      PATCH: Effect.gen(function* () {
        yield* records.update(yield* param("object"), yield* param("id"), yield* input)
        return noContent
      }).pipe(Effect.catchTag("RowRefused", rowRefused)),
      DELETE: Effect.gen(function* () {
        yield* records.remove(yield* param("object"), yield* param("id"))
        return noContent
      }).pipe(Effect.catchTag("RowRefused", rowRefused))
    },

    "/sobjects/:object/:field/:value": {
      GET: Effect.gen(function* () {
        const [object, field, value] = [yield* param("object"), yield* param("field"), yield* param("value")]
        return jsonResponse(yield* records.getByKey(object, field, value, yield* fieldsWanted, yield* apiVersion))
      }).pipe(Effect.catchTag("Ambiguous", several)),
      PATCH: Effect.gen(function* () {
        const [object, field, value] = [yield* param("object"), yield* param("field"), yield* param("value")]
        const written = yield* records.upsert(object, field, value, yield* input)
        if (written.created) return created(written.id, { created: true })
        if (!knows(yield* apiVersion, "upsertBody")) return noContent
        return jsonResponse({ id: written.id, success: true, errors: [], created: false })
      }).pipe(Effect.catchTags(answered))
    }
  }
})
