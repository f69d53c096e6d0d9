// A process that shows progress until it is interrupted.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeStdio from "@effect/platform-node/NodeStdio"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as ProgressView from "../../src/view/ProgressView.ts"

const jobId = "750Qx0000000001IAA"

const program = Effect.gen(function* () {
  yield* Console.log("begins")
  const view = yield* ProgressView.make({ label: "numbers" })
  const job = { kind: "ingest", operation: "insert", object: "Account", resends: false, attempt: 1 } as const
  yield* view.show({ _tag: "JobCreated", jobId, ...job })
  yield* Effect.never.pipe(Effect.onInterrupt(() => view.above(Console.log("aborts"))))
}).pipe(Effect.scoped)

program.pipe(Effect.provide(NodeStdio.layer), NodeRuntime.runMain)
