/** Who an org is, and its one user: as records, and as the identity that clients ask for. */
import * as Describe from "./Describe.ts"
import * as ids from "./ids.ts"
import type { Objects } from "./Soql.ts"
import type { Store } from "./Store.ts"

/** The org and its user. */
export interface Identity {
  readonly orgId: string
  readonly userId: string
  readonly username: string
}

/** The id of the user of every org. */
export const userId = ids.make("005", 1)

const readonly = { createable: false, updateable: false }

const user = Describe.make({
  name: "User",
  label: "User",
  keyPrefix: "005",
  fields: [
    { name: "Username", label: "Username", length: 80, nillable: false, idLookup: true },
    { name: "LastName", label: "Last Name", length: 80, nillable: false, compoundFieldName: "Name" },
    { name: "FirstName", label: "First Name", length: 40, compoundFieldName: "Name" },
    { name: "Name", label: "Full Name", length: 121, nillable: false, ...readonly },
    { name: "Alias", label: "Alias", length: 8, nillable: false },
    { name: "Email", label: "Email", type: "email", length: 128, nillable: false, idLookup: true },
    { name: "IsActive", label: "Active", type: "boolean", nillable: false, defaultedOnCreate: true },
    { name: "TimeZoneSidKey", label: "Time Zone", length: 40, nillable: false, defaultValue: "GMT" },
    { name: "LocaleSidKey", label: "Locale", length: 40, nillable: false, defaultValue: "en_US" },
    { name: "LanguageLocaleKey", label: "Language", length: 40, nillable: false, defaultValue: "en_US" }
  ]
})

const organization = Describe.make({
  name: "Organization",
  label: "Organization",
  keyPrefix: "00D",
  fields: [
    { name: "Name", label: "Name", length: 80, nillable: false, createable: false },
    { name: "InstanceName", label: "Instance Name", length: 5, ...readonly },
    { name: "IsSandbox", label: "Is Sandbox", type: "boolean", nillable: false, defaultedOnCreate: true, ...readonly },
    { name: "TrialExpirationDate", label: "Trial Expiration Date", type: "datetime", ...readonly },
    { name: "NamespacePrefix", label: "Namespace Prefix", length: 15, ...readonly },
    { name: "OrganizationType", label: "Edition", type: "picklist", length: 40, ...readonly }
  ]
})

/** The objects that hold an identity, as far as clients read them. */
export const objects: ReadonlyArray<Describe.ObjectDescribe> = [user, organization]

/** Writes the records of an identity, unless they are there: those of their fields that the org's describes have. */
export const seed = (store: Store, all: Objects, identity: Identity, millis: number): void => {
  const now = new Date(millis).toISOString()
  const stamps = {
    CreatedDate: now,
    CreatedById: identity.userId,
    LastModifiedDate: now,
    LastModifiedById: identity.userId,
    SystemModstamp: now
  }
  const add = (object: string, id: string, fields: Readonly<Record<string, string | number>>) => {
    if (store.finderById(object, [])(id) !== undefined) return
    const known = new Set(all.get(object.toLowerCase())?.fields.map(({ name }) => name))
    const cells = Object.entries({ ...fields, ...stamps }).filter(([name]) => known.has(name))
    const names = cells.map(([name]) => name)
    const values = cells.map(([, value]) => value)
    store.inserter(object, names)(id, values)
  }
  const isNew = store.finderById("User", [])(identity.userId) === undefined
  // so that no other record gets the same id
  if (isNew) store.nextId("005")
  add("User", identity.userId, {
    Username: identity.username,
    LastName: "User",
    FirstName: "Embedded",
    Alias: "embedded",
    Email: identity.username,
    IsActive: 1,
    TimeZoneSidKey: "GMT",
    LocaleSidKey: "en_US",
    LanguageLocaleKey: "en_US"
  })
  add("Organization", identity.orgId, {
    Name: "Embedded Org",
    InstanceName: "EMB1",
    IsSandbox: 0,
    OrganizationType: "Developer Edition"
  })
}

/** What `/services/oauth2/userinfo` says, at an org whose address is `base`. */
export const userInfo = ({ orgId, userId, username }: Identity, base: string) => ({
  sub: `${base}/id/${orgId}/${userId}`,
  user_id: userId,
  organization_id: orgId,
  preferred_username: username,
  nickname: "embedded",
  name: "Embedded User",
  email: username,
  email_verified: true,
  given_name: "Embedded",
  family_name: "User",
  zoneinfo: "GMT",
  photos: { picture: `${base}/profilephoto/005/F`, thumbnail: `${base}/profilephoto/005/T` },
  profile: `${base}/${userId}`,
  picture: `${base}/profilephoto/005/F`,
  address: {},
  is_salesforce_integration_user: false,
  urls: urls(base, orgId, userId),
  active: true,
  user_type: "STANDARD",
  language: "en_US",
  locale: "en_US",
  utcOffset: 0
})

/** What `/id/{org}/{user}` says. */
export const identityInfo = ({ orgId, userId, username }: Identity, base: string, modified: string) => ({
  id: `${base}/id/${orgId}/${userId}`,
  asserted_user: true,
  user_id: userId,
  organization_id: orgId,
  username,
  nick_name: "embedded",
  display_name: "Embedded User",
  email: username,
  email_verified: true,
  first_name: "Embedded",
  last_name: "User",
  timezone: "GMT",
  photos: { picture: `${base}/profilephoto/005/F`, thumbnail: `${base}/profilephoto/005/T` },
  addr_street: null,
  addr_city: null,
  addr_state: null,
  addr_country: null,
  addr_zip: null,
  mobile_phone: null,
  mobile_phone_verified: false,
  is_lightning_login_user: false,
  status: { created_date: null, body: null },
  urls: urls(base, orgId, userId),
  active: true,
  user_type: "STANDARD",
  language: "en_US",
  locale: "en_US",
  utcOffset: 0,
  last_modified_date: modified,
  is_app_installed: true
})

// clients put the version in themselves
const urls = (base: string, orgId: string, userId: string) => ({
  rest: `${base}/services/data/v{version}/`,
  sobjects: `${base}/services/data/v{version}/sobjects/`,
  query: `${base}/services/data/v{version}/query/`,
  profile: `${base}/${userId}`,
  custom_domain: base,
  organization: `${base}/${orgId}`
})
