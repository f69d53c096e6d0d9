// Section 4 of the protocol: what may be done with a job in which state, cell by cell.
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Request from "effect/http/HttpClientRequest"
import * as EmbeddedOrg from "../../src/org/EmbeddedOrg.ts"
import * as Faults from "../../src/org/Faults.ts"
import { type Answer, json, refusal, sortedRows } from "../org/support.ts"
import { api, contract, prepared, unique } from "./target.ts"

const notFound = "404 NOT_FOUND The requested resource does not exist"
const notTerminated = "400 API_ERROR Error encountered when deleting the job because the job is not terminated"
const illegal = /^400 INVALIDJOBSTATE /

/** What an answer must be: a status, the whole refusal, or its beginning. */
type Expected = number | string | RegExp

const expect = (answer: Answer, expected: Expected) => {
  if (typeof expected === "number") assert.strictEqual(answer.status, expected, answer.text)
  else if (typeof expected === "string") assert.strictEqual(refusal(answer), expected)
  else assert.match(refusal(answer), expected)
}

const abortTooLate = (state: string) => `400 INVALIDJOBSTATE Aborting already ${state} Job not allowed`

type Api = Effect.Success<typeof api>

// --- 4.1 ------------------------------------------------------------------------

const ingestActions = {
  "PUT batches": ({ put }: Api, id: string) => put(id, "Name\nx\n"),
  "PATCH UploadComplete": ({ close }: Api, id: string) => close(id),
  "PATCH Aborted": ({ abort }: Api, id: string) => abort(id),
  DELETE: ({ remove }: Api, id: string) => remove(`/jobs/ingest/${id}`),
  "GET successfulResults": ({ successful }: Api, id: string) => successful(id),
  "GET failedResults": ({ failed }: Api, id: string) => failed(id),
  "GET unprocessedrecords": ({ unprocessed }: Api, id: string) => unprocessed(id)
} as const

type IngestRow = readonly [
  put: Expected,
  close: Expected,
  abort: Expected,
  remove: Expected,
  successful: Expected,
  failed: Expected,
  unprocessed: Expected
]

const numbered = (count: number, group = unique()) =>
  `Name,Group__c\n${Array.from({ length: count }, (_, i) => `n${i},${group}\n`).join("")}`

/** How a job gets into a state. */
const ingestStates = {
  Open: ({ create }: Api) => create({}),
  UploadComplete: ({ submit }: Api) => submit({}, numbered(1)),
  InProgress: ({ info, submit }: Api) =>
    Effect.tap(submit({}, numbered(400)), (id) =>
      Effect.repeat(info(id), {
        until: ({ numberRecordsProcessed, state }) => state === "InProgress" && numberRecordsProcessed === 200
      })
    ),
  JobComplete: ({ run }: Api) => Effect.map(run({}, numbered(1)), ({ id }) => id),
  Failed: ({ run }: Api) => Effect.map(run({}, "Nope__c\nx\n"), ({ id }) => id),
  Aborted: ({ abort, create }: Api) => Effect.tap(create({}), abort),
  deleted: ({ abort, create, remove }: Api) =>
    Effect.tap(create({}), (id) => Effect.andThen(abort(id), remove(`/jobs/ingest/${id}`))),
  "an unknown id": () => Effect.succeed("750Qx0000000099AAA"),
  "no id": () => Effect.succeed("nonsense"),
  "the id of a query job": ({ query }: Api) => query("SELECT Id FROM Account LIMIT 1")
} as const

const missing: IngestRow = [notFound, notFound, notFound, notFound, notFound, notFound, notFound]

const ingestRows: Readonly<Record<keyof typeof ingestStates, IngestRow>> = {
  Open: [201, 200, 200, notTerminated, illegal, illegal, illegal],
  UploadComplete: [illegal, illegal, 200, 204, illegal, illegal, illegal],
  InProgress: [illegal, illegal, 200, notTerminated, illegal, illegal, illegal],
  JobComplete: [illegal, illegal, abortTooLate("Completed"), 204, 200, 200, 200],
  Failed: [illegal, illegal, abortTooLate("Failed"), 204, 200, 200, 200],
  Aborted: [illegal, illegal, abortTooLate("Aborted"), 204, 200, 200, 200],
  deleted: missing,
  "an unknown id": missing,
  "no id": missing,
  "the id of a query job": missing
}

/** Tests for the rows of some states. */
const ingestCells = (
  it: Parameters<Parameters<typeof contract>[1]>[0],
  states: ReadonlyArray<keyof typeof ingestStates>
) => {
  for (const state of states) {
    for (const [i, [action, run]] of Object.entries(ingestActions).entries()) {
      const expected = ingestRows[state][i]!
      it.effect(`${state}, ${action}: ${expected}`, () =>
        Effect.gen(function* () {
          const requests = yield* api
          const id = yield* ingestStates[state](requests)
          expect(yield* run(requests, id), expected)
        })
      )
    }
  }
}

contract("4.1 ingest: from state, by action", (it) => {
  ingestCells(it, [
    "Open",
    "JobComplete",
    "Failed",
    "Aborted",
    "deleted",
    "an unknown id",
    "no id",
    "the id of a query job"
  ])
})

prepared({ queueDelay: "1 hour" }, "4.1 ingest: from UploadComplete, by action", (it) => {
  ingestCells(it, ["UploadComplete"])
})

const stalled = { faults: [Faults.onJob(Faults.stall({ after: 200 }))] }

prepared(stalled, "4.1 ingest: from InProgress, by action", (it) => {
  ingestCells(it, ["InProgress"])

  it.effect("Aborted: committed work stays, the rest is unprocessed", () =>
    Effect.gen(function* () {
      const requests = yield* api
      const { abort, failed, info, successful, unprocessed } = requests
      const id = yield* ingestStates.InProgress(requests)
      assert.strictEqual(json(yield* abort(id)).state, "Aborted")
      assert.deepInclude(yield* info(id), { state: "Aborted", numberRecordsProcessed: 200, numberRecordsFailed: 0 })
      const counts = [yield* successful(id), yield* failed(id), yield* unprocessed(id)].map(
        (answer) => sortedRows(answer).length
      )
      assert.deepStrictEqual(counts, [200, 0, 200])
    })
  )
})

prepared({ queueDelay: "1 hour" }, "4.1 ingest: transitions", (it) => {
  it.effect("a multipart POST begins at UploadComplete; Aborted before it is processed, nothing is", () =>
    Effect.gen(function* () {
      const { abort, info, submit, successful, unprocessed } = yield* api
      const id = yield* submit({}, numbered(3))
      assert.strictEqual((yield* info(id)).state, "UploadComplete")
      assert.strictEqual(json(yield* abort(id)).state, "Aborted")
      assert.deepStrictEqual(sortedRows(yield* successful(id)), [])
      assert.strictEqual(sortedRows(yield* unprocessed(id)).length, 3)
    })
  )
})

contract("4.1 ingest: transitions to the end", (it) => {
  it.effect("Open, UploadComplete, InProgress, JobComplete, never back", () =>
    Effect.gen(function* () {
      const { close, create, info, put } = yield* api
      const id = yield* create({})
      const order = ["Open", "UploadComplete", "InProgress", "JobComplete"]
      const seen: Array<number> = []
      const look = Effect.map(info(id), ({ state }) => {
        seen.push(order.indexOf(String(state)))
        return state
      })
      yield* look
      yield* put(id, numbered(400))
      yield* close(id)
      yield* Effect.repeat(look, { until: (state) => state === "JobComplete" })
      assert.notInclude(seen, -1)
      assert.deepStrictEqual(seen, [...seen].sort())
      assert.strictEqual(seen[0], 0)
    })
  )

  it.effect("a faulty header: Failed", () =>
    Effect.gen(function* () {
      const { run } = yield* api
      assert.strictEqual((yield* run({}, "Nope__c\nx\n")).info.state, "Failed")
    })
  )

  it.effect("UploadComplete without data: JobComplete, 0 and 0", () =>
    Effect.gen(function* () {
      const { close, create, over } = yield* api
      const id = yield* create({})
      assert.strictEqual((yield* close(id)).status, 200)
      assert.deepInclude(yield* over(`/jobs/ingest/${id}`), {
        state: "JobComplete",
        numberRecordsProcessed: 0,
        numberRecordsFailed: 0
      })
    })
  )
})

prepared({}, "4.1 ingest: lifetimes", (it) => {
  it.effect("Open for more than 24 hours: it takes no data and cannot be handed over, but be aborted", () =>
    Effect.gen(function* () {
      const { abort, close, create, put } = yield* api
      const { clock } = yield* EmbeddedOrg.EmbeddedOrg
      const id = yield* create({})
      yield* clock.advance("25 hours")
      expect(yield* put(id, "Name\nx\n"), illegal)
      expect(yield* close(id), illegal)
      expect(yield* abort(id), 200)
    })
  )

  it.effect("seven days after its end: 404, the results too", () =>
    Effect.gen(function* () {
      const { ask, info, page, run, successful } = yield* api
      const { clock } = yield* EmbeddedOrg.EmbeddedOrg
      const [{ id }, queryId] = [yield* run({}, numbered(1)), yield* ask("SELECT Id FROM Account LIMIT 1")]
      yield* clock.advance("6 days")
      assert.strictEqual((yield* info(id)).state, "JobComplete")
      expect(yield* page(queryId), 200)
      yield* clock.advance("25 hours")
      expect(yield* successful(id), notFound)
      expect(yield* page(queryId), notFound)
    })
  )
})

// --- 4.2 ------------------------------------------------------------------------

const soql = "SELECT Id FROM Account LIMIT 5"

const queryActions = {
  "PATCH Aborted": ({ patch }: Api, id: string) => patch(`/jobs/query/${id}`, { state: "Aborted" }),
  "PATCH UploadComplete": ({ patch }: Api, id: string) => patch(`/jobs/query/${id}`, { state: "UploadComplete" }),
  DELETE: ({ remove }: Api, id: string) => remove(`/jobs/query/${id}`),
  "GET results": ({ page }: Api, id: string) => page(id),
  "GET resultPages": ({ get }: Api, id: string) => get(`/jobs/query/${id}/resultPages`)
} as const

type QueryRow = readonly [abort: Expected, close: Expected, remove: Expected, results: Expected, pages: Expected]

const queryIs = (requests: Api, state: string) =>
  Effect.tap(requests.query(soql), (id) =>
    Effect.repeat(Effect.map(requests.get(`/jobs/query/${id}`), json), { until: (job) => job.state === state })
  )

const aborted = (requests: Api) =>
  Effect.tap(requests.query(soql), (id) => requests.patch(`/jobs/query/${id}`, { state: "Aborted" }))

const queryStates = {
  UploadComplete: ({ query }: Api) => query(soql),
  InProgress: (requests: Api) => queryIs(requests, "InProgress"),
  JobComplete: ({ ask }: Api) => ask(soql),
  Failed: (requests: Api) => queryIs(requests, "Failed"),
  Aborted: aborted,
  deleted: ({ ask, remove }: Api) => Effect.tap(ask(soql), (id) => remove(`/jobs/query/${id}`)),
  "the id of an ingest job": ({ create }: Api) => create({})
} as const

const gone: QueryRow = [notFound, notFound, notFound, notFound, notFound]

const queryRows: Readonly<Record<keyof typeof queryStates, QueryRow>> = {
  UploadComplete: [200, illegal, notTerminated, illegal, illegal],
  InProgress: [200, illegal, notTerminated, illegal, illegal],
  JobComplete: [abortTooLate("Completed"), illegal, 204, 200, 200],
  Failed: [abortTooLate("Failed"), illegal, 204, illegal, illegal],
  Aborted: [abortTooLate("Aborted"), illegal, 204, illegal, illegal],
  deleted: gone,
  "the id of an ingest job": gone
}

const queryCells = (
  it: Parameters<Parameters<typeof contract>[1]>[0],
  states: ReadonlyArray<keyof typeof queryStates>
) => {
  for (const state of states) {
    for (const [i, [action, run]] of Object.entries(queryActions).entries()) {
      const expected = queryRows[state][i]!
      it.effect(`${state}, ${action}: ${expected}`, () =>
        Effect.gen(function* () {
          const requests = yield* api
          const id = yield* queryStates[state](requests)
          expect(yield* run(requests, id), expected)
        })
      )
    }
  }
}

contract("4.2 query: from state, by action", (it) => {
  queryCells(it, ["JobComplete", "deleted", "the id of an ingest job"])
})

prepared({ queueDelay: "1 hour" }, "4.2 query: from UploadComplete and Aborted, by action", (it) => {
  queryCells(it, ["UploadComplete", "Aborted"])
})

prepared({ faults: [Faults.onJob(Faults.stall())] }, "4.2 query: from InProgress, by action", (it) => {
  queryCells(it, ["InProgress"])
})

prepared({ faults: [Faults.onJob(Faults.fail({ message: "InvalidBatch : x" }))] }, "4.2 query: from Failed", (it) => {
  queryCells(it, ["Failed"])

  it.effect("errorMessage: there", () =>
    Effect.gen(function* () {
      const requests = yield* api
      const id = yield* queryStates.Failed(requests)
      assert.strictEqual(json(yield* requests.get(`/jobs/query/${id}`)).errorMessage, "InvalidBatch : x")
    })
  )
})

// --- 4.3 ------------------------------------------------------------------------

contract("4.3 documented transition errors", (it) => {
  it.effect("abort a finished job: 400 INVALIDJOBSTATE, Aborting already Completed Job not allowed", () =>
    Effect.gen(function* () {
      const { abort, ask, patch, run } = yield* api
      expect(yield* abort((yield* run({}, numbered(1))).id), abortTooLate("Completed"))
      expect(yield* patch(`/jobs/query/${yield* ask(soql)}`, { state: "Aborted" }), abortTooLate("Completed"))
    })
  )

  it.effect("any call on an id that is deleted or unknown: 404 NOT_FOUND", () =>
    Effect.gen(function* () {
      const { get } = yield* api
      for (const kind of ["ingest", "query"]) {
        for (const id of ["750Qx0000000099", "001Qx0000000001IAA", "x", "%00", "x".repeat(500)]) {
          expect(yield* get(`/jobs/${kind}/${id}`), notFound)
        }
      }
    })
  )

  it.effect("results with another API version: 409", () =>
    Effect.gen(function* () {
      const { ask, sendIn } = yield* api
      const id = yield* ask(soql)
      assert.strictEqual((yield* sendIn("60.0", Request.get(`/jobs/query/${id}/results`))).status, 409)
    })
  )
})

prepared({ queueDelay: "1 hour" }, "4.3 documented transition errors, held", (it) => {
  it.effect("delete a running query job: 400 API_ERROR, the job is not terminated", () =>
    Effect.gen(function* () {
      const { query, remove } = yield* api
      expect(yield* remove(`/jobs/query/${yield* query(soql)}`), notTerminated)
    })
  )
})
