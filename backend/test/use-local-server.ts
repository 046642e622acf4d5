// A program that uses a local server as the service or a command does: it prints the URL (or null) and stops
// when its input ends.  use-local-server.ts postgres|redis FOLDER
import { once } from 'node:events'
import { startLocalRedis } from '../engine/cache/index.ts'
import { startEmbeddedPostgres } from '../engine/db/index.ts'
import { testLog } from './log.ts'

const [kind, folder = ''] = process.argv.slice(2)
const { log } = testLog()
const settings = { fsync: 'off', shared_buffers: '16MB' }
const server = await (kind === 'redis'
  ? startLocalRedis({ folder, log })
  : startEmbeddedPostgres({ folder, log, settings }))
process.stdout.write(`${JSON.stringify(server?.url ?? null)}\n`)
await once(process.stdin.resume(), 'end')
await server?.stop()
