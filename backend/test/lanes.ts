// Lanes for tests: on a real PostgreSQL or a real Redis of their own, as many processes' worth as a test wants.
import {
  createLanes,
  type JobHandler,
  type Lanes,
  type LanesOptions,
} from '../engine/lanes/index.ts'
import { testDatabase } from './database.ts'
import { faultProxy, type FaultProxy } from './fault-proxy.ts'
import { testLog, type LogEntry } from './log.ts'
import { testRedis } from './redis.ts'

export const LANE_BACKENDS = ['postgres', 'redis'] as const

type Kind = (typeof LANE_BACKENDS)[number]
type Options = Partial<Pick<LanesOptions, 'concurrency' | 'timing'>> & {
  /** Not through the proxy. */
  isDirect?: boolean
}

export type LaneWorld = {
  /** Without detours. */
  url: string
  proxy: FaultProxy
  log: LogEntry[]
  /** One more process's lanes, through the proxy. */
  lanes(options?: Options): Lanes
  /** One that works. */
  working(handlers: Record<string, JobHandler>, options?: Options): Promise<Lanes>
  /** The queue loses all that is in it. */
  empty(): Promise<unknown>
  /** Stops all lanes and empties the queue. */
  clear(): Promise<void>
  end(): Promise<void>
}

type Server = { url: string; empty: () => Promise<unknown>; drop: () => Promise<void> }

export async function laneWorld(kind: Kind): Promise<LaneWorld> {
  const server = await (kind === 'redis' ? onRedis() : onPostgres())
  const { hostname, port } = new URL(server.url)
  const proxy = await faultProxy({ host: hostname, port: Number(port) })
  const { log, entries } = testLog()
  const open = new Set<Lanes>()
  const lanes = ({ isDirect = false, ...options }: Options = {}): Lanes => {
    const backend = { kind, url: isDirect ? server.url : proxy.through(server.url) }
    const made = createLanes({ backend, log, concurrency: 4, ...options })
    open.add(made)
    return made
  }
  const stop = async (): Promise<void> => {
    await Promise.all([...open].map((each) => each.stop()))
    open.clear()
  }
  return {
    url: server.url,
    proxy,
    log: entries,
    lanes,
    working: async (handlers, options) => {
      const made = lanes(options)
      for (const [name, handler] of Object.entries(handlers)) made.handle(name, handler)
      await made.start()
      return made
    },
    empty: () => server.empty(),
    clear: async () => {
      await stop()
      await server.empty()
    },
    end: async () => {
      await stop()
      await proxy.stop()
      await server.drop()
    },
  }
}

async function onPostgres(): Promise<Server> {
  const { url, db, drop } = await testDatabase()
  const empty = (): Promise<unknown> =>
    db.query('truncate bullmq.job, bullmq.dedup, bullmq.event, bullmq.meta cascade')
  return { url, empty, drop }
}

async function onRedis(): Promise<Server> {
  const server = await testRedis()
  const empty = async (): Promise<void> => {
    await server.kill()
    await server.start()
  }
  return { url: server.url, empty, drop: () => server.stop() }
}
