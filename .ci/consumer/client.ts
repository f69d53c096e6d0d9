// The client and `effect`, nothing else: loads accounts into the org that the environment describes, and reads them.

import { Effect, Layer, Schema, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { Auth, Connection, Ingest, Query } from "effect-salesforce-bulk"

const Account = Schema.Struct({ Name: Schema.String, AccountNumber: Schema.String })

const program = Effect.gen(function* () {
  const { failed, succeeded } = yield* Stream.range(1, 1_000).pipe(
    Stream.map((n) => ({ Name: n % 100 === 0 ? "" : `Account, no. ${n}`, AccountNumber: String(n) })),
    Ingest.run({ operation: "insert", object: "Account", schema: Account })
  )
  const read = yield* Stream.runCount(Query.records({ schema: Account, from: "Account" }))
  if (succeeded !== 990 || failed !== 10 || read !== 990) {
    return yield* Effect.die(new Error(`${succeeded} of 1,000 succeeded, ${failed} failed, ${read} were read`))
  }
})

const ConnectionLive = Connection.layer.pipe(Layer.provide(Auth.layerConfig), Layer.provide(FetchHttpClient.layer))

await Effect.runPromise(Effect.provide(program, ConnectionLive))
