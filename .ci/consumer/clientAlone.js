// Preloaded into a program: it fails if a module is loaded that the client alone has no use for.
import { registerHooks } from "node:module"

const loaded = new Set()
registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context)
    loaded.add(resolved.url)
    return resolved
  }
})

process.on("exit", () => {
  const urls = Array.from(loaded)
  const strange = urls.filter((url) => /^node:sqlite|effect-salesforce-bulk\/dist\/(org|node)|platform-node/.test(url))
  if (strange.length > 0 || !urls.some((url) => url.endsWith("effect-salesforce-bulk/dist/index.js"))) {
    console.error("loaded without need:", strange)
    process.exitCode = 1
  }
})
