/**
 * From a file to an org, and from the org to a file: CSV as it is, a plan before, and
 * what was refused in a file that can be corrected and loaded again.
 *
 *     npm run example -- 06                                                  # a sample with bad rows
 *     npm run example -- 06 my.csv --object Account --operation insert       # a file of yours
 *     npm run example -- 06 my.csv --object Thing__c --objects describes/    # of objects that are not standard
 *     npm run example -- 06 --help
 *
 * The columns of the file are the fields of the object; commas, semicolons, tabs and
 * either line ending are told apart. Beside `my.csv` are written `my.rejects.csv`, with
 * the reasons, and `my.from-org.csv`, with all records that the object then has. The org
 * is an embedded one, unless the environment describes a real one (SF_INSTANCE_URL and
 * SF_ACCESS_TOKEN, say). Ctrl-C aborts the jobs that run.
 */

import { pathToFileURL } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, FileSystem, Option, Path, Sink, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Failures, Ingest, type Outcome, Plan, ProgressView, Query, RejectFile } from "../../src/index.ts"
import { layerConnection } from "../shared/connection.ts"
import { abortedOnInterrupt } from "../shared/interrupt.ts"
import { runMain } from "../shared/main.ts"
import { writeSample } from "./sample.ts"

const operations = ["insert", "update", "upsert", "delete", "hardDelete"] as const

const flags = {
  file: Argument.File("file", { mustExist: true }).pipe(
    Argument.withDescription("The CSV file to load; a sample of accounts by default"),
    Argument.optional
  ),
  object: Flag.String("object").pipe(Flag.withDescription("Where to"), Flag.withDefault("Account")),
  operation: Flag.Literals("operation", operations).pipe(
    Flag.withDescription("What to do with the rows"),
    Flag.withDefault("insert")
  ),
  externalId: Flag.String("external-id").pipe(
    Flag.withDescription("The field by which an upsert knows records; Id by default"),
    Flag.withDefault("Id")
  ),
  confirmProduction: Flag.String("confirm-production").pipe(
    Flag.withDescription("The id of a production org, where rows are to be deleted in one"),
    Flag.optional
  ),
  objects: Flag.Path("objects").pipe(
    Flag.withDescription("Objects of the embedded org beside the standard ones: describe files, or a CSV file"),
    Flag.optional
  )
}

type Load = Pick<Plan.CsvOptions, "object"> &
  (
    | { readonly operation: "upsert"; readonly externalId: string }
    | ({ readonly operation: "delete" | "hardDelete" } & Ingest.Confirmation)
    | { readonly operation: "insert" | "update" }
  )

/** Says what is to be expected. Fails where the org would refuse the file as a whole. */
const plan = Effect.fnUntraced(function* (file: string, load: Load) {
  const fs = yield* FileSystem.FileSystem
  const plan = yield* fs.stream(file).pipe(Plan.csv(load))
  yield* Console.log(`${file}\n\n${Plan.render(plan)}\n`)
  return yield* Plan.demandClean(plan, { worst: "fatal" })
})

/** Loads a file, and writes the rows that were refused to another one, if there are any. */
const loadFile = Effect.fnUntraced(function* (file: string, load: Load, rejects: string) {
  const fs = yield* FileSystem.FileSystem
  const view = yield* ProgressView.make({ label: load.object })
  let failures: Failures.Failures<Outcome.CsvRow> | undefined
  yield* fs.stream(file).pipe(
    Ingest.csv({ ...load, onInterrupt: "abort", progress: view.show }),
    Stream.tapSink(
      Sink.map(Failures.sink<Outcome.CsvRow>(), (found) => {
        failures = found
      })
    ),
    RejectFile.encodeRows(),
    Stream.run(RejectFile.toFile(rejects))
  )
  if (failures !== undefined) yield* view.above(Console.log(`${Failures.render(failures)}\n`))
  if (yield* fs.exists(rejects)) {
    yield* view.above(
      Console.log(`What was refused, and why: ${rejects}\nCorrected there, it can be loaded as it is.\n`)
    )
  }
}, Effect.scoped)

/** Writes the fields that the file has, of all records, to another one. */
const saveFromOrg = Effect.fnUntraced(function* (columns: ReadonlyArray<Plan.ColumnPlan>, object: string, to: string) {
  const fs = yield* FileSystem.FileSystem
  const view = yield* ProgressView.make({ label: `from ${object}` })
  // what the plan found in the org, so that nothing else of the file gets into the query
  const fields = columns.flatMap(({ column, field }) =>
    field === undefined || field === "Id" ? [] : [column.includes(".") ? column.replace(/^\w+:/, "") : field]
  )
  yield* Query.csv(`SELECT ${["Id", ...fields].join(", ")} FROM ${object}`, { progress: view.show }).pipe(
    Stream.run(fs.sink(to))
  )
  yield* view.above(Console.log(`What the org has: ${to}`))
}, Effect.scoped)

const command = Command.make(
  "npm run example -- 06",
  flags,
  ({ confirmProduction, externalId, file, object, operation }) =>
    Effect.gen(function* () {
      const path = yield* Path.Path
      const load: Load =
        operation === "upsert"
          ? { object, operation, externalId }
          : operation === "delete" || operation === "hardDelete"
            ? { object, operation, confirmProduction: Option.getOrUndefined(confirmProduction) }
            : { object, operation }
      const from = Option.isSome(file) ? file.value : yield* writeSample
      const { dir, name } = path.parse(from)
      const beside = (suffix: string) => path.join(dir, `${name}.${suffix}.csv`)
      const { columns } = yield* plan(from, load)
      yield* loadFile(from, load, beside("rejects"))
      if (operation !== "delete" && operation !== "hardDelete") yield* saveFromOrg(columns, object, beside("from-org"))
    }).pipe(abortedOnInterrupt)
).pipe(
  Command.withDescription("Loads a CSV file into an org, with a plan before and a reject file after."),
  Command.provide(({ objects }) =>
    layerConnection({ objects: Option.getOrUndefined(Option.map(objects, (path) => pathToFileURL(path))) })
  )
)

Command.run(command, { version: "0.1.0" }).pipe(Effect.provide(NodeServices.layer), runMain)
