/** The API versions an org serves. All behave as today's does, but for what clients can tell apart. */
const oldest = 41
const newest = 68

const seasons = ["Winter", "Spring", "Summer"]

/** Version 41 was Winter '18, and three follow each year. */
export const versions = Array.from({ length: newest - oldest + 1 }, (_, i) => {
  const version = `${oldest + i}.0`
  return { label: `${seasons[i % 3]} '${18 + Math.floor(i / 3)}`, url: `/services/data/v${version}`, version }
})

/** `68.0` from the `v68.0` of a path; undefined when the org does not serve that version. */
export const fromPath = (segment: string): string | undefined => {
  const version = segment.slice(1)
  return /^v/i.test(segment) && versions.some((each) => each.version === version) ? version : undefined
}

/** Whether a version of a path is one that was, and is no more. */
export const isRetired = (segment: string): boolean => /^v(?:[5-9]|[12]\d|30)\.0$/i.test(segment)

/** The first versions of what is younger than the API itself. */
const since = {
  /** An upsert by REST that updates says so in a body. */
  upsertBody: 46,
  /** Query results keep the order of SELECT; before, columns came by the alphabet. */
  selectOrder: 50,
  /** Failed rows of updates and deletes name their records. */
  failedIds: 53,
  /** Links to all pages of query results at once. */
  resultPages: 58
}

/** Whether a version, such as `68.0`, knows a feature. */
export const knows = (version: string, feature: keyof typeof since): boolean => Number(version) >= since[feature]

/** In which order a version writes the columns of query results: their places in SELECT. */
export const columnOrder = (version: string, names: ReadonlyArray<string>): ReadonlyArray<number> => {
  const places = names.map((_, place) => place)
  return knows(version, "selectOrder") ? places : places.sort((a, b) => (names[a]! < names[b]! ? -1 : 1))
}
