import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export type ServerUser = {
  /** Null when there is no server. */
  url: string | null
  /** As Ctrl-C and a crash do: at once, and the whole process group. */
  kill: () => Promise<void>
  /** Lets it stop its server, and resolves when it has ended. */
  leave: () => Promise<void>
}

/** Another process that uses the local server of the folder. */
export async function serverUser(
  kind: 'postgres' | 'redis',
  folder: string,
  env?: Record<string, string>,
): Promise<ServerUser> {
  const program = join(import.meta.dirname, 'use-local-server.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', program, kind, folder], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(env === undefined ? {} : { env }),
  })
  const ended = once(child, 'exit')
  const said = await Promise.race([once(child.stdout, 'data'), ended])
  return {
    url: JSON.parse(String(said[0])),
    kill: async () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      await ended
    },
    leave: async () => {
      child.stdin.end()
      await ended
    },
  }
}
