import { generateKeyPairSync } from "node:crypto"
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { ConfigProvider, Console, Context, Effect, Layer, Redacted } from "effect"
import { HttpClient } from "effect/http"
import { EmbeddedOrg } from "../../src/org/index.ts"
import type { Browser } from "./browser.ts"

/** Where to sign in: the settings that flows read, and a browser. */
export interface Place {
  readonly settings: ConfigProvider.ConfigProvider
  readonly browser: Browser
}

/** Salesforce, as the environment describes it, and the person's own browser. */
export const salesforce: Effect.Effect<Place> = Effect.map(ConfigProvider.ConfigProvider, (settings) => ({
  settings,
  browser: { port: 1717, open: (url: string) => Console.log(`  open this page, and sign in: ${url}`) }
}))

/** An embedded org that knows an app, and a browser whose person says yes. */
export const embedded = Effect.gen(function* () {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" }
  })
  const app = { clientId: "sign-in", clientSecret: "known to the app alone", publicKey }
  const person = { username: "sync@embedded-org.example", refreshToken: "5Aep-from-another-day" }
  const org = yield* EmbeddedOrg.layerWith({
    username: person.username,
    oauth: {
      clients: [app],
      refreshTokens: [{ token: person.refreshToken, clientId: app.clientId }],
      rotateRefreshTokens: true
    }
  }).pipe(Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" })), Layer.build)
  const { accessToken, instanceUrl } = Context.get(org, EmbeddedOrg.EmbeddedOrg)
  const client = HttpClient.followRedirects(yield* HttpClient.HttpClient)
  const place: Place = {
    settings: ConfigProvider.fromUnknown({
      SF_INSTANCE_URL: instanceUrl,
      SF_ACCESS_TOKEN: Redacted.value(accessToken),
      SF_LOGIN_URL: instanceUrl,
      SF_CLIENT_ID: app.clientId,
      SF_CLIENT_SECRET: app.clientSecret,
      SF_USERNAME: person.username,
      SF_PRIVATE_KEY: privateKey,
      SF_REFRESH_TOKEN: person.refreshToken
    }),
    browser: {
      port: 0,
      open: (url) =>
        client.get(url).pipe(
          Effect.flatMap((response) => response.text),
          Effect.flatMap((text) => Console.log(`  the browser shows: ${text}`)),
          Effect.orDie
        )
    }
  }
  return place
})
