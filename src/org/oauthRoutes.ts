/** The paths of OAuth and of identity, which no version has. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Identity from "./identity.ts"
import { type OAuth, OAuthError } from "./OAuth.ts"
import { type Request, text } from "./requests.ts"
import { base } from "./restRoutes.ts"
import { jsonResponse } from "./Wire.ts"

const noStore = { "cache-control": "no-cache, no-store", pragma: "no-cache" }

const refused = ({ description, error }: OAuthError) =>
  HttpServerResponse.setHeaders(jsonResponse({ error, error_description: description }, 400), noStore)

const unreadableForm = new OAuthError({ error: "invalid_request", description: "the body could not be read" })

const form = Effect.mapBoth(text, {
  onFailure: () => unreadableForm,
  onSuccess: (body) => new URLSearchParams(body)
})

/** The query string, in which a parameter may also be what the router cannot tell from a path. */
const query = Effect.map(HttpServerRequest.HttpServerRequest, ({ url }) => new URLSearchParams(url.split("?")[1] ?? ""))

const badToken = (message: string) =>
  HttpServerResponse.text(message, { status: 403, contentType: "text/html;charset=UTF-8" })

const tokenOf = (request: HttpServerRequest.HttpServerRequest): string | undefined =>
  /^(?:Bearer|OAuth) (.+)$/i.exec(request.headers.authorization ?? "")?.[1]

/** The token of a request's header, if it has one. */
const bearer = Effect.map(HttpServerRequest.HttpServerRequest, tokenOf)

type Route = Effect.Effect<HttpServerResponse.HttpServerResponse, never, Request>

/** Adds those paths to a router. */
export const add = Effect.fnUntraced(function* (
  router: HttpRouter.HttpRouter,
  options: { readonly oauth: OAuth; readonly identity: Identity.Identity; readonly modified: string }
) {
  const { identity, modified, oauth } = options

  const token: Route = Effect.gen(function* () {
    const { headers } = yield* HttpServerRequest.HttpServerRequest
    const request = { form: yield* form, authorization: headers.authorization, base: yield* base }
    return HttpServerResponse.setHeaders(jsonResponse(yield* oauth.token(request)), noStore)
  }).pipe(Effect.catchTag("OAuthError", (error) => Effect.succeed(refused(error))))

  const authorize: Route = query.pipe(
    Effect.flatMap(oauth.authorize),
    Effect.map((location) => HttpServerResponse.redirect(location)),
    Effect.catchTag("OAuthError", (error) => Effect.succeed(refused(error)))
  )

  const revoke = (parameters: typeof form | typeof query): Route =>
    parameters.pipe(
      Effect.flatMap((all) => oauth.revoke(all.get("token") ?? "")),
      Effect.flatMap((known) =>
        known
          ? Effect.succeed(HttpServerResponse.empty({ status: 200 }))
          : Effect.fail(new OAuthError({ error: "invalid_token", description: "invalid token" }))
      ),
      Effect.catchTag("OAuthError", (error) => Effect.succeed(refused(error)))
    )

  /** Answers whose token is good, in the words of these paths. */
  const known = (answer: Route): Route =>
    Effect.gen(function* () {
      const sent = (yield* bearer) ?? (yield* query).get("oauth_token") ?? undefined
      if (sent === undefined) return badToken("Missing_OAuth_Token")
      return (yield* oauth.accepts(sent)) ? yield* answer : badToken("Bad_OAuth_Token")
    })

  const userInfo: Route = Effect.map(base, (url) => jsonResponse(Identity.userInfo(identity, url)))

  const who: Route = Effect.gen(function* () {
    const { org = "", user = "" } = yield* HttpRouter.params
    if (!identity.orgId.startsWith(org.slice(0, 15)) || org.length < 15) return badToken("Wrong_Org")
    if (!identity.userId.startsWith(user.slice(0, 15)) || user.length < 15) return badToken("Wrong_Id")
    return jsonResponse(Identity.identityInfo(identity, yield* base, modified))
  })

  yield* router.add("POST", "/services/oauth2/token", token)
  yield* router.add("GET", "/services/oauth2/authorize", authorize)
  yield* router.add("POST", "/services/oauth2/revoke", revoke(form))
  yield* router.add("GET", "/services/oauth2/revoke", revoke(query))
  yield* router.add("GET", "/services/oauth2/userinfo", known(userInfo))
  yield* router.add("POST", "/services/oauth2/userinfo", known(userInfo))
  yield* router.add("GET", "/id/:org/:user", known(who))
})
