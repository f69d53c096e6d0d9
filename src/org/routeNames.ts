/** Names for requests, by which faults and recorded requests tell them apart. */

const job = "/[^/]+"

const routes = [
  ["createIngestJob", "POST", "/jobs/ingest"],
  ["listIngestJobs", "GET", "/jobs/ingest"],
  ["ingestJob", "GET", `/jobs/ingest${job}`],
  ["changeIngestJob", "PATCH", `/jobs/ingest${job}`],
  ["deleteIngestJob", "DELETE", `/jobs/ingest${job}`],
  ["upload", "PUT", `/jobs/ingest${job}/batches`],
  ["successfulResults", "GET", `/jobs/ingest${job}/successfulresults`],
  ["failedResults", "GET", `/jobs/ingest${job}/failedresults`],
  ["unprocessedRecords", "GET", `/jobs/ingest${job}/unprocessedrecords`],
  ["createQueryJob", "POST", "/jobs/query"],
  ["listQueryJobs", "GET", "/jobs/query"],
  ["queryJob", "GET", `/jobs/query${job}`],
  ["changeQueryJob", "PATCH", `/jobs/query${job}`],
  ["deleteQueryJob", "DELETE", `/jobs/query${job}`],
  ["queryResults", "GET", `/jobs/query${job}/results`],
  ["resultPages", "GET", `/jobs/query${job}/resultpages`],
  ["query", "GET", "/query(?:all)?(?:/[^/]+)?"],
  ["describeGlobal", "GET", "/sobjects"],
  ["describe", "GET", "/sobjects/[^/]+/describe"],
  ["limits", "GET", "/limits"]
] as const

const others = [
  ["versions", "GET", "/services/data"],
  ["token", "POST", "/services/oauth2/token"],
  ["userInfo", "GET", "/services/oauth2/userinfo"]
] as const

export type RouteName = (typeof routes)[number][0] | (typeof others)[number][0]

export const routeNames: ReadonlyArray<RouteName> = [...routes, ...others].map(([name]) => name)

const patterns = [
  ...routes.map(([name, method, path]) => ({ name, method, path: `/services/data/v[^/]+${path}` })),
  ...others.map(([name, method, path]) => ({ name, method, path }))
].map(({ name, method, path }) => ({ name, method, pattern: new RegExp(`^${path}$`) }))

/** The path of a URL without slashes too many, and without its query string. */
export const pathOf = (url: string): string => {
  const path = url.replace(/[?#].*$/s, "").replace(/\/{2,}/g, "/")
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path
}

/** What a request is for; undefined when it has no name. */
export const nameOf = (method: string, url: string): RouteName | undefined => {
  const path = pathOf(url).toLowerCase()
  return patterns.find((each) => each.method === method && each.pattern.test(path))?.name
}
