/**
 * PostgreSQL as WebAssembly, behind a socket: a database for a machine that has none. It keeps what it is given in the
 * folder that is its argument, and prints its URL when it is ready. In a process of its own, since it takes much memory.
 */
import { PGlite } from "@electric-sql/pglite"
import { PGLiteSocketServer } from "@electric-sql/pglite-socket"

const db = await PGlite.create({ dataDir: process.argv[2]!, relaxedDurability: true })
// 1 by default, and a pool has more
const server = new PGLiteSocketServer({ db, host: "127.0.0.1", port: 0, maxConnections: 10 })
await server.start()
console.log(`postgres://postgres@${server.getServerConn()}/postgres`)
