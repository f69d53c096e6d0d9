import * as Effect from "effect/Effect"
import * as BulkError from "../BulkError.ts"
import { Connection, inOrg } from "../connection/Connection.ts"

/** The word that a delete needs in a production org. */
export interface Confirmation {
  /**
   * The id of the production org, of 15 or 18 characters, in which records are to be
   * deleted. Other orgs need no such word: sandboxes, scratch orgs, Developer Editions
   * and trials. Default: nothing is deleted in a production org.
   */
  readonly confirmProduction?: string | undefined
}

/**
 * Fails unless records may be deleted in this org. One that does not let itself be
 * looked at counts as a production org.
 */
export const demandConfirmed = (
  operation: "delete" | "hardDelete",
  options: Confirmation & { readonly object: string }
): Effect.Effect<void, BulkError.BulkError, Connection> => inOrg(demand(operation, options))

const demand = Effect.fnUntraced(function* (
  operation: "delete" | "hardDelete",
  { confirmProduction: confirmed, object }: Confirmation & { readonly object: string }
): Effect.fn.Return<void, BulkError.BulkError, Connection> {
  const { identity, organization } = yield* Connection
  const org = yield* Effect.catchIf(
    organization,
    (error) => !error.isRetryable && !error.isAuth && !error.isLimit,
    () => Effect.undefined
  )
  if (org?.isProduction === false) return
  const orgId = org?.id ?? (yield* identity).orgId
  // the 15 characters are the id, the other three a checksum
  if (confirmed !== undefined && confirmed.length >= 15 && confirmed.slice(0, 15) === orgId.slice(0, 15)) return
  return yield* BulkError.make(new BulkError.ProductionNotConfirmed({ object, operation, orgId, confirmed }))
})
