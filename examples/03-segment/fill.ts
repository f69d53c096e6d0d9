/**
 * Loads so many contacts into the org that the environment describes: a process of its
 * own, so that the memory that `main.ts` prints is that of the query alone.
 */

import * as NodeServices from "@effect/platform-node/NodeServices"
import { Data, Effect, Layer } from "effect"
import { Ingest, ProgressView } from "../../src/index.ts"
import { layerConnection } from "../shared/connection.ts"
import { abortedOnInterrupt } from "../shared/interrupt.ts"
import { runMain } from "../shared/main.ts"
import { measured } from "../shared/size.ts"
import { Contact, contacts } from "./contacts.ts"

class NotFilled extends Data.TaggedError("NotFilled")<{ readonly message: string }> {}

const rows = Number(process.argv[2])

const load = {
  operation: "insert",
  object: "Contact",
  schema: Contact,
  outcomes: "failures",
  onInterrupt: "abort"
} as const

const program = Effect.gen(function* () {
  const view = yield* ProgressView.make({ label: "contacts", total: rows, every: "2 seconds" })
  const { failures, succeeded } = yield* contacts(rows).pipe(
    Ingest.run({ ...load, progress: view.show }),
    measured(`filled the org with ${rows.toLocaleString("en-US")} contacts`, rows)
  )
  if (succeeded < rows) return yield* new NotFilled({ message: `contacts were refused: ${JSON.stringify(failures)}` })
}).pipe(Effect.scoped, abortedOnInterrupt)

program.pipe(Effect.provide(layerConnection({}).pipe(Layer.provideMerge(NodeServices.layer))), runMain)
