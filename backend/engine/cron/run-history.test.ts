import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CronWorld, cronWorld, SUCCESS } from '../../test/cron.ts'

let world: CronWorld
beforeAll(async () => {
  world = await cronWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.end())

const job = { name: 'Job', schedule: 'hourly', function_name: 'work' }

describe('the history of runs', () => {
  test('is filtered by job, function, status and tenant, and comes in pages', async () => {
    const tenantId = await world.tenant('UTC')
    const { cron, tickAndWait } = world.instance({
      executors: { work: async () => Promise.reject(new Error('no')) },
    })
    const failing = await cron.jobs.create(job)
    await cron.jobs.create({ ...job, name: 'Acme', function_name: 'note', tenant_id: tenantId })
    for (const hour of [11, 12, 13]) {
      world.setTime(`2026-01-10T${hour}:00:00Z`)
      await tickAndWait()
    }
    const names = async (filter: Parameters<typeof cron.runs.list>[0]) => {
      const { runs, total } = await cron.runs.list(filter, { page: 1, pageSize: 50 })
      expect(runs).toHaveLength(total)
      return [...new Set(runs.map(({ job_name }) => job_name))]
    }
    expect(await names({ cronJobId: failing.id })).toEqual(['Job'])
    expect(await names({ functionName: 'note' })).toEqual(['Acme'])
    expect(await names({ status: 'failed' })).toEqual(['Job'])
    expect(await names({ tenantId })).toEqual(['Acme'])
    expect(await names({ tenantId, status: 'failed' })).toEqual([])

    const page = await cron.runs.list({ status: 'failed' }, { page: 2, pageSize: 2 })
    expect(page).toMatchObject({ total: 3, page: 2, pageSize: 2 })
    expect(page.runs.map(({ slot }) => slot)).toEqual(['2026-01-10T11:00:00.000Z'])
  })

  test('has every run under its id', async () => {
    const { cron, tickAndWait, runs } = await world.due(async () => SUCCESS)
    await tickAndWait()
    const [run] = await runs()
    expect(await cron.runs.find(run?.id ?? '')).toEqual(run)
    expect(await cron.runs.find('not-a-uuid')).toBeUndefined()
    expect(await cron.runs.find('00000000-0000-4000-8000-000000000000')).toBeUndefined()
  })
})
