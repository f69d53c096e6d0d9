/**
 * Signs in by each flow that there is, and says who each session is: never a token.
 *
 *     npm run example -- 07
 *     npm run example -- 07 jwt
 *
 * The flows are `token`, `client-credentials`, `jwt`, `refresh`, `web` (a person's browser, with PKCE) and
 * `cli` (the Salesforce CLI's own login, only when it is asked for). Without settings they go to the OAuth
 * endpoints of an embedded org, which knows an app for each and whose person always says yes.
 *
 * Against Salesforce name the flow, and set what it reads from the environment:
 *
 *     token               SF_INSTANCE_URL  SF_ACCESS_TOKEN
 *     client-credentials  SF_LOGIN_URL  SF_CLIENT_ID  SF_CLIENT_SECRET
 *     jwt                 SF_LOGIN_URL  SF_CLIENT_ID  SF_USERNAME  SF_PRIVATE_KEY (PEM text)
 *     refresh             SF_LOGIN_URL  SF_CLIENT_ID  SF_REFRESH_TOKEN (one that is not rotated: nothing here stores the next)
 *     web                 SF_LOGIN_URL  SF_CLIENT_ID (its callback URL is http://localhost:1717/done)
 *     cli                 SF_TARGET_ORG, or the CLI's default org
 */

import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { ConfigProvider, Console, Effect, Layer, Schema } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { Auth } from "../../src/index.ts"
import { isRealOrg } from "../shared/connection.ts"
import { runMain } from "../shared/main.ts"
import { type Flow, flows } from "./flows.ts"
import { embedded, type Place, salesforce } from "./places.ts"

const UserInfo = Schema.Struct({ preferred_username: Schema.String, organization_id: Schema.String })

/** What Salesforce says of whoever brings these credentials. */
const whoIs = ({ accessToken, instanceUrl }: Auth.Credentials) =>
  HttpClient.execute(
    HttpClientRequest.get(`${instanceUrl}/services/oauth2/userinfo`).pipe(HttpClientRequest.bearerToken(accessToken))
  ).pipe(Effect.flatMap(HttpClientResponse.filterStatusOk), Effect.flatMap(HttpClientResponse.schemaBodyJson(UserInfo)))

/** Uses a session once, and once more as if its token had been refused meanwhile. */
const use = Effect.gen(function* () {
  const session = yield* Auth.Session
  const credentials = yield* session.current
  const { organization_id, preferred_username } = yield* whoIs(credentials)
  yield* Console.log(`  ${preferred_username} of ${organization_id}, at ${credentials.instanceUrl}`)
  yield* session.renew(credentials).pipe(
    Effect.flatMap(whoIs),
    Effect.andThen(Console.log("  once the token is refused: signs in again by itself")),
    Effect.catchReason("BulkError", "SessionExpired", () =>
      Console.log("  once the token is refused: it needs another one")
    )
  )
})

const show = ([name, flow]: readonly [string, Flow], { browser, settings }: Place) =>
  Console.log(name).pipe(
    Effect.andThen(Effect.provide(use, flow(browser))),
    Effect.provide(ConfigProvider.layer(settings)),
    Effect.scoped
  )

const program = Effect.gen(function* () {
  const [chosen] = process.argv.slice(2)
  const isReal = yield* isRealOrg
  const all = Object.entries(flows).filter(([name]) => (chosen === undefined ? name !== "cli" : name === chosen))
  if (all.length === 0 || (isReal && chosen === undefined)) {
    yield* Console.error(`Choose one of ${Object.keys(flows).join(", ")}: npm run example -- 07 jwt`)
    return yield* Effect.sync(() => {
      process.exitCode = 1
    })
  }
  const place = isReal || chosen === "cli" ? yield* salesforce : yield* embedded
  yield* Effect.forEach(all, (flow) => show(flow, place))
})

program.pipe(Effect.scoped, Effect.provide(Layer.merge(NodeHttpClient.layerUndici, NodeServices.layer)), runMain)
