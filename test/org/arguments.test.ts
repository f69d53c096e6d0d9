import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { parse } from "../../src/org/arguments.ts"

describe("arguments", () => {
  it("are read, and have defaults", () => {
    const defaults = {
      port: 0,
      token: undefined,
      objects: undefined,
      data: undefined,
      sandbox: undefined,
      polls: undefined,
      hardDelete: false
    }
    assert.deepStrictEqual(parse(["org"]), Result.succeed(defaults))
    assert.deepStrictEqual(
      parse(["org", "--polls", "1,20"]),
      Result.succeed({ ...defaults, polls: { uploadComplete: 1, inProgress: 20 } })
    )
    assert.deepStrictEqual(parse(["org", "--hard-delete"]), Result.succeed({ ...defaults, hardDelete: true }))
    assert.deepStrictEqual(parse(["org", "--production"]), Result.succeed({ ...defaults, sandbox: false }))
    assert.deepStrictEqual(parse(["org", "--sandbox"]), Result.succeed({ ...defaults, sandbox: true }))
    assert.deepStrictEqual(parse(["org", "--port", "8080"]), Result.succeed({ ...defaults, port: 8080 }))
    assert.deepStrictEqual(
      parse(["--token=t", "org", "--objects", "o.json", "--data", "folder"]),
      Result.succeed({ ...defaults, token: "t", objects: "o.json", data: "folder" })
    )
  })

  it("ask for help with or without a command", () => {
    for (const args of [["--help"], ["org", "--help"], ["--help", "--port", "x"]]) {
      assert.deepStrictEqual(parse(args), Result.succeed("help"))
    }
  })

  it("are refused in one line", () => {
    const expected: ReadonlyArray<readonly [args: ReadonlyArray<string>, message: string]> = [
      [["org", "--prot", "1"], "Unknown option '--prot'; see --help"],
      [["org", "--port"], "Option '--port <value>' argument missing; see --help"],
      [["org", "--port", "x"], "--port takes a number from 0 to 65535, not 'x'"],
      [["org", "--port", "65536"], "--port takes a number from 0 to 65535, not '65536'"],
      [["org", "--port=-1"], "--port takes a number from 0 to 65535, not '-1'"],
      [["org", "--token", ""], "--token takes a text that is not empty"],
      [["org", "--data", ""], "--data takes the path of a folder"],
      [["org", "--polls", "1"], "--polls takes two numbers, like 1,2, not '1'"],
      [["org", "--production", "--sandbox"], "--production and --sandbox exclude one another"],
      [["gro"], "unknown command 'gro': the one there is is 'org'; see --help"],
      [["org", "org"], "unknown command 'org org': the one there is is 'org'; see --help"],
      [[], "unknown command '': the one there is is 'org'; see --help"]
    ]
    for (const [args, message] of expected) assert.deepStrictEqual(parse(args), Result.fail(message), args.join(" "))
  })
})
