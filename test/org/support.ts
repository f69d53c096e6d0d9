/** Raw requests against an org, as a client that knows nothing of this library would make them. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as Request from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Describe from "../../src/org/Describe.ts"
import { EmbeddedOrg } from "../../src/org/EmbeddedOrg.ts"

/** An object with a field of every kind. */
export const item = Describe.make({
  name: "Item__c",
  fields: [
    { name: "Name", label: "Item Name", length: 20, nillable: false },
    { name: "Sku__c", label: "Sku", length: 10, externalId: true, unique: true },
    { name: "Count__c", label: "Count", type: "double", precision: 18 },
    { name: "Size__c", label: "Size", type: "int" },
    { name: "Active__c", label: "Active", type: "boolean" },
    { name: "Day__c", label: "Day", type: "date" },
    { name: "At__c", label: "At", type: "datetime" },
    { name: "Email__c", label: "Email", type: "email", length: 80 },
    {
      name: "Color__c",
      label: "Color",
      type: "picklist",
      restrictedPicklist: true,
      picklistValues: [{ value: "Red" }, { value: "Blue" }]
    },
    { name: "Code__c", label: "Code", length: 5, unique: true },
    { name: "Group__c", label: "Group", length: 5, externalId: true },
    {
      name: "Account__c",
      label: "Account",
      type: "reference",
      referenceTo: ["Account"],
      relationshipName: "Account__r"
    }
  ]
})

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
}

/** The JSON of a body, to look into. */
export const json = (answer: Answer): Record<string, unknown> => JSON.parse(answer.text)

/** The one error of a refused request, as `status code message`. */
export const refusal = (answer: Answer): string => {
  const errors: unknown = JSON.parse(answer.text)
  assert(Array.isArray(errors) && errors.length === 1, answer.text)
  const { errorCode, message } = errors[0]
  return `${answer.status} ${errorCode} ${message}`
}

/** The lines of a CSV whose cells hold no line breaks, in no particular order. */
export const sortedRows = (answer: Answer): ReadonlyArray<string> =>
  answer.text.trimEnd().split(/\r?\n/).slice(1).sort()

/** Requests to an org, wherever it is. Jobs are for `object` where they do not say. */
export const apiOf = (
  client: HttpClient.HttpClient,
  org: Pick<EmbeddedOrg["Service"], "instanceUrl" | "accessToken">,
  { object = "Item__c", version = "68.0" } = {}
) => {
  const open = (
    request: Request.HttpClientRequest
  ): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> =>
    client.execute(
      request.pipe(
        Request.prependUrl(`${org.instanceUrl}/services/data/v${version}`),
        Request.bearerToken(org.accessToken)
      )
    )

  const send = (request: Request.HttpClientRequest): Effect.Effect<Answer, HttpClientError.HttpClientError> =>
    Effect.flatMap(open(request), (response) =>
      Effect.map(response.text, (text) => ({ status: response.status, headers: response.headers, text }))
    )

  const get = (path: string) => send(Request.get(path))
  const post = (path: string, body: unknown) => send(Request.post(path).pipe(Request.bodyJsonUnsafe(body)))
  const patch = (path: string, body: unknown) => send(Request.patch(path).pipe(Request.bodyJsonUnsafe(body)))
  const put = (id: string, csv: string) =>
    send(Request.put(`/jobs/ingest/${id}/batches`).pipe(Request.bodyText(csv, "text/csv")))

  const idOf = (answer: Answer): string => {
    assert.strictEqual(answer.status, 200, answer.text)
    return String(json(answer).id)
  }

  /** Creates an Open job. */
  const create = (job: Record<string, unknown>) =>
    Effect.map(post("/jobs/ingest", { object, operation: "insert", ...job }), idOf)

  /** Creates a job and hands it over. */
  const submit = Effect.fnUntraced(function* (job: Record<string, unknown>, csv: string) {
    const id = yield* create(job)
    assert.strictEqual((yield* put(id, csv)).status, 201)
    assert.strictEqual((yield* close(id)).status, 200)
    return id
  })

  const close = (id: string) => patch(`/jobs/ingest/${id}`, { state: "UploadComplete" })
  const abort = (id: string) => patch(`/jobs/ingest/${id}`, { state: "Aborted" })
  const info = (id: string) => Effect.map(get(`/jobs/ingest/${id}`), json)
  const successful = (id: string) => get(`/jobs/ingest/${id}/successfulResults`)
  const failed = (id: string) => get(`/jobs/ingest/${id}/failedResults`)
  const unprocessed = (id: string) => get(`/jobs/ingest/${id}/unprocessedrecords`)

  /** Creates a query job. */
  const query = (soql: string, job: Record<string, unknown> = {}) =>
    Effect.map(post("/jobs/query", { operation: "query", query: soql, ...job }), idOf)
  const page = (id: string, parameters = "") => get(`/jobs/query/${id}/results${parameters}`)

  return {
    open,
    send,
    get,
    post,
    patch,
    put,
    create,
    submit,
    close,
    abort,
    info,
    successful,
    failed,
    unprocessed,
    query,
    page
  }
}

export const api = Effect.gen(function* () {
  return apiOf(yield* HttpClient.HttpClient, yield* EmbeddedOrg)
})
