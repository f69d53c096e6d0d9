// What the contestants that have a server share.

import type { Moved, Setup, SetupOptions } from "../suite.ts"

/** How many records are moved. */
export const countOf = ({ extent }: SetupOptions): number =>
  ({ quick: 400_000, whole: 1_000_000, huge: 4_200_000 })[extent]

/** jsforce gets less in a quick run: what it does a second does not grow with their number. */
export const jsforceCountOf = (options: SetupOptions): number =>
  options.extent === "quick" ? 100_000 : countOf(options)

/**
 * A round that moves so many records. Before it come a few, for the compiler of Node;
 * the calls are those that the server counted.
 */
export const served =
  (
    round: (options: SetupOptions, count: number) => Promise<Pick<Moved, "firstAt"> & { readonly records: number }>,
    count: (options: SetupOptions) => number = countOf
  ): Setup =>
  async (options) => {
    await round(options, 20_000)
    const calls = async () => Number(await (await fetch(`${options.url}/calls`)).text())
    const before = await calls()
    return async () => {
      const moved = await round(options, count(options))
      if (moved.records !== count(options)) throw new Error(`${moved.records} records of ${count(options)}`)
      return { ...moved, calls: (await calls()) - before }
    }
  }

/** How many records one job takes: of the size they have here that is about half of what Salesforce allows. */
export const jobRows = 500_000

export const columns = "Id,Name,Email__c,Phone,Amount__c,Active__c,CreatedDate,City__c,Key__c,Note__c"
