/** Who an org is, and its one user, as clients ask for it. */
import * as ids from "./ids.ts"

/** The org and its user. */
export interface Identity {
  readonly orgId: string
  readonly userId: string
  readonly username: string
}

/** The id of the user of every org. */
export const userId = ids.make("005", 1)

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
