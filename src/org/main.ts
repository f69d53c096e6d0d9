/**
 * The command `effect-salesforce-bulk org`: an embedded org in a process of
 * its own. When it is ready it prints one line of JSON to stdout, and nothing
 * else ever; log lines go to stderr. SIGTERM and SIGINT end it with code 0.
 */
import { open, readdir, readFile, stat } from "node:fs/promises"
import { createServer } from "node:http"
import { extname, join } from "node:path"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpServerError from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { help, type Options, parse } from "./arguments.ts"
import * as Describe from "./Describe.ts"
import * as EmbeddedOrg from "./EmbeddedOrg.ts"
import { objectOfCsv } from "./objectOfCsv.ts"

/** What ends the command, in one line. */
class CommandError extends Data.TaggedError("CommandError")<{
  readonly message: string
}> {}

const fail = (message: string) => new CommandError({ message: message.replace(/\s*\n\s*/g, " ") })

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const readDescribe = (path: string) =>
  Effect.gen(function* () {
    const text = yield* Effect.tryPromise(() => readFile(path, "utf8"))
    const json = yield* Effect.try((): unknown => JSON.parse(text))
    return yield* Describe.fromJson(json)
  }).pipe(Effect.mapError((error) => fail(`--objects ${path}: ${reasonOf(error)}`)))

const reasonOf = (error: Error): string => (Cause.isUnknownError(error) ? messageOf(error.cause) : error.message)

// a header has 5,000 names of 40 characters at most
const headerBytes = 256 * 1024

const readHeader = async (path: string) => {
  const file = await open(path)
  const { buffer, bytesRead } = await file.read(new Uint8Array(headerBytes), 0, headerBytes).finally(() => file.close())
  return { text: new TextDecoder().decode(buffer.subarray(0, bytesRead)), isWhole: bytesRead < headerBytes }
}

const readCsv = (path: string) =>
  Effect.gen(function* () {
    const { isWhole, text } = yield* Effect.tryPromise(() => readHeader(path))
    const object = yield* Effect.fromResult(Result.mapError(objectOfCsv(path, text, isWhole), fail))
    yield* Effect.logInfo(`${path} may be loaded into ${object.name}`)
    return object
  }).pipe(Effect.mapError((error) => fail(`--objects ${path}: ${reasonOf(error)}`)))

const readObjects = (path: string) =>
  Effect.gen(function* () {
    const names = yield* Effect.tryPromise({
      try: async () => ((await stat(path)).isDirectory() ? await readdir(path) : undefined),
      catch: (cause) => fail(`--objects ${path}: ${messageOf(cause)}`)
    })
    if (names === undefined) return [yield* extname(path).toLowerCase() === ".csv" ? readCsv(path) : readDescribe(path)]
    const files = names.filter((name) => name.endsWith(".json")).sort()
    if (files.length === 0) return yield* fail(`--objects ${path}: the folder has no .json file`)
    return yield* Effect.forEach(files, (name) => readDescribe(join(path, name)))
  })

const cannotListen = (port: number) => (error: HttpServerError.ServeError) =>
  fail(
    Predicate.hasProperty(error.cause, "code") && error.cause.code === "EADDRINUSE"
      ? `port ${port} is taken: choose another with --port, or 0 for any free one`
      : `cannot listen on port ${port}: ${messageOf(error.cause)}`
  )

const serve = Effect.fnUntraced(function* (options: Options) {
  const { data, hardDelete, polls, sandbox, token: accessToken } = options
  const objects = options.objects === undefined ? [] : yield* readObjects(options.objects)
  // an upload may take as long as it likes
  const server = createServer({ requestTimeout: 0 })
  const http = yield* Layer.build(
    NodeHttpServer.layerServer(() => server, {
      port: options.port,
      host: "127.0.0.1",
      gracefulShutdownTimeout: "1 second"
    })
  ).pipe(Effect.mapError(cannotListen(options.port)))
  // what is still open after that second would keep the process alive
  yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
  const context = yield* Effect.provideContext(
    Layer.build(EmbeddedOrg.layerWith({ objects, accessToken, data, polls, hardDelete, sandbox })),
    http
  ).pipe(Effect.mapError(({ message }) => fail(`--data ${message}`)))
  const org = Context.get(context, EmbeddedOrg.EmbeddedOrg)
  const ready = {
    ready: true,
    instanceUrl: org.instanceUrl,
    accessToken: Redacted.value(org.accessToken),
    orgId: org.orgId
  }
  yield* Console.log(JSON.stringify(ready))
  return yield* Effect.never
})

const command = Effect.fromResult(parse(process.argv.slice(2))).pipe(
  Effect.mapError(fail),
  Effect.flatMap((options) => (options === "help" ? Console.log(help) : Effect.scoped(serve(options)))),
  Effect.tapCauseIf(
    (cause) => !Cause.hasInterruptsOnly(cause),
    (cause) => Console.error(`effect-salesforce-bulk: ${messageOf(Cause.squash(cause))}`)
  ),
  Effect.provideService(Logger.LogToStderr, true)
)

NodeRuntime.runMain(command, {
  disableErrorReporting: true,
  teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)
})
