// Counts the records that jsforce gives for a bulk query, in a process that it may end.
import jsforce from "jsforce"

const [instanceUrl = "", accessToken = "", soql = ""] = process.argv.slice(2)
for (const name of ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"]) delete process.env[name]
const { bulk2 } = new jsforce.Connection({ instanceUrl, accessToken, version: "62.0" })
bulk2.pollInterval = 20
bulk2.pollTimeout = 30_000
const found = await (await bulk2.query(soql)).toArray()
console.log(found.length)
