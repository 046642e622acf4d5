import { Client } from 'pg'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'

export type ListenOptions = {
  connectionString: string
  applicationName: string
  log: Log
}

const RECONNECT_MS = 1000

/**
 * Calls `onNotify` at each notification of the channel, on a connection of its own that is made again when it is lost; and each
 * time when it was made, because notifications that came meanwhile are lost. Not for what must not be missed.
 */
export function listen(options: ListenOptions, channel: string, onNotify: () => void): Service {
  let stopped = false
  let client: Client | undefined
  let retry: NodeJS.Timeout | undefined

  const open = async (): Promise<void> => {
    const opened = (client = clientOf(options))
    opened.on('notification', onNotify)
    opened.on('error', (error) => {
      options.log.debug('The connection that listens was lost.', { error })
    })
    opened.once('end', again)
    await opened.connect()
    await opened.query(`listen ${opened.escapeIdentifier(channel)}`)
    onNotify()
  }
  const again = (): void => {
    clearTimeout(retry)
    if (!stopped) retry = setTimeout(start, RECONNECT_MS)
  }
  const start = (): void => {
    opening = open().catch((error: unknown) => {
      options.log.debug('Nothing can be listened to at the moment.', { error })
      again()
    })
  }
  let opening = Promise.resolve()
  start()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(retry)
      await opening
      await client?.end().catch(() => undefined)
    },
  }
}

function clientOf({ connectionString, applicationName }: ListenOptions): Client {
  return new Client({
    connectionString,
    application_name: `${applicationName} listener`,
    connectionTimeoutMillis: 3000,
    keepAlive: true,
  })
}
