import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CronWorld, cronWorld } from '../../test/cron.ts'
import type { Cron } from './index.ts'

let world: CronWorld
let cron: Cron
beforeAll(async () => {
  world = await cronWorld()
})
beforeEach(async () => {
  await world.reset()
  cron = world.instance().cron
})
afterAll(() => world.end())

const job = { name: 'Note', schedule: 'cron:0 0 * * *', function_name: 'note' }
const NOBODY = '00000000-0000-4000-8000-000000000000'

describe('a new cron job', () => {
  test('has the defaults and its first slot, and can be read back', async () => {
    const created = await cron.jobs.create(job)
    expect(created).toEqual({
      id: expect.any(String),
      tenant_id: null,
      name: 'Note',
      schedule: 'cron:0 0 * * *',
      function_name: 'note',
      is_active: true,
      last_run: null,
      next_run: '2026-01-11T00:00:00.000Z',
      metadata: {},
      timezone: 'UTC',
      misfire: 'once',
      overlap: 'skip',
      timeout_seconds: 3600,
      max_attempts: 3,
      paused_reason: null,
      created_at: '2026-01-10T10:00:00.000Z',
      updated_at: '2026-01-10T10:00:00.000Z',
    })
    expect(await cron.jobs.get(created.id)).toEqual(created)
  })

  test('has its slots in its own zone', async () => {
    const created = await cron.jobs.create({ ...job, timezone: 'Europe/Berlin' })
    expect(created.next_run).toBe('2026-01-10T23:00:00.000Z')
  })

  test('that is made paused has no slot', async () => {
    expect((await cron.jobs.create({ ...job, is_active: false })).next_run).toBeNull()
  })

  test.each([
    ['name', { name: undefined }, 'name is required'],
    ['name', { name: ' ' }, 'name: must not be empty.'],
    ['name', { name: 'a\0b' }, 'name: must not contain the character NUL.'],
    ['schedule', { schedule: undefined }, 'schedule is required'],
    ['schedule', { schedule: 'every_5_minuts' }, 'Did you mean "every_5_minutes"?'],
    ['schedule', { schedule: 'dayly', is_active: false }, 'Did you mean "daily"?'],
    ['function_name', { function_name: undefined }, 'function_name is required'],
    ['function_name', { function_name: 'nota' }, 'Did you mean "note"? The functions are: note.'],
    ['timezone', { timezone: 'Europe/Berlim' }, 'Did you mean "Europe/Berlin"?'],
    ['metadata', { metadata: [] }, 'metadata: must be an object.'],
    ['metadata', { metadata: 'text' }, 'metadata: must be an object.'],
    ['metadata', { metadata: { a: '\0' } }, 'metadata: must not contain the character NUL.'],
    ['misfire', { misfire: 'twice' }, 'misfire: '],
    ['overlap', { overlap: 'both' }, 'overlap: '],
    ['timeout_seconds', { timeout_seconds: 0 }, 'timeout_seconds: '],
    ['max_attempts', { max_attempts: 1.5 }, 'max_attempts: '],
    ['is_active', { is_active: 'yes' }, 'is_active: '],
    ['tenant_id', { tenant_id: 'acme' }, 'tenant_id: '],
    ['tenant_id', { tenant_id: NOBODY }, 'There is no tenant with this id.'],
  ])('with a wrong %s is refused: %o', async (field, wrong, sentence) => {
    await expect(cron.jobs.create({ ...job, ...wrong })).rejects.toMatchObject({
      code: 'bad_request',
      field,
      message: expect.stringContaining(sentence),
    })
    expect(await cron.jobs.list({})).toEqual([])
  })

  test('without a body is refused', async () => {
    await expect(cron.jobs.create(undefined)).rejects.toMatchObject({ field: 'body' })
  })

  test('of a name that exists is a conflict', async () => {
    await cron.jobs.create(job)
    await expect(cron.jobs.create(job)).rejects.toMatchObject({ code: 'conflict', field: 'name' })
  })
})

describe('a change', () => {
  test('of the schedule moves the next slot, and leaves the rest', async () => {
    const before = await cron.jobs.create({ ...job, metadata: { a: 1 } })
    world.setTime('2026-01-10T10:00:01Z')
    const after = await cron.jobs.update(before.id, { schedule: 'hourly' })
    expect(after).toEqual({
      ...before,
      schedule: 'hourly',
      next_run: '2026-01-10T11:00:00.000Z',
      updated_at: '2026-01-10T10:00:01.000Z',
    })
    expect(await cron.jobs.get(before.id)).toEqual(after)
  })

  test('of the zone moves the next slot', async () => {
    const { id } = await cron.jobs.create(job)
    await world.tenant('Asia/Tokyo')
    expect((await cron.jobs.update(id, { timezone: 'Europe/Berlin' })).next_run).toBe(
      '2026-01-10T23:00:00.000Z',
    )
    expect((await cron.jobs.update(id, { timezone: 'tenant' })).next_run).toBe(
      '2026-01-10T15:00:00.000Z',
    )
  })

  test('of anything else leaves the next slot, even one that is due', async () => {
    const { id, next_run } = await cron.jobs.create(job)
    world.setTime('2026-01-11T00:00:01Z')
    const changes = { name: 'Renamed', metadata: { a: 2 }, is_active: true, schedule: job.schedule }
    expect(await cron.jobs.update(id, changes)).toMatchObject({ next_run, name: 'Renamed' })
  })

  test('that pauses takes the slot away, and one that resumes gives the next one', async () => {
    const { id } = await cron.jobs.create(job)
    expect(await cron.jobs.pause(id, 'Month end.')).toMatchObject({
      is_active: false,
      next_run: null,
      paused_reason: 'Month end.',
    })
    expect(await cron.jobs.update(id, { metadata: {} })).toMatchObject({
      paused_reason: 'Month end.',
    })
    world.setTime('2026-01-15T10:00:00Z')
    expect(await cron.jobs.resume(id)).toMatchObject({
      is_active: true,
      next_run: '2026-01-16T00:00:00.000Z',
      paused_reason: null,
    })
  })

  test.each([
    ['body', {}, 'No fields to update'],
    ['body', { unknown: 1, last_run: null }, 'No fields to update'],
    ['schedule', { schedule: 'sometimes' }, 'is not a schedule'],
    ['timezone', { timezone: 'Mars/Olympus' }, 'is not a time zone'],
    ['function_name', { function_name: 'nota' }, 'Did you mean "note"?'],
    ['metadata', { metadata: null }, 'metadata: must be an object.'],
  ])('with a wrong %s is refused and changes nothing: %o', async (field, wrong, sentence) => {
    const before = await cron.jobs.create(job)
    await expect(cron.jobs.update(before.id, wrong)).rejects.toMatchObject({
      code: 'bad_request',
      field,
      message: expect.stringContaining(sentence),
    })
    expect(await cron.jobs.get(before.id)).toEqual(before)
  })

  test('of the name to one that exists is a conflict', async () => {
    await cron.jobs.create(job)
    const { id } = await cron.jobs.create({ ...job, name: 'Other' })
    const renamed = cron.jobs.update(id, { name: 'Note' })
    await expect(renamed).rejects.toMatchObject({ code: 'conflict', field: 'name' })
  })
})

test('the list is filtered by tenant and by whether a job is active', async () => {
  const tenant_id = await world.tenant('UTC')
  await cron.jobs.create({ ...job, name: 'B' })
  await cron.jobs.create({ ...job, name: 'A', tenant_id })
  await cron.jobs.create({ ...job, name: 'C', tenant_id, is_active: false })
  const names = async (filter: Parameters<typeof cron.jobs.list>[0]) =>
    (await cron.jobs.list(filter)).map(({ name }) => name)
  expect(await names({})).toEqual(['A', 'B', 'C'])
  expect(await names({ tenantId: tenant_id })).toEqual(['A', 'C'])
  expect(await names({ isActive: false })).toEqual(['C'])
  expect(await names({ tenantId: tenant_id, isActive: true })).toEqual(['A'])
  await expect(cron.jobs.list({ tenantId: 'acme' })).rejects.toMatchObject({ field: 'tenant_id' })
})

test('a job that is removed is answered once more, and gone', async () => {
  const created = await cron.jobs.create(job)
  expect(await cron.jobs.remove(created.id)).toEqual(created)
  await expect(cron.jobs.get(created.id)).rejects.toMatchObject({ code: 'not_found' })
})

test.each([NOBODY, 'not-a-uuid'])('the job %s is not found', async (id) => {
  const notFound = { code: 'not_found', message: 'Cron job not found' }
  await expect(cron.jobs.get(id)).rejects.toMatchObject(notFound)
  await expect(cron.jobs.update(id, { name: 'x' })).rejects.toMatchObject(notFound)
  await expect(cron.jobs.remove(id)).rejects.toMatchObject(notFound)
  await expect(cron.jobs.pause(id, '')).rejects.toMatchObject(notFound)
  await expect(cron.jobs.resume(id)).rejects.toMatchObject(notFound)
  await expect(cron.runJob(id, 'ada')).rejects.toMatchObject(notFound)
})

describe('seeding', () => {
  const seeds = [
    {
      name: 'Warm',
      at: 'cron:0 0 * * *',
      run: 'note',
      timezone: 'tenant',
      overlap: 'queue' as const,
    },
    { name: 'Off', at: 'hourly', run: 'note', isActive: false, metadata: { retention_days: 365 } },
  ]

  test('makes what is missing, with its first slot, and is idempotent', async () => {
    await world.tenant('Europe/Berlin')
    expect(await cron.seedSchedules(seeds)).toEqual(['Warm', 'Off'])
    const jobs = await cron.jobs.list({})
    expect(jobs).toMatchObject([
      { name: 'Off', is_active: false, next_run: null, metadata: { retention_days: 365 } },
      { name: 'Warm', timezone: 'tenant', overlap: 'queue', next_run: '2026-01-10T23:00:00.000Z' },
    ])
    await cron.jobs.update(jobs[0]?.id ?? '', { schedule: 'daily' })
    expect(await cron.seedSchedules(seeds)).toEqual([])
    expect((await cron.jobs.list({}))[0]?.schedule).toBe('daily')
  })

  test.each([
    [{ at: 'every_5_minuts' }, 'Did you mean "every_5_minutes"?'],
    [{ timezone: 'Europe/Berlim' }, 'Did you mean "Europe/Berlin"?'],
    [{ run: 'nota' }, 'Did you mean "note"?'],
  ])('stops the start when a schedule is wrong: %o', async (wrong, sentence) => {
    const seeded = cron.seedSchedules([{ name: 'Warm', at: 'daily', run: 'note', ...wrong }])
    await expect(seeded).rejects.toMatchObject({
      code: 'bad_configuration',
      message: expect.stringMatching(/^The schedule "Warm" is wrong: /),
    })
    await expect(seeded).rejects.toThrow(sentence)
  })
})
