/**
 * Test your own app: one that keeps prices in Salesforce up to date, with the tests that a
 * user would write for it, in memory and without a second of waiting.
 *
 *     npm run example -- 09
 *
 * `prices.ts` is the application, `prices.test.ts` its tests, by `@effect/vitest`. The org
 * is an `HttpClient` (`EmbeddedOrg.layerHttpClient`), so a `TestClock` moves the time of
 * both: rules refuse rows, uploads break off, sessions expire, jobs fail, Salesforce asks
 * for patience; and each test looks at what is in the org afterwards. This program runs
 * them through vitest and prints its report.
 */

import { fileURLToPath } from "node:url"
import { startVitest } from "vitest/node"

const root = fileURLToPath(new URL("../..", import.meta.url))

// it sets the exit code when a test fails
const vitest = await startVitest("test", ["examples/09-test-your-app/prices.test.ts"], {
  root,
  run: true,
  reporters: ["tree"],
  typecheck: { enabled: false }
})
await vitest.close()
