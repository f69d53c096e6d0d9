/** What the command is told. */
import { parseArgs } from "node:util"
import * as Result from "effect/Result"

export const help = `Usage: effect-salesforce-bulk org [options]

Runs an embedded Salesforce org on 127.0.0.1. When it is ready, one line of
JSON on stdout says where it is:
  {"ready":true,"instanceUrl":"http://127.0.0.1:PORT","accessToken":"00D...!...","orgId":"00D..."}

Options:
  --port N        the port to listen on; 0, the default, is any free one
  --token T       the access token to accept; a new one by default, or the one
                  it had before in --data
  --objects PATH  objects beside the standard ones: a JSON file as
                  'sf sobject describe --json' writes it, or a folder of them;
                  or a CSV file, for an object with a text field for each of
                  its columns: Customers__c for customers.csv
  --data DIR      the folder the org lives in, made if need be: started there
                  again, it has the same id, token, records and jobs, and goes
                  on with the jobs that were not done, even after kill -9; by
                  default it is gone with its process
  --polls N,M     lets a job follow polls instead of time: N times it is seen
                  UploadComplete, then M times InProgress, then done
  --hard-delete   lets its user hard delete, which in a new org nobody may
  --production    makes it say that it is a production org
  --sandbox       makes it say that it is a sandbox, which it says by default,
                  unless it said something else before in --data
  --help          print this`

export interface Options {
  readonly port: number
  readonly token: string | undefined
  readonly objects: string | undefined
  readonly data: string | undefined
  readonly sandbox: boolean | undefined
  readonly polls: { readonly uploadComplete: number; readonly inProgress: number } | undefined
  readonly hardDelete: boolean
}

const read = (args: ReadonlyArray<string>) =>
  parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      port: { type: "string", default: "0" },
      token: { type: "string" },
      objects: { type: "string" },
      data: { type: "string" },
      polls: { type: "string" },
      "hard-delete": { type: "boolean", default: false },
      production: { type: "boolean", default: false },
      sandbox: { type: "boolean", default: false },
      help: { type: "boolean", default: false }
    }
  })

// what Node adds after the first sentence does not help here
const firstSentence = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).split(". ", 1)[0]!

/** Reads the arguments, or says in one line what is wrong with them. */
export const parse = (args: ReadonlyArray<string>): Result.Result<Options | "help", string> => {
  const parsed = Result.try({ try: () => read(args), catch: (error) => `${firstSentence(error)}; see --help` })
  if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
  const { positionals, values } = parsed.success
  if (values.help) return Result.succeed("help")
  if (positionals.length !== 1 || positionals[0] !== "org") {
    return Result.fail(`unknown command '${positionals.join(" ")}': the one there is is 'org'; see --help`)
  }
  const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : Number.NaN
  if (!(port <= 65_535)) return Result.fail(`--port takes a number from 0 to 65535, not '${values.port}'`)
  if (values.token === "") return Result.fail("--token takes a text that is not empty")
  if (values.data === "") return Result.fail("--data takes the path of a folder")
  const [, uploadComplete, inProgress] = /^(\d{1,9}),(\d{1,9})$/.exec(values.polls ?? "0,0") ?? []
  if (inProgress === undefined) return Result.fail(`--polls takes two numbers, like 1,2, not '${values.polls}'`)
  if (values.production && values.sandbox) return Result.fail("--production and --sandbox exclude one another")
  return Result.succeed({
    port,
    token: values.token,
    objects: values.objects,
    data: values.data,
    sandbox: values.production ? false : values.sandbox || undefined,
    polls:
      values.polls === undefined
        ? undefined
        : { uploadComplete: Number(uploadComplete), inProgress: Number(inProgress) },
    hardDelete: values["hard-delete"]
  })
}
