// An org that an example takes for a real one, since its environment describes it.
import { readdirSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { Effect, Redacted } from "effect"
import { Describe, EmbeddedOrg } from "../../src/org/index.ts"
import { overSocket } from "../support/orgs.ts"

const examples = resolve(import.meta.dirname, "../../examples")

/** A connection to an org with the objects of an example, in this process. */
export const realOrg = (example: string, options: EmbeddedOrg.Options = {}) => {
  const folder = resolve(examples, example, "objects")
  const objects = readdirSync(folder).map((file) =>
    Describe.make(JSON.parse(readFileSync(resolve(folder, file), "utf8")))
  )
  return overSocket({ objects, ...options })
}

/** The variables that describe it. */
export const environment = EmbeddedOrg.EmbeddedOrg.use(({ accessToken, instanceUrl }) =>
  Effect.succeed({ SF_INSTANCE_URL: instanceUrl, SF_ACCESS_TOKEN: Redacted.value(accessToken) })
)
