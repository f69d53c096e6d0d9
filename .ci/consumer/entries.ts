// Every entry of the package, imported and typed.
import { Auth, Connection, Ingest, Query, soql } from "effect-salesforce-bulk"
import { layerConnection } from "effect-salesforce-bulk/node"
import { EmbeddedOrg } from "effect-salesforce-bulk/org"

for (const value of [
  Auth.layerToken,
  Connection.layer,
  Ingest.insert,
  Query.records,
  soql,
  layerConnection,
  EmbeddedOrg.layer
]) {
  if (value === undefined) throw new Error("an export is missing")
}
