/** What a new org holds before anybody has written to it: the user of its API, and itself. */
import type { ObjectDescribe } from "./Describe.ts"
import type { Identity } from "./identity.ts"
import * as ids from "./ids.ts"
import { isStored, type Store, type Value } from "./Store.ts"

/** Adds the two records, where the org has no such records yet. */
export const populate = (
  store: Store,
  objects: ReadonlyMap<string, ObjectDescribe>,
  org: Identity & { readonly now: number; readonly sandbox: boolean | undefined }
): void => {
  const now = new Date(org.now).toISOString()
  const stamps = {
    CreatedDate: now,
    CreatedById: org.userId,
    LastModifiedDate: now,
    LastModifiedById: org.userId,
    SystemModstamp: now
  }
  const add = (name: string, id: string, values: Readonly<Record<string, Value>>) => {
    const object = objects.get(name.toLowerCase())
    if (object === undefined || store.finderById(name, [])(id) !== undefined) return
    // no other record gets the id
    if (id === ids.make(id.slice(0, 3), 1)) store.nextId(id.slice(0, 3))
    // an object of the user's own may lack some
    const given = Object.entries(values).filter(([name]) =>
      object.fields.some((field) => field.name === name && isStored(field))
    )
    store.inserter(
      name,
      given.map(([name]) => name)
    )(
      id,
      given.map(([, value]) => value)
    )
  }
  add("User", org.userId, {
    ...stamps,
    Username: org.username,
    LastName: "User",
    FirstName: "Embedded",
    Email: org.username,
    Alias: "embedded",
    CommunityNickname: "embedded",
    CompanyName: "Embedded Org",
    IsActive: 1,
    TimeZoneSidKey: "GMT",
    LocaleSidKey: "en_US",
    EmailEncodingKey: "UTF-8",
    LanguageLocaleKey: "en_US",
    UserType: "Standard"
  })
  const { sandbox = true } = org
  add("Organization", org.orgId, {
    ...stamps,
    Name: "Embedded Org",
    DefaultLocaleSidKey: "en_US",
    TimeZoneSidKey: "GMT",
    LanguageLocaleKey: "en_US",
    FiscalYearStartMonth: 1,
    InstanceName: "EMB1",
    IsSandbox: sandbox ? 1 : 0,
    OrganizationType: "Enterprise Edition",
    IsReadOnly: 0
  })
  // one that was there before is what it is told to be now
  const says = objects.get("organization")?.fields.some(({ name }) => name === "IsSandbox")
  if (org.sandbox !== undefined && says) store.updater("Organization", ["IsSandbox"])(org.orgId, [org.sandbox ? 1 : 0])
}
