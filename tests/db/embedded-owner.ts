/** A process that owns an embedded PostgreSQL until it is killed; it says its address, or why it has none. */
import { startEmbeddedPostgres } from '../../src/db/embedded.ts'
import { silentLog } from '../helpers/database.ts'

const dataDir = process.argv[2]
if (dataDir === undefined) throw new Error('Usage: embedded-owner.ts <data folder>')
const { url } = await startEmbeddedPostgres({ dataDir, log: silentLog })
process.stdout.write(`${url}\n`)
setInterval(() => undefined, 60_000)
