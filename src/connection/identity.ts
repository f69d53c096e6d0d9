/** Who speaks to which org, and what kind of org it is. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * Who is signed in, and where. Ids have 18 characters.
 *
 * @category models
 * @since 0.1.0
 */
export interface Identity {
  readonly orgId: string
  readonly userId: string
}

/**
 * What an org says of itself. `instance` is like `NA123`, `edition` like `Enterprise Edition`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Organization {
  readonly id: string
  readonly instance: string
  readonly edition: string
  /** Scratch orgs are sandboxes too. */
  readonly isSandbox: boolean
  /** Whether it is none of what Salesforce calls development environments: sandboxes, Developer Editions and trials. */
  readonly isProduction: boolean
}

/** Takes no permission. */
export const identityRequest = { method: "GET", path: "/" } as const

const url = /\/id\/(00D\w{12,15})\/(005\w{12,15})$/

export const Resources = Schema.Struct({ identity: Schema.String.check(Schema.isPattern(url)) })

export const readIdentity = ({ identity }: typeof Resources.Type): Identity => {
  const [, orgId = "", userId = ""] = url.exec(identity) ?? []
  return { orgId, userId }
}

export const organizationRequest = {
  method: "GET",
  path: "/query",
  query: { q: "SELECT Id, InstanceName, IsSandbox, OrganizationType, TrialExpirationDate FROM Organization" }
} as const

export const Organizations = Schema.Struct({
  records: Schema.NonEmptyArray(
    Schema.Struct({
      Id: Schema.String,
      InstanceName: Schema.String,
      IsSandbox: Schema.Boolean,
      OrganizationType: Schema.String,
      TrialExpirationDate: Schema.NullOr(Schema.String)
    })
  )
})

export const readOrganization = ({ records: [org] }: typeof Organizations.Type): Organization => ({
  id: org.Id,
  instance: org.InstanceName,
  edition: org.OrganizationType,
  isSandbox: org.IsSandbox,
  isProduction: !org.IsSandbox && org.OrganizationType !== "Developer Edition" && org.TrialExpirationDate === null
})

/** Remembers what it gave; a failure is no answer. */
export const remembered = <A, E>(self: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  let known: { readonly value: A } | undefined
  return Effect.suspend(() =>
    known !== undefined
      ? Effect.succeed(known.value)
      : Effect.tap(self, (value) =>
          Effect.sync(() => {
            known = { value }
          })
        )
  )
}
