// A process that loads widgets as a run, to be killed. It says all that it does, a line for each event.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Auth from "../../src/connection/Auth.ts"
import * as Failures from "../../src/ingest/Failures.ts"
import * as Run from "../../src/ingest/Run.ts"
import { layerConnection } from "../../src/node.ts"
import { Widget, widgets } from "./widgets.ts"

const [instanceUrl = "", accessToken = "", directory = "", records = "0"] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const { failed, succeeded } = yield* Stream.fromIterable(widgets(Number(records))).pipe(
    Run.load({
      runId: "killed",
      operation: "insert",
      object: "Widget__c",
      schema: Widget,
      key: "Key__c",
      partRows: 20,
      // a process that was killed is not waited for long
      lease: "100 millis",
      poll: { first: "2 millis", cap: "20 millis" },
      progress: (event) => Console.log(event._tag)
    }),
    Failures.group()
  )
  yield* Console.log(`ends ${succeeded} ${failed}`)
})

const Live = Layer.merge(
  layerConnection().pipe(Layer.provide(Auth.layerToken({ instanceUrl, accessToken: Redacted.make(accessToken) }))),
  KeyValueStore.layerFileSystem(directory).pipe(Layer.provide(NodeServices.layer))
)

program.pipe(Effect.provide(Live), NodeRuntime.runMain)
