import { Config, Console, Effect, Layer, Option } from "effect"
import type { HttpClient, HttpServerError } from "effect/http"
import type { ChildProcessSpawner } from "effect/process"
import { Auth, type BulkError, WebLogin } from "../../src/index.ts"
import { type Browser, receiver } from "./browser.ts"

/** From settings and a browser to a session. */
export type Flow = (
  browser: Browser
) => Layer.Layer<
  Auth.Session,
  BulkError.BulkError | Config.ConfigError | HttpServerError.ServeError,
  HttpClient.HttpClient | ChildProcessSpawner.ChildProcessSpawner
>

const clientId = Config.String("SF_CLIENT_ID")
const loginUrl = Config.String("SF_LOGIN_URL").pipe(Config.withDefault("https://login.salesforce.com"))

/** Apps that can keep a secret have one. */
const clientSecret = Config.option(Config.Redacted("SF_CLIENT_SECRET")).pipe(Config.map(Option.getOrUndefined))

/** A program that is to run again tomorrow stores the token here, where secrets are kept. */
const onRotate = () => Console.log("  the refresh token was replaced by another one")

/** Every flow, as an application would write it. */
export const flows: Readonly<Record<string, Flow>> = {
  token: () =>
    Layer.unwrap(
      Effect.map(
        Config.all({ instanceUrl: Config.String("SF_INSTANCE_URL"), accessToken: Config.Redacted("SF_ACCESS_TOKEN") }),
        Auth.layerToken
      )
    ),

  "client-credentials": () =>
    Layer.unwrap(
      Effect.map(
        Config.all({ loginUrl, clientId, clientSecret: Config.Redacted("SF_CLIENT_SECRET") }),
        Auth.layerClientCredentials
      )
    ),

  jwt: () =>
    Layer.unwrap(
      Effect.map(
        Config.all({
          loginUrl,
          clientId,
          username: Config.String("SF_USERNAME"),
          privateKey: Config.Redacted("SF_PRIVATE_KEY")
        }),
        Auth.layerJwtBearer
      )
    ),

  refresh: () =>
    Layer.unwrap(
      Effect.map(
        Config.all({ loginUrl, clientId, clientSecret, refreshToken: Config.Redacted("SF_REFRESH_TOKEN") }),
        (settings) => Auth.layerRefreshToken({ ...settings, onRotate })
      )
    ),

  web: (browser) =>
    Layer.unwrap(
      Effect.gen(function* () {
        const settings = yield* Config.all({ loginUrl, clientId, clientSecret })
        const { callback, redirectUri } = yield* receiver(browser.port)
        const app = { ...settings, redirectUri }
        const login = yield* WebLogin.begin(app)
        yield* browser.open(login.url)
        const { credentials, refreshToken } = yield* WebLogin.finish({ ...app, ...login, callback: yield* callback })
        // the session of the login first, others by the refresh token once that is refused
        return refreshToken === undefined
          ? Auth.layerToken(credentials)
          : Auth.layerRefreshToken({ ...app, refreshToken, credentials, onRotate })
      })
    ),

  cli: () =>
    Layer.unwrap(
      Effect.map(Config.option(Config.String("SF_TARGET_ORG")), (targetOrg) =>
        Auth.layerCli({ targetOrg: Option.getOrUndefined(targetOrg) })
      )
    )
}
