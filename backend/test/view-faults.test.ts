// What becomes of views when something is wrong, seen from outside: by readers over HTTP, by whoever operates the service, and by
// whoever is notified. Each fault has a view of its own, so that all of them happen at the same time.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { TestApp } from './app.ts'
import { eventually } from './eventually.ts'
import { FAULTS } from './view-faults.ts'
import { market, readSum, untilHit, type Market, type Sum } from './market.ts'
import { receiver, type Receiver } from './receiver.ts'

const LATEST_MS = 1000
const PATIENCE = { timeout: 45_000, interval: 100 }

let world: Market
let apps: TestApp[]
let token: string
let hook: Receiver

beforeAll(async () => {
  hook = await receiver()
  world = await market(
    FAULTS.map(({ stall }) => stall),
    { isAlone: true },
  )
  const webhook = { url: hook.url, secret: undefined }
  const monitoring = { viewLateMarginMs: 300_000, webhook, logsRequests: true }
  // So many, because a refresh that waits for a lock or at a gate keeps an instance busy.
  apps = await Promise.all([1, 2, 3].map(() => world.app({ settings: { monitoring } })))
  token = (await apps[0]?.token()) ?? ''
})
afterAll(async () => {
  await world.end()
  await hook.stop()
})

async function admin<T>(path: string): Promise<T> {
  const response = await apps[0]?.get(`/api/admin/${path}`, token)
  const { data }: { data: T } = JSON.parse((await response?.text()) ?? '')
  return data
}

type Seen = Sum & { start: number }

/** Reads the report again and again, of one instance after the other, until it is told to stop. */
function watch(stall: string, tenant: string): { seen: Seen[]; stop: () => Promise<void> } {
  const seen: Seen[] = []
  const stopping = new AbortController()
  const look = async (): Promise<void> => {
    for (let i = 0; !stopping.signal.aborted; i += 1) {
      const start = performance.now()
      const url = apps[i % apps.length]?.url ?? ''
      seen.push({ ...(await readSum({ url, token }, { stall, tenant })), start })
      await sleep(30)
    }
  }
  const watching = look()
  return {
    seen,
    stop: async () => {
      stopping.abort()
      await watching
    },
  }
}

type View = {
  view_name: string
  consecutive_failures: number
  is_pending: boolean
  last_error: string | null
}

const viewOf = async (name: string): Promise<View | undefined> =>
  (await admin<{ views: View[] }>('views')).views.find(({ view_name }) => view_name === name)

const hurry = (name: string): Promise<unknown> =>
  world.db.query(
    `update view_state set not_before = clock_timestamp()
     where view_name = $1 and not_before > clock_timestamp()`,
    [name],
  )

async function untilFailed(name: string, times: number): Promise<void> {
  await vi.waitFor(async () => {
    await hurry(name)
    expect((await viewOf(name))?.consecutive_failures).toBeGreaterThanOrEqual(times)
  }, PATIENCE)
}

type Alert = { kind: string; subject: string; status: string; message: string }

const alertsOf = async (name: string): Promise<Alert[]> =>
  (await admin<{ alerts: Alert[] }>('alerts?limit=100')).alerts.filter(
    ({ subject }) => subject === name,
  )

function notificationsOf(name: string): string[] {
  const bodies = hook.received.map(({ body }) => {
    const notification: { event: string; incident: Alert } = JSON.parse(body)
    return notification
  })
  return bodies.filter(({ incident }) => incident.subject === name).map(({ event }) => event)
}

/** Everybody who may look sees that the view fails. */
async function expectVisible(name: string, error: RegExp): Promise<void> {
  const message = expect.stringMatching(error)
  expect(await viewOf(name)).toMatchObject({ is_pending: true, last_error: message })
  const freshness = await world.sql(
    `select * from get_view_freshness() where view_name = '${name}'`,
  )
  expect(freshness).toMatchObject([{ age_seconds: expect.any(Number) }])
  const { runs } = await admin<{ runs: object[] }>(`views/${name}/history?limit=100`)
  const failed = runs.filter((run) => 'status' in run && run.status === 'failed')
  expect(failed.length).toBeGreaterThan(3)
  expect(failed[0]).toMatchObject({ error_message: message })
  const logged = apps.flatMap(({ log }) => log).filter(({ details }) => details['view'] === name)
  expect(logged).toContainEqual(expect.objectContaining({ level: 'warn' }))
  await eventually(async () =>
    expect(await alertsOf(name)).toMatchObject([{ kind: 'view_failing', status: 'open', message }]),
  )
  await eventually(() => expect(notificationsOf(name)).toEqual(['incident.opened']))
}

async function expectRecovery(name: string): Promise<void> {
  await vi.waitFor(async () => {
    await hurry(name)
    const healthy = { consecutive_failures: 0, is_pending: false, last_error: null }
    expect(await viewOf(name)).toMatchObject(healthy)
  }, PATIENCE)
  await vi.waitFor(
    async () => expect(await alertsOf(name)).toMatchObject([{ status: 'resolved' }]),
    PATIENCE,
  )
  await eventually(() =>
    expect(notificationsOf(name)).toEqual(['incident.opened', 'incident.resolved']),
  )
}

describe.concurrent('a view cannot be refreshed because', () => {
  test.each(FAULTS.map((fault) => [fault.what, fault] as const))(
    '%s: readers keep the last good data, all who watch know, and it recovers',
    async (_what, fault) => {
      const { stall, error } = fault
      const tenant = await world.tenant()
      await world.sell(stall, tenant, 'a', 5)
      for (const { url } of apps)
        await untilHit(() => readSum({ url, token }, { stall, tenant }), 5)
      const watched = watch(stall, tenant)
      try {
        const mend = await fault.begin(world, tenant)
        if (stall !== 'cut') await world.sell(stall, tenant, 'b', 7)
        const committed = performance.now()
        await untilFailed(`mv_${stall}`, 4)
        await expectVisible(`mv_${stall}`, error)
        expect(watched.seen.at(-1)).toMatchObject({ cache: 'STALE', amount: 5 })
        await mend()
        await expectRecovery(`mv_${stall}`)
        for (const { url } of apps)
          await untilHit(() => readSum({ url, token }, { stall, tenant }), 12)
        expectGoodReads(watched.seen, committed)
      } finally {
        await watched.stop()
      }
    },
    60_000,
  )
})

/** No error, no zeros, and a second after the write nothing without it that does not say so. */
function expectGoodReads(seen: readonly Seen[], committed: number): void {
  expect(seen.length).toBeGreaterThan(20)
  expect(seen.filter(({ status }) => status !== 200)).toEqual([])
  expect([...new Set(seen.map(({ amount }) => amount))]).toEqual([5, 12])
  const unmarked = seen.filter(
    ({ start, cache, amount }) =>
      start > committed + LATEST_MS && cache !== 'STALE' && amount !== 12,
  )
  expect(unmarked).toEqual([])
}
