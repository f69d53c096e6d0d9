// npm scripts run on the Node that the npm package `node` installs. Its install script fetches the binary,
// so with scripts disabled an older Node would be picked up silently: say so in one line instead.
const [major, minor] = process.versions.node.split(".").map(Number)

if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `Node ${process.versions.node} is too old: 22.19 or later is needed. ` +
      "`npm ci` installs Node 24 for the scripts of this package; if install scripts are disabled, " +
      "run `npm rebuild node --ignore-scripts=false` or use a newer Node."
  )
  process.exit(1)
}
