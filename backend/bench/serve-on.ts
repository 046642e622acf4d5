import { once } from 'node:events'
import type { Server } from 'node:http'
import { print } from '../cli/output.ts'
import { untilStopped } from '../cli/stopping.ts'

/** Listens on a free port of the loopback, prints it, and resolves when the process is told to stop. */
export async function serveOn(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  print(JSON.stringify({ port: typeof address === 'object' ? address?.port : address }))
  await untilStopped((stopped) => stopped)
  server.closeAllConnections()
  server.close()
}
