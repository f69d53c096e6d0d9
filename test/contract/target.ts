/**
 * The org that the contract is held against: an embedded one on a socket, or,
 * when the environment names one, a live org. See README.md in this folder.
 */
import { createServer } from "node:http"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Request from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Describe from "../../src/org/Describe.ts"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import { type Answer, apiOf, json } from "../org/support.ts"

/** The object of the contract, which a live org must have too. */
const contractItem = Describe.make({
  name: "Contract_Item__c",
  fields: [
    { name: "Name", label: "Name", length: 80 },
    { name: "Key__c", label: "Key", length: 20, externalId: true, unique: true },
    { name: "Exact__c", label: "Exact", length: 20, externalId: true, unique: true, caseSensitive: true },
    { name: "Group__c", label: "Group", length: 20, externalId: true },
    { name: "Count__c", label: "Count", type: "double", precision: 18, scale: 2 },
    { name: "Active__c", label: "Active", type: "boolean", nillable: false, defaultedOnCreate: true },
    { name: "Day__c", label: "Day", type: "date" },
    { name: "At__c", label: "At", type: "datetime" },
    { name: "Hour__c", label: "Hour", type: "time" },
    { name: "Email__c", label: "Email", type: "email", length: 80 },
    {
      name: "Color__c",
      label: "Color",
      type: "picklist",
      length: 255,
      restrictedPicklist: true,
      picklistValues: [{ value: "Red" }, { value: "Blue" }]
    },
    {
      name: "Tags__c",
      label: "Tags",
      type: "multipicklist",
      length: 4_099,
      picklistValues: [{ value: "a" }, { value: "b" }]
    },
    { name: "Text__c", label: "Text", type: "textarea", length: 131_072 },
    {
      name: "Parent__c",
      label: "Parent",
      type: "reference",
      length: 18,
      referenceTo: ["Contract_Item__c"],
      relationshipName: "Parent__r"
    },
    {
      name: "Account__c",
      label: "Account",
      type: "reference",
      length: 18,
      referenceTo: ["Account"],
      relationshipName: "Account__r"
    }
  ]
})

const environment = {
  instanceUrl: process.env.CONTRACT_INSTANCE_URL,
  accessToken: process.env.CONTRACT_ACCESS_TOKEN,
  version: process.env.CONTRACT_API_VERSION ?? "68.0"
}

/** Whether the contract is held against a live org. */
export const isLive = environment.instanceUrl !== undefined

/** Where the org is, and what lets a program in. */
export class Target extends Context.Service<
  Target,
  { readonly instanceUrl: string; readonly accessToken: Redacted.Redacted }
>()("test/contract/Target") {}

/** An embedded org of its own, of which the contract knows no more than of any other. */
const embedded = (options: EmbeddedOrg.Options = {}) =>
  Layer.merge(
    Layer.effect(Target, EmbeddedOrg.EmbeddedOrg).pipe(
      Layer.provideMerge(EmbeddedOrg.layerWith({ objects: [contractItem], queueDelay: 0, ...options })),
      Layer.provide(Layer.fresh(NodeHttpServer.layerServer(() => createServer(), { port: 0, host: "127.0.0.1" })))
    ),
    NodeHttpClient.layerUndici
  ).pipe(Layer.orDie)

const live = Layer.merge(
  Layer.sync(Target, () => ({
    instanceUrl: (environment.instanceUrl ?? "").replace(/\/+$/, ""),
    accessToken: Redacted.make(environment.accessToken ?? assert.fail("CONTRACT_ACCESS_TOKEN is not set"))
  })),
  NodeHttpClient.layerUndici
)

const target: Layer.Layer<Target | HttpClient.HttpClient> = isLive ? live : embedded({ hardDelete: true })

/** Rows that hold for every org, against the one that the environment names. */
export const contract = layer(target, { excludeTestServices: true })

/** Rows that an embedded org must be prepared for, and which a live org does not see. */
export const prepared = (
  options: EmbeddedOrg.Options,
  name: string,
  rows: Parameters<ReturnType<typeof layer<EmbeddedOrg.EmbeddedOrg | Target | HttpClient.HttpClient, never>>>[1]
) => {
  if (isLive) it.skip(`${name}: not for a live org`)
  else layer(embedded(options), { excludeTestServices: true })(name, rows)
}

const look = Schedule.spaced(isLive ? "2 seconds" : "3 millis")
let serial = 0
const run = (isLive ? Date.now() : 0).toString(36)

/** A text of at most 20 characters that no other row of the contract uses. */
export const unique = (): string => `k${run}-${serial++}`

const isOver = (state: unknown): boolean => state === "JobComplete" || state === "Failed" || state === "Aborted"

/** What rows of the contract do with an org. */
export const api = Effect.gen(function* () {
  const org = yield* Target
  const client = yield* HttpClient.HttpClient
  const { version } = environment
  const requests = apiOf(client, org, { object: contractItem.name, version })
  const { failed, get, info, query, submit, successful, unprocessed } = requests

  /** Sends a request to a path of the host, with no token but the one it has. */
  const sendTo = Effect.fnUntraced(function* (request: Request.HttpClientRequest) {
    const response = yield* client.execute(Request.prependUrl(request, org.instanceUrl))
    const answer: Answer = { status: response.status, headers: response.headers, text: yield* response.text }
    return answer
  })

  /** Sends a request to a path of another version. */
  const sendIn = (other: string, request: Request.HttpClientRequest) =>
    sendTo(request.pipe(Request.prependUrl(`/services/data/v${other}`), Request.bearerToken(org.accessToken)))

  /** The job of a path, once nothing more will happen to it. */
  const over = (path: string) =>
    Effect.repeat(Effect.map(get(path), json), { schedule: look, until: ({ state }) => isOver(state) })

  /** Runs a job to its end. */
  const run = Effect.fnUntraced(function* (job: Record<string, unknown>, csv: string) {
    const id = yield* submit(job, csv)
    yield* over(`/jobs/ingest/${id}`)
    return {
      id,
      info: yield* info(id),
      successful: yield* successful(id),
      failed: yield* failed(id),
      unprocessed: yield* unprocessed(id)
    }
  })

  /** Runs a query to its end. */
  const ask = Effect.fnUntraced(function* (soql: string, job: Record<string, unknown> = {}) {
    const id = yield* query(soql, job)
    yield* over(`/jobs/query/${id}`)
    return id
  })

  /** The rows of a query that fit on one page, its header not among them. */
  const select = Effect.fnUntraced(function* (soql: string, operation = "query") {
    const { text } = yield* requests.page(yield* ask(soql, { operation }))
    return text.trimEnd().split("\n").slice(1)
  })

  return {
    ...requests,
    instanceUrl: org.instanceUrl,
    accessToken: org.accessToken,
    version,
    remove: (path: string) => requests.send(Request.delete(path)),
    sendTo,
    sendIn,
    over,
    run,
    ask,
    select
  }
})

/** The header of a CSV. */
export const headerOf = ({ text }: Answer): string => text.split(/\r?\n/)[0] ?? ""

/** The first cell of each row, which holds the id in result files and in queries for it. */
export const idsOf = ({ text }: Answer): ReadonlyArray<string> =>
  text
    .trimEnd()
    .split(/\r?\n/)
    .slice(1)
    .map((row) => row.split('"')[1] ?? "")
