import * as Effect from "effect/Effect"
import * as ChildProcess from "effect/process/ChildProcess"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as BulkError from "../BulkError.ts"
import { checkOrigin } from "./origin.ts"

/** Asks the Salesforce CLI for the credentials of an org that it is signed in to. */
export const askCli = Effect.fnUntraced(function* (targetOrg: string | undefined) {
  const shown = yield* sf(["org", "display", ...(targetOrg === undefined ? [] : ["--target-org", targetOrg])], Display)
  const instanceUrl = yield* Effect.fromResult(checkOrigin("instanceUrl", shown.instanceUrl.replace(/\/$/, "")))
  // since May 2026 the CLI shows a token only to those who ask for nothing else
  const accessToken = shown.accessToken.startsWith(hidden)
    ? yield* sf(["org", "auth", "show-access-token", "--no-prompt", "--target-org", shown.username], Token)
    : shown.accessToken
  const token = typeof accessToken === "string" ? accessToken : accessToken.accessToken
  if (token.startsWith(hidden)) {
    return yield* BulkError.make(
      new BulkError.SignInFailed({
        loginUrl: "sf org auth show-access-token",
        status: 0,
        error: "token_hidden",
        description:
          "the CLI hides the token from this program: update it, or give the token to Auth.layerToken, or set SF_TEMP_SHOW_SECRETS=true for now"
      })
    )
  }
  return { instanceUrl, accessToken: Redacted.make(token) }
})

/** How the CLI begins what it shows in place of a secret. */
const hidden = "[REDACTED]"

const Display = Schema.Struct({
  accessToken: Schema.NonEmptyString,
  instanceUrl: Schema.NonEmptyString,
  username: Schema.NonEmptyString
})

const Token = Schema.Union([Schema.NonEmptyString, Schema.Struct({ accessToken: Schema.NonEmptyString })])

/** Runs a command of the CLI, and gives the `result` of the JSON that it prints. */
const sf = Effect.fnUntraced(function* <S extends Schema.ConstraintDecoder<unknown>>(
  args: ReadonlyArray<string>,
  result: S
): Effect.fn.Return<S["Type"], BulkError.BulkError, ChildProcessSpawner.ChildProcessSpawner> {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const refused = (error: string, description: string) =>
    BulkError.make(new BulkError.SignInFailed({ loginUrl: `sf ${args.join(" ")}`, status: 0, error, description }))
  const printed = yield* spawner
    .string(ChildProcess.make("sf", [...args, "--json"], { stdin: "ignore" }))
    .pipe(Effect.mapError((error) => refused("not_run", `the Salesforce CLI could not be run: ${error.message}`)))
  const { message, name } = yield* Effect.orElseSucceed(decodeRefusal(printed), () => ({
    name: undefined,
    message: undefined
  }))
  if (message !== undefined) return yield* refused(name ?? "refused", message)
  return yield* decodeAnswer(printed).pipe(
    Effect.flatMap((answer) => Schema.decodeUnknownEffect(result)(answer.result)),
    Effect.mapError(() => refused("unexpected_output", "it printed something else than the JSON that was asked for"))
  )
})

const decodeAnswer = Schema.decodeEffect(Schema.fromJsonString(Schema.Struct({ result: Schema.Unknown })))

const decodeRefusal = Schema.decodeEffect(
  Schema.fromJsonString(Schema.Struct({ name: Schema.optionalKey(Schema.String), message: Schema.String }))
)
